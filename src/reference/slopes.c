/* The difference of the variances is taken in units of the larger one,
 *
 *     u = (vp - vq) / max(vp, vq),
 *
 * which is never out of range and nowhere cancels. With r, the ratio of the standard deviations, e
 * is u where P is the narrower, else u r^2; and as r^2 can be out of range where the slope is not,
 * the two factors r are multiplied in before and after the chain rule's division. The same is done
 * with the distance of the means in standard deviations, of which the square is wanted. */
#include "reference/slopes.h"

#include <float.h>
#include <math.h>

/* e = vp/vq - 1, as u and r; half of r, because r itself can overflow by that much. */
struct excess {
    double difference;
    double half_ratio;
};

/* ---- Both sides given by logarithms ---- */

static double log_deviation(const struct clkl_normal *normal)
{
    double share = normal->scale_kind == CLKL_SCALE_LOGVAR ? 0.5 : 1.0;
    return normal->scale_kind == CLKL_SCALE_UNIT ? 0.0 : share * normal->scale;
}

/* The logarithm of r has two words, because exp multiplies an error by the argument's size; where
 * that is so large that exp is 0 or infinite, one will do. expm1 is bounded here and needs one. */
static struct excess excess_of_logs(double p, double q)
{
    struct clkl_words h = clkl_exact_sum(p, -q);
    double u = copysign(expm1(-2.0 * fabs(h.high)), h.high);
    double low = fabs(h.high) <= 1000.0 ? h.low : 0.0;
    return (struct excess){u, 0.5 * exp(h.high) * (1.0 + low)};
}

/* ---- Neither side given by a logarithm ---- */

static double deviation(const struct clkl_normal *normal)
{
    if (normal->scale_kind == CLKL_SCALE_UNIT)
        return 1.0;
    return normal->scale_kind == CLKL_SCALE_VAR ? sqrt(normal->scale) : normal->scale;
}

/* u for two variances. */
static double difference_of_variances(double p, double q)
{
    return (p - q) / fmax(p, q);
}

/* u for two standard deviations: their sum over the larger one is 2 - |t|. */
static double difference_of_deviations(double p, double q)
{
    double t = (p - q) / fmax(p, q);
    return t * (2.0 - fabs(t));
}

/* u for a standard deviation and a variance, scaled so that the square is in [1/4, 1) and, in two
 * words, exact. A far larger variance may as well be smaller. */
static double difference_of_square(double deviation, double variance)
{
    int exponent;
    double s = frexp(deviation, &exponent);
    double v = fmin(ldexp(variance, -2 * exponent), 0x1p100);
    double square = s * s;
    double low = fma(s, s, -square);
    return ((square - v) + low) / fmax(square, v);
}

static double linear_difference(const struct clkl_normal *p, const struct clkl_normal *q)
{
    bool p_is_std = p->scale_kind == CLKL_SCALE_STD;
    bool q_is_std = q->scale_kind == CLKL_SCALE_STD;
    double p_scale = p->scale_kind == CLKL_SCALE_UNIT ? 1.0 : p->scale;
    double q_scale = q->scale_kind == CLKL_SCALE_UNIT ? 1.0 : q->scale;
    if (p_is_std && !q_is_std)
        return difference_of_square(p_scale, q_scale);
    if (q_is_std && !p_is_std)
        return -difference_of_square(q_scale, p_scale);
    return p_is_std ? difference_of_deviations(p_scale, q_scale)
                    : difference_of_variances(p_scale, q_scale);
}

/* ---- One side given by a logarithm ---- */

/* The ratio of a standard deviation to one that is given by a logarithm; or the inverse. */
static struct excess excess_of_ratio(double ratio, bool invert)
{
    double r = invert ? 1.0 / ratio : ratio;
    double inverse = invert ? ratio : 1.0 / ratio;
    double u = r <= 1.0 ? (r - 1.0) * (r + 1.0) : (1.0 - inverse) * (1.0 + inverse);
    return (struct excess){u, 0.5 * r};
}

/* ---- Any two sides ---- */

/* Not for two extreme scales that are alike. */
static struct excess excess_of(const struct clkl_normal *p, const struct clkl_normal *q)
{
    int order = clkl_normal_extreme(p) - clkl_normal_extreme(q);
    bool p_is_log = clkl_scale_is_log(p->scale_kind) || p->scale_kind == CLKL_SCALE_UNIT;
    bool q_is_log = clkl_scale_is_log(q->scale_kind) || q->scale_kind == CLKL_SCALE_UNIT;
    if (order != 0)
        return order < 0 ? (struct excess){-1.0, 0.0} : (struct excess){1.0, INFINITY};
    if (p_is_log && q_is_log)
        return excess_of_logs(log_deviation(p), log_deviation(q));
    if (clkl_scale_is_log(q->scale_kind))
        return excess_of_ratio(clkl_normal_in_deviations(deviation(p), q), false);
    if (clkl_scale_is_log(p->scale_kind))
        return excess_of_ratio(clkl_normal_in_deviations(deviation(q), p), true);
    return (struct excess){linear_difference(p, q), 0.5 * deviation(p) / deviation(q)};
}

/* The chain rule: x c, for the side's c. */
static double by_scale(double x, const struct clkl_normal *normal)
{
    switch (normal->scale_kind) {
    case CLKL_SCALE_UNIT:
        return 0.0;
    case CLKL_SCALE_LOGVAR:
        return 0.5 * x;
    case CLKL_SCALE_LOGSTD:
        return x;
    case CLKL_SCALE_VAR:
        return 0.5 * x / normal->scale;
    case CLKL_SCALE_STD:
        return x / normal->scale;
    case CLKL_SCALE_COVARIANCE: /* matrices do not come here */
    case CLKL_SCALE_CHOLESKY:
    case CLKL_SCALE_PRECISION:
        break;
    }
    return x;
}

/* unit e c */
static double excess_by_scale(struct excess e, double unit, const struct clkl_normal *normal)
{
    if (e.difference <= 0.0)
        return by_scale(unit * e.difference, normal);
    return by_scale(4.0 * unit * e.difference * e.half_ratio, normal) * e.half_ratio;
}

/* ---- The members ---- */

static double p_scale_slope(struct excess e, const struct clkl_normal *p,
                            const struct clkl_normal *q)
{
    if (clkl_normal_extreme(p) <= 0)
        return excess_by_scale(e, 1.0, p);
    if (p->scale_kind != CLKL_SCALE_VAR)
        return INFINITY;
    return clkl_normal_in_deviations(clkl_normal_in_deviations(0.5, q), q);
}

/* z is the distance of the means in standard deviations of Q. Below the normal numbers, the terms
 * may overflow where their sum does not. */
static double q_scale_slope(struct excess e, double z, const struct clkl_normal *q)
{
    bool tiny = !clkl_scale_is_log(q->scale_kind) && q->scale < DBL_MIN;
    double unit = tiny ? 0x1p-60 : 1.0;
    double square = z == 0.0 ? 0.0 : by_scale(unit * z, q) * z;
    return -(excess_by_scale(e, unit, q) + square) / unit;
}

/* The members of the means, and z. The largest means are halved first, as their difference can
 * overflow. */
static double mean_slopes(const struct clkl_normal *p, const struct clkl_normal *q,
                          struct clkl_slopes *slopes)
{
    bool large = fmax(fabs(p->mean), fabs(q->mean)) > 0.5 * DBL_MAX;
    double unit = large ? 0.5 : 1.0;
    double distance = unit * p->mean - unit * q->mean;
    bool plain = distance == 0.0 || isinf(distance);
    double z = plain ? distance : clkl_normal_in_deviations(distance, q);
    slopes->p_mean = (plain ? distance : clkl_normal_in_deviations(z, q)) / unit;
    slopes->q_mean = -slopes->p_mean;
    return z / unit;
}

static void scale_slopes(const struct clkl_normal *p, const struct clkl_normal *q, double z,
                         struct clkl_slopes *slopes)
{
    int extreme = clkl_normal_extreme(p);
    if (extreme != 0 && extreme == clkl_normal_extreme(q)) {
        slopes->p_scale = slopes->q_scale = p->mean == q->mean ? 0.0 : NAN;
        return;
    }
    struct excess e = excess_of(p, q);
    slopes->p_scale = p_scale_slope(e, p, q);
    bool infinite = isinf(p->mean) || isinf(q->mean);
    slopes->q_scale = infinite ? -INFINITY : q_scale_slope(e, z, q);
}

struct clkl_slopes clkl_normal_slopes(const struct clkl_normal *given_p,
                                      const struct clkl_normal *given_q)
{
    struct clkl_slopes slopes = {NAN, NAN, NAN, NAN};
    struct clkl_normal p = *given_p, q = *given_q;
    p.scale += 0.0; /* 0 instead of -0, which a division would tell from it */
    q.scale += 0.0;
    if (!isnan(clkl_normal_divergence(&p, &q))) {
        double z = mean_slopes(&p, &q, &slopes);
        scale_slopes(&p, &q, z, &slopes);
    }
    if (p.scale_kind == CLKL_SCALE_UNIT)
        slopes.p_mean = slopes.p_scale = 0.0;
    if (q.scale_kind == CLKL_SCALE_UNIT)
        slopes.q_mean = slopes.q_scale = 0.0;
    return slopes;
}
