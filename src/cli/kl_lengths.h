/* Lengths of the samples, for kl_weights.c. */
#ifndef CLKL_CLI_KL_LENGTHS_H
#define CLKL_CLI_KL_LENGTHS_H

#include "kl_task.h"

/* Reads a file of whole numbers, which become uint32: those beyond that become the largest. Says
 * what is wrong with it. */
bool kl_lengths_read(const char *path, struct npy *lengths);

/* Fills what the task says of lengths: refuses an axis that is not there, a number of lengths that
 * is not that of the samples, and lengths beyond the axis. */
bool kl_lengths_match(const struct kl_options *options, const struct npy *lengths,
                      struct kl_task *task);

#endif
