/* From a specification to a problem: which values the result holds, and what the batch does to it.
 */
#include "core/made.h"
#include "core/problem.h"

#include <criterion/criterion.h>

TestSuite(problem_result, .timeout = 60);

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SIZE         .struct_size = sizeof(clkl_spec)
#define SMALL        SIZE, .rank = 2, .shape = {3, 4}

/* ---- Kept axes ---- */

/* Values of a result that keeps a set of axes, counted one by one: those indices of the whole shape
 * that are 0 on all other axes. */
static uint64_t counted(const clkl_spec *spec, uint32_t set, uint64_t batch)
{
    uint64_t shape[CLKL_MAX_RANK], all = 1, count = 0;
    for (uint32_t axis = 0; axis < spec->rank; ++axis) {
        shape[axis] = axis == 0 ? batch : spec->shape[axis];
        all *= shape[axis];
    }
    for (uint64_t place = 0; place < all; ++place) {
        uint64_t left = place;
        bool first = true;
        for (uint32_t axis = spec->rank; axis-- > 0; left /= shape[axis])
            first = first && ((set >> axis & 1) != 0 || left % shape[axis] == 0);
        count += first;
    }
    return count;
}

/* `axes`, of which none stands for no axis, are what `keep` says. */
static void expect_kept(clkl_spec spec, uint32_t keep, uint32_t axes)
{
    spec.keep = keep;
    struct clkl_problem problem = made(&spec);
    cr_expect_eq(problem.kept, axes, "keep 0x%x", (unsigned)keep);
    for (uint32_t axis = 0; axis < CLKL_MAX_RANK; ++axis)
        cr_expect_eq(clkl_problem_keeps(&problem, axis), (axes >> axis & 1) != 0,
                     "keep 0x%x: axis %u", (unsigned)keep, axis);
    cr_expect_eq(clkl_spec_result_count(&spec, 0), counted(&spec, axes, spec.shape[0]));
    cr_expect_eq(clkl_spec_result_count(&spec, spec.shape[0] + 1), 0u, "more than planned");
    for (uint64_t batch = spec.shape[0]; batch > 0; --batch) {
        cr_assert_eq(clkl_problem_set_batch(&problem, batch, NULL), CLKL_OK);
        cr_expect_eq(clkl_problem_result_count(&problem), counted(&spec, axes, batch),
                     "keep 0x%x, batch %u", (unsigned)keep, (unsigned)batch);
        cr_expect_eq(clkl_spec_result_count(&spec, batch), counted(&spec, axes, batch));
    }
}

Test(problem_result, any_set_of_axes_is_kept)
{
    static const clkl_spec specs[] = {
        {SIZE, .rank = 2, .shape = {5, 7}},
        {SIZE, .rank = 3, .shape = {3, 2, 5}},
        {SIZE, .rank = 4, .shape = {1, 3, 1, 4}},
        {SIZE, .rank = 9, .shape = {2, 1, 2, 1, 3, 1, 2, 1, 2}},
    };
    for (size_t i = 0; i < COUNT(specs); ++i) {
        for (uint32_t set = 1; set < 1u << specs[i].rank; ++set)
            expect_kept(specs[i], set, set);
        expect_kept(specs[i], 0, 1);
        expect_kept(specs[i], CLKL_KEEP_NONE, 0);
    }
}

Test(problem_result, the_last_of_nine_axes_can_be_kept)
{
    const clkl_spec spec = {SIZE, .rank = 9, .shape = {1, 1, 1, 1, 1, 1, 1, 1, 6}, .keep = 1u << 8};
    cr_expect_eq(made(&spec).kept, 1u << 8);
    cr_expect_eq(clkl_spec_result_count(&spec, 1), 6u);
}

/* ---- The batch ---- */

Test(problem_result, the_batch_may_be_smaller_than_planned)
{
    const clkl_spec spec = {SMALL};
    struct clkl_problem problem = made(&spec);
    clkl_error error = {.struct_size = sizeof error};
    cr_expect_eq(clkl_problem_set_batch(&problem, 0, NULL), CLKL_OK);
    cr_expect_eq(problem.shape[0], 3u);
    cr_expect_eq(clkl_problem_set_batch(&problem, 3, NULL), CLKL_OK);
    cr_expect_eq(problem.shape[0], 3u);
    cr_expect_eq(clkl_problem_set_batch(&problem, 4, &error), CLKL_INVALID_ARGUMENT);
    cr_expect_str_eq(error.message, "batch is 4, but at most 3 samples were planned");
    cr_expect_eq(problem.shape[0], 3u);
    cr_expect_eq(clkl_problem_set_batch(&problem, 2, NULL), CLKL_OK);
    cr_expect_eq(problem.shape[0], 2u);
    cr_expect_eq(problem.shape[1], 4u);
    cr_expect_eq(clkl_problem_result_count(&problem), 2u);
}

Test(problem_result, the_divisor_is_the_batch_where_that_is_averaged)
{
    static const struct {
        uint32_t keep;
        clkl_batch_reduction reduction;
        uint64_t planned, smaller;
    } cases[] = {
        {0, CLKL_BATCH_MEAN, 1, 1},
        {1, CLKL_BATCH_MEAN, 1, 1},
        {0, CLKL_BATCH_SUM, 1, 1},
        {2, CLKL_BATCH_MEAN, 3, 2},
        {2, CLKL_BATCH_SUM, 1, 1},
        {CLKL_KEEP_NONE, CLKL_BATCH_MEAN, 3, 2},
        {CLKL_KEEP_NONE, CLKL_BATCH_SUM, 1, 1},
        {3, CLKL_BATCH_MEAN, 1, 1},
        {3, CLKL_BATCH_SUM, 1, 1},
    };
    for (size_t i = 0; i < COUNT(cases); ++i) {
        const clkl_spec spec = {SMALL, .keep = cases[i].keep,
                                .batch_reduction = cases[i].reduction};
        struct clkl_problem problem = made(&spec);
        cr_expect_eq(clkl_problem_divisor(&problem), cases[i].planned, "case %zu", i);
        cr_assert_eq(clkl_problem_set_batch(&problem, 2, NULL), CLKL_OK);
        cr_expect_eq(clkl_problem_divisor(&problem), cases[i].smaller, "case %zu", i);
    }
}

/* Whatever else is kept. */
Test(problem_result, the_divisor_follows_from_the_batch_alone)
{
    clkl_spec spec = {SIZE, .rank = 4, .shape = {6, 2, 3, 4}};
    for (spec.keep = 1; spec.keep < 16; ++spec.keep)
        for (int sum = 0; sum < 2; ++sum) {
            spec.batch_reduction = sum != 0 ? CLKL_BATCH_SUM : CLKL_BATCH_MEAN;
            struct clkl_problem problem = made(&spec);
            const bool mean = spec.keep % 2 == 0 && sum == 0;
            cr_expect_eq(clkl_problem_divisor(&problem), mean ? 6u : 1u, "0x%x", spec.keep);
            cr_assert_eq(clkl_problem_set_batch(&problem, 5, NULL), CLKL_OK);
            cr_expect_eq(clkl_problem_divisor(&problem), mean ? 5u : 1u, "0x%x", spec.keep);
        }
}

/* ---- Other outputs ---- */

Test(problem_result, clamp_counts_are_given_where_asked_for)
{
    clkl_spec spec = {SMALL};
    cr_expect_not(made(&spec).clamp_counts);
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    cr_expect(made(&spec).clamp_counts);
}
