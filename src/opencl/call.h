/* One call of clkl_enqueue, checked and prepared before anything is enqueued. */
#ifndef CLKL_OPENCL_CALL_H
#define CLKL_OPENCL_CALL_H

#include "opencl/buffers.h"
#include "opencl/covariance_launch.h"

enum {
    CLKL_OUTPUT_CLAIMS = 6 + CLKL_ARRAYS, /* result, status, counts, parts, matrix status, scratch;
                                             gradients */
    CLKL_INPUT_CLAIMS = CLKL_OPERANDS
};

struct clkl_call {
    struct clkl_problem problem; /* with this call's batch */
    uint64_t values;
    struct clkl_launch_buffers buffers;
    struct clkl_launch common; /* what the launches of all passes have in common */
    struct clkl_pass_call passes[CLKL_MOST_PASSES];
    struct clkl_mask_call mask;
    struct clkl_covariance_call covariance; /* where the plan has covariances */
    bool own_scratch;                       /* to be released when everything has been enqueued */
    struct clkl_claim outputs[CLKL_OUTPUT_CLAIMS];
    struct clkl_claim inputs[CLKL_INPUT_CLAIMS];
    size_t n_outputs;
    size_t n_inputs;
};

/* Checks the arguments and fills in *call; after a failure it holds nothing. */
clkl_status clkl_call_prepare(const clkl_plan *plan, const clkl_args *args, struct clkl_call *call,
                              clkl_error *error);

#endif
