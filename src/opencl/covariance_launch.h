/* The launches of a divergence between full covariances: their arguments, as the device lays them
 * out. */
#ifndef CLKL_OPENCL_COVARIANCE_LAUNCH_H
#define CLKL_OPENCL_COVARIANCE_LAUNCH_H

#include "opencl/launch.h"

/* `covariance_call` of kernels/covariance.clh. */
struct clkl_covariance_launch {
    cl_ulong origins[CLKL_ARRAYS];
    cl_ulong strides[CLKL_ARRAYS];
    cl_ulong rows[CLKL_ARRAYS];
    cl_ulong columns[CLKL_ARRAYS];
    cl_ulong first;
    cl_ulong samples;
    cl_ulong scratch_origin;
    cl_ulong values_origin;
    cl_ulong parts_origin;
    cl_ulong shares_origin;
    cl_ulong status_origin;
    cl_ulong jitter; /* from here on the bits of numbers of the compute type */
    cl_ulong near;
    cl_uint dimension;
    cl_uint rounds;
    cl_uint begin;
    cl_uint end;
    cl_uint pass;
    cl_uint sides;
};

/* `covariance_results` of kernels/covariance_results.cl. */
struct clkl_covariance_results {
    cl_ulong samples;
    cl_ulong of_sample;
    cl_ulong raw_values;
    cl_ulong raw_pairs;
    cl_ulong raw_status;
    cl_ulong result;
    cl_ulong parts;
    cl_ulong value_status;
    cl_ulong matrix_status;
    cl_ulong divisor; /* bits of a number */
    cl_ulong chunk;
};

/* What one call has for the kernels. */
struct clkl_covariance_call {
    struct clkl_covariance_geometry geometry; /* for the call's batch */
    struct clkl_covariance_launch launch;
    struct clkl_covariance_results
        results; /* the caller's origins are filled in with the outputs */
};

/* Completes *call, whose geometry and origins of outputs are there. */
void clkl_covariance_fill(const struct clkl_plan *plan, const struct clkl_problem *problem,
                          const struct clkl_launch *common, struct clkl_covariance_call *call);

/* The stages of a call. */
size_t clkl_covariance_count_stages(const struct clkl_plan *plan,
                                    const struct clkl_problem *problem,
                                    const struct clkl_covariance_call *call);

/* Makes them ready, adding to *count; what was made before a failure is counted, too. */
clkl_status clkl_covariance_make_stages(struct clkl_plan *plan, const struct clkl_problem *problem,
                                        const struct clkl_covariance_call *call,
                                        const struct clkl_launch_buffers *buffers,
                                        struct clkl_stage *stages, size_t *count,
                                        clkl_error *error);

/* Launches every kernel once over no samples, as wide as a call can; `nothing` is a buffer, there
 * to be no NULL. */
clkl_status clkl_covariance_warm_up(struct clkl_plan *plan, cl_command_queue queue, cl_mem nothing,
                                    clkl_error *error);

#endif
