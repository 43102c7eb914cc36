#include "kl_files.h"

#include "convert.h"
#include "kl_statistics.h"
#include "kl_weights.h"
#include "message.h"

#include <math.h>
#include <string.h>

/* What the elements are, or CLKL_DEFAULT_DTYPE if they are nothing that is computed. */
static clkl_dtype dtype_of(enum npy_type type, bool bf16)
{
    switch (type) {
    case NPY_FLOAT16:
        return CLKL_F16;
    case NPY_FLOAT32:
        return CLKL_F32;
    case NPY_FLOAT64:
        return CLKL_F64;
    case NPY_VOID2:
        return CLKL_BF16;
    case NPY_UINT16:
    case NPY_INT16:
        return bf16 ? CLKL_BF16 : CLKL_DEFAULT_DTYPE;
    default:
        return CLKL_DEFAULT_DTYPE;
    }
}

/* Rounds float64 to float32, in place. */
static bool narrow(const char *path, struct npy *array)
{
    const char *from = array->data;
    char *to = array->data;
    for (uint64_t i = 0; i < array->count; i++) {
        double wide;
        memcpy(&wide, from + i * sizeof wide, sizeof wide);
        const float single = (float)wide;
        if (isinf(single) && !isinf(wide))
            return message("--compute f32: %s holds %g, which is beyond float32; leave it out",
                           message_file(path), wide);
        memcpy(to + i * sizeof single, &single, sizeof single);
    }
    array->type = NPY_FLOAT32;
    return true;
}

bool kl_files_take_numbers(const struct kl_options *options, const char *path, struct npy *array,
                           clkl_dtype *dtype)
{
    if (array->type == NPY_FLOAT64 && options->compute == CLKL_F32 && !narrow(path, array))
        return false;
    *dtype = dtype_of(array->type, options->bf16);
    return *dtype != CLKL_DEFAULT_DTYPE || convert_refuse(path, array->type);
}

bool kl_files_read_numbers(const struct kl_options *options, const char *path, struct npy *array,
                           clkl_dtype *dtype)
{
    struct io_error error;
    if (!npy_read(path, array, &error))
        return message("%s", error.text);
    return kl_files_take_numbers(options, path, array, dtype);
}

static bool read_side(const struct kl_options *all, const struct kl_side_options *options,
                      struct kl_side_files *side)
{
    if (options->mean == NULL)
        return true;
    if (options->archive)
        return kl_statistics_read(all, options->mean, side);
    clkl_dtype scale = CLKL_DEFAULT_DTYPE;
    if (!kl_files_read_numbers(all, options->mean, &side->mean, &side->dtype))
        return false;
    if (options->scale == NULL)
        return true;
    if (!kl_files_read_numbers(all, options->scale, &side->scale, &scale))
        return false;
    if (scale != side->dtype)
        return convert_refuse_mixture(options->mean, side->mean.type, options->scale,
                                      side->scale.type);
    return true;
}

static bool is_16_bit_integer(const struct npy *array)
{
    return array->data != NULL && (array->type == NPY_UINT16 || array->type == NPY_INT16);
}

static bool check_bf16(const struct kl_options *options, const struct kl_files *files)
{
    const bool weights = options->weights.kind == CLKL_WEIGHTS;
    return !options->bf16 || is_16_bit_integer(&files->p.mean) ||
           is_16_bit_integer(&files->upstream) || (weights && is_16_bit_integer(&files->weights)) ||
           is_16_bit_integer(&files->p.scale) || is_16_bit_integer(&files->q.mean) ||
           is_16_bit_integer(&files->q.scale) ||
           message("--bf16: no file holds uint16 or int16, so there is nothing to take for "
                   "bfloat16; leave it out");
}

bool kl_files_read(const struct kl_options *options, struct kl_files *files)
{
    memset(files, 0, sizeof *files);
    if (read_side(options, &options->p, &files->p) && read_side(options, &options->q, &files->q) &&
        kl_weights_read(options, files) &&
        (options->upstream == NULL ||
         kl_files_read_numbers(options, options->upstream, &files->upstream,
                               &files->upstream_dtype)) &&
        check_bf16(options, files))
        return true;
    kl_files_free(files);
    return false;
}

void kl_files_free(struct kl_files *files)
{
    npy_free(&files->p.mean);
    npy_free(&files->p.scale);
    npy_free(&files->q.mean);
    npy_free(&files->q.scale);
    npy_free(&files->weights);
    npy_free(&files->upstream);
}

const char *kl_files_find_f64(const struct kl_options *options, const struct kl_files *files)
{
    if (files->p.dtype == CLKL_F64)
        return options->p.mean;
    if (files->q.dtype == CLKL_F64)
        return options->q.mean;
    if (files->weights_dtype == CLKL_F64)
        return options->weights.file;
    return NULL;
}
