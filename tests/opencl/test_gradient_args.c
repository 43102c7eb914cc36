/* What clkl_enqueue refuses of the arguments for gradients and weights: what is missing, too small,
 * not asked for, or lies over something else. */
#include "support/device.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct test_device device;

static void open_device(void)
{
    test_device_open(&device);
}

static void close_device(void)
{
    test_device_close(&device);
}

TestSuite(device_gradient_args, .init = open_device, .fini = close_device, .timeout = 120);

#define REQUIRE(call) cr_assert_eq((call), CL_SUCCESS, "%s", #call)
#define COUNT(array)  (sizeof(array) / sizeof *(array))

enum { BATCH = 3, ELEMENTS = 2000 };

/* ---- One call ---- */

enum { INPUTS = 7, GRADIENTS = INPUTS, SCRATCH = GRADIENTS + 4, FIELDS };

static const struct {
    const char *name;
    size_t at;   /* of the clkl_buffer in clkl_args */
    size_t step; /* bytes by which it can be moved */
    bool needed; /* mem may not be NULL */
} fields[FIELDS] = {
    {"p_mean", offsetof(clkl_args, p_mean), 4, true},
    {"p_scale", offsetof(clkl_args, p_scale), 4, true},
    {"q_mean", offsetof(clkl_args, q_mean), 4, true},
    {"q_scale", offsetof(clkl_args, q_scale), 4, true},
    {"weights", offsetof(clkl_args, weights), 4, true},
    {"upstream", offsetof(clkl_args, upstream), 4, false},
    {"values", offsetof(clkl_args, values), 4, true},
    {"p_mean_gradient", offsetof(clkl_args, p_mean_gradient), 4, false},
    {"p_scale_gradient", offsetof(clkl_args, p_scale_gradient), 4, false},
    {"q_mean_gradient", offsetof(clkl_args, q_mean_gradient), 4, false},
    {"q_scale_gradient", offsetof(clkl_args, q_scale_gradient), 4, false},
    {"scratch", offsetof(clkl_args, scratch), 16, false},
};

enum { SLOT = 1 << 18, BYTES = (FIELDS + 2) * SLOT };

/* A plan, and one buffer with a slot for everything. */
struct call {
    clkl_plan *plan;
    cl_mem mem;
    size_t begins[FIELDS], sizes[FIELDS]; /* bytes */
    size_t batch;
};

static clkl_spec usual_spec(void)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {BATCH, ELEMENTS}};
    spec.p.form = CLKL_MEAN_LOGVAR;
    spec.q = (clkl_gaussian){.form = CLKL_MEAN_STD, .layout = CLKL_SHARED};
    spec.gradients = 15;
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    spec.free_nats = 0.5;
    spec.weights.kind = CLKL_WEIGHTS;
    return spec;
}

static clkl_plan *plan_of(const clkl_spec *spec)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_plan *plan = NULL;
    cr_assert(clkl_plan_create(device.device, spec, CLKL_PLAN_NO_WARM_UP, &plan, &error) == CLKL_OK,
              "%s", error.message);
    return plan;
}

/* Sums over the batch go through scratch, if chunks are so short. */
static struct call make_call(void)
{
    static const struct clkl_tuning tuning = {.chunk = 2};
    static float numbers[BYTES / sizeof(float)];
    const clkl_spec spec = usual_spec();
    struct call call = {.batch = BATCH};
    for (size_t i = 0; i < COUNT(numbers); ++i)
        numbers[i] = hash_uniform_float(31, 0, i, 0.25, 2.0);
    cr_assert_eq(clkl_plan_create_tuned(device.device, &spec, CLKL_PLAN_NO_WARM_UP, &tuning,
                                        &call.plan, NULL),
                 CLKL_OK);
    call.mem = test_buffer(&device, numbers, BYTES);
    for (int i = 0; i < FIELDS; ++i) {
        const bool of_q = i == 2 || i == 3 || i == GRADIENTS + 2 || i == GRADIENTS + 3;
        const bool of_values = i == 5 || i == 6;
        call.begins[i] = (size_t)(i + 1) * SLOT;
        call.sizes[i] = (of_values ? BATCH : of_q ? ELEMENTS : BATCH * ELEMENTS) * sizeof(float);
    }
    call.sizes[SCRATCH] = clkl_plan_scratch_size(call.plan);
    cr_assert(call.sizes[SCRATCH] > 0 && call.sizes[SCRATCH] < SLOT / 2);
    return call;
}

static clkl_buffer *buffer_of(clkl_args *args, int field)
{
    return (clkl_buffer *)(void *)((char *)args + fields[field].at);
}

static clkl_args args_of(const struct call *call)
{
    clkl_args args = {.struct_size = sizeof args};
    for (int i = 0; i < FIELDS; ++i) {
        buffer_of(&args, i)->mem = call->mem;
        buffer_of(&args, i)->offset = call->begins[i] / (i == SCRATCH ? 1 : sizeof(float));
    }
    return args;
}

static void free_call(struct call *call)
{
    REQUIRE(clFinish(device.queue));
    REQUIRE(clReleaseMemObject(call->mem));
    clkl_plan_release(call->plan);
}

/* ---- Verdicts ---- */

static void expect_refused(clkl_plan *plan, const clkl_args *args, clkl_status status,
                           const char *says, const char *also)
{
    clkl_error error = {.struct_size = sizeof error};
    cl_event event = (cl_event)(void *)&error;
    cr_expect_eq(clkl_enqueue(plan, device.queue, args, 0, NULL, &event, &error), status, "%s",
                 says);
    cr_expect(strstr(error.message, says) != NULL && strstr(error.message, also) != NULL,
              "%s, %s: \"%s\"", says, also, error.message);
    cr_expect_null(event, "%s", says);
}

static void expect_accepted(clkl_plan *plan, const clkl_args *args, const char *what)
{
    clkl_error error = {.struct_size = sizeof error};
    cr_expect_eq(clkl_enqueue(plan, device.queue, args, 0, NULL, NULL, &error), CLKL_OK, "%s: %s",
                 what, error.message);
}

/* ---- Buffers ---- */

Test(device_gradient_args, missing_and_small_buffers)
{
    struct call call = make_call();
    for (int i = 0; i < FIELDS; ++i) {
        clkl_args args = args_of(&call);
        const size_t unit = i == SCRATCH ? 1 : sizeof(float);
        buffer_of(&args, i)->offset = (BYTES - call.sizes[i] + fields[i].step) / unit;
        if (i == SCRATCH)
            buffer_of(&args, i)->offset = buffer_of(&args, i)->offset / 16 * 16 + 16;
        expect_refused(call.plan, &args, CLKL_BUFFER_TOO_SMALL, fields[i].name, "bytes");
        buffer_of(&args, i)->mem = NULL;
        if (fields[i].needed)
            expect_refused(call.plan, &args, CLKL_INVALID_ARGUMENT, fields[i].name, "NULL");
        else
            expect_accepted(call.plan, &args, fields[i].name);
    }
    free_call(&call);
}

Test(device_gradient_args, buffers_that_kernels_may_not_use_so)
{
    struct call call = make_call();
    for (int i = 0; i < FIELDS; ++i) {
        const bool input = i < INPUTS;
        cl_int code = CL_SUCCESS;
        clkl_args args = args_of(&call);
        cl_mem mem = clCreateBuffer(device.context, input ? CL_MEM_WRITE_ONLY : CL_MEM_READ_ONLY,
                                    BYTES, NULL, &code);
        REQUIRE(code);
        buffer_of(&args, i)->mem = mem;
        expect_refused(call.plan, &args, CLKL_INVALID_ARGUMENT, fields[i].name,
                       input ? "write-only" : "read-only");
        REQUIRE(clReleaseMemObject(mem));
    }
    free_call(&call);
}

/* ---- What is not asked for, and what is missing ---- */

Test(device_gradient_args, gradients_that_were_not_asked_for)
{
    struct call call = make_call();
    for (int i = 0; i < 4; ++i) {
        const clkl_args args = args_of(&call);
        clkl_spec spec = usual_spec();
        spec.gradients &= ~(1u << i);
        clkl_plan *plan = plan_of(&spec);
        expect_refused(plan, &args, CLKL_INVALID_ARGUMENT, fields[GRADIENTS + i].name,
                       "does not ask");
        clkl_plan_release(plan);
    }
    free_call(&call);
}

/* No side without arrays has gradients; a scale beside packed moments is passed over. */
Test(device_gradient_args, gradients_of_sides_without_arrays)
{
    struct call call = make_call();
    clkl_args args = args_of(&call);
    clkl_spec spec = usual_spec();
    spec.gradients = CLKL_GRADIENT_P_MEAN;
    spec.p.form = CLKL_MOMENTS;
    spec.q.form = CLKL_STANDARD_NORMAL;
    clkl_plan *plan = plan_of(&spec);
    expect_refused(plan, &args, CLKL_INVALID_ARGUMENT, "q_mean_gradient", "does not ask");
    args.q_mean_gradient.mem = NULL;
    expect_refused(plan, &args, CLKL_INVALID_ARGUMENT, "q_scale_gradient", "does not ask");
    args.q_scale_gradient.mem = NULL;
    args.p_mean.offset = args.p_mean_gradient.offset + BATCH * 2 * ELEMENTS;
    args.p_scale_gradient.offset = SIZE_MAX;
    expect_accepted(plan, &args, "a scale's gradient beside packed moments");
    clkl_plan_release(plan);
    spec = (clkl_spec){.struct_size = sizeof spec, .rank = 2, .shape = {BATCH, ELEMENTS}};
    spec.p.form = CLKL_DETERMINISTIC;
    plan = plan_of(&spec);
    args.result = (clkl_buffer){call.mem, 0};
    expect_refused(plan, &args, CLKL_INVALID_ARGUMENT, "p_mean_gradient", "does not ask");
    args.p_mean_gradient.mem = args.p_scale_gradient.mem = NULL;
    expect_accepted(plan, &args, "a deterministic P");
    clkl_plan_release(plan);
    free_call(&call);
}

Test(device_gradient_args, factors_values_and_status)
{
    struct call call = make_call();
    clkl_args args = args_of(&call);
    args.factors.given = 2;
    expect_refused(call.plan, &args, CLKL_INVALID_ARGUMENT, "factors.given is 2", "0 or 1");
    args.factors = (clkl_upstream_factors){1, 7, 1.0, 1.0};
    expect_refused(call.plan, &args, CLKL_INVALID_ARGUMENT, "factors.zero 7", "0 or 1");
    args = args_of(&call);
    args.values.mem = NULL;
    expect_refused(call.plan, &args, CLKL_INVALID_ARGUMENT, "values.mem is NULL", "earlier call");
    args = args_of(&call);
    args.weights.mem = NULL;
    expect_refused(call.plan, &args, CLKL_INVALID_ARGUMENT, "weights.mem is NULL", "");
    args = args_of(&call);
    args.value_status.mem = call.mem;
    expect_refused(call.plan, &args, CLKL_INVALID_ARGUMENT, "value_status", "no result");
    args = args_of(&call);
    args.clamp_counts.mem = call.mem;
    expect_refused(call.plan, &args, CLKL_INVALID_ARGUMENT, "clamp_counts", "no result");
    args = args_of(&call);
    args.result = (clkl_buffer){call.mem, SIZE_MAX};
    expect_accepted(call.plan, &args, "a result that is not used");
    free_call(&call);
}

/* Values alone have no upstream gradient, but its factors must be right all the same. */
Test(device_gradient_args, without_gradients)
{
    struct call call = make_call();
    clkl_spec spec = usual_spec();
    clkl_args args = args_of(&call);
    spec.gradients = spec.outputs = 0;
    clkl_plan *plan = plan_of(&spec);
    args.result = (clkl_buffer){call.mem, 0};
    for (int i = 0; i < 4; ++i)
        buffer_of(&args, GRADIENTS + i)->mem = NULL;
    args.upstream.offset = args.values.offset = SIZE_MAX;
    expect_accepted(plan, &args, "upstream and values that are not used");
    args.factors.given = 3;
    expect_refused(plan, &args, CLKL_INVALID_ARGUMENT, "factors.given is 3", "0 or 1");
    clkl_plan_release(plan);
    free_call(&call);
}

/* ---- What lies over something else ---- */

/* `moved` goes before and behind `other`: as near as it can be, and one step nearer. */
static void check_beside(struct call *call, int moved, int other)
{
    const size_t step = fields[moved].step, home = call->begins[moved];
    const size_t begin = call->begins[other], end = begin + call->sizes[other];
    const size_t before = (begin - call->sizes[moved]) / step * step;
    const size_t behind = (end + step - 1) / step * step;
    const size_t apart[] = {before, behind}, together[] = {before + step, behind - step, begin};
    for (size_t i = 0; i < COUNT(apart) + COUNT(together); ++i) {
        call->begins[moved] = i < COUNT(apart) ? apart[i] : together[i - COUNT(apart)];
        const clkl_args args = args_of(call);
        if (i < COUNT(apart))
            expect_accepted(call->plan, &args, fields[moved].name);
        else
            expect_refused(call->plan, &args, CLKL_INVALID_ARGUMENT, fields[moved].name,
                           fields[other].name);
    }
    call->begins[moved] = home;
}

Test(device_gradient_args, overlaps)
{
    struct call call = make_call();
    for (int moved = GRADIENTS; moved < FIELDS; ++moved)
        for (int other = 0; other < FIELDS; ++other)
            if (other != moved)
                check_beside(&call, moved, other);
    free_call(&call);
}

/* Two gradients that lie between one another, as their strides say. */
Test(device_gradient_args, gradients_by_turns)
{
    struct call call = make_call();
    clkl_spec spec = usual_spec();
    clkl_args args = args_of(&call);
    spec.p.layout = CLKL_STRIDED;
    spec.shape[1] = ELEMENTS / 2;
    spec.p.mean_strides[0] = spec.p.scale_strides[0] = ELEMENTS;
    spec.p.mean_strides[1] = spec.p.scale_strides[1] = 2;
    clkl_plan *plan = plan_of(&spec);
    args.scratch.mem = NULL;
    args.p_scale.offset = args.p_mean.offset + 1;
    args.p_scale_gradient.offset = args.p_mean_gradient.offset + 1;
    expect_accepted(plan, &args, "means at even places, scales at odd ones");
    args.q_mean_gradient.offset = args.upstream.offset;
    expect_refused(plan, &args, CLKL_INVALID_ARGUMENT, "q_mean_gradient", "upstream");
    clkl_plan_release(plan);
    free_call(&call);
}
