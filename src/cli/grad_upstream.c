#include "grad_upstream.h"

#include "message.h"
#include "number.h"
#include "shape_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool has_shape(const struct npy *array, const struct kl_kept *kept)
{
    const bool one = kept->rank == 0 && array->rank == 1 && array->shape[0] == 1;
    return one || (array->rank == kept->rank &&
                   memcmp(array->shape, kept->shape, kept->rank * sizeof kept->shape[0]) == 0);
}

/* float64 is not narrowed unasked: --compute f32 has rounded it already. */
static bool narrow(const char *path, const struct npy *array, clkl_dtype type, float *to)
{
    for (uint64_t i = 0; i < array->count; i++) {
        const double number = number_at(array->data, type, i);
        to[i] = (float)number;
        if ((double)to[i] != number && !isnan(number))
            return message("%s: holds %.17g in float64, which float32 would round, and the result "
                           "is float32; --compute f32 rounds, --compute f64 computes in double "
                           "precision",
                           message_file(path), number);
    }
    return true;
}

static bool convert(const char *path, const struct npy *array, clkl_dtype from, clkl_dtype to,
                    void *upstream)
{
    if (to == CLKL_F32)
        return narrow(path, array, from, upstream);
    for (uint64_t i = 0; i < array->count; i++)
        ((double *)upstream)[i] = number_at(array->data, from, i);
    return true;
}

bool grad_upstream_make(const struct grad_options *options, const struct kl_files *files,
                        const struct kl_task *task, void **upstream)
{
    const char *path = options->kl.upstream;
    const struct npy *array = &files->upstream;
    const clkl_dtype type = task->spec.compute;
    *upstream = NULL;
    if (path == NULL)
        return true;
    if (!has_shape(array, &task->kept))
        return message("%s: the upstream gradient has the shape %s; expected the result's, %s "
                       "(--keep %s)",
                       message_file(path), shape_text(array->shape, array->rank).text,
                       shape_text(task->kept.shape, task->kept.rank).text, options->kl.keep.text);
    *upstream = calloc((size_t)array->count, number_size(type));
    if (*upstream == NULL)
        return message("there is no memory for %" PRIu64 " numbers of the upstream gradient",
                       array->count);
    if (convert(path, array, files->upstream_dtype, type, *upstream))
        return true;
    free(*upstream);
    *upstream = NULL;
    return false;
}
