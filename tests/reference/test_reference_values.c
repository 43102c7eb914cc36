/* clkl_reference_run against the values of 40 digits, to 4e-15 and, where one side is given by a
 * logarithm and the other is not, to 4e-15 KL + 2e-14 sqrt(n KL).
 *
 * Of a large batch the samples are computed whose values are listed. */
#include "support/accuracy.h"
#include "support/case_inputs.h"
#include "support/values.h"

#include <clkl/clkl.h>
#include <criterion/criterion.h>

/* Cases with more elements are a test of their own, which runs beside the other. */
#define MANY_ELEMENTS 1000000u

static struct values values;
static struct report report = {.tolerance = {.relative = 4e-15, .mixed = 2e-14}};

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

/* Computes the listed samples. */
static void run_case(const struct test_case *c, double *result)
{
    clkl_spec spec = case_spec(c, case_listed_count(c));
    void *arrays[4];
    spec.compute = CLKL_F64;
    spec.p.dtype = spec.q.dtype = c->wide ? CLKL_F64 : CLKL_F32;
    case_inputs_make(c, CASE_LISTED, spec.p.dtype, arrays);
    clkl_host_args args = {.struct_size = sizeof args,
                           .p_mean = arrays[P_MEAN],
                           .p_scale = arrays[P_SCALE],
                           .q_mean = arrays[Q_MEAN],
                           .q_scale = arrays[Q_SCALE],
                           .result = result};
    clkl_error error = {.struct_size = sizeof error};
    cr_assert_eq(clkl_reference_run(&spec, &args, &error), CLKL_OK, "%s: %s", c->name,
                 error.message);
    case_inputs_free(arrays);
}

static void check_case(const struct test_case *c)
{
    double result[64];
    size_t count;
    const struct value *exact = values_of(&values, c->name, &count);
    cr_assert_eq(count, case_listed_count(c), "%s: %zu values", c->name, count);
    run_case(c, result);
    for (size_t k = 0; k < count; k++) {
        cr_assert_eq(exact[k].sample, case_listed(c, k), "%s", c->name);
        report_note(&report, c, exact[k].sample, exact[k].value, result[k]);
    }
}

static void check_cases(bool many_elements)
{
    struct test_case c;
    for (size_t i = 0; case_at(i, &c); i++)
        if ((c.elements >= MANY_ELEMENTS) == many_elements)
            check_case(&c);
    report_expect(&report);
}

Test(reference_values, every_family)
{
    check_cases(false);
    cr_expect_gt(report.checked, 3000u);
}

Test(reference_values, samples_of_a_million_elements_and_more)
{
    check_cases(true);
    cr_expect_gt(report.checked, 20u);
}
