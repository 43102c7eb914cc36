/* What a benchmark does if something fails: it says so, and ends. */
#ifndef CLKL_BENCH_FAILURE_H
#define CLKL_BENCH_FAILURE_H

#include <CL/cl.h>
#include <errno.h> /* program_invocation_short_name */
#include <stdio.h>
#include <stdlib.h>

static inline void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, why);
    exit(1);
}

static inline void check(cl_int code, const char *call)
{
    char text[32];
    snprintf(text, sizeof text, "OpenCL error %d", (int)code);
    if (code != CL_SUCCESS)
        fail(call, text);
}

#endif
