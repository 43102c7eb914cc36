/* One pass over the data, with its kernels. */
#ifndef CLKL_OPENCL_PASS_H
#define CLKL_OPENCL_PASS_H

#include "core/schedule.h"
#include "opencl/device.h"
#include "opencl/kernel_pool.h"

struct clkl_prepared_pass {
    clkl_device *device; /* the plan's */
    struct clkl_pass pass;
    struct clkl_rows rows;
    struct clkl_variant variant;
    struct clkl_geometry geometry; /* for the planned batch */
    uint64_t scratch_at;           /* bytes from the scratch's beginning */
    bool has_aligned;
    struct clkl_kernel_pool diagonal;
    struct clkl_kernel_pool diagonal_aligned; /* where has_aligned */
    struct clkl_kernel_pool combine;          /* where something is summed */
};

/* Chooses the kernels for prepared->pass, and builds what the device has not built yet. After a
 * failure, too, it is to be closed. */
clkl_status clkl_pass_prepare(clkl_device *device, const struct clkl_tuning *tuning,
                              struct clkl_prepared_pass *prepared, clkl_error *error);

/* Launches every kernel once over no rows, in the geometry of the planned batch or in the widest
 * grid that a call can have; `nothing` is a buffer, there to be no NULL. */
clkl_status clkl_pass_warm_up(struct clkl_prepared_pass *prepared, cl_command_queue queue,
                              cl_mem nothing, clkl_error *error);

void clkl_pass_close(struct clkl_prepared_pass *prepared);

#endif
