/* One piece of a batch on the device: arrays in, plan, enqueue, values out. */
#include "core/failure.h"
#include "core/problem.h"
#include "engine/engine.h"

#include <string.h>

/* Everything that a piece holds on the device. */
struct piece {
    clkl_plan *plan;
    clkl_args args;
    cl_mem held[9];
    size_t count;
    struct {
        uintptr_t begin, end;
    } in_place[4]; /* host memory that buffers use where it lies */
    size_t places;
};

static clkl_status hold(clkl_engine *engine, struct piece *piece, cl_mem_flags flags, size_t bytes,
                        void *host, cl_mem *mem, clkl_error *error)
{
    cl_int code = CL_SUCCESS;
    if (bytes > engine->max_allocation) /* not every implementation says so itself */
        return clkl_fail(error, CLKL_OUT_OF_DEVICE_MEMORY,
                         "an array of %zu bytes is larger than the device's largest buffer, %llu",
                         bytes, (unsigned long long)engine->max_allocation);
    *mem = clCreateBuffer(engine->context, flags, bytes, host, &code);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clCreateBuffer", code);
    piece->held[piece->count++] = *mem;
    return CLKL_OK;
}

/* Whether the array can be used where it lies: not if another buffer does already, for what OpenCL
 * makes of two buffers over the same host memory is undefined. */
static bool take_place(struct piece *piece, const void *array, size_t bytes)
{
    const uintptr_t begin = (uintptr_t)array, end = begin + bytes;
    for (size_t i = 0; i < piece->places; ++i)
        if (begin < piece->in_place[i].end && piece->in_place[i].begin < end)
            return false;
    piece->in_place[piece->places].begin = begin;
    piece->in_place[piece->places++].end = end;
    return true;
}

/* A buffer with an input array: in place where the device reads host memory, else a copy. */
static clkl_status send(clkl_engine *engine, struct piece *piece, const void *array,
                        uint64_t elements, clkl_buffer *buffer, clkl_error *error)
{
    const size_t bytes = (size_t)elements * sizeof(cl_float);
    if (engine->shares_memory) {
        const bool in_place = take_place(piece, array, bytes);
        return hold(engine, piece,
                    CL_MEM_READ_ONLY | (in_place ? CL_MEM_USE_HOST_PTR : CL_MEM_COPY_HOST_PTR),
                    bytes, (void *)array, &buffer->mem, error);
    }
    const clkl_status status =
        hold(engine, piece, CL_MEM_READ_ONLY, bytes, NULL, &buffer->mem, error);
    if (status != CLKL_OK)
        return status;
    const cl_int code =
        clEnqueueWriteBuffer(engine->queue, buffer->mem, CL_FALSE, 0, bytes, array, 0, NULL, NULL);
    return code == CL_SUCCESS ? CLKL_OK : clkl_fail_opencl(error, "clEnqueueWriteBuffer", code);
}

static clkl_status send_side(clkl_engine *engine, struct piece *piece,
                             const struct clkl_problem *problem, const struct clkl_side *side,
                             const void *mean, const void *scale, clkl_buffer *mean_buffer,
                             clkl_buffer *scale_buffer, clkl_error *error)
{
    if (problem->deterministic || side->scale_kind == CLKL_SCALE_UNIT)
        return CLKL_OK;
    const uint64_t scale_extent = clkl_problem_extent(problem, &side->scale);
    uint64_t mean_extent = clkl_problem_extent(problem, &side->mean);
    if (side->packed && scale_extent > mean_extent)
        mean_extent = scale_extent;
    clkl_status status = send(engine, piece, mean, mean_extent, mean_buffer, error);
    if (status == CLKL_OK && !side->packed)
        status = send(engine, piece, scale, scale_extent, scale_buffer, error);
    return status;
}

static clkl_status send_all(clkl_engine *engine, struct piece *piece,
                            const struct clkl_problem *problem, const clkl_host_args *host,
                            clkl_error *error)
{
    clkl_args *args = &piece->args;
    clkl_status status = send_side(engine, piece, problem, &problem->p, host->p_mean, host->p_scale,
                                   &args->p_mean, &args->p_scale, error);
    if (status == CLKL_OK)
        status = send_side(engine, piece, problem, &problem->q, host->q_mean, host->q_scale,
                           &args->q_mean, &args->q_scale, error);
    return status;
}

struct output {
    void *host;
    clkl_buffer *buffer;
    size_t bytes;
};

static clkl_status make_outputs(clkl_engine *engine, struct piece *piece,
                                const struct output *outputs, size_t count, clkl_error *error)
{
    clkl_status status = CLKL_OK;
    for (size_t i = 0; i < count && status == CLKL_OK; ++i)
        if (outputs[i].host != NULL)
            status = hold(engine, piece, CL_MEM_WRITE_ONLY, outputs[i].bytes, NULL,
                          &outputs[i].buffer->mem, error);
    const size_t scratch = clkl_plan_scratch_size(piece->plan);
    if (status == CLKL_OK && scratch > 0)
        status =
            hold(engine, piece, CL_MEM_READ_WRITE, scratch, NULL, &piece->args.scratch.mem, error);
    return status;
}

static clkl_status receive(clkl_engine *engine, const struct output *outputs, size_t count,
                           clkl_error *error)
{
    for (size_t i = 0; i < count; ++i) {
        if (outputs[i].host == NULL)
            continue;
        const cl_int code = clEnqueueReadBuffer(engine->queue, outputs[i].buffer->mem, CL_TRUE, 0,
                                                outputs[i].bytes, outputs[i].host, 0, NULL, NULL);
        if (code != CL_SUCCESS)
            return clkl_fail_opencl(error, "clEnqueueReadBuffer", code);
    }
    return CLKL_OK;
}

clkl_status clkl_engine_run_piece(clkl_engine *engine, const clkl_spec *spec,
                                  const clkl_host_args *host, clkl_error *error)
{
    struct clkl_problem problem;
    struct piece piece;
    memset(&piece, 0, sizeof piece);
    piece.args.struct_size = sizeof piece.args;
    clkl_status status = clkl_problem_make(spec, &problem, error);
    if (status != CLKL_OK)
        return status;
    const size_t values = (size_t)clkl_problem_result_count(&problem);
    const struct output outputs[] = {
        {host->result, &piece.args.result, values * sizeof(cl_float)},
        {host->value_status, &piece.args.value_status, values * sizeof(cl_uint)},
        {host->clamp_counts, &piece.args.clamp_counts, values * sizeof(cl_uint2)},
    };
    const size_t count = sizeof outputs / sizeof outputs[0];

    status = clkl_plan_create(engine->device, spec, 0, &piece.plan, error);
    if (status == CLKL_OK)
        status = send_all(engine, &piece, &problem, host, error);
    if (status == CLKL_OK)
        status = make_outputs(engine, &piece, outputs, count, error);
    if (status == CLKL_OK)
        status = clkl_enqueue(piece.plan, engine->queue, &piece.args, 0, NULL, NULL, error);
    if (status == CLKL_OK)
        status = receive(engine, outputs, count, error);
    if (status != CLKL_OK)
        clFinish(engine->queue); /* copies may still read the caller's arrays */
    for (size_t i = 0; i < piece.count; ++i)
        clReleaseMemObject(piece.held[i]);
    clkl_plan_release(piece.plan);
    return status;
}
