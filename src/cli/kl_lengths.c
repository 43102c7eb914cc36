#include "kl_lengths.h"

#include "arguments.h"
#include "convert.h"
#include "message.h"
#include "shape_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static bool is_whole(enum npy_type type)
{
    return npy_type_letter(type) == 'i' || npy_type_letter(type) == 'u';
}

/* Number i of an array of whole numbers; *negative tells whether it is below 0, where the number is
 * its size. */
static uint64_t whole_at(const struct npy *array, uint64_t i, bool *negative)
{
    const size_t size = npy_type_size(array->type);
    const char *at = (const char *)array->data + i * size;
    uint64_t bits = 0;
    for (size_t k = 0; k < size; k++) {
        const size_t place = npy_native_order() == '<' ? k : size - 1 - k;
        bits |= (uint64_t)(unsigned char)at[place] << (8 * k);
    }
    const uint64_t sign = (uint64_t)1 << (8 * size - 1);
    *negative = npy_type_letter(array->type) == 'i' && (bits & sign) != 0;
    return *negative ? (sign - 1 - (bits & (sign - 1))) + 1 : bits;
}

static bool narrow(const char *path, const struct npy *array, uint32_t *lengths)
{
    for (uint64_t i = 0; i < array->count; i++) {
        bool negative = false;
        const uint64_t length = whole_at(array, i, &negative);
        if (negative)
            return message("%s: length %" PRIu64 " is -%" PRIu64 "; expected no length below 0",
                           message_file(path), i, length);
        lengths[i] = length < UINT32_MAX ? (uint32_t)length : UINT32_MAX;
    }
    return true;
}

bool kl_lengths_read(const char *path, struct npy *lengths)
{
    struct io_error error;
    if (!npy_read(path, lengths, &error))
        return message("%s", error.text);
    if (!is_whole(lengths->type))
        return convert_refuse_lengths(path, lengths->type);
    uint32_t *narrowed = calloc((size_t)lengths->count + 1, sizeof *narrowed);
    if (narrowed == NULL)
        return message("there is no memory for %" PRIu64 " lengths", lengths->count);
    const bool good = narrow(path, lengths, narrowed);
    free(lengths->data);
    lengths->data = narrowed;
    lengths->type = NPY_UINT32;
    return good;
}

static bool find_axis(const struct kl_options *options, struct kl_task *task)
{
    const unsigned rank = task->spec.rank;
    unsigned axis = 0;
    if (!arguments_axis(options->weights.length_axis, rank, &axis) || axis == 0)
        return message("--length-axis %d: the mean's shape %s has %u axes, of which 0 is the "
                       "batch; expected 1 to %u, or -1 to -%u",
                       options->weights.length_axis, shape_text(task->spec.shape, rank).text, rank,
                       rank - 1, rank - 1);
    task->spec.weights.length_axis = axis;
    return true;
}

bool kl_lengths_match(const struct kl_options *options, const struct npy *lengths,
                      struct kl_task *task)
{
    const char *file = message_file(options->weights.file);
    const uint32_t *length = lengths->data;
    if (!find_axis(options, task))
        return false;
    if (lengths->rank > 1 || (lengths->count != task->samples && lengths->count != 1))
        return message("%s: lengths of shape %s; expected one for each of the %" PRIu64
                       " samples, [%" PRIu64 "], or a single number for all",
                       file, shape_text(lengths->shape, lengths->rank).text, task->samples,
                       task->samples);
    const unsigned axis = task->spec.weights.length_axis;
    const uint64_t extent = task->spec.shape[axis];
    uint64_t sum = 0;
    for (uint64_t i = 0; i < lengths->count; sum += length[i++])
        if (length[i] > extent)
            return message("%s: length %" PRIu64 " is %" PRIu32 "%s, but axis %u of the mean's "
                           "shape %s ends at %" PRIu64 "; expected no more (--length-axis N names "
                           "another axis)",
                           file, i, length[i], length[i] == UINT32_MAX ? " or more" : "", axis,
                           shape_text(task->spec.shape, task->spec.rank).text, extent);
    task->weights_vary = lengths->count > 1;
    task->spec.weights.strides[0] = task->weights_vary ? 1 : 0;
    task->counted = sum * (task->samples / lengths->count) * (task->elements / extent);
    return true;
}
