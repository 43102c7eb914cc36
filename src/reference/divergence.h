/* The divergence of one element: two normal distributions of one dimension. */
#ifndef CLKL_REFERENCE_DIVERGENCE_H
#define CLKL_REFERENCE_DIVERGENCE_H

#include "core/problem.h"

/* N(mean, ...), its scale given as the kind says. CLKL_SCALE_UNIT is a standard deviation of 1,
 * whatever `scale` holds. */
struct clkl_normal {
    enum clkl_scale scale_kind;
    double mean;
    double scale;
};

/* Whether the scale is a variance or a standard deviation below 0. -0.0 is not. */
bool clkl_normal_is_negative(const struct clkl_normal *normal);

/* KL(P||Q) in nats: never negative, 0 for identical parameters, and NaN or +inf where clkl.h says
 * so; a negative scale gives NaN. */
double clkl_normal_divergence(const struct clkl_normal *p, const struct clkl_normal *q);

/* ---- Parts, for the slopes ---- */

/* The number high + low. */
struct clkl_words {
    double high;
    double low;
};

/* a + b without error: the rounded sum, and what rounding took off it. Not for infinities. */
struct clkl_words clkl_exact_sum(double a, double b);

bool clkl_scale_is_log(enum clkl_scale kind);

/* Whether the standard deviation is 0, or infinite: -1 or 1; else 0. */
int clkl_normal_extreme(const struct clkl_normal *normal);

/* A distance in standard deviations of `normal`. */
double clkl_normal_in_deviations(double distance, const struct clkl_normal *normal);

#endif
