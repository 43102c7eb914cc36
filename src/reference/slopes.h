/* The gradient of the divergence of one element, by the numbers that were given.
 *
 * With variances vp and vq, d = mp - mq, e = vp/vq - 1, and c = 1/2 for a log-variance, 1 for a
 * logarithm of a standard deviation, 1/(2v) for a variance, 1/s for a standard deviation:
 *
 *     p_mean  =  d / vq        p_scale = e c(p)
 *     q_mean  = -d / vq        q_scale = -(e + d^2/vq) c(q)
 *
 * A standard normal is given by no numbers: its members are 0, whatever the rest. For the others,
 * the first of these that applies decides:
 * - The divergence is NaN, because some number of the element is NaN, a variance or standard
 *   deviation is below 0, or the means are equal and infinite: every member is NaN.
 * - Both variances are 0, or both infinite: e has no limit. The members of the scales are NaN where
 *   the means differ, and 0 where they are equal; those of the means follow as below.
 * - The means differ by infinity: p_mean and q_mean are infinite and q_scale is -inf.
 * - Else every member is the limit of its formula. For example, as vp becomes 0, e becomes -1, so
 *   that p_scale is -1/2 for a log-variance and -inf for a variance; as vp becomes infinite, it is
 *   +inf, but 1/(2 vq) for a variance; as vq becomes 0, p_scale is +inf, q_scale -inf and p_mean
 *   +-inf, or 0 where the means are equal; as vq becomes infinite, p_mean is 0, e is -1, and so
 *   q_scale is 1/2 for a log-variance and 0 for a variance. */
#ifndef CLKL_REFERENCE_SLOPES_H
#define CLKL_REFERENCE_SLOPES_H

#include "reference/divergence.h"

struct clkl_slopes {
    double p_mean;
    double p_scale;
    double q_mean;
    double q_scale;
};

/* Each member to 1e-14 of the sum of the absolute values of its terms. The term e is one, good to
 * 1e-14 of itself however small; but where one side alone is given by a logarithm, vp/vq and 1 are
 * terms of their own. Nothing is promised of what is below the smallest normal number. */
struct clkl_slopes clkl_normal_slopes(const struct clkl_normal *p, const struct clkl_normal *q);

#endif
