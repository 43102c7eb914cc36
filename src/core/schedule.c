#include "core/schedule.h"

#include "core/arithmetic.h"
#include "core/dtype.h"

#include <stdio.h>
#include <string.h>

enum {
    GPU_WORK_GROUP = 256,
    GPU_VECTOR_BYTES = 16,
    GPU_GRADIENT_BYTES = 4, /* for what comes out takes registers as well */
    LANES_WORK_GROUP = 32,
    CPU_VECTOR_WIDTH = 16, /* at most */
    CPU_STRIP = 64,        /* vectors: 4 KiB side by side */
    CPU_PREFETCH = 3072,   /* bytes */
    FLAG_BYTES = 12        /* of what is found: negative, clamp counts */
};

/* Bytes of an element of the side with the larger ones; something, if neither has any. */
static uint32_t largest_element(const struct clkl_variant *variant)
{
    const size_t p = variant->p_scale != CLKL_SCALE_UNIT ? clkl_dtype_size(variant->p_type) : 0;
    const size_t q = variant->q_scale != CLKL_SCALE_UNIT ? clkl_dtype_size(variant->q_type) : 0;
    return p + q == 0 ? sizeof(float) : (uint32_t)at_least(p, q);
}

/* As many as a load of 16 bytes has; but registers are few: doubles take two, and two sides with
 * arrays take as many again. */
static uint32_t choose_gpu_width(const struct clkl_variant *variant)
{
    const bool both = variant->p_scale != CLKL_SCALE_UNIT && variant->q_scale != CLKL_SCALE_UNIT;
    if (variant->fp64 && both)
        return 1;
    if (variant->maps != 0 || variant->sums != 0)
        return (uint32_t)at_least(GPU_GRADIENT_BYTES / largest_element(variant), 1);
    return (uint32_t)at_most(GPU_VECTOR_BYTES / largest_element(variant),
                             variant->fp64 || both ? 4 : 8);
}

/* No wider than the shortest row that can come, so that rows have whole vectors; but lanes that
 * belong to rows of their own cost nothing if some are beyond the last row. */
static uint32_t choose_vector_width(const struct clkl_variant *variant,
                                    const struct clkl_facts *facts, const struct clkl_rows *rows,
                                    uint64_t shortest_row)
{
    const uint64_t most = at_most(facts->native_width, CPU_VECTOR_WIDTH) / (variant->fp64 ? 2 : 1);
    if (rows->columns)
        return facts->style == CLKL_STYLE_WIDE_CPU
                   ? power_of_two_below(at_most(most, power_of_two_above(rows->rows)))
                   : 1;
    switch (facts->style) {
    case CLKL_STYLE_WIDE_CPU:
        return power_of_two_below(at_most(most, shortest_row));
    case CLKL_STYLE_LANES:
        return 1;
    default:
        return power_of_two_below(at_most(choose_gpu_width(variant), shortest_row));
    }
}

static uint32_t choose_work_group(const struct clkl_variant *variant,
                                  const struct clkl_facts *facts)
{
    if (facts->style == CLKL_STYLE_WIDE_CPU)
        return 1;
    const uint64_t wanted = facts->style == CLKL_STYLE_LANES ? LANES_WORK_GROUP : GPU_WORK_GROUP;
    const uint64_t fits =
        at_most(facts->max_work_group, facts->local_memory / clkl_variant_partial_bytes(variant));
    return power_of_two_below(at_least(at_most(wanted, fits), 1));
}

/* The short cut pays where arithmetic is dearer than memory, and is there for one kind of pair. */
static bool choose_short_cut(const struct clkl_variant *variant, const struct clkl_facts *facts)
{
    return facts->style == CLKL_STYLE_WIDE_CPU && variant->q_scale == CLKL_SCALE_UNIT &&
           variant->sums == 0 && variant->maps == 0 &&
           (variant->p_scale == CLKL_SCALE_LOGVAR || variant->p_scale == CLKL_SCALE_LOGSTD);
}

/* What the program must know of where elements lie. */
static void describe_layout(const struct clkl_rows *rows, struct clkl_variant *variant)
{
    const bool scalar_columns = rows->columns && variant->vector_width == 1;
    variant->p_reach = scalar_columns ? CLKL_CONTIGUOUS : rows->p_reach;
    variant->q_reach = scalar_columns ? CLKL_CONTIGUOUS : rows->q_reach;
    variant->weight_reach = scalar_columns ? CLKL_CONTIGUOUS : rows->weight_reach;
    variant->upstream_reach = scalar_columns ? CLKL_CONTIGUOUS : rows->upstream_reach;
    const bool straight =
        variant->p_reach == CLKL_CONTIGUOUS && variant->q_reach == CLKL_CONTIGUOUS &&
        variant->weight_reach == CLKL_CONTIGUOUS && variant->upstream_reach == CLKL_CONTIGUOUS;
    variant->kept_axes = rows->kept.count;
    variant->reduced_axes = rows->columns || !straight ? rows->reduced.count : 1;
}

uint32_t clkl_variant_sums(const struct clkl_variant *variant)
{
    uint32_t sums = variant->value;
    for (uint32_t bit = 0; bit < CLKL_ARRAYS; ++bit)
        sums += variant->sums >> bit & 1u;
    return sums;
}

uint32_t clkl_variant_partial_bytes(const struct clkl_variant *variant)
{
    const uint32_t word = variant->fp64 ? 8 : 4;
    const uint32_t sums = (uint32_t)at_least(clkl_variant_sums(variant), 1);
    return (2 * word * sums + FLAG_BYTES + word - 1) / word * word;
}

/* Gradients and weights. */
static void describe_extras(const struct clkl_pass *pass, struct clkl_variant *variant)
{
    const struct clkl_problem *problem = &pass->problem;
    const bool gradients = pass->sums != 0 || pass->maps != 0;
    variant->value = pass->value;
    variant->sums = pass->sums;
    variant->maps = pass->maps;
    variant->weighted = problem->weighting != CLKL_NO_WEIGHTS;
    variant->masked = variant->weighted && problem->weighting != CLKL_WEIGHTS;
    variant->weight_dtype =
        variant->weighted && !variant->masked ? problem->weight_dtype : CLKL_F32;
    variant->free_nats = gradients && problem->free_nats > 0.0;
    variant->gradient_add = gradients && problem->gradient_update == CLKL_GRADIENT_ADD;
    variant->gradient_dtype = gradients ? problem->gradient_dtype : CLKL_F32;
}

bool clkl_problem_needs_fp64(const struct clkl_problem *problem)
{
    const bool p = problem->p.scale_kind != CLKL_SCALE_UNIT && problem->p.dtype == CLKL_F64;
    const bool q = problem->q.scale_kind != CLKL_SCALE_UNIT && problem->q.dtype == CLKL_F64;
    const bool weights = problem->weighting == CLKL_WEIGHTS && problem->weight_dtype == CLKL_F64;
    const bool gradients = problem->gradients != 0 && problem->gradient_dtype == CLKL_F64;
    return !problem->deterministic &&
           (problem->compute == CLKL_F64 || p || q || weights || gradients);
}

void clkl_variant_make(const struct clkl_pass *pass, const struct clkl_rows *rows,
                       const struct clkl_facts *facts, const struct clkl_tuning *tuning,
                       struct clkl_variant *variant)
{
    const bool wide_cpu = facts->style == CLKL_STYLE_WIDE_CPU;
    const struct clkl_problem *problem = &pass->problem;
    memset(variant, 0, sizeof *variant);
    describe_extras(pass, variant);
    variant->p_scale = problem->p.scale_kind;
    variant->q_scale = problem->q.scale_kind;
    variant->p_type = variant->q_type = CLKL_F32;
    if (problem->p.scale_kind != CLKL_SCALE_UNIT)
        variant->p_type = problem->p.dtype;
    if (problem->q.scale_kind != CLKL_SCALE_UNIT)
        variant->q_type = problem->q.dtype;
    variant->fp64 = problem->compute == CLKL_F64;
    variant->columns = rows->columns;
    variant->clamp_p = problem->p.clamped;
    variant->clamp_q = problem->q.clamped;
    variant->count_clamped = problem->clamp_counts && (problem->p.clamped || problem->q.clamped);
    variant->work_group =
        tuning->work_group != 0 ? tuning->work_group : choose_work_group(variant, facts);
    variant->vector_width =
        tuning->vector_width != 0
            ? tuning->vector_width
            : choose_vector_width(variant, facts, rows, clkl_rows_shortest(problem, rows));
    if (rows->columns && variant->work_group > 1)
        variant->vector_width = 1; /* members join their sums one row at a time */
    variant->lanes_at_once = wide_cpu || rows->columns ? variant->vector_width : 1;
    variant->tile = wide_cpu ? 8 : facts->style == CLKL_STYLE_LANES ? 4 : 1;
    if (tuning->tile != 0)
        variant->tile = tuning->tile;
    variant->strip = rows->columns && variant->work_group == 1 ? CPU_STRIP : 1;
    variant->short_cut = choose_short_cut(variant, facts);
    variant->long_rows = rows->elements > INT32_MAX || rows->rows > INT32_MAX;
    if (wide_cpu && facts->prefetch_builtin)
        variant->prefetch_distance = CPU_PREFETCH / largest_element(variant);
    describe_layout(rows, variant);
}

enum { U8 = 100 }; /* as kernels/access.clh has it */

static bool multiple_of(int64_t a, uint32_t b)
{
    return a % (int64_t)b == 0;
}

/* Whether an operand's rows begin at multiples of the vector width, if its first element does. */
static bool rows_can_align(const struct clkl_rows *rows, int operand, uint32_t width)
{
    bool aligned = multiple_of(rows->origins[operand], width);
    for (uint32_t axis = 0; axis < rows->kept.count; ++axis)
        aligned = aligned && multiple_of(rows->kept.strides[operand][axis], width);
    return aligned;
}

enum clkl_reach clkl_variant_reach(const struct clkl_variant *variant, int operand)
{
    return operand < CLKL_Q_MEAN    ? variant->p_reach
           : operand < CLKL_WEIGHT  ? variant->q_reach
           : operand == CLKL_WEIGHT ? variant->weight_reach
                                    : variant->upstream_reach;
}

bool clkl_variant_has(const struct clkl_variant *variant, int operand)
{
    return operand < CLKL_Q_MEAN    ? variant->p_scale != CLKL_SCALE_UNIT
           : operand < CLKL_WEIGHT  ? variant->q_scale != CLKL_SCALE_UNIT
           : operand == CLKL_WEIGHT ? variant->weighted
           : operand == CLKL_VALUES ? variant->free_nats
                                    : variant->sums != 0 || variant->maps != 0;
}

bool clkl_variant_can_align(const struct clkl_variant *variant, const struct clkl_rows *rows,
                            const struct clkl_facts *facts)
{
    bool useful = false;
    if (facts->style != CLKL_STYLE_GPU || variant->vector_width < 2)
        return false;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand) {
        const enum clkl_reach reach = clkl_variant_reach(variant, operand);
        if (!clkl_variant_has(variant, operand))
            continue;
        if (reach == CLKL_RUNS)
            return false;
        if (reach == CLKL_CONTIGUOUS && !rows_can_align(rows, operand, variant->vector_width))
            return false;
        useful = useful || reach == CLKL_CONTIGUOUS;
    }
    return useful;
}

void clkl_variant_options(const struct clkl_variant *variant, char options[CLKL_OPTIONS_SIZE])
{
    const struct {
        const char *name;
        uint32_t value;
    } macros[] = {
        {"P_SCALE", (uint32_t)variant->p_scale},
        {"Q_SCALE", (uint32_t)variant->q_scale},
        {"P_TYPE", (uint32_t)variant->p_type},
        {"Q_TYPE", (uint32_t)variant->q_type},
        {"FP64", variant->fp64},
        {"COLUMNS", variant->columns},
        {"P_REACH", (uint32_t)variant->p_reach},
        {"Q_REACH", (uint32_t)variant->q_reach},
        {"KEPT_AXES", variant->kept_axes},
        {"REDUCED_AXES", variant->reduced_axes},
        {"LONG_ROWS", variant->long_rows},
        {"CLAMP_P", variant->clamp_p},
        {"CLAMP_Q", variant->clamp_q},
        {"COUNT_CLAMPED", variant->count_clamped},
        {"VW", variant->vector_width},
        {"AW", variant->lanes_at_once},
        {"TILE", variant->tile},
        {"STRIP", variant->strip},
        {"WG", variant->work_group},
        {"SHORT_CUT", variant->short_cut},
        {"PREFETCH_DISTANCE", variant->prefetch_distance},
        {"ALIGNED", variant->aligned},
        {"VALUE", variant->value},
        {"SUM_MASK", variant->sums},
        {"MAP_MASK", variant->maps},
        {"FREE_NATS", variant->free_nats},
        {"G_TYPE", (uint32_t)variant->gradient_dtype},
        {"G_ADD", variant->gradient_add},
        {"WEIGHTED", variant->weighted},
        {"W_TYPE", variant->masked ? U8 : (uint32_t)variant->weight_dtype},
        {"W_REACH", (uint32_t)variant->weight_reach},
        {"U_REACH", (uint32_t)variant->upstream_reach},
    };
    size_t length = (size_t)snprintf(options, CLKL_OPTIONS_SIZE, "-cl-std=CL1.2");
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; ++i)
        length += (size_t)snprintf(options + length, CLKL_OPTIONS_SIZE - length, " -D%s=%u",
                                   macros[i].name, (unsigned)macros[i].value);
}
