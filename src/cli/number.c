#include "number.h"

#include <math.h>

size_t number_size(clkl_dtype type)
{
    switch (type) {
    case CLKL_F64:
        return sizeof(double);
    case CLKL_F16:
    case CLKL_BF16:
        return sizeof(uint16_t);
    default:
        return sizeof(float);
    }
}

static double from_f16(uint16_t bits)
{
    const int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = 0;
    if (exponent == 31)
        size = fraction != 0 ? NAN : INFINITY;
    else
        size = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
    return (bits & 0x8000) != 0 ? -size : size;
}

static double from_bf16(uint16_t bits)
{
    const uint32_t wide = (uint32_t)bits << 16;
    float number;
    memcpy(&number, &wide, sizeof number);
    return (double)number;
}

double number_at(const void *data, clkl_dtype type, uint64_t i)
{
    switch (type) {
    case CLKL_F64:
        return ((const double *)data)[i];
    case CLKL_F16:
        return from_f16(((const uint16_t *)data)[i]);
    case CLKL_BF16:
        return from_bf16(((const uint16_t *)data)[i]);
    default:
        return (double)((const float *)data)[i];
    }
}
