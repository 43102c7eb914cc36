/* Small arithmetic on sizes. */
#ifndef CLKL_CORE_ARITHMETIC_H
#define CLKL_CORE_ARITHMETIC_H

#include <stdint.h>

static inline uint64_t divide_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

static inline uint64_t at_least(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline uint64_t at_most(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* The largest power of two that is not above n, and at most 2^30; 1 for 0. */
static inline uint32_t power_of_two_below(uint64_t n)
{
    uint32_t power = 1;
    while (power <= n / 2 && power < (1u << 30))
        power *= 2;
    return power;
}

/* The smallest power of two that is not below n, and at most 2^31. */
static inline uint32_t power_of_two_above(uint64_t n)
{
    const uint32_t below = power_of_two_below(n);
    return below < n ? below * 2 : below;
}

#endif
