/* The passes over the data that a problem takes.
 *
 * One pass gives the values, and every gradient whose array repeats no axis: those are written as
 * the elements go by. The gradient of an array that repeats axes is a sum over them; those that sum
 * over the same axes share a pass, and go along with the values where these sum over the same.
 */
#ifndef CLKL_CORE_PASSES_H
#define CLKL_CORE_PASSES_H

#include "core/problem.h"

enum { CLKL_MOST_PASSES = 5 }; /* values, and each of four arrays */

struct clkl_pass {
    struct clkl_problem problem; /* `kept`: the axes that the pass does not sum over */
    bool value;                  /* values of the result are summed */
    uint32_t sums;               /* gradients that are summed, as CLKL_GRADIENT_... */
    uint32_t maps;               /* gradients that are written element by element */
};

/* The mask that lengths are made into: bytes, [batch, extent of the ragged axis], of which shared
 * lengths need only the first. */
uint64_t clkl_mask_bytes(const struct clkl_problem *problem);

/* Returns the number of passes; at least one, unless P is deterministic. */
uint32_t clkl_passes_make(const struct clkl_problem *problem,
                          struct clkl_pass passes[CLKL_MOST_PASSES]);

#endif
