/* One piece of a batch on the device: arrays in, plan, enqueue, values out. */
#include "core/failure.h"
#include "engine/arrays.h"
#include "engine/engine.h"
#include "opencl/device.h"

#include <stdlib.h>
#include <string.h>

/* Everything that a piece holds on the device. */
struct piece {
    clkl_plan *plan;
    clkl_args args;
    struct clkl_array arrays[CLKL_MOST_ARRAYS];
    size_t n_arrays;
    cl_mem held[CLKL_MOST_ARRAYS + 1]; /* and scratch */
    size_t count;
    struct {
        uintptr_t begin, end;
    } in_place[CLKL_MOST_ARRAYS]; /* host memory that buffers use where it lies */
    size_t places;
};

static clkl_status hold(clkl_engine *engine, struct piece *piece, cl_mem_flags flags, size_t bytes,
                        void *host, cl_mem *mem, clkl_error *error)
{
    cl_int code = CL_SUCCESS;
    const uint64_t most = engine->device->facts.max_allocation;
    if (bytes > most) /* not every implementation says so itself */
        return clkl_fail(error, CLKL_OUT_OF_DEVICE_MEMORY,
                         "an array of %zu bytes is larger than the device's largest buffer, %llu",
                         bytes, (unsigned long long)most);
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

/* The host's array. */
static void *host_array(const clkl_host_args *host, const struct clkl_array *array)
{
    return *(void *const *)((const char *)host + array->host);
}

/* A buffer with an array's numbers: in place where the device reads host memory and nothing else
 * is, else a copy. */
static clkl_status send(clkl_engine *engine, struct piece *piece, void *from,
                        const struct clkl_array *array, cl_mem *mem, clkl_error *error)
{
    const size_t bytes = (size_t)array->bytes;
    const bool input = array->direction == CLKL_TO_DEVICE;
    const cl_mem_flags flags = input ? CL_MEM_READ_ONLY : CL_MEM_READ_WRITE;
    if (engine->shares_memory) {
        const bool in_place = input && take_place(piece, from, bytes);
        return hold(engine, piece, flags | (in_place ? CL_MEM_USE_HOST_PTR : CL_MEM_COPY_HOST_PTR),
                    bytes, from, mem, error);
    }
    const clkl_status status = hold(engine, piece, flags, bytes, NULL, mem, error);
    if (status != CLKL_OK)
        return status;
    const cl_int code =
        clEnqueueWriteBuffer(engine->queue, *mem, CL_FALSE, 0, bytes, from, 0, NULL, NULL);
    return code == CL_SUCCESS ? CLKL_OK : clkl_fail_opencl(error, "clEnqueueWriteBuffer", code);
}

/* Makes every buffer, and sends what goes to the device. */
static clkl_status make_buffers(clkl_engine *engine, struct piece *piece,
                                const clkl_host_args *host, clkl_error *error)
{
    clkl_status status = CLKL_OK;
    for (size_t i = 0; i < piece->n_arrays && status == CLKL_OK; ++i) {
        const struct clkl_array *array = &piece->arrays[i];
        cl_mem *mem = &((clkl_buffer *)((char *)&piece->args + array->device))->mem;
        status =
            array->direction == CLKL_FROM_DEVICE
                ? hold(engine, piece, CL_MEM_WRITE_ONLY, (size_t)array->bytes, NULL, mem, error)
                : send(engine, piece, host_array(host, array), array, mem, error);
    }
    const size_t scratch = clkl_plan_scratch_size(piece->plan);
    if (status == CLKL_OK && scratch > 0)
        status =
            hold(engine, piece, CL_MEM_READ_WRITE, scratch, NULL, &piece->args.scratch.mem, error);
    return status;
}

static clkl_status read_back(clkl_engine *engine, cl_mem mem, size_t bytes, void *to,
                             clkl_error *error)
{
    const cl_int code =
        clEnqueueReadBuffer(engine->queue, mem, CL_TRUE, 0, bytes, to, 0, NULL, NULL);
    return code == CL_SUCCESS ? CLKL_OK : clkl_fail_opencl(error, "clEnqueueReadBuffer", code);
}

/* Reads an array whose elements lie among others, which are left alone. */
static clkl_status receive_parts(clkl_engine *engine, const struct clkl_problem *problem,
                                 const struct clkl_array *array, cl_mem mem, void *to,
                                 clkl_error *error)
{
    void *copy = malloc((size_t)array->bytes);
    if (copy == NULL)
        return clkl_fail(error, CLKL_OUT_OF_HOST_MEMORY, "no memory for the copy of a gradient");
    const clkl_status status = read_back(engine, mem, (size_t)array->bytes, copy, error);
    if (status == CLKL_OK)
        clkl_array_copy_parts(problem, array, copy, to);
    free(copy);
    return status;
}

static clkl_status receive(clkl_engine *engine, const struct piece *piece,
                           const struct clkl_problem *problem, const clkl_host_args *host,
                           clkl_error *error)
{
    clkl_status status = CLKL_OK;
    for (size_t i = 0; i < piece->n_arrays && status == CLKL_OK; ++i) {
        const struct clkl_array *array = &piece->arrays[i];
        const cl_mem mem = ((const clkl_buffer *)((const char *)&piece->args + array->device))->mem;
        void *to = host_array(host, array);
        if (array->direction == CLKL_TO_DEVICE)
            continue;
        status = array->parts[0] != NULL ? receive_parts(engine, problem, array, mem, to, error)
                                         : read_back(engine, mem, (size_t)array->bytes, to, error);
    }
    return status;
}

clkl_status clkl_engine_run_piece(clkl_engine *engine, const clkl_spec *spec,
                                  const clkl_host_args *host, clkl_error *error)
{
    struct clkl_problem problem;
    struct piece piece;
    memset(&piece, 0, sizeof piece);
    piece.args.struct_size = sizeof piece.args;
    piece.args.factors = host->factors;
    clkl_status status = clkl_problem_make(spec, &problem, error);
    if (status != CLKL_OK)
        return status;
    piece.n_arrays = clkl_arrays_list(&problem, host, piece.arrays);

    status = clkl_plan_create(engine->device, spec, 0, &piece.plan, error);
    if (status == CLKL_OK)
        status = make_buffers(engine, &piece, host, error);
    if (status == CLKL_OK)
        status = clkl_enqueue(piece.plan, engine->queue, &piece.args, 0, NULL, NULL, error);
    if (status == CLKL_OK)
        status = receive(engine, &piece, &problem, host, error);
    if (status != CLKL_OK)
        clFinish(engine->queue); /* copies may still read the caller's arrays */
    for (size_t i = 0; i < piece.count; ++i)
        clReleaseMemObject(piece.held[i]);
    clkl_plan_release(piece.plan);
    return status;
}
