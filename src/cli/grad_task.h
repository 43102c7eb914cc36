/* What `clkl grad` computes, and what became of it. */
#ifndef CLKL_CLI_GRAD_TASK_H
#define CLKL_CLI_GRAD_TASK_H

#include "grad_options.h"
#include "kl_run.h"
#include "statistics.h"

enum { GRAD_MOST_ARRAYS = 4 };

/* One of the gradients. */
struct grad_array {
    const char *name;     /* of what it is by: "p_mean", "q_logvar", "p_moments" */
    const struct npy *of; /* that file's array, whose shape it has */
    void *data;           /* numbers of the gradients' type */
    uint64_t zeros, nan, infinite;
    uint64_t first_nan; /* its index */
    double norm;        /* the root of the sum of squares of the finite ones */
    double largest;     /* of their absolute values */
};

struct grad_task {
    const struct grad_options *options;
    const struct kl_files *files;
    struct kl_task kl;
    clkl_dtype type; /* of the gradients */
    void *upstream;  /* numbers of the computation's type; NULL: all are 1 */
    struct grad_array array[GRAD_MOST_ARRAYS];
    unsigned count;
    bool values; /* are computed, into result.kept */
    struct kl_result result;
    struct statistics statistics; /* of `free` alone */
};

/* Holds files and options against each other, and makes room for what comes out. On failure says
 * why, and leaves nothing to free. The files stay as they are as long as the task. */
bool grad_task_make(const struct grad_options *options, const struct kl_files *files,
                    struct grad_task *task);

/* Computes, or says what failed. */
bool grad_task_run(struct grad_task *task);

void grad_task_free(struct grad_task *task);

#endif
