/* The arrays of a call on host memory: which there are, how long they are, and which way they go.
 */
#ifndef CLKL_ENGINE_ARRAYS_H
#define CLKL_ENGINE_ARRAYS_H

#include "core/problem.h"
#include "opencl/cl.h"

enum clkl_direction {
    CLKL_TO_DEVICE,
    CLKL_FROM_DEVICE,
    CLKL_BOTH_WAYS /* written in part, or added to */
};

struct clkl_array {
    size_t host;   /* where clkl_host_args has its pointer */
    size_t device; /* where clkl_args has its buffer */
    uint64_t bytes;
    uint64_t step; /* bytes from one sample to the next */
    enum clkl_direction direction;
    /* Where elements lie of an array that has others between them, which come back as they were;
     * packed moments are two. NULL where all are written. */
    const struct clkl_operand *parts[2];
    uint64_t size; /* bytes of an element */
};

enum { CLKL_MOST_ARRAYS = 16 };

/* Lists the arrays that a call has, of those that `problem` has a use for; returns their number. */
size_t clkl_arrays_list(const struct clkl_problem *problem, const clkl_host_args *args,
                        struct clkl_array arrays[CLKL_MOST_ARRAYS]);

/* Copies the elements that the parts of an array name from one copy of it to another. */
void clkl_array_copy_parts(const struct clkl_problem *problem, const struct clkl_array *array,
                           const void *from, void *to);

#endif
