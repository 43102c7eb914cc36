#include "engine/engine.h"

#include "core/arguments.h"
#include "core/problem.h"
#include "core/schedule.h"
#include "engine/arrays.h"
#include "engine/catalog.h"
#include "opencl/device.h"
#include "reference/reference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Making one ---- */

static clkl_status open_device(clkl_engine *engine, const struct clkl_catalog_entry *entry,
                               clkl_error *error)
{
    cl_int code = CL_SUCCESS;
    engine->context = clCreateContext(NULL, 1, &entry->id, NULL, NULL, &code);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clCreateContext", code);
    engine->queue = clCreateCommandQueue(engine->context, entry->id, 0, &code);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clCreateCommandQueue", code);
    code = clGetDeviceInfo(entry->id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof engine->memory,
                           &engine->memory, NULL);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clGetDeviceInfo", code);
    engine->shares_memory = (entry->type & CL_DEVICE_TYPE_CPU) != 0;
    snprintf(engine->backend, sizeof engine->backend, "%s", entry->info.name);
    return clkl_device_create(engine->context, entry->id, &engine->device, error);
}

static clkl_status no_device(const struct clkl_catalog *catalog, clkl_engine *engine,
                             clkl_error *error)
{
    if (catalog->wants_reference || (catalog->wanted[0] == '\0' && !catalog->no_fallback)) {
        engine->reference = true;
        strcpy(engine->backend, "reference");
        return CLKL_OK;
    }
    if (catalog->count == 0)
        return clkl_fail(error, CLKL_NO_DEVICE, "there is no OpenCL device on this machine");
    if (catalog->wanted[0] == '\0')
        return clkl_fail(error, CLKL_NO_DEVICE, "none of the %zu OpenCL devices is usable",
                         catalog->count);
    return clkl_fail(error, CLKL_NO_DEVICE,
                     "none of the %zu OpenCL devices is usable and matches \"%s\"", catalog->count,
                     catalog->wanted);
}

clkl_status clkl_engine_create(const clkl_engine_options *options, clkl_engine **engine,
                               clkl_error *error)
{
    if (engine == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "engine is NULL");
    *engine = NULL;
    struct clkl_catalog catalog;
    clkl_status status = clkl_catalog_make(options, false, &catalog, error);
    if (status != CLKL_OK)
        return status;
    clkl_engine *made = calloc(1, sizeof *made);
    if (made == NULL)
        status = clkl_fail(error, CLKL_OUT_OF_HOST_MEMORY, "no memory for an engine");
    else if (catalog.chosen < 0)
        status = no_device(&catalog, made, error);
    else
        status = open_device(made, &catalog.entries[catalog.chosen], error);
    clkl_catalog_destroy(&catalog);
    if (status != CLKL_OK) {
        clkl_engine_release(made);
        return status;
    }
    *engine = made;
    return CLKL_OK;
}

void clkl_engine_release(clkl_engine *engine)
{
    if (engine == NULL)
        return;
    clkl_device_release(engine->device);
    if (engine->queue != NULL)
        clReleaseCommandQueue(engine->queue);
    if (engine->context != NULL)
        clReleaseContext(engine->context);
    free(engine);
}

const char *clkl_engine_backend(const clkl_engine *engine)
{
    return engine == NULL ? NULL : engine->backend;
}

int clkl_engine_is_reference(const clkl_engine *engine)
{
    return engine != NULL && engine->reference;
}

/* ---- Running in pieces ---- */

/* Whether every array of so large a batch fits into one buffer of the device, and all of them into
 * half of its memory. */
static bool fits(const clkl_engine *engine, const struct clkl_problem *problem,
                 const clkl_host_args *args, uint64_t batch)
{
    struct clkl_problem piece = *problem;
    struct clkl_array arrays[CLKL_MOST_ARRAYS];
    uint64_t together = 0;
    piece.shape[0] = batch;
    const size_t count = clkl_arrays_list(&piece, args, arrays);
    for (size_t i = 0; i < count; ++i) {
        if (arrays[i].bytes > engine->device->facts.max_allocation)
            return false;
        together += arrays[i].bytes;
    }
    return engine->shares_memory || together <= engine->memory / 2;
}

/* The largest batch that fits; at least 1. */
static uint64_t fitting_batch(const clkl_engine *engine, const struct clkl_problem *problem,
                              const clkl_host_args *args)
{
    uint64_t fitting = 1, batch = problem->shape[0];
    if (fits(engine, problem, args, batch))
        return batch;
    while (batch - fitting > 1) { /* `batch` does not fit */
        const uint64_t middle = fitting + (batch - fitting) / 2;
        if (fits(engine, problem, args, middle))
            fitting = middle;
        else
            batch = middle;
    }
    return fitting;
}

/* The arrays from sample `first` on. */
static clkl_host_args piece_of(const clkl_host_args *args, const struct clkl_problem *problem,
                               uint64_t first, uint64_t batch)
{
    clkl_host_args piece = *args;
    struct clkl_array arrays[CLKL_MOST_ARRAYS];
    const size_t count = clkl_arrays_list(problem, args, arrays);
    piece.batch = batch;
    for (size_t i = 0; i < count; ++i)
        *(char **)((char *)&piece + arrays[i].host) += arrays[i].step * first;
    return piece;
}

/* Whether the batch can be computed piece by piece: nothing may be summed over it. */
static bool can_be_cut(const struct clkl_problem *problem)
{
    const struct clkl_operand *arrays[] = {&problem->p.mean, &problem->p.scale, &problem->q.mean,
                                           &problem->q.scale};
    bool can = clkl_problem_keeps(problem, 0);
    for (int i = 0; i < 4; ++i)
        if ((problem->gradients >> i & 1u) != 0 && arrays[i]->strides[0] == 0)
            can = false;
    return can;
}

/* Where the device has no double precision but the problem needs it: says who has. */
static clkl_status check_fp64(const clkl_engine *engine, const struct clkl_problem *problem,
                              clkl_error *error)
{
    static const clkl_engine_options any = {.struct_size = sizeof any, .device = ""};
    struct clkl_catalog catalog;
    size_t i = 0;
    if (engine->device->facts.fp64 || !clkl_problem_needs_fp64(problem))
        return CLKL_OK;
    const clkl_status status = clkl_catalog_make(&any, true, &catalog, error);
    if (status != CLKL_OK)
        return status;
    while (i < catalog.count && !(catalog.entries[i].info.usable && catalog.entries[i].info.fp64))
        ++i;
    if (i < catalog.count)
        clkl_fail(error, CLKL_UNSUPPORTED,
                  "%s has no double precision, but device %zu, %s, has, and so has the reference",
                  engine->backend, i, catalog.entries[i].info.name);
    else
        clkl_fail(error, CLKL_UNSUPPORTED,
                  "%s has no double precision, and no usable device here has; the reference has",
                  engine->backend);
    clkl_catalog_destroy(&catalog);
    return CLKL_UNSUPPORTED;
}

static clkl_status run_on_device(clkl_engine *engine, const clkl_spec *given_spec,
                                 const clkl_host_args *given_args, clkl_error *error)
{
    struct clkl_problem problem;
    clkl_spec spec;
    clkl_host_args args;
    clkl_status status = clkl_take_spec(given_spec, &spec, error);
    if (status == CLKL_OK)
        status = clkl_problem_make(&spec, &problem, error);
    if (status == CLKL_OK)
        status = clkl_take_host_args(given_args, &args, error);
    if (status == CLKL_OK)
        status = clkl_host_args_check(&problem, &args, error);
    if (status == CLKL_OK)
        status = clkl_problem_set_batch(&problem, args.batch, error);
    if (status == CLKL_OK)
        status = check_fp64(engine, &problem, error);
    if (status != CLKL_OK)
        return status;
    const uint64_t total = problem.shape[0];
    uint64_t step = fitting_batch(engine, &problem, &args);
    if (!can_be_cut(&problem))
        step = total;
    for (uint64_t first = 0; first < total && status == CLKL_OK; first += step) {
        const uint64_t batch = total - first < step ? total - first : step;
        const clkl_host_args piece = piece_of(&args, &problem, first, batch);
        spec.shape[0] = batch;
        status = clkl_engine_run_piece(engine, &spec, &piece, error);
    }
    return status;
}

clkl_status clkl_engine_run(clkl_engine *engine, const clkl_spec *spec, const clkl_host_args *args,
                            clkl_error *error)
{
    if (engine == NULL || spec == NULL || args == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "engine, spec or args is NULL");
    return engine->reference ? clkl_reference_run(spec, args, error)
                             : run_on_device(engine, spec, args, error);
}
