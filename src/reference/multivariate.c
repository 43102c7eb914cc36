#include "reference/multivariate.h"

#include "reference/triangular.h"

#include <math.h>

/* ---- Numbers of a side ---- */

static long double load(const void *array, clkl_dtype dtype, int64_t offset)
{
    return dtype == CLKL_F64 ? (long double)((const double *)array)[offset]
                             : (long double)((const float *)array)[offset];
}

long double clkl_multivariate_mean(const struct clkl_multivariate *g, size_t i)
{
    const struct clkl_side *side = g->side;
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return 0.0L;
    return load(g->mean, side->dtype, (int64_t)i * side->mean.strides[1]);
}

static long double scale_at(const struct clkl_multivariate *g, size_t row, size_t column)
{
    const struct clkl_operand *scale = &g->side->scale;
    int64_t offset = scale->origin + (int64_t)row * scale->strides[1];
    if (clkl_scale_is_matrix(g->side->scale_kind))
        offset += (int64_t)column * scale->strides[2];
    return load(g->scale, g->side->dtype, offset);
}

/* The power of the standard deviation, 1 or 2, of one coordinate of a diagonal side. */
static long double deviation_power(const struct clkl_multivariate *g, size_t i, int power)
{
    if (g->side->scale_kind == CLKL_SCALE_UNIT)
        return 1.0L;
    const long double scale = scale_at(g, i, i);
    switch (g->side->scale_kind) {
    case CLKL_SCALE_LOGVAR:
        return expl(0.5L * (long double)power * scale);
    case CLKL_SCALE_LOGSTD:
        return expl((long double)power * scale);
    case CLKL_SCALE_VAR:
        return power == 1 ? sqrtl(scale) : scale;
    default:
        return scale < 0.0L ? -1.0L : power == 1 ? scale : scale * scale;
    }
}

bool clkl_multivariate_is_diagonal(const struct clkl_multivariate *g)
{
    return !clkl_scale_is_matrix(g->side->scale_kind);
}

static bool is_good_pivot(long double x)
{
    return x > 0.0L && !isinf(x);
}

/* ---- Matrices of a side ---- */

static long double diagonal_entry(const struct clkl_multivariate *g, enum clkl_content content,
                                  size_t i)
{
    switch (content) {
    case CLKL_CONTENT_COVARIANCE:
        return deviation_power(g, i, 2);
    case CLKL_CONTENT_PRECISION:
    case CLKL_CONTENT_REVERSED_PRECISION:
        return 1.0L / deviation_power(g, i, 2);
    default:
        return deviation_power(g, i, 1);
    }
}

long double clkl_multivariate_entry(const struct clkl_multivariate *g, enum clkl_content content,
                                    size_t n, size_t row, size_t column)
{
    const bool reversed = content == CLKL_CONTENT_REVERSED_PRECISION;
    const size_t i = reversed ? n - 1 - column : row;
    const size_t j = reversed ? n - 1 - row : column;
    if (!clkl_multivariate_is_diagonal(g))
        return scale_at(g, i, j);
    return i == j ? diagonal_entry(g, content, i) : 0.0L;
}

static void fill(const struct clkl_multivariate *g, enum clkl_content content, size_t n,
                 long double *matrix)
{
    for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j <= i; ++j)
            matrix[i * n + j] = clkl_multivariate_entry(g, content, n, i, j);
}

/* ---- Status ---- */

/* The first row of a diagonal or a factor that no distribution has, from 1, or 0. */
static size_t bad_row(const struct clkl_multivariate *g, size_t n)
{
    for (size_t i = 0; i < n; ++i) {
        const bool diagonal = clkl_multivariate_is_diagonal(g);
        if (!is_good_pivot(diagonal ? deviation_power(g, i, 2) : scale_at(g, i, i)))
            return i + 1;
        for (size_t j = 0; j < i && !diagonal; ++j)
            if (!isfinite(scale_at(g, i, j)))
                return i + 1;
    }
    return 0;
}

void clkl_note_condition(const struct clkl_multivariate *g, const struct clkl_factoring *how,
                         const long double *factor, int32_t *status)
{
    long double least = INFINITY, most = 0.0L;
    for (size_t i = 0; i < how->n; ++i) {
        least = fminl(least, factor[i * how->n + i]);
        most = fmaxl(most, factor[i * how->n + i]);
    }
    const long double ratio = most / least;
    const bool few = ratio * ratio * (long double)how->epsilon > 0.01L;
    if (!clkl_multivariate_is_diagonal(g) && *status == 0 && few)
        *status = CLKL_MATRIX_FEW_DIGITS;
}

/* ---- Factors ---- */

static void add_to_diagonal(size_t n, long double *matrix, long double x)
{
    for (size_t i = 0; i < n; ++i)
        matrix[i * n + i] += x;
}

static long double mean_of_diagonal(size_t n, const long double *matrix)
{
    long double sum = 0.0L;
    for (size_t i = 0; i < n; ++i)
        sum += matrix[i * n + i];
    return sum / (long double)n;
}

/* What jitter amounts to; 0 where the diagonal's mean is no positive number. */
static long double jitter_of(const struct clkl_factoring *how, const long double *matrix)
{
    const long double added = (long double)how->jitter * mean_of_diagonal(how->n, matrix);
    return added > 0.0L && isfinite(added) ? added : 0.0L;
}

/* The factor of what `content` says, in place of it; tried once more with jitter. Returns the pivot
 * at which both failed, or 0. */
static size_t factor_matrix(const struct clkl_multivariate *g, enum clkl_content content,
                            const struct clkl_factoring *how, long double *matrix,
                            long double *added)
{
    fill(g, content, how->n, matrix);
    const size_t pivot = clkl_cholesky(how->n, matrix);
    if (pivot == 0 || how->jitter == 0.0)
        return pivot;
    fill(g, content, how->n, matrix);
    *added = jitter_of(how, matrix);
    add_to_diagonal(how->n, matrix, *added);
    return clkl_cholesky(how->n, matrix);
}

bool clkl_multivariate_factor(const struct clkl_multivariate *g, enum clkl_content content,
                              const struct clkl_factoring *how, long double *matrix,
                              long double *added, int32_t *status)
{
    size_t pivot = clkl_multivariate_is_diagonal(g) ? bad_row(g, how->n) : 0;
    *added = 0.0L;
    if (pivot == 0)
        pivot = factor_matrix(g, content, how, matrix, added);
    if (pivot != 0 && content == CLKL_CONTENT_REVERSED_PRECISION)
        pivot = how->n + 1 - pivot;
    *status = pivot != 0 ? (int32_t)pivot : *added != 0.0L ? CLKL_MATRIX_JITTERED : 0;
    if (pivot == 0)
        clkl_note_condition(g, how, matrix, status);
    return pivot == 0;
}

bool clkl_multivariate_lower(const struct clkl_multivariate *g, const struct clkl_factoring *how,
                             long double *matrix, int32_t *status)
{
    long double added;
    if (g->side->scale_kind == CLKL_SCALE_COVARIANCE)
        return clkl_multivariate_factor(g, CLKL_CONTENT_COVARIANCE, how, matrix, &added, status);
    if (g->side->scale_kind == CLKL_SCALE_PRECISION) {
        const bool good = clkl_multivariate_factor(g, CLKL_CONTENT_REVERSED_PRECISION, how, matrix,
                                                   &added, status);
        clkl_mirror(how->n, matrix);
        return good;
    }
    fill(g, CLKL_CONTENT_FACTOR, how->n, matrix);
    *status = (int32_t)bad_row(g, how->n);
    const bool good = *status == 0;
    if (good)
        clkl_note_condition(g, how, matrix, status);
    return good;
}
