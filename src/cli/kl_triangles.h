/* The two triangles of matrices, of which the library reads the lower one alone. */
#ifndef CLKL_CLI_KL_TRIANGLES_H
#define CLKL_CLI_KL_TRIANGLES_H

#include "kl_files.h"

/*
 * Refuses what cannot be meant as it stands. A covariance or precision that is not symmetric: two
 * entries that mirror each other differ by more than 1 % of the larger, and of the geometric mean
 * of their diagonal entries. And factors that hold something above the diagonal and, in all
 * matrices of the file, nothing below it. NaN and infinities are left to the computation.
 */
bool kl_triangles_check(const struct kl_side_options *options, const struct kl_side_files *side);

#endif
