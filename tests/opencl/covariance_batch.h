/* A random batch of full covariances, of any dimension, forms and type. */
#ifndef CLKL_TESTS_OPENCL_COVARIANCE_BATCH_H
#define CLKL_TESTS_OPENCL_COVARIANCE_BATCH_H

#include "covariance_run.h"

struct covariance_batch {
    clkl_spec spec; /* dense, with parts and matrix status */
    void *arrays[CLKL_ARRAYS];
    struct test_inputs inputs;
};

/* Well-conditioned matrices; `level` is about how far the sides are from each other. */
struct covariance_batch covariance_batch_make(clkl_form p, clkl_form q, size_t samples, size_t d,
                                              clkl_dtype dtype, double level);
void covariance_batch_free(struct covariance_batch *batch);

/* An element of an array of the batch, of the scale of one side unless it is a mean. */
double covariance_batch_get(const struct covariance_batch *batch, int operand, size_t at);
void covariance_batch_set(struct covariance_batch *batch, int operand, size_t at, double number);

/* Numbers of a sample's array: D, D x D or 0. */
size_t covariance_batch_count(const struct covariance_batch *batch, int operand);

#endif
