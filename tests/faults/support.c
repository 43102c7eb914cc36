#include "support.h"

#include "support/hash.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- The layer ---- */

void faults_open(void)
{
    cl_uint count = 0;
    cr_assert_eq(setenv("OPENCL_LAYERS", FAULTS_LAYER, 1), 0);
    REQUIRE(clGetPlatformIDs(0, NULL, &count));
    cr_assert(faults_is_loaded(), "the loader has not taken the layer %s", FAULTS_LAYER);
    faults_reset();
}

void faults_open_device(struct test_device *device, const struct faults_fake *fake)
{
    faults_open();
    faults_fake(fake);
    test_device_open(device);
}

void expect_live(const struct faults_live *before, const char *what, ...)
{
    static const char *const names[] = {"devices",  "contexts", "queues", "buffers",
                                        "programs", "kernels",  "events"};
    const struct faults_live now = faults_live();
    char text[256];
    va_list arguments;
    va_start(arguments, what);
    vsnprintf(text, sizeof text, what, arguments);
    va_end(arguments);
    for (int kind = 0; kind < LIVE_KINDS; ++kind)
        cr_expect(now.of[kind] == before->of[kind], "%s: %d references to %s; expected %d", text,
                  now.of[kind], names[kind], before->of[kind]);
}

/* ---- Jobs ---- */

struct recipe {
    const char *name;
    uint32_t rank;
    uint64_t shape[3];
    clkl_form p, q;
    uint32_t keep;
    clkl_layout q_layout;
};

static const struct recipe recipes[JOB_KINDS] = {
    [JOB_SHORT_ROWS] = {"short rows", 2, {70, 21}, CLKL_MEAN_LOGVAR, CLKL_STANDARD_NORMAL, 0, 0},
    [JOB_MEDIUM_ROWS] = {"medium rows", 2, {5, 3000}, CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 0, 0},
    [JOB_LONG_ROWS] = {"long rows", 2, {3, 40000}, CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR, 0, 0},
    [JOB_ONE_VALUE] =
        {"one value", 2, {3, 40000}, CLKL_MOMENTS, CLKL_STANDARD_NORMAL, CLKL_KEEP_NONE, 0},
    [JOB_KEPT_AXIS] = {"kept axis", 3, {4, 5, 77}, CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 2, 0},
    [JOB_GATHERS] = {"gathers", 3, {300, 5, 77}, CLKL_MEAN_LOGVAR, CLKL_MEAN_STD, 4, CLKL_SHARED},
    [JOB_SHARED_Q] = {"shared Q", 2, {3, 1000}, CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR, 0, CLKL_SHARED},
    [JOB_GRADIENTS] = {"gradients", 2, {3, 40000}, CLKL_MEAN_LOGVAR, CLKL_MEAN_STD, 0, CLKL_SHARED},
    [JOB_DETERMINISTIC] =
        {"deterministic P", 2, {3, 40000}, CLKL_DETERMINISTIC, CLKL_STANDARD_NORMAL, 0, 0},
};

static clkl_spec spec_of(const struct recipe *recipe)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = recipe->rank, .keep = recipe->keep};
    memcpy(spec.shape, recipe->shape, sizeof recipe->shape);
    spec.p.form = recipe->p;
    spec.q.form = recipe->q;
    spec.q.layout = recipe->q_layout;
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    if (recipe->p == CLKL_DETERMINISTIC)
        return spec;
    spec.clamp = CLKL_CLAMP;
    spec.clamp_low = -1.0;
    spec.clamp_high = 1.0;
    if (recipe != &recipes[JOB_GRADIENTS])
        return spec;
    spec.gradients =
        CLKL_GRADIENT_P_MEAN | CLKL_GRADIENT_P_SCALE | CLKL_GRADIENT_Q_MEAN | CLKL_GRADIENT_Q_SCALE;
    spec.weights.kind = CLKL_LENGTHS;
    return spec;
}

/* Elements of an operand's array; 0 if it has none of its own. */
static uint64_t extent(const struct clkl_problem *problem, int operand)
{
    const struct clkl_side *side = operand < 2 ? &problem->p : &problem->q;
    const bool mean = operand % 2 == 0;
    if (side->scale_kind == CLKL_SCALE_UNIT || (problem->deterministic && operand < 2) ||
        (side->packed && !mean))
        return 0;
    return clkl_problem_extent(problem, mean && !side->packed ? &side->mean : &side->scale);
}

static float number(const clkl_spec *spec, int operand, uint64_t place)
{
    const clkl_form form = operand < 2 ? spec->p.form : spec->q.form;
    const double x = hash_uniform(11, (uint64_t)operand, place, -2.0, 2.0);
    return (float)(operand % 2 == 1 && form == CLKL_MEAN_STD ? exp(x) : x);
}

static void make_inputs(struct job *job, const struct clkl_problem *problem)
{
    clkl_buffer *buffers[] = {&job->args.p_mean, &job->args.p_scale, &job->args.q_mean,
                              &job->args.q_scale};
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        const uint64_t count = extent(problem, operand);
        if (count == 0)
            continue;
        float *array = malloc(count * sizeof *array);
        cr_assert_not_null(array);
        for (uint64_t place = 0; place < count; ++place)
            array[place] = number(&job->spec, operand, place);
        job->arrays[operand] = array;
        buffers[operand]->mem = test_buffer(job->device, array, count * sizeof *array);
    }
}

static void make_lengths(struct job *job)
{
    const size_t count = (size_t)job->spec.shape[0];
    if (job->spec.weights.kind != CLKL_LENGTHS)
        return;
    job->lengths = malloc(count * sizeof *job->lengths);
    cr_assert_not_null(job->lengths);
    for (size_t i = 0; i < count; ++i)
        job->lengths[i] = (uint32_t)(39999 - 8000 * i);
    job->args.weights.mem = test_buffer(job->device, job->lengths, count * sizeof *job->lengths);
}

/* The gradients that the reference gives. */
static void expect_gradients(struct job *job, const struct clkl_problem *problem)
{
    clkl_host_args args = {.struct_size = sizeof args,
                           .p_mean = job->arrays[CLKL_P_MEAN],
                           .p_scale = job->arrays[CLKL_P_SCALE],
                           .q_mean = job->arrays[CLKL_Q_MEAN],
                           .q_scale = job->arrays[CLKL_Q_SCALE],
                           .weights = job->lengths};
    void **const gradients[] = {&args.p_mean_gradient, &args.p_scale_gradient,
                                &args.q_mean_gradient, &args.q_scale_gradient};
    clkl_spec spec = job->spec;
    if (spec.gradients == 0)
        return;
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        *gradients[operand] = job->gradients[operand] =
            malloc(extent(problem, operand) * sizeof(float));
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    REQUIRE(clkl_reference_run(&spec, &args, NULL));
}

struct output {
    clkl_buffer *buffer;
    size_t size; /* bytes; 0: not there */
};

enum { OUTPUTS = 3 + CLKL_ARRAYS };

static void list_outputs(struct job *job, struct output outputs[OUTPUTS])
{
    clkl_buffer *const gradients[] = {&job->args.p_mean_gradient, &job->args.p_scale_gradient,
                                      &job->args.q_mean_gradient, &job->args.q_scale_gradient};
    const size_t count = (size_t)job->expected.count;
    struct clkl_problem problem;
    REQUIRE(clkl_problem_make(&job->spec, &problem, NULL));
    outputs[0] = (struct output){&job->args.result, count * sizeof(cl_float)};
    outputs[1] = (struct output){&job->args.value_status, count * sizeof(cl_uint)};
    outputs[2] = (struct output){&job->args.clamp_counts, count * sizeof(cl_uint2)};
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        const bool is_there = job->gradients[operand] != NULL;
        outputs[3 + operand] = (struct output){
            gradients[operand], is_there ? extent(&problem, operand) * sizeof(cl_float) : 0};
    }
}

static size_t largest_output(const struct output outputs[OUTPUTS])
{
    size_t largest = 0;
    for (int i = 0; i < OUTPUTS; ++i)
        largest = outputs[i].size > largest ? outputs[i].size : largest;
    return largest;
}

void job_make(struct job *job, struct test_device *device, enum job_kind kind)
{
    struct clkl_problem problem;
    struct output outputs[OUTPUTS];
    struct test_inputs inputs;
    *job = (struct job){.name = recipes[kind].name,
                        .device = device,
                        .spec = spec_of(&recipes[kind]),
                        .args = {.struct_size = sizeof job->args}};
    REQUIRE(clkl_problem_make(&job->spec, &problem, NULL));
    make_inputs(job, &problem);
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        inputs.arrays[operand] = job->arrays[operand];
    make_lengths(job);
    inputs.weights = job->lengths;
    expected_make(&job->spec, &inputs, 0, &job->expected);
    expect_gradients(job, &problem);
    list_outputs(job, outputs);
    for (int i = 0; i < OUTPUTS; ++i)
        if (outputs[i].size > 0)
            outputs[i].buffer->mem = test_buffer(device, NULL, outputs[i].size);
    job_spoil(job);
}

void job_free(struct job *job)
{
    const cl_mem all[] = {job->args.p_mean.mem,           job->args.p_scale.mem,
                          job->args.q_mean.mem,           job->args.q_scale.mem,
                          job->args.result.mem,           job->args.value_status.mem,
                          job->args.clamp_counts.mem,     job->args.scratch.mem,
                          job->args.weights.mem,          job->args.p_mean_gradient.mem,
                          job->args.p_scale_gradient.mem, job->args.q_mean_gradient.mem,
                          job->args.q_scale_gradient.mem};
    REQUIRE(clFinish(job->device->queue));
    clkl_plan_release(job->plan);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i)
        if (all[i] != NULL)
            REQUIRE(clReleaseMemObject(all[i]));
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        free(job->arrays[operand]);
        free(job->gradients[operand]);
    }
    free(job->lengths);
    expected_free(&job->expected);
}

void job_plan(struct job *job)
{
    clkl_error error = {.struct_size = sizeof error};
    cr_assert(clkl_plan_create(job->device->device, &job->spec, 0, &job->plan, &error) == CLKL_OK,
              "%s: %s\n%s", job->name, error.message, error.build_log);
    const size_t scratch = clkl_plan_scratch_size(job->plan);
    if (scratch > 0)
        job->args.scratch.mem = test_buffer(job->device, NULL, scratch);
}

void job_spoil(struct job *job)
{
    struct output outputs[OUTPUTS];
    list_outputs(job, outputs);
    const size_t largest = largest_output(outputs);
    unsigned char *bytes = malloc(largest);
    cr_assert_not_null(bytes);
    memset(bytes, 0xff, largest);
    for (int i = 0; i < OUTPUTS; ++i)
        if (outputs[i].size > 0)
            REQUIRE(clEnqueueWriteBuffer(job->device->queue, outputs[i].buffer->mem, CL_TRUE, 0,
                                         outputs[i].size, bytes, 0, NULL, NULL));
    free(bytes);
}

static void read_output(struct job *job, const struct output *output, void *host)
{
    if (output->size > 0)
        REQUIRE(clEnqueueReadBuffer(job->device->queue, output->buffer->mem, CL_TRUE, 0,
                                    output->size, host, 0, NULL, NULL));
}

bool job_is_untouched(struct job *job)
{
    struct output outputs[OUTPUTS];
    bool untouched = true;
    list_outputs(job, outputs);
    unsigned char *bytes = malloc(largest_output(outputs));
    cr_assert_not_null(bytes);
    for (int i = 0; i < OUTPUTS; ++i) {
        read_output(job, &outputs[i], bytes);
        for (size_t place = 0; place < outputs[i].size; ++place)
            untouched = untouched && bytes[place] == 0xff;
    }
    free(bytes);
    return untouched;
}

/* Roughly: how exact they are is for other tests. */
static void expect_gradient(struct job *job, const struct output *output, const float *expected,
                            const char *what)
{
    size_t wrong = 0;
    float *found = malloc(output->size + 1);
    cr_assert_not_null(found);
    read_output(job, output, found);
    for (size_t i = 0; i < output->size / sizeof *found; ++i)
        wrong += !(fabsf(found[i] - expected[i]) <= 1e-5f * (1.0f + fabsf(expected[i])));
    cr_expect(wrong == 0, "%s, %s: %zu numbers of a gradient are wrong", job->name, what, wrong);
    free(found);
}

void job_expect_results(struct job *job, const char *what)
{
    const struct tolerance tolerance = device_tolerance(job->device);
    struct outcome outcome = outcome_make(&job->expected);
    struct output outputs[OUTPUTS];
    list_outputs(job, outputs);
    read_output(job, &outputs[0], outcome.values);
    read_output(job, &outputs[1], outcome.status);
    read_output(job, &outputs[2], outcome.clamped);
    expect_agreement(&job->expected, &outcome, &tolerance, "%s, %s", job->name, what);
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        expect_gradient(job, &outputs[3 + operand], job->gradients[operand], what);
    outcome_free(&outcome);
}

void job_expect_to_run(struct job *job, const char *what)
{
    clkl_error error = {.struct_size = sizeof error};
    job_spoil(job);
    cr_expect(clkl_enqueue(job->plan, job->device->queue, &job->args, 0, NULL, NULL, &error) ==
                  CLKL_OK,
              "%s, %s: %s", job->name, what, error.message);
    job_expect_results(job, what);
}

/* ---- Events ---- */

cl_event user_event(struct test_device *device)
{
    cl_int code = CL_SUCCESS;
    cl_event event = clCreateUserEvent(device->context, &code);
    REQUIRE(code);
    return event;
}

cl_int event_status(cl_event event)
{
    cl_int status = CL_COMPLETE;
    REQUIRE(clGetEventInfo(event, CL_EVENT_COMMAND_EXECUTION_STATUS, sizeof status, &status, NULL));
    return status;
}

void wait_a_moment(void)
{
    const struct timespec moment = {0, 30000000};
    nanosleep(&moment, NULL);
}
