/* clkl_engine_run with what release 0.2 added: the reference takes all of it as it is, and a device
 * gives the same. */
#include "engines.h"

#include <math.h>
#include <string.h>

TestSuite(engine_gradients, .timeout = 120, .init = forget_wish);

enum { B = 3, N = 4, ALL = B * N };

static const float moments[2 * ALL] = {0.5f, -1.0f, 2.0f, 0.25f, -0.5f, 1.0f, 0.0f, 3.0f,
                                       1.5f, 0.5f,  1.0f, -2.0f, 0.1f,  0.2f, 0.3f, 0.4f,
                                       2.5f, -2.0f, 1.0f, 0.0f,  -1.0f, 0.7f, 0.6f, 0.5f};
static const uint8_t mask[ALL] = {1, 0, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1};

static clkl_spec plain_spec(void)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {B, N}};
    spec.p.form = CLKL_MOMENTS;
    return spec;
}

Test(engine_gradients, the_reference_is_given_everything)
{
    float kl[2][B], values[B], upstream[B] = {1.0f, -2.0f, 0.5f};
    uint16_t gradients[2][2 * ALL];
    clkl_spec spec = plain_spec();
    clkl_engine *engine = engine_on("reference");
    spec.weights.kind = CLKL_MASK;
    spec.free_nats = 2.0;
    clkl_host_args args = {.struct_size = sizeof args, .p_mean = moments, .weights = mask};
    for (int direct = 0; direct < 2; ++direct) {
        args.result = kl[direct];
        cr_assert_eq(direct ? clkl_reference_run(&spec, &args, NULL)
                            : clkl_engine_run(engine, &spec, &args, NULL),
                     CLKL_OK);
    }
    cr_expect_eq(memcmp(kl[0], kl[1], sizeof kl[0]), 0);
    cr_expect(kl[0][2] == 2.0f && kl[0][0] > 2.0f, "the last is free");
    memcpy(values, kl[0], sizeof values);
    spec.gradients = CLKL_GRADIENT_P_MEAN;
    spec.gradient_dtype = CLKL_BF16;
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    args.result = NULL;
    args.values = values;
    args.upstream = upstream;
    args.factors = (clkl_upstream_factors){1, 0, 3.0, 1.0};
    for (int direct = 0; direct < 2; ++direct) {
        args.p_mean_gradient = gradients[direct];
        cr_assert_eq(direct ? clkl_reference_run(&spec, &args, NULL)
                            : clkl_engine_run(engine, &spec, &args, NULL),
                     CLKL_OK);
    }
    cr_expect_eq(memcmp(gradients[0], gradients[1], sizeof gradients[0]), 0);
    cr_expect(gradients[0][0] != 0 && gradients[0][2 * 2 * N + 2] == 0);
    clkl_engine_release(engine);
}

/* ---- On a device ---- */

/* Everything that a call can write, with something in it before. */
struct outputs {
    float kl[ALL], moments[2 * ALL], slices[3 * ALL];
};

static void fill(struct outputs *outputs)
{
    float *numbers = (float *)outputs;
    for (size_t i = 0; i < sizeof *outputs / sizeof *numbers; ++i)
        numbers[i] = 0.125f * (float)i;
}

static void expect_alike(const struct outputs *a, const struct outputs *b, const char *what)
{
    const float *x = (const float *)a, *y = (const float *)b;
    for (size_t i = 0; i < sizeof *a / sizeof *x; ++i)
        cr_expect(fabsf(x[i] - y[i]) <= 1e-6f * (1.0f + fabsf(y[i])),
                  "%s: number %zu is %g, not %g", what, i, (double)x[i], (double)y[i]);
}

static void run(const char *device, const clkl_spec *spec, const clkl_host_args *args)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_engine *engine = engine_on(device);
    cr_assert_eq(clkl_engine_run(engine, spec, args, &error), CLKL_OK, "%s", error.message);
    clkl_engine_release(engine);
}

Test(engine_gradients, a_device_gives_what_the_reference_gives)
{
    static const uint32_t lengths[B] = {2, 9, 0};
    struct outputs outputs[2];
    clkl_spec spec = plain_spec();
    spec.gradients = CLKL_GRADIENT_P_MEAN;
    spec.gradient_update = CLKL_GRADIENT_ADD;
    for (int kind = CLKL_NO_WEIGHTS; kind <= CLKL_LENGTHS; ++kind) {
        spec.weights.kind = (clkl_weighting)kind;
        for (int i = 0; i < 2; ++i) {
            clkl_host_args args = {.struct_size = sizeof args, .p_mean = moments};
            fill(&outputs[i]);
            args.weights = kind == CLKL_MASK      ? (const void *)mask
                           : kind == CLKL_LENGTHS ? (const void *)lengths
                                                  : moments;
            args.upstream = moments;
            args.result = outputs[i].kl;
            args.p_mean_gradient = outputs[i].moments;
            run(i == 0 ? "" : "reference", &spec, &args);
        }
        expect_alike(&outputs[0], &outputs[1], "packed");
    }
}

/* Two gradients share an array, each in the gaps of the other; what neither has stays as it was. */
Test(engine_gradients, gradients_may_lie_in_one_array)
{
    struct outputs outputs[2];
    clkl_spec spec = plain_spec();
    spec.p.form = CLKL_MEAN_LOGVAR;
    spec.p.layout = CLKL_STRIDED;
    spec.p.mean_strides[0] = spec.p.scale_strides[0] = 3 * N;
    spec.p.mean_strides[1] = spec.p.scale_strides[1] = 1;
    spec.gradients = CLKL_GRADIENT_P_MEAN | CLKL_GRADIENT_P_SCALE;
    float inputs[3 * ALL];
    for (size_t i = 0; i < 3 * ALL; ++i)
        inputs[i] = moments[i % (2 * ALL)];
    for (int i = 0; i < 2; ++i) {
        clkl_host_args args = {.struct_size = sizeof args, .p_mean = inputs, .p_scale = inputs + N};
        fill(&outputs[i]);
        args.result = outputs[i].kl;
        args.p_mean_gradient = outputs[i].slices;
        args.p_scale_gradient = outputs[i].slices + N;
        run(i == 0 ? "" : "reference", &spec, &args);
    }
    expect_alike(&outputs[0], &outputs[1], "in slices");
    cr_expect_eq(outputs[0].slices[2 * N], 0.125f * (float)(3 * ALL + 2 * N),
                 "what lies between was overwritten");
}

/* With a shared Q the batch is not cut, however little fits at once. */
Test(engine_gradients, free_nats_take_the_values_of_an_earlier_call)
{
    struct outputs outputs[2];
    clkl_spec spec = plain_spec();
    spec.q = (clkl_gaussian){.form = CLKL_MOMENTS, .layout = CLKL_SHARED};
    spec.free_nats = 2.0;
    for (int i = 0; i < 2; ++i) {
        const char *device = i == 0 ? "" : "reference";
        clkl_host_args args = {.struct_size = sizeof args, .p_mean = moments, .q_mean = moments};
        fill(&outputs[i]);
        spec.gradients = spec.outputs = 0;
        args.result = outputs[i].kl;
        run(device, &spec, &args);
        spec.gradients = CLKL_GRADIENT_Q_MEAN;
        spec.outputs = CLKL_OUTPUT_NO_RESULT;
        args.result = NULL;
        args.values = outputs[i].kl;
        args.q_mean_gradient = outputs[i].moments;
        run(device, &spec, &args);
    }
    cr_expect_eq(outputs[0].kl[0], 2.0f, "P is Q there, and the floor its value");
    expect_alike(&outputs[0], &outputs[1], "free");
}
