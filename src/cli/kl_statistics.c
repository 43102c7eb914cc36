#include "kl_statistics.h"

#include "io/npz.h"
#include "message.h"

#include <stdlib.h>

static bool check_type(const char *path, const char *member, const struct npy *array)
{
    return array->type == NPY_FLOAT32 || array->type == NPY_FLOAT64 ||
           message("%s(%s.npy): holds %s; expected float32 or float64", path, member,
                   npy_type_name(array->type));
}

/* float32 to float64. */
static bool widen(const char *path, struct npy *array)
{
    const float *narrow = array->data;
    double *wide = calloc((size_t)array->count + 1, sizeof *wide);
    if (wide == NULL)
        return message("%s: there is no memory for %llu numbers", path,
                       (unsigned long long)array->count);
    for (uint64_t i = 0; i < array->count; i++)
        wide[i] = (double)narrow[i];
    free(array->data);
    array->data = wide;
    array->type = NPY_FLOAT64;
    return true;
}

static bool read_members(const char *path, struct kl_side_files *side)
{
    struct io_error error;
    struct npz *archive = npz_open(path, &error);
    const bool good = archive != NULL && npz_read(archive, "mu", &side->mean, &error) &&
                      npz_read(archive, "sigma", &side->scale, &error);
    npz_close(archive);
    return good || message("%s", error.text);
}

bool kl_statistics_read(const struct kl_options *options, const char *path,
                        struct kl_side_files *side)
{
    struct npy *mean = &side->mean, *scale = &side->scale;
    if (!read_members(path, side) || !check_type(path, "mu", mean) ||
        !check_type(path, "sigma", scale))
        return false;
    if (mean->type != scale->type && !widen(path, mean->type == NPY_FLOAT32 ? mean : scale))
        return false;
    return kl_files_take_numbers(options, path, mean, &side->dtype) &&
           kl_files_take_numbers(options, path, scale, &side->dtype);
}
