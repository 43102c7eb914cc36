/* The divergence of one sample of full covariances: two multivariate normal distributions. */
#ifndef CLKL_REFERENCE_COVARIANCE_H
#define CLKL_REFERENCE_COVARIANCE_H

#include "reference/multivariate.h"

/* What a sample is computed in and comes out of; `covariance` and `mean` are what each coordinate
 * adds to the divergence of those before it, in nats (with precision matrices only their sums mean
 * anything). */
struct clkl_covariance_work {
    struct clkl_factoring how;
    long double *covariance; /* n */
    long double *mean;       /* n */
    long double *ratio;      /* n: 1 + E_ii */
    long double *a;          /* n x n */
    long double *b;          /* n x n */
    clkl_matrix_status status;
};

/* Allocates for n coordinates; false if there is no memory. To be freed also then. */
bool clkl_covariance_work_make(struct clkl_covariance_work *work, size_t n);
void clkl_covariance_work_free(struct clkl_covariance_work *work);

/* Never negative and 0 for identical arguments; NaN, +inf and the status as clkl.h says. */
void clkl_covariance_divergence(const struct clkl_multivariate *p,
                                const struct clkl_multivariate *q,
                                struct clkl_covariance_work *work);

#endif
