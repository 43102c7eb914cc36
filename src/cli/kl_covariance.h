/* Full covariances: what the options say of them, and whether the files fit. */
#ifndef CLKL_CLI_KL_COVARIANCE_H
#define CLKL_CLI_KL_COVARIANCE_H

#include "kl_task.h"

/* Whether the scale of a side is a matrix. */
bool kl_form_is_matrix(clkl_form form);

/* Understands --jitter, and refuses what does not go together with full covariances. */
bool kl_covariance_options_read(const struct kl_arguments *arguments, struct kl_options *options);

/* P's mean with its batch axis: with full covariances [D] is a batch of one. Points into `mean`. */
struct npy kl_covariance_batch(const struct kl_options *options, const struct npy *mean);

/* With full covariances: whether the types are computed, every matrix is square and fits its mean,
 * and covariances and precisions are symmetric. Says what is wrong. */
bool kl_covariance_check(const struct kl_options *options, const struct kl_files *files);

/* Puts layouts and jitter into the specification of a task that is filled otherwise. */
bool kl_covariance_fill(const struct kl_options *options, const struct kl_files *files,
                        struct kl_task *task);

/* Whether one matrix serves all means of a side that is not shared. */
bool kl_covariance_repeats(const clkl_gaussian *side);

/* How the file of a mean or matrix is called in messages: "c.npy", "a.npz(sigma.npy)". */
struct kl_file_label {
    char text[320];
};
struct kl_file_label kl_covariance_label(const struct kl_side_options *options, bool matrix);

#endif
