/* The kernels of a divergence between full covariances, made ready for a device. */
#ifndef CLKL_OPENCL_COVARIANCE_H
#define CLKL_OPENCL_COVARIANCE_H

#include "core/covariance_schedule.h"
#include "opencl/device.h"
#include "opencl/kernel_pool.h"

struct clkl_prepared_covariance {
    clkl_device *device; /* the plan's; NULL where nothing was prepared */
    struct clkl_covariance_variant variant;
    struct clkl_covariance_geometry geometry;               /* for the planned batch */
    struct clkl_kernel_pool pools[CLKL_COVARIANCE_KERNELS]; /* program NULL: not needed */
};

/* Chooses the kernels and builds what the device has not built yet. After a failure, too, it is to
 * be closed. */
clkl_status clkl_covariance_prepare(clkl_device *device, const struct clkl_problem *problem,
                                    const struct clkl_tuning *tuning,
                                    struct clkl_prepared_covariance *prepared, clkl_error *error);

void clkl_covariance_close(struct clkl_prepared_covariance *prepared);

#endif
