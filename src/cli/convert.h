/* Element types that are not computed, and the line of Python that converts them. */
#ifndef CLKL_CLI_CONVERT_H
#define CLKL_CLI_CONVERT_H

#include "io/npy_type.h"

#include <stdbool.h>

/* Says that a file's type is not computed, and how to convert it. Returns false. */
bool convert_refuse(const char *path, enum npy_type type);

/* The same for a mask and for lengths. */
bool convert_refuse_mask(const char *path, enum npy_type type);
bool convert_refuse_lengths(const char *path, enum npy_type type);

/* Says that with full covariances 16-bit types are not computed, and how to convert them. */
bool convert_refuse_16_bit(const char *path, enum npy_type type);

/* Says that the two files of one side differ in type, and how to convert the narrower one. Returns
 * false. */
bool convert_refuse_mixture(const char *mean, enum npy_type mean_type, const char *scale,
                            enum npy_type scale_type);

/* Says that float64 has to be computed in double precision, for which there is no device: `why`
 * says so. Returns false. `path` is the float64 file. */
bool convert_refuse_f64(const char *path, const char *why);

#endif
