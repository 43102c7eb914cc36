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
    cl_uint chunks;
    cl_uint team;
    cl_uint rounds;
    cl_float clamp_low;
    cl_float clamp_high;
    cl_float divisor;
};

/* The buffers of one call; NULL where there is none. */
struct clkl_launch_buffers {
    cl_mem inputs[CLKL_OPERANDS];
    cl_mem result;
    cl_mem value_status;
    cl_mem clamp_counts;
    cl_mem scratch;
};

/* A queue and the commands before and after. */
struct clkl_order {
    cl_command_queue queue;
    cl_uint n_wait;
    const cl_event *wait_list;
    cl_event *event; /* NULL if nobody wants it */
};

/* Fills in all but the origins and extents of a launch over `rows`. */
void clkl_launch_fill(const clkl_plan *plan, const struct clkl_rows *rows,
                      const struct clkl_geometry *geometry, uint64_t divisor,
                      struct clkl_launch *launch);

/* A kernel of a plan's with its arguments set, which cannot fail any more but in being enqueued. */
struct clkl_stage {
    struct clkl_kernel_pool *pool;
    cl_kernel kernel;
    size_t global;
    size_t local;
};

/* Makes the first stage ready; after a failure there is nothing to release. */
clkl_status clkl_stage_diagonal(clkl_plan *plan, bool aligned, const struct clkl_rows *rows,
                                const struct clkl_geometry *geometry,
                                const struct clkl_launch *launch,
                                const struct clkl_launch_buffers *buffers, struct clkl_stage *stage,
                                clkl_error *error);

/* Makes the second stage ready, likewise. */
clkl_status clkl_stage_combine(clkl_plan *plan, const struct clkl_geometry *geometry,
                               const struct clkl_launch *launch,
                               const struct clkl_launch_buffers *buffers, struct clkl_stage *stage,
                               clkl_error *error);

clkl_status clkl_stage_enqueue(const struct clkl_stage *stage, const struct clkl_order *order,
                               clkl_error *error);

/* Gives the kernel back. */
void clkl_stage_release(struct clkl_stage *stage);

#endif
