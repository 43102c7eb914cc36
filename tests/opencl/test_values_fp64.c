/* Double precision on the device, against the values of 40 digits, to 4e-15 and, where one side is
 * given by a logarithm and the other is not, to 4e-15 KL + 2e-14 sqrt(n KL). Where the device has
 * none, that is a status. */
#include "support/accuracy.h"
#include "support/case_inputs.h"
#include "support/compare.h"
#include "support/values.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

static struct test_device device;
static struct values values;
static struct report report;

static void open_all(void)
{
    const long line = values_load(CLKL_VALUES_FILE, &values);
    cr_assert_eq(line, 0, "%s: line %ld", CLKL_VALUES_FILE, line);
    test_device_open(&device);
    report.tolerance = device_tolerance_fp64(&device);
}

static void close_all(void)
{
    test_device_close(&device);
    values_free(&values);
}

TestSuite(device_values_fp64, .init = open_all, .fini = close_all, .timeout = 600);

static void need_fp64(void)
{
    if (!test_device_has_fp64(&device))
        cr_skip_test("the device has no double precision");
}

/* ---- Cases ---- */

static void check_case(const struct test_case *c, clkl_dtype dtype)
{
    clkl_spec spec = case_spec(c, c->batch);
    void *arrays[4];
    size_t count;
    const struct value *exact = values_of(&values, c->name, &count);
    double *result = malloc(c->batch * sizeof *result);
    cr_assert_not_null(result);
    cr_assert_eq(count, case_listed_count(c), "%s: %zu values", c->name, count);
    spec.compute = CLKL_F64;
    spec.p.dtype = spec.q.dtype = dtype;
    case_inputs_make(c, CASE_ALL, dtype, arrays);
    const struct test_inputs inputs = {.arrays = {arrays[0], arrays[1], arrays[2], arrays[3]}};
    test_device_run(&device, &spec, NULL, &inputs, 0, result, NULL, NULL);
    for (size_t k = 0; k < count; k++)
        report_note(&report, c, exact[k].sample, exact[k].value, result[exact[k].sample]);
    case_inputs_free(arrays);
    free(result);
}

typedef bool case_filter(const struct test_case *c);

static void check_cases(case_filter *wanted, clkl_dtype dtype, size_t least)
{
    struct test_case c;
    need_fp64();
    for (size_t i = 0; case_at(i, &c); i++)
        if (wanted(&c))
            check_case(&c, dtype);
    report_expect(&report);
    cr_expect_gt(report.checked, least);
}

static bool p_has_logarithms(const struct test_case *c)
{
    return c->p == SCALE_LOGVAR || c->p == SCALE_LOGSTD;
}

/* At least a vector wide, and not clamped: one program for each pair of kinds. */
static bool is_plain(const struct test_case *c)
{
    return c->elements >= 8 && c->elements <= 20000 && c->batch < 1000 && !c->clamped &&
           !c->shared_q;
}

static bool is_plain_with_log_p(const struct test_case *c)
{
    return is_plain(c) && p_has_logarithms(c);
}

static bool is_plain_with_other_p(const struct test_case *c)
{
    return is_plain(c) && !p_has_logarithms(c);
}

/* Two tests, which run beside one another and have no program in common. */
Test(device_values_fp64, every_family_where_p_has_logarithms)
{
    check_cases(is_plain_with_log_p, CLKL_F64, 900);
}

Test(device_values_fp64, every_family_where_p_has_none)
{
    check_cases(is_plain_with_other_p, CLKL_F64, 700);
}

/* Rows shorter than a vector, chunks that a second stage joins, a shared Q, a clamp. */
static bool is_some_other(const struct test_case *c)
{
    const bool few = c->p == SCALE_LOGVAR && (c->q == SCALE_STANDARD || c->q == SCALE_LOGVAR);
    return few && !c->wide && !is_plain(c) && c->elements <= 1100000 && c->batch <= 1000;
}

Test(device_values_fp64, other_shapes)
{
    check_cases(is_some_other, CLKL_F64, 100);
}

/* Arithmetic in double precision from arrays of floats. */
static bool is_plain_and_narrow(const struct test_case *c)
{
    return is_plain(c) && !c->wide && (c->p == SCALE_LOGVAR || c->p == SCALE_STD) &&
           (c->q == SCALE_STANDARD || c->q == SCALE_LOGVAR);
}

Test(device_values_fp64, from_floats)
{
    check_cases(is_plain_and_narrow, CLKL_F32, 200);
}

/* What GPUs get, computed here, for some of the pairs. */
static bool suits_a_gpu(const struct test_case *c)
{
    const bool p = c->p == SCALE_LOGVAR || c->p == SCALE_STD;
    const bool q = c->q == SCALE_STANDARD || c->q == SCALE_LOGVAR || c->q == SCALE_VAR;
    return is_plain(c) && (c->wide || c->elements % 2 != 0) && p && q;
}

Test(device_values_fp64, families_on_a_gpu)
{
    test_device_pretend_gpu(&device);
    check_cases(suits_a_gpu, CLKL_F64, 200);
}

/* ---- Without double precision ---- */

static void expect_unsupported(clkl_dtype p, clkl_dtype q, clkl_dtype compute, const char *word)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_plan *plan = NULL;
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {3, 5}};
    spec.p.form = CLKL_MEAN_LOGVAR;
    spec.q.form = CLKL_MEAN_STD;
    spec.p.dtype = p;
    spec.q.dtype = q;
    spec.compute = compute;
    cr_expect_eq(clkl_plan_create(device.device, &spec, 0, &plan, &error), CLKL_UNSUPPORTED);
    cr_expect_null(plan);
    cr_expect_not_null(strstr(error.message, word), "%s", error.message);
}

Test(device_values_fp64, without_it_there_is_a_status)
{
    device.device->facts.fp64 = false; /* as a device says that has none */
    expect_unsupported(CLKL_F32, CLKL_F32, CLKL_F64, "the compute type fp64");
    expect_unsupported(CLKL_F64, CLKL_F32, CLKL_DEFAULT_DTYPE, "the compute type fp64");
    expect_unsupported(CLKL_F64, CLKL_F32, CLKL_F32, "an input of fp64");
    expect_unsupported(CLKL_F16, CLKL_F64, CLKL_F32, "an input of fp64");
}
