/* A problem as rows: every value of the result is the sum over one row of elements, or over the
 * sums of several rows. */
#ifndef CLKL_CORE_ROWS_H
#define CLKL_CORE_ROWS_H

#include "core/problem.h"

/* Operands in the order in which kernels number them. */
enum {
    CLKL_P_MEAN,
    CLKL_P_SCALE,
    CLKL_Q_MEAN,
    CLKL_Q_SCALE,
    CLKL_WEIGHT,
    CLKL_UPSTREAM, /* the upstream gradient, and values of the result: */
    CLKL_VALUES,   /* they repeat the axes that the result does not keep */
    CLKL_OPERANDS,
    CLKL_ARRAYS = 4 /* the first of them: those of P and Q, and their gradients */
};

/* Axes, slowest first, those merged that lie behind one another in all operands; at least one. */
struct clkl_axes {
    uint32_t count;
    uint64_t extents[CLKL_MAX_RANK];
    int64_t strides[CLKL_OPERANDS][CLKL_MAX_RANK];
};

/* How the elements of an operand lie along the lanes of a vector. */
enum clkl_reach {
    CLKL_CONTIGUOUS, /* side by side */
    CLKL_RUNS,       /* side by side along the fastest axis, which others repeat */
    CLKL_REPEATED,   /* the same along the fastest axis */
    CLKL_SCATTERED
};

struct clkl_rows {
    uint64_t rows;
    uint64_t rows_of_sample; /* that one sample takes part in */
    uint64_t rows_of_value;  /* neighbours */
    uint64_t elements;       /* of a row, in row-major order of its axes */
    int64_t origins[CLKL_OPERANDS];
    struct clkl_axes kept; /* from row to row: those that are kept, and in a value of several rows
                              the fastest ones, too */
    struct clkl_axes reduced; /* within a row */
    /* Where the fastest axis leads from row to row, vectors hold one element each of neighbouring
     * rows (columns of a matrix, one might say); else they hold elements of one row. */
    bool columns;
    enum clkl_reach p_reach;
    enum clkl_reach q_reach;
    enum clkl_reach weight_reach;
    enum clkl_reach upstream_reach;
};

/* The rows of a problem; sides without arrays have strides of 0 and count as contiguous. */
void clkl_rows_make(const struct clkl_problem *problem, struct clkl_rows *rows);

/* Elements of a row when the batch is as small as it can be. */
uint64_t clkl_rows_shortest(const struct clkl_problem *problem, const struct clkl_rows *rows);

/* Changes the batch from `planned` to `batch`, keeping the axes as they are. */
void clkl_rows_set_batch(struct clkl_rows *rows, const struct clkl_problem *planned,
                         uint64_t batch);

#endif
