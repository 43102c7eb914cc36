#include "kl_matrices.h"

#include "message.h"

#include <stdlib.h>

bool kl_matrices_allocate(struct kl_matrices *matrices, size_t samples, size_t kept, size_t size)
{
    matrices->parts = calloc(samples, 2 * size);
    matrices->kept_parts = kept > 0 ? calloc(kept, 2 * size) : matrices->parts;
    matrices->status = calloc(samples, sizeof *matrices->status);
    return (matrices->parts != NULL && matrices->kept_parts != NULL && matrices->status != NULL) ||
           message("there is no memory for the parts of %zu values", samples + kept);
}

void kl_matrices_free(struct kl_matrices *matrices)
{
    if (matrices->kept_parts != matrices->parts)
        free(matrices->kept_parts);
    free(matrices->parts);
    free(matrices->status);
    *matrices = (struct kl_matrices){0};
}
