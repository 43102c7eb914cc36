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
    default:
        return &problem->q.scale;
    }
}

/* Whether axis `outer` continues where the last merged axis ends, in every operand. */
static bool follows(const struct clkl_rows *rows, const int64_t *strides, uint64_t extent)
{
    const uint32_t last = rows->axes - 1;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        if (rows->strides[operand][last] != strides[operand] * (int64_t)extent)
            return false;
    return true;
}

static void append_axis(struct clkl_rows *rows, const struct clkl_problem *problem, uint32_t axis)
{
    int64_t strides[CLKL_OPERANDS];
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        strides[operand] = operand_of(problem, operand)->strides[axis];
    const uint64_t extent = problem->shape[axis];
    const bool merge = rows->axes > 0 && follows(rows, strides, extent);
    const uint32_t at = merge ? rows->axes - 1 : rows->axes++;
    rows->extents[at] = merge ? rows->extents[at] * extent : extent;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        rows->strides[operand][at] = strides[operand];
}

/* Whether the operand's elements of a row lie side by side, whatever the other operands do. */
static bool is_contiguous(const struct clkl_rows *rows, int operand)
{
    int64_t expected = 1;
    for (uint32_t axis = rows->axes; axis-- > 0;) {
        if (rows->extents[axis] > 1 && rows->strides[operand][axis] != expected)
            return false;
        expected *= (int64_t)rows->extents[axis];
    }
    return true;
}

void clkl_rows_make(const struct clkl_problem *problem, struct clkl_rows *rows)
{
    memset(rows, 0, sizeof *rows);
    rows->rows = clkl_problem_result_count(problem);
    rows->elements = 1;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand) {
        rows->origins[operand] = operand_of(problem, operand)->origin;
        if (problem->kept_axis >= 0)
            rows->row_strides[operand] = operand_of(problem, operand)->strides[problem->kept_axis];
    }
    for (uint32_t axis = 0; axis < problem->rank; ++axis) {
        if ((int)axis == problem->kept_axis)
            continue;
        rows->elements *= problem->shape[axis];
        if (problem->shape[axis] > 1)
            append_axis(rows, problem, axis);
    }
    if (rows->axes == 0) {
        rows->axes = 1;
        rows->extents[0] = 1;
    }
    rows->p_contiguous = problem->p.scale_kind == CLKL_SCALE_UNIT ||
                         (is_contiguous(rows, CLKL_P_MEAN) && is_contiguous(rows, CLKL_P_SCALE));
    rows->q_contiguous = problem->q.scale_kind == CLKL_SCALE_UNIT ||
                         (is_contiguous(rows, CLKL_Q_MEAN) && is_contiguous(rows, CLKL_Q_SCALE));
}

uint64_t clkl_rows_shortest(const struct clkl_problem *problem, const struct clkl_rows *rows)
{
    return problem->kept_axis == 0 ? rows->elements : rows->elements / problem->shape[0];
}

void clkl_rows_set_batch(struct clkl_rows *rows, const struct clkl_problem *planned, uint64_t batch)
{
    const uint64_t before = planned->shape[0];
    if (planned->kept_axis == 0) {
        rows->rows = batch;
    } else if (before > 1) { /* the batch is the slowest axis, so it is part of the first */
        rows->extents[0] = rows->extents[0] / before * batch;
        rows->elements = rows->elements / before * batch;
    }
}
