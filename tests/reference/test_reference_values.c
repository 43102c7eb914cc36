/* clkl_reference_run against the values of 40 digits, to 4e-15 and, where one side is given by a
 * logarithm and the other is not, to 4e-15 KL + 2e-14 sqrt(n KL).
 *
 * Of a large batch the samples are computed whose values are listed. A family that fails says so
 * once, by its worst sample; --verbose shows the worst of every family. */
#include "support/cases.h"
#include "support/values.h"

#include <clkl/clkl.h>
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Cases with more elements are a test of their own, which runs beside the other. */
#define MANY_ELEMENTS 1000000u

static struct values values;

static void load_values(void)
{
    long line = values_load(CLKL_VALUES_FILE, &values);
    cr_assert_eq(line, 0, "%s: line %ld", CLKL_VALUES_FILE, line);
}

static void free_values(void)
{
    values_free(&values);
}

TestSuite(reference_values, .init = load_values, .fini = free_values, .timeout = 300);

/* ---- One case ------------------------------------------------------------------------------ */

static clkl_form form_of(enum scale_kind kind)
{
    static const clkl_form forms[] = {CLKL_STANDARD_NORMAL, CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGSTD,
                                      CLKL_MEAN_VAR, CLKL_MEAN_STD};
    return forms[kind];
}

static clkl_spec spec_of(const struct test_case *c)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2};
    spec.shape[0] = case_listed_count(c);
    spec.shape[1] = c->elements;
    spec.p.form = form_of(c->p);
    spec.q.form = form_of(c->q);
    spec.q.layout = c->shared_q ? CLKL_SHARED : CLKL_DENSE;
    spec.compute = CLKL_F64;
    if (c->clamped && (c->p == SCALE_LOGVAR || c->q == SCALE_LOGVAR)) {
        spec.clamp = CLKL_CLAMP;
        spec.clamp_low = (double)c->clamp_lo;
        spec.clamp_high = (double)c->clamp_hi;
    }
    return spec;
}

/* The listed samples of an operand, or the one row of a shared one. To be freed. */
static float *rows_of(const struct test_case *c, enum operand which)
{
    bool shared = c->shared_q && (which == Q_MEAN || which == Q_SCALE);
    uint64_t rows = shared ? 1 : case_listed_count(c);
    float *array = malloc(rows * c->elements * sizeof *array);
    cr_assert_not_null(array);
    for (uint64_t k = 0; k < rows; k++)
        case_fill(c, which, case_listed(c, k), 1, array + k * c->elements);
    return array;
}

/* Computes the listed samples. */
static void run_case(const struct test_case *c, double *result)
{
    clkl_spec spec = spec_of(c);
    float *arrays[4] = {NULL};
    for (int i = 0; i < 4; i++)
        if ((i < Q_MEAN ? c->p : c->q) != SCALE_STANDARD)
            arrays[i] = rows_of(c, (enum operand)i);
    clkl_host_args args = {.struct_size = sizeof args,
                           .p_mean = arrays[P_MEAN],
                           .p_scale = arrays[P_SCALE],
                           .q_mean = arrays[Q_MEAN],
                           .q_scale = arrays[Q_SCALE],
                           .result = result};
    clkl_error error = {.struct_size = sizeof error};
    cr_assert_eq(clkl_reference_run(&spec, &args, &error), CLKL_OK, "%s: %s", c->name,
                 error.message);
    for (int i = 0; i < 4; i++)
        free(arrays[i]);
}

/* ---- Families ------------------------------------------------------------------------------ */

/* The worst sample of a family, by the part of its bound that the error takes. */
struct worst {
    char family[64];
    double part;
    char text[256];
};

#define MAX_FAMILIES 64

struct report {
    struct worst worst[MAX_FAMILIES];
    size_t families;
    size_t checked;
};

static struct worst *worst_of(struct report *report, const char *case_name)
{
    size_t length = strcspn(case_name, ".");
    for (size_t i = 0; i < report->families; i++)
        if (strlen(report->worst[i].family) == length &&
            strncmp(report->worst[i].family, case_name, length) == 0)
            return &report->worst[i];
    cr_assert_lt(report->families, MAX_FAMILIES);
    struct worst *worst = &report->worst[report->families++];
    memset(worst, 0, sizeof *worst);
    worst->part = -1.0;
    memcpy(worst->family, case_name, length);
    return worst;
}

static double bound_of(const struct test_case *c, double kl)
{
    bool p_log = c->p == SCALE_LOGVAR || c->p == SCALE_LOGSTD;
    bool q_log = c->q == SCALE_LOGVAR || c->q == SCALE_LOGSTD;
    bool mixed = p_log != q_log && c->p != SCALE_STANDARD && c->q != SCALE_STANDARD;
    return 4e-15 * kl + (mixed ? 2e-14 * sqrt((double)c->elements * kl) : 0.0);
}

static void note_sample(struct report *report, const struct test_case *c, const struct value *exact,
                        double result)
{
    struct worst *worst = worst_of(report, c->name);
    double error = fabs(result - exact->value);
    double part = error / bound_of(c, exact->value);
    report->checked++;
    if (isnan(worst->part) || part <= worst->part) /* nothing is worse than NaN */
        return;
    worst->part = part;
    snprintf(worst->text, sizeof worst->text,
             "%s, sample %d: %.17g, exactly %.17g; off by %.2e, which is %.3g of the bound",
             c->name, (int)exact->sample, result, exact->value, error / exact->value, part);
}

static void check_case(struct report *report, const struct test_case *c)
{
    double result[64];
    size_t count;
    const struct value *exact = values_of(&values, c->name, &count);
    cr_assert_eq(count, case_listed_count(c), "%s: %zu values", c->name, count);
    run_case(c, result);
    for (size_t k = 0; k < count; k++) {
        cr_assert_eq(exact[k].sample, case_listed(c, k), "%s", c->name);
        note_sample(report, c, &exact[k], result[k]);
    }
}

static void check_cases(struct report *report, bool many_elements)
{
    struct test_case c;
    for (size_t i = 0; case_at(i, &c); i++)
        if ((c.elements >= MANY_ELEMENTS) == many_elements)
            check_case(report, &c);
    for (size_t i = 0; i < report->families; i++) {
        const struct worst *worst = &report->worst[i];
        cr_log_info("%s", worst->text);
        cr_expect(worst->part <= 1.0, "%s", worst->text);
    }
}

Test(reference_values, every_family)
{
    static struct report report;
    check_cases(&report, false);
    cr_expect_gt(report.checked, 3000u);
}

Test(reference_values, samples_of_a_million_elements_and_more)
{
    static struct report report;
    check_cases(&report, true);
    cr_expect_gt(report.checked, 20u);
}
