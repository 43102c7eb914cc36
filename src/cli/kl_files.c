#include "kl_files.h"

#include "convert.h"
#include "message.h"

#include <string.h>

static bool read_file(const char *path, struct npy *array, clkl_dtype *dtype)
{
    struct io_error error;
    if (!npy_read(path, array, &error))
        return message("%s", error.text);
    if (array->type == NPY_FLOAT32)
        *dtype = CLKL_F32;
    else if (array->type == NPY_FLOAT64)
        *dtype = CLKL_F64;
    else
        return convert_refuse(path, array->type);
    return true;
}

static bool read_side(const struct kl_side_options *options, struct kl_side_files *side)
{
    if (options->mean == NULL)
        return true;
    clkl_dtype scale = CLKL_DEFAULT_DTYPE;
    if (!read_file(options->mean, &side->mean, &side->dtype))
        return false;
    if (options->scale == NULL)
        return true;
    if (!read_file(options->scale, &side->scale, &scale))
        return false;
    if (scale != side->dtype)
        return convert_refuse_mixture(options->mean, side->mean.type, options->scale,
                                      side->scale.type);
    return true;
}

bool kl_files_read(const struct kl_options *options, struct kl_files *files)
{
    memset(files, 0, sizeof *files);
    if (read_side(&options->p, &files->p) && read_side(&options->q, &files->q))
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
}

const char *kl_files_find_f64(const struct kl_options *options, const struct kl_files *files)
{
    if (files->p.dtype == CLKL_F64)
        return options->p.mean;
    if (files->q.dtype == CLKL_F64)
        return options->q.mean;
    return NULL;
}
