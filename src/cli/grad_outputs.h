/* The files that `clkl grad` writes. */
#ifndef CLKL_CLI_GRAD_OUTPUTS_H
#define CLKL_CLI_GRAD_OUTPUTS_H

#include "grad_task.h"
#include "io/output.h"

struct grad_outputs {
    struct output *output[GRAD_MOST_ARRAYS + 1]; /* the gradients, then the value */
    char *path[GRAD_MOST_ARRAYS + 1];
    unsigned count;
};

/* Opens all of them, or none and says why. */
bool grad_outputs_open(const struct grad_task *task, struct grad_outputs *outputs);

/* Writes into them, as far as it goes: a full disk shows here. */
bool grad_outputs_write(const struct grad_task *task, struct grad_outputs *outputs);

/* Lets all of them appear, or none and says why. */
bool grad_outputs_commit(struct grad_outputs *outputs);

/* Releases what is left: files that have not been committed do not appear. */
void grad_outputs_free(struct grad_outputs *outputs);

#endif
