/* The device against the values of 40 digits, to 5e-7 and, where one side is given by a logarithm
 * and the other is not, to 5e-7 KL + 1e-12 sqrt(n KL); and against the reference on whole batches
 * and on the latents of real autoencoders. */
#include "support/accuracy.h"
#include "support/case_inputs.h"
#include "support/compare.h"
#include "support/values.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

/* Larger cases are tests of their own. */
#define MANY_ELEMENTS 1000000u
#define LARGE_BATCH   1000u

static struct test_device device;
static struct values values;
static struct report report;

static void open_all(void)
{
    long line = values_load(CLKL_VALUES_FILE, &values);
    cr_assert_eq(line, 0, "%s: line %ld", CLKL_VALUES_FILE, line);
    test_device_open(&device);
    report.tolerance = device_tolerance(&device);
}

static void close_all(void)
{
    test_device_close(&device);
    values_free(&values);
}

TestSuite(device_values, .init = open_all, .fini = close_all, .timeout = 300);

/* ---- Cases ---- */

static void note_listed(const struct test_case *c, const float *result)
{
    size_t count;
    const struct value *exact = values_of(&values, c->name, &count);
    cr_assert_eq(count, case_listed_count(c), "%s: %zu values", c->name, count);
    for (size_t k = 0; k < count; k++)
        report_note(&report, c, exact[k].sample, exact[k].value, (double)result[exact[k].sample]);
}

static void check_ordinary(const struct test_case *c, const clkl_spec *spec,
                           const struct test_inputs *inputs)
{
    float *result = malloc(c->batch * sizeof *result);
    cr_assert_not_null(result);
    test_device_run(&device, spec, NULL, inputs, 0, result, NULL, NULL);
    note_listed(c, result);
    free(result);
}

/* Every sample of a large batch is held against the reference, too. */
static void check_large_batch(const struct test_case *c, const clkl_spec *spec,
                              const struct test_inputs *inputs)
{
    struct expected expected;
    expected_make(spec, inputs, 0, &expected);
    struct outcome outcome = outcome_make(&expected);
    outcome_run(&outcome, &device, spec, NULL, inputs, 0);
    note_listed(c, outcome.values);
    expect_agreement(&expected, &outcome, &report.tolerance, "%s", c->name);
    outcome_free(&outcome);
    expected_free(&expected);
}

static void check_case(const struct test_case *c)
{
    clkl_spec spec = case_spec(c, c->batch);
    void *arrays[4];
    case_inputs_make(c, CASE_ALL, CLKL_F32, arrays);
    const struct test_inputs inputs = {.arrays = {arrays[0], arrays[1], arrays[2], arrays[3]}};
    if (c->batch >= LARGE_BATCH)
        check_large_batch(c, &spec, &inputs);
    else
        check_ordinary(c, &spec, &inputs);
    case_inputs_free(arrays);
}

typedef bool case_filter(const struct test_case *c);

static void check_cases(case_filter *wanted)
{
    struct test_case c;
    for (size_t i = 0; case_at(i, &c); i++)
        if (wanted(&c))
            check_case(&c);
    report_expect(&report);
}

static bool has_many_elements(const struct test_case *c)
{
    return c->elements >= MANY_ELEMENTS;
}

static bool has_large_batch(const struct test_case *c)
{
    return c->batch >= LARGE_BATCH;
}

static bool is_ordinary(const struct test_case *c)
{
    return !has_many_elements(c) && !has_large_batch(c) && !c->wide;
}

static bool is_ordinary_with_log_p(const struct test_case *c)
{
    return is_ordinary(c) && (c->p == SCALE_LOGVAR || c->p == SCALE_LOGSTD);
}

static bool is_ordinary_with_other_p(const struct test_case *c)
{
    return is_ordinary(c) && !is_ordinary_with_log_p(c);
}

/* Two tests, which run beside one another and have no program in common. */
Test(device_values, every_family_where_p_has_logarithms)
{
    check_cases(is_ordinary_with_log_p);
    cr_expect_gt(report.checked, 1500u);
}

Test(device_values, every_family_where_p_has_none)
{
    check_cases(is_ordinary_with_other_p);
    cr_expect_gt(report.checked, 1000u);
}

/* Rows with a remainder, all of them with one program for each pair of kinds. */
static bool suits_a_gpu(const struct test_case *c)
{
    return is_ordinary(c) && !c->clamped && c->elements >= 4 && c->elements % 4 != 0;
}

/* What GPUs get, computed here. Where the device is given nearly the same anyway, it is left out.
 */
Test(device_values, families_on_a_gpu)
{
    if (device.device->facts.style != CLKL_STYLE_WIDE_CPU)
        cr_skip_test("the device has scalar kernels");
    test_device_pretend_gpu(&device);
    check_cases(suits_a_gpu);
    cr_expect_gt(report.checked, 1000u);
}

Test(device_values, samples_of_a_million_elements_and_more)
{
    check_cases(has_many_elements);
    cr_expect_gt(report.checked, 20u);
}

Test(device_values, batches_of_a_hundred_thousand)
{
    check_cases(has_large_batch);
    cr_expect_gt(report.checked, 500u);
}

/* ---- Real data ---- */

/* The last `count` floats of a .npy file of them. To be freed. */
static float *load_floats(const char *path, long count)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    float *data = malloc((size_t)count * sizeof *data);
    cr_assert_not_null(data);
    cr_assert_eq(fseek(file, -count * (long)sizeof *data, SEEK_END), 0, "%s", path);
    cr_assert_eq(fread(data, sizeof *data, (size_t)count, file), (size_t)count, "%s", path);
    fclose(file);
    return data;
}

static void check_moments(const clkl_spec *spec, const float *moments, const char *name)
{
    static const uint32_t keeps[] = {1u << 0, 1u << 1, CLKL_KEEP_NONE};
    const struct test_inputs inputs = {.arrays = {moments}};
    for (size_t i = 0; i < sizeof keeps / sizeof *keeps; i++) {
        clkl_spec kept = *spec;
        struct expected expected;
        kept.keep = keeps[i];
        expected_make(&kept, &inputs, 0, &expected);
        struct outcome outcome = outcome_make(&expected);
        outcome_run(&outcome, &device, &kept, NULL, &inputs, 0);
        expect_agreement(&expected, &outcome, &report.tolerance, "%s, keep 0x%x, clamp %g", name,
                         keeps[i], spec->clamp_low);
        outcome_free(&outcome);
        expected_free(&expected);
    }
}

/* How many log-variances the reference clamps. */
static uint64_t clamped_in_all(const clkl_spec *spec, const float *moments)
{
    clkl_spec all = *spec;
    struct expected expected;
    all.keep = CLKL_KEEP_NONE;
    expected_make(&all, &(struct test_inputs){.arrays = {moments}}, 0, &expected);
    const uint64_t count = expected.clamped[0].p;
    expected_free(&expected);
    return count;
}

static void check_file(const char *path, uint32_t rank, const size_t *shape, long values_in_all)
{
    clkl_spec spec;
    float *moments = load_floats(path, 2 * values_in_all);
    clkl_spec_moments(&spec, rank, shape);
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    spec.clamp = CLKL_CLAMP;
    spec.clamp_low = -30.0;
    spec.clamp_high = 20.0;
    check_moments(&spec, moments, path);
    spec.clamp_low = -4.0;
    spec.clamp_high = -0.5;
    check_moments(&spec, moments, path);
    const uint64_t clamped = clamped_in_all(&spec, moments);
    cr_expect(clamped > 100 && clamped < (uint64_t)values_in_all - 100, "%llu of %ld clamped",
              (unsigned long long)clamped, values_in_all);
    free(moments);
}

Test(device_values, latents_of_photographs)
{
    const size_t shape[] = {520, 4, 4, 4};
    check_file(CLKL_DATA_DIR "/photo_vae_moments.npy", 4, shape, 520 * 4 * 4 * 4);
}

Test(device_values, latents_of_digits)
{
    const size_t shape[] = {1797, 16};
    check_file(CLKL_DATA_DIR "/digits_vae_moments.npy", 2, shape, 1797 * 16);
}
