/* A call in the making: what clkl_call_prepare is made of. Each part checks arguments of its own,
 * and notes what they are in the call. */
#ifndef CLKL_OPENCL_CALL_PARTS_H
#define CLKL_OPENCL_CALL_PARTS_H

#include "opencl/call.h"

struct clkl_making {
    const clkl_plan *plan;
    const clkl_args *args;
    struct clkl_call *call;
};

/* P and Q. */
clkl_status clkl_take_sides(struct clkl_making *making, clkl_error *error);

clkl_status clkl_take_weights(struct clkl_making *making, clkl_error *error);

/* The upstream gradient, the factors, and the values that decide where free nats are. */
clkl_status clkl_take_upstream(struct clkl_making *making, clkl_error *error);

/* No gradient may be given that is not asked for. */
clkl_status clkl_check_gradients(const struct clkl_making *making, clkl_error *error);

clkl_status clkl_take_gradients(struct clkl_making *making, clkl_error *error);

/* Result, status, clamp counts. */
clkl_status clkl_take_values(struct clkl_making *making, clkl_error *error);

/* What only covariances have: two numbers per value, two words per sample. */
clkl_status clkl_take_covariance_outputs(struct clkl_making *making, clkl_error *error);

/* The caller's scratch, if there is any. */
clkl_status clkl_take_scratch(struct clkl_making *making, clkl_error *error);

/* Makes scratch where the caller gave none. */
clkl_status clkl_make_scratch(struct clkl_making *making, clkl_error *error);

/* No output may overlap another, nor an input. */
clkl_status clkl_check_overlap(const struct clkl_call *call, clkl_error *error);

/* Lets the mask, which is made in scratch, take the place of the lengths. */
void clkl_use_mask(struct clkl_making *making);

#endif
