#include "engine/engine.h"

#include "core/arguments.h"
#include "core/problem.h"
#include "engine/catalog.h"
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
    code = clGetDeviceInfo(entry->id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof engine->max_allocation,
                           &engine->max_allocation, NULL);
    if (code == CL_SUCCESS)
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
static bool fits(const clkl_engine *engine, const struct clkl_problem *problem, uint64_t batch)
{
    struct clkl_problem piece = *problem;
    piece.shape[0] = batch;
    const uint64_t sizes[] = {
        clkl_problem_extent(&piece, &piece.p.mean) * sizeof(cl_float),
        clkl_problem_extent(&piece, &piece.p.scale) * sizeof(cl_float),
        clkl_problem_extent(&piece, &piece.q.mean) * sizeof(cl_float),
        clkl_problem_extent(&piece, &piece.q.scale) * sizeof(cl_float),
        clkl_problem_result_count(&piece) * sizeof(clkl_clamp_count), /* the largest output */
    };
    uint64_t together = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
        if (sizes[i] > engine->max_allocation)
            return false;
        together += sizes[i];
    }
    return engine->shares_memory || together <= engine->memory / 2;
}

/* The largest batch that fits; at least 1. */
static uint64_t fitting_batch(const clkl_engine *engine, const struct clkl_problem *problem)
{
    uint64_t fitting = 1, batch = problem->shape[0];
    if (fits(engine, problem, batch))
        return batch;
    while (batch - fitting > 1) { /* `batch` does not fit */
        const uint64_t middle = fitting + (batch - fitting) / 2;
        if (fits(engine, problem, middle))
            fitting = middle;
        else
            batch = middle;
    }
    return fitting;
}

static const void *advance(const void *array, int64_t stride, uint64_t samples)
{
    return array == NULL ? NULL : (const float *)array + (uint64_t)stride * samples;
}

/* The arrays from sample `first` on. */
static clkl_host_args piece_of(const clkl_host_args *args, const struct clkl_problem *problem,
                               uint64_t first, uint64_t batch)
{
    clkl_host_args piece = *args;
    piece.batch = batch;
    piece.p_mean = advance(args->p_mean, problem->p.mean.strides[0], first);
    piece.p_scale = advance(args->p_scale, problem->p.scale.strides[0], first);
    piece.q_mean = advance(args->q_mean, problem->q.mean.strides[0], first);
    piece.q_scale = advance(args->q_scale, problem->q.scale.strides[0], first);
    const uint64_t values = clkl_problem_result_count(problem) / problem->shape[0] * first;
    piece.result = (float *)args->result + values;
    piece.value_status = args->value_status == NULL ? NULL : args->value_status + values;
    piece.clamp_counts = args->clamp_counts == NULL ? NULL : args->clamp_counts + values;
    return piece;
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
    if (status != CLKL_OK)
        return status;
    const uint64_t total = problem.shape[0];
    uint64_t step = fitting_batch(engine, &problem);
    if (!clkl_problem_keeps(&problem, 0))
        step = total; /* values sum over the whole batch */
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
