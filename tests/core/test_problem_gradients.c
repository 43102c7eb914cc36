/* From a specification to a problem: gradients, free bits, and the result that is left out. */
#include "core/made.h"
#include "core/refused.h"

#include <math.h>

TestSuite(problem_gradients, .timeout = 60);

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SMALL        .struct_size = sizeof(clkl_spec), .rank = 3, .shape = {3, 4, 5}
#define MOMENTS      .p = {.form = CLKL_MOMENTS}
#define PAIR         .p = {.form = CLKL_MEAN_VAR}, .q = {.form = CLKL_MEAN_STD}

enum {
    P_MEAN = CLKL_GRADIENT_P_MEAN,
    P_SCALE = CLKL_GRADIENT_P_SCALE,
    Q_MEAN = CLKL_GRADIENT_Q_MEAN,
    Q_SCALE = CLKL_GRADIENT_Q_SCALE,
    ALL = P_MEAN | P_SCALE | Q_MEAN | Q_SCALE
};

/* ---- Refusals ---- */

static const struct {
    clkl_spec spec;
    const char *says;
} refusals[] = {
    {{SMALL, MOMENTS, .gradients = 0x10}, "unknown bits in gradients: 0x10"},
    {{SMALL, MOMENTS, .gradients = 0x80000001u}, "unknown bits in gradients: 0x80000001"},
    {{SMALL, MOMENTS, .gradients = Q_MEAN}, "gradients is 0x4, but Q is the standard normal"},
    {{SMALL, MOMENTS, .gradients = ALL}, "gradients is 0xf, but Q is the standard normal"},
    {{SMALL, .q = {.form = CLKL_MOMENTS}, .gradients = P_SCALE}, "but P is the standard normal"},
    {{SMALL, .p = {.form = CLKL_DETERMINISTIC}, .gradients = P_MEAN}, "P is deterministic"},
    {{SMALL, .p = {.form = CLKL_DETERMINISTIC}, .q = {.form = CLKL_MEAN_VAR}, .gradients = Q_MEAN},
     "P is deterministic"},
    /* free bits */
    {{SMALL, MOMENTS, .free_nats = -1.0}, "free_nats is -1; expected a finite number"},
    {{SMALL, MOMENTS, .free_nats = NAN}, "free_nats is nan"},
    {{SMALL, MOMENTS, .free_nats = INFINITY}, "free_nats is inf"},
    {{SMALL, MOMENTS, .free_nats = 1e39}, "free_nats is 1e+39, too large for fp32"},
    {{SMALL, MOMENTS, .free_nats = 0.5, .gradients = P_MEAN}, "need CLKL_OUTPUT_NO_RESULT"},
    /* no result */
    {{SMALL, MOMENTS, .outputs = CLKL_OUTPUT_NO_RESULT}, "leaves nothing to compute"},
    {{SMALL, MOMENTS, .gradients = P_MEAN,
      .outputs = CLKL_OUTPUT_NO_RESULT | CLKL_OUTPUT_CLAMP_COUNTS},
     "CLKL_OUTPUT_CLAMP_COUNTS are of values"},
};

Test(problem_gradients, refusals_name_what_is_wrong)
{
    for (size_t i = 0; i < COUNT(refusals); ++i)
        expect_refused(&refusals[i].spec, CLKL_INVALID_SPEC, refusals[i].says);
}

/* ---- Which there are ---- */

Test(problem_gradients, either_bit_of_a_packed_side_means_both)
{
    static const struct {
        clkl_form p, q;
        uint32_t asked, taken;
    } cases[] = {
        {CLKL_MOMENTS, CLKL_STANDARD_NORMAL, P_MEAN, P_MEAN | P_SCALE},
        {CLKL_MOMENTS, CLKL_STANDARD_NORMAL, P_SCALE, P_MEAN | P_SCALE},
        {CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 0, 0},
        {CLKL_MOMENTS, CLKL_MOMENTS, Q_SCALE, Q_MEAN | Q_SCALE},
        {CLKL_MOMENTS, CLKL_MOMENTS, P_SCALE | Q_MEAN, ALL},
        {CLKL_MEAN_VAR, CLKL_MOMENTS, P_SCALE | Q_MEAN, P_SCALE | Q_MEAN | Q_SCALE},
        {CLKL_MEAN_VAR, CLKL_MEAN_STD, P_SCALE, P_SCALE},
        {CLKL_MEAN_VAR, CLKL_MEAN_STD, Q_MEAN, Q_MEAN},
        {CLKL_MEAN_VAR, CLKL_MEAN_STD, ALL, ALL},
    };
    for (size_t i = 0; i < COUNT(cases); ++i) {
        const clkl_spec spec = {SMALL, .p = {.form = cases[i].p}, .q = {.form = cases[i].q},
                                .gradients = cases[i].asked};
        cr_expect_eq(made(&spec).gradients, cases[i].taken, "case %zu", i);
    }
}

Test(problem_gradients, have_the_compute_type_unless_told_otherwise)
{
    clkl_spec spec = {SMALL, MOMENTS, .gradients = P_MEAN};
    cr_expect_eq(made(&spec).gradient_dtype, CLKL_F32);
    cr_expect_eq(made(&spec).gradient_update, CLKL_GRADIENT_SET);
    spec.p.dtype = CLKL_F16;
    cr_expect_eq(made(&spec).gradient_dtype, CLKL_F32);
    spec.p.dtype = CLKL_F64;
    cr_expect_eq(made(&spec).gradient_dtype, CLKL_F64);
    spec.gradient_update = CLKL_GRADIENT_ADD;
    cr_expect_eq(made(&spec).gradient_update, CLKL_GRADIENT_ADD);
    for (int dtype = CLKL_F32; dtype <= CLKL_BF16; ++dtype) {
        spec.gradient_dtype = (clkl_dtype)dtype;
        cr_expect_eq((int)made(&spec).gradient_dtype, dtype);
    }
}

/* ---- Where they lie ---- */

/* Strides of the mean; of the packed array, if the form is CLKL_MOMENTS. */
static const struct {
    clkl_form form;
    int64_t strides[3];
    bool taken;
} layouts[] = {
    {CLKL_MEAN_VAR, {20, 5, 1}, true},
    {CLKL_MEAN_VAR, {1, 3, 12}, true},
    {CLKL_MEAN_VAR, {40, 10, 2}, true},
    {CLKL_MEAN_VAR, {0, 0, 0}, true},
    {CLKL_MEAN_VAR, {0, 1, 4}, true},
    {CLKL_MEAN_VAR, {0, 5, 0}, true},
    {CLKL_MEAN_VAR, {19, 5, 1}, false},
    {CLKL_MEAN_VAR, {20, 4, 1}, false}, /* windows that overlap */
    {CLKL_MEAN_VAR, {1, 1, 1}, false},
    {CLKL_MEAN_VAR, {0, 1, 1}, false},
    {CLKL_MEAN_VAR, {1, 2, 12}, false},
    {CLKL_MOMENTS, {40, 5, 1}, true},
    {CLKL_MOMENTS, {0, 5, 1}, true},
    {CLKL_MOMENTS, {40, 1, 8}, true},
    {CLKL_MOMENTS, {1, 3, 24}, true},
    {CLKL_MOMENTS, {0, 1, 0}, true},
    {CLKL_MOMENTS, {39, 5, 1}, false}, /* the log-variances reach the next sample's means */
    {CLKL_MOMENTS, {20, 5, 1}, false},
    {CLKL_MOMENTS, {40, 0, 1}, false}, /* mean and log-variance in one place */
    {CLKL_MOMENTS, {1, 3, 12}, false},
};

Test(problem_gradients, arrays_hold_no_element_twice)
{
    for (size_t i = 0; i < COUNT(layouts); ++i) {
        clkl_spec spec = {SMALL, .q = {.form = layouts[i].form, .layout = CLKL_STRIDED}};
        memcpy(spec.q.mean_strides, layouts[i].strides, sizeof layouts[i].strides);
        made(&spec);
        spec.gradients = Q_SCALE; /* of separate arrays, all strides 0 */
        if (spec.q.form != CLKL_MOMENTS)
            made(&spec);
        spec.gradients = Q_MEAN;
        if (layouts[i].taken)
            made(&spec);
        else
            expect_refused(&spec, CLKL_INVALID_SPEC,
                           spec.q.form == CLKL_MOMENTS ? "Q: the packed array cannot have"
                                                       : "Q: the mean cannot have a gradient");
    }
}

Test(problem_gradients, the_scale_is_held_to_the_same)
{
    clkl_spec spec = {
        SMALL, .p = {.form = CLKL_MEAN_STD, .layout = CLKL_STRIDED, .scale_strides = {5, 5, 1}}};
    spec.gradients = P_MEAN;
    made(&spec);
    spec.gradients = P_SCALE;
    expect_refused(&spec, CLKL_INVALID_SPEC, "P: the scale cannot have a gradient");
    spec.shape[0] = 1; /* takes no step */
    made(&spec);
}

/* ---- Free bits, and the result that is left out ---- */

Test(problem_gradients, free_nats_have_the_compute_type)
{
    clkl_spec spec = {SMALL, PAIR};
    cr_expect_eq(made(&spec).free_nats, 0.0);
    spec.free_nats = 0.1;
    cr_expect_eq(made(&spec).free_nats, (double)0.1f);
    spec.compute = CLKL_F64;
    cr_expect_eq(made(&spec).free_nats, 0.1);
    spec.free_nats = 1e39;
    cr_expect_eq(made(&spec).free_nats, 1e39);
    cr_expect_not(made(&spec).no_result);
    spec.gradients = P_MEAN;
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    cr_expect(made(&spec).no_result);
    cr_expect_eq(made(&spec).free_nats, 1e39);
    spec.free_nats = 0.0;
    made(&spec);
}
