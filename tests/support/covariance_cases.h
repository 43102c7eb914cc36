/*
 * The cases of full covariances whose exact values lie in tests/values/covariance.txt, and their
 * inputs, made on the spot from the integer hash and the real latents in data/. The generator of
 * the values and the tests share this code, and so see the same bits.
 *
 * In most families one matrix B is what both sides have in common, the identity if a side is the
 * standard normal and diagonal if one is diagonal; the other side's factor is B (I + level G) with
 * a random lower triangle G, so that the divergence is about level^2.
 */
#ifndef CLKL_TESTS_COVARIANCE_CASES_H
#define CLKL_TESTS_COVARIANCE_CASES_H

#include <clkl/clkl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct covariance_case {
    char name[64];
    int family; /* for covariance_cases.c alone, as the next three */
    double level;
    int first, second;
    size_t d;
    clkl_form p, q; /* never CLKL_MOMENTS, and at least one a matrix */
    bool wide;      /* inputs are doubles; otherwise all of them are floats */
};

/* The inputs of one side: d means, and d scales or d x d elements of a matrix, of a factor with
 * NaN above the diagonal. */
struct covariance_inputs {
    double *mean;
    double *scale;
};

/* The case with that index; false if there is none. */
bool covariance_case_at(size_t index, struct covariance_case *out);

/* Whether both sides tell of the same thing, be it covariances, factors or precisions; then nothing
 * is lost where they meet. */
bool covariance_case_same_kind(const struct covariance_case *c);

/* How many numbers the scale of a form has: d x d, d, or 0. */
size_t covariance_scale_count(clkl_form form, size_t d);

/* Makes the inputs of both sides; exits if memory or a data file is missing. */
void covariance_inputs_make(const struct covariance_case *c, struct covariance_inputs *p,
                            struct covariance_inputs *q);
void covariance_inputs_free(struct covariance_inputs *inputs);

#endif
