/* With z = (mp - mq) / sq, the distance of the means in standard deviations of Q,
 *
 *     KL(P||Q) = phi(x) / 2 + z^2 / 2     phi(x) = exp(x) - 1 - x,    x = ln(vp / vq)
 *              = psi(t) / 2 + z^2 / 2     psi(t) = t - log1p(t),      t = vp / vq - 1
 *
 * The first form serves where a side is given by a logarithm, the second where neither is. All the
 * care goes into two things. Near 0, where phi and psi are about half a square, both are sums of
 * series, as their terms cancel. And what goes into them is known to twice the working precision,
 * because phi multiplies an error of its argument by the argument's size.
 *
 * The logarithms below are those of standard deviations, h = x / 2, so that nothing overflows
 * before the result does. */
#include "reference/divergence.h"

#include <float.h>
#include <math.h>

/* ln(2) / 2 as a sum. The first part has 32 bits, so that its product with an exponent is exact. */
#define HALF_LN2_HIGH 0x1.62e42fee00000p-2
#define HALF_LN2_LOW  0x1.a39ef35793c76p-34

/* ---- Words ---- */

/* Knuth, The Art of Computer Programming, volume 2, 4.2.2, theorem B. */
struct clkl_words clkl_exact_sum(double a, double b)
{
    double sum = a + b;
    double b_part = sum - a;
    double a_part = sum - b_part;
    return (struct clkl_words){sum, (a - a_part) + (b - b_part)};
}

/* The number (high + low) * 2^exponent, with high in [1/2, 2]. */
struct scaled {
    double high;
    double low;
    int exponent;
};

/* A variance from a scale that is above 0 and finite, of a kind that is no logarithm. The mantissa
 * is put around 1, so that a logarithm near 0 is no difference of large ones. */
static struct scaled variance_of(const struct clkl_normal *normal)
{
    int exponent;
    if (normal->scale_kind == CLKL_SCALE_UNIT)
        return (struct scaled){1.0, 0.0, 0};
    double mantissa = frexp(normal->scale, &exponent);
    if (mantissa < 0.70710678118654752) {
        mantissa *= 2.0;
        exponent--;
    }
    if (normal->scale_kind == CLKL_SCALE_VAR)
        return (struct scaled){mantissa, 0.0, exponent};
    double square = mantissa * mantissa;
    return (struct scaled){square, fma(mantissa, mantissa, -square), 2 * exponent};
}

/* The logarithm of the standard deviation, for every kind, to about 1e-16. Low need not be small.
 */
static struct clkl_words log_deviation(const struct clkl_normal *normal)
{
    if (normal->scale_kind == CLKL_SCALE_LOGVAR)
        return (struct clkl_words){0.5 * normal->scale, 0.0};
    if (normal->scale_kind == CLKL_SCALE_LOGSTD)
        return (struct clkl_words){normal->scale, 0.0};
    struct scaled v = variance_of(normal);
    return (struct clkl_words){v.exponent * HALF_LN2_HIGH,
                               v.exponent * HALF_LN2_LOW + 0.5 * log(v.high)};
}

/* ---- phi and psi ---- */

/* phi(2h) / 2 = h^2 (1 + 2h/3 (1 + 2h/4 (1 + ...))), for small h. */
static double half_phi_series(double h)
{
    double sum = 0.0;
    double term = h * h;
    for (int k = 3; sum + term != sum; k++) {
        sum += term;
        term *= 2.0 * h / k;
    }
    return sum;
}

/* phi(2h) / 2 */
static double half_phi(double h)
{
    if (fabs(h) < 0.5)
        return half_phi_series(h);
    if (h > 300.0) /* the rest is far below one ulp, and exp(2h) could overflow before its half */
        return 0.5 * exp(h) * exp(h);
    return 0.5 * expm1(2.0 * h) - h;
}

/* phi(2h) / 2, with a low word that is small beside the high one: its derivative by h is
 * exp(2h) - 1, which is twice half_phi(h) + h. */
static double half_phi_of_words(struct clkl_words h)
{
    double value = half_phi(h.high);
    if (isinf(value))
        return value;
    return value + 2.0 * h.low * (value + h.high);
}

/* psi(t) for t from -3/4 to 3. With y = t / (2 + t), log1p(t) = 2 (y + y^3/3 + y^5/5 + ...), and
 * t - 2y = ty, so that psi(t) = y (t - 2 (y^2/3 + y^4/5 + ...)), where next to nothing cancels. */
static double psi(double t)
{
    double y = t / (2.0 + t);
    double sum = 0.0;
    double power = y * y;
    for (int k = 3; sum + power / k != sum; k += 2) {
        sum += power / k;
        power *= y * y;
    }
    return y * (t - 2.0 * sum);
}

/* ---- The two terms of an element ---- */

/* phi(x) / 2 from the logarithms of the standard deviations. */
static double scale_term_of_logs(struct clkl_words p, struct clkl_words q)
{
    struct clkl_words h = clkl_exact_sum(p.high, -q.high);
    if (isinf(h.high))
        return INFINITY;
    return half_phi_of_words(clkl_exact_sum(h.high, h.low + (p.low - q.low)));
}

/* psi(t) / 2 from the variances. Far from 1 the ratio itself is as good as its difference from 1
 * and its logarithm better. */
static double scale_term_of_variances(struct scaled p, struct scaled q)
{
    int shift = p.exponent - q.exponent;
    double high = ldexp(p.high, shift);
    double low = ldexp(p.low, shift);
    if (high >= 0.25 * q.high && high <= 4.0 * q.high)
        return 0.5 * psi(((high - q.high) + (low - q.low)) / q.high);
    double mantissas = p.high / q.high;
    double half_ratio = ldexp(mantissas, shift - 1);
    double half_log = 0.5 * log(mantissas) + shift * (HALF_LN2_HIGH + HALF_LN2_LOW);
    return half_ratio - 0.5 - half_log;
}

bool clkl_scale_is_log(enum clkl_scale kind)
{
    return kind == CLKL_SCALE_LOGVAR || kind == CLKL_SCALE_LOGSTD;
}

static double scale_term(const struct clkl_normal *p, const struct clkl_normal *q)
{
    if (clkl_scale_is_log(p->scale_kind) || clkl_scale_is_log(q->scale_kind))
        return scale_term_of_logs(log_deviation(p), log_deviation(q));
    return scale_term_of_variances(variance_of(p), variance_of(q));
}

/* distance * exp(-h) in two steps, either of which stays in range where the result does. */
static double over_exp(double distance, double h)
{
    double root = exp(-0.5 * h);
    return distance * root * root;
}

double clkl_normal_in_deviations(double distance, const struct clkl_normal *normal)
{
    switch (normal->scale_kind) {
    case CLKL_SCALE_UNIT:
    case CLKL_SCALE_COVARIANCE: /* matrices have no single deviation, and do not come here */
    case CLKL_SCALE_CHOLESKY:
    case CLKL_SCALE_PRECISION:
        break;
    case CLKL_SCALE_LOGVAR:
        return over_exp(distance, 0.5 * normal->scale);
    case CLKL_SCALE_LOGSTD:
        return over_exp(distance, normal->scale);
    case CLKL_SCALE_VAR:
        return distance / sqrt(normal->scale);
    case CLKL_SCALE_STD:
        return distance / normal->scale;
    }
    return distance;
}

/* z^2 / 2. The largest numbers are halved first, as their difference can overflow. */
static double mean_term(const struct clkl_normal *p, const struct clkl_normal *q)
{
    bool large = fmax(fabs(p->mean), fabs(q->mean)) > 0.5 * DBL_MAX;
    double unit = large ? 0.5 : 1.0;
    double distance = unit * p->mean - unit * q->mean;
    if (distance == 0.0)
        return 0.0;
    double z = clkl_normal_in_deviations(distance, q) / unit;
    return 0.5 * z * z;
}

/* ---- Special values ---- */

static bool is_nan(const struct clkl_normal *normal)
{
    return isnan(normal->mean) || (normal->scale_kind != CLKL_SCALE_UNIT && isnan(normal->scale));
}

bool clkl_normal_is_negative(const struct clkl_normal *normal)
{
    bool linear = normal->scale_kind == CLKL_SCALE_VAR || normal->scale_kind == CLKL_SCALE_STD;
    return linear && normal->scale < 0.0;
}

int clkl_normal_extreme(const struct clkl_normal *normal)
{
    if (normal->scale_kind == CLKL_SCALE_UNIT)
        return 0;
    double zero = clkl_scale_is_log(normal->scale_kind) ? -INFINITY : 0.0;
    return normal->scale == zero ? -1 : normal->scale == INFINITY ? 1 : 0;
}

double clkl_normal_divergence(const struct clkl_normal *p, const struct clkl_normal *q)
{
    if (is_nan(p) || is_nan(q) || clkl_normal_is_negative(p) || clkl_normal_is_negative(q))
        return NAN;
    if (isinf(p->mean) || isinf(q->mean))
        return p->mean == q->mean ? NAN : INFINITY;
    int p_extreme = clkl_normal_extreme(p);
    int q_extreme = clkl_normal_extreme(q);
    if (p_extreme != 0 || q_extreme != 0)
        return p_extreme == q_extreme && p->mean == q->mean ? 0.0 : INFINITY;
    return scale_term(p, q) + mean_term(p, q);
}
