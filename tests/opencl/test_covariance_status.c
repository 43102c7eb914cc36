/* Full covariances on the device: bad samples beside good ones, and what a call refuses. */
#include "covariance_batch.h"

#include "support/device_fixture.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(device_covariance_status, .init = open_device, .fini = close_device, .timeout = 300);

static const struct clkl_tuning by_groups = {.covariance_way = 1 + CLKL_COVARIANCE_GROUP};
static const struct clkl_tuning by_steps = {.covariance_way = 1 + CLKL_COVARIANCE_STEPS};

static bool is_slow(void)
{
    return device.device->facts.style != CLKL_STYLE_WIDE_CPU;
}

/* ---- Bad samples ---- */

/* One kind of damage to a matrix of a sample. */
struct damage {
    const char *name;
    size_t row, column;
    double number;
};

/* The bad sample has the reference's status, the others the bits that they have without it. */
static void expect_one_bad(const struct covariance_batch *good, int operand, size_t sample,
                           const struct damage *damage, const struct clkl_tuning *tuning)
{
    const struct covariance_call call = {.tuning = tuning, .flags = CLKL_PLAN_NO_WARM_UP};
    const size_t d = (size_t)good->spec.shape[1], samples = (size_t)good->spec.shape[0];
    const size_t at = (sample * d + damage->row) * d + damage->column;
    struct covariance_batch bad = *good;
    struct covariance_outcome before, after, expected;
    const double kept = covariance_batch_get(good, operand, at);
    covariance_run(&device, &good->spec, &good->inputs, &call, &before);
    covariance_batch_set(&bad, operand, at, damage->number);
    covariance_run(&device, &bad.spec, &bad.inputs, &call, &after);
    covariance_reference(&bad.spec, &bad.inputs, 0, &expected);
    covariance_batch_set(&bad, operand, at, kept);
    for (size_t i = 0; i < samples; ++i) {
        const bool is_bad = i == sample;
        cr_expect(is_bad ? isnan(after.result[i]) != 0
                         : memcmp(&after.result[i], &before.result[i], sizeof(double)) == 0,
                  "%s in sample %zu, D = %zu: value %zu is %g, was %g", damage->name, sample, d, i,
                  after.result[i], before.result[i]);
        cr_expect(after.status[i].p == expected.status[i].p &&
                      after.status[i].q == expected.status[i].q,
                  "%s in sample %zu, D = %zu: status of %zu is %d and %d, expected %d and %d",
                  damage->name, sample, d, i, after.status[i].p, after.status[i].q,
                  expected.status[i].p, expected.status[i].q);
        cr_expect_eq(after.value_status[i], expected.value_status[i]);
    }
    covariance_outcome_free(&before);
    covariance_outcome_free(&after);
    covariance_outcome_free(&expected);
}

static void expect_bad_samples(clkl_form p, clkl_form q, size_t samples, size_t d,
                               const struct clkl_tuning *tuning)
{
    struct covariance_batch batch = covariance_batch_make(p, q, samples, d, CLKL_F32, 0.3);
    for (size_t sample = 0; sample < samples; ++sample) {
        const size_t row = (sample * 7 + 3) % d;
        const struct damage damages[] = {{"a negative pivot", row, row, -1.0},
                                         {"NaN", d - 1, row, NAN},
                                         {"an infinity", row, 0, INFINITY},
                                         {"a pivot of 0", 0, 0, 0.0}};
        const struct damage *damage = &damages[sample % (sizeof damages / sizeof *damages)];
        expect_one_bad(&batch, sample % 2 == 0 ? CLKL_P_SCALE : CLKL_Q_SCALE, sample, damage,
                       tuning);
    }
    covariance_batch_free(&batch);
}

Test(device_covariance_status, covariances_of_few_dimensions)
{
    expect_bad_samples(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, is_slow() ? 4 : 33, 5, NULL);
}

Test(device_covariance_status, factors_of_few_dimensions)
{
    if (!is_slow())
        expect_bad_samples(CLKL_MEAN_CHOLESKY, CLKL_MEAN_CHOLESKY, 20, 6, NULL);
}

Test(device_covariance_status, precisions_of_few_dimensions)
{
    if (!is_slow())
        expect_bad_samples(CLKL_MEAN_PRECISION, CLKL_MEAN_COVARIANCE, 20, 6, NULL);
}

Test(device_covariance_status, more_dimensions)
{
    if (is_slow())
        return;
    expect_bad_samples(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 8, 70, &by_groups);
    expect_bad_samples(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 8, 70, &by_steps);
    expect_bad_samples(CLKL_MEAN_CHOLESKY, CLKL_MEAN_PRECISION, 8, 70, &by_groups);
    expect_bad_samples(CLKL_MEAN_CHOLESKY, CLKL_MEAN_PRECISION, 8, 70, &by_steps);
}

/* ---- Jitter ---- */

static void check_jitter(size_t d, const struct clkl_tuning *tuning)
{
    const struct covariance_call call = {.tuning = tuning, .flags = CLKL_PLAN_NO_WARM_UP};
    struct covariance_batch batch =
        covariance_batch_make(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 9, d, CLKL_F32, 0.3);
    struct covariance_outcome found, expected;
    batch.spec.jitter = 0.25;
    covariance_batch_set(&batch, CLKL_P_SCALE, 2 * d * d, -0.01);  /* jitter heals it */
    covariance_batch_set(&batch, CLKL_Q_SCALE, 5 * d * d, -100.0); /* and this not */
    covariance_batch_set(&batch, CLKL_P_SCALE, 7 * d * d + 3 * (d + 1), NAN);
    covariance_batch_set(&batch, CLKL_Q_SCALE, 8 * d * d + 2 * (d + 1), -1e4); /* nor can these */
    covariance_run(&device, &batch.spec, &batch.inputs, &call, &found);
    covariance_reference(&batch.spec, &batch.inputs, 0, &expected);
    cr_expect_eq(expected.status[2].p, CLKL_MATRIX_JITTERED);
    cr_expect_eq(expected.status[7].p, 4);
    cr_expect_eq(expected.status[8].q, 3);
    for (size_t i = 0; i < 9; ++i) {
        cr_expect(found.status[i].p == expected.status[i].p &&
                      found.status[i].q == expected.status[i].q,
                  "D = %zu, sample %zu: %d and %d, expected %d and %d", d, i, found.status[i].p,
                  found.status[i].q, expected.status[i].p, expected.status[i].q);
        cr_expect(isnan(expected.result[i])
                      ? isnan(found.result[i])
                      : fabs(found.result[i] - expected.result[i]) <= 1e-4 * expected.result[i],
                  "D = %zu, sample %zu: %g, expected %g", d, i, found.result[i],
                  expected.result[i]);
        cr_expect_eq(found.value_status[i], expected.value_status[i]);
    }
    covariance_outcome_free(&found);
    covariance_outcome_free(&expected);
    covariance_batch_free(&batch);
}

Test(device_covariance_status, jitter)
{
    check_jitter(5, NULL);
    if (is_slow())
        return;
    check_jitter(70, &by_groups);
    check_jitter(70, &by_steps);
}

/* ---- Few digits ---- */

/* Makes the last element of a factor's diagonal so many times smaller than its largest one. */
static void make_ill(struct covariance_batch *batch, size_t sample, double ratio)
{
    const size_t d = (size_t)batch->spec.shape[1], first = sample * d * d;
    double largest = 0.0;
    for (size_t i = 0; i < d; ++i)
        largest = fmax(largest, covariance_batch_get(batch, CLKL_Q_SCALE, first + i * (d + 1)));
    covariance_batch_set(batch, CLKL_Q_SCALE, first + d * d - 1, largest / ratio);
}

/* Squares of the ratios times epsilon are just below 0.01, above it, and far above. */
static void check_few_digits(size_t d, const struct clkl_tuning *tuning)
{
    static const double ratios[] = {280.0, 300.0, 1e4};
    const struct covariance_call call = {.tuning = tuning, .flags = CLKL_PLAN_NO_WARM_UP};
    struct covariance_batch batch =
        covariance_batch_make(CLKL_MEAN_CHOLESKY, CLKL_MEAN_CHOLESKY, 3, d, CLKL_F32, 0.3);
    struct covariance_outcome found, expected;
    for (size_t i = 0; i < 3; ++i)
        make_ill(&batch, i, ratios[i]);
    covariance_run(&device, &batch.spec, &batch.inputs, &call, &found);
    covariance_reference(&batch.spec, &batch.inputs, 0, &expected);
    for (size_t i = 0; i < 3; ++i) {
        cr_expect_eq(found.status[i].q, i == 0 ? 0 : CLKL_MATRIX_FEW_DIGITS, "D = %zu, ratio %g", d,
                     ratios[i]);
        cr_expect_eq(found.status[i].q, expected.status[i].q);
        cr_expect_eq(found.value_status[i], expected.value_status[i]);
    }
    covariance_outcome_free(&found);
    covariance_outcome_free(&expected);
    covariance_batch_free(&batch);
}

Test(device_covariance_status, few_digits)
{
    check_few_digits(4, NULL);
    if (is_slow())
        return;
    check_few_digits(40, &by_groups);
    check_few_digits(70, &by_steps);
}

/* ---- A deterministic P ---- */

Test(device_covariance_status, a_point_mass_gives_zeros)
{
    struct covariance_batch batch =
        covariance_batch_make(CLKL_STANDARD_NORMAL, CLKL_MEAN_COVARIANCE, 3, 4, CLKL_F32, 0.3);
    struct covariance_outcome found;
    batch.spec.p.form = CLKL_DETERMINISTIC;
    covariance_run(&device, &batch.spec, &batch.inputs, &(struct covariance_call){.flags = 0},
                   &found);
    for (size_t i = 0; i < 3; ++i)
        cr_expect(found.result[i] == 0.0 && found.parts[2 * i] == 0.0 &&
                  found.parts[2 * i + 1] == 0.0 && found.status[i].p == 0 &&
                  found.status[i].q == 0 && found.value_status[i] == 0);
    covariance_outcome_free(&found);
    covariance_batch_free(&batch);
}

/* ---- What is refused ---- */

enum { SAMPLES = 3, DIMENSION = 4 };

/* A call that could be made: covariances against the standard normal. */
struct small_call {
    clkl_plan *plan;
    clkl_args args;
};

static struct small_call make_call(uint32_t outputs)
{
    const clkl_spec spec = {.struct_size = sizeof spec,
                            .rank = 2,
                            .shape = {SAMPLES, DIMENSION},
                            .p = {.form = CLKL_MEAN_COVARIANCE},
                            .outputs = outputs};
    struct small_call call = {.args = {.struct_size = sizeof call.args}};
    cr_assert_eq(clkl_plan_create(device.device, &spec, CLKL_PLAN_NO_WARM_UP, &call.plan, NULL),
                 CLKL_OK);
    call.args.p_mean.mem = test_buffer(&device, NULL, SAMPLES * DIMENSION * sizeof(cl_float));
    call.args.p_scale.mem =
        test_buffer(&device, NULL, SAMPLES * DIMENSION * DIMENSION * sizeof(cl_float));
    call.args.result.mem = test_buffer(&device, NULL, SAMPLES * sizeof(cl_float));
    return call;
}

static void expect_refused(const struct small_call *call, clkl_status expected, const char *word)
{
    clkl_error error = {.struct_size = sizeof error};
    cr_expect_eq(clkl_enqueue(call->plan, device.queue, &call->args, 0, NULL, NULL, &error),
                 expected, "%s", word);
    cr_expect_not_null(strstr(error.message, word), "%s: %s", word, error.message);
}

static void free_call(struct small_call *call)
{
    const cl_mem all[] = {call->args.p_mean.mem, call->args.p_scale.mem, call->args.result.mem};
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
        clReleaseMemObject(all[i]);
    clkl_plan_release(call->plan);
}

Test(device_covariance_status, outputs_that_were_not_asked_for)
{
    struct small_call call = make_call(0);
    cl_mem more = test_buffer(&device, NULL, 64);
    call.args.parts.mem = more;
    expect_refused(&call, CLKL_INVALID_ARGUMENT, "parts");
    call.args.parts.mem = NULL;
    call.args.matrix_status.mem = more;
    expect_refused(&call, CLKL_INVALID_ARGUMENT, "matrix_status");
    clReleaseMemObject(more);
    free_call(&call);
}

Test(device_covariance_status, buffers_that_are_too_small_or_overlap)
{
    struct small_call call = make_call(CLKL_OUTPUT_PARTS | CLKL_OUTPUT_MATRIX_STATUS);
    cl_mem more = test_buffer(&device, NULL, SAMPLES * sizeof(cl_float2));
    call.args.p_scale.offset = 1;
    expect_refused(&call, CLKL_BUFFER_TOO_SMALL, "p_scale");
    call.args.p_scale.offset = 0;
    call.args.parts = (clkl_buffer){more, 1};
    expect_refused(&call, CLKL_BUFFER_TOO_SMALL, "parts");
    call.args.parts.offset = 0;
    call.args.matrix_status = (clkl_buffer){more, 1};
    expect_refused(&call, CLKL_BUFFER_TOO_SMALL, "matrix_status");
    call.args.matrix_status.offset = 0;
    expect_refused(&call, CLKL_INVALID_ARGUMENT, "overlap");
    call.args.matrix_status.mem = NULL;
    call.args.parts =
        (clkl_buffer){call.args.p_scale.mem, 38}; /* the last row of the last matrix */
    expect_refused(&call, CLKL_INVALID_ARGUMENT, "overlap");
    clReleaseMemObject(more);
    free_call(&call);
}
