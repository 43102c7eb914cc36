/* A small batch of full covariances in double, in any form, and all that comes back. */
#ifndef CLKL_TESTS_COVARIANCE_BATCH_H
#define CLKL_TESTS_COVARIANCE_BATCH_H

#include "run.h"
#include "support/hash.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { D = 5, BATCH = 4, SQUARE = D * D };

static const clkl_form matrices[] = {CLKL_MEAN_COVARIANCE, CLKL_MEAN_CHOLESKY, CLKL_MEAN_PRECISION};

static const clkl_form forms[] = {CLKL_STANDARD_NORMAL, CLKL_MEAN_LOGVAR,   CLKL_MEAN_LOGSTD,
                                  CLKL_MEAN_VAR,        CLKL_MEAN_STD,      CLKL_MEAN_COVARIANCE,
                                  CLKL_MEAN_CHOLESKY,   CLKL_MEAN_PRECISION};

/* ---- A batch ---- */

static inline bool is_matrix(clkl_form form)
{
    return form >= CLKL_MEAN_COVARIANCE;
}

/* Both sides of a batch, and all that comes back. */
struct batch {
    clkl_spec spec;
    double p_mean[BATCH * D], p_scale[BATCH * SQUARE], q_mean[BATCH * D], q_scale[BATCH * SQUARE];
    double result[BATCH * D], parts[2 * BATCH * D];
    uint32_t value_status[BATCH * D];
    clkl_matrix_status status[BATCH];
};

/* A factor well away from a singular one. */
static inline void draw_factor(uint64_t seed, uint64_t sample, double *out)
{
    for (uint64_t i = 0; i < D; i++)
        for (uint64_t j = 0; j < D; j++) {
            const uint64_t place = (sample * D + i) * D + j;
            out[i * D + j] = j > i    ? NAN
                             : j == i ? hash_uniform(seed, 0, place, 0.7, 1.5)
                                      : hash_uniform(seed, 1, place, -0.3, 0.3);
        }
}

/* The product of a factor and its transpose: any symmetric matrix, also for a precision. */
static inline void square_of(const double *factor, double *out)
{
    for (size_t i = 0; i < D; i++)
        for (size_t j = 0; j < D; j++) {
            out[i * D + j] = 0.0;
            for (size_t k = 0; k <= i && k <= j; k++)
                out[i * D + j] += factor[i * D + k] * factor[j * D + k];
        }
}

static inline void draw_side(clkl_form form, uint64_t seed, double *means, double *scales)
{
    double factor[SQUARE];
    for (uint64_t i = 0; i < BATCH * D; i++)
        means[i] = hash_uniform(seed, 2, i, -1.0, 1.0);
    for (uint64_t sample = 0; sample < BATCH; sample++) {
        draw_factor(seed, sample, factor);
        if (form == CLKL_MEAN_CHOLESKY)
            memcpy(scales + sample * SQUARE, factor, sizeof factor);
        else if (is_matrix(form))
            square_of(factor, scales + sample * SQUARE);
        for (size_t i = 0; i < D && !is_matrix(form); i++)
            scales[sample * D + i] = factor[i * D + i];
    }
}

static inline struct batch draw(clkl_form p, clkl_form q)
{
    struct batch b = {.spec = {.struct_size = sizeof b.spec,
                               .rank = 2,
                               .shape = {BATCH, D},
                               .p = {.form = p, .dtype = CLKL_F64},
                               .q = {.form = q, .dtype = CLKL_F64},
                               .compute = CLKL_F64,
                               .outputs = CLKL_OUTPUT_PARTS | CLKL_OUTPUT_MATRIX_STATUS}};
    draw_side(p, 11, b.p_mean, b.p_scale);
    draw_side(q, 12, b.q_mean, b.q_scale);
    return b;
}

static inline void compute(struct batch *b)
{
    run(&b->spec, (clkl_host_args){.p_mean = b->p_mean,
                                   .p_scale = b->p_scale,
                                   .q_mean = b->q_mean,
                                   .q_scale = b->q_scale,
                                   .result = b->result,
                                   .value_status = b->value_status,
                                   .parts = b->parts,
                                   .matrix_status = b->status});
}

#endif
