/* One launch of the kernels: their arguments, as the device lays them out. */
#ifndef CLKL_OPENCL_LAUNCH_H
#define CLKL_OPENCL_LAUNCH_H

#include "opencl/plan.h"

/* `launch` of kernels/teamwork.clh. */
struct clkl_launch {
    cl_ulong origins[CLKL_OPERANDS];
    cl_ulong extents[CLKL_OPERANDS];
    cl_ulong row_strides[CLKL_OPERANDS];
    cl_ulong rows;
    cl_ulong rows_of_value;
    cl_ulong elements;
    cl_ulong chunk;
    cl_ulong tasks;
    cl_ulong result_origin;
    cl_ulong status_origin;
    cl_ulong counts_origin;
    cl_ulong scratch_origin;
    cl_ulong gradient_origins[CLKL_ARRAYS];
    cl_ulong clamp_low; /* from here on the bits of numbers of the compute type */
    cl_ulong clamp_high;
    cl_ulong divisor;
    cl_ulong free_nats;
    cl_ulong p_factor;
    cl_ulong q_factor;
    cl_uint chunks;
    cl_uint team;
    cl_uint rounds;
    cl_uint given; /* 1 << n: gradient n, or operand n behind those of P and Q */
};

/* The buffers of one call; NULL where there is none. */
struct clkl_launch_buffers {
    cl_mem inputs[CLKL_OPERANDS];
    cl_mem result;
    cl_mem value_status;
    cl_mem clamp_counts;
    cl_mem scratch;
    cl_mem gradients[CLKL_ARRAYS];
    cl_mem parts;
    cl_mem matrix_status;
};

/* One pass of a call. */
struct clkl_pass_call {
    struct clkl_rows rows;
    struct clkl_geometry geometry;
    struct clkl_launch launch;
    bool aligned;
};

/* Lengths, and where they become a mask. */
struct clkl_mask_call {
    cl_mem lengths;
    cl_ulong origin, stride;
    cl_ulong extent; /* of the ragged axis */
    cl_ulong bytes;
    cl_mem mask;
    cl_ulong mask_origin;
};

/* A queue and the commands before and after. */
struct clkl_order {
    cl_command_queue queue;
    cl_uint n_wait;
    const cl_event *wait_list;
    cl_event *event; /* NULL if nobody wants it */
};

/* A number of the compute type as real_of of kernels/real.clh takes it. */
cl_ulong clkl_real_bits(double number, bool fp64);

/* Fills in what a launch takes from its pass, its rows and its geometry. */
void clkl_launch_fill(const struct clkl_prepared_pass *prepared, struct clkl_pass_call *call);

/* A kernel of a plan's with its arguments set, which cannot fail any more but in being enqueued. */
struct clkl_stage {
    struct clkl_kernel_pool *pool;
    cl_kernel kernel;
    size_t global;
    size_t local;
};

/* An argument of a kernel. The address of a NULL handle passes a null pointer. */
struct clkl_argument {
    size_t size;
    const void *value;
};

/* Takes a kernel for a stage, whose sizes are the caller's to fill in, and sets its arguments;
 * after a failure there is nothing to release. */
clkl_status clkl_stage_make(struct clkl_kernel_pool *pool, const struct clkl_argument *arguments,
                            cl_uint count, struct clkl_stage *stage, clkl_error *error);

/* Makes the first stage of a pass ready; after a failure there is nothing to release. */
clkl_status clkl_stage_diagonal(struct clkl_prepared_pass *prepared,
                                const struct clkl_pass_call *call,
                                const struct clkl_launch_buffers *buffers, struct clkl_stage *stage,
                                clkl_error *error);

/* Makes the second stage ready, likewise. */
clkl_status clkl_stage_combine(struct clkl_prepared_pass *prepared,
                               const struct clkl_pass_call *call,
                               const struct clkl_launch_buffers *buffers, struct clkl_stage *stage,
                               clkl_error *error);

/* Makes the stage ready that turns lengths into a mask, likewise. */
clkl_status clkl_stage_lengths(clkl_plan *plan, const struct clkl_mask_call *call,
                               struct clkl_stage *stage, clkl_error *error);

clkl_status clkl_stage_enqueue(const struct clkl_stage *stage, const struct clkl_order *order,
                               clkl_error *error);

/* Gives the kernel back. */
void clkl_stage_release(struct clkl_stage *stage);

#endif
