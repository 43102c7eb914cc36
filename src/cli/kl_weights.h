/* --mask, --weights and --lengths: what chooses the elements that count. */
#ifndef CLKL_CLI_KL_WEIGHTS_H
#define CLKL_CLI_KL_WEIGHTS_H

#include "kl_task.h"

/* Understands the options, or says which contradict each other. */
bool kl_weights_options_read(const struct kl_arguments *arguments,
                             struct kl_weights_options *options);

/* Reads the file, if there is one, into files->weights; lengths become uint32. Says what is wrong
 * with it. */
bool kl_weights_read(const struct kl_options *options, struct kl_files *files);

/* Holds the file's shape against the mean's, which the task knows already, and fills the weights of
 * its specification and arguments and what it says of them. */
bool kl_weights_match(const struct kl_options *options, const struct kl_files *files,
                      struct kl_task *task);

/* Whether an element of a sample counts: its weight is not 0, its mask not, or it is within the
 * sample's length. */
bool kl_weights_count(const struct kl_files *files, const struct kl_task *task, uint64_t sample,
                      uint64_t element);

#endif
