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

/* The first stage. */
clkl_status clkl_launch_diagonal(clkl_plan *plan, bool aligned, const struct clkl_rows *rows,
                                 const struct clkl_geometry *geometry,
                                 const struct clkl_launch *launch,
                                 const struct clkl_launch_buffers *buffers,
                                 const struct clkl_order *order, clkl_error *error);

/* The second stage. */
clkl_status clkl_launch_combine(clkl_plan *plan, const struct clkl_geometry *geometry,
                                const struct clkl_launch *launch,
                                const struct clkl_launch_buffers *buffers,
                                const struct clkl_order *order, clkl_error *error);

#endif
