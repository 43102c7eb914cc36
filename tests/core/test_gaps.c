/* Which arrays have elements that nobody reads. */
#include "core/problem.h"

#include <criterion/criterion.h>

TestSuite(gaps, .timeout = 60);

/* By marking every element that is read. */
static bool marks_all(const struct clkl_problem *problem, const struct clkl_operand *operand,
                      uint64_t twin)
{
    enum { MOST = 4096 };
    bool marked[MOST] = {false};
    uint64_t index[CLKL_MAX_RANK] = {0}, last = 0;
    uint32_t axis;
    do {
        uint64_t at = 0;
        for (axis = 0; axis < problem->rank; ++axis)
            at += index[axis] * (uint64_t)operand->strides[axis];
        cr_assert_lt(at + twin, (uint64_t)MOST);
        marked[at] = marked[at + twin] = true;
        last = at + twin > last ? at + twin : last;
        for (axis = problem->rank; axis-- > 0 && ++index[axis] == problem->shape[axis];)
            index[axis] = 0;
    } while (axis < problem->rank);
    for (uint64_t at = 0; at <= last; ++at)
        if (!marked[at])
            return false;
    return true;
}

/* Where axes interleave, as with steps of 2 and 3, an array without gaps may pass for one with. */
Test(gaps, arrays_without_gaps_are_known)
{
    static const int64_t strides[] = {0, 1, 2, 3, 4, 6, 12, 13};
    enum { STRIDES = sizeof strides / sizeof *strides };
    int gapless = 0;
    for (int i = 0; i < STRIDES * STRIDES * STRIDES; ++i) {
        for (uint64_t twin = 0; twin < 30; twin += 6) {
            const struct clkl_problem problem = {.rank = 3, .shape = {3, 4, 2}};
            const struct clkl_operand operand = {.strides = {strides[i % STRIDES],
                                                             strides[i / STRIDES % STRIDES],
                                                             strides[i / STRIDES / STRIDES]}};
            const bool found = clkl_problem_is_gapless(&problem, &operand, twin);
            cr_expect(!found || marks_all(&problem, &operand, twin), "case %d, twin %d", i,
                      (int)twin);
            gapless += found;
        }
    }
    cr_expect_gt(gapless, 100);
    const struct clkl_problem dense = {.rank = 3, .shape = {3, 4, 2}};
    const struct clkl_operand rows = {.strides = {8, 2, 1}}, halves = {.strides = {16, 2, 1}};
    cr_expect(clkl_problem_is_gapless(&dense, &rows, 0));
    cr_expect_not(clkl_problem_is_gapless(&dense, &halves, 0));
    cr_expect(clkl_problem_is_gapless(&dense, &halves, 8), "packed moments");
}
