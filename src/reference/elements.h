/* The elements of a problem, one index at a time. */
#ifndef CLKL_REFERENCE_ELEMENTS_H
#define CLKL_REFERENCE_ELEMENTS_H

#include "core/problem.h"
#include "reference/divergence.h"

/* What stands at one index. */
struct clkl_element {
    struct clkl_normal p, q;
    double weight; /* not 0 */
    bool p_clamped, q_clamped;
};

/* Reads an element; false if its weight is 0, and then only that was looked at. */
bool clkl_element_load(const struct clkl_problem *problem, const clkl_host_args *args,
                       const uint64_t *index, struct clkl_element *element);

/* Where the element of an operand lies. */
int64_t clkl_element_offset(const struct clkl_problem *problem, const struct clkl_operand *operand,
                            const uint64_t *index);

/* Steps `index` along `axes`, as bits, the last the fastest; false after the last index. The others
 * stay where they are. */
bool clkl_index_next(const struct clkl_problem *problem, uint32_t axes, uint64_t *index);

/* The values of the result are counted in row-major order of the kept axes: where that of an index
 * is, and the first index of that at `position`. */
uint64_t clkl_index_position(const struct clkl_problem *problem, const uint64_t *index);
void clkl_index_first(const struct clkl_problem *problem, uint64_t position, uint64_t *index);

#endif
