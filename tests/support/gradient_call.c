#include "gradient_call.h"

#include "hash.h"

#include "core/dtype.h"
#include "reference/storage.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#define REQUIRE(call)                                                        \
    do {                                                                     \
        const int code_ = (int)(call);                                       \
        cr_assert(code_ == 0, "%s: %s returned %d", __func__, #call, code_); \
    } while (0)

static void *allocate(uint64_t count, size_t size)
{
    void *memory = calloc(count + 1, size);
    cr_assert_not_null(memory);
    return memory;
}

/* ---- Inputs ---- */

static const struct clkl_side *side_of(const struct clkl_problem *problem, int operand)
{
    return operand < CLKL_Q_MEAN ? &problem->p : &problem->q;
}

static const struct clkl_operand *operand_of(const struct clkl_problem *problem, int operand)
{
    const struct clkl_side *side = side_of(problem, operand);
    return operand % 2 == 0 ? &side->mean : &side->scale;
}

/* Elements of an array of P or Q; 0 if it has none of its own. */
static uint64_t array_extent(const struct clkl_problem *problem, int operand)
{
    const struct clkl_side *side = side_of(problem, operand);
    if (side->scale_kind == CLKL_SCALE_UNIT || (side->packed && operand % 2 == 1))
        return 0;
    return clkl_problem_extent(problem, side->packed ? &side->scale : operand_of(problem, operand));
}

static uint64_t weight_extent(const struct clkl_problem *problem)
{
    struct clkl_operand where = problem->weight;
    if (problem->weighting == CLKL_NO_WEIGHTS)
        return 0;
    if (problem->weighting == CLKL_LENGTHS)
        where = (struct clkl_operand){.strides = {problem->weight.strides[0]}};
    return clkl_problem_extent(problem, &where);
}

static void describe_inputs(struct gradient_call *call)
{
    const struct clkl_problem *problem = &call->problem;
    const uint64_t values = clkl_problem_result_count(problem);
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        call->counts[operand] = array_extent(problem, operand);
        call->types[operand] = side_of(problem, operand)->dtype;
    }
    call->counts[CLKL_WEIGHT] = weight_extent(problem);
    if (problem->weighting == CLKL_WEIGHTS)
        call->types[CLKL_WEIGHT] = problem->weight_dtype;
    call->counts[CLKL_UPSTREAM] = problem->gradients != 0 ? values : 0;
    call->counts[CLKL_VALUES] = problem->gradients != 0 && problem->free_nats > 0.0 ? values : 0;
    call->types[CLKL_UPSTREAM] = call->types[CLKL_VALUES] = problem->compute;
}

static size_t input_size(const struct gradient_call *call, int operand)
{
    if (operand == CLKL_WEIGHT && call->problem.weighting == CLKL_LENGTHS)
        return sizeof(uint32_t);
    return call->types[operand] == 0 ? 1 : clkl_dtype_size(call->types[operand]);
}

double gradient_input(const struct gradient_call *call, int operand, uint64_t place)
{
    return clkl_storage_load(call->inputs[operand], call->types[operand], (int64_t)place);
}

void gradient_input_set(struct gradient_call *call, int operand, uint64_t place, double x)
{
    clkl_storage_store(call->inputs[operand], call->types[operand], (int64_t)place, x);
}

/* A number that every type but those of 16 bits holds, unless fp64 computes with it. */
static double draw(const struct gradient_call *call, int operand, uint64_t place)
{
    const enum clkl_scale kind = side_of(&call->problem, operand)->scale_kind;
    const bool positive = operand < CLKL_ARRAYS && operand % 2 == 1 && (kind >= CLKL_SCALE_VAR);
    const double lowest = positive ? 0.25 : operand >= CLKL_WEIGHT ? 0.1 : -2.0;
    double x = hash_uniform(21, (uint64_t)operand, place, lowest, positive ? 4.0 : 2.0);
    if (operand == CLKL_WEIGHT && place % 5 == 2)
        x = 0.0;
    if (operand == CLKL_UPSTREAM && place % 3 == 1)
        x = -x;
    return call->problem.compute == CLKL_F64 ? x : (double)(float)x;
}

static void fill_lengths(struct gradient_call *call)
{
    const uint64_t extent = call->problem.shape[call->problem.length_axis];
    uint32_t *lengths = call->inputs[CLKL_WEIGHT];
    for (uint64_t i = 0; i < call->counts[CLKL_WEIGHT]; ++i)
        lengths[i] = i % 7 == 6 ? UINT32_MAX : (uint32_t)((5 * i + 2) % (extent + 2));
}

static void fill_mask(struct gradient_call *call)
{
    static const uint8_t bytes[] = {1, 0, 255, 2, 0, 128, 1};
    uint8_t *mask = call->inputs[CLKL_WEIGHT];
    for (uint64_t i = 0; i < call->counts[CLKL_WEIGHT]; ++i)
        mask[i] = bytes[(i + i / 11) % sizeof bytes];
}

void gradient_call_make(struct gradient_call *call, const clkl_spec *spec)
{
    clkl_error error = {.struct_size = sizeof error};
    memset(call, 0, sizeof *call);
    call->spec = *spec;
    cr_assert(clkl_problem_make(spec, &call->problem, &error) == CLKL_OK, "%s", error.message);
    describe_inputs(call);
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand) {
        if (call->counts[operand] == 0)
            continue;
        call->inputs[operand] = allocate(call->counts[operand], input_size(call, operand));
        for (uint64_t i = 0; call->types[operand] != 0 && i < call->counts[operand]; ++i)
            gradient_input_set(call, operand, i, draw(call, operand, i));
    }
    if (call->problem.weighting == CLKL_LENGTHS)
        fill_lengths(call);
    if (call->problem.weighting == CLKL_MASK)
        fill_mask(call);
}

static void drop_outputs(struct gradient_call *call)
{
    free(call->result);
    free(call->status);
    free(call->clamped);
    call->result = NULL;
    call->status = NULL;
    call->clamped = NULL;
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        free(call->gradients[operand]);
        call->gradients[operand] = NULL;
    }
}

void gradient_call_free(struct gradient_call *call)
{
    drop_outputs(call);
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        free(call->inputs[operand]);
}

/* ---- On the device ---- */

static bool is_given(const struct gradient_call *call, int operand)
{
    return (call->problem.gradients >> operand & 1u) != 0 &&
           (call->left_out >> operand & 1u) == 0 && array_extent(&call->problem, operand) > 0;
}

static cl_mem shifted_buffer(const struct gradient_call *call, struct test_device *device,
                             const void *data, uint64_t count, size_t size)
{
    char *copy = allocate(count + call->shift, size);
    memset(copy, 0xff, call->shift * size);
    memcpy(copy + call->shift * size, data, count * size);
    cl_mem mem = test_buffer(device, copy, (count + call->shift) * size);
    free(copy);
    return mem;
}

/* The gradient's buffer, or that of the mean beside it. */
static cl_mem gradient_buffer(struct gradient_call *call, struct test_device *device, int operand)
{
    const size_t size = clkl_dtype_size(call->problem.gradient_dtype);
    uint64_t count = array_extent(&call->problem, operand) + 2 * GRADIENT_ROOM;
    if (call->one_buffer)
        count += call->between_gradients + array_extent(&call->problem, operand + 1);
    call->sizes[operand] = count;
    call->gradients[operand] = allocate(count, size);
    for (uint64_t i = 0; i < count; ++i)
        clkl_storage_store(call->gradients[operand], call->problem.gradient_dtype, (int64_t)i,
                           gradient_before(i) + call->held);
    return test_buffer(device, call->gradients[operand], (size_t)count * size);
}

enum { RESULT = CLKL_OPERANDS + CLKL_ARRAYS, STATUS, CLAMPED, SCRATCH, BUFFERS };

static void list_buffers(clkl_args *args, clkl_buffer *buffers[BUFFERS])
{
    clkl_buffer *const all[BUFFERS] = {
        &args->p_mean,          &args->p_scale,          &args->q_mean,
        &args->q_scale,         &args->weights,          &args->upstream,
        &args->values,          &args->p_mean_gradient,  &args->p_scale_gradient,
        &args->q_mean_gradient, &args->q_scale_gradient, &args->result,
        &args->value_status,    &args->clamp_counts,     &args->scratch};
    memcpy(buffers, all, sizeof all);
}

static uint64_t values_of(const struct gradient_call *call)
{
    struct clkl_problem problem = call->problem;
    REQUIRE(clkl_problem_set_batch(&problem, call->batch, NULL));
    return problem.no_result ? 0 : clkl_problem_result_count(&problem);
}

static void make_outputs(struct gradient_call *call, struct test_device *device,
                         clkl_buffer *buffers[BUFFERS])
{
    const uint64_t values = values_of(call);
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        if (!is_given(call, operand))
            continue;
        clkl_buffer *buffer = buffers[CLKL_OPERANDS + operand];
        if (operand % 2 == 1 && call->one_buffer) {
            *buffer = buffers[CLKL_OPERANDS + operand - 1][0];
            buffer->offset += call->between_gradients;
            REQUIRE(clRetainMemObject(buffer->mem));
            continue;
        }
        buffer->mem = gradient_buffer(call, device, operand);
        buffer->offset = call->shift;
    }
    if (values == 0)
        return;
    call->result = allocate(values, sizeof(double));
    call->status = allocate(values, sizeof(uint32_t));
    buffers[RESULT]->mem = test_buffer(device, NULL, values * sizeof(double));
    buffers[STATUS]->mem = test_buffer(device, NULL, values * sizeof(uint32_t));
    if (!call->problem.clamp_counts)
        return;
    call->clamped = allocate(values, sizeof(clkl_clamp_count));
    buffers[CLAMPED]->mem = test_buffer(device, NULL, values * sizeof(clkl_clamp_count));
}

static void read_buffer(cl_command_queue queue, cl_mem mem, size_t bytes, void *host)
{
    if (mem != NULL && host != NULL)
        REQUIRE(clEnqueueReadBuffer(queue, mem, CL_TRUE, 0, bytes, host, 0, NULL, NULL));
}

static void read_outputs(struct gradient_call *call, cl_command_queue queue,
                         clkl_buffer *buffers[BUFFERS])
{
    const size_t values = (size_t)values_of(call);
    const size_t size = clkl_dtype_size(call->problem.gradient_dtype);
    read_buffer(queue, buffers[RESULT]->mem, values * clkl_dtype_size(call->problem.compute),
                call->result);
    read_buffer(queue, buffers[STATUS]->mem, values * sizeof(uint32_t), call->status);
    read_buffer(queue, buffers[CLAMPED]->mem, values * sizeof(clkl_clamp_count), call->clamped);
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        read_buffer(queue, buffers[CLKL_OPERANDS + operand]->mem, call->sizes[operand] * size,
                    call->gradients[operand]);
}

void gradient_call_run(struct gradient_call *call, struct test_device *device)
{
    static const struct clkl_tuning automatic;
    clkl_error error = {.struct_size = sizeof error};
    clkl_args args = {.struct_size = sizeof args, .batch = call->batch, .factors = call->factors};
    clkl_buffer *buffers[BUFFERS];
    clkl_plan *plan = NULL;
    cl_event done = NULL;
    cl_command_queue queue = call->queue != NULL ? call->queue : device->queue;
    drop_outputs(call);
    list_buffers(&args, buffers);
    cr_assert(clkl_plan_create_tuned(device->device, &call->spec, CLKL_PLAN_NO_WARM_UP,
                                     call->tuning != NULL ? call->tuning : &automatic, &plan,
                                     &error) == CLKL_OK,
              "plan: %s\n%s", error.message, error.build_log);
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand) {
        if (call->inputs[operand] == NULL || (operand == CLKL_UPSTREAM && call->no_upstream))
            continue;
        buffers[operand]->mem = shifted_buffer(call, device, call->inputs[operand],
                                               call->counts[operand], input_size(call, operand));
        buffers[operand]->offset = call->shift;
    }
    make_outputs(call, device, buffers);
    if (clkl_plan_scratch_size(plan) > 0)
        args.scratch.mem = test_buffer(device, NULL, clkl_plan_scratch_size(plan));
    cr_assert(clkl_enqueue(plan, queue, &args, 0, NULL, &done, &error) == CLKL_OK, "enqueue: %s",
              error.message);
    REQUIRE(clWaitForEvents(1, &done));
    read_outputs(call, device->queue, buffers);
    REQUIRE(clReleaseEvent(done));
    for (int i = 0; i < BUFFERS; ++i)
        if (buffers[i]->mem != NULL)
            REQUIRE(clReleaseMemObject(buffers[i]->mem));
    clkl_plan_release(plan);
}

double gradient_at(const struct gradient_call *call, int operand, uint64_t place)
{
    const bool behind = operand % 2 == 1 && call->gradients[operand] == NULL;
    const uint64_t first = call->shift + (behind ? call->between_gradients : 0);
    return clkl_storage_load(call->gradients[behind ? operand - 1 : operand],
                             call->problem.gradient_dtype, (int64_t)(first + place));
}
