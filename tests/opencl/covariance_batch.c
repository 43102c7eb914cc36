#include "covariance_batch.h"

#include "core/dtype.h"
#include "support/covariance_cases.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

static const clkl_gaussian *side_of(const struct covariance_batch *batch, int operand)
{
    return operand < CLKL_Q_MEAN ? &batch->spec.p : &batch->spec.q;
}

size_t covariance_batch_count(const struct covariance_batch *batch, int operand)
{
    const clkl_form form = side_of(batch, operand)->form;
    const size_t d = (size_t)batch->spec.shape[1];
    if (form == CLKL_STANDARD_NORMAL)
        return 0;
    return operand % 2 == 0 ? d : covariance_scale_count(form, d);
}

double covariance_batch_get(const struct covariance_batch *batch, int operand, size_t at)
{
    return side_of(batch, operand)->dtype == CLKL_F64
               ? ((const double *)batch->arrays[operand])[at]
               : (double)((const float *)batch->arrays[operand])[at];
}

void covariance_batch_set(struct covariance_batch *batch, int operand, size_t at, double number)
{
    if (side_of(batch, operand)->dtype == CLKL_F64)
        ((double *)batch->arrays[operand])[at] = number;
    else
        ((float *)batch->arrays[operand])[at] = (float)number;
}

/* A factor: what both sides have in common, and `level` times what they have not. */
static void draw_factor(uint64_t side, uint64_t sample, size_t d, double level, double *factor)
{
    const double across = 0.5 / sqrt((double)d);
    for (size_t i = 0; i < d; ++i)
        for (size_t j = 0; j <= i; ++j) {
            const uint64_t at = (sample * d + i) * d + j;
            const double low = i == j ? 0.8 : -across, high = i == j ? 1.3 : across;
            factor[i * d + j] = hash_uniform(21, 0, at, low, high) +
                                level * hash_uniform(22, side, at, -across, across);
        }
}

static double scale_element(clkl_form form, const double *factor, size_t d, size_t i, size_t j)
{
    double sum = 0.0;
    if (form == CLKL_MEAN_CHOLESKY)
        return j > i ? NAN : factor[i * d + j];
    for (size_t k = 0; k <= i && k <= j; ++k)
        sum += factor[i * d + k] * factor[j * d + k];
    return sum;
}

static void draw_scale(struct covariance_batch *batch, int operand, size_t sample,
                       const double *factor)
{
    const clkl_form form = side_of(batch, operand)->form;
    const size_t d = (size_t)batch->spec.shape[1], count = covariance_batch_count(batch, operand);
    for (size_t at = 0; at < count; ++at) {
        const double diagonal = count == d ? factor[at * d + at] : 0.0;
        const double number = count == d * d && form >= CLKL_MEAN_COVARIANCE
                                  ? scale_element(form, factor, d, at / d, at % d)
                              : form == CLKL_MEAN_LOGVAR ? 2.0 * log(diagonal)
                              : form == CLKL_MEAN_LOGSTD ? log(diagonal)
                              : form == CLKL_MEAN_VAR    ? diagonal * diagonal
                                                         : diagonal;
        covariance_batch_set(batch, operand, sample * count + at, number);
    }
}

static void draw_side(struct covariance_batch *batch, int first, double level)
{
    const size_t samples = (size_t)batch->spec.shape[0], d = (size_t)batch->spec.shape[1];
    double *factor = calloc(d * d, sizeof *factor);
    cr_assert_not_null(factor);
    for (int i = first; i < first + 2; ++i) {
        const size_t count = samples * covariance_batch_count(batch, i);
        batch->arrays[i] = calloc(count + 1, sizeof(double));
        batch->inputs.arrays[i] = count > 0 ? batch->arrays[i] : NULL;
    }
    for (size_t sample = 0; sample < samples && batch->inputs.arrays[first] != NULL; ++sample) {
        draw_factor((uint64_t)first, sample, d, level, factor);
        draw_scale(batch, first + 1, sample, factor);
        for (size_t i = 0; i < d; ++i)
            covariance_batch_set(batch, first, sample * d + i,
                                 level * hash_uniform(23, (uint64_t)first, sample * d + i, -1, 1));
    }
    free(factor);
}

struct covariance_batch covariance_batch_make(clkl_form p, clkl_form q, size_t samples, size_t d,
                                              clkl_dtype dtype, double level)
{
    struct covariance_batch batch = {
        .spec = {.struct_size = sizeof batch.spec,
                 .rank = 2,
                 .shape = {samples, d},
                 .p = {.form = p, .dtype = dtype},
                 .q = {.form = q, .dtype = dtype},
                 .outputs = CLKL_OUTPUT_PARTS | CLKL_OUTPUT_MATRIX_STATUS}};
    draw_side(&batch, CLKL_P_MEAN, level);
    draw_side(&batch, CLKL_Q_MEAN, level);
    return batch;
}

void covariance_batch_free(struct covariance_batch *batch)
{
    for (int i = 0; i < CLKL_ARRAYS; ++i)
        free(batch->arrays[i]);
}
