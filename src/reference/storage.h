/* Numbers as they lie in arrays. */
#ifndef CLKL_REFERENCE_STORAGE_H
#define CLKL_REFERENCE_STORAGE_H

#include <clkl/clkl.h>

/* The number at `offset`, which every type holds exactly as a double. */
double clkl_storage_load(const void *array, clkl_dtype dtype, int64_t offset);

/* Writes x, rounded once to the nearest number of the type, ties to even; what is too large becomes
 * infinite (IEEE 754, 4.3.1). */
void clkl_storage_store(void *array, clkl_dtype dtype, int64_t offset, double x);

#endif
