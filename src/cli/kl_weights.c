#include "kl_weights.h"

#include "arguments.h"
#include "convert.h"
#include "kl_lengths.h"
#include "message.h"
#include "number.h"
#include "shape_text.h"

#include <string.h>

/* ---- Options ---- */

static bool read_length_axis(const char *text, struct kl_weights_options *options)
{
    options->length_axis = 1;
    if (text == NULL)
        return true;
    if (options->kind != CLKL_LENGTHS)
        return message("--length-axis %s: there are no lengths; expected --lengths FILE beside it",
                       text);
    if (!arguments_integer(text, &options->length_axis))
        return message("--length-axis %s: found no whole number; expected an axis, e.g. 1 or -1",
                       text);
    return options->length_axis != 0 ||
           message("--length-axis 0: axis 0 is the batch axis, which has no length for each "
                   "sample; expected another, or a mask");
}

bool kl_weights_options_read(const struct kl_arguments *arguments,
                             struct kl_weights_options *options)
{
    static const struct {
        enum kl_argument argument;
        clkl_weighting kind;
        const char *name;
    } kinds[] = {{KL_MASK, CLKL_MASK, "mask"},
                 {KL_WEIGHTS, CLKL_WEIGHTS, "weights"},
                 {KL_LENGTHS, CLKL_LENGTHS, "lengths"}};
    *options = (struct kl_weights_options){.kind = CLKL_NO_WEIGHTS};
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        const char *file = arguments->option[kinds[i].argument];
        if (file == NULL)
            continue;
        if (options->file != NULL)
            return message("--%s and --%s both say which elements count; give one of them: "
                           "--weights can be 0 as a mask is",
                           options->option, kinds[i].name);
        options->kind = kinds[i].kind;
        options->option = kinds[i].name;
        options->file = file;
    }
    return read_length_axis(arguments->option[KL_LENGTH_AXIS], options);
}

/* ---- Files ---- */

static bool read_mask(const char *path, struct npy *mask)
{
    struct io_error error;
    if (!npy_read(path, mask, &error))
        return message("%s", error.text);
    return mask->type == NPY_BOOL || mask->type == NPY_UINT8 ||
           convert_refuse_mask(path, mask->type);
}

bool kl_weights_read(const struct kl_options *options, struct kl_files *files)
{
    const char *path = options->weights.file;
    switch (options->weights.kind) {
    case CLKL_MASK:
        return read_mask(path, &files->weights);
    case CLKL_WEIGHTS:
        return kl_files_read_numbers(options, path, &files->weights, &files->weights_dtype);
    case CLKL_LENGTHS:
        return kl_lengths_read(path, &files->weights);
    default:
        return true;
    }
}

/* ---- Shapes ---- */

static bool refuse_shape(const struct kl_options *options, const struct npy *array,
                         const struct kl_task *task)
{
    const bool samples = array->rank == 1 && array->shape[0] == task->samples;
    return message("%s: the shape of --%s, %s, does not broadcast to the mean's, %s; expected that "
                   "extent or 1 for each axis, from the last one backwards%s",
                   message_file(options->weights.file), options->weights.option,
                   shape_text(array->shape, array->rank).text,
                   shape_text(task->spec.shape, task->spec.rank).text,
                   samples ? ". One for each sample has an axis of extent 1 for each other axis"
                           : "");
}

/* Strides of the file along the mean's axes, 0 where it is repeated. */
static bool find_strides(const struct npy *array, const struct kl_task *task, int64_t *strides)
{
    const unsigned rank = task->spec.rank;
    int64_t stride = 1;
    if (array->rank > rank)
        return false;
    for (unsigned k = array->rank, axis = rank; k-- > 0;) {
        axis--;
        if (array->shape[k] != 1 && array->shape[k] != task->spec.shape[axis])
            return false;
        strides[axis] = array->shape[k] == 1 ? 0 : stride;
        stride *= (int64_t)array->shape[k];
    }
    return true;
}

/* ---- What counts ---- */

static bool counts(const struct kl_files *files, clkl_weighting kind, uint64_t i)
{
    if (kind == CLKL_MASK)
        return ((const uint8_t *)files->weights.data)[i] != 0;
    return number_at(files->weights.data, files->weights_dtype, i) != 0; /* NaN counts */
}

/* Each element of the file is there for as many of the mean's. */
static uint64_t count_elements(const struct kl_files *files, clkl_weighting kind, uint64_t all)
{
    uint64_t count = 0;
    for (uint64_t i = 0; i < files->weights.count; i++)
        count += counts(files, kind, i);
    return count * (all / files->weights.count);
}

bool kl_weights_count(const struct kl_files *files, const struct kl_task *task, uint64_t sample,
                      uint64_t element)
{
    const clkl_weights *weights = &task->spec.weights;
    uint64_t at = sample * (uint64_t)weights->strides[0];
    if (weights->kind == CLKL_NO_WEIGHTS)
        return true;
    for (unsigned axis = task->spec.rank; axis-- > 1; element /= task->spec.shape[axis]) {
        const uint64_t index = element % task->spec.shape[axis];
        if (weights->kind != CLKL_LENGTHS)
            at += index * (uint64_t)weights->strides[axis];
        else if (axis == weights->length_axis)
            return index < ((const uint32_t *)files->weights.data)[at];
    }
    return counts(files, weights->kind, at);
}

bool kl_weights_match(const struct kl_options *options, const struct kl_files *files,
                      struct kl_task *task)
{
    clkl_weights *weights = &task->spec.weights;
    const clkl_weighting kind = options->weights.kind;
    task->counted = task->samples * task->elements;
    if (kind == CLKL_NO_WEIGHTS)
        return true;
    *weights = (clkl_weights){.kind = kind, .layout = CLKL_STRIDED};
    task->args.weights = files->weights.data;
    if (kind == CLKL_LENGTHS)
        return kl_lengths_match(options, &files->weights, task);
    if (kind == CLKL_WEIGHTS)
        weights->dtype = files->weights_dtype;
    if (!find_strides(&files->weights, task, weights->strides))
        return refuse_shape(options, &files->weights, task);
    task->weights_vary = weights->strides[0] != 0;
    task->counted = count_elements(files, kind, task->counted);
    return true;
}
