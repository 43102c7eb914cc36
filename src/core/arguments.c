#include "core/arguments.h"

#include <string.h>

clkl_status clkl_check_struct(const void *given, size_t size, const char *name, const char *type,
                              clkl_error *error)
{
    const unsigned char *bytes = given;
    size_t told = 0;
    memcpy(&told, given, sizeof told);
    if (told < size)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "%s->struct_size is %zu; expected sizeof(%s), which is %zu", name, told,
                         type, size);
    for (size_t i = size; i < told; ++i)
        if (bytes[i] != 0)
            return clkl_fail(error, CLKL_UNSUPPORTED,
                             "%s sets a field that this version of the library does not know",
                             name);
    return CLKL_OK;
}

clkl_status clkl_check_reserved(const uint64_t *reserved, const char *name, clkl_status status,
                                clkl_error *error)
{
    for (int i = 0; i < 8; ++i)
        if (reserved[i] != 0)
            return clkl_fail(error, status, "%s[%d] is not 0; expected 0 in this version", name, i);
    return CLKL_OK;
}
