/* A specification made ready for a device. */
#ifndef CLKL_OPENCL_PLAN_H
#define CLKL_OPENCL_PLAN_H

#include "opencl/covariance.h"
#include "opencl/pass.h"

struct clkl_plan {
    clkl_device *device;
    struct clkl_problem problem; /* with the planned batch */
    struct clkl_tuning tuning;
    struct clkl_prepared_pass passes[CLKL_MOST_PASSES];
    uint32_t n_passes; /* 0 if P is deterministic, or for full covariances */
    struct clkl_prepared_covariance covariance; /* for full covariances */
    struct clkl_kernel_pool lengths;
    uint64_t mask_at; /* in scratch, where lengths become a mask */
    uint64_t scratch; /* bytes, for the planned batch */
};

/* Whether the plan is of full covariances that are to be computed. */
static inline bool clkl_plan_has_covariances(const struct clkl_plan *plan)
{
    return plan->problem.full && !plan->problem.deterministic;
}

/* As clkl_plan_create, with choices that are otherwise the schedule's: for tests. */
clkl_status clkl_plan_create_tuned(clkl_device *device, const clkl_spec *spec, uint32_t flags,
                                   const struct clkl_tuning *tuning, clkl_plan **plan,
                                   clkl_error *error);

#endif
