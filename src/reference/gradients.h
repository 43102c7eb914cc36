/* The gradients of a problem, written one array after the other. */
#ifndef CLKL_REFERENCE_GRADIENTS_H
#define CLKL_REFERENCE_GRADIENTS_H

#include "core/problem.h"

/* Computes the gradients that the problem asks for and that have an array. As
 * clkl_reference_compute. */
void clkl_gradients_compute(const struct clkl_problem *problem, const clkl_host_args *args);

#endif
