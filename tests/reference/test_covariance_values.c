/* Full covariances against the values of 40 digits: total, part of the means, status. */
#include "support/covariance_cases.h"
#include "support/values.h"

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct values values;

static void load_values(void)
{
    long line = values_load(CLKL_COVARIANCE_VALUES_FILE, &values);
    cr_assert_eq(line, 0, "%s: line %ld", CLKL_COVARIANCE_VALUES_FILE, line);
}

static void free_values(void)
{
    values_free(&values);
}

TestSuite(covariance_values, .init = load_values, .fini = free_values, .timeout = 300);

/* ---- One case ---- */

static double listed(const struct covariance_case *c, const char *suffix)
{
    char name[80];
    size_t count;
    snprintf(name, sizeof name, "%s%s", c->name, suffix);
    const struct value *value = values_of(&values, name, &count);
    cr_assert_eq(count, 1u, "%s", name);
    return value->value;
}

struct outcome {
    double kl, parts[2];
    clkl_matrix_status status;
};

/* A copy: of floats, unless the case is wide; all its numbers are floats already. */
static void *array_of(const struct covariance_case *c, const double *numbers, size_t count)
{
    double *copy = malloc((count + 1) * sizeof *copy);
    float *narrow = (float *)copy;
    cr_assert_not_null(copy);
    if (c->wide)
        memcpy(copy, numbers, count * sizeof *copy);
    for (size_t i = 0; i < count && !c->wide; i++)
        narrow[i] = (float)numbers[i];
    return copy;
}

static struct outcome compute(const struct covariance_case *c)
{
    struct covariance_inputs p, q;
    struct outcome out = {0};
    const clkl_dtype dtype = c->wide ? CLKL_F64 : CLKL_F32;
    covariance_inputs_make(c, &p, &q);
    void *arrays[] = {
        array_of(c, p.mean, c->d), array_of(c, p.scale, covariance_scale_count(c->p, c->d)),
        array_of(c, q.mean, c->d), array_of(c, q.scale, covariance_scale_count(c->q, c->d))};
    const clkl_spec spec = {.struct_size = sizeof spec,
                            .rank = 2,
                            .shape = {1, c->d},
                            .p = {.form = c->p, .dtype = dtype},
                            .q = {.form = c->q, .dtype = dtype},
                            .compute = CLKL_F64,
                            .outputs = CLKL_OUTPUT_PARTS | CLKL_OUTPUT_MATRIX_STATUS};
    const clkl_host_args args = {.struct_size = sizeof args,
                                 .p_mean = arrays[0],
                                 .p_scale = arrays[1],
                                 .q_mean = arrays[2],
                                 .q_scale = arrays[3],
                                 .result = &out.kl,
                                 .parts = out.parts,
                                 .matrix_status = &out.status};
    clkl_error error = {.struct_size = sizeof error};
    cr_assert_eq(clkl_reference_run(&spec, &args, &error), CLKL_OK, "%s: %s", c->name,
                 error.message);
    for (int i = 0; i < 4; i++)
        free(arrays[i]);
    covariance_inputs_free(&p);
    covariance_inputs_free(&q);
    return out;
}

/* ---- Bounds ---- */

/* What is promised of fp64 is 1e-13 for factors of a condition up to 1000 and 50 conditions for
 * other matrices. The reference has long double, so that of the condition next to nothing is seen
 * where that is wider than double. */
static double bound_of(const struct covariance_case *c, double kl, double condition)
{
    const double epsilon = LDBL_MANT_DIG >= 64 ? 0x1p-63 : 0x1p-52;
    const double mixed = covariance_case_same_kind(c) ? 0.0 : sqrt((double)c->d * kl);
    return DBL_EPSILON * kl + 4.0 * condition * epsilon * (kl + mixed);
}

static struct {
    double part;
    char text[200];
} worst;

static void check(const struct covariance_case *c, const char *suffix, double found, double bound)
{
    const double exact = listed(c, suffix);
    const double part = fabs(found - exact) / bound;
    cr_expect(part <= 1.0 && found >= 0.0,
              "%s%s: %.17g, exactly %.17g; off by %.2e, which is %.3g of the bound", c->name,
              suffix, found, exact, fabs(found - exact) / exact, part);
    if (part > worst.part) {
        worst.part = part;
        snprintf(worst.text, sizeof worst.text, "%s%s: %.3g of the bound", c->name, suffix, part);
    }
}

/* The estimate of the condition is from below; that of the file, too, but hardly. */
static void check_status(const struct covariance_case *c, int32_t status, double condition)
{
    const bool few = condition * DBL_EPSILON > 0.01;
    cr_expect(status == 0 || (few && status == CLKL_MATRIX_FEW_DIGITS), "%s: status %d", c->name,
              (int)status);
}

static void check_case(const struct covariance_case *c)
{
    const struct outcome out = compute(c);
    const double condition = listed(c, ".condition");
    check(c, "", out.kl, bound_of(c, listed(c, ""), condition));
    check(c, ".mean", out.parts[1], bound_of(c, listed(c, ".mean"), condition));
    cr_expect(fabs(out.parts[0] + out.parts[1] - out.kl) <= 2.0 * DBL_EPSILON * out.kl, "%s",
              c->name);
    check_status(c, out.status.p, condition);
    check_status(c, out.status.q, condition);
}

Test(covariance_values, every_case)
{
    struct covariance_case c;
    size_t count = 0;
    for (; covariance_case_at(count, &c); count++)
        check_case(&c);
    cr_log_info("the worst of %zu: %s", count, worst.text);
    cr_expect_gt(count, 1800u);
}
