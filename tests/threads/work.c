/* Work whose result is known, and one thread's place to do it in. */
#include "support/hash.h"
#include "threads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Kinds ---- */

/* Rows in one stage; rows in chunks, which take two; rows whose elements are gathered; and scales
 * that are no logarithms, in two stages and shared. */
static clkl_spec spec_of(int kind)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {5, 70000}};
    spec.p.form = spec.q.form = CLKL_MEAN_LOGVAR;
    switch (kind) {
    case 0:
        spec = (clkl_spec){.struct_size = sizeof spec, .rank = 3, .shape = {150, 10, 100}};
        spec.p.form = CLKL_MOMENTS;
        break;
    case 1:
        break;
    case 2:
        spec.shape[0] = 40;
        spec.shape[1] = 1500;
        spec.p.layout = CLKL_STRIDED;
        spec.p.mean_strides[0] = spec.p.scale_strides[0] = 1;
        spec.p.mean_strides[1] = spec.p.scale_strides[1] = 40;
        spec.q.layout = CLKL_SHARED;
        break;
    case GRADIENTS:
        spec = (clkl_spec){.struct_size = sizeof spec, .rank = 3, .shape = {30, 10, 90}};
        spec.p.form = CLKL_MEAN_LOGVAR;
        spec.q = (clkl_gaussian){.form = CLKL_MEAN_STD, .layout = CLKL_STRIDED};
        spec.q.mean_strides[0] = spec.q.scale_strides[0] = 10;
        spec.q.mean_strides[1] = spec.q.scale_strides[1] = 1;
        spec.weights.kind = CLKL_LENGTHS;
        spec.gradients = CLKL_GRADIENT_P_MEAN | CLKL_GRADIENT_P_SCALE | CLKL_GRADIENT_Q_MEAN |
                         CLKL_GRADIENT_Q_SCALE;
        return spec;
    case MANY_ROWS:
        spec.shape[0] = 160;
        spec.shape[1] = 8192;
        spec.q.form = CLKL_STANDARD_NORMAL;
        return spec;
    default:
        spec.p.form = CLKL_MEAN_STD;
        spec.q.form = CLKL_MEAN_VAR;
        spec.q.layout = CLKL_SHARED;
        return spec; /* nothing to clamp */
    }
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    spec.clamp = CLKL_CLAMP;
    spec.clamp_low = -1.5;
    spec.clamp_high = 1.5;
    return spec;
}

static const struct clkl_operand *operand_of(const struct work *work, int operand)
{
    const struct clkl_side *side = operand < 2 ? &work->problem.p : &work->problem.q;
    return operand % 2 == 0 ? &side->mean : &side->scale;
}

/* Numbers in the array of an operand; 0 if it has none of its own. */
static size_t count_of(const struct work *work, int operand)
{
    const struct clkl_side *side = operand < 2 ? &work->problem.p : &work->problem.q;
    if (side->scale_kind == CLKL_SCALE_UNIT || (side->packed && operand % 2 == 1))
        return 0;
    return (size_t)clkl_problem_extent(&work->problem,
                                       side->packed ? &side->scale : operand_of(work, operand));
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    EXPECT(memory != NULL);
    return memory;
}

static cl_mem make_buffer(const struct scene *scene, size_t bytes, void *data)
{
    cl_int code = CL_SUCCESS;
    cl_mem mem = clCreateBuffer(
        scene->context, CL_MEM_READ_WRITE | (data ? CL_MEM_COPY_HOST_PTR : 0u), bytes, data, &code);
    REQUIRE(code);
    return mem;
}

/* Between -2 and 2, and where a scale is no logarithm its exponential. */
static void make_inputs(struct work *work, int kind, const struct scene *scene)
{
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        const struct clkl_side *side = operand < 2 ? &work->problem.p : &work->problem.q;
        const bool positive = operand % 2 == 1 && side->scale_kind >= CLKL_SCALE_VAR;
        const size_t count = count_of(work, operand);
        if (count == 0)
            continue;
        float *numbers = work->host[operand] = allocate(count, sizeof *numbers);
        for (size_t i = 0; i < count; ++i) {
            const double x = hash_uniform((uint64_t)kind, (uint64_t)operand, i, -2.0, 2.0);
            numbers[i] = (float)(positive ? exp(x) : x);
        }
        work->inputs[operand] = make_buffer(scene, count * sizeof *numbers, numbers);
    }
}

/* Lengths, and room for gradients. */
static void make_extras(struct work *work, const struct scene *scene)
{
    uint32_t lengths[256];
    const uint64_t batch = work->spec.shape[0];
    if (work->spec.gradients == 0)
        return;
    EXPECT(batch <= 256);
    for (uint64_t i = 0; i < batch; ++i)
        lengths[i] = (uint32_t)(i % 12);
    work->lengths = make_buffer(scene, batch * sizeof *lengths, lengths);
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        work->of_sample[operand] = count_of(work, operand) / (size_t)batch;
        work->gradients[operand] = allocate(count_of(work, operand), sizeof(float));
    }
}

/* ---- The known result ---- */

static void hold_against_reference(const struct work *work)
{
    const uint64_t batch = work->spec.shape[0];
    clkl_spec wide = work->spec;
    wide.compute = CLKL_F64;
    uint32_t lengths[256];
    double *exact = allocate(batch, sizeof *exact);
    for (uint32_t i = 0; i < 256; ++i)
        lengths[i] = i % 12;
    const clkl_host_args args = {.struct_size = sizeof args,
                                 .p_mean = work->host[0],
                                 .p_scale = work->host[1],
                                 .q_mean = work->host[2],
                                 .q_scale = work->host[3],
                                 .weights = lengths,
                                 .result = exact};
    REQUIRE(clkl_reference_run(&wide, &args, NULL));
    for (uint64_t i = 0; i < batch; ++i)
        if (!(fabs((double)work->values[i] - exact[i]) <= 5e-7 * exact[i] + 1e-9))
            die("sample %llu: %.9g; expected %.9g", (unsigned long long)i, (double)work->values[i],
                exact[i]);
    free(exact);
}

/* By events: where threads share a queue, blocking reads of rusticl 22.3 come back too early. */
static void read_buffer(const struct place *place, cl_mem mem, size_t bytes, void *data)
{
    cl_event event = NULL;
    REQUIRE(clEnqueueReadBuffer(place->queue, mem, CL_FALSE, 0, bytes, data, 0, NULL, &event));
    REQUIRE(clWaitForEvents(1, &event));
    REQUIRE(clReleaseEvent(event));
}

static void read_outputs(const struct place *place, const struct work *work, uint64_t batch,
                         float *values, uint32_t *status, clkl_clamp_count *clamped)
{
    const size_t count = (size_t)batch;
    read_buffer(place, place->result, count * sizeof *values, values);
    read_buffer(place, place->status, count * sizeof *status, status);
    if (work->problem.clamp_counts)
        read_buffer(place, place->clamped, count * sizeof *clamped, clamped);
}

void work_make(struct work *work, int kind, const struct scene *scene, clkl_device *device)
{
    clkl_plan *plan = NULL;
    struct place place;
    memset(work, 0, sizeof *work);
    work->spec = spec_of(kind);
    const uint64_t batch = work->spec.shape[0];
    REQUIRE(clkl_problem_make(&work->spec, &work->problem, NULL));
    make_inputs(work, kind, scene);
    make_extras(work, scene);
    work->values = allocate(batch, sizeof *work->values);
    work->status = allocate(batch, sizeof *work->status);
    work->clamped = allocate(batch, sizeof *work->clamped);

    clkl_spec piece = work->spec;
    if (kind == MANY_ROWS)
        piece.shape[0] = 1; /* so that no wide grid was launched before */
    REQUIRE(clkl_plan_create(device, &piece, 0, &plan, NULL));
    place_make(&place, scene, work, plan, scene_queue(scene, false));
    for (uint64_t first = 0; first < batch; first += piece.shape[0]) {
        cl_event event = place_enqueue(&place, work, plan, first, piece.shape[0]);
        REQUIRE(clWaitForEvents(1, &event));
        REQUIRE(clReleaseEvent(event));
        read_outputs(&place, work, piece.shape[0], work->values + first, work->status + first,
                     work->clamped + first);
        for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
            if (work->of_sample[operand] > 0)
                read_buffer(&place, place.gradients[operand],
                            work->of_sample[operand] * batch * sizeof(float),
                            work->gradients[operand]);
    }
    place_free(&place);
    clkl_plan_release(plan);
    hold_against_reference(work);
}

void work_free(struct work *work)
{
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        free(work->host[operand]);
        free(work->gradients[operand]);
        if (work->inputs[operand] != NULL)
            REQUIRE(clReleaseMemObject(work->inputs[operand]));
    }
    if (work->lengths != NULL)
        REQUIRE(clReleaseMemObject(work->lengths));
    free(work->values);
    free(work->status);
    free(work->clamped);
}

/* ---- One thread's place ---- */

void place_make(struct place *place, const struct scene *scene, const struct work *work,
                const clkl_plan *plan, cl_command_queue queue)
{
    const size_t batch = (size_t)work->spec.shape[0], scratch = clkl_plan_scratch_size(plan);
    place->queue = queue;
    place->result = make_buffer(scene, batch * sizeof(cl_float), NULL);
    place->status = make_buffer(scene, batch * sizeof(cl_uint), NULL);
    place->clamped = make_buffer(scene, batch * sizeof(cl_uint2), NULL);
    place->scratch = scratch > 0 ? make_buffer(scene, scratch, NULL) : NULL;
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        place->gradients[operand] =
            work->of_sample[operand] > 0
                ? make_buffer(scene, work->of_sample[operand] * batch * sizeof(float), NULL)
                : NULL;
}

void place_free(struct place *place)
{
    const cl_mem all[] = {place->result,       place->status,       place->clamped,
                          place->scratch,      place->gradients[0], place->gradients[1],
                          place->gradients[2], place->gradients[3]};
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
        if (all[i] != NULL)
            REQUIRE(clReleaseMemObject(all[i]));
    REQUIRE(clReleaseCommandQueue(place->queue));
}

cl_event place_enqueue(const struct place *place, const struct work *work, clkl_plan *plan,
                       uint64_t first, uint64_t batch)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_args args = {.struct_size = sizeof args, .batch = batch};
    clkl_buffer *buffers[] = {&args.p_mean, &args.p_scale, &args.q_mean, &args.q_scale};
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        buffers[operand]->mem = work->inputs[operand];
        buffers[operand]->offset = (size_t)first * (size_t)operand_of(work, operand)->strides[0];
    }
    clkl_buffer *gradients[] = {&args.p_mean_gradient, &args.p_scale_gradient,
                                &args.q_mean_gradient, &args.q_scale_gradient};
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        gradients[operand]->mem = place->gradients[operand];
    args.weights = (clkl_buffer){work->lengths, (size_t)first};
    args.result.mem = place->result;
    args.value_status.mem = place->status;
    args.clamp_counts.mem = work->problem.clamp_counts ? place->clamped : NULL;
    args.scratch.mem = place->scratch;
    cl_event event = NULL;
    if (clkl_enqueue(plan, place->queue, &args, 0, NULL, &event, &error) != CLKL_OK)
        die("clkl_enqueue: %s", error.message);
    return event;
}

/* Whether a part's gradients have the bits of the whole's. */
static void check_gradients(const struct place *place, const struct work *work, uint64_t first,
                            uint64_t batch)
{
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        const size_t count = work->of_sample[operand] * (size_t)batch;
        if (count == 0)
            continue;
        float *numbers = allocate(count, sizeof *numbers);
        read_buffer(place, place->gradients[operand], count * sizeof *numbers, numbers);
        if (memcmp(numbers, work->gradients[operand] + work->of_sample[operand] * first,
                   count * sizeof *numbers) != 0)
            die("gradient %d of %llu samples from %llu is another than alone", operand,
                (unsigned long long)batch, (unsigned long long)first);
        free(numbers);
    }
}

void place_check(const struct place *place, const struct work *work, cl_event event, uint64_t first,
                 uint64_t batch)
{
    float values[256];
    uint32_t status[256];
    clkl_clamp_count clamped[256] = {{0, 0}};
    EXPECT(batch <= 256 && event != NULL);
    REQUIRE(clWaitForEvents(1, &event));
    REQUIRE(clReleaseEvent(event));
    read_outputs(place, work, batch, values, status, clamped);
    check_gradients(place, work, first, batch);
    for (uint64_t i = 0; i < batch; ++i) {
        const uint64_t at = first + i;
        if (memcmp(&values[i], &work->values[at], sizeof *values) != 0 ||
            status[i] != work->status[at] ||
            (work->problem.clamp_counts &&
             memcmp(&clamped[i], &work->clamped[at], sizeof *clamped) != 0))
            die("sample %llu of a part from %llu: %.9g, status %u, clamped %u and %u; alone it was "
                "%.9g, status %u, clamped %u and %u",
                (unsigned long long)at, (unsigned long long)first, (double)values[i], status[i],
                clamped[i].p, clamped[i].q, (double)work->values[at], work->status[at],
                work->clamped[at].p, work->clamped[at].q);
    }
}

void place_run(const struct place *place, const struct work *work, clkl_plan *plan, int thread,
               int round)
{
    const uint64_t all = work->spec.shape[0];
    const uint64_t bits = hash_bits(11, (uint64_t)thread, (uint64_t)round);
    const uint64_t first = bits % all, batch = 1 + (bits >> 32) % (all - first);
    place_check(place, work, place_enqueue(place, work, plan, first, batch), first, batch);
}
