/* With the Cholesky factors of the covariances, S = L L^T, all is told by the lower triangle E of
 *
 *     L_q E = L_p - L_q        KL = sum_i [ psi(E_ii) + 1/2 sum_{j <= i} E_ij^2 ] + |y|^2 / 2
 *
 * and y of L_q y = mu_p - mu_q; docs/full_covariance.md derives it. There are three ways to E:
 *
 * - factors on both sides: as it says. A factor may have been made from a covariance; a precision
 *   matrix is given a lower R with R^T R = S^-1, so that R is the inverse of L.
 * - two covariances (diagonals are such, too): their difference goes through the factor of S_q
 *   alone, because two factorisations would lose what it holds. Only where they are far apart, both
 *   are factored.
 * - two precision matrices: exchanged they are covariances of the same divergence, apart from the
 *   means.
 *
 * Diagonals are held as matrices here, which the kernels need not do. */
#include "reference/covariance.h"

#include "reference/triangular.h"

#include <math.h>
#include <stdlib.h>

/* ---- Work ---- */

bool clkl_covariance_work_make(struct clkl_covariance_work *work, size_t n)
{
    *work = (struct clkl_covariance_work){.how = {.n = n}};
    if (n > SIZE_MAX / sizeof(long double) / 2 / (n + 2))
        return false;
    work->a = malloc((2 * n * n + 3 * n) * sizeof *work->a);
    if (work->a == NULL)
        return false;
    work->b = work->a + n * n;
    work->covariance = work->b + n * n;
    work->mean = work->covariance + n;
    work->ratio = work->mean + n;
    return true;
}

void clkl_covariance_work_free(struct clkl_covariance_work *work)
{
    free(work->a);
    work->a = NULL;
}

/* ---- E from factors ---- */

/* b becomes E of a E = b - a, for lower triangles a and b. */
static void divide_factors(struct clkl_covariance_work *work)
{
    const size_t n = work->how.n;
    clkl_transpose(n, work->b);
    for (size_t j = 0; j < n; ++j) {
        long double *column = work->b + j * n;
        work->ratio[j] = column[j] / work->a[j * n + j];
        for (size_t i = j; i < n; ++i)
            column[i] -= work->a[i * n + j];
        clkl_substitute(n, work->a, j, n, column);
    }
    clkl_transpose(n, work->b);
}

/* b becomes the product a b of lower triangles, less the identity. */
static void multiply_factors(struct clkl_covariance_work *work)
{
    const size_t n = work->how.n;
    for (size_t j = 0; j < n; ++j) {
        const long double left = work->a[j * n + j], right = work->b[j * n + j];
        work->ratio[j] = left * right;
    }
    clkl_transpose(n, work->b);
    for (size_t j = 0; j < n; ++j) {
        long double *column = work->b + j * n;
        const long double diagonal = column[j];
        clkl_multiply(n, work->a, j, column);
        column[j] = fmal(work->a[j * n + j], diagonal, -1.0L);
    }
    clkl_transpose(n, work->b);
}

/* b, which is T - I for a lower triangle T, becomes E = T^-1 - I, of T E = I - T. */
static void invert_beside_identity(struct clkl_covariance_work *work)
{
    const size_t n = work->how.n;
    for (size_t i = 0; i < n; ++i) {
        for (size_t j = 0; j <= i; ++j) {
            work->a[i * n + j] = i == j ? work->ratio[i] : work->b[i * n + j];
            work->b[i * n + j] = -work->b[i * n + j];
        }
        work->ratio[i] = 1.0L / work->ratio[i];
    }
    clkl_transpose(n, work->b);
    for (size_t j = 0; j < n; ++j)
        clkl_substitute(n, work->a, j, n, work->b + j * n);
    clkl_transpose(n, work->b);
}

/* `work->mean` holds the distance of the means and becomes y. */
static bool solve_from_factors(const struct clkl_multivariate *p, const struct clkl_multivariate *q,
                               struct clkl_covariance_work *work)
{
    const bool p_inverse = p->side->scale_kind == CLKL_SCALE_PRECISION;
    const bool q_inverse = q->side->scale_kind == CLKL_SCALE_PRECISION;
    long double *const of_q = p_inverse ? work->b : work->a;
    const bool p_good =
        clkl_multivariate_lower(p, &work->how, p_inverse ? work->a : work->b, &work->status.p);
    const bool q_good = clkl_multivariate_lower(q, &work->how, of_q, &work->status.q);
    if (!p_good || !q_good)
        return false;
    if (q_inverse)
        clkl_multiply(work->how.n, of_q, 0, work->mean);
    else
        clkl_substitute(work->how.n, of_q, 0, work->how.n, work->mean);
    if (!p_inverse && !q_inverse)
        divide_factors(work);
    else
        multiply_factors(work);
    if (p_inverse)
        invert_beside_identity(work);
    return true;
}

/* ---- E from two covariances, or two precisions ---- */

/* b becomes M = L^-1 (S_p - S_q) L^-T, with the factor L of S_q, to which `added` was added, in a.
 * Returns the sum of the squares of its elements. */
static long double difference_through_factor(const struct clkl_multivariate *p,
                                             const struct clkl_multivariate *q,
                                             enum clkl_content content, long double added,
                                             struct clkl_covariance_work *work)
{
    const size_t n = work->how.n;
    long double squares = 0.0L;
    for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j <= i; ++j)
            work->b[i * n + j] = work->b[j * n + i] = clkl_multivariate_entry(p, content, n, i, j) -
                                                      clkl_multivariate_entry(q, content, n, i, j) -
                                                      (i == j ? added : 0.0L);
    clkl_substitute_all(n, work->a, work->b);
    clkl_transpose(n, work->b);
    clkl_substitute_all(n, work->a, work->b);
    for (size_t i = 0; i < n; ++i) {
        const long double *row = work->b + i * n;
        for (size_t j = 0; j <= i; ++j)
            squares += (i == j ? 1.0L : 2.0L) * row[j] * row[j];
    }
    return squares;
}

/* F in b, from M there; y in `work->mean`; and what the diagonal of S_p's factor L_q (I + F) says
 * of its condition. Precisions have changed places, so that y is that factor's transpose times the
 * distance. */
static void finish_beside(const struct clkl_multivariate *p, enum clkl_content content,
                          struct clkl_covariance_work *work, int32_t *p_status)
{
    const size_t n = work->how.n;
    clkl_cholesky_beside_identity(n, work->b);
    if (content == CLKL_CONTENT_COVARIANCE) {
        clkl_substitute(n, work->a, 0, n, work->mean);
    } else {
        clkl_multiply_transposed(n, 0.0L, work->a, work->mean);
        clkl_multiply_transposed(n, 1.0L, work->b, work->mean);
    }
    for (size_t i = 0; i < n; ++i) {
        work->ratio[i] = 1.0L + work->b[i * n + i];
        work->a[i * n + i] *= work->ratio[i];
    }
    clkl_note_condition(p, &work->how, work->a, p_status);
}

/* The same where the two are far apart, by a factor of S_p, too. */
static bool finish_apart(const struct clkl_multivariate *p, enum clkl_content content,
                         struct clkl_covariance_work *work, int32_t *p_status)
{
    const size_t n = work->how.n;
    long double added;
    if (!clkl_multivariate_factor(p, content, &work->how, work->b, &added, p_status))
        return false;
    if (content == CLKL_CONTENT_COVARIANCE)
        clkl_substitute(n, work->a, 0, n, work->mean);
    else
        clkl_multiply_transposed(n, 0.0L, work->b, work->mean);
    divide_factors(work);
    return true;
}

/* As solve_from_factors. While the sum of M's squares is at most 1/4, so are those of its
 * eigenvalues, and I + M loses nothing; every S_p that has no factor is beyond that. */
static bool solve_from_covariances(const struct clkl_multivariate *p,
                                   const struct clkl_multivariate *q, enum clkl_content content,
                                   struct clkl_covariance_work *work, int32_t *p_status,
                                   int32_t *q_status)
{
    long double added;
    if (!clkl_multivariate_factor(q, content, &work->how, work->a, &added, q_status)) {
        clkl_multivariate_factor(p, content, &work->how, work->b, &added, p_status);
        return false;
    }
    const long double squares = difference_through_factor(p, q, content, added, work);
    if (!(squares <= 0.25L))
        return finish_apart(p, content, work, p_status);
    finish_beside(p, content, work, p_status);
    return true;
}

static bool solve(const struct clkl_multivariate *p, const struct clkl_multivariate *q,
                  struct clkl_covariance_work *work)
{
    const enum clkl_scale of_p = p->side->scale_kind, of_q = q->side->scale_kind;
    const bool covariances = (of_p == CLKL_SCALE_COVARIANCE || clkl_multivariate_is_diagonal(p)) &&
                             (of_q == CLKL_SCALE_COVARIANCE || clkl_multivariate_is_diagonal(q));
    const bool precisions = (of_p == CLKL_SCALE_PRECISION || clkl_multivariate_is_diagonal(p)) &&
                            (of_q == CLKL_SCALE_PRECISION || clkl_multivariate_is_diagonal(q));
    if (covariances)
        return solve_from_covariances(p, q, CLKL_CONTENT_COVARIANCE, work, &work->status.p,
                                      &work->status.q);
    if (!precisions)
        return solve_from_factors(p, q, work);
    return solve_from_covariances(q, p, CLKL_CONTENT_PRECISION, work, &work->status.q,
                                  &work->status.p);
}

/* ---- Contributions ---- */

/* psi(e) = e - log1p(e), with r = 1 + e known by itself. Near 0, with z = e / (2 + e), log1p(e) is
 * 2 (z + z^3/3 + z^5/5 + ...) and e - 2z = ez, so that next to nothing cancels. */
static long double psi(long double e, long double r)
{
    if (!(e >= -0.5L && e <= 1.0L))
        return e - logl(r);
    const long double z = e / (2.0L + e);
    long double sum = 0.0L, power = z * z;
    for (int k = 3; sum + power / (long double)k != sum; k += 2) {
        sum += power / (long double)k;
        power *= z * z;
    }
    return z * (e - 2.0L * sum);
}

static long double half_square(long double x)
{
    return 0.5L * x * x;
}

/* From E, its diagonal once more as `ratio`, and y. */
static void contribute(struct clkl_covariance_work *work)
{
    for (size_t i = 0; i < work->how.n; ++i) {
        const long double *row = work->b + i * work->how.n;
        long double sum = psi(row[i], work->ratio[i]);
        for (size_t j = 0; j <= i; ++j)
            sum += half_square(row[j]);
        work->covariance[i] = sum;
        work->mean[i] = half_square(work->mean[i]);
    }
}

static void set(size_t n, long double *x, long double value)
{
    for (size_t i = 0; i < n; ++i)
        x[i] = value;
}

/* What is special about the means: one that is NaN, and the first distance that is infinite, or n.
 */
struct special_means {
    bool nan;
    size_t first_infinite;
};

/* The distance of the means, into `work->mean`, with 0 where it is not finite. */
static struct special_means take_means(const struct clkl_multivariate *p,
                                       const struct clkl_multivariate *q,
                                       struct clkl_covariance_work *work)
{
    struct special_means special = {false, work->how.n};
    for (size_t i = work->how.n; i-- > 0;) {
        const long double distance = clkl_multivariate_mean(p, i) - clkl_multivariate_mean(q, i);
        special.nan = special.nan || isnan(distance);
        if (isinf(distance))
            special.first_infinite = i;
        work->mean[i] = isfinite(distance) ? distance : 0.0L;
    }
    return special;
}

void clkl_covariance_divergence(const struct clkl_multivariate *p,
                                const struct clkl_multivariate *q,
                                struct clkl_covariance_work *work)
{
    const size_t n = work->how.n;
    work->status = (clkl_matrix_status){0, 0};
    const struct special_means special = take_means(p, q, work);
    if (!solve(p, q, work)) {
        set(n, work->covariance, NAN);
        set(n, work->mean, NAN);
        return;
    }
    contribute(work);
    if (special.nan)
        set(n, work->mean, NAN);
    else
        set(n - special.first_infinite, work->mean + special.first_infinite, INFINITY);
}
