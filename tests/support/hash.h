/*
 * Inputs of tests, drawn from one integer hash: the same bits on every machine.
 *
 * The mixer is the finaliser of splitmix64 (Sebastiano Vigna, public domain), with the constants of
 * David Stafford's "Mix13". Everything else is integer arithmetic and exact or once-rounded double
 * operations; a product and a sum that belong together are an explicit fma(), so that a compiler
 * which contracts expressions changes nothing.
 */
#ifndef CLKL_TESTS_HASH_H
#define CLKL_TESTS_HASH_H

#include <float.h>
#include <math.h>
#include <stdint.h>

/* 0, or 16 where _Float16 has arithmetic of its own, which changes nothing for float and double. */
#if FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16
#error "the inputs of the tests need float and double arithmetic without excess precision"
#endif

static inline uint64_t hash_mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

/* 64 well mixed bits for one place of one stream of numbers. */
static inline uint64_t hash_bits(uint64_t seed, uint64_t stream, uint64_t index)
{
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t key = hash_mix(seed + golden * (stream + 1));
    return hash_mix(key + golden * (index + 1));
}

/* The seed that belongs to a name: 64-bit FNV-1a, mixed. */
static inline uint64_t hash_text(const char *text)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash_mix(h);
}

/* A permutation of the 24-bit integers, chosen by key: every step can be undone. */
static inline uint32_t hash_permute24(uint64_t key, uint32_t x)
{
    const uint32_t mask = 0xffffffu;
    for (int round = 0; round < 3; round++) {
        x = (x ^ (uint32_t)(key >> (20 * round))) & mask;
        x = (x * 0x9e3779b1u) & mask;
        x ^= x >> 13;
        x = (x * 0x85ebca6bu) & mask;
        x ^= x >> 11;
    }
    return x;
}

/*
 * A number in [0, 1), 53 bits. Its leading 24 bits are a permutation of the index, so that 2^24
 * neighbouring indices share no value, and, as the bit below them is 0, keep apart when they are
 * spread over an interval and rounded to float, if the interval is at least as wide as twice the
 * largest power of two in it.
 */
static inline double hash_unit(uint64_t seed, uint64_t stream, uint64_t index)
{
    uint64_t key = hash_bits(seed, stream, UINT64_MAX - 1);
    uint64_t high = hash_permute24(key, (uint32_t)(index & 0xffffffu));
    uint64_t low = hash_bits(seed, stream, index) >> 36;
    return ldexp((double)(high << 29 | low), -53);
}

/* A number from lo to hi, rounded once to double. */
static inline double hash_uniform(uint64_t seed, uint64_t stream, uint64_t index, double lo,
                                  double hi)
{
    return fma(hi - lo, hash_unit(seed, stream, index), lo);
}

/* The same, rounded once more, to float. */
static inline float hash_uniform_float(uint64_t seed, uint64_t stream, uint64_t index, double lo,
                                       double hi)
{
    return (float)hash_uniform(seed, stream, index, lo, hi);
}

/* -1 or 1. The bit is none of those in hash_unit(). */
static inline double hash_sign(uint64_t seed, uint64_t stream, uint64_t index)
{
    return (hash_bits(seed, stream, index) & 1) ? -1.0 : 1.0;
}

#endif
