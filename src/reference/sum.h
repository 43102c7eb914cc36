/* Sums in twice the working precision. */
#ifndef CLKL_REFERENCE_SUM_H
#define CLKL_REFERENCE_SUM_H

#include <math.h>
#include <stdbool.h>

/* A. Neumaier, Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen, ZAMM 54
 * (1974): `lost` collects what rounding takes off the sum, and belongs to it. */
struct clkl_sum {
    double sum;
    double lost;
};

static inline void clkl_sum_add(struct clkl_sum *total, double x)
{
    double sum = total->sum + x;
    bool x_smaller = fabs(total->sum) >= fabs(x);
    if (isfinite(sum)) /* else nothing is lost, and inf - inf would be NaN */
        total->lost += x_smaller ? (total->sum - sum) + x : (x - sum) + total->sum;
    total->sum = sum;
}

#endif
