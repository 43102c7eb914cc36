/* How P and Q are given: which files, and what they hold. */
#ifndef CLKL_CLI_KL_SIDES_H
#define CLKL_CLI_KL_SIDES_H

#include "kl_arguments.h"
#include "kl_options.h"

/* Fills options->p and options->q, or says what is missing, given twice or contradictory. */
bool kl_sides_read(const struct kl_arguments *arguments, struct kl_options *options);

#endif
