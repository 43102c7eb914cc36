/* How much the means of the units vary over the batch. */
#ifndef CLKL_CLI_INSPECT_MEANS_H
#define CLKL_CLI_INSPECT_MEANS_H

#include "kl_files.h"
#include "kl_task.h"

/*
 * The variance of P's mean over the first `samples` samples, for each element of a sample:
 *
 *     Var[mu] = 1/N sum_n (mu_n - 1/N sum_m mu_m)^2
 *
 * which Burda, Grosse and Salakhutdinov 2016 (Importance Weighted Autoencoders, "Active units")
 * take for the activity of a unit, where N is how many of the samples it counts in; NaN if that is
 * less than 2. In double precision by Welford's recurrence (1962). All means that count are finite.
 * NULL with a sentence if there is no memory; the caller frees.
 */
double *inspect_means_variance(const struct kl_options *options, const struct kl_files *files,
                               const struct kl_task *task, uint64_t samples);

#endif
