#include "core/schedule.h"

#include "core/arithmetic.h"

#include <stdio.h>
#include <string.h>

enum {
    GPU_WORK_GROUP = 256,
    GPU_VECTOR_WIDTH = 4,
    LANES_WORK_GROUP = 32,
    CPU_VECTOR_WIDTH = 16, /* at most */
    CPU_STRIP = 64,        /* vectors: 4 KiB side by side */
    CPU_PREFETCH = 768,
    CPU_COLUMNS_PREFETCH = 256, /* within the strip, for each of the tile's rows */
    FINDINGS_BYTES = 20         /* of local memory for each work-item */
};

/* No wider than the shortest row that can come, so that rows have whole vectors; but lanes that
 * belong to rows of their own cost nothing if some are beyond the last row. */
static uint32_t choose_vector_width(const struct clkl_facts *facts, const struct clkl_rows *rows,
                                    uint64_t shortest_row)
{
    const uint64_t most = at_most(facts->native_width, CPU_VECTOR_WIDTH);
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
        return power_of_two_below(at_most(GPU_VECTOR_WIDTH, shortest_row));
    }
}

static uint32_t choose_work_group(const struct clkl_facts *facts)
{
    if (facts->style == CLKL_STYLE_WIDE_CPU)
        return 1;
    const uint64_t wanted = facts->style == CLKL_STYLE_LANES ? LANES_WORK_GROUP : GPU_WORK_GROUP;
    const uint64_t fits = at_most(facts->max_work_group, facts->local_memory / FINDINGS_BYTES);
    return power_of_two_below(at_least(at_most(wanted, fits), 1));
}

/* The short cut pays where arithmetic is dearer than memory, and is there for one kind of pair. */
static bool choose_short_cut(const struct clkl_variant *variant, const struct clkl_facts *facts)
{
    return facts->style == CLKL_STYLE_WIDE_CPU && variant->q_scale == CLKL_SCALE_UNIT &&
           (variant->p_scale == CLKL_SCALE_LOGVAR || variant->p_scale == CLKL_SCALE_LOGSTD);
}

/* What the program must know of where elements lie. */
static void describe_layout(const struct clkl_rows *rows, struct clkl_variant *variant)
{
    const bool scalar_columns = rows->columns && variant->vector_width == 1;
    variant->p_reach = scalar_columns ? CLKL_CONTIGUOUS : rows->p_reach;
    variant->q_reach = scalar_columns ? CLKL_CONTIGUOUS : rows->q_reach;
    const bool straight =
        variant->p_reach == CLKL_CONTIGUOUS && variant->q_reach == CLKL_CONTIGUOUS;
    variant->kept_axes = rows->kept.count;
    variant->reduced_axes = rows->columns || !straight ? rows->reduced.count : 1;
}

void clkl_variant_make(const struct clkl_problem *problem, const struct clkl_rows *rows,
                       const struct clkl_facts *facts, const struct clkl_tuning *tuning,
                       struct clkl_variant *variant)
{
    const bool wide_cpu = facts->style == CLKL_STYLE_WIDE_CPU;
    memset(variant, 0, sizeof *variant);
    variant->p_scale = problem->p.scale_kind;
    variant->q_scale = problem->q.scale_kind;
    variant->columns = rows->columns;
    variant->clamp_p = problem->p.clamped;
    variant->clamp_q = problem->q.clamped;
    variant->count_clamped = problem->clamp_counts && (problem->p.clamped || problem->q.clamped);
    variant->work_group = tuning->work_group != 0 ? tuning->work_group : choose_work_group(facts);
    variant->vector_width =
        tuning->vector_width != 0
            ? tuning->vector_width
            : choose_vector_width(facts, rows, clkl_rows_shortest(problem, rows));
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
        variant->prefetch_distance = rows->columns && rows->rows_of_sample >= CPU_PREFETCH
                                         ? CPU_COLUMNS_PREFETCH
                                         : CPU_PREFETCH;
    describe_layout(rows, variant);
}

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

bool clkl_variant_can_align(const struct clkl_variant *variant, const struct clkl_rows *rows,
                            const struct clkl_facts *facts)
{
    bool useful = false;
    if (facts->style != CLKL_STYLE_GPU || variant->vector_width < 2)
        return false;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand) {
        const bool p = operand == CLKL_P_MEAN || operand == CLKL_P_SCALE;
        const enum clkl_reach reach = p ? variant->p_reach : variant->q_reach;
        if (reach == CLKL_RUNS)
            return false;
        if (reach == CLKL_CONTIGUOUS && !rows_can_align(rows, operand, variant->vector_width))
            return false;
        const enum clkl_scale scale = p ? variant->p_scale : variant->q_scale;
        useful = useful || (reach == CLKL_CONTIGUOUS && scale != CLKL_SCALE_UNIT);
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
    };
    size_t length = (size_t)snprintf(options, CLKL_OPTIONS_SIZE, "-cl-std=CL1.2");
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; ++i)
        length += (size_t)snprintf(options + length, CLKL_OPTIONS_SIZE - length, " -D%s=%u",
                                   macros[i].name, (unsigned)macros[i].value);
}
