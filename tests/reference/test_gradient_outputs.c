/* Gradients of clkl_reference_run: what is written and what is not, types, adding up, elements that
 * have none, and what is refused. */
#include "differences.h"
#include "reference/slopes.h"
#include "reference/storage.h"
#include "run.h"

#include <float.h>
#include <math.h>
#include <string.h>

TestSuite(gradient_outputs, .timeout = 60);

enum { B = 3, N = 4, ALL = B * N };
enum {
    P_BOTH = CLKL_GRADIENT_P_MEAN | CLKL_GRADIENT_P_SCALE,
    Q_BOTH = CLKL_GRADIENT_Q_MEAN | CLKL_GRADIENT_Q_SCALE
};

static const double mean[ALL] = {0.5, -1.0, 2.0, 0.1, -0.7, 0.0, 1.5, 3.0, -2.5, 0.25, 1.0, 7.0};
static const double logvar[ALL] = {-1.0, 0.5, 0.0,  -3.0, 1.0,  2.5,
                                   -0.5, 0.1, -2.0, 0.0,  1.25, -9.0};

static clkl_spec spec_of(uint32_t gradients)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {B, N}};
    spec.p = (clkl_gaussian){.form = CLKL_MEAN_LOGVAR, .dtype = CLKL_F64};
    spec.gradients = gradients;
    return spec;
}

static struct clkl_slopes slopes_at(uint64_t i)
{
    const struct clkl_normal p = {CLKL_SCALE_LOGVAR, mean[i], logvar[i]};
    const struct clkl_normal q = {CLKL_SCALE_UNIT, 0.0, 1.0};
    return clkl_normal_slopes(&p, &q);
}

/* ---- Which outputs ---- */

Test(gradient_outputs, may_be_left_out)
{
    double kl[B + 1], alone[ALL], dm[ALL], dl[ALL];
    clkl_spec spec = spec_of(P_BOTH);
    clkl_host_args args = {.p_mean = mean, .p_scale = logvar, .result = kl};
    run(&spec, args); /* the values alone */
    args.p_mean_gradient = dm;
    args.p_scale_gradient = dl;
    run(&spec, args);
    args.p_mean_gradient = NULL;
    args.p_scale_gradient = alone;
    memset(kl, 0, sizeof kl);
    run(&spec, args);
    cr_expect_eq(memcmp(alone, dl, sizeof dl), 0);
    cr_expect_gt(kl[2], 0.0);
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    memset(alone, 0, sizeof alone);
    memset(kl, 0, sizeof kl);
    run(&spec, args);
    args.result = NULL;
    run(&spec, args);
    cr_expect_eq(memcmp(alone, dl, sizeof dl), 0);
    cr_expect_eq(kl[2], 0.0, "not written");
    for (uint64_t i = 0; i < ALL; i++) {
        cr_expect_eq(dm[i], slopes_at(i).p_mean);
        cr_expect_eq(dl[i], slopes_at(i).p_scale);
    }
}

Test(gradient_outputs, are_as_many_as_the_batch_of_the_call)
{
    double dm[ALL], dl[ALL], q[2 * N] = {0};
    clkl_spec spec = spec_of(P_BOTH | Q_BOTH);
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    spec.keep = CLKL_KEEP_NONE;
    spec.q = (clkl_gaussian){.form = CLKL_MOMENTS, .dtype = CLKL_F64, .layout = CLKL_SHARED};
    double dq[2 * N];
    for (uint64_t i = 0; i < ALL; i++)
        dm[i] = dl[i] = 77.0;
    run(&spec, (clkl_host_args){.p_mean = mean,
                                .p_scale = logvar,
                                .q_mean = q,
                                .p_mean_gradient = dm,
                                .p_scale_gradient = dl,
                                .q_mean_gradient = dq,
                                .batch = 2});
    for (uint64_t i = 0; i < ALL; i++)
        cr_expect_float_eq(dm[i], i < 2 * N ? slopes_at(i).p_mean / 2 : 77.0, 1e-15);
    cr_expect_float_eq(dq[1], -(mean[1] + mean[1 + N]) / 2, 1e-15, "divided by the call's batch");
}

/* ---- Adding up, factors, upstream ---- */

Test(gradient_outputs, are_added_to_what_is_there)
{
    double set[ALL], added[ALL];
    clkl_spec spec = spec_of(CLKL_GRADIENT_P_SCALE);
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    clkl_host_args args = {.p_mean = mean, .p_scale = logvar, .p_scale_gradient = set};
    run(&spec, args);
    for (uint64_t i = 0; i < ALL; i++)
        added[i] = (double)i;
    spec.gradient_update = CLKL_GRADIENT_ADD;
    args.p_scale_gradient = added;
    run(&spec, args);
    run(&spec, args);
    for (uint64_t i = 0; i < ALL; i++)
        cr_expect_float_eq(added[i], (double)i + 2 * set[i], 1e-14 * (1 + fabs(added[i])));
}

Test(gradient_outputs, are_multiplied_by_upstream_and_factor)
{
    const double upstream[B] = {2.0, -0.5, 0.0};
    double dm[ALL];
    clkl_spec spec = spec_of(CLKL_GRADIENT_P_MEAN);
    clkl_host_args args = {.p_mean = mean, .p_scale = logvar, .p_mean_gradient = dm};
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    args.upstream = upstream;
    args.factors = (clkl_upstream_factors){0, 0, 8.0, 16.0}; /* not given */
    for (uint32_t given = 0; given < 2; given++) {
        args.factors.given = given;
        run(&spec, args);
        for (uint64_t i = 0; i < ALL; i++)
            cr_expect_eq(dm[i], (given ? 8.0 : 1.0) * upstream[i / N] * mean[i]);
    }
}

/* What large terms that cancel leave is not lost, nor is what is there already. */
Test(gradient_outputs, are_summed_in_twice_the_precision)
{
    const double upstream[B] = {1e17, 1.0, -1e17}, ones[ALL] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    double q[N] = {0}, dq[N] = {0.5, 0.5, 0.5, 0.5};
    clkl_spec spec = spec_of(CLKL_GRADIENT_Q_MEAN);
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    spec.gradient_update = CLKL_GRADIENT_ADD;
    spec.q = (clkl_gaussian){.form = CLKL_MEAN_LOGVAR, .dtype = CLKL_F64, .layout = CLKL_SHARED};
    run(&spec, (clkl_host_args){.p_mean = ones,
                                .p_scale = ones,
                                .q_mean = q,
                                .q_scale = q,
                                .upstream = upstream,
                                .q_mean_gradient = dq});
    for (uint64_t n = 0; n < N; n++)
        cr_expect_eq(dq[n], -0.5, "%g", dq[n]);
}

/* The upstream gradient, like values, has the compute type. */
Test(gradient_outputs, upstream_has_the_compute_type)
{
    const float upstream[B] = {2.0f, -0.5f, 0.0f};
    float dm[ALL];
    clkl_spec spec = spec_of(CLKL_GRADIENT_P_MEAN);
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    spec.compute = CLKL_F32;
    run(&spec, (clkl_host_args){
                   .p_mean = mean, .p_scale = logvar, .upstream = upstream, .p_mean_gradient = dm});
    for (uint64_t i = 0; i < ALL; i++)
        cr_expect_eq(dm[i], (float)((double)upstream[i / N] * mean[i]));
}

/* ---- Types ---- */

/* Each gradient is that in double precision, rounded once; and so is what is added up. */
Test(gradient_outputs, are_rounded_to_their_type)
{
    static const clkl_dtype dtypes[] = {CLKL_F16, CLKL_BF16, CLKL_F32};
    double exact[ALL], narrow[ALL];
    clkl_spec spec = spec_of(P_BOTH);
    clkl_host_args args = {.p_mean = mean, .p_scale = logvar, .p_scale_gradient = exact};
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    run(&spec, args);
    for (size_t d = 0; d < 3; d++)
        for (int add = 0; add < 2; add++) {
            spec.gradient_dtype = dtypes[d];
            spec.gradient_update = add ? CLKL_GRADIENT_ADD : CLKL_GRADIENT_SET;
            for (uint64_t i = 0; i < ALL; i++)
                clkl_storage_store(narrow, dtypes[d], (int64_t)i, 3.0);
            args.p_scale_gradient = narrow;
            run(&spec, args);
            for (uint64_t i = 0; i < ALL; i++) {
                double rounded;
                clkl_storage_store(&rounded, dtypes[d], 0, exact[i] + (add ? 3.0 : 0.0));
                cr_expect_eq(clkl_storage_load(narrow, dtypes[d], (int64_t)i),
                             clkl_storage_load(&rounded, dtypes[d], 0), "type %d", dtypes[d]);
            }
        }
}

/* Inputs of 16 bits are read exactly: the same numbers in fp64 give the same. */
Test(gradient_outputs, and_values_do_not_depend_on_the_type_of_inputs)
{
    static const clkl_dtype dtypes[] = {CLKL_F16, CLKL_BF16, CLKL_F32};
    for (size_t d = 0; d < 3; d++) {
        double wide[2 * ALL], narrow[2 * ALL], values[2][B], gradients[2][2 * ALL];
        for (uint64_t i = 0; i < 2 * ALL; i++) {
            clkl_storage_store(narrow, dtypes[d], (int64_t)i,
                               i / N % 2 == 0 ? mean[i / 2] : logvar[i / 2]);
            wide[i] = clkl_storage_load(narrow, dtypes[d], (int64_t)i);
        }
        for (int w = 0; w < 2; w++) {
            clkl_spec spec = spec_of(P_BOTH);
            spec.p.form = CLKL_MOMENTS;
            spec.p.dtype = w ? CLKL_F64 : dtypes[d];
            spec.compute = CLKL_F64;
            run(&spec, (clkl_host_args){.p_mean = w ? wide : narrow,
                                        .result = values[w],
                                        .p_mean_gradient = gradients[w]});
        }
        cr_expect_eq(memcmp(values[0], values[1], sizeof values[0]), 0);
        cr_expect_eq(memcmp(gradients[0], gradients[1], sizeof gradients[0]), 0);
    }
}

/* ---- Elements without a gradient ---- */

Test(gradient_outputs, are_0_where_the_weight_is_0_whatever_lies_there)
{
    const uint8_t mask[ALL] = {1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1};
    const double odd[ALL] = {0.5, NAN, 2.0, INFINITY}, upstream[B] = {2.0, NAN, 1.0};
    double dm[ALL], dl[ALL];
    clkl_spec spec = spec_of(P_BOTH);
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    spec.weights.kind = CLKL_MASK;
    run(&spec, (clkl_host_args){.p_mean = odd,
                                .p_scale = odd,
                                .weights = mask,
                                .upstream = upstream,
                                .p_mean_gradient = dm,
                                .p_scale_gradient = dl});
    cr_expect(dm[1] == 0.0 && dm[3] == 0.0 && dl[1] == 0.0 && dl[3] == 0.0);
    cr_expect(dm[0] == 1.0 && dl[0] != 0.0);
    cr_expect(isnan(dm[4]) && !isnan(dm[8]), "the upstream gradient of the second sample is NaN");
}

/* Strictly outside the bounds; at a bound the gradient is that of the element. */
Test(gradient_outputs, are_0_where_the_clamp_is_active)
{
    const double l[ALL] = {-2.0, 3.0, -2.0000001, 3.0000001, -INFINITY, INFINITY, NAN, 0.0};
    double dm[ALL], dl[ALL];
    clkl_spec spec = spec_of(P_BOTH);
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    spec.clamp = CLKL_CLAMP;
    spec.clamp_low = -2.0;
    spec.clamp_high = 3.0;
    run(&spec, (clkl_host_args){
                   .p_mean = mean, .p_scale = l, .p_mean_gradient = dm, .p_scale_gradient = dl});
    cr_expect_float_eq(dl[0], 0.5 * expm1(-2.0), 1e-15);
    cr_expect_float_eq(dl[1], 0.5 * expm1(3.0), 1e-14);
    for (int i = 2; i < 6; i++)
        cr_expect(dl[i] == 0.0 && dm[i] == mean[i], "element %d: %g, %g", i, dl[i], dm[i]);
    cr_expect(isnan(dl[6]) && isnan(dm[6]));
}

/* A value at the bound has none, one just above it all; NaN is not free. */
Test(gradient_outputs, are_0_where_values_are_at_most_the_free_nats)
{
    const float odd[ALL] = {INFINITY, 1, 1, 1, 1, 1, 1, 1, 1, NAN, 1, 1};
    const float values[B] = {0.1f, 0.10000001f, NAN}, ones[ALL] = {1};
    float dm[ALL];
    clkl_spec spec = spec_of(P_BOTH);
    spec.p.dtype = CLKL_F32;
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    spec.free_nats = 0.1;
    run(&spec,
        (clkl_host_args){.p_mean = odd, .p_scale = ones, .values = values, .p_mean_gradient = dm});
    cr_expect(dm[0] == 0.0f && dm[1] == 0.0f);
    cr_expect_eq(dm[4], 1.0f);
    cr_expect(dm[8] == 1.0f && isnan(dm[9]));
}

/* ---- Free bits of values ---- */

Test(gradient_outputs, free_nats_are_the_least_that_values_can_be)
{
    double plain[B], free_values[B], one;
    uint32_t status[B];
    clkl_spec spec = spec_of(0);
    clkl_host_args args = {.p_mean = mean, .p_scale = logvar, .result = plain};
    run(&spec, args);
    spec.free_nats = plain[1];
    args.result = free_values;
    run(&spec, args);
    for (int b = 0; b < B; b++)
        cr_expect_eq(free_values[b], fmax(plain[b], plain[1]));
    spec.keep = CLKL_KEEP_NONE;
    spec.free_nats = 1e3; /* after averaging */
    args.result = &one;
    run(&spec, args);
    cr_expect_eq(one, 1e3);
    spec.p.form = CLKL_DETERMINISTIC;
    spec.keep = 0;
    args.result = free_values;
    spec.compute = CLKL_F64;
    run(&spec, args);
    cr_expect(free_values[0] == 1e3 && free_values[B - 1] == 1e3, "max(0, free_nats)");
    const double odd[ALL] = {NAN, 0, 0, 0, INFINITY};
    spec.p.form = CLKL_MEAN_LOGVAR;
    args.p_mean = odd;
    args.value_status = status;
    run(&spec, args);
    cr_expect(isnan(free_values[0]) && isinf(free_values[1]) && free_values[2] == 1e3);
    cr_expect(status[0] == CLKL_VALUE_NAN && status[1] == CLKL_VALUE_INFINITE && status[2] == 0);
}

/* ---- What is refused ---- */

static void refuse(const clkl_spec *spec, clkl_host_args args, const char *about)
{
    clkl_error error = {.struct_size = sizeof error};
    args.struct_size = sizeof args;
    cr_expect_eq(clkl_reference_run(spec, &args, &error), CLKL_INVALID_ARGUMENT, "%s", about);
    cr_expect_not_null(strstr(error.message, about), "%s\n  not: %s", error.message, about);
}

Test(gradient_outputs, arguments_that_do_not_fit_are_named)
{
    double out[2 * ALL];
    uint32_t status[B];
    clkl_spec spec = spec_of(CLKL_GRADIENT_P_MEAN);
    const clkl_host_args whole = {
        .p_mean = mean, .p_scale = logvar, .result = out, .p_mean_gradient = out};
    clkl_host_args args = whole;
    args.p_scale_gradient = out;
    refuse(&spec, args, "args->p_scale_gradient is given, but spec->gradients does not ask");
    args = whole;
    args.q_mean_gradient = out;
    refuse(&spec, args, "args->q_mean_gradient is given");
    args = whole;
    args.factors.given = 2;
    refuse(&spec, args, "args->factors begin with 2 and 0");
    args.factors = (clkl_upstream_factors){1, 1, 1.0, 1.0};
    refuse(&spec, args, "args->factors begin with 1 and 1");
    args = whole;
    spec.p.form = CLKL_MOMENTS;
    args.p_scale_gradient = out;
    refuse(&spec, args, "args->p_scale_gradient is given, but moments are packed");
    args = whole;
    args.result = NULL;
    refuse(&spec, args, "args->result is NULL");
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    args.value_status = status;
    refuse(&spec, args, "args->value_status is given");
    args = whole;
    spec.free_nats = 1.0;
    refuse(&spec, args, "args->values is NULL");
}
