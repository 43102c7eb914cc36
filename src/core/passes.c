#include "core/passes.h"

#include "core/rows.h"

#include <string.h>

static const struct clkl_operand *array_of(const struct clkl_problem *problem, int array)
{
    const struct clkl_operand *arrays[CLKL_ARRAYS] = {&problem->p.mean, &problem->p.scale,
                                                      &problem->q.mean, &problem->q.scale};
    return arrays[array];
}

static bool shares_lengths(const struct clkl_problem *problem)
{
    return problem->weight.strides[0] == 0 || problem->shape[0] == 1;
}

uint64_t clkl_mask_bytes(const struct clkl_problem *problem)
{
    if (problem->weighting != CLKL_LENGTHS)
        return 0;
    return problem->shape[problem->length_axis] * (shares_lengths(problem) ? 1 : problem->shape[0]);
}

/* The mask's strides, in place of those of the lengths. */
static void read_mask(struct clkl_problem *problem)
{
    struct clkl_operand mask = {0};
    if (problem->weighting != CLKL_LENGTHS)
        return;
    if (!shares_lengths(problem))
        mask.strides[0] = (int64_t)problem->shape[problem->length_axis];
    mask.strides[problem->length_axis] = 1;
    problem->weight = mask;
}

/* Axes longer than 1, as bits. */
static uint32_t long_axes(const struct clkl_problem *problem)
{
    uint32_t axes = 0;
    for (uint32_t axis = 0; axis < problem->rank; ++axis)
        if (problem->shape[axis] > 1)
            axes |= 1u << axis;
    return axes;
}

/* The axes that an array does not repeat. */
static uint32_t own_axes(const struct clkl_problem *problem, int array)
{
    uint32_t axes = long_axes(problem);
    for (uint32_t axis = 0; axis < problem->rank; ++axis)
        if (clkl_problem_repeats(problem, array_of(problem, array), axis))
            axes &= ~(1u << axis);
    return axes;
}

/* The pass that sums over all but these axes: one of those that there are, or a new one. */
static struct clkl_pass *pass_keeping(const struct clkl_problem *problem, uint32_t axes,
                                      struct clkl_pass *passes, uint32_t *count)
{
    for (uint32_t i = 0; i < *count; ++i)
        if ((passes[i].problem.kept & long_axes(problem)) == axes)
            return &passes[i];
    struct clkl_pass *pass = &passes[(*count)++];
    pass->problem = *problem;
    pass->problem.kept = axes;
    read_mask(&pass->problem);
    return pass;
}

/* Without gradients there is no upstream gradient, which would only keep axes apart. */
static void forget_upstream(struct clkl_problem *problem)
{
    problem->gradients = 0;
    memset(&problem->upstream, 0, sizeof problem->upstream);
}

uint32_t clkl_passes_make(const struct clkl_problem *problem,
                          struct clkl_pass passes[CLKL_MOST_PASSES])
{
    const uint32_t all = long_axes(problem);
    uint32_t count = 1;
    memset(passes, 0, CLKL_MOST_PASSES * sizeof *passes);
    if (problem->deterministic)
        return 0;
    passes[0].problem = *problem;
    passes[0].value = !problem->no_result;
    read_mask(&passes[0].problem);
    for (int array = 0; array < CLKL_ARRAYS; ++array) {
        const uint32_t bit = 1u << array, own = own_axes(problem, array);
        if ((problem->gradients & bit) == 0)
            continue;
        if (own == all)
            passes[0].maps |= bit;
        else
            pass_keeping(problem, own, passes, &count)->sums |= bit;
    }
    if (passes[0].maps == 0 && passes[0].sums == 0)
        forget_upstream(&passes[0].problem);
    if (passes[0].value || passes[0].problem.gradients != 0)
        return count;
    memmove(&passes[0], &passes[1], (CLKL_MOST_PASSES - 1) * sizeof *passes);
    return count - 1;
}
