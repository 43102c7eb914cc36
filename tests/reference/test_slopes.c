/* The gradient of one element: against values of 40 digits, differences of the divergence, special
 * values, extreme numbers, zeros. */
#include "reference/slopes.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <float.h>
#include <stdio.h>
#include <string.h>

TestSuite(slopes, .timeout = 60);

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { UNIT = CLKL_SCALE_UNIT, LOGVAR, LOGSTD, VAR, STD, KINDS };

static const char *const kind_name[] = {"unit", "logvar", "logstd", "var", "std"};

static struct clkl_slopes slopes(int p_kind, double p_mean, double p_scale, int q_kind,
                                 double q_mean, double q_scale)
{
    const struct clkl_normal p = {(enum clkl_scale)p_kind, p_mean, p_scale};
    const struct clkl_normal q = {(enum clkl_scale)q_kind, q_mean, q_scale};
    return clkl_normal_slopes(&p, &q);
}

static bool is_linear(int kind)
{
    return kind == VAR || kind == STD;
}

/* Equal, where NaN equals NaN and 0 equals -0. */
static bool same(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

/* ---- Values ---- */

struct line {
    int p_kind, q_kind;
    double p_mean, p_scale, q_mean, q_scale;
    struct clkl_slopes exact;
    double p_terms, q_terms;
};

static int kind_of(const char *name)
{
    int kind = 0;
    while (kind < KINDS && strcmp(kind_name[kind], name) != 0)
        kind++;
    return kind;
}

static bool parse(const char *text, struct line *line)
{
    char p[8], q[8];
    struct clkl_slopes *exact = &line->exact;
    if (sscanf(text, "%7s %la %la %7s %la %la %lf %lf %lf %lf %lf %lf", p, &line->p_mean,
               &line->p_scale, q, &line->q_mean, &line->q_scale, &exact->p_mean, &exact->p_scale,
               &exact->q_mean, &exact->q_scale, &line->p_terms, &line->q_terms) != 12)
        return false;
    line->p_kind = kind_of(p);
    line->q_kind = kind_of(q);
    return line->p_kind < KINDS && line->q_kind < KINDS;
}

static void expect_within(double got, double exact, double terms, const char *member,
                          const char *text)
{
    cr_expect(fabs(got - exact) <= 1e-14 * terms, "%s is %.17g, off by %.2g of its terms, in\n%s",
              member, got, fabs(got - exact) / terms, text);
}

static void check_line(const char *text)
{
    struct line line;
    cr_assert(parse(text, &line), "%s", text);
    const struct clkl_slopes *exact = &line.exact;
    struct clkl_slopes got =
        slopes(line.p_kind, line.p_mean, line.p_scale, line.q_kind, line.q_mean, line.q_scale);
    expect_within(got.p_mean, exact->p_mean, fabs(exact->p_mean), "p_mean", text);
    expect_within(got.p_scale, exact->p_scale, line.p_terms, "p_scale", text);
    expect_within(got.q_mean, exact->q_mean, fabs(exact->q_mean), "q_mean", text);
    expect_within(got.q_scale, exact->q_scale, line.q_terms, "q_scale", text);
}

Test(slopes, values_of_40_digits)
{
    char text[1024];
    size_t lines = 0;
    FILE *file = fopen(CLKL_SLOPES_FILE, "r");
    cr_assert_not_null(file, "%s", CLKL_SLOPES_FILE);
    while (fgets(text, sizeof text, file) != NULL)
        if (text[0] != '#') {
            check_line(text);
            lines++;
        }
    fclose(file);
    cr_expect_gt(lines, 500u);
}

/* ---- Differences of the divergence ---- */

enum { P_MEAN, P_SCALE, Q_MEAN, Q_SCALE, NUMBERS };

static double divergence(int p_kind, int q_kind, const double x[NUMBERS])
{
    const struct clkl_normal p = {(enum clkl_scale)p_kind, x[P_MEAN], x[P_SCALE]};
    const struct clkl_normal q = {(enum clkl_scale)q_kind, x[Q_MEAN], x[Q_SCALE]};
    return clkl_normal_divergence(&p, &q);
}

/* By the number of that index: central, without the error's leading term (Richardson). */
static double difference(int p_kind, int q_kind, const double at[NUMBERS], int index)
{
    double quotient[2];
    for (int i = 0; i < 2; i++) {
        double step = ldexp(1.0, -10 - i);
        double left[NUMBERS], right[NUMBERS];
        memcpy(left, at, sizeof left);
        memcpy(right, at, sizeof right);
        left[index] -= step;
        right[index] += step;
        quotient[i] =
            (divergence(p_kind, q_kind, right) - divergence(p_kind, q_kind, left)) / (2.0 * step);
    }
    return (4.0 * quotient[1] - quotient[0]) / 3.0;
}

static void draw(int kind, uint64_t index, uint64_t stream, double *mean, double *scale)
{
    uint64_t seed = hash_text("slopes.differences");
    bool linear = is_linear(kind);
    *mean = kind == UNIT ? 0.0 : hash_uniform(seed, stream, index, -1.5, 1.5);
    *scale = hash_uniform(seed, stream + 1, index, linear ? 0.5 : -1.0, linear ? 2.0 : 1.0);
}

static void check_differences(int p_kind, int q_kind, uint64_t index)
{
    double x[NUMBERS];
    draw(p_kind, index, 0, &x[P_MEAN], &x[P_SCALE]);
    draw(q_kind, index, 2, &x[Q_MEAN], &x[Q_SCALE]);
    struct clkl_slopes s = slopes(p_kind, x[0], x[1], q_kind, x[2], x[3]);
    const double got[NUMBERS] = {s.p_mean, s.p_scale, s.q_mean, s.q_scale};
    for (int i = 0; i < NUMBERS; i++) {
        bool given = (i < 2 ? p_kind : q_kind) != UNIT;
        double expected = given ? difference(p_kind, q_kind, x, i) : 0.0;
        cr_expect(fabs(got[i] - expected) <= 1e-8 * (1.0 + fabs(expected)),
                  "%s N(%g, %g), %s N(%g, %g), number %d: %.12g, not %.12g", kind_name[p_kind],
                  x[0], x[1], kind_name[q_kind], x[2], x[3], i, got[i], expected);
    }
}

Test(slopes, they_are_those_of_the_divergence)
{
    for (int p = 0; p < KINDS; p++)
        for (int q = 0; q < KINDS; q++)
            for (uint64_t i = 0; i < 200; i++)
                check_differences(p, q, i);
}

/* ---- Special values ---- */

/* The scale that every kind has under another name. */
enum scale_value { ONE, ZERO, MINUS_ZERO, INFINITE, NOT_A_NUMBER, NEGATIVE };

/* False if the kind has no such scale. */
static bool scale_of(int kind, enum scale_value value, double *scale)
{
    const double logs[] = {0.0, -INFINITY, -INFINITY, INFINITY, NAN, NAN};
    const double linears[] = {1.0, 0.0, -0.0, INFINITY, NAN, -1e-300};
    *scale = kind == UNIT ? NAN : is_linear(kind) ? linears[value] : logs[value];
    return kind == UNIT ? value == ONE : is_linear(kind) || value != NEGATIVE;
}

/* e = vp/vq - 1, and what it is together with the square of the means' distance. */
struct special {
    double p_mean;
    enum scale_value p_scale;
    double q_mean;
    enum scale_value q_scale;
    double by_mean, e, sum;
};

static const struct special specials[] = {
    /* Equal in mean and scale, also where the scale is extreme. */
    {0, ONE, 0, ONE, 0, 0, 0},
    {0, ONE, -0.0, ONE, 0, 0, 0},
    {3, ZERO, 3, ZERO, 0, 0, 0},
    {3, MINUS_ZERO, 3, ZERO, 0, 0, 0},
    {3, INFINITE, 3, INFINITE, 0, 0, 0},
    /* Both scales extreme. */
    {4, ZERO, 3, ZERO, INFINITY, NAN, NAN},
    {3, ZERO, 4, MINUS_ZERO, -INFINITY, NAN, NAN},
    {4, INFINITE, 3, INFINITE, 0, NAN, NAN},
    {4, ZERO, 3, INFINITE, 0, -1, -1},
    {3, INFINITE, 3, ZERO, 0, INFINITY, INFINITY},
    {3, INFINITE, 4, ZERO, -INFINITY, INFINITY, INFINITY},
    /* One of them. */
    {0, ZERO, 0, ONE, 0, -1, -1},
    {0, MINUS_ZERO, 0, ONE, 0, -1, -1},
    {2, ZERO, 0, ONE, 2, -1, 3},
    {0, INFINITE, 0, ONE, 0, INFINITY, INFINITY},
    {0, ONE, 0, ZERO, 0, INFINITY, INFINITY},
    {0, ONE, 0, MINUS_ZERO, 0, INFINITY, INFINITY},
    {0, ONE, 3, ZERO, -INFINITY, INFINITY, INFINITY},
    {0, ONE, 3, INFINITE, 0, -1, -1},
    /* Infinite means. */
    {INFINITY, ONE, 0, ONE, INFINITY, 0, INFINITY},
    {0, ONE, INFINITY, ONE, -INFINITY, 0, INFINITY},
    {INFINITY, ONE, -INFINITY, ONE, INFINITY, 0, INFINITY},
    {INFINITY, ONE, 0, INFINITE, INFINITY, -1, INFINITY},
    {INFINITY, ZERO, 0, ONE, INFINITY, -1, INFINITY},
    {INFINITY, INFINITE, 0, INFINITE, INFINITY, NAN, NAN},
    {INFINITY, ONE, INFINITY, ONE, NAN, NAN, NAN},
    {-INFINITY, ZERO, -INFINITY, ZERO, NAN, NAN, NAN},
    /* No distribution. */
    {NAN, ONE, 0, ONE, NAN, NAN, NAN},
    {0, ONE, NAN, ONE, NAN, NAN, NAN},
    {0, NOT_A_NUMBER, 0, ONE, NAN, NAN, NAN},
    {0, ONE, 0, NOT_A_NUMBER, NAN, NAN, NAN},
    {0, NEGATIVE, 0, ONE, NAN, NAN, NAN},
    {0, ONE, 0, NEGATIVE, NAN, NAN, NAN},
    {0, NEGATIVE, 0, NEGATIVE, NAN, NAN, NAN},
    {INFINITY, NEGATIVE, 0, ZERO, NAN, NAN, NAN},
};

/* x by the chain rule, where the side's variance is 1, 0 or infinite. */
static double by_scale(double x, int kind, enum scale_value value)
{
    if (x == 0.0 || !isfinite(x))
        return x;
    if (is_linear(kind) && value != ONE)
        return value == INFINITE ? 0.0 : x * INFINITY;
    return kind == LOGVAR || kind == VAR ? 0.5 * x : x;
}

static double p_scale_expected(const struct special *s, int p_kind)
{
    if (p_kind == VAR && s->p_scale == INFINITE && s->e == INFINITY)
        return s->q_scale == ONE ? 0.5 : INFINITY;
    return by_scale(s->e, p_kind, s->p_scale);
}

static bool check_special(const struct special *s, int p, int q)
{
    double p_scale, q_scale;
    if (!scale_of(p, s->p_scale, &p_scale) || !scale_of(q, s->q_scale, &q_scale) ||
        (p == UNIT && s->p_mean != 0.0) || (q == UNIT && s->q_mean != 0.0))
        return false;
    struct clkl_slopes got = slopes(p, s->p_mean, p_scale, q, s->q_mean, q_scale);
    bool right = p == UNIT
                     ? got.p_mean == 0.0 && got.p_scale == 0.0
                     : same(got.p_mean, s->by_mean) && same(got.p_scale, p_scale_expected(s, p));
    right = right && (q == UNIT ? got.q_mean == 0.0 && got.q_scale == 0.0
                                : same(got.q_mean, -s->by_mean) &&
                                      same(got.q_scale, -by_scale(s->sum, q, s->q_scale)));
    cr_expect(right, "%s N(%g, %g), %s N(%g, %g): %g %g %g %g", kind_name[p], s->p_mean, p_scale,
              kind_name[q], s->q_mean, q_scale, got.p_mean, got.p_scale, got.q_mean, got.q_scale);
    return true;
}

Test(slopes, special_values)
{
    size_t met = 0;
    for (int p = 0; p < KINDS; p++)
        for (int q = 0; q < KINDS; q++)
            for (size_t i = 0; i < COUNT(specials); i++)
                met += check_special(&specials[i], p, q);
    cr_expect_gt(met, 16u * (COUNT(specials) - 4));
}

/* ---- Zeros and extremes ---- */

Test(slopes, equal_numbers_have_none)
{
    const double numbers[] = {DBL_TRUE_MIN, DBL_MIN, 1e-9, 0.3, 1.0, 1e9, DBL_MAX};
    for (int kind = LOGVAR; kind < KINDS; kind++)
        for (size_t m = 0; m < COUNT(numbers); m++)
            for (size_t s = 0; s < COUNT(numbers); s++) {
                struct clkl_slopes got =
                    slopes(kind, numbers[m], numbers[s], kind, numbers[m], numbers[s]);
                cr_expect(got.p_mean == 0.0 && got.p_scale == 0.0 && got.q_mean == 0.0 &&
                              got.q_scale == 0.0,
                          "%s N(%g, %g): %g %g %g %g", kind_name[kind], numbers[m], numbers[s],
                          got.p_mean, got.p_scale, got.q_mean, got.q_scale);
            }
}

/* Finite numbers, among them those that overflow in every formula taken at its word. */
Test(slopes, finite_numbers_have_no_nan)
{
    const double means[] = {-DBL_MAX, -1e200, -1.0, 0.0, DBL_TRUE_MIN, 1e-200, 1e200, DBL_MAX};
    const double linears[] = {DBL_TRUE_MIN, DBL_MIN, 1e-200,        1.0,
                              1e9,          1e200,   0.6 * DBL_MAX, DBL_MAX};
    const double logs[] = {-DBL_MAX, -2000.0, -700.0, 0.0, 1.0, 700.0, 2000.0, DBL_MAX};
    for (int pair = 0; pair < KINDS * KINDS; pair++) {
        int p = pair / KINDS, q = pair % KINDS;
        for (size_t i = 0; i < COUNT(means) * COUNT(means) * COUNT(logs) * COUNT(logs); i++) {
            size_t a = i % 8, b = i / 8 % 8, c = i / 64 % 8, d = i / 512;
            double p_scale = is_linear(p) ? linears[c] : logs[c];
            double q_scale = is_linear(q) ? linears[d] : logs[d];
            double p_mean = p == UNIT ? 0.0 : means[a], q_mean = q == UNIT ? 0.0 : means[b];
            struct clkl_slopes got = slopes(p, p_mean, p_scale, q, q_mean, q_scale);
            cr_assert(!isnan(got.p_mean) && !isnan(got.p_scale) && !isnan(got.q_mean) &&
                          !isnan(got.q_scale),
                      "%s N(%g, %g), %s N(%g, %g): %g %g %g %g", kind_name[p], p_mean, p_scale,
                      kind_name[q], q_mean, q_scale, got.p_mean, got.p_scale, got.q_mean,
                      got.q_scale);
        }
    }
}
