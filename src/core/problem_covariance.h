/* What a specification says of full covariances. */
#ifndef CLKL_CORE_PROBLEM_COVARIANCE_H
#define CLKL_CORE_PROBLEM_COVARIANCE_H

#include "core/problem.h"

/* Finds out whether *problem, into which everything else has been read, is one of full covariances.
 * If so, checks it and puts the strides of its matrices in place; if not, refuses what is said of
 * matrices. */
clkl_status clkl_problem_read_covariance(const clkl_spec *spec, struct clkl_problem *problem,
                                         clkl_error *error);

#endif
