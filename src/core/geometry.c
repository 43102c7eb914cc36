/* How the rows of a call are cut into chunks and dealt out to work-groups. */
#include "core/arithmetic.h"
#include "core/failure.h"
#include "core/schedule.h"

#include <string.h>

enum {
    CPU_CHUNK = 32768,         /* long enough to hide a work-group's start, short enough to share */
    GPU_CHUNK = 16384,         /* 64 elements for each of 256 work-items */
    MAX_CHUNKS = 65536,        /* of a row; beyond that chunks grow */
    MAX_CHUNK = 1 << 30,       /* kernels count the elements of a task in 32 bits */
    GRAIN = 256,               /* chunks are multiples of it: whole tiles */
    CPU_GROUP_ELEMENTS = 8192, /* short rows: at least so many elements in a work-group */
    CPU_GROUPS_PER_UNIT = 16,  /* but enough work-groups to keep every core busy */
    /* Where vectors hold elements of neighbouring rows. */
    COLUMN_GRAIN = 64,      /* elements of a row */
    CPU_COLUMN_TASKS = 256, /* enough to share; more would only be joined again */
    GPU_COLUMN_TASKS = 4096,
    COMBINE_PARTS = 4096, /* about so many in a work-group of one work-item */
    /* Iterations of loops, at most. */
    LOOPS_PER_ELEMENT = 16,
    LOOPS_PER_PART = 4
};

/* Elements, or parts of a value, that a work-item may go through in one launch. */
static uint64_t most_in_loops(const struct clkl_facts *facts, uint32_t loops_for_one)
{
    return facts->loop_limit == 0 ? UINT64_MAX / CLKL_WIDEST_GRID
                                  : at_least(facts->loop_limit / loops_for_one, 1);
}

/* Members for a task of `items` units of work, so that each has about two. */
static uint32_t choose_team(uint64_t items, uint32_t work_group)
{
    return (uint32_t)at_most(power_of_two_above(divide_up(items, 2)), work_group);
}

/* ---- Vectors within rows ---- */

/* The most chunks of any row that is no longer: where the limit on chunks is reached, a shorter row
 * may have more of them. */
static uint64_t most_chunks(uint64_t elements, uint64_t longest)
{
    return at_most(divide_up(elements, longest), MAX_CHUNKS);
}

/* Cuts rows into chunks of nearly equal length, whole tiles each. */
static void cut_rows(uint64_t elements, uint64_t longest, struct clkl_geometry *geometry)
{
    if (divide_up(elements, longest) > MAX_CHUNKS)
        longest = at_most(divide_up(divide_up(elements, MAX_CHUNKS), GRAIN) * GRAIN, MAX_CHUNK);
    geometry->chunk = elements;
    if (elements > longest) {
        const uint64_t even = divide_up(elements, divide_up(elements, longest));
        geometry->chunk = at_most(longest, divide_up(even, GRAIN) * GRAIN);
    }
    geometry->chunks = (uint32_t)divide_up(elements, geometry->chunk);
}

/* Returns the most chunks that a row of at most so many elements may have. */
static uint64_t lay_out_rows(const struct clkl_rows *rows, const struct clkl_variant *variant,
                             const struct clkl_facts *facts, const struct clkl_tuning *tuning,
                             struct clkl_geometry *geometry)
{
    const uint64_t usual = facts->style == CLKL_STYLE_WIDE_CPU ? CPU_CHUNK : GPU_CHUNK;
    const uint32_t widest_team = tuning->team != 0 ? tuning->team : variant->work_group;
    const uint64_t longest = at_most(tuning->chunk != 0 ? tuning->chunk : usual,
                                     most_in_loops(facts, LOOPS_PER_ELEMENT) * widest_team);
    cut_rows(rows->elements, longest, geometry);
    geometry->team = tuning->team;
    if (tuning->team == 0)
        geometry->team =
            choose_team(divide_up(geometry->chunk, variant->vector_width), variant->work_group);
    geometry->tasks = rows->rows * geometry->chunks;
    geometry->work = at_most(rows->elements, geometry->chunk);
    geometry->share = divide_up(geometry->chunk, geometry->team);
    return most_chunks(rows->elements, longest);
}

/* ---- Vectors across rows ---- */

/* Work-items side by side, each with rows of its own: as many as a sample has rows, for whatever is
 * left of the work-group shares their elements. */
static uint32_t choose_column_team(const struct clkl_rows *rows, const struct clkl_variant *variant,
                                   const struct clkl_tuning *tuning)
{
    const uint64_t slots = at_most(power_of_two_above(rows->rows_of_sample), variant->work_group);
    const uint64_t spare = variant->work_group / slots;
    if (tuning->team != 0)
        return tuning->team;
    return (uint32_t)at_most(spare, choose_team(rows->elements, variant->work_group));
}

/* The most chunks of rows with so many elements: as many as keep the device busy, for each chunk
 * has sums that must be joined again. `width` rows of a sample are worked on together. */
static uint64_t most_column_chunks(uint64_t elements, uint64_t blocks, uint64_t width,
                                   const struct clkl_facts *facts,
                                   const struct clkl_geometry *geometry)
{
    const bool wide_cpu = facts->style == CLKL_STYLE_WIDE_CPU;
    const uint64_t tasks = wide_cpu ? CPU_COLUMN_TASKS : GPU_COLUMN_TASKS;
    const uint64_t longest = at_least(COLUMN_GRAIN * geometry->team, CPU_CHUNK / width);
    return at_most(divide_up(elements, longest), at_least(tasks / blocks, 1));
}

/* As lay_out_rows. */
static uint64_t lay_out_columns(const struct clkl_rows *rows, const struct clkl_variant *variant,
                                const struct clkl_facts *facts, const struct clkl_tuning *tuning,
                                struct clkl_geometry *geometry)
{
    geometry->team = choose_column_team(rows, variant, tuning);
    const uint64_t strip = (uint64_t)variant->strip * variant->vector_width;
    const uint64_t block = variant->work_group / geometry->team * strip;
    const uint64_t longest =
        at_least(most_in_loops(facts, LOOPS_PER_ELEMENT) / strip, 1) * geometry->team;
    const uint64_t wanted =
        tuning->chunk != 0
            ? at_most(divide_up(rows->elements, tuning->chunk), MAX_CHUNKS)
            : most_column_chunks(rows->elements, divide_up(rows->rows_of_sample, block),
                                 at_most(block, rows->rows_of_sample), facts, geometry);
    const uint64_t most = at_least(wanted, divide_up(rows->elements, at_most(longest, MAX_CHUNK)));
    const uint64_t even = divide_up(rows->elements, most);
    geometry->chunk = most == 1            ? rows->elements
                      : tuning->chunk != 0 ? at_least(even, tuning->chunk)
                                           : divide_up(even, COLUMN_GRAIN) * COLUMN_GRAIN;
    geometry->chunk = at_most(geometry->chunk, longest);
    geometry->chunks = (uint32_t)divide_up(rows->elements, geometry->chunk);
    geometry->tasks = divide_up(rows->rows, block) * geometry->chunks;
    geometry->work = at_most(block, rows->rows) * geometry->chunk;
    geometry->share = divide_up(geometry->chunk, geometry->team) * strip;
    return most;
}

/* ---- Both ---- */

/* As many as wanted, but no more than a work-item's loops get through. */
static uint32_t bound_rounds(uint64_t wanted, uint64_t most_in_loops, uint64_t share)
{
    const uint64_t most = at_least(most_in_loops / at_least(share, 1), 1);
    return (uint32_t)at_most(at_most(wanted, most), UINT32_MAX);
}

static uint32_t choose_rounds(const struct clkl_facts *facts, const struct clkl_tuning *tuning,
                              const struct clkl_geometry *geometry)
{
    const uint64_t wanted = CPU_GROUP_ELEMENTS / at_most(geometry->work, CPU_GROUP_ELEMENTS);
    const uint64_t spare = geometry->tasks / ((uint64_t)CPU_GROUPS_PER_UNIT * facts->compute_units);
    const uint64_t needed = divide_up(geometry->tasks, CLKL_WIDEST_GRID);
    const uint64_t usual = at_least(at_least(at_most(wanted, spare), 1), needed);
    return bound_rounds(tuning->rounds != 0 ? tuning->rounds : usual,
                        most_in_loops(facts, LOOPS_PER_ELEMENT), geometry->share);
}

/* Returns the parts that fall to one work-item in a round. */
static uint64_t lay_out_combine(const struct clkl_rows *rows, const struct clkl_variant *variant,
                                const struct clkl_facts *facts, struct clkl_geometry *geometry)
{
    const uint64_t values = rows->rows / rows->rows_of_value;
    const uint64_t parts = geometry->chunks * rows->rows_of_value;
    geometry->combine_team = choose_team(parts, variant->work_group);
    geometry->combine_rounds = 1;
    if (variant->work_group > 1) {
        geometry->combine_groups = divide_up(values, variant->work_group / geometry->combine_team);
        return divide_up(parts, geometry->combine_team);
    }
    const uint64_t lanes = rows->rows_of_value == 1 ? variant->lanes_at_once : 1;
    const uint64_t vectors = divide_up(values, lanes);
    const uint64_t wanted = COMBINE_PARTS / at_most(parts * lanes, COMBINE_PARTS);
    const uint64_t needed = divide_up(vectors, CLKL_WIDEST_GRID);
    geometry->combine_rounds =
        bound_rounds(at_least(wanted, needed), most_in_loops(facts, LOOPS_PER_PART), parts * lanes);
    geometry->combine_groups = divide_up(vectors, geometry->combine_rounds);
    return parts * lanes;
}

clkl_status clkl_geometry_make(const struct clkl_rows *rows, const struct clkl_variant *variant,
                               const struct clkl_facts *facts, const struct clkl_tuning *tuning,
                               struct clkl_geometry *geometry, clkl_error *error)
{
    memset(geometry, 0, sizeof *geometry);
    if (rows->elements / MAX_CHUNK >= UINT32_MAX)
        return clkl_fail(error, CLKL_UNSUPPORTED, "too many elements in one value of the result");
    if (rows->rows > UINT64_MAX / 64 / MAX_CHUNKS)
        return clkl_fail(error, CLKL_UNSUPPORTED, "too many rows");
    const uint64_t most =
        (variant->columns ? lay_out_columns : lay_out_rows)(rows, variant, facts, tuning, geometry);
    geometry->rounds = variant->work_group == 1 ? choose_rounds(facts, tuning, geometry) : 1;
    const uint64_t teams = variant->columns ? 1 : variant->work_group / geometry->team;
    geometry->groups = divide_up(geometry->tasks, teams * geometry->rounds);
    if (geometry->groups > SIZE_MAX / variant->work_group)
        return clkl_fail(error, CLKL_UNSUPPORTED, "too many rows for one launch");
    uint64_t parts = 0;
    if (clkl_variant_sums(variant) > 0 && (geometry->chunks > 1 || rows->rows_of_value > 1)) {
        parts = lay_out_combine(rows, variant, facts, geometry);
        geometry->scratch =
            rows->rows * at_least(geometry->chunks, most) * clkl_variant_partial_bytes(variant);
    }
    if (geometry->share > most_in_loops(facts, LOOPS_PER_ELEMENT) ||
        parts > most_in_loops(facts, LOOPS_PER_PART))
        return clkl_fail(error, CLKL_UNSUPPORTED,
                         "one value of the result has more elements than this device gets through: "
                         "it stops a work-item's loops after %u iterations",
                         (unsigned)facts->loop_limit);
    return CLKL_OK;
}
