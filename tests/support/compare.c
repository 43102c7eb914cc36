#include "compare.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The two computations ---- */

static void *allocate(uint64_t count, size_t size)
{
    void *memory = calloc(count, size);
    cr_assert_not_null(memory);
    return memory;
}

/* Whether a value is, or is rounded to, infinity in the compute type. */
static bool is_infinite(const struct expected *expected, double value)
{
    return expected->compute == CLKL_F64 ? isinf(value) : isinf((float)value);
}

static void run_reference(const clkl_spec *spec, const struct test_inputs *inputs, uint64_t batch,
                          struct expected *expected)
{
    clkl_spec wide = *spec;
    wide.compute = CLKL_F64;
    const clkl_host_args args = {.struct_size = sizeof args,
                                 .p_mean = inputs->arrays[0],
                                 .p_scale = inputs->arrays[1],
                                 .q_mean = inputs->arrays[2],
                                 .q_scale = inputs->arrays[3],
                                 .weights = inputs->weights,
                                 .result = expected->values,
                                 .value_status = expected->status,
                                 .clamp_counts = expected->clamped,
                                 .batch = batch};
    clkl_error error = {.struct_size = sizeof error};
    cr_assert(clkl_reference_run(&wide, &args, &error) == CLKL_OK, "%s", error.message);
    for (uint64_t i = 0; i < expected->count; ++i)
        if (is_infinite(expected, expected->values[i]))
            expected->status[i] |= CLKL_VALUE_INFINITE;
}

static bool is_log(enum clkl_scale kind)
{
    return kind == CLKL_SCALE_LOGVAR || kind == CLKL_SCALE_LOGSTD;
}

static void describe(const clkl_spec *spec, uint64_t batch, struct expected *expected)
{
    struct clkl_problem problem;
    cr_assert_eq(clkl_problem_make(spec, &problem, NULL), CLKL_OK);
    cr_assert_eq(clkl_problem_set_batch(&problem, batch, NULL), CLKL_OK);
    const enum clkl_scale p = problem.p.scale_kind, q = problem.q.scale_kind;
    double elements = 1.0;
    for (uint32_t axis = 0; axis < problem.rank; ++axis)
        if (!clkl_problem_keeps(&problem, axis))
            elements *= (double)problem.shape[axis];
    expected->count = clkl_problem_result_count(&problem);
    expected->compute = problem.compute;
    expected->mixed = p != CLKL_SCALE_UNIT && q != CLKL_SCALE_UNIT && is_log(p) != is_log(q);
    expected->elements = elements;
}

void expected_make(const clkl_spec *spec, const struct test_inputs *inputs, uint64_t batch,
                   struct expected *expected)
{
    memset(expected, 0, sizeof *expected);
    describe(spec, batch, expected);
    expected->values = allocate(expected->count, sizeof(double));
    expected->status = allocate(expected->count, sizeof(uint32_t));
    if ((spec->outputs & CLKL_OUTPUT_CLAMP_COUNTS) != 0)
        expected->clamped = allocate(expected->count, sizeof(clkl_clamp_count));
    run_reference(spec, inputs, batch, expected);
}

void expected_free(struct expected *expected)
{
    free(expected->values);
    free(expected->status);
    free(expected->clamped);
}

struct outcome outcome_make(const struct expected *expected)
{
    struct outcome outcome = {.count = expected->count};
    if (expected->compute == CLKL_F64)
        outcome.doubles = allocate(outcome.count, sizeof(double));
    else
        outcome.values = allocate(outcome.count, sizeof(float));
    outcome.status = allocate(outcome.count, sizeof(uint32_t));
    if (expected->clamped != NULL)
        outcome.clamped = allocate(outcome.count, sizeof(clkl_clamp_count));
    return outcome;
}

void outcome_free(struct outcome *outcome)
{
    free(outcome->values);
    free(outcome->doubles);
    free(outcome->status);
    free(outcome->clamped);
}

/* Where the values lie. */
static void *values_of(const struct outcome *outcome)
{
    return outcome->doubles != NULL ? (void *)outcome->doubles : outcome->values;
}

double outcome_value(const struct outcome *outcome, uint64_t i)
{
    return outcome->doubles != NULL ? outcome->doubles[i] : (double)outcome->values[i];
}

void outcome_run(struct outcome *outcome, struct test_device *device, const clkl_spec *spec,
                 const struct clkl_tuning *tuning, const struct test_inputs *inputs, uint64_t batch)
{
    test_device_run(device, spec, tuning, inputs, batch, values_of(outcome), outcome->status,
                    outcome->clamped);
}

bool outcome_equal(const struct outcome *a, const struct outcome *b)
{
    const size_t size = a->doubles != NULL ? sizeof(double) : sizeof(float);
    return a->count == b->count && (a->doubles == NULL) == (b->doubles == NULL) &&
           (a->clamped == NULL) == (b->clamped == NULL) &&
           memcmp(values_of(a), values_of(b), a->count * size) == 0 &&
           memcmp(a->status, b->status, a->count * sizeof *a->status) == 0 &&
           (a->clamped == NULL ||
            memcmp(a->clamped, b->clamped, a->count * sizeof *a->clamped) == 0);
}

/* ---- Comparing ---- */

struct tolerance device_tolerance(const struct test_device *device)
{
    const double lost = test_device_keeps_subnormals(device, CLKL_F32) ? 0.0 : (double)FLT_MIN;
    return (struct tolerance){.relative = 5e-7, .mixed = 1e-12, .lost = lost};
}

struct tolerance device_tolerance_fp64(const struct test_device *device)
{
    const double lost = test_device_keeps_subnormals(device, CLKL_F64) ? 0.0 : DBL_MIN;
    return (struct tolerance){.relative = 4e-15, .mixed = 2e-14, .lost = lost};
}

static bool value_agrees(const struct expected *expected, uint64_t i,
                         const struct tolerance *tolerance, double result)
{
    const double exact = expected->values[i];
    const double least = expected->compute == CLKL_F64 ? DBL_MIN : (double)FLT_MIN;
    if (isnan(exact))
        return isnan(result);
    if (is_infinite(expected, exact))
        return result == INFINITY;
    if (exact == 0.0)
        return result == 0.0;
    if (exact < least)
        return result >= 0.0 && result < 4.0 * least;
    const double mixed =
        expected->mixed ? tolerance->mixed * sqrt(expected->elements * exact) : 0.0;
    const double bound = tolerance->relative * exact + mixed + tolerance->lost * expected->elements;
    return result >= 0.0 && fabs(result - exact) <= bound;
}

static bool all_agrees(const struct expected *expected, const struct outcome *outcome, uint64_t i,
                       const struct tolerance *tolerance)
{
    return value_agrees(expected, i, tolerance, outcome_value(outcome, i)) &&
           outcome->status[i] == expected->status[i] &&
           (outcome->clamped == NULL || (outcome->clamped[i].p == expected->clamped[i].p &&
                                         outcome->clamped[i].q == expected->clamped[i].q));
}

static void show(const struct expected *expected, const struct outcome *outcome, uint64_t i,
                 char *text, size_t size)
{
    const clkl_clamp_count none = {0, 0};
    const clkl_clamp_count got = outcome->clamped != NULL ? outcome->clamped[i] : none;
    const clkl_clamp_count want = expected->clamped != NULL ? expected->clamped[i] : none;
    const double value = outcome_value(outcome, i), exact = expected->values[i];
    snprintf(text, size,
             "value %llu of %llu is %.17g, status %u, clamped %u and %u; "
             "expected %.17g (off by %.2e), status %u, clamped %u and %u",
             (unsigned long long)i, (unsigned long long)expected->count, value, outcome->status[i],
             got.p, got.q, exact, fabs(value - exact) / exact, expected->status[i], want.p, want.q);
}

void expect_agreement(const struct expected *expected, const struct outcome *outcome,
                      const struct tolerance *tolerance, const char *what, ...)
{
    char name[256], first[256];
    uint64_t wrong = 0;
    va_list arguments;
    va_start(arguments, what);
    vsnprintf(name, sizeof name, what, arguments);
    va_end(arguments);
    cr_assert_eq(outcome->count, expected->count, "%s", name);
    for (uint64_t i = 0; i < expected->count; ++i)
        if (!all_agrees(expected, outcome, i, tolerance) && wrong++ == 0)
            show(expected, outcome, i, first, sizeof first);
    cr_expect(wrong == 0, "%s: %llu wrong; %s", name, (unsigned long long)wrong, first);
}
