/* The upstream gradient of `clkl grad`. */
#ifndef CLKL_CLI_GRAD_UPSTREAM_H
#define CLKL_CLI_GRAD_UPSTREAM_H

#include "grad_options.h"
#include "kl_task.h"

/* Holds the file, if there is one, against the result's shape, and makes numbers of the
 * computation's type of it, which the caller frees; NULL without a file. Says what does not fit. */
bool grad_upstream_make(const struct grad_options *options, const struct kl_files *files,
                        const struct kl_task *task, void **upstream);

#endif
