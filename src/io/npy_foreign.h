/* Files that are no .npy files, and how to make them some. */
#ifndef CLKL_NPY_FOREIGN_H
#define CLKL_NPY_FOREIGN_H

#include "io_error.h"

#include <stddef.h>

enum { NPY_SNIFF = 10 }; /* bytes from the beginning of a file that tell one format from another */

/*
 * Says what this file is instead of a .npy file, with the line that converts it where there is one.
 * `size` may be below NPY_SNIFF for a file that has no more. Always returns false.
 */
bool npy_refuse_foreign(const char *file, const unsigned char *bytes, size_t size,
                        struct io_error *error);

#endif
