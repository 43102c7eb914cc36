/*
 * A computation on the device, held against the same on the reference.
 *
 *     struct expected expected;
 *     expected_make(&spec, &inputs, 0, &expected);
 *     struct outcome outcome = outcome_make(&expected);
 *     outcome_run(&outcome, &device, &spec, NULL, &inputs, 0);
 *     expect_agreement(&expected, &outcome, &tolerance, "what is tried here");
 */
#ifndef CLKL_TESTS_COMPARE_H
#define CLKL_TESTS_COMPARE_H

#include "accuracy.h"
#include "device.h"

/* What the reference gives. */
struct expected {
    uint64_t count;
    clkl_dtype compute;
    double *values;            /* in double precision */
    uint32_t *status;          /* of the values in the compute type */
    clkl_clamp_count *clamped; /* NULL unless the specification asks for them */
    bool mixed;                /* one side alone is given by logarithms */
    double elements;           /* of one value */
};

/* What the device gives. */
struct outcome {
    uint64_t count;
    float *values;   /* NULL if the compute type is fp64 */
    double *doubles; /* NULL if it is fp32 */
    uint32_t *status;
    clkl_clamp_count *clamped; /* NULL unless the specification asks for them */
};

void expected_make(const clkl_spec *spec, const struct test_inputs *inputs, uint64_t batch,
                   struct expected *expected);
void expected_free(struct expected *expected);

/* Room for as many values. */
struct outcome outcome_make(const struct expected *expected);
void outcome_free(struct outcome *outcome);

/* test_device_run into an outcome, overwriting what it held. */
void outcome_run(struct outcome *outcome, struct test_device *device, const clkl_spec *spec,
                 const struct clkl_tuning *tuning, const struct test_inputs *inputs,
                 uint64_t batch);

double outcome_value(const struct outcome *outcome, uint64_t i);

/* Whether all bits of two outcomes are the same. */
bool outcome_equal(const struct outcome *a, const struct outcome *b);

/* What fp32 on this device promises. */
struct tolerance device_tolerance(const struct test_device *device);

/* What fp64 on this device promises against exact values. Twice that must be allowed against the
 * reference, which has as large errors of its own. */
struct tolerance device_tolerance_fp64(const struct test_device *device);

/* Expects values, status and clamp counts to agree: NaN with NaN, infinity with infinity, exactly 0
 * with 0, the others within tolerance and never below 0; those below the smallest normal number may
 * be any that is not much above it. The first that fails is shown, and `what` was tried. */
void expect_agreement(const struct expected *expected, const struct outcome *outcome,
                      const struct tolerance *tolerance, const char *what, ...)
    __attribute__((format(printf, 4, 5)));

#endif
