/* The contract of clkl_enqueue: what it refuses, when its results are there, and who may release
 * what when. */
#include "support/compare.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 3, ELEMENTS = 40000 }; /* rows so long that they take two stages everywhere */

static struct test_device device;

static void open_device(void)
{
    test_device_open(&device);
}

static void close_device(void)
{
    test_device_close(&device);
}

TestSuite(device_enqueue, .init = open_device, .fini = close_device, .timeout = 120);

#define REQUIRE(call) cr_assert_eq((call), CL_SUCCESS, "%s", #call)

/* ---- One call ---- */

/* A plan, and arguments whose buffers are exactly as large as they have to be; the outputs hold
 * NaN. */
struct call {
    clkl_spec spec;
    clkl_plan *plan;
    clkl_args args;
    struct expected expected;
};

static clkl_spec usual_spec(void)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {BATCH, ELEMENTS}};
    spec.p.form = CLKL_MEAN_LOGVAR;
    spec.q.form = CLKL_MEAN_LOGVAR;
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    spec.clamp = CLKL_CLAMP;
    spec.clamp_low = -1.0;
    spec.clamp_high = 1.0;
    return spec;
}

/* Every byte is 0xff, which is a NaN and no count. */
static cl_mem spoiled_buffer(size_t bytes)
{
    void *data = malloc(bytes);
    cr_assert_not_null(data);
    memset(data, 0xff, bytes);
    cl_mem mem = test_buffer(&device, data, bytes);
    free(data);
    return mem;
}

static struct call make_tuned_call(const struct clkl_tuning *tuning)
{
    static float arrays[CLKL_ARRAYS][BATCH * ELEMENTS];
    struct call call = {.spec = usual_spec()};
    struct test_inputs inputs;
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        inputs.arrays[operand] = arrays[operand];
        for (size_t i = 0; i < BATCH * ELEMENTS; ++i)
            arrays[operand][i] = hash_uniform_float(7, (uint64_t)operand, i, -2.0, 2.0);
    }
    expected_make(&call.spec, &inputs, 0, &call.expected);
    cr_assert_eq(clkl_plan_create_tuned(device.device, &call.spec, 0, tuning, &call.plan, NULL),
                 CLKL_OK);
    cr_assert_gt(clkl_plan_scratch_size(call.plan), 0u);
    call.args.struct_size = sizeof call.args;
    call.args.p_mean.mem = test_buffer(&device, arrays[0], sizeof arrays[0]);
    call.args.p_scale.mem = test_buffer(&device, arrays[1], sizeof arrays[1]);
    call.args.q_mean.mem = test_buffer(&device, arrays[2], sizeof arrays[2]);
    call.args.q_scale.mem = test_buffer(&device, arrays[3], sizeof arrays[3]);
    call.args.result.mem = spoiled_buffer(BATCH * sizeof(cl_float));
    call.args.value_status.mem = spoiled_buffer(BATCH * sizeof(cl_uint));
    call.args.clamp_counts.mem = spoiled_buffer(BATCH * sizeof(cl_uint2));
    call.args.scratch.mem = spoiled_buffer(clkl_plan_scratch_size(call.plan));
    return call;
}

static struct call make_call(void)
{
    const struct clkl_tuning automatic = {0};
    return make_tuned_call(&automatic);
}

static void free_args(const clkl_args *args)
{
    const cl_mem all[] = {args->p_mean.mem,       args->p_scale.mem, args->q_mean.mem,
                          args->q_scale.mem,      args->result.mem,  args->value_status.mem,
                          args->clamp_counts.mem, args->scratch.mem};
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
        if (all[i] != NULL)
            clReleaseMemObject(all[i]);
}

static void free_call(struct call *call)
{
    clkl_plan_release(call->plan);
    free_args(&call->args);
    expected_free(&call->expected);
}

/* Reads by the test's own queue, after all that is before it in there. */
static void read_buffer(cl_mem mem, size_t bytes, void *data)
{
    REQUIRE(clEnqueueReadBuffer(device.queue, mem, CL_TRUE, 0, bytes, data, 0, NULL, NULL));
}

static void expect_results(const struct call *call, const char *what)
{
    const struct tolerance tolerance = device_tolerance(&device);
    struct outcome outcome = outcome_make(&call->expected);
    read_buffer(call->args.result.mem, BATCH * sizeof(float), outcome.values);
    read_buffer(call->args.value_status.mem, BATCH * sizeof(uint32_t), outcome.status);
    read_buffer(call->args.clamp_counts.mem, BATCH * sizeof(clkl_clamp_count), outcome.clamped);
    expect_agreement(&call->expected, &outcome, &tolerance, "%s", what);
    outcome_free(&outcome);
}

static bool is_spoiled(cl_mem mem, size_t bytes)
{
    unsigned char data[BATCH * sizeof(cl_uint2)];
    cr_assert_leq(bytes, sizeof data);
    read_buffer(mem, bytes, data);
    for (size_t i = 0; i < bytes; ++i)
        if (data[i] != 0xff)
            return false;
    return true;
}

static bool is_untouched(const struct call *call)
{
    return is_spoiled(call->args.result.mem, BATCH * sizeof(cl_float)) &&
           is_spoiled(call->args.value_status.mem, BATCH * sizeof(cl_uint)) &&
           is_spoiled(call->args.clamp_counts.mem, BATCH * sizeof(cl_uint2));
}

/* ---- Refusals ---- */

/* What is passed beside plan and queue. */
struct attempt {
    clkl_plan *plan;
    cl_command_queue queue;
    const clkl_args *args;
    cl_uint n_wait;
    const cl_event *wait_list;
};

/* Refused with that status, the text in the message, no event, and no output written. */
static void expect_refused(const struct call *call, struct attempt attempt, clkl_status expected,
                           const char *text)
{
    clkl_error error = {.struct_size = sizeof error};
    cl_event event = (cl_event)(uintptr_t)&error;
    const clkl_status status = clkl_enqueue(attempt.plan, attempt.queue, attempt.args,
                                            attempt.n_wait, attempt.wait_list, &event, &error);
    cr_expect(status == expected && error.status == expected, "%s: status %d", text, status);
    cr_expect(strstr(error.message, text) != NULL, "%s: the message is \"%s\"", text,
              error.message);
    cr_expect_null(event, "%s", text);
    cr_expect_eq(clkl_enqueue(attempt.plan, attempt.queue, attempt.args, attempt.n_wait,
                              attempt.wait_list, NULL, NULL),
                 expected, "%s", text);
    cr_expect(is_untouched(call), "%s: outputs were written", text);
}

static void expect_args_refused(const struct call *call, const clkl_args *args,
                                clkl_status expected, const char *text)
{
    expect_refused(call, (struct attempt){call->plan, device.queue, args, 0, NULL}, expected, text);
}

Test(device_enqueue, refuses_null_and_sizes)
{
    struct call call = make_call();
    const struct attempt good = {call.plan, device.queue, &call.args, 0, NULL};
    struct attempt bad = good;
    bad.plan = NULL;
    expect_refused(&call, bad, CLKL_INVALID_ARGUMENT, "plan");
    bad = good;
    bad.queue = NULL;
    expect_refused(&call, bad, CLKL_INVALID_ARGUMENT, "queue");
    bad = good;
    bad.args = NULL;
    expect_refused(&call, bad, CLKL_INVALID_ARGUMENT, "args");
    clkl_args args = call.args;
    args.struct_size = offsetof(clkl_args, weights) - 1; /* less than 0.1 had */
    expect_args_refused(&call, &args, CLKL_INVALID_ARGUMENT, "struct_size");
    args = call.args;
    args.batch = BATCH + 1;
    expect_args_refused(&call, &args, CLKL_INVALID_ARGUMENT, "batch");
    free_call(&call);
}

Test(device_enqueue, refuses_wrong_wait_lists)
{
    struct call call = make_call();
    cl_int code = CL_SUCCESS;
    cl_event user = clCreateUserEvent(device.context, &code);
    REQUIRE(code);
    struct attempt bad = {call.plan, device.queue, &call.args, 1, NULL};
    expect_refused(&call, bad, CLKL_INVALID_ARGUMENT, "wait_list");
    bad.n_wait = 0;
    bad.wait_list = &user;
    expect_refused(&call, bad, CLKL_INVALID_ARGUMENT, "wait_list");
    cl_context foreign = clCreateContext(NULL, 1, &device.id, NULL, NULL, &code);
    REQUIRE(code);
    cl_event stranger = clCreateUserEvent(foreign, &code);
    REQUIRE(code);
    const cl_event lists[][2] = {{NULL, user}, {user, NULL}, {user, stranger}};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; ++i) {
        bad.n_wait = 2;
        bad.wait_list = lists[i];
        expect_refused(&call, bad, CLKL_INVALID_ARGUMENT, "wait_list");
    }
    REQUIRE(clSetUserEventStatus(stranger, CL_COMPLETE));
    REQUIRE(clSetUserEventStatus(user, CL_COMPLETE));
    clReleaseEvent(stranger);
    clReleaseContext(foreign);
    clReleaseEvent(user);
    free_call(&call);
}

struct field {
    const char *name;
    size_t at;         /* of the clkl_buffer in clkl_args */
    bool needed;       /* mem may not be NULL */
    size_t one_beyond; /* an offset that is too large */
};

static const struct field fields[] = {
    {"p_mean", offsetof(clkl_args, p_mean), true, 1},
    {"p_scale", offsetof(clkl_args, p_scale), true, 1},
    {"q_mean", offsetof(clkl_args, q_mean), true, 1},
    {"q_scale", offsetof(clkl_args, q_scale), true, 1},
    {"result", offsetof(clkl_args, result), true, 1},
    {"value_status", offsetof(clkl_args, value_status), false, 1},
    {"clamp_counts", offsetof(clkl_args, clamp_counts), false, 1},
    {"scratch", offsetof(clkl_args, scratch), false, 16},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static clkl_buffer *buffer_of(clkl_args *args, const struct field *field)
{
    return (clkl_buffer *)(void *)((char *)args + field->at);
}

Test(device_enqueue, refuses_missing_and_small_buffers)
{
    struct call call = make_call();
    for (int i = 0; i < FIELDS; ++i) {
        const struct field *field = &fields[i];
        clkl_args args = call.args;
        buffer_of(&args, field)->offset = field->one_beyond;
        expect_args_refused(&call, &args, CLKL_BUFFER_TOO_SMALL, field->name);
        buffer_of(&args, field)->offset = SIZE_MAX - 15;
        expect_args_refused(&call, &args, CLKL_BUFFER_TOO_SMALL, field->name);
        if (field->needed) {
            *buffer_of(&args, field) = (clkl_buffer){NULL, 0};
            expect_args_refused(&call, &args, CLKL_INVALID_ARGUMENT, field->name);
        }
    }
    clkl_args args = call.args;
    args.scratch.offset = 8;
    expect_args_refused(&call, &args, CLKL_INVALID_ARGUMENT, "scratch");
    free_call(&call);
}

/* Puts another memory object into some of the fields in turn, and releases it. */
static void expect_mem_refused(struct call *call, cl_mem mem, int first, int end)
{
    for (int i = first; i < end; ++i) {
        clkl_args args = call->args;
        buffer_of(&args, &fields[i])->mem = mem;
        expect_args_refused(call, &args, CLKL_INVALID_ARGUMENT, fields[i].name);
    }
    REQUIRE(clReleaseMemObject(mem));
}

Test(device_enqueue, refuses_what_kernels_may_not_use_so)
{
    enum { INPUTS = 4, BYTES = 1 << 20 };
    const cl_image_format format = {CL_RGBA, CL_UNSIGNED_INT8};
    const cl_image_desc extent = {
        .image_type = CL_MEM_OBJECT_IMAGE2D, .image_width = 256, .image_height = 256};
    struct call call = make_call();
    cl_int code = CL_SUCCESS;
    cl_mem mem = clCreateBuffer(device.context, CL_MEM_WRITE_ONLY, BYTES, NULL, &code);
    REQUIRE(code);
    expect_mem_refused(&call, mem, 0, INPUTS);
    mem = clCreateBuffer(device.context, CL_MEM_READ_ONLY, BYTES, NULL, &code);
    REQUIRE(code);
    expect_mem_refused(&call, mem, INPUTS, FIELDS);
    mem = clCreateImage(device.context, CL_MEM_READ_WRITE, &format, &extent, NULL, &code);
    if (code == CL_SUCCESS) /* else the device has no images */
        expect_mem_refused(&call, mem, 0, FIELDS);
    free_call(&call);
}

Test(device_enqueue, refuses_counts_that_were_not_asked_for)
{
    struct call call = make_call();
    clkl_spec spec = call.spec;
    clkl_plan *plan = NULL;
    spec.outputs = 0;
    cr_assert_eq(clkl_plan_create(device.device, &spec, 0, &plan, NULL), CLKL_OK);
    expect_refused(&call, (struct attempt){plan, device.queue, &call.args, 0, NULL},
                   CLKL_INVALID_ARGUMENT, "clamp_counts");
    clkl_plan_release(plan);
    free_call(&call);
}

Test(device_enqueue, refuses_another_context)
{
    struct call call = make_call();
    struct test_device other;
    test_device_open(&other);
    expect_refused(&call, (struct attempt){call.plan, other.queue, &call.args, 0, NULL},
                   CLKL_INVALID_ARGUMENT, "queue");
    cl_mem mem = test_buffer(&other, NULL, BATCH * ELEMENTS * sizeof(float));
    for (int i = 0; i < FIELDS; ++i) {
        clkl_args args = call.args;
        buffer_of(&args, &fields[i])->mem = mem;
        expect_args_refused(&call, &args, CLKL_INVALID_ARGUMENT, fields[i].name);
    }
    clReleaseMemObject(mem);
    test_device_close(&other);
    free_call(&call);
}

/* ---- When the results are there ---- */

Test(device_enqueue, buffers_may_be_exactly_as_large_as_needed)
{
    struct call call = make_call();
    cr_assert_eq(clkl_enqueue(call.plan, device.queue, &call.args, 0, NULL, NULL, NULL), CLKL_OK);
    expect_results(&call, "exact sizes");
    free_call(&call);
}

/* An out-of-order queue, or the usual one where the device has none. */
static cl_command_queue free_queue(void)
{
    cl_int code = CL_SUCCESS;
    cl_command_queue queue = clCreateCommandQueue(device.context, device.id,
                                                  CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
    if (code != CL_SUCCESS)
        queue = clCreateCommandQueue(device.context, device.id, 0, &code);
    REQUIRE(code);
    return queue;
}

/* The event covers both stages: nothing else is waited for, and another queue reads. The second
 * stage is made long. */
Test(device_enqueue, event_is_complete_when_the_results_are_there)
{
    const struct clkl_tuning tuning = {.chunk = 1};
    struct call call = make_tuned_call(&tuning);
    cl_command_queue queue = free_queue();
    for (int i = 0; i < 10; ++i) {
        cl_event event = NULL;
        cr_assert_eq(clkl_enqueue(call.plan, queue, &call.args, 0, NULL, &event, NULL), CLKL_OK);
        cr_assert_not_null(event);
        REQUIRE(clWaitForEvents(1, &event));
        expect_results(&call, "after the event");
        REQUIRE(clReleaseEvent(event));
    }
    clReleaseCommandQueue(queue);
    free_call(&call);
}

static cl_int status_of(cl_event event)
{
    cl_int status = CL_COMPLETE;
    REQUIRE(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL));
    return status;
}

static void wait_a_moment(void)
{
    const struct timespec moment = {0, 30000000};
    nanosleep(&moment, NULL);
}

/* Enqueues behind a user event; nothing happens until it is set. */
static void check_waiting(struct call *call, cl_command_queue queue)
{
    cl_int code = CL_SUCCESS;
    cl_event user = clCreateUserEvent(device.context, &code), event = NULL;
    REQUIRE(code);
    cr_assert_eq(clkl_enqueue(call->plan, queue, &call->args, 1, &user, &event, NULL), CLKL_OK);
    wait_a_moment();
    cr_expect_neq(status_of(event), CL_COMPLETE);
    cr_expect(is_untouched(call), "something happened before the event was set");
    REQUIRE(clSetUserEventStatus(user, CL_COMPLETE));
    REQUIRE(clWaitForEvents(1, &event));
    clReleaseEvent(event);
    clReleaseEvent(user);
}

Test(device_enqueue, waits_for_the_events_given)
{
    struct call call = make_call();
    cl_command_queue queue = free_queue();
    check_waiting(&call, queue);
    expect_results(&call, "after a user event");
    clReleaseCommandQueue(queue);
    free_call(&call);
}

Test(device_enqueue, scratch_may_be_left_to_the_library)
{
    struct call call = make_call();
    clReleaseMemObject(call.args.scratch.mem);
    call.args.scratch.mem = NULL;
    cl_command_queue queue = free_queue();
    check_waiting(&call, queue);
    expect_results(&call, "own scratch");
    clReleaseCommandQueue(queue);
    free_call(&call);
}

/* ---- A deterministic P ---- */

/* Zeros in `count` values of `words` words each, from the value `first` on; the rest is spoiled. */
static void expect_zeros(cl_mem mem, size_t words, size_t first, size_t count, const char *what)
{
    cl_uint data[2 * BATCH];
    read_buffer(mem, BATCH * words * sizeof *data, data);
    for (size_t i = 0; i < BATCH * words; ++i) {
        const bool inside = i / words >= first && i / words < first + count;
        cr_expect_eq(data[i], inside ? 0u : UINT32_MAX, "%s, word %zu", what, i);
    }
}

static void expect_all_zeros(const clkl_args *args, size_t first, size_t count)
{
    expect_zeros(args->result.mem, 1, first, count, "result");
    expect_zeros(args->value_status.mem, 1, first, count, "value_status");
    expect_zeros(args->clamp_counts.mem, 2, first, count, "clamp_counts");
}

/* Gives zeros in all outputs, needs no inputs, and waits as every call does. */
Test(device_enqueue, deterministic_p)
{
    struct call call = {.spec = usual_spec()};
    call.spec.p.form = CLKL_DETERMINISTIC;
    cr_assert_eq(clkl_plan_create(device.device, &call.spec, 0, &call.plan, NULL), CLKL_OK);
    cr_expect_eq(clkl_plan_scratch_size(call.plan), 0u);
    call.args = (clkl_args){.struct_size = sizeof call.args, .batch = 1};
    call.args.result = (clkl_buffer){spoiled_buffer(BATCH * sizeof(cl_float)), 1};
    call.args.value_status = (clkl_buffer){spoiled_buffer(BATCH * sizeof(cl_uint)), 1};
    call.args.clamp_counts = (clkl_buffer){spoiled_buffer(BATCH * sizeof(cl_uint2)), 1};
    cl_command_queue queue = free_queue();
    check_waiting(&call, queue);
    expect_all_zeros(&call.args, 1, 1);
    call.args.batch = BATCH;
    call.args.result.offset = call.args.value_status.offset = call.args.clamp_counts.offset = 0;
    cr_assert_eq(clkl_enqueue(call.plan, device.queue, &call.args, 0, NULL, NULL, NULL), CLKL_OK);
    expect_all_zeros(&call.args, 0, BATCH);
    clReleaseCommandQueue(queue);
    clkl_plan_release(call.plan);
    free_args(&call.args);
}

Test(device_enqueue, plan_may_be_released_at_once)
{
    struct call call = make_call();
    cl_int code = CL_SUCCESS;
    cl_event user = clCreateUserEvent(device.context, &code), event = NULL;
    REQUIRE(code);
    cr_assert_eq(clkl_enqueue(call.plan, device.queue, &call.args, 1, &user, &event, NULL),
                 CLKL_OK);
    clkl_plan_release(call.plan);
    call.plan = NULL;
    REQUIRE(clSetUserEventStatus(user, CL_COMPLETE));
    REQUIRE(clWaitForEvents(1, &event));
    expect_results(&call, "a plan released");
    clReleaseEvent(event);
    clReleaseEvent(user);
    free_call(&call);
}

Test(device_enqueue, device_may_be_released_before_its_plans)
{
    struct call call = make_call();
    clkl_device *own = NULL;
    clkl_plan_release(call.plan);
    cr_assert_eq(clkl_device_create(device.context, device.id, &own, NULL), CLKL_OK);
    cr_assert_eq(clkl_plan_create(own, &call.spec, 0, &call.plan, NULL), CLKL_OK);
    clkl_device_release(own);
    cr_assert_eq(clkl_enqueue(call.plan, device.queue, &call.args, 0, NULL, NULL, NULL), CLKL_OK);
    expect_results(&call, "a device released");
    free_call(&call);
}

/* Programs are listed latest first, so the first one shows whether another was built. */
static bool builds_nothing(const clkl_spec *spec)
{
    const struct clkl_program *latest = device.device->programs;
    clkl_plan *plan = NULL;
    cr_assert_eq(clkl_plan_create(device.device, spec, 0, &plan, NULL), CLKL_OK);
    clkl_plan_release(plan);
    return device.device->programs == latest;
}

Test(device_enqueue, a_second_shape_builds_nothing)
{
    clkl_spec spec = usual_spec();
    cr_expect_not(builds_nothing(&spec));
    cr_expect(builds_nothing(&spec));
    spec.shape[0] = 70;
    spec.shape[1] = 1000;
    spec.clamp_low = -20.0;
    cr_expect(builds_nothing(&spec), "another shape");
    spec.q.layout = CLKL_SHARED;
    cr_expect(builds_nothing(&spec), "Q shared");
    spec.outputs = 0;
    cr_expect_not(builds_nothing(&spec), "without counts");
}
