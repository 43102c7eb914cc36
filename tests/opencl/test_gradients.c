/* Gradients on the device: of every kind and type; upstream gradients; elements without one. All
 * against the reference, and some against 40 digits. */
#include "gradient_specs.h"
#include "support/case_inputs.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

TestSuite(device_gradients, .init = open_device, .fini = close_device, .timeout = 300);

/* ---- Kinds ---- */

Test(device_gradients, every_kind)
{
    static const struct {
        clkl_form p, q;
    } pairs[] = {
        {CLKL_MOMENTS, CLKL_STANDARD_NORMAL},     {CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR},
        {CLKL_MEAN_STD, CLKL_MEAN_VAR},           {CLKL_STANDARD_NORMAL, CLKL_MEAN_STD},
        {CLKL_MEAN_LOGSTD, CLKL_STANDARD_NORMAL}, {CLKL_MEAN_VAR, CLKL_MEAN_LOGSTD},
        {CLKL_STANDARD_NORMAL, CLKL_MOMENTS},     {CLKL_MEAN_LOGSTD, CLKL_MEAN_STD},
    };
    for (size_t i = 0; i < at_most(COUNT(pairs), 4); ++i) {
        char what[64];
        const clkl_spec spec = make_spec(pairs[i].p, pairs[i].q);
        snprintf(what, sizeof what, "forms %d and %d", pairs[i].p, pairs[i].q);
        check(&spec, what);
    }
}

/* Below a type's smallest number nothing is promised. */
static bool is_exact(const struct gradient_call *call, int operand, uint64_t place, double gradient,
                     double terms)
{
    const double found = gradient_at(call, operand, place);
    if (call->spec.compute == CLKL_F64)
        return found == gradient || fabs(found - gradient) <= 1e-14 * terms + DBL_MIN;
    return found == (double)(float)gradient || fabs(found - gradient) <= 1e-6 * terms + 0x1p-126;
}

/* One case of tests/values/gradients.txt, of fp32 inputs: each listed sample is a row. */
static unsigned check_case(const char *name, clkl_dtype compute)
{
    static const char *const operands[] = {"p_mean", "p_scale", "q_mean", "q_scale"};
    char text[256], listed[64], operand[16];
    struct test_case c;
    struct gradient_call call;
    void *arrays[CLKL_ARRAYS];
    unsigned long long sample, element;
    double gradient, terms;
    unsigned checked = 0;
    cr_assert(case_find(name, &c), "%s", name);
    clkl_spec spec = case_spec(&c, case_listed_count(&c));
    spec.gradients = (c.p != SCALE_STANDARD ? OF_P : 0u) | (c.q != SCALE_STANDARD ? OF_Q : 0u);
    spec.compute = spec.gradient_dtype = compute;
    gradient_call_make(&call, &spec);
    case_inputs_make(&c, CASE_LISTED, CLKL_F32, arrays);
    for (int i = 0; i < CLKL_ARRAYS; ++i)
        if (arrays[i] != NULL)
            memcpy(call.inputs[i], arrays[i], (size_t)call.counts[i] * sizeof(float));
    call.no_upstream = true;
    gradient_call_run(&call, &device);
    FILE *file = fopen(CLKL_GRADIENTS_FILE, "r");
    cr_assert_not_null(file);
    while (fgets(text, sizeof text, file) != NULL) {
        if (sscanf(text, "%63s %15s %llu %llu %lf %lf", listed, operand, &sample, &element,
                   &gradient, &terms) != 6 ||
            strcmp(listed, name) != 0)
            continue;
        int which = 0;
        while (strcmp(operands[which], operand) != 0)
            ++which;
        const uint64_t place = sample * c.elements + element;
        ++checked;
        cr_expect(is_exact(&call, which, place, gradient, terms),
                  "%s: %s of sample %llu is %.17g; expected %.17g", name, operand, sample,
                  gradient_at(&call, which, place), gradient);
    }
    fclose(file);
    case_inputs_free(arrays);
    gradient_call_free(&call);
    return checked;
}

static void check_cases(clkl_dtype compute)
{
    static const char *const names[] = {
        "huge.logvar-logvar.n17",         "collapsed.logvar-logvar.n64",
        "batch-shared.logvar-logvar.n33", "huge-shared.logvar-logvar.n17",
        "clamp.logvar-standard.n17",      "huge.std-std.n17",
    };
    unsigned checked = 0;
    for (size_t i = 0; i < at_most(COUNT(names), 2); ++i)
        checked += check_case(names[i], compute);
    cr_expect_geq(checked, 2 * at_most(COUNT(names), 2));
}

Test(device_gradients, exact_values)
{
    check_cases(CLKL_F32);
}

Test(device_gradients, exact_values_in_fp64)
{
    if (test_device_has_fp64(&device))
        check_cases(CLKL_F64);
}

/* ---- Types ---- */

Test(device_gradients, of_every_type)
{
    static const struct {
        clkl_dtype dtype;
        clkl_gradient_update update;
        uint32_t keep;
        clkl_layout q;
    } cases[] = {
        {CLKL_F16, CLKL_GRADIENT_ADD, 1, CLKL_SHARED},
        {CLKL_BF16, CLKL_GRADIENT_SET, 4, CLKL_DENSE},
        {CLKL_BF16, CLKL_GRADIENT_ADD, 1, CLKL_SHARED},
        {CLKL_F16, CLKL_GRADIENT_SET, 4, CLKL_DENSE},
        {CLKL_F64, CLKL_GRADIENT_ADD, 1, CLKL_DENSE},
    };
    for (size_t i = 0; i < at_most(COUNT(cases), 2); ++i) {
        clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR);
        spec.compute = CLKL_F32;
        spec.gradient_dtype = cases[i].dtype;
        spec.gradient_update = cases[i].update;
        spec.keep = cases[i].keep;
        spec.q.layout = cases[i].q;
        spec.p.dtype = i % 4 == 0 ? CLKL_F16 : CLKL_F32;
        if (spec.gradient_dtype != CLKL_F64 || test_device_has_fp64(&device))
            check(&spec, "types");
    }
}

Test(device_gradients, computed_in_fp64)
{
    if (!test_device_has_fp64(&device))
        return;
    clkl_spec spec = make_spec(CLKL_MEAN_STD, CLKL_MEAN_LOGVAR);
    spec.compute = CLKL_F64;
    spec.p.dtype = spec.q.dtype = CLKL_F64;
    spec.q.layout = CLKL_SHARED;
    spec.gradient_update = CLKL_GRADIENT_ADD;
    check(&spec, "fp64");
    spec.gradient_dtype = CLKL_BF16;
    spec.p.dtype = CLKL_F32;
    spec.keep = 6;
    check(&spec, "fp64, gradients of bf16");
}

/* Doubles that fp32 does not hold, with gradients computed in fp32: side by side, and summed. */
Test(device_gradients, doubles_keep_the_digits_that_they_are_added_to)
{
    struct gradient_call call;
    clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR);
    spec.q.layout = CLKL_STRIDED;
    strides(spec.q.mean_strides, 1, 0, 0);
    strides(spec.q.scale_strides, 1, 0, 0);
    spec.gradient_dtype = CLKL_F64;
    spec.gradient_update = CLKL_GRADIENT_ADD;
    if (!test_device_has_fp64(&device))
        return;
    gradient_call_make(&call, &spec);
    call.held = 0x1p-40;
    gradient_input_set(&call, CLKL_UPSTREAM, 1, 0.0);
    gradient_call_check(&call, &device, "doubles");
    gradient_call_free(&call);
}

/* ---- Upstream ---- */

Test(device_gradients, upstream_and_factors_and_what_is_left_out)
{
    struct gradient_call call;
    clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_STD);
    spec.q.layout = CLKL_SHARED;
    gradient_call_make(&call, &spec);
    for (unsigned i = 0; i < 16; ++i) {
        call.no_upstream = i % 2 != 0;
        call.factors = (clkl_upstream_factors){i / 2 % 2, 0, -0.75, 3.0};
        call.left_out = i;
        gradient_call_check(&call, &device, "left out");
    }
    gradient_call_free(&call);
}

/* NaN and 0 are factors like others. */
Test(device_gradients, upstream_may_be_anything)
{
    struct gradient_call call;
    clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_STANDARD_NORMAL);
    gradient_call_make(&call, &spec);
    gradient_input_set(&call, CLKL_UPSTREAM, 0, 0.0);
    gradient_input_set(&call, CLKL_UPSTREAM, 1, NAN);
    gradient_input_set(&call, CLKL_P_MEAN, 7, NAN);
    gradient_call_check(&call, &device, "0 and NaN");
    cr_expect(isnan(gradient_at(&call, CLKL_P_MEAN, 7)) &&
              gradient_at(&call, CLKL_P_MEAN, 8) == 0.0);
    cr_expect(isnan(gradient_at(&call, CLKL_P_SCALE, 84)));
    gradient_call_free(&call);
}

/* ---- Elements without a gradient ---- */

Test(device_gradients, none_where_the_clamp_is_active)
{
    struct gradient_call call;
    clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR);
    spec.clamp = CLKL_CLAMP;
    spec.clamp_low = -1.0;
    spec.clamp_high = 0.5;
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    spec.q.layout = CLKL_SHARED;
    gradient_call_make(&call, &spec);
    gradient_input_set(&call, CLKL_P_SCALE, 0, -1.0);
    gradient_input_set(&call, CLKL_P_SCALE, 1, 0.5);
    gradient_input_set(&call, CLKL_Q_SCALE, 0, 0.0);
    gradient_input_set(&call, CLKL_Q_SCALE, 1, 0.0);
    gradient_input_set(&call, CLKL_P_SCALE, 2, nextafterf(-1.0f, -2.0f));
    gradient_input_set(&call, CLKL_P_SCALE, 3, nextafterf(0.5f, 1.0f));
    gradient_input_set(&call, CLKL_P_SCALE, 4, INFINITY);
    gradient_input_set(&call, CLKL_P_SCALE, 5, NAN);
    gradient_call_check(&call, &device, "clamped");
    cr_expect(gradient_at(&call, CLKL_P_SCALE, 0) != 0.0);
    cr_expect(gradient_at(&call, CLKL_P_SCALE, 1) != 0.0);
    for (uint64_t i = 2; i < 5; ++i)
        cr_expect(gradient_at(&call, CLKL_P_SCALE, i) == 0.0 &&
                  gradient_at(&call, CLKL_P_MEAN, i) != 0.0);
    cr_expect(isnan(gradient_at(&call, CLKL_P_SCALE, 5)));
    gradient_call_free(&call);
}

/* By the values of an earlier call: those at the bound have none, NaN is not free. */
Test(device_gradients, none_where_values_are_free)
{
    struct gradient_call call;
    clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR);
    spec.q.layout = CLKL_SHARED;
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    spec.free_nats = 0.75;
    gradient_call_make(&call, &spec);
    gradient_input_set(&call, CLKL_VALUES, 0, 0.75);
    gradient_input_set(&call, CLKL_VALUES, 1, NAN);
    gradient_input_set(&call, CLKL_VALUES, 2, 0.75 + 0x1p-20);
    gradient_call_check(&call, &device, "free");
    cr_expect_eq(gradient_at(&call, CLKL_P_MEAN, 0), 0.0);
    cr_expect(gradient_at(&call, CLKL_P_MEAN, 84) != 0.0);
    cr_expect(gradient_at(&call, CLKL_P_MEAN, 168) != 0.0);
    gradient_call_free(&call);
}

/* NaN and infinities reach what they are part of, and nothing else. */
Test(device_gradients, what_is_no_number_stays_where_it_is)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY};
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        struct gradient_call call;
        clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR);
        spec.q.layout = CLKL_SHARED;
        gradient_call_make(&call, &spec);
        for (size_t i = 0; i < COUNT(odd); ++i)
            gradient_input_set(&call, operand, 5 + 30 * i % call.counts[operand], odd[i]);
        gradient_call_check(&call, &device, "not finite");
        gradient_call_free(&call);
    }
}
