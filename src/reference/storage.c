/* The two types of 16 bits are IEEE 754's binary16, with 10 bits of mantissa and 5 of exponent, and
 * the upper half of its binary32, with 7 and 8. Both follow the same rules, and so do the functions
 * below, which are told the bits of the mantissa. */
#include "reference/storage.h"

#include <math.h>

enum { F16_MANTISSA = 10, BF16_MANTISSA = 7 };

/* The exponent of the smallest number above 0, which all others are multiples of. */
static int finest(int mantissa)
{
    const int bias = (1 << (14 - mantissa)) - 1;
    return 1 - bias - mantissa;
}

/* The bits of infinity, which are above those of every finite number. */
static unsigned infinity_bits(int mantissa)
{
    return 0x8000u - (1u << mantissa);
}

static double widen(uint16_t bits, int mantissa)
{
    const unsigned magnitude = bits & 0x7fffu;
    const int exponent = (int)(magnitude >> mantissa);
    const int fraction = (int)(magnitude & ((1u << mantissa) - 1));
    double x;
    if (magnitude >= infinity_bits(mantissa))
        x = fraction != 0 ? NAN : INFINITY;
    else if (exponent == 0)
        x = ldexp(fraction, finest(mantissa));
    else
        x = ldexp(fraction + (1 << mantissa), finest(mantissa) + exponent - 1);
    return bits >> 15 != 0 ? -x : x;
}

/* Counts units in the last place: with the leading bit that a normal number has, they make up the
 * exponent's bits too, also where rounding carries into the next power of two. */
static uint16_t narrow(double x, int mantissa)
{
    const unsigned sign = signbit(x) ? 0x8000u : 0;
    const unsigned infinite = infinity_bits(mantissa);
    int exponent = 0;
    if (isnan(x))
        return (uint16_t)(sign | infinite | 1u << (mantissa - 1));
    if (isinf(x) || x == 0.0)
        return (uint16_t)(x == 0.0 ? sign : sign | infinite);
    frexp(x, &exponent);
    const int lowest = finest(mantissa);
    const int unit = exponent - 1 - mantissa > lowest ? exponent - 1 - mantissa : lowest;
    const unsigned count = (unsigned)nearbyint(ldexp(fabs(x), -unit));
    const unsigned magnitude = ((unsigned)(unit - lowest) << mantissa) + count;
    return (uint16_t)(sign | (magnitude < infinite ? magnitude : infinite));
}

double clkl_storage_load(const void *array, clkl_dtype dtype, int64_t offset)
{
    switch (dtype) {
    case CLKL_F64:
        return ((const double *)array)[offset];
    case CLKL_F16:
        return widen(((const uint16_t *)array)[offset], F16_MANTISSA);
    case CLKL_BF16:
        return widen(((const uint16_t *)array)[offset], BF16_MANTISSA);
    case CLKL_F32:
    case CLKL_DEFAULT_DTYPE:
        break;
    }
    return (double)((const float *)array)[offset];
}

void clkl_storage_store(void *array, clkl_dtype dtype, int64_t offset, double x)
{
    switch (dtype) {
    case CLKL_F64:
        ((double *)array)[offset] = x;
        return;
    case CLKL_F16:
        ((uint16_t *)array)[offset] = narrow(x, F16_MANTISSA);
        return;
    case CLKL_BF16:
        ((uint16_t *)array)[offset] = narrow(x, BF16_MANTISSA);
        return;
    case CLKL_F32:
    case CLKL_DEFAULT_DTYPE:
        break;
    }
    ((float *)array)[offset] = (float)x;
}
