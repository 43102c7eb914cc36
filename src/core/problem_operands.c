/* Where the elements of an operand lie. */
#include "core/checked.h"
#include "core/failure.h"
#include "core/problem_parts.h"

/* ---- What is given ---- */

clkl_status clkl_problem_check_layout(clkl_layout layout, const char *name, clkl_error *error)
{
    if (layout == CLKL_DENSE || layout == CLKL_SHARED || layout == CLKL_STRIDED)
        return CLKL_OK;
    return clkl_fail(error, CLKL_INVALID_SPEC, "%s: unknown layout %d", name, (int)layout);
}

void clkl_problem_dense_strides(const struct clkl_problem *problem, uint32_t doubled, bool shared,
                                int64_t *strides)
{
    int64_t stride = 1;
    for (uint32_t axis = problem->rank; axis-- > 0;) {
        strides[axis] = axis == 0 && shared ? 0 : stride;
        stride *= (int64_t)problem->shape[axis] * (axis == doubled ? 2 : 1);
    }
}

clkl_status clkl_problem_check_strides(const struct clkl_problem *problem, const int64_t *strides,
                                       const char *name, clkl_error *error)
{
    uint64_t extent = 0;
    for (uint32_t axis = 0; axis < problem->rank; ++axis) {
        uint64_t reach = 0;
        if (strides[axis] < 0)
            return clkl_fail(error, CLKL_INVALID_SPEC, "%s: the stride of axis %u is negative",
                             name, (unsigned)axis);
        if (!clkl_checked_mul(problem->shape[axis], (uint64_t)strides[axis], &reach) ||
            !clkl_checked_add(extent, reach, &extent) || extent > CLKL_MAX_ELEMENTS)
            return clkl_fail(error, CLKL_INVALID_SPEC,
                             "%s: the strides reach further than 2^56 elements", name);
    }
    return CLKL_OK;
}

/* ---- What follows from it ---- */

/* The steps that lead through an operand's array, and how often each can be taken. */
struct steps {
    uint64_t lengths[CLKL_MAX_RANK + 1];
    uint64_t counts[CLKL_MAX_RANK + 1];
    uint32_t axes;
};

/* Axes that are repeated, or have one index alone, take no step. */
static struct steps steps_of(const struct clkl_problem *problem, const struct clkl_operand *operand)
{
    struct steps steps = {.axes = 0};
    for (uint32_t axis = 0; axis < problem->rank; ++axis) {
        if (operand->strides[axis] == 0 || problem->shape[axis] == 1)
            continue;
        steps.lengths[steps.axes] = (uint64_t)operand->strides[axis];
        steps.counts[steps.axes++] = problem->shape[axis] - 1;
    }
    return steps;
}

static void add_step(struct steps *steps, uint64_t length)
{
    steps->lengths[steps->axes] = length;
    steps->counts[steps->axes++] = 1;
}

bool clkl_problem_repeats(const struct clkl_problem *problem, const struct clkl_operand *operand,
                          uint32_t axis)
{
    return problem->shape[axis] > 1 && operand->strides[axis] == 0;
}

/* What is covered without a gap grows with every axis whose steps are no longer than that. */
bool clkl_problem_is_gapless(const struct clkl_problem *problem, const struct clkl_operand *operand,
                             uint64_t twin)
{
    struct steps steps = steps_of(problem, operand);
    uint64_t covered = 1;
    if (twin != 0)
        add_step(&steps, twin);
    for (uint32_t left = steps.axes; left > 0; --left) {
        uint32_t next = 0;
        while (next < steps.axes && (steps.counts[next] == 0 || steps.lengths[next] > covered))
            ++next;
        if (next == steps.axes)
            return false;
        covered += steps.lengths[next] * steps.counts[next];
        steps.counts[next] = 0;
    }
    return true;
}

/* The shortest steps first: each must be longer than all shorter ones reach together. */
bool clkl_problem_is_nested(const struct clkl_problem *problem, const struct clkl_operand *operand,
                            const uint64_t *twin)
{
    struct steps steps = steps_of(problem, operand);
    uint64_t reach = 0;
    if (twin != NULL)
        add_step(&steps, *twin);
    for (uint32_t left = steps.axes; left > 0; --left) {
        uint32_t shortest = 0;
        for (uint32_t i = 1; i < left; ++i)
            if (steps.lengths[i] < steps.lengths[shortest])
                shortest = i;
        if (steps.lengths[shortest] <= reach)
            return false;
        reach += steps.lengths[shortest] * steps.counts[shortest];
        steps.lengths[shortest] = steps.lengths[left - 1];
        steps.counts[shortest] = steps.counts[left - 1];
    }
    return true;
}

uint64_t clkl_problem_extent(const struct clkl_problem *problem, const struct clkl_operand *operand)
{
    int64_t last = operand->origin;
    for (uint32_t axis = 0; axis < problem->rank; ++axis)
        last += operand->strides[axis] * (int64_t)(problem->shape[axis] - 1);
    return (uint64_t)last + 1;
}
