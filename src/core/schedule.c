#include "core/schedule.h"

#include "core/failure.h"

#include <stdio.h>
#include <string.h>

enum {
    CPU_CHUNK = 32768,   /* long enough to hide a work-group's start, short enough to share */
    GPU_CHUNK = 16384,   /* 64 elements for each of 256 work-items */
    MAX_CHUNKS = 65536,  /* of a row; beyond that chunks grow */
    MAX_CHUNK = 1 << 30, /* kernels count the elements of a task in 32 bits */
    GPU_WORK_GROUP = 256,
    GPU_VECTOR_WIDTH = 4,
    LANES_WORK_GROUP = 32,
    CPU_VECTOR_WIDTH = 16,     /* at most */
    CPU_GROUP_ELEMENTS = 8192, /* short rows: at least so many elements in a work-group */
    CPU_GROUPS_PER_UNIT = 16,  /* but enough work-groups to keep every core busy */
    CPU_PREFETCH = 768,
    FINDINGS_BYTES = 20, /* of local memory for each work-item */
    PARTIAL_BYTES = 20   /* of scratch for each task: sum, clamp counts, negative */
};

static uint64_t divide_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

static uint64_t at_least(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t at_most(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint32_t power_of_two_below(uint64_t n)
{
    uint32_t power = 1;
    while (power <= n / 2 && power < (1u << 30))
        power *= 2;
    return power;
}

static uint32_t power_of_two_above(uint64_t n)
{
    const uint32_t below = power_of_two_below(n);
    return below < n ? below * 2 : below;
}

/* No wider than the shortest row that can come, so that rows have whole vectors. */
static uint32_t choose_vector_width(const struct clkl_facts *facts, uint64_t shortest_row)
{
    switch (facts->style) {
    case CLKL_STYLE_WIDE_CPU:
        return power_of_two_below(
            at_most(at_most(facts->native_width, CPU_VECTOR_WIDTH), shortest_row));
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

void clkl_variant_make(const struct clkl_problem *problem, const struct clkl_rows *rows,
                       const struct clkl_facts *facts, const struct clkl_tuning *tuning,
                       struct clkl_variant *variant)
{
    memset(variant, 0, sizeof *variant);
    variant->p_scale = problem->p.scale_kind;
    variant->q_scale = problem->q.scale_kind;
    variant->p_gather = !rows->p_contiguous;
    variant->q_gather = !rows->q_contiguous;
    variant->axes = variant->p_gather || variant->q_gather ? rows->axes : 1;
    variant->clamp_p = problem->p.clamped;
    variant->clamp_q = problem->q.clamped;
    variant->count_clamped = problem->clamp_counts && (problem->p.clamped || problem->q.clamped);
    variant->vector_width = choose_vector_width(facts, clkl_rows_shortest(problem, rows));
    variant->tile = facts->style == CLKL_STYLE_WIDE_CPU ? 8
                    : facts->style == CLKL_STYLE_LANES  ? 4
                                                        : 1;
    variant->work_group = choose_work_group(facts);
    variant->short_cut = choose_short_cut(variant, facts);
    variant->long_rows = rows->elements > UINT32_MAX;
    variant->prefetch_distance =
        facts->style == CLKL_STYLE_WIDE_CPU && facts->prefetch_builtin ? CPU_PREFETCH : 0;
    if (tuning->vector_width != 0)
        variant->vector_width = tuning->vector_width;
    variant->lanes_at_once = facts->style == CLKL_STYLE_WIDE_CPU ? variant->vector_width : 1;
    if (tuning->tile != 0)
        variant->tile = tuning->tile;
    if (tuning->work_group != 0)
        variant->work_group = tuning->work_group;
}

static bool multiple_of(int64_t a, uint32_t b)
{
    return a % (int64_t)b == 0;
}

bool clkl_variant_can_align(const struct clkl_variant *variant, const struct clkl_rows *rows,
                            const struct clkl_facts *facts)
{
    if (facts->style != CLKL_STYLE_GPU || variant->vector_width < 2)
        return false;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand) {
        const bool p = operand == CLKL_P_MEAN || operand == CLKL_P_SCALE;
        const bool gathered = p ? variant->p_gather : variant->q_gather;
        if (!gathered && (!multiple_of(rows->origins[operand], variant->vector_width) ||
                          !multiple_of(rows->row_strides[operand], variant->vector_width)))
            return false;
    }
    return true;
}

/* The most chunks of any row that is no longer: where the limit on chunks is reached, a shorter row
 * may have more of them. */
static uint64_t most_chunks(uint64_t elements, uint64_t longest)
{
    return at_most(divide_up(elements, longest), MAX_CHUNKS);
}

/* Cuts rows into chunks of nearly equal length, whole tiles each. */
static void cut_rows(uint64_t elements, uint64_t longest, struct clkl_geometry *geometry)
{
    enum { GRAIN = 256 };
    if (divide_up(elements, longest) > MAX_CHUNKS)
        longest = at_most(divide_up(divide_up(elements, MAX_CHUNKS), GRAIN) * GRAIN, MAX_CHUNK);
    geometry->chunk = elements;
    if (elements > longest) {
        const uint64_t even = divide_up(elements, divide_up(elements, longest));
        geometry->chunk = at_most(longest, divide_up(even, GRAIN) * GRAIN);
    }
    geometry->chunks = (uint32_t)divide_up(elements, geometry->chunk);
}

/* Members for a task of `items` units of work, so that each has about two. */
static uint32_t choose_team(uint64_t items, uint32_t work_group)
{
    return (uint32_t)at_most(power_of_two_above(divide_up(items, 2)), work_group);
}

static uint32_t choose_rounds(const struct clkl_rows *rows, const struct clkl_facts *facts,
                              const struct clkl_geometry *geometry)
{
    const uint64_t wanted = CPU_GROUP_ELEMENTS / at_most(rows->elements, CPU_GROUP_ELEMENTS);
    const uint64_t spare = geometry->tasks / ((uint64_t)CPU_GROUPS_PER_UNIT * facts->compute_units);
    const uint64_t needed = divide_up(geometry->tasks, CLKL_WIDEST_GRID);
    return (uint32_t)at_most(at_least(at_least(at_most(wanted, spare), 1), needed), UINT32_MAX);
}

clkl_status clkl_geometry_make(const struct clkl_rows *rows, const struct clkl_variant *variant,
                               const struct clkl_facts *facts, const struct clkl_tuning *tuning,
                               struct clkl_geometry *geometry, clkl_error *error)
{
    const uint64_t usual = facts->style == CLKL_STYLE_WIDE_CPU ? CPU_CHUNK : GPU_CHUNK;
    const uint64_t longest = tuning->chunk != 0 ? tuning->chunk : usual;
    if (rows->elements / MAX_CHUNK >= UINT32_MAX)
        return clkl_fail(error, CLKL_UNSUPPORTED, "too many elements in one value of the result");
    memset(geometry, 0, sizeof *geometry);
    cut_rows(rows->elements, longest, geometry);
    if (rows->rows > UINT64_MAX / 64 / geometry->chunks)
        return clkl_fail(error, CLKL_UNSUPPORTED, "too many rows");
    geometry->tasks = rows->rows * geometry->chunks;
    geometry->team = tuning->team;
    if (tuning->team == 0)
        geometry->team =
            choose_team(divide_up(geometry->chunk, variant->vector_width), variant->work_group);
    geometry->rounds = 1;
    if (variant->work_group == 1)
        geometry->rounds =
            tuning->rounds != 0 ? tuning->rounds : choose_rounds(rows, facts, geometry);
    const uint64_t teams = variant->work_group / geometry->team;
    geometry->groups = divide_up(geometry->tasks, teams * geometry->rounds);
    if (geometry->groups > SIZE_MAX / variant->work_group)
        return clkl_fail(error, CLKL_UNSUPPORTED, "too many rows for one launch");
    if (geometry->chunks > 1) {
        geometry->combine_team = choose_team(geometry->chunks, variant->work_group);
        geometry->combine_groups =
            divide_up(rows->rows, variant->work_group / geometry->combine_team);
        if (variant->work_group == 1)
            geometry->combine_groups = at_most(geometry->combine_groups, CLKL_WIDEST_GRID);
        geometry->scratch = rows->rows *
                            at_least(geometry->chunks, most_chunks(rows->elements, longest)) *
                            PARTIAL_BYTES;
    }
    return CLKL_OK;
}

void clkl_variant_options(const struct clkl_variant *variant, char options[CLKL_OPTIONS_SIZE])
{
    const struct {
        const char *name;
        uint32_t value;
    } macros[] = {
        {"P_SCALE", (uint32_t)variant->p_scale},
        {"Q_SCALE", (uint32_t)variant->q_scale},
        {"P_GATHER", variant->p_gather},
        {"Q_GATHER", variant->q_gather},
        {"AXES", variant->axes},
        {"LONG_ROWS", variant->long_rows},
        {"CLAMP_P", variant->clamp_p},
        {"CLAMP_Q", variant->clamp_q},
        {"COUNT_CLAMPED", variant->count_clamped},
        {"VW", variant->vector_width},
        {"AW", variant->lanes_at_once},
        {"TILE", variant->tile},
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
