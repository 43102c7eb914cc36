/* FID statistics: an .npz archive of a mean and a covariance. */
#ifndef CLKL_CLI_KL_STATISTICS_H
#define CLKL_CLI_KL_STATISTICS_H

#include "kl_files.h"

/* Reads the members mu and sigma as mean and covariance. If one of them is float32 and the other
 * float64, it is widened. Says what is wrong. */
bool kl_statistics_read(const struct kl_options *options, const char *path,
                        struct kl_side_files *side);

#endif
