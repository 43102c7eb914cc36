/* Full covariances on the device against the values of 40 digits. */
#include "covariance_run.h"

#include "support/covariance_cases.h"
#include "support/device_fixture.h"
#include "support/values.h"

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct values values;

static void open_all(void)
{
    open_device();
    const long line = values_load(CLKL_COVARIANCE_VALUES_FILE, &values);
    cr_assert_eq(line, 0, "%s: line %ld", CLKL_COVARIANCE_VALUES_FILE, line);
}

static void close_all(void)
{
    values_free(&values);
    close_device();
}

TestSuite(device_covariance_values, .init = open_all, .fini = close_all, .timeout = 600);

/* ---- A batch of cases ---- */

enum { MOST_CASES = 32 };

struct cases {
    struct covariance_case list[MOST_CASES];
    size_t count;
    void *arrays[CLKL_ARRAYS];
};

/* Whether two cases can be samples of one batch. */
static bool together(const struct covariance_case *a, const struct covariance_case *b)
{
    return a->d == b->d && a->p == b->p && a->q == b->q && a->wide == b->wide;
}

/* Puts a side's numbers, which are floats unless the case is wide, in their place of the batch. */
static void put(struct cases *cases, int array, size_t sample, const double *numbers, size_t count)
{
    const bool wide = cases->list[0].wide;
    for (size_t i = 0; i < count; ++i) {
        if (wide)
            ((double *)cases->arrays[array])[sample * count + i] = numbers[i];
        else
            ((float *)cases->arrays[array])[sample * count + i] = (float)numbers[i];
    }
}

static void make_inputs(struct cases *cases)
{
    const struct covariance_case *first = &cases->list[0];
    const size_t sizes[CLKL_ARRAYS] = {first->d, covariance_scale_count(first->p, first->d),
                                       first->d, covariance_scale_count(first->q, first->d)};
    for (int i = 0; i < CLKL_ARRAYS; ++i)
        cases->arrays[i] = malloc((cases->count * sizes[i] + 1) * sizeof(double));
    for (size_t k = 0; k < cases->count; ++k) {
        struct covariance_inputs p, q;
        covariance_inputs_make(&cases->list[k], &p, &q);
        const double *const numbers[CLKL_ARRAYS] = {p.mean, p.scale, q.mean, q.scale};
        for (int i = 0; i < CLKL_ARRAYS; ++i)
            put(cases, i, k, numbers[i], sizes[i]);
        covariance_inputs_free(&p);
        covariance_inputs_free(&q);
    }
}

static clkl_spec spec_of(const struct cases *cases, clkl_dtype compute)
{
    const struct covariance_case *c = &cases->list[0];
    const clkl_dtype dtype = c->wide ? CLKL_F64 : CLKL_F32;
    return (clkl_spec){.struct_size = sizeof(clkl_spec),
                       .rank = 2,
                       .shape = {cases->count, c->d},
                       .p = {.form = c->p, .dtype = dtype},
                       .q = {.form = c->q, .dtype = dtype},
                       .compute = compute,
                       .outputs = CLKL_OUTPUT_PARTS | CLKL_OUTPUT_MATRIX_STATUS};
}

/* ---- Bounds ---- */

static double listed(const struct covariance_case *c, const char *suffix)
{
    char name[80];
    size_t count;
    snprintf(name, sizeof name, "%s%s", c->name, suffix);
    const struct value *value = values_of(&values, name, &count);
    cr_assert_eq(count, 1u, "%s", name);
    return value->value;
}

static bool is_factor(clkl_form form)
{
    return form == CLKL_MEAN_CHOLESKY || form == CLKL_MEAN_STD || form == CLKL_STANDARD_NORMAL;
}

/* What is promised: of factors with a condition up to 1000 a bound of its own, else 50 conditions
 * times epsilon. */
static double relative_bound(const struct covariance_case *c, double condition, bool fp64)
{
    if (is_factor(c->p) && is_factor(c->q) && condition <= 1e3)
        return fp64 ? 1e-13 : 1e-5;
    return 50.0 * condition * (fp64 ? DBL_EPSILON : (double)FLT_EPSILON);
}

static double bound_of(const struct covariance_case *c, double kl, double condition, bool fp64)
{
    const double mixed = covariance_case_same_kind(c) ? 0.0 : sqrt((double)c->d * kl);
    return relative_bound(c, condition, fp64) * (kl + mixed);
}

static struct {
    double part;
    char text[200];
} worst;

static size_t checked;

static void check(const struct covariance_case *c, const char *suffix, double found, bool fp64)
{
    const double exact = listed(c, suffix), condition = listed(c, ".condition");
    const double part = fabs(found - exact) / bound_of(c, exact, condition, fp64);
    if (exact > (double)FLT_MAX && !fp64)
        return;
    cr_expect(part <= 1.0 && found >= 0.0,
              "%s%s: %.9g, exactly %.9g; off by %.2e, which is %.3g of the bound", c->name, suffix,
              found, exact, fabs(found - exact) / exact, part);
    if (part > worst.part) {
        worst.part = part;
        snprintf(worst.text, sizeof worst.text, "%s%s: %.3g of the bound", c->name, suffix, part);
    }
}

static void check_status(const struct covariance_case *c, int32_t status, bool fp64)
{
    const double epsilon = fp64 ? DBL_EPSILON : (double)FLT_EPSILON;
    const bool few = listed(c, ".condition") * epsilon > 0.01;
    cr_expect(status == 0 || (few && status == CLKL_MATRIX_FEW_DIGITS), "%s: status %d", c->name,
              (int)status);
}

/* ---- Running ---- */

static void check_batch(struct cases *cases, clkl_dtype compute, const struct clkl_tuning *tuning)
{
    const clkl_spec spec = spec_of(cases, compute);
    const struct covariance_call call = {.tuning = tuning, .flags = CLKL_PLAN_NO_WARM_UP};
    const bool fp64 = compute == CLKL_F64;
    struct test_inputs inputs = {.arrays = {NULL}};
    struct covariance_outcome outcome;
    make_inputs(cases);
    for (int i = 0; i < CLKL_ARRAYS; ++i)
        if ((i < CLKL_Q_MEAN ? cases->list[0].p : cases->list[0].q) != CLKL_STANDARD_NORMAL)
            inputs.arrays[i] = cases->arrays[i];
    covariance_run(&device, &spec, &inputs, &call, &outcome);
    for (size_t i = 0; i < cases->count; ++i) {
        const struct covariance_case *c = &cases->list[i];
        if (relative_bound(c, listed(c, ".condition"), fp64) > 0.5)
            continue; /* hardly a digit is promised, nor that it can be factored */
        check(c, "", outcome.result[i], fp64);
        check(c, ".mean", outcome.parts[2 * i + 1], fp64);
        check_status(c, outcome.status[i].p, fp64);
        check_status(c, outcome.status[i].q, fp64);
        ++checked;
    }
    for (int i = 0; i < CLKL_ARRAYS; ++i)
        free(cases->arrays[i]);
    covariance_outcome_free(&outcome);
}

/* Which cases a test takes. */
typedef bool wanted(const struct covariance_case *c);

static void check_cases(wanted *wants, clkl_dtype compute, const struct clkl_tuning *tuning)
{
    struct cases cases = {.count = 0};
    struct covariance_case c;
    for (size_t index = 0; covariance_case_at(index, &c); ++index) {
        if (!wants(&c))
            continue;
        if (cases.count == MOST_CASES || (cases.count > 0 && !together(&c, &cases.list[0]))) {
            check_batch(&cases, compute, tuning);
            cases.count = 0;
        }
        cases.list[cases.count++] = c;
    }
    if (cases.count > 0)
        check_batch(&cases, compute, tuning);
    cr_log_info("the worst of %zu: %s", checked, worst.text);
}

/* Compiling takes longest, so only pairs of matrices go both ways in fp32, and fewer in fp64. A
 * standard normal is u, a diagonal of log-variances l, of variances v, of standard deviations s; a
 * covariance is c, a factor t, a precision p. */

static const char matrices[] = "cc ct cp tc tt tp pc pt pp";

static bool is_among(const struct covariance_case *c, const char *pairs)
{
    static const char letters[] = "u-l-vs-ctp"; /* of each clkl_form */
    const char pair[] = {letters[c->p], letters[c->q], '\0'};
    return strstr(pairs, pair) != NULL;
}

static bool for_lanes(const struct covariance_case *c)
{
    const char *pairs = c->d > 16  ? "cc pp"
                        : c->d > 8 ? "cc tt"
                                   : "uc ut up vc vt vp cs ts ps lc lt lp";
    return !c->wide && c->d <= 33 && (is_among(c, pairs) || (c->d <= 8 && is_among(c, matrices)));
}

static bool for_groups(const struct covariance_case *c)
{
    return !c->wide && c->d > 2 && c->d <= 64 &&
           (is_among(c, "cu tu pu cv tv pv cl tl pl sc st sp") ||
            (c->d > 8 && is_among(c, matrices)));
}

static bool for_steps(const struct covariance_case *c)
{
    return !c->wide && c->d >= 33 && is_among(c, "cc tt pp pc pt");
}

static bool for_wide_lanes(const struct covariance_case *c)
{
    return c->wide && c->d <= 8 && is_among(c, "cc tt pp ct pc lt uc vc ps");
}

static bool for_wide_groups(const struct covariance_case *c)
{
    return c->wide && is_among(c, "cc pp tc cp tp pt cu cv uc");
}

static bool for_wide_steps(const struct covariance_case *c)
{
    return c->wide && c->d >= 16 && is_among(c, "cc");
}

static const struct clkl_tuning by_groups = {.covariance_way = 1 + CLKL_COVARIANCE_GROUP};
static const struct clkl_tuning by_steps = {.covariance_way = 1 + CLKL_COVARIANCE_STEPS};

static bool is_slow(void)
{
    return device.device->facts.style != CLKL_STYLE_WIDE_CPU;
}

Test(device_covariance_values, fp32_by_lanes)
{
    if (is_slow())
        return;
    check_cases(for_lanes, CLKL_F32, NULL);
    cr_expect_gt(checked, 600u);
}

Test(device_covariance_values, fp32_by_groups)
{
    if (is_slow())
        return;
    check_cases(for_groups, CLKL_F32, &by_groups);
    cr_expect_gt(checked, 500u);
}

Test(device_covariance_values, fp32_by_steps)
{
    if (is_slow())
        return;
    check_cases(for_steps, CLKL_F32, &by_steps);
    cr_expect_gt(checked, 50u);
}

Test(device_covariance_values, fp64_by_lanes)
{
    if (is_slow() || !test_device_has_fp64(&device))
        return;
    check_cases(for_wide_lanes, CLKL_F64, NULL);
    cr_expect_gt(checked, 100u);
}

Test(device_covariance_values, fp64_by_groups)
{
    if (is_slow() || !test_device_has_fp64(&device))
        return;
    check_cases(for_wide_groups, CLKL_F64, &by_groups);
    cr_expect_gt(checked, 100u);
}

Test(device_covariance_values, fp64_by_steps)
{
    if (is_slow() || !test_device_has_fp64(&device))
        return;
    check_cases(for_wide_steps, CLKL_F64, &by_steps);
    cr_expect_gt(checked, 10u);
}

static bool few(const struct covariance_case *c)
{
    return !c->wide && c->d <= 33 && c->p == CLKL_MEAN_COVARIANCE && c->q == CLKL_MEAN_COVARIANCE;
}

Test(device_covariance_values, automatically)
{
    check_cases(few, CLKL_F32, NULL);
    cr_expect_gt(checked, 50u);
}

static bool few_wide(const struct covariance_case *c)
{
    return c->wide && c->d <= 16 && (is_among(c, "cc") || (c->d <= 4 && is_among(c, "tt pp ct")));
}

Test(device_covariance_values, automatically_in_fp64)
{
    if (!is_slow() || !test_device_has_fp64(&device))
        return;
    check_cases(few_wide, CLKL_F64, NULL);
    cr_expect_gt(checked, 30u);
}
