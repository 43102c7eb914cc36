/* clkl_engine_run: what the engine computes, and what it refuses. */
#include "core/problem.h"
#include "engine/engine.h"
#include "engines.h"
#include "work.h"

#include <math.h>

TestSuite(engine_run, .init = forget_wish, .timeout = 300);

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const struct {
    const char *name;
    uint64_t batch;
    clkl_spec spec;
} cases[] = {
    {"moments", 0, {SIZE, NINE, .p = {.form = CLKL_MOMENTS}}},
    {"a smaller batch", 4, {SIZE, NINE, .p = {.form = CLKL_MOMENTS}}},
    {"pairs of moments", 0, {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, .q = {.form = CLKL_MOMENTS}}},
    {"a shared Q",
     0,
     {SIZE, NINE, .p = {.form = CLKL_MEAN_LOGVAR},
      .q = {.form = CLKL_MEAN_LOGVAR, .layout = CLKL_SHARED}}},
    {"a shared P",
     3,
     {SIZE, NINE, .p = {.form = CLKL_MOMENTS, .layout = CLKL_SHARED},
      .q = {.form = CLKL_MOMENTS, .split_axis = 3}}},
    {"variances", 0, {SIZE, NINE, .p = {.form = CLKL_MEAN_VAR}, .q = {.form = CLKL_MEAN_VAR}}},
    {"mixed kinds", 0, {SIZE, NINE, .p = {.form = CLKL_MEAN_STD}, .q = {.form = CLKL_MEAN_LOGVAR}}},
    {"a standard P", 0, {SIZE, NINE, .q = {.form = CLKL_MEAN_LOGSTD}}},
    {"no arrays", 0, {SIZE, NINE}},
    {"one value", 0, {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, .keep = CLKL_KEEP_NONE}},
    {"one value of a smaller batch",
     4,
     {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, .keep = CLKL_KEEP_NONE}},
    {"one sum",
     0,
     {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, .keep = CLKL_KEEP_NONE,
      .batch_reduction = CLKL_BATCH_SUM}},
    {"an axis", 0, {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, .keep = 2}},
    {"an axis of a smaller batch", 5, {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, .keep = 2}},
    {"the last axis, counted",
     0,
     {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, .keep = 8, CLAMPED, COUNTED}},
    {"clamped and counted",
     0,
     {SIZE, NINE, .p = {.form = CLKL_MOMENTS},
      .q = {.form = CLKL_MEAN_LOGVAR, .layout = CLKL_SHARED}, CLAMPED, COUNTED}},
    {"clamped on one side",
     7,
     {SIZE, NINE, .p = {.form = CLKL_MEAN_VAR}, .q = {.form = CLKL_MOMENTS}, CLAMPED, COUNTED}},
    {"counted, but not clamped", 0, {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, COUNTED}},
    {"deterministic",
     0,
     {SIZE, NINE, .p = {.form = CLKL_DETERMINISTIC}, .q = {.form = CLKL_MEAN_VAR}, COUNTED}},
    {"strided",
     0,
     {SIZE, NINE,
      .p = {.form = CLKL_MEAN_LOGVAR,
            .layout = CLKL_STRIDED,
            .mean_strides = {1, 9, 36, 216},
            .scale_strides = {200, 43, 7, 1}},
      .q = {.form = CLKL_MEAN_LOGVAR,
            .layout = CLKL_STRIDED,
            .mean_strides = {0, 2, 0, 0},
            .scale_strides = {0, 1, 0, 0}}}},
    {"strided moments of a smaller batch",
     2,
     {SIZE, NINE,
      .p = {.form = CLKL_MOMENTS,
            .layout = CLKL_STRIDED,
            .split_axis = 2,
            .mean_strides = {400, 1, 5, 60}}}},
    {"long rows", 0, {SIZE, .rank = 2, .shape = {2, 70001}, .p = {.form = CLKL_MEAN_LOGVAR}}},
    {"many short rows", 0, {SIZE, .rank = 2, .shape = {5000, 3}, .p = {.form = CLKL_MOMENTS}}},
};

Test(engine_run, computes_what_the_reference_does)
{
    clkl_engine *engine = engine_on(NULL);
    for (size_t i = 0; i < COUNT(cases); ++i) {
        struct work work = work_for(&cases[i].spec, cases[i].batch);
        work_compare_with_reference(engine, &work, cases[i].name);
        work_free(&work);
    }
    clkl_engine_release(engine);
}

Test(engine_run, the_reference_behind_it_is_the_reference)
{
    clkl_engine *engine = engine_on("reference");
    for (size_t i = 0; i < COUNT(cases); ++i) {
        struct work work = work_for(&cases[i].spec, cases[i].batch);
        struct work expected = work_reference(&work);
        work_run(engine, &work, cases[i].name);
        cr_expect_eq(memcmp(work.result, expected.result, work.values * sizeof *work.result), 0,
                     "%s", cases[i].name);
        work_drop_reference(&expected);
        work_free(&work);
    }
    clkl_engine_release(engine);
}

Test(engine_run, odd_values_are_found_in_their_samples)
{
    static const clkl_spec spec = {SIZE, .rank = 2, .shape = {8, 40}, .p = {.form = CLKL_MEAN_VAR},
                                   .q = {.form = CLKL_MEAN_VAR}};
    static const uint32_t expected[8] = {0,
                                         CLKL_VALUE_NAN,
                                         CLKL_VALUE_NAN,
                                         CLKL_VALUE_NAN | CLKL_VALUE_NEGATIVE_SCALE,
                                         CLKL_VALUE_NAN | CLKL_VALUE_NEGATIVE_SCALE,
                                         CLKL_VALUE_INFINITE,
                                         CLKL_VALUE_INFINITE,
                                         0};
    clkl_engine *engine = engine_on(NULL);
    struct work work = work_for(&spec, 0);
    work.arrays[0][1 * 40 + 39] = NAN;
    work.arrays[3][2 * 40 + 7] = NAN;
    work.arrays[1][3 * 40] = -1.0f;
    work.arrays[3][4 * 40 + 20] = -1e-30f;
    work.arrays[1][5 * 40 + 11] = 0.0f;
    work.arrays[2][6 * 40 + 12] = INFINITY;
    work_compare_with_reference(engine, &work, "odd values");
    for (size_t i = 0; i < COUNT(expected); ++i)
        cr_expect_eq(work.status[i], expected[i], "sample %zu: %u", i, work.status[i]);
    work_free(&work);
    clkl_engine_release(engine);
}

Test(engine_run, outputs_that_are_not_wanted_may_be_absent)
{
    const clkl_spec spec = {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, CLAMPED, COUNTED};
    clkl_engine *engine = engine_on(NULL);
    struct work work = work_for(&spec, 0);
    clkl_host_args args = work_args(&work);
    work_run(engine, &work, "all outputs");
    float result[9];
    memcpy(result, work.result, sizeof result);
    work_clear_outputs(&work);
    args.value_status = NULL;
    args.clamp_counts = NULL;
    cr_expect_eq(clkl_engine_run(engine, &spec, &args, NULL), CLKL_OK);
    cr_expect_eq(memcmp(work.result, result, sizeof result), 0);
    work_expect_marks(&work, "the result alone");
    cr_expect_eq(work.status[0], (uint32_t)WORK_MARK);
    work_free(&work);
    clkl_engine_release(engine);
}

Test(engine_run, arrays_need_no_alignment_beyond_their_type)
{
    static const clkl_spec spec = {SIZE, NINE, .p = {.form = CLKL_MOMENTS}};
    enum { ELEMENTS = 9 * 8 * 6 * 7 };
    clkl_engine *engine = engine_on(NULL);
    struct work work = work_for(&spec, 0);
    float *shifted = work_allocated(ELEMENTS + 16, sizeof *shifted);
    work_run(engine, &work, "as allocated");
    for (size_t shift = 0; shift < 16; shift += 5) {
        float result[9];
        clkl_host_args args = work_args(&work);
        memcpy(shifted + shift, work.arrays[0], ELEMENTS * sizeof *shifted);
        args.p_mean = shifted + shift;
        args.result = result;
        cr_assert_eq(clkl_engine_run(engine, &spec, &args, NULL), CLKL_OK);
        cr_expect_eq(memcmp(result, work.result, sizeof result), 0, "shifted by %zu", shift);
    }
    free(shifted);
    work_free(&work);
    clkl_engine_release(engine);
}

Test(engine_run, one_engine_after_the_other_and_two_at_once)
{
    struct work work = work_for(&cases[0].spec, 0);
    float first[9];
    clkl_engine *engine = engine_on(NULL);
    work_run(engine, &work, "the first engine");
    memcpy(first, work.result, sizeof first);
    work_run(engine, &work, "the first engine again");
    cr_expect_eq(memcmp(first, work.result, sizeof first), 0);
    clkl_engine_release(engine);
    engine = engine_on(NULL);
    clkl_engine *other = engine_on(NULL);
    work_run(engine, &work, "the second engine");
    cr_expect_eq(memcmp(first, work.result, sizeof first), 0);
    clkl_engine_release(engine);
    work_run(other, &work, "the third engine");
    cr_expect_eq(memcmp(first, work.result, sizeof first), 0);
    clkl_engine_release(other);
    work_free(&work);
}

/* ---- Refusals ---- */

static void expect_run_refused(clkl_engine *engine, const clkl_spec *spec,
                               const clkl_host_args *args, clkl_status status, const char *says)
{
    clkl_error error;
    memset(&error, 'x', sizeof error);
    error.struct_size = sizeof error;
    cr_expect_eq(clkl_engine_run(engine, spec, args, &error), status, "expected: %s", says);
    cr_expect_eq(error.status, status, "%s", says);
    cr_expect_eq(error.opencl_code, 0, "%s", says);
    cr_expect_str_eq(error.call, "", "%s", says);
    cr_expect_not_null(strstr(error.message, says), "\"%s\" does not say \"%s\"", error.message,
                       says);
    cr_expect_eq(clkl_engine_run(engine, spec, args, NULL), status, "%s", says);
}

/* What both the device and the reference refuse. */
static void check_refusals(clkl_engine *engine)
{
    const clkl_spec spec = {SIZE, NINE, .p = {.form = CLKL_MEAN_VAR}, .q = {.form = CLKL_MEAN_STD}};
    struct work work = work_for(&spec, 0);
    const clkl_host_args good = work_args(&work);
    clkl_host_args args = good;
    const clkl_status bad = CLKL_INVALID_ARGUMENT;
    expect_run_refused(NULL, &spec, &args, bad, "NULL");
    expect_run_refused(engine, NULL, &args, bad, "NULL");
    expect_run_refused(engine, &spec, NULL, bad, "NULL");

    args.struct_size = offsetof(clkl_host_args, weights) - 1; /* less than 0.1 had */
    expect_run_refused(engine, &spec, &args, bad, "args->struct_size");
    args = good, args.reserved[2] = 1;
    expect_run_refused(engine, &spec, &args, bad, "args->reserved[2]");
    args = good, args.result = NULL;
    expect_run_refused(engine, &spec, &args, bad, "args->result is NULL");
    args = good, args.p_mean = NULL;
    expect_run_refused(engine, &spec, &args, bad, "args->p_mean is NULL");
    args = good, args.p_scale = NULL;
    expect_run_refused(engine, &spec, &args, bad, "args->p_scale is NULL");
    args = good, args.q_mean = NULL;
    expect_run_refused(engine, &spec, &args, bad, "args->q_mean is NULL");
    args = good, args.q_scale = NULL;
    expect_run_refused(engine, &spec, &args, bad, "args->q_scale is NULL");
    clkl_clamp_count counts[9];
    args = good, args.clamp_counts = counts;
    expect_run_refused(engine, &spec, &args, bad, "CLKL_OUTPUT_CLAMP_COUNTS");
    args = good, args.batch = 10;
    expect_run_refused(engine, &spec, &args, bad, "batch is 10, but at most 9");

    clkl_spec broken = spec;
    broken.shape[2] = 0;
    expect_run_refused(engine, &broken, &good, CLKL_INVALID_SPEC, "axis 2 is empty");
    work_expect_marks(&work, "refused");
    work_free(&work);
}

Test(engine_run, mistakes_are_told)
{
    clkl_engine *engine = engine_on(NULL), *reference = engine_on("reference");
    check_refusals(engine);
    check_refusals(reference);
    clkl_engine_release(engine);
    clkl_engine_release(reference);
}

Test(engine_run, fp64_is_computed_or_refused)
{
    static const double moments[4] = {1.0, 2.0, 0.0, 0.0};
    const clkl_spec spec = {SIZE, .rank = 2, .shape = {1, 2},
                            .p = {.form = CLKL_MOMENTS, .dtype = CLKL_F64}};
    double result = -1.0;
    const clkl_host_args args = {.struct_size = sizeof args, .p_mean = moments, .result = &result};
    clkl_engine *engine = engine_on(NULL), *reference = engine_on("reference");
    clkl_error error = {.struct_size = sizeof error};
    const clkl_status status = clkl_engine_run(engine, &spec, &args, &error);
    if (status == CLKL_UNSUPPORTED) {
        cr_expect_eq(result, -1.0);
        cr_expect_not_null(strstr(error.message, "has no double precision"), "%s", error.message);
    } else {
        cr_expect_eq(status, CLKL_OK, "%s", error.message);
        cr_expect_eq(result, 2.5);
    }
    cr_expect_eq(clkl_engine_run(reference, &spec, &args, NULL), CLKL_OK);
    cr_expect_eq(result, 2.5);
    clkl_engine_release(engine);
    clkl_engine_release(reference);
}
