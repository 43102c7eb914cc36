/* What comes back beside the values with full covariances. */
#ifndef CLKL_CLI_KL_MATRICES_H
#define CLKL_CLI_KL_MATRICES_H

#include <clkl/clkl.h>

#include <stdbool.h>

struct kl_matrices {
    void *parts;                /* of each sample: what the covariances and the means contribute */
    void *kept_parts;           /* the same of each value that was asked for: `parts`, or others */
    clkl_matrix_status *status; /* of each sample */
};

/* Allocates them, for values of `size` bytes; `kept` is 0 if the samples were asked for. Says so if
 * there is no memory. */
bool kl_matrices_allocate(struct kl_matrices *matrices, size_t samples, size_t kept, size_t size);

void kl_matrices_free(struct kl_matrices *matrices);

#endif
