/* Masks, weights and lengths on the device: values, status, clamp counts and gradients, against the
 * reference. */
#include "support/device_fixture.h"
#include "support/gradient_call.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

TestSuite(device_weights, .init = open_device, .fini = close_device, .timeout = 300);

enum {
    OF_P = CLKL_GRADIENT_P_MEAN | CLKL_GRADIENT_P_SCALE,
    OF_Q = CLKL_GRADIENT_Q_MEAN | CLKL_GRADIENT_Q_SCALE
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

static size_t at_most(size_t wanted, size_t on_slow)
{
    return device.device->facts.style == CLKL_STYLE_LANES && wanted > on_slow ? on_slow : wanted;
}

static clkl_spec make_spec(clkl_weighting kind)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 3, .shape = {4, 5, 19}};
    spec.p.form = CLKL_MOMENTS;
    spec.weights.kind = kind;
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    spec.clamp = CLKL_CLAMP;
    spec.clamp_low = -1.5;
    spec.clamp_high = 1.0;
    return spec;
}

static void check(const clkl_spec *spec, const char *what)
{
    struct gradient_call call;
    gradient_call_make(&call, spec);
    gradient_call_check(&call, &device, what);
    call.batch = spec->shape[0] - 1;
    call.shift = 3;
    gradient_call_check(&call, &device, what);
    gradient_call_free(&call);
}

static void check_one(clkl_spec spec, const char *what)
{
    check(&spec, what);
}

/* Values alone, and beside gradients of which some are sums. */
static void check_both(clkl_spec spec, const char *what)
{
    check(&spec, what);
    spec.q = (clkl_gaussian){.form = CLKL_MEAN_STD, .layout = CLKL_SHARED};
    spec.gradients = OF_P | OF_Q;
    check(&spec, what);
}

/* ---- Where weights lie ---- */

static const struct {
    clkl_weighting kind;
    clkl_layout layout;
    int64_t strides[3];
    uint32_t keep;
    bool gradients;
} cases[] = {
    {CLKL_MASK, CLKL_DENSE, {0}, 1, true},
    {CLKL_WEIGHTS, CLKL_STRIDED, {200, 1, 7}, 4, false},
    {CLKL_MASK, CLKL_STRIDED, {0, 1, 0}, CLKL_KEEP_NONE, false},
    {CLKL_MASK, CLKL_STRIDED, {2, 0, 9}, 6, false},
    {CLKL_WEIGHTS, CLKL_STRIDED, {1, 0, 0}, 1, true},
    {CLKL_WEIGHTS, CLKL_SHARED, {0}, 6, false},
    {CLKL_WEIGHTS, CLKL_STRIDED, {0, 0, 1}, 2, false},
};

Test(device_weights, of_every_layout)
{
    for (size_t i = 0; i < at_most(COUNT(cases), 2); ++i) {
        clkl_spec spec = make_spec(cases[i].kind);
        spec.weights.layout = cases[i].layout;
        memcpy(spec.weights.strides, cases[i].strides, sizeof cases[i].strides);
        spec.keep = cases[i].keep;
        (cases[i].gradients ? check_both : check_one)(spec, "layout");
    }
}

/* ---- Types ---- */

Test(device_weights, of_every_type)
{
    static const struct {
        clkl_dtype dtype, compute;
        uint32_t keep;
    } types[] = {{CLKL_BF16, CLKL_F32, 4},
                 {CLKL_F16, CLKL_F32, 1},
                 {CLKL_F64, CLKL_F32, 1},
                 {CLKL_F64, CLKL_F64, 4},
                 {CLKL_F16, CLKL_F64, 1}};
    for (size_t i = 0; i < at_most(COUNT(types), 1); ++i) {
        clkl_spec spec = make_spec(CLKL_WEIGHTS);
        spec.weights.dtype = types[i].dtype;
        spec.compute = types[i].compute;
        spec.keep = types[i].keep;
        if (i == 3)
            spec.gradients = OF_P;
        if (i < 2 || test_device_has_fp64(&device))
            check(&spec, "types");
    }
}

/* ---- Lengths ---- */

Test(device_weights, lengths)
{
    static const struct {
        uint32_t axis, keep;
        clkl_layout layout;
        int64_t stride;
    } axes[] = {
        {2, 1, CLKL_DENSE, 0},
        {1, 4, CLKL_STRIDED, 3},
        {1, CLKL_KEEP_NONE, CLKL_SHARED, 0},
        {2, 6, CLKL_STRIDED, 0},
    };
    for (size_t i = 0; i < at_most(COUNT(axes), 1); ++i) {
        clkl_spec spec = make_spec(CLKL_LENGTHS);
        spec.weights.length_axis = axes[i].axis;
        spec.weights.layout = axes[i].layout;
        spec.weights.strides[0] = axes[i].stride;
        spec.keep = axes[i].keep;
        (i < 2 ? check_both : check_one)(spec, "lengths");
    }
}

/* None, all, and beyond. */
Test(device_weights, lengths_at_their_ends)
{
    struct gradient_call call;
    clkl_spec spec = make_spec(CLKL_LENGTHS);
    spec.weights.length_axis = 2;
    spec.gradients = OF_P;
    gradient_call_make(&call, &spec);
    const uint32_t lengths[] = {0, 19, 20, 18};
    memcpy(call.inputs[CLKL_WEIGHT], lengths, sizeof lengths);
    gradient_call_check(&call, &device, "ends");
    const float *values = call.result;
    cr_expect(values[0] == 0.0f && values[1] > 0.0f && values[2] > 0.0f && values[3] > 0.0f);
    cr_expect_eq(gradient_at(&call, CLKL_P_MEAN, 18), 0.0);
    cr_expect(gradient_at(&call, CLKL_P_MEAN, 190 + 18) != 0.0);
    cr_expect(gradient_at(&call, CLKL_P_MEAN, 2 * 190 + 18) != 0.0);
    cr_expect_eq(gradient_at(&call, CLKL_P_MEAN, 3 * 190 + 18), 0.0);
    gradient_call_free(&call);
}

/* ---- What weight 0 hides ---- */

/* NaN, infinities and negative variances among elements of weight 0 are not seen: no value, no
 * status, no count, no gradient. */
static void check_hidden(clkl_spec spec, const struct clkl_tuning *tuning, const char *what)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY, -3.0, 90.0};
    struct gradient_call plain, call;
    gradient_call_make(&plain, &spec);
    gradient_call_make(&call, &spec);
    plain.tuning = call.tuning = tuning;
    const uint8_t *mask = call.inputs[CLKL_WEIGHT];
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        for (uint64_t i = 0; i < call.counts[operand]; ++i)
            if (mask[i] == 0)
                gradient_input_set(&call, operand, i, odd[(i + (uint64_t)operand) % COUNT(odd)]);
    gradient_call_check(&plain, &device, what);
    gradient_call_check(&call, &device, what);
    const uint64_t values = clkl_spec_result_count(&spec, 0);
    cr_expect_eq(memcmp(plain.result, call.result, values * sizeof(float)), 0, "%s", what);
    cr_expect_eq(memcmp(plain.status, call.status, values * sizeof(uint32_t)), 0, "%s", what);
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        for (uint64_t i = 0; call.gradients[operand] != NULL && i < call.counts[operand]; ++i)
            cr_assert(gradient_at(&plain, operand, i) == gradient_at(&call, operand, i) &&
                          (mask[i] != 0 || gradient_at(&call, operand, i) == 0.0),
                      "%s: array %d, element %u", what, operand, (unsigned)i);
    gradient_call_free(&call);
    gradient_call_free(&plain);
}

Test(device_weights, what_weight_0_hides)
{
    static const struct clkl_tuning teams = {.work_group = 8, .team = 4};
    clkl_spec spec = make_spec(CLKL_MASK);
    spec.p.form = CLKL_MEAN_LOGVAR;
    spec.shape[2] = 70;
    check_hidden(spec, NULL, "against the standard normal");
    spec.keep = 4;
    check_hidden(spec, NULL, "against the standard normal, in columns");
    if (at_most(2, 1) < 2)
        return;
    spec.q.form = CLKL_MEAN_VAR;
    check_hidden(spec, NULL, "against variances, in columns");
    spec.keep = 1;
    check_hidden(spec, &teams, "against variances, in teams");
    spec.gradients = OF_P | OF_Q;
    check_hidden(spec, NULL, "with gradients");
}

/* Weights are factors like any: NaN and infinity spread, within their sample. */
Test(device_weights, weights_may_be_anything)
{
    clkl_spec spec = make_spec(CLKL_WEIGHTS);
    for (int gradients = 0; gradients < 2; ++gradients) {
        struct gradient_call call;
        spec.gradients = gradients ? OF_P : 0;
        gradient_call_make(&call, &spec);
        gradient_input_set(&call, CLKL_WEIGHT, 3, NAN);
        gradient_input_set(&call, CLKL_WEIGHT, 95 + 3, INFINITY);
        gradient_input_set(&call, CLKL_WEIGHT, 190 + 3, -0.0);
        gradient_call_check(&call, &device, "NaN and infinity");
        cr_expect_eq(call.status[0], CLKL_VALUE_NAN);
        cr_expect_eq(call.status[1], CLKL_VALUE_INFINITE);
        cr_expect_eq(call.status[2], 0u);
        gradient_call_free(&call);
    }
}

/* ---- Geometry ---- */

Test(device_weights, long_rows_and_other_geometries)
{
    static const struct clkl_tuning tunings[] = {
        {0}, {.work_group = 16, .team = 8, .chunk = 512}, {.vector_width = 4, .tile = 4}};
    static const clkl_weighting kinds[] = {CLKL_WEIGHTS, CLKL_LENGTHS, CLKL_MASK};
    for (size_t i = 0; i < at_most(COUNT(tunings), 1); ++i) {
        struct gradient_call call;
        clkl_spec spec = make_spec(kinds[i]);
        spec.shape[2] = 9001;
        spec.weights.layout = i == 0 ? CLKL_SHARED : CLKL_DENSE;
        spec.weights.length_axis = kinds[i] == CLKL_LENGTHS ? 2 : 0;
        gradient_call_make(&call, &spec);
        call.tuning = &tunings[i];
        gradient_call_check(&call, &device, "long");
        gradient_call_free(&call);
    }
}

Test(device_weights, as_gpus_get_them)
{
    static const clkl_weighting kinds[] = {CLKL_WEIGHTS, CLKL_LENGTHS};
    test_device_pretend_gpu(&device);
    for (size_t i = 0; i < at_most(2, 1); ++i) {
        clkl_spec spec = make_spec(kinds[i]);
        spec.shape[2] = 64;
        spec.keep = i == 1 ? 6 : 1;
        check_both(spec, "gpu");
    }
}

/* ---- Free bits of values ---- */

Test(device_weights, free_nats_are_the_least_that_values_can_be)
{
    static const uint32_t keeps[] = {1, 6, CLKL_KEEP_NONE};
    for (size_t i = 0; i < at_most(COUNT(keeps), 1); ++i) {
        struct gradient_call call;
        clkl_spec spec = make_spec(CLKL_MASK);
        spec.keep = keeps[i];
        spec.free_nats = i == 0 ? 60.0 : i == 1 ? 0.5 : 1e6;
        gradient_call_make(&call, &spec);
        gradient_input_set(&call, CLKL_P_MEAN, 0, NAN);
        gradient_call_check(&call, &device, "free bits");
        cr_expect(isnan(*(const float *)call.result), "NaN is not free");
        gradient_call_free(&call);
    }
}
