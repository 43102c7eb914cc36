/* The same bits wherever the numbers lie in buffers, however a batch is cut, whatever ran before
 * and whatever runs beside. And nothing is read or written next to what belongs to a call: around
 * the inputs lies NaN, around the outputs a mark. */
#include "support/compare.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <math.h>
#include <pthread.h>
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

TestSuite(device_bits, .init = open_device, .fini = close_device, .timeout = 300);

#define REQUIRE(call) cr_assert_eq((call), CL_SUCCESS, "%s", #call)

/* ---- Calls ---- */

/* A plan, its inputs, and the values that a plain call gives. */
struct work {
    clkl_spec spec;
    clkl_plan *plan;
    size_t count; /* of numbers in an array */
    float *arrays[CLKL_ARRAYS];
    float *values;
};

/* Where the inputs of a call are, and which samples it is for. */
struct inputs {
    clkl_buffer of[CLKL_ARRAYS];
    uint64_t first;
    uint64_t batch;
};

static clkl_args args_of(const struct work *work, const struct inputs *inputs)
{
    clkl_args args = {.struct_size = sizeof args, .batch = inputs->batch};
    clkl_buffer *buffers[] = {&args.p_mean, &args.p_scale, &args.q_mean, &args.q_scale};
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        *buffers[operand] = inputs->of[operand];
        buffers[operand]->offset += inputs->first * work->spec.shape[1];
    }
    return args;
}

/* Outputs lie between marks, and each elsewhere. */
enum { MARK = 0x5a5a5a5a, MARGIN = 3 };

static cl_mem marked_buffer(size_t count)
{
    const size_t all = count + 2 * MARGIN;
    cl_uint *marks = malloc(all * sizeof *marks);
    cr_assert_not_null(marks);
    for (size_t i = 0; i < all; ++i)
        marks[i] = MARK;
    cl_mem mem = test_buffer(&device, marks, all * sizeof *marks);
    free(marks);
    return mem;
}

/* The words that were written; the test fails if a mark was. To be freed. */
static cl_uint *written(cl_mem mem, size_t count)
{
    const size_t all = count + 2 * MARGIN;
    cl_uint *words = malloc(all * sizeof *words);
    cr_assert_not_null(words);
    REQUIRE(clEnqueueReadBuffer(device.queue, mem, CL_TRUE, 0, all * sizeof *words, words, 0, NULL,
                                NULL));
    for (size_t i = 0; i < MARGIN; ++i)
        cr_expect(words[i] == MARK && words[all - 1 - i] == MARK, "written beside the outputs");
    memmove(words, words + MARGIN, count * sizeof *words);
    return words;
}

static void enqueue(clkl_plan *plan, const clkl_args *args)
{
    clkl_error error = {.struct_size = sizeof error};
    cr_assert_eq(clkl_enqueue(plan, device.queue, args, 0, NULL, NULL, &error), CLKL_OK, "%s",
                 error.message);
}

/* Computes the samples of `inputs` with all outputs; the values are to be freed. */
static float *values_of(const struct work *work, const struct inputs *inputs)
{
    const size_t batch = (size_t)inputs->batch, scratch = clkl_plan_scratch_size(work->plan);
    clkl_args args = args_of(work, inputs);
    args.result = (clkl_buffer){marked_buffer(batch), MARGIN};
    args.value_status = (clkl_buffer){marked_buffer(batch), MARGIN};
    args.clamp_counts = (clkl_buffer){marked_buffer(2 * batch + 1), 2};
    if (scratch > 0)
        args.scratch = (clkl_buffer){marked_buffer(scratch / sizeof(cl_uint) + 1), 16};
    enqueue(work->plan, &args);
    cl_uint *values = written(args.result.mem, batch);
    cl_uint *status = written(args.value_status.mem, batch);
    cl_uint *clamped = written(args.clamp_counts.mem, 2 * batch + 1);
    for (size_t i = 0; i < batch; ++i)
        cr_expect(status[i] == 0 && clamped[2 * i + 1] < work->spec.shape[1] &&
                  clamped[2 * i + 2] < work->spec.shape[1]);
    const cl_mem all[] = {args.result.mem, args.value_status.mem, args.clamp_counts.mem,
                          args.scratch.mem};
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
        if (all[i] != NULL)
            clReleaseMemObject(all[i]);
    free(status);
    free(clamped);
    return (float *)values;
}

static void expect_values(const struct work *work, const struct inputs *inputs, const char *what,
                          size_t number)
{
    float *values = values_of(work, inputs);
    cr_expect(
        memcmp(values, work->values + inputs->first, (size_t)inputs->batch * sizeof *values) == 0,
        "%llu elements, %s %zu: other bits", (unsigned long long)work->spec.shape[1], what, number);
    free(values);
}

/* ---- Where the inputs are ---- */

enum placement {
    SHIFTED,     /* some elements into a buffer */
    HOST_MEMORY, /* in a buffer over the caller's memory, some elements from a round address */
    SUB_BUFFER,  /* some elements into a part of a buffer */
    SUB_HOST, /* in a part of a buffer over the caller's memory, which begins at no round address */
    PLACEMENTS
};

static const char *const placement_names[] = {"shift by", "host memory", "sub-buffer",
                                              "sub-buffer of host memory"};

struct placed {
    clkl_buffer buffer;
    cl_mem parent;
    float *memory;
};

static size_t base_alignment(void)
{
    cl_uint bits = 0;
    REQUIRE(clGetDeviceInfo(device.id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof bits, &bits, NULL));
    return bits / 8;
}

static cl_mem buffer_over(float *memory, size_t count, cl_mem_flags flags)
{
    cl_int code = CL_SUCCESS;
    cl_mem mem = clCreateBuffer(device.context, CL_MEM_READ_WRITE | flags, count * sizeof(float),
                                memory, &code);
    REQUIRE(code);
    return mem;
}

static cl_mem part_of(cl_mem parent, size_t origin, size_t count)
{
    cl_int code = CL_SUCCESS;
    const cl_buffer_region region = {origin * sizeof(float), count * sizeof(float)};
    cl_mem mem = clCreateSubBuffer(parent, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    REQUIRE(code);
    return mem;
}

static struct placed place(const float *data, size_t count, enum placement placement, size_t shift)
{
    const size_t part = base_alignment() / sizeof(float), room = count + part + 64;
    const bool host = placement == HOST_MEMORY || placement == SUB_HOST;
    const bool sub = placement == SUB_BUFFER || placement == SUB_HOST;
    struct placed placed = {{NULL, 0}, NULL, NULL};
    placed.memory = aligned_alloc(4096, (room * sizeof(float) / 4096 + 1) * 4096);
    cr_assert_not_null(placed.memory);
    for (size_t i = 0; i < room; ++i)
        placed.memory[i] = NAN;
    memcpy(placed.memory + shift + (sub ? part : 0), data, count * sizeof(float));
    cl_mem whole = host ? buffer_over(placed.memory + shift, room - shift, CL_MEM_USE_HOST_PTR)
                        : buffer_over(placed.memory, room, CL_MEM_COPY_HOST_PTR);
    placed.buffer.offset = host ? 0 : shift;
    placed.buffer.mem = sub ? part_of(whole, part, count + placed.buffer.offset) : whole;
    placed.parent = sub ? whole : NULL;
    return placed;
}

static void displace(struct placed *placed)
{
    clReleaseMemObject(placed->buffer.mem);
    if (placed->parent != NULL)
        clReleaseMemObject(placed->parent);
    free(placed->memory);
}

/* ---- Work ---- */

static struct inputs plain_inputs(const struct work *work)
{
    struct inputs inputs = {.batch = work->spec.shape[0]};
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        if (work->arrays[operand] != NULL)
            inputs.of[operand].mem =
                test_buffer(&device, work->arrays[operand], work->count * sizeof(float));
    return inputs;
}

static void free_inputs(struct inputs *inputs)
{
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        if (inputs->of[operand].mem != NULL)
            clReleaseMemObject(inputs->of[operand].mem);
}

static struct work make_work(clkl_form q, uint64_t batch, uint64_t elements)
{
    struct work work = {.count = (size_t)(batch * elements)};
    work.spec = (clkl_spec){.struct_size = sizeof work.spec, .rank = 2, .shape = {batch, elements}};
    work.spec.p.form = CLKL_MEAN_LOGVAR;
    work.spec.q.form = q;
    work.spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    work.spec.clamp = CLKL_CLAMP;
    work.spec.clamp_low = -1.9;
    work.spec.clamp_high = 1.9;
    for (int operand = 0; operand < (q == CLKL_STANDARD_NORMAL ? 2 : CLKL_ARRAYS); ++operand) {
        work.arrays[operand] = malloc(work.count * sizeof(float));
        cr_assert_not_null(work.arrays[operand]);
        for (size_t i = 0; i < work.count; ++i)
            work.arrays[operand][i] = hash_uniform_float(6, (uint64_t)operand, i, -2.0, 2.0);
    }
    cr_assert_eq(clkl_plan_create(device.device, &work.spec, 0, &work.plan, NULL), CLKL_OK);
    struct inputs inputs = plain_inputs(&work);
    work.values = values_of(&work, &inputs);
    free_inputs(&inputs);
    return work;
}

static void free_work(struct work *work)
{
    clkl_plan_release(work->plan);
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        free(work->arrays[operand]);
    free(work->values);
}

/* ---- Offsets and alignment ---- */

/* Moves one operand after the other, the others staying where they are round. */
static void check_placement(const struct work *work, enum placement placement, size_t shift)
{
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        if (work->arrays[operand] == NULL)
            continue;
        struct inputs inputs = plain_inputs(work);
        struct placed placed = place(work->arrays[operand], work->count, placement, shift);
        const cl_mem plain = inputs.of[operand].mem;
        inputs.of[operand] = placed.buffer;
        expect_values(work, &inputs, placement_names[placement], shift);
        inputs.of[operand].mem = plain;
        free_inputs(&inputs);
        displace(&placed);
    }
}

static void check_placements(uint64_t elements)
{
    static const size_t shifts[] = {0, 1, 2, 3, 16, 21};
    struct work work = make_work(CLKL_MEAN_LOGVAR, 6, elements);
    for (enum placement placement = SHIFTED; placement < PLACEMENTS; ++placement)
        for (size_t i = 0; i < sizeof shifts / sizeof *shifts; ++i)
            check_placement(&work, placement, shifts[i]);
    free_work(&work);
}

Test(device_bits, placement_of_inputs)
{
    check_placements(64);
    check_placements(77);
}

/* Where rows are whole vectors a GPU reads them by aligned pointers, if the buffers are aligned: a
 * CPU may crash if they are not. */
Test(device_bits, placement_of_inputs_on_a_gpu)
{
    test_device_pretend_gpu(&device);
    check_placements(64);
}

/* ---- Batches ---- */

static void check_cut(const struct work *work, uint64_t at)
{
    struct inputs inputs = plain_inputs(work);
    const uint64_t batch = work->spec.shape[0];
    inputs.batch = at;
    expect_values(work, &inputs, "first part of the batch, cut at", (size_t)at);
    inputs.first = at;
    inputs.batch = batch - at;
    expect_values(work, &inputs, "second part of the batch, cut at", (size_t)at);
    free_inputs(&inputs);
}

/* Short rows that share work-groups, rows of a group each, rows in chunks. */
static void check_cuts(clkl_form q)
{
    static const uint64_t shapes[][2] = {{5000, 17}, {300, 1000}, {5, 70000}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; ++i) {
        struct work work = make_work(q, shapes[i][0], shapes[i][1]);
        const uint64_t batch = shapes[i][0], cuts[] = {1, batch / 3, batch / 2, batch - 1};
        for (size_t k = 0; k < sizeof cuts / sizeof *cuts; ++k)
            check_cut(&work, cuts[k]);
        free_work(&work);
    }
}

Test(device_bits, batch_cut_anywhere)
{
    check_cuts(CLKL_STANDARD_NORMAL);
    check_cuts(CLKL_MEAN_LOGVAR);
}

/* ---- Again, and side by side ---- */

Test(device_bits, run_to_run)
{
    struct work work = make_work(CLKL_STANDARD_NORMAL, 50, 40000);
    struct inputs inputs = plain_inputs(&work);
    for (size_t i = 0; i < 5; ++i)
        expect_values(&work, &inputs, "run", i);
    free_inputs(&inputs);
    free_work(&work);
}

enum { CALLS = 20 };

/* Calls in flight on a queue of their own; scratch is the library's. Each is waited for by its
 * event: after a flush, rusticl 22.3 comes back from clFinish too early. */
struct caller {
    clkl_plan *plan;
    cl_command_queue queue;
    clkl_args args[CALLS];
    clkl_status status[CALLS];
    cl_event events[CALLS];
};

static void *call(void *data)
{
    struct caller *caller = data;
    for (int i = 0; i < CALLS; ++i) {
        caller->status[i] = clkl_enqueue(caller->plan, caller->queue, &caller->args[i], 0, NULL,
                                         &caller->events[i], NULL);
        clFlush(caller->queue);
    }
    return NULL;
}

static struct caller make_caller(const struct work *work, const struct inputs *inputs)
{
    cl_int code = CL_SUCCESS;
    struct caller caller = {.plan = work->plan};
    caller.queue = clCreateCommandQueue(device.context, device.id, 0, &code);
    REQUIRE(code);
    for (int i = 0; i < CALLS; ++i) {
        caller.args[i] = args_of(work, inputs);
        caller.args[i].result = (clkl_buffer){marked_buffer((size_t)inputs->batch), MARGIN};
    }
    return caller;
}

static void check_caller(struct caller *caller, const struct work *work)
{
    const size_t batch = (size_t)work->spec.shape[0];
    for (int i = 0; i < CALLS; ++i) {
        cr_assert_eq(caller->status[i], CLKL_OK, "call %d", i);
        REQUIRE(clWaitForEvents(1, &caller->events[i]));
        cl_uint *values = written(caller->args[i].result.mem, batch);
        cr_expect(memcmp(values, work->values, batch * sizeof *values) == 0, "call %d: other bits",
                  i);
        free(values);
        clReleaseEvent(caller->events[i]);
        clReleaseMemObject(caller->args[i].result.mem);
    }
    clReleaseCommandQueue(caller->queue);
}

/* Two threads call the same plan at once, each for a queue of its own. */
Test(device_bits, two_queues_at_once)
{
    struct work work = make_work(CLKL_STANDARD_NORMAL, 3, 40000);
    struct inputs inputs = plain_inputs(&work);
    struct caller callers[2];
    pthread_t threads[2];
    for (int i = 0; i < 2; ++i)
        callers[i] = make_caller(&work, &inputs);
    for (int i = 0; i < 2; ++i)
        cr_assert_eq(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
    for (int i = 0; i < 2; ++i)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 2; ++i)
        check_caller(&callers[i], &work);
    free_inputs(&inputs);
    free_work(&work);
}
