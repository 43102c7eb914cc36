#include "typed.h"

#include "core/dtype.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

float typed_from_bits(clkl_dtype dtype, uint16_t bits)
{
    const int fraction_bits = dtype == CLKL_F16 ? 10 : 7, bias = dtype == CLKL_F16 ? 15 : 127;
    const int fraction = bits & ((1 << fraction_bits) - 1);
    const int exponent = (bits & 0x7fff) >> fraction_bits;
    double size = exponent == 0 ? ldexp(fraction, 1 - bias - fraction_bits)
                                : ldexp(1 + ldexp(fraction, -fraction_bits), exponent - bias);
    if (exponent == 2 * bias + 1)
        size = fraction == 0 ? (double)INFINITY : (double)NAN;
    return (float)((bits & 0x8000) != 0 ? -size : size);
}

static uint16_t bits_from(clkl_dtype dtype, float number)
{
    uint32_t word;
    memcpy(&word, &number, sizeof word);
    uint16_t bits = (uint16_t)(word >> 16);
    if (dtype == CLKL_F16 && number != 0.0f)
        bits = (uint16_t)((bits & 0x8000) | (((word & 0x7fffffff) >> 13) - (112 << 10)));
    cr_assert(typed_from_bits(dtype, bits) == number, "%g is not to be had", (double)number);
    return bits;
}

void *typed_array(clkl_dtype dtype, const float *numbers, size_t count)
{
    const size_t size = clkl_dtype_size(dtype);
    char *array = malloc(count * size);
    cr_assert_not_null(array);
    for (size_t i = 0; i < count; ++i) {
        const double wide = (double)numbers[i];
        if (dtype == CLKL_F16 || dtype == CLKL_BF16) {
            const uint16_t bits = bits_from(dtype, numbers[i]);
            memcpy(array + i * size, &bits, size);
        } else {
            memcpy(array + i * size, dtype == CLKL_F64 ? (const void *)&wide : &numbers[i], size);
        }
    }
    return array;
}
