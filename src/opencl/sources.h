/* The kernels' text, embedded at build time. */
#ifndef CLKL_OPENCL_SOURCES_H
#define CLKL_OPENCL_SOURCES_H

#include <stddef.h>

/* Programs, in the order of src/CMakeLists.txt; behind the second the ways of
 * core/covariance_schedule.h. */
enum { CLKL_PROGRAM_DIAGONAL, CLKL_PROGRAM_COVARIANCE };

struct clkl_source {
    const char *name;
    const char *text; /* terminated by a zero that `size` does not count */
    size_t size;
    unsigned programs; /* 1 << n: it is a part of program n */
};

/* In the order in which those of a program are compiled; the last entry has a NULL name. */
extern const struct clkl_source clkl_sources[];

static inline int clkl_source_is_of(const struct clkl_source *source, int program)
{
    return (source->programs >> program & 1u) != 0;
}

#endif
