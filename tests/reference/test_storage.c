/* Numbers of 16 bits, read and written: every one of them, and what lies between. The expected
 * numbers are made from binary32, by shifting bits. */
#include "reference/storage.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <string.h>

TestSuite(storage, .timeout = 60);

enum { ALL = 0x10000, SIGN = 0x8000 };

static float float_of_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* A binary16 has the bits of a binary32 whose exponent counts from another bias: 2^112 makes up for
 * that, also below the normal numbers. */
static double expected_f16(uint32_t bits)
{
    const uint32_t magnitude = bits & 0x7fff, sign = (bits & SIGN) << 16;
    if (magnitude >= 0x7c00)
        return (double)float_of_bits(sign | 0x7f800000u | (magnitude & 0x3ff) << 13);
    return (double)(float_of_bits(sign | magnitude << 13) * 0x1p112f);
}

static double expected_bf16(uint32_t bits)
{
    return (double)float_of_bits(bits << 16);
}

static const struct format {
    clkl_dtype dtype;
    uint32_t infinity;
    double (*expected)(uint32_t bits);
} formats[] = {{CLKL_F16, 0x7c00, expected_f16}, {CLKL_BF16, 0x7f80, expected_bf16}};

static uint16_t stored(clkl_dtype dtype, double x)
{
    uint16_t array[3] = {0x1111, 0x2222, 0x3333};
    clkl_storage_store(array, dtype, 1, x);
    cr_assert(array[0] == 0x1111 && array[2] == 0x3333);
    return array[1];
}

static double loaded(clkl_dtype dtype, uint32_t bits)
{
    const uint16_t array[2] = {0, (uint16_t)bits};
    return clkl_storage_load(array, dtype, 1);
}

/* ---- Every number ---- */

Test(storage, all_numbers_of_16_bits_are_read_exactly)
{
    for (size_t f = 0; f < 2; f++)
        for (uint32_t bits = 0; bits < ALL; bits++) {
            const double x = loaded(formats[f].dtype, bits);
            const double expected = formats[f].expected(bits);
            cr_assert(isnan(x) ? isnan(expected) : x == expected, "0x%04x: %g", bits, x);
            cr_assert(isnan(x) || !signbit(x) == !(bits & SIGN), "0x%04x: the sign", bits);
        }
}

Test(storage, and_written_as_they_were)
{
    for (size_t f = 0; f < 2; f++)
        for (uint32_t bits = 0; bits < ALL; bits++) {
            const uint32_t written = stored(formats[f].dtype, loaded(formats[f].dtype, bits));
            if ((bits & 0x7fff) <= formats[f].infinity)
                cr_assert_eq(written, bits, "0x%04x becomes 0x%04x", bits, written);
            else
                cr_assert_gt(written & 0x7fff, formats[f].infinity, "NaN becomes 0x%04x", written);
        }
}

/* ---- What lies between ---- */

/* Infinity counts as the next power of two. */
static double end_of(const struct format *format, uint32_t bits)
{
    return bits < format->infinity ? format->expected(bits)
                                   : 2 * format->expected(bits - 1) - format->expected(bits - 2);
}

static void expect_stored(const struct format *format, double x, uint32_t bits)
{
    cr_assert_eq(stored(format->dtype, x), bits, "%a is 0x%04x, not 0x%04x", x,
                 stored(format->dtype, x), bits);
    cr_assert_eq(stored(format->dtype, -x), bits | SIGN, "%a", -x);
}

/* Doubles next to the middle of two neighbours go to the nearer one: rounding to float on the way
 * would not tell them from the middle. */
Test(storage, rounding_is_to_the_nearest_and_ties_go_to_even)
{
    for (size_t f = 0; f < 2; f++)
        for (uint32_t bits = 0; bits < formats[f].infinity; bits++) {
            const double low = end_of(&formats[f], bits), high = end_of(&formats[f], bits + 1);
            const double middle = low + (high - low) / 2;
            expect_stored(&formats[f], middle, bits + (bits & 1));
            expect_stored(&formats[f], nextafter(middle, 0.0), bits);
            expect_stored(&formats[f], nextafter(middle, INFINITY), bits + 1);
        }
}

Test(storage, what_is_too_large_is_infinite_and_what_is_too_small_is_0)
{
    for (size_t f = 0; f < 2; f++) {
        expect_stored(&formats[f], DBL_MAX, formats[f].infinity);
        expect_stored(&formats[f], INFINITY, formats[f].infinity);
        expect_stored(&formats[f], DBL_MIN, 0);
        expect_stored(&formats[f], 0x1p-1074, 0);
        expect_stored(&formats[f], 0.0, 0);
    }
    for (double x = 0x1p128; x < 0x1p1023; x *= 1.0009765625) /* each mantissa, sooner or later */
        for (size_t f = 0; f < 2; f++)
            expect_stored(&formats[f], x, formats[f].infinity);
    expect_stored(&formats[0], 65600.0, 0x7c00); /* the bits after infinity's would be NaN's */
    expect_stored(&formats[0], 65504.0, 0x7bff);
    expect_stored(&formats[0], 65519.99, 0x7bff);
    expect_stored(&formats[0], 65520.0, 0x7c00);
}

Test(storage, the_other_types_are_the_machine_s)
{
    float floats[2] = {1.0f, 2.0f};
    double doubles[2] = {1.0, 2.0};
    clkl_storage_store(floats, CLKL_F32, 1, 0.1);
    clkl_storage_store(doubles, CLKL_F64, 1, 0.1);
    cr_expect(floats[0] == 1.0f && floats[1] == 0.1f);
    cr_expect(doubles[0] == 1.0 && doubles[1] == 0.1);
    cr_expect_eq(clkl_storage_load(floats, CLKL_F32, 1), (double)0.1f);
    cr_expect_eq(clkl_storage_load(doubles, CLKL_F64, 1), 0.1);
    clkl_storage_store(floats, CLKL_F32, 0, -1e39);
    cr_expect_eq(floats[0], -INFINITY);
}
