/* One call of clkl_enqueue, checked and prepared before anything is enqueued. */
#ifndef CLKL_OPENCL_CALL_H
#define CLKL_OPENCL_CALL_H

#include "opencl/launch.h"

/* Bytes of a buffer that the call uses, named for messages. */
struct clkl_claim {
    const char *name;
    cl_mem root; /* the buffer itself, or the one that it is a part of */
    uint64_t begin;
    uint64_t end;
};

enum { CLKL_OUTPUT_CLAIMS = 4, CLKL_INPUT_CLAIMS = CLKL_OPERANDS };

struct clkl_call {
    struct clkl_problem problem; /* with this call's batch */
    struct clkl_rows rows;
    struct clkl_geometry geometry;
    struct clkl_launch launch;
    struct clkl_launch_buffers buffers;
    uint64_t values;
    bool aligned;
    bool own_scratch; /* to be released when everything has been enqueued */
    struct clkl_claim outputs[CLKL_OUTPUT_CLAIMS];
    struct clkl_claim inputs[CLKL_INPUT_CLAIMS];
    size_t n_outputs;
    size_t n_inputs;
};

/* Checks the arguments and fills in *call; after a failure it holds nothing. */
clkl_status clkl_call_prepare(const clkl_plan *plan, const clkl_args *args, struct clkl_call *call,
                              clkl_error *error);

#endif
