#include "cases.h"
#include "hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Sets of kinds. */
enum {
    STANDARD = 1u << SCALE_STANDARD,
    LOGVAR = 1u << SCALE_LOGVAR,
    LOGSTD = 1u << SCALE_LOGSTD,
    VAR = 1u << SCALE_VAR,
    STD = 1u << SCALE_STD,
    GIVEN = LOGVAR | LOGSTD | VAR | STD,
};

/* Which pairs of a kind of P with a kind of Q a family has. Never standard with standard. */
enum match { ANY, SAME, MIXED };

/* What else is true of the cases of a family; see struct test_case. */
enum { SHARED_Q = 1, CONSTANT = 2, CLAMPED = 4, WIDE = 8 };

/*
 * A family with levels has a case for each power of ten 10^first, 10^(first + step), ... 10^last.
 * DIFFERENCES: the draws of P, or of Q where P is standard, are multiplied by it. DIVERGENCES: the
 * draws of P are chosen so that the divergence of a sample is around three times it; draws of P
 * that are 0 stay so.
 */
enum level_rule { NO_LEVELS, DIFFERENCES, DIVERGENCES };

struct levels {
    enum level_rule rule;
    int first, last, step;
};

struct shape {
    uint64_t elements, batch;
};

#define MAX_SHAPES 12

/* One row of the table: a case for each pair of kinds, each level and each shape. */
struct family {
    const char *name;
    unsigned p, q;
    enum match match;
    unsigned traits;
    struct levels levels;
    struct draw p_mean, p_scale, q_mean, q_scale;
    struct shape shapes[MAX_SHAPES]; /* ended by one without elements */
};

static const float clamp_lo = -30.0f, clamp_hi = 20.0f;

/* clang-format off */
#define U(lo, hi)         { lo, hi, 0 }
#define SIGNED(lo, hi)    { lo, hi, DRAW_SIGNED }
#define BESIDE(lo, hi)    { lo, hi, DRAW_BESIDE }
#define OFF(lo, hi)       { lo, hi, DRAW_BESIDE | DRAW_SIGNED }
#define SIGMAS(lo, hi)    { lo, hi, DRAW_SIGMAS }
#define AWAY(lo, hi)      { lo, hi, DRAW_BESIDE | DRAW_SIGMAS }
#define FAR_OFF(lo, hi)   { lo, hi, DRAW_BESIDE | DRAW_SIGMAS | DRAW_SIGNED }
#define ONE_LEVEL         { NO_LEVELS, 0, 0, 1 }
#define NONE              { 0, 0, 0 }
#define EQUAL             { 0, 0, DRAW_BESIDE }
/* Ordinary values of a variational autoencoder. */
#define MEANS             U(-3, 3)
#define SCALES            U(-6, 2)

static const struct family families[] = {
    /* Every pair of kinds at ordinary values. */
    {"pair", GIVEN | STANDARD, GIVEN | STANDARD, ANY, 0, ONE_LEVEL,
     MEANS, SCALES, MEANS, SCALES, {{7, 3}, {1000, 2}}},
    {"shared", GIVEN | STANDARD, GIVEN, ANY, SHARED_Q, ONE_LEVEL,
     MEANS, SCALES, MEANS, SCALES, {{100, 4}}},

    /* P and Q that nearly meet; scales alone; and P around a standard Q. */
    {"near", GIVEN, GIVEN | STANDARD, ANY, 0, {DIFFERENCES, -7, -1, 1},
     OFF(0.5, 1), OFF(0.5, 1), MEANS, SCALES, {{257, 2}}},
    {"near", STANDARD, GIVEN, ANY, 0, {DIFFERENCES, -7, -1, 1},
     NONE, NONE, SIGNED(0.5, 1), SIGNED(0.5, 1), {{257, 2}}},
    {"near-scale", GIVEN, GIVEN | STANDARD, ANY, 0, {DIFFERENCES, -7, -1, 1},
     EQUAL, OFF(0.5, 1), MEANS, SCALES, {{64, 1}}},
    {"near-shared", GIVEN, GIVEN, SAME, SHARED_Q, {DIFFERENCES, -5, -1, 2},
     OFF(0.5, 1), OFF(0.5, 1), MEANS, SCALES, {{64, 2}}},

    /* Divergences from 1e-12 to 1e12. */
    {"kl", GIVEN, STANDARD, ANY, 0, {DIVERGENCES, -12, 11, 1},
     BESIDE(-1, 1), BESIDE(-1, 1), NONE, NONE, {{10, 2}}},
    {"kl", GIVEN, GIVEN, SAME, 0, {DIVERGENCES, -12, 11, 1},
     AWAY(-1, 1), BESIDE(-1, 1), MEANS, SCALES, {{10, 2}}},
    {"kl", GIVEN, GIVEN, MIXED, 0, {DIVERGENCES, -12, 11, 3},
     AWAY(-1, 1), BESIDE(-1, 1), MEANS, SCALES, {{10, 1}}},
    {"kl-mean", GIVEN, STANDARD, ANY, 0, {DIVERGENCES, -12, 11, 3},
     BESIDE(-1, 1), EQUAL, NONE, NONE, {{10, 1}}},
    {"kl-mean", GIVEN, GIVEN, SAME, 0, {DIVERGENCES, -12, 11, 3},
     AWAY(-1, 1), EQUAL, U(-1, 1), SCALES, {{10, 1}}},
    {"kl-scale", GIVEN, STANDARD, ANY, 0, {DIVERGENCES, -12, 11, 3},
     EQUAL, BESIDE(-1, 1), NONE, NONE, {{10, 1}}},
    {"kl-scale", GIVEN, GIVEN, SAME, 0, {DIVERGENCES, -12, 11, 3},
     EQUAL, BESIDE(-1, 1), MEANS, SCALES, {{10, 1}}},
    {"tiny", LOGVAR | LOGSTD, STANDARD, ANY, 0, {DIVERGENCES, -36, -15, 3},
     BESIDE(-1, 1), BESIDE(-1, 1), NONE, NONE, {{10, 1}}},
    {"tiny-mean", GIVEN, STANDARD, ANY, 0, {DIVERGENCES, -36, -15, 7},
     BESIDE(-1, 1), EQUAL, NONE, NONE, {{10, 1}}},

    /* Log-variances from -80 to 80. */
    {"range", GIVEN, STANDARD, ANY, 0, ONE_LEVEL,
     MEANS, U(-80, 80), NONE, NONE, {{1, 24}, {17, 2}}},
    {"range", STANDARD, GIVEN, ANY, 0, ONE_LEVEL,
     NONE, NONE, SIGMAS(-3, 3), U(-80, 80), {{1, 12}, {17, 2}}},
    {"range", GIVEN, GIVEN, ANY, 0, ONE_LEVEL,
     AWAY(-3, 3), U(-40, 40), SIGMAS(-3, 3), U(-40, 40), {{1, 10}, {17, 1}}},
    {"range-low", GIVEN, GIVEN, ANY, 0, ONE_LEVEL,
     AWAY(-3, 3), U(-80, 0), SIGMAS(-3, 3), U(-80, 0), {{1, 5}}},
    {"range-high", GIVEN, GIVEN, ANY, 0, ONE_LEVEL,
     AWAY(-3, 3), U(0, 80), SIGMAS(-3, 3), U(0, 80), {{1, 5}}},
    {"range-along", GIVEN, GIVEN, ANY, 0, ONE_LEVEL,
     AWAY(-3, 3), BESIDE(-8, 8), SIGMAS(-3, 3), U(-72, 72), {{1, 5}, {17, 1}}},

    /* Results between FLT_MAX / 2 and FLT_MAX, from the scales and from the means. */
    {"top", LOGVAR | LOGSTD | STD, STANDARD, ANY, 0, ONE_LEVEL,
     NONE, U(88.8, 89.4), NONE, NONE, {{1, 6}}},
    {"top", GIVEN, GIVEN, ANY, 0, ONE_LEVEL,
     EQUAL, BESIDE(88.8, 89.4), SIGMAS(-3, 3), U(-80, -9.5), {{1, 3}}},
    {"top-sum", LOGVAR | LOGSTD | STD, STANDARD, ANY, 0, ONE_LEVEL,
     MEANS, U(86, 86.5), NONE, NONE, {{17, 2}}},
    {"top-sum", GIVEN, GIVEN, SAME, 0, ONE_LEVEL,
     EQUAL, BESIDE(86, 86.5), SIGMAS(-3, 3), U(-80, -9.5), {{17, 2}}},
    {"top-mean", GIVEN, STANDARD, ANY, 0, ONE_LEVEL,
     SIGNED(1.9e19, 2.59e19), SCALES, NONE, NONE, {{1, 4}}},
    {"top-mean", GIVEN, GIVEN, SAME, 0, ONE_LEVEL,
     FAR_OFF(1.9e19, 2.59e19), SCALES, MEANS, SCALES, {{1, 4}}},

    /* Variances whose ratio is between 1e-12 and 1e12, and between 1e-12 and 1. */
    {"ratio", GIVEN, GIVEN | STANDARD, ANY, 0, ONE_LEVEL,
     AWAY(-1, 1), BESIDE(-27.63, 27.63), SIGMAS(-3, 3), U(-10, 10), {{1, 32}, {33, 2}}},
    {"ratio-low", GIVEN, GIVEN | STANDARD, ANY, 0, ONE_LEVEL,
     AWAY(-1, 1), BESIDE(-27.63, 0), SIGMAS(-3, 3), U(-10, 10), {{33, 2}}},

    /* Means whose squared difference is no float, beside scales that make up for it. */
    {"huge", GIVEN, GIVEN, ANY, 0, ONE_LEVEL,
     SIGNED(1e24, 1e25), U(79, 80), SIGNED(1e24, 1e25), U(79, 80), {{17, 2}}},
    {"huge-shared", GIVEN, GIVEN, SAME, SHARED_Q, ONE_LEVEL,
     SIGNED(1e24, 1e25), U(79, 80), SIGNED(1e24, 1e25), U(79, 80), {{17, 2}}},

    /* Log-variances inside the clamp, outside, far outside, and at its bounds. */
    {"clamp", LOGVAR, LOGVAR | STANDARD, ANY, CLAMPED, ONE_LEVEL,
     MEANS, U(-100, 60), MEANS, U(-100, 60), {{1, 16}, {17, 3}, {1000, 2}}},
    {"clamp", LOGVAR, LOGSTD | VAR | STD, ANY, CLAMPED, ONE_LEVEL,
     MEANS, U(-100, 60), MEANS, SCALES, {{17, 3}}},
    {"clamp", LOGSTD | VAR | STD | STANDARD, LOGVAR, ANY, CLAMPED, ONE_LEVEL,
     MEANS, SCALES, MEANS, U(-100, 60), {{17, 3}}},
    {"clamp-shared", LOGVAR, LOGVAR, ANY, SHARED_Q | CLAMPED, ONE_LEVEL,
     MEANS, U(-100, 60), MEANS, U(-100, 60), {{17, 5}, {1000, 2}}},
    {"clamp-none", LOGSTD | STD, LOGSTD | STANDARD, ANY, CLAMPED, ONE_LEVEL,
     MEANS, U(20, 60), MEANS, U(-10, 25), {{17, 2}}},
    {"clamp-far", LOGVAR, LOGVAR | STANDARD, ANY, CLAMPED, ONE_LEVEL,
     MEANS, SIGNED(1, 1e30), MEANS, SIGNED(1, 1e30), {{17, 4}}},
    {"clamp-lower", LOGVAR, LOGVAR | STANDARD, ANY, CLAMPED, ONE_LEVEL,
     MEANS, U(-30, -30), MEANS, SCALES, {{3, 2}}},
    {"clamp-upper", LOGVAR, LOGVAR | STANDARD, ANY, CLAMPED, ONE_LEVEL,
     MEANS, U(20, 20), MEANS, SCALES, {{3, 2}}},

    /* Units that have collapsed onto the prior. */
    {"collapsed", GIVEN, STANDARD, ANY, 0, ONE_LEVEL,
     U(-1e-3, 1e-3), SIGNED(1e-4, 1e-3), NONE, NONE, {{64, 4}, {4096, 2}}},
    {"collapsed", LOGVAR, LOGVAR, ANY, SHARED_Q, ONE_LEVEL,
     BESIDE(-1e-3, 1e-3), OFF(1e-4, 1e-3), MEANS, SCALES, {{64, 4}, {4096, 2}}},

    /* Samples whose elements are all the same: every rounding error points the same way. */
    {"constant", LOGVAR | VAR, STANDARD, ANY, CONSTANT, ONE_LEVEL,
     MEANS, SCALES, NONE, NONE, {{17, 5}, {1000, 5}, {16384, 5}, {1000003, 4}}},
    {"constant", GIVEN, GIVEN, SAME, CONSTANT, ONE_LEVEL,
     MEANS, SCALES, MEANS, SCALES, {{17, 5}, {1000, 5}, {16384, 5}, {1000003, 4}}},
    {"constant", LOGVAR | STD, LOGSTD | VAR, ANY, CONSTANT, ONE_LEVEL,
     MEANS, SCALES, MEANS, SCALES, {{17, 3}, {16384, 3}}},
    {"constant-near", LOGVAR, STANDARD, ANY, CONSTANT, ONE_LEVEL,
     SIGNED(1e-4, 1e-2), SIGNED(1e-4, 1e-2), NONE, NONE, {{1000, 5}, {1000003, 3}}},
    {"constant-near", GIVEN, GIVEN, SAME, CONSTANT, ONE_LEVEL,
     OFF(1e-4, 1e-2), OFF(1e-4, 1e-2), MEANS, SCALES, {{1000, 3}, {16384, 3}}},

    /* Sizes of a sample; no value comes twice in a large one. */
    {"size", LOGVAR | VAR, STANDARD, ANY, 0, ONE_LEVEL,
     MEANS, SCALES, NONE, NONE,
     {{1, 7}, {2, 7}, {3, 7}, {15, 7}, {16, 7}, {17, 7}, {31, 7}, {33, 7}, {255, 7}, {1023, 7},
     {4097, 7}}},
    {"size", LOGVAR | VAR, LOGVAR | VAR, SAME, 0, ONE_LEVEL,
     MEANS, SCALES, MEANS, SCALES,
     {{1, 7}, {2, 7}, {3, 7}, {15, 7}, {16, 7}, {17, 7}, {31, 7}, {33, 7}, {255, 7}, {1023, 7},
     {4097, 7}}},
    {"size", LOGVAR | VAR, STANDARD, ANY, 0, ONE_LEVEL,
     MEANS, SCALES, NONE, NONE, {{1000, 7}, {16384, 3}, {65537, 2}, {262144, 2}}},
    {"size", GIVEN, GIVEN, SAME, 0, ONE_LEVEL,
     MEANS, SCALES, MEANS, SCALES, {{1000, 7}, {16384, 3}, {65537, 2}, {262144, 1}}},
    {"size", LOGVAR | VAR, STD | LOGSTD, ANY, SHARED_Q, ONE_LEVEL,
     MEANS, SCALES, MEANS, SCALES, {{16384, 1}, {65537, 1}}},
    {"size", LOGVAR, STANDARD, ANY, 0, ONE_LEVEL,
     MEANS, SCALES, NONE, NONE, {{8388608, 1}}},
    {"size", LOGVAR | STD, LOGVAR | STD, SAME, 0, ONE_LEVEL,
     MEANS, SCALES, MEANS, SCALES, {{8388613, 1}}},

    /* Batches of 100,000; one of 1 is in "near-scale", one of 7 in "size". */
    {"batch", LOGVAR | STD, STANDARD, ANY, 0, ONE_LEVEL,
     MEANS, SCALES, NONE, NONE, {{1, 100000}, {5, 100000}, {33, 100000}}},
    {"batch", LOGVAR | STD, LOGVAR | STD, SAME, 0, ONE_LEVEL,
     MEANS, SCALES, MEANS, SCALES, {{1, 100000}, {16, 100000}}},
    {"batch-shared", LOGVAR | VAR, LOGVAR | VAR, SAME, SHARED_Q, ONE_LEVEL,
     MEANS, SCALES, MEANS, SCALES, {{1, 100000}, {16, 100000}, {33, 100000}}},

    /* Inputs that no float holds: ordinary ones, meeting ones, divergences from 1e-12 to 1e12, and
     * scales and distances that reach far. */
    {"wide", GIVEN | STANDARD, GIVEN | STANDARD, ANY, WIDE, ONE_LEVEL,
     MEANS, SCALES, MEANS, SCALES, {{33, 3}}},
    {"wide-near", GIVEN, GIVEN | STANDARD, ANY, WIDE, {DIFFERENCES, -15, -1, 2},
     OFF(0.5, 1), OFF(0.5, 1), MEANS, SCALES, {{33, 1}}},
    {"wide-near", STANDARD, GIVEN, ANY, WIDE, {DIFFERENCES, -15, -1, 2},
     NONE, NONE, SIGNED(0.5, 1), SIGNED(0.5, 1), {{33, 1}}},
    {"wide-kl", GIVEN, GIVEN | STANDARD, ANY, WIDE, {DIVERGENCES, -12, 12, 3},
     AWAY(-1, 1), BESIDE(-1, 1), MEANS, SCALES, {{33, 1}}},
    {"wide-far", GIVEN | STANDARD, GIVEN | STANDARD, ANY, WIDE, ONE_LEVEL,
     SIGNED(1e-90, 1e40), U(-300, 40), SIGNED(1e-90, 1e40), U(-40, 300), {{33, 2}}},
    {"wide-ratio", GIVEN, GIVEN | STANDARD, ANY, WIDE, ONE_LEVEL,
     AWAY(-1, 1), BESIDE(-27.63, 27.63), SIGMAS(-3, 3), U(-10, 10), {{33, 2}}},
};
/* clang-format on */

static const size_t family_count = sizeof families / sizeof *families;

static const double ln2 = 0.69314718055994530942;

/*
 * exp and log from operations that are the same everywhere, which the library's need not be: they
 * are made to be repeated, and happen to be good to about 1e-15.
 */
static double plain_exp(double x)
{
    double k = floor(fma(x, 1.0 / ln2, 0.5));
    double r = fma(-k, ln2, x);
    double sum = 1.0;
    for (int i = 14; i >= 1; i--)
        sum = fma(sum, r / i, 1.0);
    return ldexp(sum, (int)k);
}

static double plain_log(double x)
{
    int exponent;
    double m = frexp(x, &exponent);
    if (m < 0.7071) {
        m = ldexp(m, 1);
        exponent--;
    }
    double s = (m - 1.0) / (m + 1.0);
    double square = s * s, sum = 0.0;
    for (int i = 23; i >= 1; i -= 2)
        sum = fma(sum, square, 1.0 / i);
    return fma(exponent, ln2, 2.0 * s * sum);
}

static double power_of_ten(int exponent)
{
    double power = 1.0;
    for (int i = 0; i < exponent || i < -exponent; i++)
        power *= 10.0;
    return exponent < 0 ? 1.0 / power : power;
}

const char *scale_kind_name(enum scale_kind kind)
{
    static const char *const names[] = {"standard", "logvar", "logstd", "var", "std"};
    return names[kind];
}

static bool family_has_pair(const struct family *f, unsigned p, unsigned q)
{
    if (!(f->p >> p & 1) || !(f->q >> q & 1) || (p == SCALE_STANDARD && q == SCALE_STANDARD))
        return false;
    return f->match == ANY || (f->match == SAME) == (p == q);
}

/* Finds the k-th pair of kinds and returns true; else takes their number off k. */
static bool family_pair(const struct family *f, size_t *k, struct test_case *c)
{
    size_t left = *k;
    for (unsigned p = SCALE_STANDARD; p <= SCALE_STD; p++)
        for (unsigned q = SCALE_STANDARD; q <= SCALE_STD; q++)
            if (family_has_pair(f, p, q) && left-- == 0) {
                c->p = (enum scale_kind)p;
                c->q = (enum scale_kind)q;
                return true;
            }
    *k = left;
    return false;
}

static size_t shape_count(const struct family *f)
{
    size_t count = 0;
    while (count < MAX_SHAPES && f->shapes[count].elements)
        count++;
    return count;
}

static size_t level_count(const struct levels *l)
{
    return l->rule == NO_LEVELS ? 1 : (size_t)((l->last - l->first) / l->step) + 1;
}

static void stretch(struct draw *d, double factor)
{
    d->lo *= factor;
    d->hi *= factor;
}

static bool draws_nothing(const struct draw *d)
{
    return d->lo == 0.0 && d->hi == 0.0;
}

static void set_difference(struct test_case *c, double difference)
{
    bool p_fixed = c->p == SCALE_STANDARD;
    stretch(p_fixed ? &c->q_mean : &c->p_mean, difference);
    stretch(p_fixed ? &c->q_scale : &c->p_scale, difference);
}

/*
 * Small differences uniform in +-a contribute a^2 / 6 per element through the mean and a^2 / 12
 * through the log-variance. Large ones: the mean still, the log-variance through its exponential.
 */
static void set_divergence(struct test_case *c, double divergence)
{
    bool mean = !draws_nothing(&c->p_mean), scale = !draws_nothing(&c->p_scale);
    double each = divergence / (double)c->elements;
    double parts = (mean ? 2.0 : 0.0) + (scale ? 1.0 : 0.0);
    double small = sqrt(12.0 / parts * each);
    if (each < 1.0) {
        stretch(&c->p_mean, small);
        stretch(&c->p_scale, small);
        return;
    }
    stretch(&c->p_mean, sqrt((scale ? 3.0 : 6.0) * each));
    if (scale) {
        c->p_scale.hi = plain_log((mean ? 1.6 : 3.2) * each);
        c->p_scale.lo = c->p_scale.hi - 1.0;
    }
}

static void set_level(struct test_case *c, const struct levels *l, int level)
{
    if (l->rule == DIFFERENCES)
        set_difference(c, power_of_ten(level));
    if (l->rule == DIVERGENCES)
        set_divergence(c, 3.0 * power_of_ten(level));
}

/* family.p-q.e-5.n1000, the level only where the family has levels. */
static void set_name(struct test_case *c, const struct family *f, int level)
{
    char middle[16] = "";
    if (f->levels.rule != NO_LEVELS)
        snprintf(middle, sizeof middle, ".e%d", level);
    snprintf(c->name, sizeof c->name, "%s.%s-%s%s.n%" PRIu64, f->name, scale_kind_name(c->p),
             scale_kind_name(c->q), middle, c->elements);
}

static void set_traits(struct test_case *c, unsigned traits)
{
    c->shared_q = (traits & SHARED_Q) && c->q != SCALE_STANDARD;
    c->constant = traits & CONSTANT;
    c->clamped = traits & CLAMPED;
    c->wide = traits & WIDE;
    c->clamp_lo = c->clamped ? clamp_lo : 0.0f;
    c->clamp_hi = c->clamped ? clamp_hi : 0.0f;
}

static void set_draws(struct test_case *c, const struct family *f)
{
    c->p_mean = f->p_mean;
    c->p_scale = f->p_scale;
    c->q_mean = f->q_mean;
    c->q_scale = f->q_scale;
}

/* Makes the k-th case of the family and returns true; else takes their number off k. */
static bool family_case(const struct family *f, size_t *k, struct test_case *c)
{
    size_t shapes = shape_count(f), levels = level_count(&f->levels), per_pair = shapes * levels;
    size_t pair = *k / per_pair, within = *k % per_pair;
    memset(c, 0, sizeof *c);
    if (!family_pair(f, &pair, c)) {
        *k = pair * per_pair + within;
        return false;
    }
    int level = f->levels.first + f->levels.step * (int)(within / shapes);
    c->elements = f->shapes[within % shapes].elements;
    c->batch = f->shapes[within % shapes].batch;
    set_traits(c, f->traits);
    set_draws(c, f);
    set_level(c, &f->levels, level);
    set_name(c, f, level);
    c->seed = hash_text(c->name);
    return true;
}

bool case_at(size_t index, struct test_case *out)
{
    for (size_t i = 0; i < family_count; i++)
        if (family_case(&families[i], &index, out))
            return true;
    return false;
}

size_t case_count(void)
{
    struct test_case c;
    size_t all = SIZE_MAX, left = all;
    for (size_t i = 0; i < family_count; i++)
        (void)family_case(&families[i], &left, &c);
    return all - left;
}

bool case_find(const char *name, struct test_case *out)
{
    for (size_t i = 0; case_at(i, out); i++)
        if (strcmp(out->name, name) == 0)
            return true;
    return false;
}

/* A number as the operands of a case have them: a double, or as a rule a float. */
static double operand_from(const struct test_case *c, double number)
{
    return c->wide ? number : (double)(float)number;
}

/* The scale that has that log-variance, of the given kind; and back. */
static double scale_from_logvar(enum scale_kind kind, double logvar)
{
    switch (kind) {
    case SCALE_LOGVAR:
        return logvar;
    case SCALE_LOGSTD:
        return 0.5 * logvar;
    case SCALE_VAR:
        return plain_exp(logvar);
    case SCALE_STD:
        return plain_exp(0.5 * logvar);
    case SCALE_STANDARD:
        break;
    }
    return 0.0;
}

static double logvar_from_scale(enum scale_kind kind, double scale)
{
    switch (kind) {
    case SCALE_LOGVAR:
        return scale;
    case SCALE_LOGSTD:
        return 2.0 * scale;
    case SCALE_VAR:
        return plain_log(scale);
    case SCALE_STD:
        return 2.0 * plain_log(scale);
    case SCALE_STANDARD:
        break;
    }
    return 0.0;
}

static double drawn(const struct test_case *c, enum operand which, const struct draw *d,
                    uint64_t index)
{
    if (!(d->flags & DRAW_SIGNED))
        return hash_uniform(c->seed, which, index, d->lo, d->hi);
    double lo = plain_log(d->lo), hi = plain_log(d->hi);
    double size = plain_exp(hash_uniform(c->seed, which, index, lo, hi));
    return hash_sign(c->seed, which, index) * size;
}

static uint64_t place(const struct test_case *c, enum operand which, uint64_t sample,
                      uint64_t element)
{
    bool of_q = which == Q_MEAN || which == Q_SCALE;
    uint64_t row = of_q && c->shared_q ? 0 : sample;
    return c->constant ? row : row * c->elements + element;
}

static double q_scale(const struct test_case *c, uint64_t sample, uint64_t element)
{
    uint64_t index = place(c, Q_SCALE, sample, element);
    return operand_from(c, scale_from_logvar(c->q, drawn(c, Q_SCALE, &c->q_scale, index)));
}

static double q_logvar(const struct test_case *c, uint64_t sample, uint64_t element)
{
    return logvar_from_scale(c->q, q_scale(c, sample, element));
}

static double mean_unit(const struct test_case *c, const struct draw *d, uint64_t sample,
                        uint64_t element)
{
    return d->flags & DRAW_SIGMAS ? plain_exp(0.5 * q_logvar(c, sample, element)) : 1.0;
}

static double q_mean(const struct test_case *c, uint64_t sample, uint64_t element)
{
    if (c->q == SCALE_STANDARD)
        return 0.0;
    double value = drawn(c, Q_MEAN, &c->q_mean, place(c, Q_MEAN, sample, element));
    return operand_from(c, value * mean_unit(c, &c->q_mean, sample, element));
}

static double p_mean(const struct test_case *c, uint64_t sample, uint64_t element)
{
    if (c->p == SCALE_STANDARD)
        return 0.0;
    double value = drawn(c, P_MEAN, &c->p_mean, place(c, P_MEAN, sample, element));
    double base = c->p_mean.flags & DRAW_BESIDE ? q_mean(c, sample, element) : 0.0;
    return operand_from(c, fma(value, mean_unit(c, &c->p_mean, sample, element), base));
}

static double p_scale(const struct test_case *c, uint64_t sample, uint64_t element)
{
    double value = drawn(c, P_SCALE, &c->p_scale, place(c, P_SCALE, sample, element));
    double base = c->p_scale.flags & DRAW_BESIDE ? q_logvar(c, sample, element) : 0.0;
    return operand_from(c, scale_from_logvar(c->p, base + value));
}

double case_value(const struct test_case *c, enum operand which, uint64_t sample, uint64_t element)
{
    switch (which) {
    case P_MEAN:
        return p_mean(c, sample, element);
    case P_SCALE:
        return p_scale(c, sample, element);
    case Q_MEAN:
        return q_mean(c, sample, element);
    case Q_SCALE:
        return q_scale(c, sample, element);
    }
    return 0.0;
}

void case_fill(const struct test_case *c, enum operand which, uint64_t first_sample,
               uint64_t samples, float *out)
{
    for (uint64_t s = 0; s < samples; s++)
        for (uint64_t i = 0; i < c->elements; i++)
            *out++ = (float)case_value(c, which, first_sample + s, i);
}

void case_fill_wide(const struct test_case *c, enum operand which, uint64_t first_sample,
                    uint64_t samples, double *out)
{
    for (uint64_t s = 0; s < samples; s++)
        for (uint64_t i = 0; i < c->elements; i++)
            *out++ = case_value(c, which, first_sample + s, i);
}

enum { LIST_ALL = 64, LIST_SPREAD = 32 };

uint64_t case_listed_count(const struct test_case *c)
{
    return c->batch <= LIST_ALL ? c->batch : LIST_SPREAD;
}

uint64_t case_listed(const struct test_case *c, uint64_t k)
{
    return c->batch <= LIST_ALL ? k : k * (c->batch - 1) / (LIST_SPREAD - 1);
}
