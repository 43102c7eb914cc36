/* Checks of what a caller passes, the same for every call. */
#ifndef CLKL_CORE_ARGUMENTS_H
#define CLKL_CORE_ARGUMENTS_H

#include "core/failure.h"

/* Checks a struct of the caller's, which begins with its size and may be of a later version: what
 * lies beyond `size` bytes must be 0, for this library would pass over it. `name` and `type` are
 * for the message. CLKL_INVALID_ARGUMENT, or CLKL_UNSUPPORTED for a field of a later version. */
clkl_status clkl_check_struct(const void *given, size_t size, const char *name, const char *type,
                              clkl_error *error);

/* `status`, with a message that names `name`, if one of the 8 reserved words is not 0. */
clkl_status clkl_check_reserved(const uint64_t *reserved, const char *name, clkl_status status,
                                clkl_error *error);

#endif
