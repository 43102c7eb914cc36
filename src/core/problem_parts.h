/* The parts of clkl_problem_make. Each reads its fields of the specification into *problem, in
 * which what the parts before it read is there already, or says what is wrong with them. */
#ifndef CLKL_CORE_PROBLEM_PARTS_H
#define CLKL_CORE_PROBLEM_PARTS_H

#include "core/problem.h"

/* Sizes and offsets are kept below this, so that signed 64-bit arithmetic on them cannot overflow.
 */
#define CLKL_MAX_ELEMENTS ((uint64_t)1 << 56)

/* Both sides; the shape comes before. */
clkl_status clkl_problem_read_sides(const clkl_spec *spec, struct clkl_problem *problem,
                                    clkl_error *error);

clkl_status clkl_problem_read_weights(const clkl_spec *spec, struct clkl_problem *problem,
                                      clkl_error *error);

/* Sides and compute type come before. */
clkl_status clkl_problem_read_clamp(const clkl_spec *spec, struct clkl_problem *problem,
                                    clkl_error *error);

/* Everything else comes before. */
clkl_status clkl_problem_read_gradients(const clkl_spec *spec, struct clkl_problem *problem,
                                        clkl_error *error);

/* ---- Strides ---- */

/* Row-major strides of an array whose `doubled` axis has twice the extent (rank: none has); with
 * `shared`, the batch axis repeats. */
void clkl_problem_dense_strides(const struct clkl_problem *problem, uint32_t doubled, bool shared,
                                int64_t *strides);

/* Refuses negative strides, and those with which an offset could leave 56 bits. */
clkl_status clkl_problem_check_strides(const struct clkl_problem *problem, const int64_t *strides,
                                       const char *name, clkl_error *error);

clkl_status clkl_problem_check_layout(clkl_layout layout, const char *name, clkl_error *error);

#endif
