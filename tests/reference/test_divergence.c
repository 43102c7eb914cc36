/* One element: against values of 40 digits, special values, zeros, signs and identities. */
#include "reference/divergence.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <float.h>

TestSuite(divergence, .timeout = 60);

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { UNIT = CLKL_SCALE_UNIT, LOGVAR, LOGSTD, VAR, STD, KINDS };

static const char *const kind_name[] = {"unit", "logvar", "logstd", "var", "std"};

static double divergence(int p_kind, double p_mean, double p_scale, int q_kind, double q_mean,
                         double q_scale)
{
    const struct clkl_normal p = {(enum clkl_scale)p_kind, p_mean, p_scale};
    const struct clkl_normal q = {(enum clkl_scale)q_kind, q_mean, q_scale};
    return clkl_normal_divergence(&p, &q);
}

static bool is_log(int kind)
{
    return kind == LOGVAR || kind == LOGSTD;
}

static bool is_linear(int kind)
{
    return kind == VAR || kind == STD;
}

/* The error that one element may have. */
static double bound(int p_kind, int q_kind, double kl)
{
    bool mixed = (is_log(p_kind) && is_linear(q_kind)) || (is_linear(p_kind) && is_log(q_kind));
    return 4e-15 * kl + (mixed ? 2e-14 * sqrt(kl) : 0.0);
}

/* ---- Values ---- */

struct sample {
    int p_kind;
    double p_mean, p_scale;
    int q_kind;
    double q_mean, q_scale;
    double kl;
};

/* Inputs that no float can hold. The values are those of the textbook formula in 3000 bits. */
static const struct sample samples[] = {
    {LOGVAR, 0, 50.0000001, LOGVAR, 0, 50, 2.500000141763826e-15},
    {LOGVAR, 0, -700, LOGVAR, 0, -700.0000000000001, 3.231174267785387e-27},
    {LOGSTD, 0, 350.5, LOGSTD, 0, -4.25, 6.774931596573164e+307},
    {LOGVAR, 3, 1e-09, UNIT, 0, 1, 4.5},
    {LOGVAR, 0, 1e-150, UNIT, 0, 1, 2.5e-301},
    {VAR, 0, 1.0000000000000002, UNIT, 0, 1, 1.2325951644078308e-32},
    {STD, 0, 0.9999999999999999, UNIT, 0, 1, 1.232595164407831e-32},
    {STD, 0, 3, VAR, 0, 9.000000000000002, 9.739023521247057e-33},
    {STD, 0, 1.0000000009313226, VAR, 0, 1.0000000018626451, 1.8807909543091677e-37},
    {VAR, 0, 1.0000000018626451, STD, 0, 1.0000000009313226, 1.8807909543091677e-37},
    {STD, 0, 1e-170, STD, 0, 1.0000000000000002e-170, 3.3805343300438844e-32},
    {VAR, 0, 3e-320, VAR, 0, 2.9e-320, 0.00028942975238413547},
    {VAR, 0, DBL_TRUE_MIN, VAR, 0, DBL_MAX, 726.6113924073826},
    {VAR, 0, DBL_TRUE_MIN, UNIT, 0, 1, 371.7200359606906},
    {STD, 0, DBL_TRUE_MIN, STD, 0, DBL_MAX, 1453.7227848147652},
    {STD, 0, DBL_TRUE_MIN, VAR, 0, DBL_MAX, 1098.8314283680731},
    {VAR, 0, DBL_TRUE_MIN, STD, 0, DBL_MAX, 1081.5027488540745},
    {VAR, 0, 1e+308, STD, 0, 1e+200, 105.4189142777261},
    {VAR, 0, 1e-12, VAR, 0, 1, 13.315510557964775},
    {VAR, 0, 1000000000000, VAR, 0, 1, 499999999985.6845},
    {STD, 0, 1e+150, STD, 0, 0.001, 4.999999999999999e+305},
    {VAR, 0, 1e+300, VAR, 0, 2.9e-09, 1.724137931034483e+308},
    {STD, 0, 1.8e+154, UNIT, 0, 1, 1.62e+308},
    {LOGVAR, 0, 710.4, UNIT, 0, 1, 1.6663642832806496e+308},
    {LOGSTD, 0, 355.2, UNIT, 0, 1, 1.6663642832806496e+308},
    {LOGVAR, 0, -1e+308, LOGVAR, 0, DBL_MAX, 1.3988465674311578e+308},
    {LOGSTD, 0, -4e+307, LOGSTD, 0, 4.5e+307, 8.5e+307},
    {LOGSTD, 0, 1e+308, LOGSTD, 0, 1.1972636278183023e+308, 1.9726362781830225e+307},
    {LOGVAR, 1e+25, 80, LOGVAR, -1e+25, 79.5, 5951393747186767.0},
    {VAR, 1e+25, 1e+34, VAR, -1e+25, 1e+34, 2.0000000000000004e+16},
    {VAR, 1.8e+154, 1, UNIT, 0, 1, 1.62e+308},
    {STD, DBL_MAX, 1e+200, STD, -DBL_MAX, 1e+200, 6.463401214262201e+216},
    {LOGVAR, DBL_MAX, 900, LOGVAR, -DBL_MAX, 900, 8.819163671237456e+225},
    {VAR, 1e-160, DBL_TRUE_MIN, VAR, -1e-160, DBL_TRUE_MIN, 4048.0450661462123},
    {VAR, 1e-150, 1, UNIT, 0, 1, 5e-301},
    {UNIT, 0, 1, LOGVAR, 1e-150, 0, 5e-301},
    {VAR, 1, 0.25, LOGVAR, 0, -1.3862943611198906, 2.0},
    {LOGVAR, 1, -1.3862943611198906, VAR, 0, 0.25, 2.0},
    {STD, 0, 1e-300, LOGSTD, 0, -690.775527898, 4.5691167960722956e-20},
    {LOGVAR, 0, 700, VAR, 0, 1e+300, 5066.048037624129},
    {VAR, 0, DBL_TRUE_MIN, LOGVAR, 0, -744, 0.0420310120705375},
    {STD, 0, DBL_TRUE_MIN, LOGVAR, 0, -1488, 0.14743354760755936},
    {LOGSTD, 0, -744.5, VAR, 0, 1, 744.0},
    {LOGVAR, 0, -100000, VAR, 0, DBL_TRUE_MIN, 49627.279964039306},
    {VAR, 2, DBL_MAX, LOGVAR, 1, 709.5, 0.022005651226307155},
    {LOGVAR, 0, 309.1, LOGVAR, 0, -400.7, 9.145201086359343e+307},
    {LOGSTD, 0, 350.3, LOGSTD, 0, -4.77, 1.2848528231500254e+308},
    {LOGVAR, 0, -309.1, LOGVAR, 0, 400.7, 354.40000000000003},
    {STD, 0, 0.3, STD, 0, 0.1, 2.9013877113318896},
    {STD, 0, 0.1, STD, 0, 0.21, 0.3553160295366335},
    {VAR, 0, 0.3, VAR, 0, 0.07, 0.9152135265537216},
    {LOGSTD, 1e-300, -1000, LOGSTD, 0, -1000, 1.9405900971421842e+268},
    {LOGVAR, 0, 0.99, UNIT, 0, 1, 0.35061723617463114},
    {LOGVAR, 0, -1.01, UNIT, 0, 1, 0.18710948978576167},
    {STD, 0, 1e+160, VAR, 0, 7e+300, 7.142857142857143e+18},
};

static double divergence_of(const struct sample *s)
{
    return divergence(s->p_kind, s->p_mean, s->p_scale, s->q_kind, s->q_mean, s->q_scale);
}

Test(divergence, values_of_doubles)
{
    for (size_t i = 0; i < COUNT(samples); i++) {
        const struct sample *s = &samples[i];
        double kl = divergence_of(s);
        cr_expect(fabs(kl - s->kl) <= bound(s->p_kind, s->q_kind, s->kl),
                  "%s N(%g, %g), %s N(%g, %g): %.17g, not %.17g", kind_name[s->p_kind], s->p_mean,
                  s->p_scale, kind_name[s->q_kind], s->q_mean, s->q_scale, kl, s->kl);
    }
}

/* ---- Special values ---- */

/* The scale that every kind has under another name. */
enum scale_value { ONE, ZERO, MINUS_ZERO, INFINITE, NOT_A_NUMBER, NEGATIVE, MINUS_INFINITE };

/* False if the kind has no such scale. */
static bool scale_of(int kind, enum scale_value value, double *scale)
{
    const double logs[] = {0.0, -INFINITY, -INFINITY, INFINITY, NAN};
    const double linears[] = {1.0, 0.0, -0.0, INFINITY, NAN, -1e-300, -INFINITY};
    if (is_log(kind) && value < COUNT(logs))
        *scale = logs[value];
    else if (is_linear(kind))
        *scale = linears[value];
    else
        *scale = NAN; /* a unit scale has none, and is not to look at it */
    return is_linear(kind) || value == ONE || (is_log(kind) && value < COUNT(logs));
}

struct special {
    double p_mean;
    enum scale_value p_scale;
    double q_mean;
    enum scale_value q_scale;
    double kl;
};

static const struct special specials[] = {
    /* Equal in mean and scale, also where the scale is extreme. */
    {0, ONE, 0, ONE, 0},
    {0, ONE, -0.0, ONE, 0},
    {3, ZERO, 3, ZERO, 0},
    {3, ZERO, 3, MINUS_ZERO, 0},
    {3, INFINITE, 3, INFINITE, 0},
    /* Extreme scales otherwise. */
    {3, ZERO, 4, ZERO, INFINITY},
    {3, INFINITE, 4, INFINITE, INFINITY},
    {0, ZERO, 0, ONE, INFINITY},
    {0, ONE, 0, ZERO, INFINITY},
    {0, ONE, 0, MINUS_ZERO, INFINITY},
    {0, INFINITE, 0, ONE, INFINITY},
    {0, ONE, 0, INFINITE, INFINITY},
    {0, ZERO, 0, INFINITE, INFINITY},
    {0, INFINITE, 0, ZERO, INFINITY},
    {0, MINUS_ZERO, 1, INFINITE, INFINITY},
    {7, ONE, 0, INFINITE, INFINITY},
    /* Infinite means, whatever the scales. */
    {INFINITY, ONE, 0, ONE, INFINITY},
    {0, ONE, -INFINITY, ONE, INFINITY},
    {INFINITY, ONE, -INFINITY, ONE, INFINITY},
    {INFINITY, ONE, INFINITY, ONE, NAN},
    {-INFINITY, ONE, -INFINITY, ONE, NAN},
    {INFINITY, ZERO, 0, INFINITE, INFINITY},
    {INFINITY, ONE, 0, INFINITE, INFINITY},
    {INFINITY, ZERO, INFINITY, ZERO, NAN},
    {INFINITY, ONE, INFINITY, ZERO, NAN},
    /* NaN and negative scales prevail. */
    {NAN, ONE, 0, ONE, NAN},
    {0, ONE, NAN, ONE, NAN},
    {0, NOT_A_NUMBER, 0, ONE, NAN},
    {0, ONE, 0, NOT_A_NUMBER, NAN},
    {0, NOT_A_NUMBER, 0, NOT_A_NUMBER, NAN},
    {NAN, ZERO, 0, INFINITE, NAN},
    {INFINITY, NOT_A_NUMBER, 0, ZERO, NAN},
    {INFINITY, ONE, NAN, ONE, NAN},
    {0, ZERO, 0, NOT_A_NUMBER, NAN},
    {0, NEGATIVE, 0, ONE, NAN},
    {0, ONE, 0, NEGATIVE, NAN},
    {0, NEGATIVE, 0, NEGATIVE, NAN},
    {0, MINUS_INFINITE, 0, ONE, NAN},
    {0, ONE, 0, MINUS_INFINITE, NAN},
    {0, NEGATIVE, 0, ZERO, NAN},
    {0, INFINITE, INFINITY, NEGATIVE, NAN},
};

/* Scales and means that are finite, with a divergence that is beyond the range of double. */
static const struct sample overflows[] = {
    {LOGVAR, 0, 711, UNIT, 0, 1, INFINITY},
    {LOGSTD, 0, DBL_MAX, LOGSTD, 0, -DBL_MAX, INFINITY},
    {LOGSTD, 0, -DBL_MAX, LOGSTD, 0, DBL_MAX, INFINITY},
    {VAR, 0, DBL_MAX, VAR, 0, 0.4, INFINITY},
    {VAR, 0, DBL_MAX, STD, 0, DBL_TRUE_MIN, INFINITY},
    {STD, 0, DBL_MAX, LOGVAR, 0, -5, INFINITY},
    {UNIT, 0, 1, LOGVAR, 1, -1000, INFINITY},
    {VAR, DBL_MAX, 1, VAR, -DBL_MAX, 1, INFINITY},
    /* And infinite means beside scales whose square roots are out of range. */
    {LOGVAR, 0, 1e5, LOGVAR, INFINITY, 1e5, INFINITY},
    {LOGVAR, INFINITY, 1e5, LOGVAR, 0, 1e5, INFINITY},
    {LOGSTD, -INFINITY, 0, LOGSTD, INFINITY, 1e300, INFINITY},
};

static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* A unit side has the mean 0. */
static bool fits(int kind, double mean)
{
    return kind != UNIT || mean == 0.0;
}

Test(divergence, special_values)
{
    int met[KINDS][KINDS] = {{0}};
    for (int p = 0; p < KINDS; p++)
        for (int q = 0; q < KINDS; q++)
            for (size_t i = 0; i < COUNT(specials); i++) {
                const struct special *s = &specials[i];
                double p_scale, q_scale;
                if (!scale_of(p, s->p_scale, &p_scale) || !scale_of(q, s->q_scale, &q_scale) ||
                    !fits(p, s->p_mean) || !fits(q, s->q_mean))
                    continue;
                double kl = divergence(p, s->p_mean, p_scale, q, s->q_mean, q_scale);
                cr_expect(same(kl, s->kl) && !signbit(isnan(kl) ? 0.0 : kl),
                          "%s N(%g, %g), %s N(%g, %g): %g, not %g", kind_name[p], s->p_mean,
                          p_scale, kind_name[q], s->q_mean, q_scale, kl, s->kl);
                met[p][q]++;
            }
    cr_expect_eq(met[UNIT][UNIT], 2);
    cr_expect_eq(met[STD][VAR], (int)COUNT(specials));
    cr_expect_eq(met[LOGVAR][LOGSTD], (int)COUNT(specials) - 7);
}

Test(divergence, overflow_is_infinite_and_never_nan)
{
    for (size_t i = 0; i < COUNT(overflows); i++)
        cr_expect_eq(divergence_of(&overflows[i]), INFINITY, "%zu: %g", i,
                     divergence_of(&overflows[i]));
}

Test(divergence, what_is_negative)
{
    const double scales[] = {-1.0, -INFINITY, -DBL_TRUE_MIN, -0.0, 0.0, 1.0, INFINITY, NAN};
    for (int kind = 0; kind < KINDS; kind++)
        for (size_t i = 0; i < COUNT(scales); i++) {
            const struct clkl_normal normal = {(enum clkl_scale)kind, 0.0, scales[i]};
            cr_expect_eq(clkl_normal_is_negative(&normal), is_linear(kind) && i < 3, "%s %g",
                         kind_name[kind], scales[i]);
        }
}

/* ---- Zeros and signs ---- */

/* A scale of the kind for the logarithm of a standard deviation. */
static double scale_for(int kind, double log_deviation)
{
    switch (kind) {
    case LOGVAR:
        return 2.0 * log_deviation;
    case LOGSTD:
        return log_deviation;
    case VAR:
        return exp(2.0 * log_deviation);
    case STD:
        return exp(log_deviation);
    default:
        return 1.0;
    }
}

Test(divergence, identical_parameters_give_zero)
{
    for (int kind = 0; kind < KINDS; kind++)
        for (uint64_t i = 0; i < 10000; i++) {
            double mean = kind == UNIT ? 0.0 : hash_uniform(1, 0, i, -1e3, 1e3);
            double scale = scale_for(kind, hash_uniform(1, 1, i, -350.0, 350.0));
            double kl = divergence(kind, mean, scale, kind, mean, scale);
            cr_assert(kl == 0.0 && !signbit(kl), "%s N(%g, %g): %g", kind_name[kind], mean, scale,
                      kl);
        }
}

Test(divergence, equal_parameters_of_different_kinds_give_zero)
{
    for (int p = 0; p < KINDS; p++)
        for (int q = 0; q < KINDS; q++)
            cr_expect_eq(divergence(p, 0.0, scale_for(p, 0.0), q, 0.0, scale_for(q, 0.0)), 0.0,
                         "%s and %s of the standard normal", kind_name[p], kind_name[q]);
    for (uint64_t i = 0; i < 10000; i++) {
        double h = hash_uniform(2, 0, i, -1e4, 1e4);
        double s = (double)hash_uniform_float(2, 1, i, 1e-20, 1e3);
        cr_assert_eq(divergence(LOGVAR, 1.0, 2.0 * h, LOGSTD, 1.0, h), 0.0);
        cr_assert_eq(divergence(LOGSTD, 1.0, h, LOGVAR, 1.0, 2.0 * h), 0.0);
        cr_assert_eq(divergence(STD, 1.0, s, VAR, 1.0, s * s), 0.0);
        cr_assert_eq(divergence(VAR, 1.0, s * s, STD, 1.0, s), 0.0);
    }
}

/* P and Q as far apart as 10^level, from next to nothing to more than the range of double. */
static double divergence_of_draw(int p, int q, uint64_t i)
{
    double h = hash_uniform(3, 0, i, -360.0, 360.0);
    double level = pow(10.0, hash_uniform(3, 1, i, -18.0, 3.0));
    double q_mean = q == UNIT ? 0.0 : hash_uniform(3, 2, i, -1.0, 1.0) * exp(h);
    double p_mean = p == UNIT ? 0.0 : q_mean + hash_uniform(3, 3, i, -1.0, 1.0) * level * exp(h);
    double p_scale = scale_for(p, h + hash_uniform(3, 4, i, -1.0, 1.0) * level);
    return divergence(p, p_mean, p_scale, q, q_mean, scale_for(q, h));
}

Test(divergence, never_negative_and_never_nan)
{
    for (int p = 0; p < KINDS; p++)
        for (int q = 0; q < KINDS; q++)
            for (uint64_t i = 0; i < 20000; i++) {
                double kl = divergence_of_draw(p, q, i);
                cr_assert(kl >= 0.0 && !signbit(kl), "%s, %s, draw %d: %g", kind_name[p],
                          kind_name[q], (int)i, kl);
            }
}

/* ---- Identities ---- */

/* Two normals whose scales are doubles in all kinds alike, up to rounding. */
struct pair {
    double p_mean, q_mean, p_h, q_h;
};

static struct pair draw_pair(uint64_t i)
{
    return (struct pair){hash_uniform(4, 0, i, -3.0, 3.0), hash_uniform(4, 1, i, -3.0, 3.0),
                         hash_uniform(4, 2, i, -3.0, 3.0), hash_uniform(4, 3, i, -3.0, 3.0)};
}

/* KL(P||Q) + KL(Q||P) has closed forms without logarithms. For equal means it is 2 sinh(h)^2, h
 * being the difference of the logarithms of the standard deviations. */
Test(divergence, both_directions_add_up_from_logarithms)
{
    for (uint64_t i = 0; i < 100000; i++) {
        double h = hash_uniform(5, 0, i, -3.0, 3.0) * pow(10.0, hash_uniform(5, 1, i, -6.0, 0.0));
        double sinh_h = sinh(h);
        double both = divergence(LOGSTD, 1.0, h, LOGVAR, 1.0, 0.0) +
                      divergence(LOGVAR, 1.0, 0.0, LOGSTD, 1.0, h);
        cr_assert_float_eq(both / (2.0 * sinh_h * sinh_h), 1.0, 3e-15, "%.17g", h);
    }
}

/* It is (vp - vq)^2 / (2 vp vq) + (mp - mq)^2 (1 / vp + 1 / vq) / 2. */
Test(divergence, both_directions_add_up_from_variances)
{
    for (uint64_t i = 0; i < 100000; i++) {
        struct pair n = draw_pair(i);
        double vp = exp(n.p_h), vq = exp(n.q_h), distance = n.p_mean - n.q_mean;
        double direct = (vp - vq) * (vp - vq) / (2.0 * vp * vq) +
                        0.5 * distance * distance * (1.0 / vp + 1.0 / vq);
        double both = divergence(VAR, n.p_mean, vp, VAR, n.q_mean, vq) +
                      divergence(VAR, n.q_mean, vq, VAR, n.p_mean, vp);
        cr_assert_float_eq(both / direct, 1.0, 3e-15, "draw %d", (int)i);
    }
}

/* The same bits where the inputs say the same thing, and where both axes are mirrored or scaled by
 * a power of two. */
Test(divergence, same_bits_for_the_same_thing)
{
    for (uint64_t i = 0; i < 10000; i++) {
        struct pair n = draw_pair(i);
        double kl = divergence(LOGVAR, n.p_mean, 2.0 * n.p_h, LOGVAR, n.q_mean, 2.0 * n.q_h);
        cr_assert_eq(kl, divergence(LOGSTD, n.p_mean, n.p_h, LOGSTD, n.q_mean, n.q_h));
        cr_assert_eq(kl, divergence(LOGSTD, n.q_mean, n.p_h, LOGVAR, n.p_mean, 2.0 * n.q_h));
        cr_assert_eq(kl, divergence(LOGSTD, -n.p_mean, n.p_h, LOGSTD, -n.q_mean, n.q_h));

        double sp = exp(n.p_h), sq = exp(n.q_h);
        kl = divergence(STD, n.p_mean, sp, STD, n.q_mean, sq);
        cr_assert_eq(kl, divergence(STD, 8.0 * n.p_mean, 8.0 * sp, STD, 8.0 * n.q_mean, 8.0 * sq));
        kl = divergence(VAR, n.p_mean, sp, VAR, n.q_mean, sq);
        cr_assert_eq(kl, divergence(VAR, 2.0 * n.p_mean, 4.0 * sp, VAR, 2.0 * n.q_mean, 4.0 * sq));
    }
}

/* The same number, nearly, from every pair of kinds. */
Test(divergence, every_pair_of_kinds_agrees)
{
    for (uint64_t i = 0; i < 2000; i++) {
        struct pair n = draw_pair(i);
        double kl = divergence(LOGSTD, n.p_mean, n.p_h, LOGSTD, n.q_mean, n.q_h);
        for (int p = LOGVAR; p < KINDS; p++)
            for (int q = LOGVAR; q < KINDS; q++) {
                double other =
                    divergence(p, n.p_mean, scale_for(p, n.p_h), q, n.q_mean, scale_for(q, n.q_h));
                cr_assert(fabs(other - kl) <= 1e-14 * kl + 1e-14 * sqrt(kl), "%s, %s, draw %d",
                          kind_name[p], kind_name[q], (int)i);
            }
    }
}

Test(divergence, unit_is_the_standard_normal_of_every_kind)
{
    for (uint64_t i = 0; i < 2000; i++) {
        struct pair n = draw_pair(i);
        for (int kind = LOGVAR; kind < KINDS; kind++) {
            double scale = scale_for(kind, n.p_h), one = scale_for(kind, 0.0);
            cr_assert_eq(divergence(kind, n.p_mean, scale, UNIT, 0.0, NAN),
                         divergence(kind, n.p_mean, scale, kind, 0.0, one));
            cr_assert_eq(divergence(UNIT, 0.0, NAN, kind, n.q_mean, scale),
                         divergence(kind, 0.0, one, kind, n.q_mean, scale));
        }
    }
}
