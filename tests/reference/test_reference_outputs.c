/* clkl_reference_run: what comes back beside the result, the clamp, and what is refused. */
#include "reference/divergence.h"
#include "run.h"

#include <math.h>
#include <string.h>

TestSuite(reference_outputs, .timeout = 60);

Test(reference_outputs, deterministic_p_gives_zero_whatever_lies_there)
{
    const float nan[4] = {NAN, NAN, NAN, NAN};
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {2, 2}};
    spec.p.form = CLKL_DETERMINISTIC;
    spec.q.form = CLKL_MEAN_VAR;
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    for (int given = 0; given < 2; given++) {
        float kl[3] = {-1.0f, -1.0f, -1.0f};
        uint32_t status[2] = {9, 9};
        clkl_clamp_count counts[2] = {{9, 9}, {9, 9}};
        clkl_host_args args = {.result = kl, .value_status = status, .clamp_counts = counts};
        if (given)
            args.p_mean = args.p_scale = args.q_mean = args.q_scale = nan;
        run(&spec, args);
        for (int i = 0; i < 2; i++) {
            cr_expect_eq(kl[i], 0.0f);
            cr_expect_eq(status[i], 0u);
            cr_expect_eq(counts[i].p, 0u);
            cr_expect_eq(counts[i].q, 0u);
        }
        cr_expect_eq(kl[2], -1.0f);
    }
}

/* ---- Status ---- */

enum { NOT_A_NUMBER = CLKL_VALUE_NAN, INFINITE = CLKL_VALUE_INFINITE };
enum { NEGATIVE = CLKL_VALUE_NAN | CLKL_VALUE_NEGATIVE_SCALE };

/* Six samples of two elements. */
static const float odd_mean[12] = {1, 2, 1, NAN, 1, INFINITY, 1, 2, 1, 2, NAN, 2};
static const float odd_var[12] = {1, 2, 1, 2, 1, 2, 1, 0, -1e-30f, 2, 1, -2};

static const clkl_spec odd_spec = {
    .struct_size = sizeof odd_spec, .rank = 2, .shape = {6, 2}, .p = {.form = CLKL_MEAN_VAR}};

static void check_status(const clkl_spec *spec, clkl_host_args args, size_t count,
                         const uint32_t *expected)
{
    float kl[6];
    uint32_t status[7] = {77, 77, 77, 77, 77, 77, 77};
    args.result = kl;
    args.value_status = status;
    run(spec, args);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(status[i], expected[i], "value %zu: %u", i, status[i]);
        cr_expect_eq(!!isnan(kl[i]), expected[i] & CLKL_VALUE_NAN, "value %zu: %g", i,
                     (double)kl[i]);
        cr_expect_eq(kl[i] == INFINITY, expected[i] == CLKL_VALUE_INFINITE, "value %zu: %g", i,
                     (double)kl[i]);
    }
    cr_expect_eq(status[count], 77u);
}

Test(reference_outputs, status_of_every_sample)
{
    const uint32_t expected[] = {0, NOT_A_NUMBER, INFINITE, INFINITE, NEGATIVE, NEGATIVE};
    check_status(&odd_spec, (clkl_host_args){.p_mean = odd_mean, .p_scale = odd_var}, 6, expected);
}

Test(reference_outputs, status_of_the_values_of_another_axis)
{
    clkl_spec spec = odd_spec;
    spec.keep = 1u << 1;
    check_status(&spec, (clkl_host_args){.p_mean = odd_mean, .p_scale = odd_var}, 2,
                 (uint32_t[]){NEGATIVE, NEGATIVE});
    spec.shape[0] = 3;
    check_status(&spec, (clkl_host_args){.p_mean = odd_mean, .p_scale = odd_var}, 2,
                 (uint32_t[]){0, NOT_A_NUMBER});
}

Test(reference_outputs, status_of_a_negative_scale_of_q)
{
    clkl_spec spec = odd_spec;
    spec.p = (clkl_gaussian){.form = CLKL_STANDARD_NORMAL};
    spec.q = (clkl_gaussian){.form = CLKL_MEAN_STD};
    const uint32_t expected[] = {0, NOT_A_NUMBER, INFINITE, INFINITE, NEGATIVE, NEGATIVE};
    check_status(&spec, (clkl_host_args){.q_mean = odd_mean, .q_scale = odd_var}, 6, expected);
}

/* A finite divergence that no float holds is infinite in a result of floats. */
Test(reference_outputs, status_is_that_of_the_value_as_it_is_stored)
{
    const float mean[] = {1e20f}, var[] = {1.0f};
    clkl_spec spec = odd_spec;
    spec.shape[0] = spec.shape[1] = 1;
    check_status(&spec, (clkl_host_args){.p_mean = mean, .p_scale = var}, 1,
                 (uint32_t[]){INFINITE});
    double kl;
    uint32_t status;
    spec.compute = CLKL_F64;
    run(&spec,
        (clkl_host_args){.p_mean = mean, .p_scale = var, .result = &kl, .value_status = &status});
    cr_expect_eq(status, 0u);
    cr_expect_float_eq(kl / 5e39, 1.0, 1e-7);
}

/* ---- Clamp ---- */

/* Two samples of four elements, and a Q of four that both share; the clamp is [-2, 3]. */
static const float clamp_mean[4] = {0.5f, -1.0f, 0.0f, 2.0f};
static const float clamp_p[8] = {-2.0f,     3.0f,     3.0000002f, -2.0000002f,
                                 -INFINITY, INFINITY, 0.0f,       1e30f};
static const float clamp_p_inside[8] = {-2.0f, 3.0f, 3.0f, -2.0f, -2.0f, 3.0f, 0.0f, 3.0f};
static const float clamp_q[4] = {-9.0f, 1.0f, 1.0f, 1.0f};
static const float clamp_q_inside[4] = {-2.0f, 1.0f, 1.0f, 1.0f};

static clkl_spec clamp_spec(void)
{
    clkl_spec spec = {.struct_size = sizeof spec,
                      .rank = 2,
                      .shape = {2, 4},
                      .compute = CLKL_F64,
                      .outputs = CLKL_OUTPUT_CLAMP_COUNTS};
    spec.p = (clkl_gaussian){.form = CLKL_MEAN_LOGVAR, .layout = CLKL_STRIDED};
    spec.p.mean_strides[1] = 1;
    spec.p.scale_strides[0] = 4;
    spec.p.scale_strides[1] = 1;
    spec.q = (clkl_gaussian){.form = CLKL_MEAN_LOGVAR, .layout = CLKL_SHARED};
    return spec;
}

static void clamp_on(clkl_spec *spec)
{
    spec->clamp = CLKL_CLAMP;
    spec->clamp_low = -2.0;
    spec->clamp_high = 3.0;
}

static void expect_counts(const clkl_spec *spec, const clkl_host_args *arrays, size_t count,
                          const clkl_clamp_count *expected)
{
    double kl[4];
    clkl_clamp_count counts[5] = {{77, 77}, {77, 77}, {77, 77}, {77, 77}, {77, 77}};
    clkl_host_args args = *arrays;
    args.result = kl;
    args.clamp_counts = counts;
    run(spec, args);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(counts[i].p, expected[i].p, "P, value %zu: %u", i, counts[i].p);
        cr_expect_eq(counts[i].q, expected[i].q, "Q, value %zu: %u", i, counts[i].q);
    }
    cr_expect_eq(counts[count].p, 77u);
}

Test(reference_outputs, clamp_moves_to_the_bounds)
{
    clkl_spec spec = clamp_spec();
    double plain[2], clamped[2];
    clkl_host_args args = {.p_mean = clamp_mean,
                           .p_scale = clamp_p_inside,
                           .q_mean = clamp_mean,
                           .q_scale = clamp_q_inside,
                           .result = plain};
    run(&spec, args);
    clamp_on(&spec);
    args.p_scale = clamp_p;
    args.q_scale = clamp_q;
    args.result = clamped;
    run(&spec, args);
    cr_expect_eq(plain[0], clamped[0]);
    cr_expect_eq(plain[1], clamped[1]);
    cr_expect_gt(plain[0], 0.0);
}

Test(reference_outputs, clamp_counts_what_is_strictly_outside)
{
    clkl_spec spec = clamp_spec();
    const clkl_host_args args = {
        .p_mean = clamp_mean, .p_scale = clamp_p, .q_mean = clamp_mean, .q_scale = clamp_q};
    expect_counts(&spec, &args, 2, (clkl_clamp_count[]){{0, 0}, {0, 0}});
    clamp_on(&spec);
    expect_counts(&spec, &args, 2, (clkl_clamp_count[]){{2, 1}, {3, 1}});
    spec.keep = 1u << 1;
    expect_counts(&spec, &args, 4, (clkl_clamp_count[]){{1, 2}, {1, 0}, {1, 0}, {2, 0}});
    spec.keep = CLKL_KEEP_NONE;
    expect_counts(&spec, &args, 1, (clkl_clamp_count[]){{5, 2}});
}

Test(reference_outputs, clamp_keeps_nan_and_does_not_count_it)
{
    clkl_spec spec = clamp_spec();
    const float logvar[8] = {0, 0, NAN, 0, 0, 0, 0, 9};
    double kl[2];
    clkl_clamp_count counts[2];
    uint32_t status[2];
    clamp_on(&spec);
    run(&spec, (clkl_host_args){.p_mean = clamp_mean,
                                .p_scale = logvar,
                                .q_mean = clamp_mean,
                                .q_scale = clamp_q_inside,
                                .result = kl,
                                .value_status = status,
                                .clamp_counts = counts});
    cr_expect(isnan(kl[0]) && isfinite(kl[1]));
    cr_expect_eq(status[0], CLKL_VALUE_NAN);
    cr_expect_eq(counts[0].p, 0u);
    cr_expect_eq(counts[1].p, 1u);
}

/* The logarithm of a standard deviation is no log-variance. */
Test(reference_outputs, clamp_leaves_the_other_kinds_alone)
{
    clkl_spec spec = clamp_spec();
    double kl[2];
    spec.q.form = CLKL_MEAN_LOGSTD;
    clamp_on(&spec);
    const float far[4] = {-9.0f, 9.0f, 9.0f, -9.0f};
    const clkl_host_args args = {
        .p_mean = clamp_mean, .p_scale = clamp_p, .q_mean = clamp_mean, .q_scale = far};
    expect_counts(&spec, &args, 2, (clkl_clamp_count[]){{2, 0}, {3, 0}});
    spec.keep = CLKL_KEEP_NONE;
    clkl_host_args first = args;
    first.batch = 1;
    first.result = kl;
    run(&spec, first);
    double direct = 0.0;
    for (int i = 0; i < 4; i++) {
        struct clkl_normal p = {CLKL_SCALE_LOGVAR, 0.0, (double)clamp_p_inside[i]};
        struct clkl_normal q = {CLKL_SCALE_LOGSTD, 0.0, (double)far[i]};
        direct += clkl_normal_divergence(&p, &q);
    }
    cr_expect_float_eq(kl[0], direct, 1e-15 * direct);
}

/* ---- What is refused ---- */

/* The call fails, and the message names what it is about. */
static void refuse(const clkl_spec *spec, const clkl_host_args *args, const char *about)
{
    clkl_error error = {.struct_size = sizeof error};
    cr_expect_eq(clkl_reference_run(spec, args, &error), CLKL_INVALID_ARGUMENT, "%s", about);
    cr_expect_eq(error.status, CLKL_INVALID_ARGUMENT, "%s", about);
    cr_expect_not_null(strstr(error.message, about), "%s\n  not: %s", error.message, about);
    cr_expect_eq(clkl_reference_run(spec, args, NULL), CLKL_INVALID_ARGUMENT, "%s", about);
}

Test(reference_outputs, missing_arrays_are_named)
{
    const float numbers[4] = {1, 1, 1, 1};
    float kl[2] = {-1.0f, -1.0f};
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {2, 2}};
    spec.p.form = CLKL_MEAN_VAR;
    spec.q.form = CLKL_MEAN_LOGSTD;
    const clkl_host_args whole = {.struct_size = sizeof whole,
                                  .p_mean = numbers,
                                  .p_scale = numbers,
                                  .q_mean = numbers,
                                  .q_scale = numbers,
                                  .result = kl};
    clkl_host_args args = whole;
    args.p_mean = NULL;
    refuse(&spec, &args, "p_mean");
    args = whole;
    args.p_scale = NULL;
    refuse(&spec, &args, "p_scale");
    args = whole;
    args.q_mean = NULL;
    refuse(&spec, &args, "q_mean");
    args = whole;
    args.q_scale = NULL;
    refuse(&spec, &args, "q_scale");
    args = whole;
    args.result = NULL;
    refuse(&spec, &args, "result");
    cr_expect_eq(kl[0], -1.0f);
    run(&spec, whole);
    cr_expect_geq(kl[0], 0.0f);
}

Test(reference_outputs, other_arguments_are_named)
{
    float kl[2] = {-1.0f, -1.0f};
    clkl_clamp_count counts[2] = {{9, 9}, {9, 9}};
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {2, 2}};
    const clkl_host_args whole = {.struct_size = sizeof whole, .result = kl};
    clkl_host_args args = whole;
    refuse(NULL, &whole, "spec");
    refuse(&spec, NULL, "args");
    args.struct_size = 0;
    refuse(&spec, &args, "struct_size");
    args.struct_size = offsetof(clkl_host_args, weights) - 1; /* less than 0.1 had */
    refuse(&spec, &args, "struct_size");
    args = whole;
    args.clamp_counts = counts;
    refuse(&spec, &args, "clamp_counts");
    args = whole;
    args.batch = 3;
    refuse(&spec, &args, "batch");
    cr_expect_eq(kl[0], -1.0f);
    cr_expect_eq(counts[0].p, 9u);
}

/* A program that is newer than the library has larger structs. */
Test(reference_outputs, larger_arguments_are_taken)
{
    struct {
        clkl_host_args args;
        char more[64];
    } newer = {.args = {.struct_size = sizeof newer}};
    float kl[2];
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {2, 2}};
    newer.args.result = kl;
    cr_expect_eq(clkl_reference_run(&spec, &newer.args, NULL), CLKL_OK);
    cr_expect_eq(kl[0], 0.0f);
    cr_expect_eq(kl[1], 0.0f);
}

Test(reference_outputs, bad_specification_is_refused)
{
    float kl[2] = {-1.0f, -1.0f};
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 1, .shape = {2}};
    const clkl_host_args args = {.struct_size = sizeof args, .result = kl};
    cr_expect_eq(clkl_reference_run(&spec, &args, NULL), CLKL_INVALID_SPEC);
    cr_expect_eq(kl[0], -1.0f);
}
