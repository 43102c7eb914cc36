/* A specification made ready for a device. */
#ifndef CLKL_OPENCL_PLAN_H
#define CLKL_OPENCL_PLAN_H

#include "core/schedule.h"
#include "opencl/device.h"
#include "opencl/kernel_pool.h"

struct clkl_plan {
    clkl_device *device;
    struct clkl_problem problem; /* with the planned batch */
    struct clkl_rows rows;
    struct clkl_tuning tuning;
    struct clkl_variant variant;
    struct clkl_geometry geometry; /* for the planned batch */
    bool has_aligned;
    struct clkl_kernel_pool diagonal;
    struct clkl_kernel_pool diagonal_aligned; /* where has_aligned */
    struct clkl_kernel_pool combine;
};

/* As clkl_plan_create, with choices that are otherwise the schedule's: for tests. */
clkl_status clkl_plan_create_tuned(clkl_device *device, const clkl_spec *spec, uint32_t flags,
                                   const struct clkl_tuning *tuning, clkl_plan **plan,
                                   clkl_error *error);

/* Whether the plan launches kernels at all; a deterministic P needs none. */
bool clkl_plan_has_kernels(const clkl_plan *plan);

#endif
