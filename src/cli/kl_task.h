/* What is to be computed: the specification for the library, made from options and files. */
#ifndef CLKL_CLI_KL_TASK_H
#define CLKL_CLI_KL_TASK_H

#include "kl_files.h"
#include "kl_options.h"

struct kl_task {
    clkl_spec spec;      /* for one value per sample */
    clkl_host_args args; /* its inputs */
    struct kl_kept kept; /* the axes of the result */
    unsigned split_axis; /* of the packed sides */
    bool q_shared;       /* one Q for all samples */
    uint64_t samples;
    uint64_t elements; /* in each sample */
    uint64_t counted;  /* elements of all samples whose weight is not 0 */
    bool weights_vary; /* between samples */
    double free_nats;  /* the least value of the result, in its type */
    bool full;         /* a side is a matrix */
};

/* Holds the shapes of the files against each other and against the options, and fills *task, which
 * points into the files. Says what does not fit. */
bool kl_task_make(const struct kl_options *options, const struct kl_files *files,
                  struct kl_task *task);

/* The specification for the axes that are kept. */
clkl_spec kl_task_kept_spec(const struct kl_options *options, const struct kl_task *task);

#endif
