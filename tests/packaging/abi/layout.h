/* A table of what a release's headers promise to programs that are compiled already. */
#ifndef CLKL_TESTS_LAYOUT_H
#define CLKL_TESTS_LAYOUT_H

#include <stddef.h>

enum layout_kind {
    LAYOUT_GROWS,   /* a struct that begins with its size: it may become larger */
    LAYOUT_FIXED,   /* a struct that never changes its size */
    LAYOUT_FIELD,   /* the rows after a struct: its fields, in order */
    LAYOUT_CONSTANT /* an enumerator or a macro with a number */
};

struct layout_row {
    const char *name;
    enum layout_kind kind;
    size_t size;      /* of the struct, the field, or the enumerator's type */
    size_t offset;    /* of the field */
    size_t alignment; /* of the field */
    long long value;  /* of the constant */
};

/* The same rows, compiled with the release's own headers and with today's; ended by a NULL name. */
extern const struct layout_row layout_then[];
extern const struct layout_row layout_now[];

#endif
