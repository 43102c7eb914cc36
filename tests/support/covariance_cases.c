#include "covariance_cases.h"

#include "hash.h"
#include "latents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The table ---- */

enum { PAIR, NEAR, NARROW, NARROW_SOME, HILBERT, DIGITS, PHOTOS };

enum { MOST_SIZES = 12, MOST_LEVELS = 10, MOST_PAIRS = 40 };

/* A family has a case for each pair of forms, each level and each size. */
struct family {
    const char *name;
    int family;
    const char *pairs; /* two letters each */
    bool wide;
    double levels[MOST_LEVELS]; /* ended by 0 */
    size_t sizes[MOST_SIZES];   /* ended by 0 */
};

/* clang-format off */
#define ALL_PAIRS   "cu cv cs cl cc ct cp tu tv ts tl tc tt tp pu pv ps pl pc pt pp " \
                    "uc ut up vc vt vp sc st sp lc lt lp"
#define MATRICES    "cc ct cp tc tt tp pc pt pp"
#define SAME_KIND   "cc tt pp cv vc cu uc pu up pv ts st tu ut"
#define LEVELS      {1e-5, 1e-4, 1e-3, 1e-2, 1e-1, 1.0, 1e1, 1e2, 1e3}
#define RATIOS      {1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6}

static const struct family families[] = {
    {"pair", PAIR, ALL_PAIRS, false, {1.0}, {1, 2, 3, 4, 5, 6, 7, 8, 16}},
    {"pair", PAIR, MATRICES, false, {1.0}, {33, 64}},
    {"wide", PAIR, ALL_PAIRS, true, {1e-1}, {3, 8}},
    {"near", NEAR, SAME_KIND, false, LEVELS, {1, 2, 4, 8, 16, 33}},
    {"near", NEAR, "cc tt pp", false, LEVELS, {64}},
    {"near-wide", NEAR, SAME_KIND, true, {1e-5, 1e-2, 1e3}, {1, 5, 16}},
    {"near-mixed", NEAR, "ct tc cp pc tp pt", true, {1e-5, 1e-3, 1e-1}, {1, 2, 7, 16}},
    /* P's standard deviations are `level` times those of Q: in every direction, or in half. */
    {"narrow", NARROW, "cc tt pp cu vc sc cp tp pt ct", false, RATIOS, {1, 3, 8, 33}},
    {"narrow-some", NARROW_SOME, "tt tu tv", false, RATIOS, {2, 3, 8, 33}},
    {"narrow-some", NARROW_SOME, "cc cu pp cp", true, {1e-1, 1e-2, 1e-3, 1e-4}, {2, 3, 8}},
    {"hilbert", HILBERT, "cc cu uc pp pu", false, {1.0}, {1, 2, 3, 4}},
    {"hilbert", HILBERT, "cc cu uc pp pu", true, {1.0}, {2, 3, 4, 5, 6, 7, 8}},
    {"digits", DIGITS, "cc cu cv vc", false, {1.0}, {16}},
    {"digits", DIGITS, "cc uc", true, {1.0}, {16}},
    {"photos", PHOTOS, "cc cu cv", true, {1.0}, {64}},
    {"large", NEAR, "cc tt pp", false, {1e-3, 1.0}, {130}},
    {"large", NEAR, "cc", false, {1e-4}, {256}},
};
/* clang-format on */

static clkl_form form_of(char letter)
{
    switch (letter) {
    case 'u':
        return CLKL_STANDARD_NORMAL;
    case 'v':
        return CLKL_MEAN_VAR;
    case 's':
        return CLKL_MEAN_STD;
    case 'l':
        return CLKL_MEAN_LOGVAR;
    case 'c':
        return CLKL_MEAN_COVARIANCE;
    case 't':
        return CLKL_MEAN_CHOLESKY;
    default:
        return CLKL_MEAN_PRECISION;
    }
}

static size_t count_of(const double *levels, const size_t *sizes)
{
    size_t level = 0, size = 0;
    while (level < MOST_LEVELS && levels[level] > 0.0)
        level++;
    while (size < MOST_SIZES && sizes[size] > 0)
        size++;
    return level * size;
}

static size_t size_count(const struct family *f)
{
    const double one[MOST_LEVELS] = {1.0};
    return count_of(one, f->sizes);
}

/* Digits have a case for each pair of neighbouring classes. */
static size_t copies_of(const struct family *f)
{
    return f->family == DIGITS ? 9 : 1;
}

static size_t cases_of(const struct family *f)
{
    return (strlen(f->pairs) + 1) / 3 * count_of(f->levels, f->sizes) * copies_of(f);
}

static void make_case(const struct family *f, size_t index, struct covariance_case *out)
{
    const size_t sizes = size_count(f), copies = copies_of(f);
    const size_t levels = count_of(f->levels, f->sizes) / sizes;
    const size_t copy = index % copies, size = index / copies % sizes;
    const size_t level = index / copies / sizes % levels;
    const char *pair = f->pairs + index / copies / sizes / levels * 3;
    *out = (struct covariance_case){.family = f->family,
                                    .level = f->levels[level],
                                    .first = (int)copy,
                                    .second = (int)copy + 1,
                                    .d = f->sizes[size],
                                    .p = form_of(pair[0]),
                                    .q = form_of(pair[1]),
                                    .wide = f->wide};
    snprintf(out->name, sizeof out->name, "%s.%c%c.%s%.0e.d%zu%s%.0d", f->name, pair[0], pair[1],
             f->wide ? "double." : "", out->level, out->d, copies > 1 ? ".class" : "",
             copies > 1 ? out->second : 0);
}

bool covariance_case_at(size_t index, struct covariance_case *out)
{
    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        const size_t cases = cases_of(&families[i]);
        if (index < cases) {
            make_case(&families[i], index, out);
            return true;
        }
        index -= cases;
    }
    return false;
}

/* ---- Matrices ---- */

static bool is_matrix(clkl_form form)
{
    return form >= CLKL_MEAN_COVARIANCE;
}

size_t covariance_scale_count(clkl_form form, size_t d)
{
    return is_matrix(form) ? d * d : form == CLKL_STANDARD_NORMAL ? 0 : d;
}

static double *make_array(size_t count)
{
    double *array = calloc(count + 1, sizeof *array);
    if (array == NULL) {
        fprintf(stderr, "no memory for the inputs of a test\n");
        exit(2);
    }
    return array;
}

/* out = a b^T, for lower triangles. */
static void multiply_transposed(size_t d, const double *a, const double *b, double *out)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++) {
            double sum = 0.0;
            for (size_t k = 0; k <= i && k <= j; k++)
                sum += a[i * d + k] * b[j * d + k];
            out[i * d + j] = sum;
        }
}

/* out = a b, for lower triangles. */
static void multiply(size_t d, const double *a, const double *b, double *out)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = 0.0;
            for (size_t k = j; k <= i; k++)
                sum += a[i * d + k] * b[k * d + j];
            out[i * d + j] = sum;
        }
}

/* The transpose of the inverse of a lower triangle, as rows of the inverse's columns. */
static void invert_transposed(size_t d, const double *lower, double *out)
{
    memset(out, 0, d * d * sizeof *out);
    for (size_t j = 0; j < d; j++)
        for (size_t i = j; i < d; i++) {
            double sum = i == j ? 1.0 : 0.0;
            for (size_t k = j; k < i; k++)
                sum -= lower[i * d + k] * out[j * d + k];
            out[j * d + i] = sum / lower[i * d + i];
        }
}

/* The inverse of L L^T: with C = L^-T in rows, the product C C^T. */
static void invert_product(size_t d, const double *lower, double *out)
{
    double *inverse = make_array(d * d);
    invert_transposed(d, lower, inverse);
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++) {
            double sum = 0.0;
            for (size_t k = i > j ? i : j; k < d; k++)
                sum += inverse[i * d + k] * inverse[j * d + k];
            out[i * d + j] = sum;
        }
    free(inverse);
}

/* ---- What both sides have in common, and what not ---- */

enum { STREAM_DIAGONAL, STREAM_BELOW, STREAM_CHANGE, STREAM_MEAN, STREAM_SHIFT, STREAM_LOG };

static bool has(const struct covariance_case *c, bool (*property)(clkl_form))
{
    return property(c->p) || property(c->q);
}

static bool is_unit(clkl_form form)
{
    return form == CLKL_STANDARD_NORMAL;
}

static bool is_diagonal(clkl_form form)
{
    return !is_matrix(form);
}

static void make_base(const struct covariance_case *c, uint64_t seed, double *base)
{
    const double spread = 0.7 / sqrt((double)c->d);
    for (size_t i = 0; i < c->d; i++) {
        base[i * c->d + i] =
            has(c, is_unit) ? 1.0 : hash_uniform(seed, STREAM_DIAGONAL, i, 0.5, 2.0);
        for (size_t j = 0; j < i && !has(c, is_diagonal); j++)
            base[i * c->d + j] = hash_uniform(seed, STREAM_BELOW, i * c->d + j, -1.5, 1.5) * spread;
    }
}

/* I + level G. Far from I, the diagonal of G is positive, so that the condition stays low. */
static void make_change(const struct covariance_case *c, uint64_t seed, double *change)
{
    const double level = c->family == NARROW || c->family == NARROW_SOME ? 0.25 : c->level;
    for (size_t i = 0; i < c->d; i++)
        for (size_t j = 0; j <= i; j++) {
            const double g = hash_uniform(seed, STREAM_CHANGE, i * c->d + j, -0.9, 0.9);
            change[i * c->d + j] = i == j ? 1.0 + level * (level > 0.5 ? 0.45 + 0.5 * fabs(g) : g)
                                          : level * g / sqrt((double)c->d);
        }
}

static void scale_columns(size_t d, size_t first, double factor, double *matrix)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = first; j < d; j++)
            matrix[i * d + j] *= factor;
}

/* The factors of both covariances. */
static void make_factors(const struct covariance_case *c, uint64_t seed, double *of_p, double *of_q)
{
    double *change = make_array(c->d * c->d);
    double *const changed = is_matrix(c->p) ? of_p : of_q;
    double *const other = is_matrix(c->p) ? of_q : of_p;
    make_base(c, seed, other);
    make_change(c, seed, change);
    multiply(c->d, other, change, changed);
    if (c->family == NARROW && !is_unit(c->p))
        scale_columns(c->d, 0, c->level, of_p);
    if (c->family == NARROW_SOME)
        scale_columns(c->d, c->d / 2, c->level, of_p);
    free(change);
}

static void make_means(const struct covariance_case *c, uint64_t seed, double *p, double *q)
{
    const double level = c->family == NEAR ? c->level : 0.5;
    for (size_t i = 0; i < c->d; i++) {
        const double mean = hash_uniform(seed, STREAM_MEAN, i, -1.0, 1.0);
        const double shift = level * hash_uniform(seed, STREAM_SHIFT, i, -1.0, 1.0);
        q[i] = is_unit(c->q) ? 0.0 : is_unit(c->p) ? shift : mean;
        p[i] = is_unit(c->p) ? 0.0 : is_unit(c->q) ? shift : mean + shift;
    }
}

/* ---- Scales from factors, or from covariances ---- */

static void from_factor(clkl_form form, uint64_t seed, size_t d, const double *lower, double *scale)
{
    for (size_t i = 0; i < d && is_diagonal(form) && !is_unit(form); i++) {
        const double deviation = lower[i * d + i];
        scale[i] = form == CLKL_MEAN_STD   ? deviation
                   : form == CLKL_MEAN_VAR ? deviation * deviation
                                           : hash_uniform(seed, STREAM_LOG, i, -2.0, 1.0);
    }
    if (form == CLKL_MEAN_COVARIANCE)
        multiply_transposed(d, lower, lower, scale);
    if (form == CLKL_MEAN_CHOLESKY)
        memcpy(scale, lower, d * d * sizeof *scale);
    if (form == CLKL_MEAN_PRECISION)
        invert_product(d, lower, scale);
}

static void from_covariance(clkl_form form, size_t d, const double *covariance, double *scale)
{
    if (is_matrix(form)) /* or what stands for a precision */
        memcpy(scale, covariance, d * d * sizeof *scale);
    for (size_t i = 0; i < d && form == CLKL_MEAN_VAR; i++)
        scale[i] = covariance[i * d + i];
}

/* 1 / (i + j + 1), and for Q with 1 / 2 in place of the last 1. */
static void make_hilbert(size_t d, double shift, double *matrix)
{
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < d; j++)
            matrix[i * d + j] = 1.0 / ((double)(i + j) + shift);
}

static void make_covariances(const struct covariance_case *c, double *p_mean, double *of_p,
                             double *q_mean, double *of_q)
{
    if (c->family == HILBERT) {
        make_hilbert(c->d, 1.0, of_p);
        make_hilbert(c->d, 0.5, of_q);
        make_means(c, hash_text(c->name), p_mean, q_mean);
    } else if (c->family == DIGITS) {
        latents_digits(c->first, p_mean, of_p);
        latents_digits(c->second, q_mean, of_q);
    } else {
        latents_photos(0, p_mean, of_p);
        latents_photos(1, q_mean, of_q);
    }
}

/* ---- Inputs ---- */

static void round_all(const struct covariance_case *c, clkl_form form, double *mean, double *scale)
{
    for (size_t i = 0; i < c->d && !c->wide; i++)
        mean[i] = (double)(float)mean[i];
    for (size_t i = 0; i < covariance_scale_count(form, c->d) && !c->wide; i++)
        scale[i] = (double)(float)scale[i];
    for (size_t i = 0; i < c->d && form == CLKL_MEAN_CHOLESKY; i++)
        for (size_t j = i + 1; j < c->d; j++)
            scale[i * c->d + j] = NAN;
    for (size_t i = 0; i < c->d && is_unit(form); i++)
        mean[i] = 0.0;
}

void covariance_inputs_make(const struct covariance_case *c, struct covariance_inputs *p,
                            struct covariance_inputs *q)
{
    const size_t square = c->d * c->d;
    const uint64_t seed = hash_text(c->name);
    double *of_p = make_array(square), *of_q = make_array(square);
    *p = (struct covariance_inputs){make_array(c->d), make_array(square)};
    *q = (struct covariance_inputs){make_array(c->d), make_array(square)};
    if (c->family <= NARROW_SOME) {
        make_means(c, seed, p->mean, q->mean);
        make_factors(c, seed, of_p, of_q);
        from_factor(c->p, seed, c->d, of_p, p->scale);
        from_factor(c->q, seed + 1, c->d, of_q, q->scale);
    } else {
        make_covariances(c, p->mean, of_p, q->mean, of_q);
        from_covariance(c->p, c->d, of_p, p->scale);
        from_covariance(c->q, c->d, of_q, q->scale);
    }
    round_all(c, c->p, p->mean, p->scale);
    round_all(c, c->q, q->mean, q->scale);
    free(of_p);
    free(of_q);
}

void covariance_inputs_free(struct covariance_inputs *inputs)
{
    free(inputs->mean);
    free(inputs->scale);
    *inputs = (struct covariance_inputs){NULL, NULL};
}

bool covariance_case_same_kind(const struct covariance_case *c)
{
    if (is_diagonal(c->p) || is_diagonal(c->q)) {
        const clkl_form diagonal = is_diagonal(c->p) ? c->p : c->q;
        const clkl_form matrix = is_diagonal(c->p) ? c->q : c->p;
        return diagonal == CLKL_STANDARD_NORMAL ||
               (diagonal == CLKL_MEAN_VAR && matrix == CLKL_MEAN_COVARIANCE) ||
               (diagonal == CLKL_MEAN_STD && matrix == CLKL_MEAN_CHOLESKY);
    }
    return c->p == c->q;
}
