/* Failures of the library, as sentences. */
#ifndef CLKL_CLI_LIBRARY_ERROR_H
#define CLKL_CLI_LIBRARY_ERROR_H

#include <clkl/clkl.h>

#include <stdbool.h>

/* Says what failed and what to do. `device` is the --device that was asked for, or NULL. Returns
 * false. */
bool library_error(const clkl_error *error, const char *device);

/* How a machine without an OpenCL device gets one, as the end of a sentence. */
extern const char library_install_hint[];

#endif
