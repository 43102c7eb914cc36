/*
 * Gradients of the reference, held against differences of its own values: every number of every
 * array is moved a little to both sides, whatever the layout, and the sum of the values, each times
 * its upstream gradient, must change as the gradient says.
 *
 *     expect_differences(&spec, "a shared Q");
 */
#ifndef CLKL_TESTS_DIFFERENCES_H
#define CLKL_TESTS_DIFFERENCES_H

#include <clkl/clkl.h>

/* Arrays of one computation, all of doubles. */
struct operands {
    uint64_t extents[4]; /* numbers in the arrays of P's mean, P's scale, Q's mean, Q's scale */
    double *arrays[4];   /* NULL where there is none */
    double *gradients[4];
    double *upstream;
    double *values;
    uint64_t n_values;
};

/* Room for everything that `spec` has, and numbers for the inputs; the gradients hold MARK. The
 * types become CLKL_F64. */
#define OPERANDS_MARK 12345.0
void operands_make(clkl_spec *spec, struct operands *operands);
void operands_free(struct operands *operands);

/* The arguments that all of them make up, but for weights. */
clkl_host_args operands_args(const struct operands *operands);

/* Asks for every gradient that the arrays can have. Weights, where the specification wants some,
 * are made up as well. */
void expect_differences(const clkl_spec *spec, const char *name);

#endif
