/* Problems drawn at random, as rows: every row has its elements in their order, and what is said of
 * how they lie is true. */
#include "core/made.h"
#include "core/rows.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(rows_drawn, .timeout = 60);

#define SIZE         .struct_size = sizeof(clkl_spec)
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { MAX_EXTENT = 4, MANY_SAMPLES = 13, SPECS = 4000 };

static uint64_t draw(uint64_t seed, uint64_t stream, uint64_t below)
{
    return hash_bits(seed, stream, 0) % below;
}

/* Strides as arrays have them: the axes in some order, the fastest first, now and then with a gap
 * behind an axis or with an axis that repeats. */
static void draw_strides(uint64_t seed, const clkl_spec *spec, int64_t *strides)
{
    static const uint32_t steps[] = {1, 2, 3}; /* C order, Fortran order, neither */
    const uint64_t order = draw(seed, 0, COUNT(steps));
    int64_t stride = 1;
    for (uint32_t i = 0; i < spec->rank; ++i) {
        const uint32_t last = spec->rank - 1 - i;
        const uint32_t mixed = (i + (uint32_t)draw(seed, 1, spec->rank)) % spec->rank;
        const uint32_t axis = order == 0 ? last : order == 1 ? i : mixed;
        const bool repeats = draw(seed, 10 + i, 6) == 0;
        strides[axis] = repeats ? 0 : stride;
        stride *= repeats ? 1 : (int64_t)spec->shape[axis];
        stride += draw(seed, 30 + i, 5) == 0 ? 1 : 0;
    }
}

static clkl_gaussian draw_side(uint64_t seed, const clkl_spec *spec)
{
    static const clkl_form forms[] = {CLKL_STANDARD_NORMAL, CLKL_MOMENTS, CLKL_MEAN_STD,
                                      CLKL_MEAN_LOGVAR};
    clkl_gaussian side = {.form = forms[draw(seed, 0, COUNT(forms))],
                          .layout = (clkl_layout)draw(seed, 1, 3),
                          .split_axis = 1 + (uint32_t)draw(seed, 2, spec->rank - 1)};
    draw_strides(hash_mix(seed + 1), spec, side.mean_strides);
    draw_strides(hash_mix(seed + 1 + draw(seed, 3, 2)), spec, side.scale_strides);
    return side;
}

static clkl_spec draw_spec(uint64_t index)
{
    const uint64_t seed = hash_mix(index + 1);
    clkl_spec spec = {SIZE};
    spec.rank = 2 + (uint32_t)draw(seed, 0, 5);
    for (uint32_t axis = 0; axis < spec.rank; ++axis)
        spec.shape[axis] = 1 + draw(seed, 10 + axis, MAX_EXTENT);
    const bool tall = spec.rank < 5 && draw(seed, 20, 3) > 0;
    spec.shape[0] += tall ? MANY_SAMPLES : 0;
    spec.p = draw_side(hash_mix(seed + 1), &spec);
    spec.q = draw_side(hash_mix(seed + 2), &spec);
    spec.keep = (uint32_t)draw(seed, 1, (uint64_t)1 << spec.rank);
    if (tall && draw(seed, 21, 2) == 0)
        spec.keep &= ~(1u | 1u << (spec.rank - 1)); /* channels, say: values of several rows */
    if (spec.keep == 0)
        spec.keep = CLKL_KEEP_NONE;
    return spec;
}

static const struct clkl_operand *operand_of(const struct clkl_problem *problem, int operand)
{
    const struct clkl_operand *const operands[] = {&problem->p.mean, &problem->p.scale,
                                                   &problem->q.mean, &problem->q.scale};
    return operands[operand];
}

/* Whether an axis leads from row to row: if it is kept, and where values have several rows also if
 * it is faster than all that are kept. */
static bool leads(const clkl_spec *spec, const struct clkl_rows *rows, uint32_t axis)
{
    uint32_t behind = spec->rank;
    while (behind > 0 && (spec->shape[behind - 1] == 1 || (spec->keep >> (behind - 1) & 1) == 0))
        --behind;
    return (spec->keep >> axis & 1) != 0 || (rows->rows_of_value > 1 && axis >= behind);
}

/* Where the problem has an element: the one that comes `element`-th, in row-major order of the axes
 * within a row, in the `row`-th row, in row-major order of those that lead there. */
static int64_t direct_offset(const clkl_spec *spec, const struct clkl_problem *problem,
                             const struct clkl_rows *rows, int operand, uint64_t row,
                             uint64_t element)
{
    const struct clkl_operand *where = operand_of(problem, operand);
    int64_t offset = where->origin;
    for (uint32_t axis = problem->rank; axis-- > 0;) {
        uint64_t *place = leads(spec, rows, axis) ? &row : &element;
        offset += where->strides[axis] * (int64_t)(*place % problem->shape[axis]);
        *place /= problem->shape[axis];
    }
    return offset;
}

static int64_t offset_along(const struct clkl_axes *axes, int operand, uint64_t place)
{
    int64_t offset = 0;
    for (uint32_t axis = axes->count; axis-- > 0; place /= axes->extents[axis])
        offset += axes->strides[operand][axis] * (int64_t)(place % axes->extents[axis]);
    return offset;
}

static void compare_offsets(const clkl_spec *spec, const struct clkl_problem *problem,
                            const struct clkl_rows *rows, unsigned number)
{
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        for (uint64_t row = 0; row < rows->rows; ++row)
            for (uint64_t element = 0; element < rows->elements; ++element)
                cr_assert_eq(rows->origins[operand] + offset_along(&rows->kept, operand, row) +
                                 offset_along(&rows->reduced, operand, element),
                             direct_offset(spec, problem, rows, operand, row, element),
                             "spec %u: operand %d, row %u, element %u", number, operand,
                             (unsigned)row, (unsigned)element);
}

/* How an operand lies along the lanes: each place is compared with the one before. */
static enum clkl_reach reach_of(const clkl_spec *spec, const struct clkl_problem *problem,
                                const struct clkl_rows *rows, int operand)
{
    const uint64_t count = rows->columns ? rows->rows : rows->elements;
    enum clkl_reach reach = CLKL_CONTIGUOUS;
    for (uint64_t i = 1; i < count; ++i) {
        const int64_t before = rows->columns
                                   ? direct_offset(spec, problem, rows, operand, i - 1, 0)
                                   : direct_offset(spec, problem, rows, operand, 0, i - 1);
        const int64_t after = rows->columns ? direct_offset(spec, problem, rows, operand, i, 0)
                                            : direct_offset(spec, problem, rows, operand, 0, i);
        if (after != before + 1)
            return i > 1 ? CLKL_RUNS : after == before ? CLKL_REPEATED : CLKL_SCATTERED;
    }
    return reach;
}

static enum clkl_reach side_reach(const clkl_spec *spec, const struct clkl_problem *problem,
                                  const struct clkl_rows *rows, int mean)
{
    const struct clkl_side *side = mean == CLKL_P_MEAN ? &problem->p : &problem->q;
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return CLKL_CONTIGUOUS;
    const enum clkl_reach a = reach_of(spec, problem, rows, mean);
    const enum clkl_reach b = reach_of(spec, problem, rows, mean + 1);
    if ((a == CLKL_REPEATED) != (b == CLKL_REPEATED))
        return CLKL_SCATTERED;
    return a > b ? a : b;
}

static uint64_t product(const struct clkl_axes *axes)
{
    uint64_t product = 1;
    for (uint32_t axis = 0; axis < axes->count; ++axis)
        product *= axes->extents[axis];
    return product;
}

static void compare_counts(const clkl_spec *spec, const struct clkl_problem *problem,
                           const struct clkl_rows *rows, unsigned number)
{
    uint64_t kept = 1, kept_of_sample = 1, reduced = 1;
    for (uint32_t axis = 0; axis < problem->rank; ++axis) {
        *(leads(spec, rows, axis) ? &kept : &reduced) *= problem->shape[axis];
        kept_of_sample *= axis > 0 && leads(spec, rows, axis) ? problem->shape[axis] : 1;
    }
    cr_assert_eq(rows->rows_of_value * clkl_problem_result_count(problem), kept, "spec %u", number);
    cr_assert_eq(rows->rows, kept, "spec %u", number);
    cr_assert_eq(rows->rows_of_sample, kept_of_sample, "spec %u", number);
    cr_assert_eq(rows->elements, reduced, "spec %u", number);
    cr_assert_eq(product(&rows->kept), kept, "spec %u", number);
    cr_assert_eq(product(&rows->reduced), reduced, "spec %u", number);
}

struct tally {
    unsigned reaches[4], columns, several_rows, several_kept, merged_kept, merged_reduced;
};

static void count(const clkl_spec *spec, const struct clkl_rows *rows, struct tally *tally)
{
    uint32_t kept = 0, reduced = 0;
    for (uint32_t axis = 0; axis < spec->rank; ++axis)
        *(leads(spec, rows, axis) ? &kept : &reduced) += spec->shape[axis] > 1;
    if (spec->p.form != CLKL_STANDARD_NORMAL)
        ++tally->reaches[rows->p_reach];
    tally->columns += rows->columns;
    tally->several_rows += rows->rows_of_value > 1;
    tally->several_kept += rows->kept.count > 1;
    tally->merged_kept += kept > rows->kept.count;
    tally->merged_reduced += reduced > rows->reduced.count;
}

Test(rows_drawn, every_row_has_its_elements_in_their_order)
{
    struct tally tally = {{0}, 0, 0, 0, 0, 0};
    for (unsigned i = 0; i < SPECS; ++i) {
        const clkl_spec spec = draw_spec(i);
        const struct clkl_problem problem = made(&spec);
        struct clkl_rows rows;
        clkl_rows_make(&problem, &rows);
        compare_counts(&spec, &problem, &rows, i);
        compare_offsets(&spec, &problem, &rows, i);
        cr_assert_eq(rows.p_reach, side_reach(&spec, &problem, &rows, CLKL_P_MEAN), "spec %u", i);
        cr_assert_eq(rows.q_reach, side_reach(&spec, &problem, &rows, CLKL_Q_MEAN), "spec %u", i);
        count(&spec, &rows, &tally);
    }
    const unsigned *counts = (const unsigned *)&tally;
    for (size_t i = 0; i < sizeof tally / sizeof *counts; ++i)
        cr_expect_gt(counts[i], SPECS / 40, "%u of tally %zu: the draw is too poor", counts[i], i);
}

/* Along runs, which begin anew wherever the fastest axis does, elements lie side by side. */
Test(rows_drawn, runs_are_as_long_as_the_fastest_axis)
{
    for (unsigned i = 0; i < SPECS; ++i) {
        const clkl_spec spec = draw_spec(i);
        const struct clkl_problem problem = made(&spec);
        struct clkl_rows rows;
        clkl_rows_make(&problem, &rows);
        const struct clkl_axes *lanes = rows.columns ? &rows.kept : &rows.reduced;
        for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
            const bool p = operand <= CLKL_P_SCALE;
            const enum clkl_reach reach = p ? rows.p_reach : rows.q_reach;
            const bool unit = (p ? &problem.p : &problem.q)->scale_kind == CLKL_SCALE_UNIT;
            const uint64_t run = lanes->extents[lanes->count - 1];
            const int64_t step = reach == CLKL_REPEATED ? 0 : 1;
            for (uint64_t at = 1; !unit && reach != CLKL_SCATTERED && at < product(lanes); ++at)
                cr_assert(at % run == 0 || offset_along(lanes, operand, at) ==
                                               offset_along(lanes, operand, at - 1) + step,
                          "spec %u: operand %d, lane %u", i, operand, (unsigned)at);
        }
    }
}

/* Whether lanes take rows of their own, by the definition. */
static bool fastest_leads(const clkl_spec *spec, const struct clkl_rows *rows)
{
    uint32_t fastest = CLKL_MAX_RANK;
    for (uint32_t axis = 0; axis < spec->rank; ++axis)
        fastest = spec->shape[axis] > 1 ? axis : fastest;
    return fastest < CLKL_MAX_RANK && leads(spec, rows, fastest);
}

/* The order of a sum follows from it, which may know nothing of where elements lie. */
Test(rows_drawn, the_shape_alone_decides_about_columns)
{
    static const clkl_layout layouts[] = {CLKL_DENSE, CLKL_SHARED, CLKL_STRIDED};
    for (unsigned i = 0; i < SPECS; ++i) {
        clkl_spec spec = draw_spec(i);
        struct clkl_rows first, rows;
        struct clkl_problem problem = made(&spec);
        clkl_rows_make(&problem, &first);
        cr_assert_eq(first.columns, fastest_leads(&spec, &first), "spec %u", i);
        for (size_t layout = 0; layout < COUNT(layouts); ++layout) {
            spec.p.layout = layouts[layout];
            spec.q.layout = layouts[COUNT(layouts) - 1 - layout];
            problem = made(&spec);
            clkl_rows_make(&problem, &rows);
            cr_assert_eq(rows.columns, first.columns, "spec %u", i);
            cr_assert_eq(rows.rows_of_value, first.rows_of_value, "spec %u", i);
        }
    }
}

/* Nor of the batch, where each sample has values of its own. */
Test(rows_drawn, a_kept_batch_decides_nothing)
{
    for (unsigned i = 0; i < SPECS; ++i) {
        clkl_spec spec = draw_spec(i);
        struct clkl_rows one, many;
        spec.keep = (spec.keep & ~CLKL_KEEP_NONE) | 1;
        spec.shape[0] = 1;
        struct clkl_problem problem = made(&spec);
        clkl_rows_make(&problem, &one);
        spec.shape[0] = 33;
        problem = made(&spec);
        clkl_rows_make(&problem, &many);
        cr_assert_eq(many.rows_of_value, one.rows_of_value, "spec %u", i);
        cr_assert_eq(many.rows_of_sample, one.rows_of_sample, "spec %u", i);
        cr_assert_eq(many.elements, one.elements, "spec %u", i);
        cr_assert(many.columns == one.columns || one.elements * one.rows == 1, "spec %u", i);
    }
}

static bool could_merge(const struct clkl_axes *axes, uint32_t axis)
{
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        if (axes->strides[operand][axis] !=
            axes->strides[operand][axis + 1] * (int64_t)axes->extents[axis + 1])
            return false;
    return true;
}

static void expect_merged(const struct clkl_axes *axes, unsigned number)
{
    cr_assert_geq(axes->count, 1u);
    for (uint32_t axis = 0; axis < axes->count; ++axis)
        cr_assert(axes->extents[axis] > 1 || product(axes) == 1, "spec %u: an axis of 1", number);
    for (uint32_t axis = 0; axis + 1 < axes->count; ++axis)
        cr_assert_not(could_merge(axes, axis), "spec %u: axis %u", number, axis);
}

Test(rows_drawn, no_axis_is_left_that_could_merge)
{
    for (unsigned i = 0; i < SPECS; ++i) {
        const clkl_spec spec = draw_spec(i);
        const struct clkl_problem problem = made(&spec);
        struct clkl_rows rows;
        clkl_rows_make(&problem, &rows);
        expect_merged(&rows.kept, i);
        expect_merged(&rows.reduced, i);
    }
}

/* ---- A smaller batch ---- */

/* What is repeated is neither side by side nor in runs, unless there is but one of it. */
static void expect_reach(enum clkl_reach reach, enum clkl_reach planned,
                         const struct clkl_rows *rows, unsigned number)
{
    cr_assert_leq(reach, planned, "spec %u", number);
    cr_assert(planned != CLKL_REPEATED || reach == CLKL_REPEATED ||
                  product(rows->columns ? &rows->kept : &rows->reduced) == 1,
              "spec %u", number);
}

/* The program is the planned one: it must be told of no more axes than it knows, and what it takes
 * for granted of the lanes must hold. */
static void compare_smaller(const clkl_spec *spec, const struct clkl_problem *problem,
                            const struct clkl_rows *rows, const struct clkl_rows *planned,
                            unsigned number)
{
    cr_assert_eq(rows->kept.count, planned->kept.count, "spec %u", number);
    cr_assert_eq(rows->reduced.count, planned->reduced.count, "spec %u", number);
    cr_assert_eq(rows->columns, planned->columns, "spec %u", number);
    cr_assert_eq(rows->rows_of_value, planned->rows_of_value, "spec %u", number);
    cr_assert_eq(rows->p_reach, planned->p_reach, "spec %u", number);
    cr_assert_eq(rows->q_reach, planned->q_reach, "spec %u", number);
    expect_reach(side_reach(spec, problem, rows, CLKL_P_MEAN), rows->p_reach, rows, number);
    expect_reach(side_reach(spec, problem, rows, CLKL_Q_MEAN), rows->q_reach, rows, number);
    const size_t strides = sizeof rows->kept.strides;
    cr_assert_eq(memcmp(rows->kept.strides, planned->kept.strides, strides), 0);
    cr_assert_eq(memcmp(rows->reduced.strides, planned->reduced.strides, strides), 0);
}

Test(rows_drawn, a_smaller_batch_keeps_the_axes)
{
    for (unsigned i = 0; i < SPECS; ++i) {
        const clkl_spec spec = draw_spec(i);
        for (uint64_t batch = 1; batch <= spec.shape[0]; ++batch) {
            const struct clkl_problem planned = made(&spec);
            struct clkl_problem problem = planned;
            struct clkl_rows before, rows;
            cr_assert_eq(clkl_problem_set_batch(&problem, batch, NULL), CLKL_OK);
            clkl_rows_make(&planned, &before);
            rows = before;
            clkl_rows_set_batch(&rows, &planned, batch);
            compare_counts(&spec, &problem, &rows, i);
            compare_offsets(&spec, &problem, &rows, i);
            compare_smaller(&spec, &problem, &rows, &before, i);
        }
    }
}

Test(rows_drawn, the_shortest_row_is_that_of_a_batch_of_one)
{
    for (unsigned i = 0; i < SPECS; ++i) {
        const clkl_spec spec = draw_spec(i);
        const struct clkl_problem planned = made(&spec);
        struct clkl_rows rows, of_one;
        clkl_rows_make(&planned, &rows);
        of_one = rows;
        clkl_rows_set_batch(&of_one, &planned, 1);
        cr_assert_eq(clkl_rows_shortest(&planned, &rows), of_one.elements, "spec %u", i);
    }
}
