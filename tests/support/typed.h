/* Numbers in arrays of any element type. */
#ifndef CLKL_TESTS_TYPED_H
#define CLKL_TESTS_TYPED_H

#include <clkl/clkl.h>

/* What 16 bits mean as CLKL_F16 or CLKL_BF16. */
float typed_from_bits(clkl_dtype dtype, uint16_t bits);

/* An array of that type with the same numbers, which are 0 or normal in it and lose nothing; it
 * ends with the last one. To be freed. */
void *typed_array(clkl_dtype dtype, const float *numbers, size_t count);

#endif
