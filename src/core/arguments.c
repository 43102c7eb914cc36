#include "core/arguments.h"

#include <string.h>

clkl_status clkl_take_struct(const struct clkl_struct_kind *kind, const void *given, void *taken,
                             clkl_error *error)
{
    const unsigned char *bytes = given;
    size_t told = 0;
    if (given == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "%s is NULL", kind->name);
    memcpy(&told, given, sizeof told);
    if (told < kind->first_size || told > CLKL_MOST_STRUCT_BYTES)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "%s->struct_size is %zu; expected sizeof(%s), which is %zu", kind->name,
                         told, kind->type, kind->size);
    for (size_t i = kind->size; i < told; ++i)
        if (bytes[i] != 0)
            return clkl_fail(error, CLKL_UNSUPPORTED,
                             "%s sets a field that this version of the library does not know",
                             kind->name);
    memset(taken, 0, kind->size);
    memcpy(taken, given, told < kind->size ? told : kind->size);
    memcpy(taken, &kind->size, sizeof kind->size);
    return CLKL_OK;
}

clkl_status clkl_take_spec(const clkl_spec *given, clkl_spec *taken, clkl_error *error)
{
    static const struct clkl_struct_kind kind = {"spec", "clkl_spec", sizeof *taken,
                                                 CLKL_SIZE_UP_TO(clkl_spec, reserved)};
    return clkl_take_struct(&kind, given, taken, error);
}

clkl_status clkl_take_host_args(const clkl_host_args *given, clkl_host_args *taken,
                                clkl_error *error)
{
    static const struct clkl_struct_kind kind = {"args", "clkl_host_args", sizeof *taken,
                                                 CLKL_SIZE_UP_TO(clkl_host_args, reserved)};
    const clkl_status status = clkl_take_struct(&kind, given, taken, error);
    return status != CLKL_OK ? status
                             : clkl_check_reserved(taken->reserved, "args->reserved",
                                                   CLKL_INVALID_ARGUMENT, error);
}

clkl_status clkl_take_engine_options(const clkl_engine_options *given, clkl_engine_options *taken,
                                     clkl_error *error)
{
    static const struct clkl_struct_kind kind = {"options", "clkl_engine_options", sizeof *taken,
                                                 CLKL_SIZE_UP_TO(clkl_engine_options, reserved)};
    memset(taken, 0, sizeof *taken);
    if (given == NULL)
        return CLKL_OK;
    const clkl_status status = clkl_take_struct(&kind, given, taken, error);
    return status != CLKL_OK ? status
                             : clkl_check_reserved(taken->reserved, "options->reserved",
                                                   CLKL_INVALID_ARGUMENT, error);
}

clkl_status clkl_check_reserved(const uint64_t *reserved, const char *name, clkl_status status,
                                clkl_error *error)
{
    for (int i = 0; i < 8; ++i)
        if (reserved[i] != 0)
            return clkl_fail(error, status, "%s[%d] is not 0; expected 0 in this version", name, i);
    return CLKL_OK;
}
