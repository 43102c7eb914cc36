/* How a room reports a failure to the caller: fill the clkl_error, return the status. */
#ifndef CLKL_CORE_FAILURE_H
#define CLKL_CORE_FAILURE_H

#include <clkl/clkl.h>

#if defined(__MINGW32__) /* whose own printf is meant, not that of Windows */
#define CLKL_PRINTF(text, first) __attribute__((__format__(__gnu_printf__, text, first)))
#elif defined(__GNUC__)
#define CLKL_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))
#else
#define CLKL_PRINTF(text, first)
#endif

/* Writes status and message into *error, unless that is NULL, and returns `status`. */
clkl_status clkl_fail(clkl_error *error, clkl_status status, const char *format, ...)
    CLKL_PRINTF(3, 4);

/* As clkl_fail, for an OpenCL call that returned `code`. Chooses the status from the code. */
clkl_status clkl_fail_opencl(clkl_error *error, const char *call, int32_t code);

/* The same with a status of the caller's choice, for all codes but CL_OUT_OF_HOST_MEMORY. */
clkl_status clkl_fail_opencl_as(clkl_error *error, clkl_status status, const char *call,
                                int32_t code);

/* Adds a compiler's log to a failure, cut to fit. */
void clkl_fail_log(clkl_error *error, const char *log);

/* The name of an OpenCL error code, e.g. "CL_OUT_OF_RESOURCES"; "unknown error" otherwise. */
const char *clkl_opencl_code_string(int32_t code);

#endif
