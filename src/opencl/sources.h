/* The kernels' text, embedded at build time. */
#ifndef CLKL_OPENCL_SOURCES_H
#define CLKL_OPENCL_SOURCES_H

#include <stddef.h>

struct clkl_source {
    const char *name;
    const char *text; /* terminated by a zero that `size` does not count */
    size_t size;
};

/* In the order in which they are compiled as one program; the last entry has a NULL name. */
extern const struct clkl_source clkl_sources[];

#endif
