/* What a caller passes in structs that begin with their size: taken over from callers that were
 * built against older and later versions of the headers, and checked the same for every call. */
#ifndef CLKL_CORE_ARGUMENTS_H
#define CLKL_CORE_ARGUMENTS_H

#include "core/failure.h"

#include <stddef.h>

/* No struct will ever be larger: a greater size was never set. */
enum { CLKL_MOST_STRUCT_BYTES = 1 << 16 };

/* The size of a struct of the first release, which ended with `last`. */
#define CLKL_SIZE_UP_TO(type, last) (offsetof(type, last) + sizeof(((type *)0)->last))

/* A struct and what it was in the first release. */
struct clkl_struct_kind {
    const char *name; /* for messages, e.g. "args" */
    const char *type;
    size_t size;
    size_t first_size;
};

/* Copies the caller's struct: fields that an older caller does not have become 0, and what lies
 * beyond ours must be 0, for this library would pass over it. The copy has our size.
 * CLKL_INVALID_ARGUMENT, or CLKL_UNSUPPORTED for a field of a later version. */
clkl_status clkl_take_struct(const struct clkl_struct_kind *kind, const void *given, void *taken,
                             clkl_error *error);

clkl_status clkl_take_spec(const clkl_spec *given, clkl_spec *taken, clkl_error *error);
clkl_status clkl_take_host_args(const clkl_host_args *given, clkl_host_args *taken,
                                clkl_error *error);

/* NULL options are zeros. */
clkl_status clkl_take_engine_options(const clkl_engine_options *given, clkl_engine_options *taken,
                                     clkl_error *error);

/* `status`, with a message that names `name`, if one of the 8 reserved words is not 0. */
clkl_status clkl_check_reserved(const uint64_t *reserved, const char *name, clkl_status status,
                                clkl_error *error);

#endif
