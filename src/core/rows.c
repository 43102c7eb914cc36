#include "core/rows.h"

#include <string.h>

static const struct clkl_operand *operand_of(const struct clkl_problem *problem, int operand)
{
    switch (operand) {
    case CLKL_P_MEAN:
        return &problem->p.mean;
    case CLKL_P_SCALE:
        return &problem->p.scale;
    case CLKL_Q_MEAN:
        return &problem->q.mean;
    case CLKL_Q_SCALE:
        return &problem->q.scale;
    case CLKL_WEIGHT:
        return &problem->weight;
    default:
        return &problem->upstream;
    }
}

/* Whether an axis with these strides continues where the last one ends, in every operand. */
static bool follows(const struct clkl_axes *axes, const int64_t *strides, uint64_t extent)
{
    const uint32_t last = axes->count - 1;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        if (axes->strides[operand][last] != strides[operand] * (int64_t)extent)
            return false;
    return true;
}

static void append_axis(struct clkl_axes *axes, const struct clkl_problem *problem, uint32_t axis)
{
    int64_t strides[CLKL_OPERANDS];
    const uint64_t extent = problem->shape[axis];
    if (extent == 1)
        return;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        strides[operand] = operand_of(problem, operand)->strides[axis];
    const bool merge = axes->count > 0 && follows(axes, strides, extent);
    const uint32_t at = merge ? axes->count - 1 : axes->count++;
    axes->extents[at] = merge ? axes->extents[at] * extent : extent;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        axes->strides[operand][at] = strides[operand];
}

static void complete(struct clkl_axes *axes)
{
    if (axes->count == 0) {
        axes->count = 1;
        axes->extents[0] = 1;
    }
}

/* How an operand's elements lie along the axes, whatever the other operands do. */
static enum clkl_reach reach_of(const struct clkl_axes *axes, int operand)
{
    int64_t expected = 1;
    if (axes->strides[operand][axes->count - 1] == 0 && axes->extents[axes->count - 1] > 1)
        return CLKL_REPEATED;
    for (uint32_t axis = axes->count; axis-- > 0;) {
        if (axes->extents[axis] > 1 && axes->strides[operand][axis] != expected)
            return axis + 1 == axes->count ? CLKL_SCATTERED : CLKL_RUNS;
        expected *= (int64_t)axes->extents[axis];
    }
    return CLKL_CONTIGUOUS;
}

static enum clkl_reach side_reach(const struct clkl_side *side, const struct clkl_axes *axes,
                                  int mean, int scale)
{
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return CLKL_CONTIGUOUS;
    const enum clkl_reach a = reach_of(axes, mean), b = reach_of(axes, scale);
    if ((a == CLKL_REPEATED) != (b == CLKL_REPEATED))
        return CLKL_SCATTERED;
    return a > b ? a : b;
}

/* The first of the axes behind the last that is kept and longer than 1. */
static uint32_t first_trailing_axis(const struct clkl_problem *problem)
{
    uint32_t axis = problem->rank;
    while (axis > 0 && (problem->shape[axis - 1] == 1 || !clkl_problem_keeps(problem, axis - 1)))
        --axis;
    return axis;
}

static uint64_t product(const struct clkl_problem *problem, uint32_t first, uint32_t end, bool kept)
{
    uint64_t elements = 1;
    for (uint32_t axis = first; axis < end; ++axis)
        if (clkl_problem_keeps(problem, axis) == kept)
            elements *= problem->shape[axis];
    return elements;
}

/* Which axes lead from row to row, as bits. Short stretches of a row that are spread over memory,
 * as those of one channel, are better taken as rows of their own: memory is then read as it lies.
 */
static uint32_t choose_kept(const struct clkl_problem *problem)
{
    enum { SHORT_STRETCH = 2048, MANY_STRETCHES = 16 };
    const uint32_t trailing = first_trailing_axis(problem);
    const uint64_t stretch = product(problem, trailing, problem->rank, false);
    const uint64_t stretches = product(problem, 0, trailing, false);
    uint32_t kept = problem->kept;
    if (trailing == 0 || stretch >= SHORT_STRETCH || stretches < MANY_STRETCHES)
        return kept;
    for (uint32_t axis = trailing; axis < problem->rank; ++axis)
        kept |= 1u << axis;
    return kept;
}

/* Whether the fastest axis that is longer than 1 is among the kept ones. */
static bool fastest_is_kept(const struct clkl_problem *problem, uint32_t kept)
{
    for (uint32_t axis = problem->rank; axis-- > 0;)
        if (problem->shape[axis] > 1)
            return (kept >> axis & 1u) != 0;
    return false;
}

void clkl_rows_make(const struct clkl_problem *problem, struct clkl_rows *rows)
{
    memset(rows, 0, sizeof *rows);
    const uint32_t chosen = choose_kept(problem);
    rows->rows = 1;
    rows->elements = 1;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        rows->origins[operand] = operand_of(problem, operand)->origin;
    for (uint32_t axis = 0; axis < problem->rank; ++axis) {
        const bool kept = (chosen >> axis & 1u) != 0;
        append_axis(kept ? &rows->kept : &rows->reduced, problem, axis);
        *(kept ? &rows->rows : &rows->elements) *= problem->shape[axis];
    }
    rows->rows_of_sample = rows->rows / (clkl_problem_keeps(problem, 0) ? problem->shape[0] : 1);
    rows->rows_of_value = rows->rows / clkl_problem_result_count(problem);
    complete(&rows->kept);
    complete(&rows->reduced);
    rows->columns = fastest_is_kept(problem, chosen);
    const struct clkl_axes *lanes = rows->columns ? &rows->kept : &rows->reduced;
    rows->p_reach = side_reach(&problem->p, lanes, CLKL_P_MEAN, CLKL_P_SCALE);
    rows->q_reach = side_reach(&problem->q, lanes, CLKL_Q_MEAN, CLKL_Q_SCALE);
    if (problem->weighting != CLKL_NO_WEIGHTS)
        rows->weight_reach = reach_of(lanes, CLKL_WEIGHT);
    if (problem->gradients != 0)
        rows->upstream_reach = reach_of(lanes, CLKL_UPSTREAM);
}

uint64_t clkl_rows_shortest(const struct clkl_problem *problem, const struct clkl_rows *rows)
{
    return clkl_problem_keeps(problem, 0) ? rows->elements : rows->elements / problem->shape[0];
}

void clkl_rows_set_batch(struct clkl_rows *rows, const struct clkl_problem *planned, uint64_t batch)
{
    const uint64_t before = planned->shape[0];
    const bool kept = clkl_problem_keeps(planned, 0);
    struct clkl_axes *axes = kept ? &rows->kept : &rows->reduced;
    uint64_t *count = kept ? &rows->rows : &rows->elements;
    if (before == 1)
        return;
    axes->extents[0] = axes->extents[0] / before * batch; /* the batch is the slowest axis */
    *count = *count / before * batch;
}
