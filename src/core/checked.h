/* Arithmetic on sizes that says when it overflows. */
#ifndef CLKL_CORE_CHECKED_H
#define CLKL_CORE_CHECKED_H

#include <stdbool.h>
#include <stdint.h>

/* *product = a * b; false if that does not fit. */
static inline bool clkl_checked_mul(uint64_t a, uint64_t b, uint64_t *product)
{
    if (a != 0 && b > UINT64_MAX / a)
        return false;
    *product = a * b;
    return true;
}

/* *sum = a + b; false if that does not fit. */
static inline bool clkl_checked_add(uint64_t a, uint64_t b, uint64_t *sum)
{
    if (b > UINT64_MAX - a)
        return false;
    *sum = a + b;
    return true;
}

#endif
