/* clkl_reference_run: weights, masks and lengths. */
#include "reference/divergence.h"
#include "run.h"
#include "support/hash.h"

#include <math.h>
#include <string.h>

TestSuite(weights, .timeout = 60);

enum { B = 3, C = 4, N = 5, ALL = B * C * N };

/* Everything that elements of weight 0 could spoil. */
struct outputs {
    double values[ALL + 1];
    uint32_t status[ALL + 1];
    clkl_clamp_count counts[ALL + 1];
};

static double mean[ALL], logvar[ALL];

static void make_inputs(void)
{
    for (uint64_t i = 0; i < ALL; i++) {
        mean[i] = hash_uniform(11, 0, i, -2.0, 2.0);
        logvar[i] = hash_uniform(11, 1, i, -3.0, 3.0);
    }
}

static clkl_spec spec_of(uint32_t keep)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 3, .shape = {B, C, N}, .keep = keep};
    spec.p = (clkl_gaussian){.form = CLKL_MEAN_LOGVAR, .dtype = CLKL_F64};
    spec.clamp = CLKL_CLAMP;
    spec.clamp_low = -2.0;
    spec.clamp_high = 2.0;
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    return spec;
}

static void run_on(const clkl_spec *spec, const void *weights, struct outputs *outputs)
{
    memset(outputs, 0, sizeof *outputs);
    run(spec, (clkl_host_args){.p_mean = mean,
                               .p_scale = logvar,
                               .weights = weights,
                               .result = outputs->values,
                               .value_status = outputs->status,
                               .clamp_counts = outputs->counts});
}

/* The weight of (b, c, n), told by a test. */
typedef double (*weight_of)(uint64_t b, uint64_t c, uint64_t n);

static double term(uint64_t i)
{
    const double l = fmin(fmax(logvar[i], -2.0), 2.0);
    const struct clkl_normal p = {CLKL_SCALE_LOGVAR, mean[i], l}, q = {CLKL_SCALE_UNIT, 0.0, 1.0};
    return clkl_normal_divergence(&p, &q);
}

static uint64_t place_of(uint32_t kept, uint64_t b, uint64_t c, uint64_t n)
{
    uint64_t place = (kept & 1) ? b : 0;
    place = (kept & 2) ? place * C + c : place;
    return (kept & 4) ? place * N + n : place;
}

static void add_element(struct outputs *expected, uint32_t kept, double weight, uint64_t at,
                        uint64_t i)
{
    expected->values[at] += weight * term(i) / ((kept & 1) ? 1 : B);
    if (weight != 0.0 && (logvar[i] < -2.0 || logvar[i] > 2.0))
        expected->counts[at].p++;
}

/* Every kept set of axes, element by element. */
static void check(clkl_weights weights, const void *array, weight_of weight)
{
    for (uint32_t kept = 0; kept < 8; kept++) {
        clkl_spec spec = spec_of(kept == 0 ? CLKL_KEEP_NONE : kept);
        struct outputs outputs, expected;
        memset(&expected, 0, sizeof expected);
        for (uint64_t i = 0; i < ALL; i++) {
            const uint64_t b = i / (C * N), c = i / N % C, n = i % N;
            add_element(&expected, kept, weight(b, c, n), place_of(kept, b, c, n), i);
        }
        spec.weights = weights;
        run_on(&spec, array, &outputs);
        for (uint64_t i = 0; i <= clkl_spec_result_count(&spec, 0); i++) {
            cr_expect(fabs(outputs.values[i] - expected.values[i]) <=
                          1e-14 * fabs(expected.values[i]),
                      "kept %x, value %u: %.17g, not %.17g", kept, (unsigned)i, outputs.values[i],
                      expected.values[i]);
            cr_expect_eq(outputs.counts[i].p, expected.counts[i].p, "kept %x", kept);
            cr_expect_eq(outputs.status[i], 0u);
        }
    }
}

/* ---- Every kind ---- */

static double in_mask(uint64_t b, uint64_t c, uint64_t n)
{
    return (b + 2 * c + 3 * n) % 4 != 0;
}

/* Whatever is not 0 counts once. */
static uint8_t mask_byte(uint64_t b, uint64_t c, uint64_t n)
{
    return in_mask(b, c, n) != 0.0 ? (uint8_t)(1 + 50 * c) : 0;
}

static double of_sample(uint64_t b, uint64_t c, uint64_t n)
{
    (void)c, (void)n;
    return (double)b * 0.75;
}

static double of_unit(uint64_t b, uint64_t c, uint64_t n)
{
    (void)b;
    return (double)c - 0.5 * (double)n; /* below 0, too */
}

static double within_lengths(uint64_t b, uint64_t c, uint64_t n)
{
    (void)c;
    return n < (b == 0 ? 3u : b == 1 ? 0u : 99u);
}

static double two_channels(uint64_t b, uint64_t c, uint64_t n)
{
    (void)b, (void)n;
    return c < 2;
}

Test(weights, masks_choose_what_counts)
{
    uint8_t mask[ALL];
    make_inputs();
    for (uint64_t i = 0; i < ALL; i++)
        mask[i] = mask_byte(i / (C * N), i / N % C, i % N);
    check((clkl_weights){.kind = CLKL_MASK}, mask, in_mask);
}

Test(weights, weights_multiply_whatever_their_type)
{
    float of_samples[B];
    double of_units[C * N];
    make_inputs();
    for (uint64_t b = 0; b < B; b++)
        of_samples[b] = (float)of_sample(b, 0, 0);
    for (uint64_t i = 0; i < C * N; i++)
        of_units[i] = of_unit(0, i / N, i % N);
    check((clkl_weights){.kind = CLKL_WEIGHTS, .layout = CLKL_STRIDED, .strides = {1}}, of_samples,
          of_sample);
    check((clkl_weights){.kind = CLKL_WEIGHTS, .dtype = CLKL_F64, .layout = CLKL_SHARED}, of_units,
          of_unit);
    const uint16_t f16[B] = {0, 0x3a00, 0x3e00}, bf16[B] = {0x8000, 0x3f40, 0x3fc0};
    const clkl_weights narrow = {.kind = CLKL_WEIGHTS, .layout = CLKL_STRIDED, .strides = {1}};
    clkl_weights weights = narrow;
    weights.dtype = CLKL_F16;
    check(weights, f16, of_sample);
    weights.dtype = CLKL_BF16;
    check(weights, bf16, of_sample);
}

Test(weights, lengths_count_indices_of_an_axis)
{
    const uint32_t lengths[] = {3, 0, 0, 0, UINT32_MAX}, shared[] = {2};
    make_inputs();
    check((clkl_weights){.kind = CLKL_LENGTHS, .length_axis = 2}, (uint32_t[]){3, 0, 5},
          within_lengths);
    check(
        (clkl_weights){
            .kind = CLKL_LENGTHS, .length_axis = 2, .layout = CLKL_STRIDED, .strides = {2, 7, 7}},
        lengths, within_lengths);
    check((clkl_weights){.kind = CLKL_LENGTHS, .layout = CLKL_SHARED}, shared, two_channels);
}

/* ---- What weight 0 hides ---- */

/* NaN, a negative variance and what a clamp would move leave no trace. */
Test(weights, of_0_hide_everything)
{
    clkl_spec spec = spec_of(0);
    struct outputs hidden, clean;
    uint8_t mask[ALL];
    make_inputs();
    spec.weights.kind = CLKL_MASK;
    memset(mask, 1, sizeof mask);
    mask[7] = mask[21] = mask[44] = 0;
    run_on(&spec, mask, &clean);
    mean[7] = logvar[21] = NAN;
    mean[44] = INFINITY;
    logvar[44] = 1e9;
    run_on(&spec, mask, &hidden);
    cr_expect_eq(memcmp(&clean, &hidden, sizeof clean), 0);
    spec.p.form = CLKL_MEAN_VAR;
    spec.clamp = CLKL_NO_CLAMP;
    for (uint64_t i = 0; i < ALL; i++)
        logvar[i] = 1.0;
    logvar[44] = -1.0;
    run_on(&spec, mask, &hidden);
    cr_expect_eq(hidden.status[2], 0u);
    mask[44] = 1;
    run_on(&spec, mask, &hidden);
    cr_expect_eq(hidden.status[2], CLKL_VALUE_NAN | CLKL_VALUE_NEGATIVE_SCALE);
}

Test(weights, are_missed_by_name)
{
    static const char *const names[] = {"", "expected the mask", "the weights", "the lengths"};
    for (int kind = CLKL_MASK; kind <= CLKL_LENGTHS; kind++) {
        clkl_spec spec = spec_of(0);
        struct outputs outputs;
        clkl_error error = {.struct_size = sizeof error};
        const clkl_host_args args = {.struct_size = sizeof args,
                                     .p_mean = mean,
                                     .p_scale = logvar,
                                     .result = outputs.values};
        spec.weights.kind = (clkl_weighting)kind;
        cr_expect_eq(clkl_reference_run(&spec, &args, &error), CLKL_INVALID_ARGUMENT);
        cr_expect_not_null(strstr(error.message, names[kind]), "%s", error.message);
        spec.p.form = CLKL_DETERMINISTIC; /* reads none */
        spec.clamp = CLKL_NO_CLAMP;
        cr_expect_eq(clkl_reference_run(&spec, &args, &error), CLKL_OK, "%s", error.message);
    }
}
