/* Triangular matrices in long double, as plain loops. A matrix is n rows of n numbers, one after
 * the other; functions that speak of its lower triangle leave the rest alone. */
#ifndef CLKL_REFERENCE_TRIANGULAR_H
#define CLKL_REFERENCE_TRIANGULAR_H

#include <stdbool.h>
#include <stddef.h>

/* Replaces the lower triangle of a symmetric matrix by its Cholesky factor, L L^T. Returns 0, or
 * the number of the first row, from 1, whose pivot is not a positive finite number. */
size_t clkl_cholesky(size_t n, long double *matrix);

/* Replaces the lower triangle of a symmetric M by the lower triangular F with
 * (I + F) (I + F)^T = I + M, without the cancellation of a factor near I. For M whose eigenvalues
 * are above -1. */
void clkl_cholesky_beside_identity(size_t n, long double *matrix);

/* Solves L x = b in place, for the unknowns from `first` up to but not including `end`, with 0 for
 * those before. */
void clkl_substitute(size_t n, const long double *lower, size_t first, size_t end, long double *x);

/* The same for n right sides, the rows of `sides`, from 0 to n. */
void clkl_substitute_all(size_t n, const long double *lower, long double *sides);

/* x = L x, in place, for the numbers from `first` on, with 0 for those before. */
void clkl_multiply(size_t n, const long double *lower, size_t first, long double *x);

/* x = (c I + L)^T x, in place. */
void clkl_multiply_transposed(size_t n, long double c, const long double *lower, long double *x);

void clkl_transpose(size_t n, long double *matrix);

/* Mirrors the lower triangle in the other diagonal: the element (i, j) goes to (n-1-j, n-1-i). */
void clkl_mirror(size_t n, long double *lower);

#endif
