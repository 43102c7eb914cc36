#include "reference/covariance_results.h"

#include "core/dtype.h"
#include "core/failure.h"
#include "reference/covariance.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* One value of the result, or one sample's contribution to it. */
struct value {
    long double covariance;
    long double mean;
    uint32_t bits; /* CLKL_VALUE_..., as far as the matrices tell */
};

/* What is computed, and in what. */
struct run {
    const struct clkl_problem *problem;
    const clkl_host_args *args;
    struct clkl_covariance_work work;
    size_t count;         /* values that a sample contributes to: 1, or D */
    struct value *values; /* as many */
};

/* ---- One sample ---- */

static struct clkl_multivariate sample_of(const struct clkl_side *side, const void *mean,
                                          const void *scale, uint64_t sample)
{
    const uint64_t size = clkl_dtype_size(side->dtype);
    const char *const means = mean;
    const char *const scales = side->packed ? mean : scale;
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return (struct clkl_multivariate){side, NULL, NULL};
    return (struct clkl_multivariate){side, means + (uint64_t)side->mean.strides[0] * sample * size,
                                      scales + (uint64_t)side->scale.strides[0] * sample * size};
}

static uint32_t bits_of(int32_t status)
{
    return status > 0                         ? CLKL_VALUE_NOT_POSITIVE_DEFINITE
           : status == CLKL_MATRIX_FEW_DIGITS ? CLKL_VALUE_FEW_DIGITS
           : status == CLKL_MATRIX_JITTERED   ? CLKL_VALUE_JITTERED
                                              : 0;
}

static void compute_sample(struct run *run, uint64_t sample)
{
    const struct clkl_problem *problem = run->problem;
    const clkl_host_args *args = run->args;
    struct clkl_covariance_work *work = &run->work;
    const struct clkl_multivariate p = sample_of(&problem->p, args->p_mean, args->p_scale, sample);
    const struct clkl_multivariate q = sample_of(&problem->q, args->q_mean, args->q_scale, sample);
    clkl_covariance_divergence(&p, &q, work);
    if (args->matrix_status != NULL)
        args->matrix_status[sample] = work->status;
    const uint32_t bits = bits_of(work->status.p) | bits_of(work->status.q);
    for (size_t i = 0; i < work->how.n; ++i) {
        struct value *value = &run->values[run->count == 1 ? 0 : i];
        value->covariance += work->covariance[i];
        value->mean += work->mean[i];
        value->bits |= bits;
    }
}

/* ---- Results ---- */

/* Writes the number as the compute type has it, and returns what was written. */
static double store(void *array, clkl_dtype dtype, uint64_t position, long double x)
{
    if (dtype == CLKL_F64)
        return ((double *)array)[position] = (double)x;
    return (double)(((float *)array)[position] = (float)x);
}

/* Writes the values that have been collected, from `position` on, and begins anew. */
static void store_values(struct run *run, uint64_t position, uint64_t divisor)
{
    const clkl_host_args *args = run->args;
    const clkl_dtype dtype = run->problem->compute;
    for (size_t i = 0; i < run->count; ++i) {
        struct value *value = &run->values[i];
        const long double covariance = value->covariance / (long double)divisor;
        const long double mean = value->mean / (long double)divisor;
        const double stored = store(args->result, dtype, position + i, covariance + mean);
        if (args->value_status != NULL)
            args->value_status[position + i] = value->bits | (isnan(stored) ? CLKL_VALUE_NAN : 0) |
                                               (isinf(stored) ? CLKL_VALUE_INFINITE : 0);
        if (args->parts != NULL) {
            store(args->parts, dtype, 2 * (position + i), covariance);
            store(args->parts, dtype, 2 * (position + i) + 1, mean);
        }
        *value = (struct value){0.0L, 0.0L, 0};
    }
}

/* A point mass diverges from nothing, by definition, and no array is looked at. */
static void store_zeros(struct run *run)
{
    const uint64_t count = clkl_problem_result_count(run->problem);
    for (uint64_t position = 0; position < count; position += run->count)
        store_values(run, position, 1);
    for (uint64_t sample = 0; sample < run->problem->shape[0]; ++sample)
        if (run->args->matrix_status != NULL)
            run->args->matrix_status[sample] = (clkl_matrix_status){0, 0};
}

static void compute_all(struct run *run)
{
    const struct clkl_problem *problem = run->problem;
    const bool keeps_batch = clkl_problem_keeps(problem, 0);
    if (problem->deterministic) {
        store_zeros(run);
        return;
    }
    for (uint64_t sample = 0; sample < problem->shape[0]; ++sample) {
        compute_sample(run, sample);
        if (keeps_batch)
            store_values(run, sample * run->count, 1);
    }
    if (!keeps_batch)
        store_values(run, 0, clkl_problem_divisor(problem));
}

clkl_status clkl_reference_compute_covariances(const struct clkl_problem *problem,
                                               const clkl_host_args *args, clkl_error *error)
{
    const uint64_t n = problem->shape[1];
    struct run run = {.problem = problem, .args = args};
    run.count = clkl_problem_keeps(problem, 1) ? (size_t)n : 1;
    run.values = n > SIZE_MAX ? NULL : calloc(run.count, sizeof *run.values);
    const bool room = run.values != NULL && clkl_covariance_work_make(&run.work, (size_t)n);
    run.work.how.jitter = problem->jitter;
    run.work.how.epsilon = problem->compute == CLKL_F64 ? DBL_EPSILON : (double)FLT_EPSILON;
    if (room)
        compute_all(&run);
    clkl_covariance_work_free(&run.work);
    free(run.values);
    return room ? CLKL_OK
                : clkl_fail(error, CLKL_OUT_OF_HOST_MEMORY,
                            "no memory for two matrices of %llu x %llu long doubles",
                            (unsigned long long)n, (unsigned long long)n);
}
