/* Contexts that follow one another, contexts with several devices, and sub-devices. */
#include "support/compare.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(device_contexts, .timeout = 120);

#define REQUIRE(call)                                          \
    do {                                                       \
        const int code_ = (int)(call);                         \
        cr_assert(code_ == 0, "%s returned %d", #call, code_); \
    } while (0)

/* ---- What is computed: rows so long that they take two stages ---- */

enum { BATCH = 4, ELEMENTS = 40000 };

struct subject {
    clkl_spec spec;
    float *arrays[CLKL_ARRAYS];
    struct test_inputs inputs;
    struct expected expected;
};

static struct subject make_subject(double bound)
{
    struct subject subject = {.spec = {.struct_size = sizeof subject.spec, .rank = 2}};
    clkl_spec *spec = &subject.spec;
    spec->shape[0] = BATCH;
    spec->shape[1] = ELEMENTS;
    spec->p.form = spec->q.form = CLKL_MEAN_LOGVAR;
    spec->outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    spec->clamp = CLKL_CLAMP;
    spec->clamp_low = -bound;
    spec->clamp_high = bound;
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        float *array = subject.arrays[operand] = malloc(BATCH * ELEMENTS * sizeof *array);
        cr_assert_not_null(array);
        for (size_t i = 0; i < BATCH * ELEMENTS; ++i)
            array[i] = hash_uniform_float(12, (uint64_t)operand, i, -2.0, 2.0);
        subject.inputs.arrays[operand] = array;
    }
    expected_make(spec, &subject.inputs, 0, &subject.expected);
    return subject;
}

static void free_subject(struct subject *subject)
{
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        free(subject->arrays[operand]);
    expected_free(&subject->expected);
}

/* ---- One after the other ---- */

static void run_in(struct test_device *device, const struct subject *subject, int round)
{
    const struct tolerance tolerance = device_tolerance(device);
    struct outcome outcome = outcome_make(&subject->expected);
    outcome_run(&outcome, device, &subject->spec, NULL, &subject->inputs, 0);
    expect_agreement(&subject->expected, &outcome, &tolerance, "context %d", round);
    outcome_free(&outcome);
}

static bool contains(cl_context *contexts, int count, cl_context context)
{
    for (int i = 0; i < count; ++i)
        if (contexts[i] == context)
            return true;
    return false;
}

/* A context at the address of one of those, if there is one to be had in 50 tries. */
static bool open_at_one_of(struct test_device *device, cl_context *contexts, int count)
{
    for (int tries = 1;; ++tries) {
        test_device_open(device);
        if (contains(contexts, count, device->context))
            return true;
        if (tries == 50)
            return false;
        test_device_close(device);
    }
}

/* Each context has a plan of other programs or other bounds than the one before, and is gone when
 * the next is made. */
Test(device_contexts, one_after_another)
{
    enum { ROUNDS = 6 };
    cl_context seen[ROUNDS];
    struct subject subjects[] = {make_subject(1.0), make_subject(0.25), make_subject(1.5)};
    subjects[1].spec.outputs = 0; /* another program */
    expected_free(&subjects[1].expected);
    expected_make(&subjects[1].spec, &subjects[1].inputs, 0, &subjects[1].expected);
    int again = 0;
    for (int round = 0; round < ROUNDS; ++round) {
        struct test_device device;
        again += open_at_one_of(&device, seen, round);
        seen[round] = device.context;
        run_in(&device, &subjects[round % 3], round);
        test_device_close(&device);
    }
    printf("%d of %d contexts had the address of an earlier one\n", again, ROUNDS - 1);
    for (int i = 0; i < 3; ++i)
        free_subject(&subjects[i]);
}

/* ---- Several devices in one context ---- */

enum { MOST = 2 };

/* A context, and for each of its devices a queue and a plan; buffers are everyone's. */
struct rig {
    cl_context context;
    cl_uint count;
    cl_device_id ids[MOST];
    cl_command_queue queues[MOST];
    clkl_device *devices[MOST];
    clkl_plan *plans[MOST];
    clkl_args args; /* without outputs and scratch */
};

static cl_mem make_buffer(const struct rig *rig, size_t bytes, void *data)
{
    cl_int code = CL_SUCCESS;
    cl_mem mem = clCreateBuffer(
        rig->context, CL_MEM_READ_WRITE | (data ? CL_MEM_COPY_HOST_PTR : 0u), bytes, data, &code);
    REQUIRE(code);
    return mem;
}

static struct rig make_rig(const cl_device_id *ids, cl_uint count, const struct subject *subject)
{
    struct rig rig = {.count = count, .args = {.struct_size = sizeof rig.args}};
    cl_int code = CL_SUCCESS;
    rig.context = clCreateContext(NULL, count, ids, NULL, NULL, &code);
    REQUIRE(code);
    for (cl_uint i = 0; i < count; ++i) {
        rig.ids[i] = ids[i];
        rig.queues[i] = clCreateCommandQueue(rig.context, ids[i], 0, &code);
        REQUIRE(code);
        REQUIRE(clkl_device_create(rig.context, ids[i], &rig.devices[i], NULL));
        REQUIRE(clkl_plan_create(rig.devices[i], &subject->spec, 0, &rig.plans[i], NULL));
    }
    clkl_buffer *inputs[] = {&rig.args.p_mean, &rig.args.p_scale, &rig.args.q_mean,
                             &rig.args.q_scale};
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        inputs[operand]->mem =
            make_buffer(&rig, BATCH * ELEMENTS * sizeof(float), subject->arrays[operand]);
    return rig;
}

static void free_rig(struct rig *rig)
{
    const cl_mem inputs[] = {rig->args.p_mean.mem, rig->args.p_scale.mem, rig->args.q_mean.mem,
                             rig->args.q_scale.mem};
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; ++i)
        REQUIRE(clReleaseMemObject(inputs[i]));
    for (cl_uint i = 0; i < rig->count; ++i) {
        clkl_plan_release(rig->plans[i]);
        clkl_device_release(rig->devices[i]);
        REQUIRE(clReleaseCommandQueue(rig->queues[i]));
    }
    REQUIRE(clReleaseContext(rig->context));
}

/* Arguments for `batch` samples from `first` on, with places in outputs for the whole batch. */
static clkl_args args_for(const struct rig *rig, const clkl_args *outputs, size_t first,
                          size_t batch)
{
    clkl_args args = rig->args;
    args.p_mean.offset = args.p_scale.offset = first * ELEMENTS;
    args.q_mean.offset = args.q_scale.offset = first * ELEMENTS;
    args.result = (clkl_buffer){outputs->result.mem, first};
    args.value_status = (clkl_buffer){outputs->value_status.mem, first};
    args.clamp_counts = (clkl_buffer){outputs->clamp_counts.mem, first};
    args.batch = batch;
    return args;
}

static clkl_args make_outputs(const struct rig *rig)
{
    clkl_args outputs = {.struct_size = sizeof outputs};
    outputs.result.mem = make_buffer(rig, BATCH * sizeof(cl_float), NULL);
    outputs.value_status.mem = make_buffer(rig, BATCH * sizeof(cl_uint), NULL);
    outputs.clamp_counts.mem = make_buffer(rig, BATCH * sizeof(cl_uint2), NULL);
    return outputs;
}

static void free_outputs(clkl_args *outputs)
{
    REQUIRE(clReleaseMemObject(outputs->result.mem));
    REQUIRE(clReleaseMemObject(outputs->value_status.mem));
    REQUIRE(clReleaseMemObject(outputs->clamp_counts.mem));
}

static void read_buffer(cl_command_queue queue, cl_mem mem, size_t bytes, void *data)
{
    REQUIRE(clEnqueueReadBuffer(queue, mem, CL_TRUE, 0, bytes, data, 0, NULL, NULL));
}

static struct outcome read_outcome(const struct subject *subject, const clkl_args *outputs,
                                   cl_command_queue queue)
{
    struct outcome outcome = outcome_make(&subject->expected);
    read_buffer(queue, outputs->result.mem, BATCH * sizeof(cl_float), outcome.values);
    read_buffer(queue, outputs->value_status.mem, BATCH * sizeof(cl_uint), outcome.status);
    read_buffer(queue, outputs->clamp_counts.mem, BATCH * sizeof(cl_uint2), outcome.clamped);
    return outcome;
}

/* The whole batch on one device, read back by its queue. */
static struct outcome run_on(const struct rig *rig, cl_uint which, const struct subject *subject)
{
    clkl_args outputs = make_outputs(rig);
    const clkl_args args = args_for(rig, &outputs, 0, BATCH);
    REQUIRE(clkl_enqueue(rig->plans[which], rig->queues[which], &args, 0, NULL, NULL, NULL));
    struct outcome outcome = read_outcome(subject, &outputs, rig->queues[which]);
    free_outputs(&outputs);
    return outcome;
}

/* The first half of the batch on one device, the second on the other after it, in one set of
 * outputs. */
static struct outcome run_on_both(const struct rig *rig, const struct subject *subject)
{
    enum { HALF = BATCH / 2 };
    clkl_args outputs = make_outputs(rig);
    const clkl_args first = args_for(rig, &outputs, 0, HALF);
    const clkl_args second = args_for(rig, &outputs, HALF, BATCH - HALF);
    cl_event half = NULL, whole = NULL;
    REQUIRE(clkl_enqueue(rig->plans[0], rig->queues[0], &first, 0, NULL, &half, NULL));
    REQUIRE(clFlush(rig->queues[0]));
    REQUIRE(clkl_enqueue(rig->plans[1], rig->queues[1], &second, 1, &half, &whole, NULL));
    REQUIRE(clWaitForEvents(1, &whole));
    struct outcome outcome = read_outcome(subject, &outputs, rig->queues[1]);
    REQUIRE(clReleaseEvent(half));
    REQUIRE(clReleaseEvent(whole));
    free_outputs(&outputs);
    return outcome;
}

/* A plan refuses the queue of another device of its context. */
static void expect_refusal(const struct rig *rig)
{
    clkl_args outputs = make_outputs(rig);
    const clkl_args args = args_for(rig, &outputs, 0, BATCH);
    for (cl_uint i = 0; i < rig->count; ++i) {
        clkl_error error = {.struct_size = sizeof error};
        cl_event event = NULL;
        const clkl_status status = clkl_enqueue(rig->plans[i], rig->queues[(i + 1) % rig->count],
                                                &args, 0, NULL, &event, &error);
        cr_expect_eq(status, CLKL_INVALID_ARGUMENT);
        cr_expect(strstr(error.message, "queue") != NULL, "the message is \"%s\"", error.message);
        cr_expect_null(event);
    }
    free_outputs(&outputs);
}

static void expect_right(const struct rig *rig, const struct subject *subject, const char *what)
{
    const struct test_device first = {.id = rig->ids[0]};
    const struct tolerance tolerance = device_tolerance(&first);
    for (cl_uint i = 0; i < rig->count; ++i) {
        struct outcome outcome = run_on(rig, i, subject);
        expect_agreement(&subject->expected, &outcome, &tolerance, "%s, device %u", what, i);
        outcome_free(&outcome);
    }
    if (rig->count < 2)
        return;
    struct outcome both = run_on_both(rig, subject);
    expect_agreement(&subject->expected, &both, &tolerance, "%s, both devices", what);
    outcome_free(&both);
    expect_refusal(rig);
}

/* The devices of the first platform that has any. */
static cl_uint list_devices(cl_device_id *ids, cl_uint capacity)
{
    cl_platform_id platforms[16];
    cl_uint platform_count = 0, count = 0;
    REQUIRE(clGetPlatformIDs(16, platforms, &platform_count));
    for (cl_uint i = 0; i < platform_count && count == 0; ++i)
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, capacity, ids, &count) != CL_SUCCESS)
            count = 0;
    cr_assert_gt(count, 0u);
    return count < capacity ? count : capacity;
}

/* A device of another context is refused. */
static void expect_stranger(const cl_device_id *ids, const struct subject *subject)
{
    struct rig rig = make_rig(ids, 1, subject);
    clkl_device *stranger = NULL;
    clkl_error error = {.struct_size = sizeof error};
    cr_expect_eq(clkl_device_create(rig.context, ids[1], &stranger, &error), CLKL_INVALID_ARGUMENT);
    cr_expect(strstr(error.message, "does not contain") != NULL, "\"%s\"", error.message);
    cr_expect_null(stranger);
    free_rig(&rig);
}

/* PoCL gives as many devices as it is told to; it reads that at the first OpenCL call. */
static void check_two_devices(const char *devices)
{
    cl_device_id ids[MOST];
    setenv("POCL_DEVICES", devices, 1);
    if (list_devices(ids, MOST) < 2) {
        printf("SKIPPED: this implementation has one device alone\n");
        return;
    }
    struct subject subject = make_subject(1.0);
    struct rig rig = make_rig(ids, 2, &subject);
    expect_right(&rig, &subject, devices);
    expect_stranger(ids, &subject);
    free_rig(&rig);
    free_subject(&subject);
}

Test(device_contexts, two_devices_of_one_kind)
{
    check_two_devices("pthread pthread");
}

Test(device_contexts, two_devices_of_two_kinds)
{
    check_two_devices("basic pthread");
}

/* ---- Sub-devices ---- */

static bool can_be_parted(cl_device_id id, cl_device_partition_property how)
{
    cl_device_partition_property ways[8] = {0};
    size_t size = 0;
    if (clGetDeviceInfo(id, CL_DEVICE_PARTITION_PROPERTIES, sizeof ways, ways, &size) != CL_SUCCESS)
        return false;
    for (size_t i = 0; i < size / sizeof *ways; ++i)
        if (ways[i] == how)
            return true;
    return false;
}

/* Two sub-devices of one compute unit each, or 0 where there cannot be any: rusticl 22.3 says that
 * it has none, and crashes when asked for some. */
static cl_uint part(cl_device_id id, cl_device_partition_property how, cl_device_id *parts)
{
    const cl_device_partition_property equally[] = {CL_DEVICE_PARTITION_EQUALLY, 1, 0};
    const cl_device_partition_property by_counts[] = {CL_DEVICE_PARTITION_BY_COUNTS, 1, 1,
                                                      CL_DEVICE_PARTITION_BY_COUNTS_LIST_END, 0};
    cl_uint units = 0, count = 0;
    cl_device_id all[256];
    REQUIRE(clGetDeviceInfo(id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL));
    if (!can_be_parted(id, how) || units < 2 || units > 256) {
        printf("SKIPPED: this device cannot be parted\n");
        return 0;
    }
    const bool equal = how == CL_DEVICE_PARTITION_EQUALLY;
    REQUIRE(clCreateSubDevices(id, equal ? equally : by_counts, 256, all, &count));
    cr_assert_geq(count, 2u);
    for (cl_uint i = 0; i < count; ++i)
        if (i < 2)
            parts[i] = all[i];
        else
            REQUIRE(clReleaseDevice(all[i]));
    return 2;
}

static cl_device_id root_device(void)
{
    cl_device_id id;
    list_devices(&id, 1);
    return id;
}

/* What is exported from a part goes into the same part again. */
static void expect_blob(const struct rig *rig, const struct subject *subject)
{
    clkl_device *again = NULL;
    clkl_plan *plan = NULL;
    size_t size = 0;
    REQUIRE(clkl_device_export_programs(rig->devices[0], 0, NULL, &size, NULL));
    void *blob = malloc(size);
    cr_assert_not_null(blob);
    REQUIRE(clkl_device_export_programs(rig->devices[0], size, blob, &size, NULL));
    REQUIRE(clkl_device_create(rig->context, rig->ids[0], &again, NULL));
    REQUIRE(clkl_device_import_programs(again, blob, size, NULL));
    const struct clkl_program *latest = again->programs;
    REQUIRE(clkl_plan_create(again, &subject->spec, 0, &plan, NULL));
    cr_expect(latest != NULL && again->programs == latest, "something was built");
    clkl_plan_release(plan);
    clkl_device_release(again);
    free(blob);
}

/* A context over sub-devices, which the library keeps when the caller lets go of them. */
static void check_sub_devices(cl_device_partition_property how, const char *name)
{
    cl_device_id parts[2];
    if (part(root_device(), how, parts) == 0)
        return;
    struct subject subject = make_subject(1.0);
    struct rig rig = make_rig(parts, 2, &subject);
    for (int i = 0; i < 2; ++i)
        REQUIRE(clReleaseDevice(parts[i]));
    expect_right(&rig, &subject, name);
    expect_blob(&rig, &subject);
    free_rig(&rig);
    free_subject(&subject);
}

Test(device_contexts, sub_devices_of_equal_size)
{
    check_sub_devices(CL_DEVICE_PARTITION_EQUALLY, "equally");
}

Test(device_contexts, sub_devices_by_counts)
{
    check_sub_devices(CL_DEVICE_PARTITION_BY_COUNTS, "by counts");
}

/* A device and a part of it give the same bits: the order of sums does not depend on how many
 * compute units there are. */
Test(device_contexts, a_device_and_a_part_of_it)
{
    cl_device_id parts[2];
    const cl_device_id root = root_device();
    if (part(root, CL_DEVICE_PARTITION_EQUALLY, parts) == 0)
        return;
    struct subject subject = make_subject(1.0);
    struct rig rig = make_rig((cl_device_id[]){root, parts[0]}, 2, &subject);
    expect_right(&rig, &subject, "a device and a part of it");
    struct outcome whole = run_on(&rig, 0, &subject), piece = run_on(&rig, 1, &subject);
    cr_expect(outcome_equal(&whole, &piece), "other bits on a sub-device");
    outcome_free(&whole);
    outcome_free(&piece);
    free_rig(&rig);
    for (int i = 0; i < 2; ++i)
        REQUIRE(clReleaseDevice(parts[i]));
    free_subject(&subject);
}
