/* One side of one sample of full covariances: its numbers, its matrix, and the factor of that. */
#ifndef CLKL_REFERENCE_MULTIVARIATE_H
#define CLKL_REFERENCE_MULTIVARIATE_H

#include "core/problem.h"

/* The arrays begin with the sample's first elements. */
struct clkl_multivariate {
    const struct clkl_side *side;
    const void *mean;
    const void *scale;
};

/* What a matrix holds. Diagonal sides have a matrix of each; others of what they are given by. */
enum clkl_content {
    CLKL_CONTENT_COVARIANCE,
    CLKL_CONTENT_PRECISION,
    CLKL_CONTENT_REVERSED_PRECISION, /* in reverse order of rows and columns */
    CLKL_CONTENT_FACTOR
};

/* How matrices are factored. */
struct clkl_factoring {
    size_t n;
    double jitter;
    double epsilon; /* of the compute type, which decides what few digits are */
};

bool clkl_multivariate_is_diagonal(const struct clkl_multivariate *g);

long double clkl_multivariate_mean(const struct clkl_multivariate *g, size_t i);

/* An element of the lower triangle. */
long double clkl_multivariate_entry(const struct clkl_multivariate *g, enum clkl_content content,
                                    size_t n, size_t row, size_t column);

/* Fills the lower triangle of `matrix` with the Cholesky factor of a covariance or precision, to
 * whose diagonal *added was added where it would not do without. False, with the pivot in *status,
 * if there is none. */
bool clkl_multivariate_factor(const struct clkl_multivariate *g, enum clkl_content content,
                              const struct clkl_factoring *how, long double *matrix,
                              long double *added, int32_t *status);

/* Fills it with L of the covariance L L^T or, for a precision, with R of R^T R. */
bool clkl_multivariate_lower(const struct clkl_multivariate *g, const struct clkl_factoring *how,
                             long double *matrix, int32_t *status);

/* Says so in *status if the diagonal of a factor leaves few digits, unless it says something. */
void clkl_note_condition(const struct clkl_multivariate *g, const struct clkl_factoring *how,
                         const long double *factor, int32_t *status);

#endif
