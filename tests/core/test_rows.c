/* A problem as rows: which axes merge, and that every row has its elements in their order. */
#include "core/rows.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(rows, .timeout = 60);

#define SIZE         .struct_size = sizeof(clkl_spec)
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct clkl_problem made(const clkl_spec *spec)
{
    struct clkl_problem problem;
    clkl_error error = {.struct_size = sizeof error};
    const clkl_status status = clkl_problem_make(spec, &problem, &error);
    cr_assert_eq(status, CLKL_OK, "%s", error.message);
    return problem;
}

/* ---- By hand ---- */

static const struct {
    const char *name;
    clkl_spec spec;
    struct {
        uint64_t rows, elements;
        uint32_t axes;
        uint64_t extents[4];
        bool p_contiguous, q_contiguous;
    } expected;
} cases[] = {
    {"moments, the batch kept",
     {SIZE, .rank = 4, .shape = {2, 3, 4, 5}, .p = {.form = CLKL_MOMENTS}},
     {2, 60, 1, {60}, true, true}},
    {"no arrays at all",
     {SIZE, .rank = 4, .shape = {2, 3, 4, 5}, .keep = CLKL_KEEP_NONE},
     {1, 120, 1, {120}, true, true}},
    {"moments split on the last axis",
     {SIZE, .rank = 4, .shape = {2, 3, 4, 5}, .p = {.form = CLKL_MOMENTS, .split_axis = 3}},
     {2, 60, 2, {12, 5}, false, true}},
    {"moments split on a middle axis",
     {SIZE, .rank = 4, .shape = {2, 3, 4, 5}, .p = {.form = CLKL_MOMENTS, .split_axis = 2}},
     {2, 60, 2, {3, 20}, false, true}},
    {"mean and variance, nothing kept",
     {SIZE, .rank = 3, .shape = {2, 3, 4}, .p = {.form = CLKL_MEAN_VAR}, .keep = CLKL_KEEP_NONE},
     {1, 24, 1, {24}, true, true}},
    {"moments, nothing kept: samples do not follow one another",
     {SIZE, .rank = 3, .shape = {2, 3, 4}, .p = {.form = CLKL_MOMENTS}, .keep = CLKL_KEEP_NONE},
     {1, 24, 2, {2, 12}, false, true}},
    {"a shared Q, the batch kept",
     {SIZE, .rank = 3, .shape = {2, 3, 4}, .p = {.form = CLKL_MEAN_VAR},
      .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_SHARED}},
     {2, 12, 1, {12}, true, true}},
    {"a shared Q, nothing kept",
     {SIZE, .rank = 3, .shape = {2, 3, 4}, .p = {.form = CLKL_MEAN_VAR},
      .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_SHARED}, .keep = CLKL_KEEP_NONE},
     {1, 24, 2, {2, 12}, true, false}},
    {"a shared Q, an axis kept",
     {SIZE, .rank = 4, .shape = {2, 3, 4, 5}, .p = {.form = CLKL_MEAN_VAR},
      .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_SHARED}, .keep = 2},
     {3, 40, 2, {2, 20}, false, false}},
    {"the last axis kept",
     {SIZE, .rank = 4, .shape = {2, 3, 4, 5}, .p = {.form = CLKL_MEAN_VAR}, .keep = 8},
     {5, 24, 1, {24}, false, true}},
    {"Q of one value: a prior for all",
     {SIZE, .rank = 3, .shape = {2, 3, 4}, .p = {.form = CLKL_MEAN_VAR},
      .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_STRIDED}},
     {2, 12, 1, {12}, true, false}},
    {"a prior per channel",
     {SIZE, .rank = 3, .shape = {2, 3, 4}, .p = {.form = CLKL_MEAN_VAR},
      .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_STRIDED, .mean_strides = {0, 1, 0}}},
     {2, 12, 2, {3, 4}, true, false}},
    {"only broadcasts",
     {SIZE, .rank = 3, .shape = {2, 3, 4}, .p = {.form = CLKL_MEAN_VAR, .layout = CLKL_STRIDED}},
     {2, 12, 1, {12}, false, true}},
    {"Fortran order",
     {SIZE, .rank = 3, .shape = {2, 3, 4},
      .p = {.form = CLKL_MEAN_VAR,
            .layout = CLKL_STRIDED,
            .mean_strides = {1, 2, 6},
            .scale_strides = {1, 2, 6}}},
     {2, 12, 2, {3, 4}, false, true}},
    {"mean in C order, scale in Fortran order",
     {SIZE, .rank = 3, .shape = {2, 3, 4},
      .p = {.form = CLKL_MEAN_VAR,
            .layout = CLKL_STRIDED,
            .mean_strides = {12, 4, 1},
            .scale_strides = {1, 2, 6}}},
     {2, 12, 2, {3, 4}, false, true}},
    {"rows with a gap after each",
     {SIZE, .rank = 3, .shape = {2, 3, 4},
      .p = {.form = CLKL_MOMENTS, .layout = CLKL_STRIDED, .mean_strides = {32, 4, 1}}},
     {2, 12, 1, {12}, true, true}},
    {"axes of extent 1 are left out",
     {SIZE, .rank = 5, .shape = {2, 1, 3, 1, 4},
      .p = {.form = CLKL_MEAN_VAR,
            .layout = CLKL_STRIDED,
            .mean_strides = {12, 7, 4, 99, 1},
            .scale_strides = {12, 1, 4, 0, 1}}},
     {2, 12, 1, {12}, true, true}},
    {"rows of one element",
     {SIZE, .rank = 3, .shape = {6, 1, 1}, .p = {.form = CLKL_MOMENTS}},
     {6, 1, 1, {1}, true, true}},
};

Test(rows, axes_merge_where_they_lie_behind_one_another)
{
    for (size_t i = 0; i < COUNT(cases); ++i) {
        const struct clkl_problem problem = made(&cases[i].spec);
        struct clkl_rows rows;
        clkl_rows_make(&problem, &rows);
        cr_expect_eq(rows.rows, cases[i].expected.rows, "%s", cases[i].name);
        cr_expect_eq(rows.elements, cases[i].expected.elements, "%s", cases[i].name);
        cr_expect_eq(rows.axes, cases[i].expected.axes, "%s: %u axes", cases[i].name, rows.axes);
        for (uint32_t axis = 0; axis < rows.axes; ++axis)
            cr_expect_eq(rows.extents[axis], cases[i].expected.extents[axis], "%s: axis %u has %u",
                         cases[i].name, axis, (unsigned)rows.extents[axis]);
        cr_expect_eq(rows.p_contiguous, cases[i].expected.p_contiguous, "%s: P", cases[i].name);
        cr_expect_eq(rows.q_contiguous, cases[i].expected.q_contiguous, "%s: Q", cases[i].name);
    }
}

Test(rows, a_side_without_arrays_stays_in_place)
{
    const clkl_spec spec = {SIZE, .rank = 3, .shape = {2, 3, 4}, .p = {.form = CLKL_MOMENTS}};
    const struct clkl_problem problem = made(&spec);
    struct clkl_rows rows;
    clkl_rows_make(&problem, &rows);
    for (int operand = CLKL_Q_MEAN; operand <= CLKL_Q_SCALE; ++operand) {
        cr_expect_eq(rows.origins[operand], 0);
        cr_expect_eq(rows.row_strides[operand], 0);
        cr_expect_eq(rows.strides[operand][0], 0);
    }
}

/* ---- Against an enumeration ---- */

enum { MAX_EXTENT = 4, SPECS = 4000 };

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
    spec.p = draw_side(hash_mix(seed + 1), &spec);
    spec.q = draw_side(hash_mix(seed + 2), &spec);
    const uint32_t kept = (uint32_t)draw(seed, 1, spec.rank + 1);
    spec.keep = kept == spec.rank ? CLKL_KEEP_NONE : 1u << kept;
    return spec;
}

static const struct clkl_operand *operand_of(const struct clkl_problem *problem, int operand)
{
    const struct clkl_operand *const operands[] = {&problem->p.mean, &problem->p.scale,
                                                   &problem->q.mean, &problem->q.scale};
    return operands[operand];
}

/* Where the problem has an element: the one that comes `element`-th, in row-major order, among
 * those whose index on the kept axis is `row`. */
static int64_t direct_offset(const struct clkl_problem *problem, int operand, uint64_t row,
                             uint64_t element)
{
    const struct clkl_operand *where = operand_of(problem, operand);
    int64_t offset = where->origin;
    for (uint32_t axis = problem->rank; axis-- > 0;) {
        uint64_t index = row;
        if ((int)axis != problem->kept_axis) {
            index = element % problem->shape[axis];
            element /= problem->shape[axis];
        }
        offset += where->strides[axis] * (int64_t)index;
    }
    return offset;
}

/* Where the rows have it. */
static int64_t offset_in_rows(const struct clkl_rows *rows, int operand, uint64_t row,
                              uint64_t element)
{
    int64_t offset = rows->origins[operand] + rows->row_strides[operand] * (int64_t)row;
    for (uint32_t axis = rows->axes; axis-- > 0; element /= rows->extents[axis])
        offset += rows->strides[operand][axis] * (int64_t)(element % rows->extents[axis]);
    return offset;
}

/* Compares all elements of all rows; returns whether they lie side by side in each row. */
static bool compare_operand(const struct clkl_problem *problem, const struct clkl_rows *rows,
                            int operand, unsigned spec)
{
    bool contiguous = true;
    for (uint64_t row = 0; row < rows->rows; ++row)
        for (uint64_t element = 0; element < rows->elements; ++element) {
            const int64_t direct = direct_offset(problem, operand, row, element);
            cr_assert_eq(offset_in_rows(rows, operand, row, element), direct,
                         "spec %u: operand %d, row %u, element %u", spec, operand, (unsigned)row,
                         (unsigned)element);
            contiguous =
                contiguous && direct == direct_offset(problem, operand, row, 0) + (int64_t)element;
        }
    return contiguous;
}

static void compare_side(const struct clkl_problem *problem, const struct clkl_rows *rows,
                         enum clkl_scale kind, int mean, bool flag, unsigned spec)
{
    const bool mean_contiguous = compare_operand(problem, rows, mean, spec);
    const bool scale_contiguous = compare_operand(problem, rows, mean + 1, spec);
    cr_assert_eq(flag, kind == CLKL_SCALE_UNIT || (mean_contiguous && scale_contiguous),
                 "spec %u: operand %d contiguous", spec, mean);
}

static void compare(const struct clkl_problem *problem, const struct clkl_rows *rows, unsigned spec)
{
    cr_assert_eq(rows->rows, clkl_problem_result_count(problem), "spec %u", spec);
    uint64_t all = 1, in_a_row = 1;
    for (uint32_t axis = 0; axis < problem->rank; ++axis)
        all *= problem->shape[axis];
    for (uint32_t axis = 0; axis < rows->axes; ++axis)
        in_a_row *= rows->extents[axis];
    cr_assert_eq(rows->rows * rows->elements, all, "spec %u", spec);
    cr_assert_eq(rows->elements, in_a_row, "spec %u", spec);
    compare_side(problem, rows, problem->p.scale_kind, CLKL_P_MEAN, rows->p_contiguous, spec);
    compare_side(problem, rows, problem->q.scale_kind, CLKL_Q_MEAN, rows->q_contiguous, spec);
}

Test(rows, every_row_has_its_elements_in_their_order)
{
    unsigned contiguous = 0, merged = 0;
    for (unsigned i = 0; i < SPECS; ++i) {
        const clkl_spec spec = draw_spec(i);
        const struct clkl_problem problem = made(&spec);
        struct clkl_rows rows;
        clkl_rows_make(&problem, &rows);
        compare(&problem, &rows, i);
        contiguous += rows.p_contiguous && problem.p.scale_kind != CLKL_SCALE_UNIT;
        merged += rows.axes < spec.rank - 1;
    }
    cr_expect_gt(contiguous, SPECS / 20, "%u: the draw is too poor", contiguous);
    cr_expect_gt(merged, SPECS / 20, "%u: the draw is too poor", merged);
}

static bool could_merge(const struct clkl_rows *rows, uint32_t axis)
{
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        if (rows->strides[operand][axis] !=
            rows->strides[operand][axis + 1] * (int64_t)rows->extents[axis + 1])
            return false;
    return true;
}

Test(rows, no_axis_is_left_that_could_merge)
{
    for (unsigned i = 0; i < SPECS; ++i) {
        const clkl_spec spec = draw_spec(i);
        const struct clkl_problem problem = made(&spec);
        struct clkl_rows rows;
        clkl_rows_make(&problem, &rows);
        cr_assert_geq(rows.axes, 1u);
        for (uint32_t axis = 0; axis < rows.axes; ++axis)
            cr_assert(rows.extents[axis] > 1 || rows.elements == 1, "spec %u: an axis of 1", i);
        for (uint32_t axis = 0; axis + 1 < rows.axes; ++axis)
            cr_assert_not(could_merge(&rows, axis), "spec %u: axis %u", i, axis);
    }
}

/* ---- A smaller batch ---- */

/* As `compare`, but a row may be contiguous by its batch being small. */
static void compare_smaller(const struct clkl_problem *problem, const struct clkl_rows *rows,
                            const struct clkl_rows *planned, unsigned spec)
{
    cr_assert_eq(rows->axes, planned->axes, "spec %u", spec);
    cr_assert_eq(rows->p_contiguous, planned->p_contiguous, "spec %u", spec);
    cr_assert_eq(rows->q_contiguous, planned->q_contiguous, "spec %u", spec);
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand) {
        const bool p = operand <= CLKL_P_SCALE;
        const bool unit = (p ? &problem->p : &problem->q)->scale_kind == CLKL_SCALE_UNIT;
        const bool flag = p ? rows->p_contiguous : rows->q_contiguous;
        const bool contiguous = compare_operand(problem, rows, operand, spec);
        cr_assert(unit || contiguous || !flag, "spec %u: operand %d", spec, operand);
    }
}

Test(rows, a_smaller_batch_keeps_the_axes)
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
            cr_assert_eq(rows.rows, clkl_problem_result_count(&problem), "spec %u", i);
            compare_smaller(&problem, &rows, &before, i);
            cr_assert_eq(rows.elements * rows.rows,
                         before.elements * before.rows / spec.shape[0] * batch, "spec %u", i);
        }
    }
}

Test(rows, the_shortest_row_is_that_of_a_batch_of_one)
{
    for (unsigned i = 0; i < SPECS; ++i) {
        clkl_spec spec = draw_spec(i);
        const struct clkl_problem planned = made(&spec);
        struct clkl_problem one = planned;
        struct clkl_rows rows, of_one;
        clkl_rows_make(&planned, &rows);
        cr_assert_eq(clkl_problem_set_batch(&one, 1, NULL), CLKL_OK);
        clkl_rows_make(&one, &of_one);
        cr_assert_eq(clkl_rows_shortest(&planned, &rows), of_one.elements, "spec %u", i);
    }
}
