/* The results of a problem of full covariances. */
#ifndef CLKL_REFERENCE_COVARIANCE_RESULTS_H
#define CLKL_REFERENCE_COVARIANCE_RESULTS_H

#include "core/problem.h"

/* As clkl_reference_compute, for a problem with `full`. Returns CLKL_OK, or CLKL_OUT_OF_HOST_MEMORY
 * with nothing written. */
clkl_status clkl_reference_compute_covariances(const struct clkl_problem *problem,
                                               const clkl_host_args *args, clkl_error *error);

#endif
