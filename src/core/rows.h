/* A problem as rows: every value of the result is the sum over one row of elements. */
#ifndef CLKL_CORE_ROWS_H
#define CLKL_CORE_ROWS_H

#include "core/problem.h"

/* Operands in the order in which kernels number them. */
enum { CLKL_P_MEAN, CLKL_P_SCALE, CLKL_Q_MEAN, CLKL_Q_SCALE, CLKL_OPERANDS };

struct clkl_rows {
    uint64_t rows;
    uint64_t elements; /* of a row, in row-major order of the axes below */
    int64_t origins[CLKL_OPERANDS];
    int64_t row_strides[CLKL_OPERANDS];
    /* Axes of a row, slowest first, those merged that lie behind one another in all operands. */
    uint32_t axes;
    uint64_t extents[CLKL_MAX_RANK];
    int64_t strides[CLKL_OPERANDS][CLKL_MAX_RANK];
    /* Whether both operands of a side have a row's elements side by side. */
    bool p_contiguous;
    bool q_contiguous;
};

/* The rows of a problem; sides without arrays have strides of 0 and count as contiguous. */
void clkl_rows_make(const struct clkl_problem *problem, struct clkl_rows *rows);

/* Elements of a row when the batch is as small as it can be. */
uint64_t clkl_rows_shortest(const struct clkl_problem *problem, const struct clkl_rows *rows);

/* Changes the batch from `planned` to `batch`, keeping the axes as they are. */
void clkl_rows_set_batch(struct clkl_rows *rows, const struct clkl_problem *planned,
                         uint64_t batch);

#endif
