#include "covariance_run.h"

#include "core/dtype.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { MARGIN = 16, GARBAGE = 0x5a };

#define REQUIRE(call)                                                        \
    do {                                                                     \
        const int code_ = (int)(call);                                       \
        cr_assert(code_ == 0, "%s: %s returned %d", __func__, #call, code_); \
    } while (0)

static void *allocate(size_t bytes)
{
    void *memory = calloc(1, bytes + 1);
    cr_assert_not_null(memory);
    return memory;
}

/* ---- Inputs ---- */

/* A buffer with the array behind an offset, which holds garbage. */
static cl_mem send(struct test_device *device, const void *array, uint64_t count, size_t size,
                   size_t offset)
{
    const size_t bytes = (size_t)count * size, before = offset * size;
    char *copy = allocate(before + bytes);
    memset(copy, 0xff, before);
    memcpy(copy + before, array, bytes);
    cl_mem mem = test_buffer(device, copy, before + bytes);
    free(copy);
    return mem;
}

static void send_inputs(struct test_device *device, const struct clkl_problem *problem,
                        const struct test_inputs *inputs, size_t offset, clkl_args *args)
{
    clkl_buffer *buffers[CLKL_ARRAYS] = {&args->p_mean, &args->p_scale, &args->q_mean,
                                         &args->q_scale};
    for (int i = 0; i < CLKL_ARRAYS; ++i) {
        const struct clkl_side *side = i < CLKL_Q_MEAN ? &problem->p : &problem->q;
        uint64_t extent = clkl_problem_scale_extent(problem, side);
        if (i % 2 == 0 && !side->packed)
            extent = clkl_problem_extent(problem, &side->mean);
        if (inputs->arrays[i] == NULL)
            continue;
        buffers[i]->offset = offset;
        buffers[i]->mem =
            send(device, inputs->arrays[i], extent, clkl_dtype_size(side->dtype), offset);
    }
}

/* ---- Outputs ---- */

/* An output of `count` elements with garbage around it. */
struct output {
    clkl_buffer *buffer;
    size_t bytes;
    size_t before;
};

static struct output make_output(struct test_device *device, clkl_buffer *buffer, uint64_t count,
                                 size_t size)
{
    const struct output output = {buffer, (size_t)count * size, MARGIN * size};
    char *garbage = allocate(output.bytes + 2 * output.before);
    memset(garbage, GARBAGE, output.bytes + 2 * output.before);
    buffer->mem = test_buffer(device, garbage, output.bytes + 2 * output.before);
    buffer->offset = MARGIN;
    free(garbage);
    return output;
}

/* What the output holds, to be freed; releases the buffer. */
static void *take_output(struct test_device *device, const struct output *output, const char *name)
{
    const size_t whole = output->bytes + 2 * output->before;
    char *read = allocate(whole);
    REQUIRE(clEnqueueReadBuffer(device->queue, output->buffer->mem, CL_TRUE, 0, whole, read, 0,
                                NULL, NULL));
    for (size_t i = 0; i < output->before; ++i)
        cr_assert(read[i] == GARBAGE && read[whole - 1 - i] == GARBAGE,
                  "%s: byte %zu beside it changed", name, i);
    memmove(read, read + output->before, output->bytes);
    REQUIRE(clReleaseMemObject(output->buffer->mem));
    return read;
}

/* Numbers of the compute type become doubles. */
static double *widened(void *numbers, uint64_t count, clkl_dtype dtype)
{
    double *wide = allocate((size_t)count * sizeof *wide);
    for (uint64_t i = 0; i < count; ++i)
        wide[i] = dtype == CLKL_F64 ? ((double *)numbers)[i] : (double)((float *)numbers)[i];
    free(numbers);
    return wide;
}

/* ---- The call ---- */

void covariance_run(struct test_device *device, const clkl_spec *spec,
                    const struct test_inputs *inputs, const struct covariance_call *call,
                    struct covariance_outcome *outcome)
{
    static const struct clkl_tuning automatic;
    struct clkl_problem problem;
    clkl_error error = {.struct_size = sizeof error};
    clkl_plan *plan = NULL;
    clkl_args args = {.struct_size = sizeof args, .batch = call->batch};
    const struct clkl_tuning *tuning = call->tuning != NULL ? call->tuning : &automatic;
    cr_assert(clkl_plan_create_tuned(device->device, spec, call->flags, tuning, &plan, &error) ==
                  CLKL_OK,
              "plan: %s\n%s", error.message, error.build_log);
    REQUIRE(clkl_problem_make(spec, &problem, NULL));
    REQUIRE(clkl_problem_set_batch(&problem, call->batch, NULL));
    memset(outcome, 0, sizeof *outcome);
    outcome->values = clkl_problem_result_count(&problem);
    const size_t size = clkl_dtype_size(problem.compute);
    struct output outputs[4];
    send_inputs(device, &problem, inputs, call->offset, &args);
    outputs[0] = make_output(device, &args.result, outcome->values, size);
    outputs[1] = make_output(device, &args.value_status, outcome->values, sizeof(cl_uint));
    if (problem.parts)
        outputs[2] = make_output(device, &args.parts, 2 * outcome->values, size);
    if (problem.matrix_status)
        outputs[3] = make_output(device, &args.matrix_status, problem.shape[0], sizeof(cl_int2));
    cr_assert(clkl_enqueue(plan, device->queue, &args, 0, NULL, NULL, &error) == CLKL_OK,
              "enqueue: %s", error.message);
    outcome->result =
        widened(take_output(device, &outputs[0], "result"), outcome->values, problem.compute);
    outcome->value_status = take_output(device, &outputs[1], "value_status");
    if (problem.parts)
        outcome->parts = widened(take_output(device, &outputs[2], "parts"), 2 * outcome->values,
                                 problem.compute);
    if (problem.matrix_status)
        outcome->status = take_output(device, &outputs[3], "matrix_status");
    const cl_mem given[] = {args.p_mean.mem, args.p_scale.mem, args.q_mean.mem, args.q_scale.mem};
    for (size_t i = 0; i < sizeof given / sizeof *given; ++i)
        if (given[i] != NULL)
            REQUIRE(clReleaseMemObject(given[i]));
    clkl_plan_release(plan);
}

void covariance_outcome_free(struct covariance_outcome *outcome)
{
    free(outcome->result);
    free(outcome->parts);
    free(outcome->value_status);
    free(outcome->status);
}

void covariance_reference(const clkl_spec *given, const struct test_inputs *inputs, uint64_t batch,
                          struct covariance_outcome *outcome)
{
    struct clkl_problem problem;
    clkl_error error = {.struct_size = sizeof error};
    clkl_spec spec = *given;
    REQUIRE(clkl_problem_make(&spec, &problem, NULL));
    REQUIRE(clkl_problem_set_batch(&problem, batch, NULL));
    memset(outcome, 0, sizeof *outcome);
    outcome->values = clkl_problem_result_count(&problem);
    const size_t values = (size_t)outcome->values, size = clkl_dtype_size(problem.compute);
    void *result = allocate(values * size), *parts = allocate(2 * values * size);
    outcome->value_status = allocate(values * sizeof(uint32_t));
    outcome->status = allocate((size_t)problem.shape[0] * sizeof(clkl_matrix_status));
    const clkl_host_args args = {.struct_size = sizeof args,
                                 .p_mean = inputs->arrays[0],
                                 .p_scale = inputs->arrays[1],
                                 .q_mean = inputs->arrays[2],
                                 .q_scale = inputs->arrays[3],
                                 .result = result,
                                 .value_status = outcome->value_status,
                                 .batch = batch,
                                 .parts = problem.parts ? parts : NULL,
                                 .matrix_status = problem.matrix_status ? outcome->status : NULL};
    cr_assert(clkl_reference_run(&spec, &args, &error) == CLKL_OK, "%s", error.message);
    outcome->result = widened(result, values, problem.compute);
    outcome->parts = widened(parts, 2 * values, problem.compute);
}

bool covariance_outcome_equal(const struct covariance_outcome *a,
                              const struct covariance_outcome *b, const clkl_spec *spec,
                              uint64_t batch)
{
    const size_t values = (size_t)a->values;
    const bool parts = (spec->outputs & CLKL_OUTPUT_PARTS) != 0;
    const bool status = (spec->outputs & CLKL_OUTPUT_MATRIX_STATUS) != 0;
    return a->values == b->values &&
           memcmp(a->result, b->result, values * sizeof *a->result) == 0 &&
           memcmp(a->value_status, b->value_status, values * sizeof *a->value_status) == 0 &&
           (!parts || memcmp(a->parts, b->parts, 2 * values * sizeof *a->parts) == 0) &&
           (!status || memcmp(a->status, b->status, (size_t)batch * sizeof *a->status) == 0);
}
