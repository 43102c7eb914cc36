/* The scalar reference: every value of a result in double precision, by plain loops. The public
 * clkl_reference_run is these two in turn. */
#ifndef CLKL_REFERENCE_REFERENCE_H
#define CLKL_REFERENCE_REFERENCE_H

#include "core/problem.h"

/* Checks the arrays that `problem` needs and may have. Returns CLKL_OK or CLKL_INVALID_ARGUMENT,
 * with the name of the field. The batch is clkl_problem_set_batch's to check. */
clkl_status clkl_host_args_check(const struct clkl_problem *problem, const clkl_host_args *args,
                                 clkl_error *error);

/* Computes a problem with its batch set and arguments that have been checked; args->batch is not
 * looked at. Allocates nothing, and may be called from any thread. */
void clkl_reference_compute(const struct clkl_problem *problem, const clkl_host_args *args);

#endif
