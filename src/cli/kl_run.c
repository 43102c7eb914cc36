#include "kl_run.h"

#include "cache_dir.h"
#include "convert.h"
#include "library_error.h"
#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Whether what was asked for are the values per sample, as they are. */
static bool asks_for_samples(const struct kl_task *task)
{
    return kl_kept_samples(&task->kept) && task->free_nats == 0;
}

/* Arrays for the results; calloc refuses products that do not fit. */
static bool allocate(const struct kl_task *task, bool count_clamped, struct kl_result *result)
{
    const size_t samples = (size_t)task->samples, kept = (size_t)result->kept_count;
    const size_t size = result->type == CLKL_F64 ? sizeof(double) : sizeof(float);
    result->samples = calloc(samples, size);
    result->status = calloc(samples, sizeof *result->status);
    result->kept = asks_for_samples(task) ? result->samples : calloc(kept, size);
    if (count_clamped)
        result->clamp_counts = calloc(samples, sizeof *result->clamp_counts);
    if (task->full &&
        !kl_matrices_allocate(&result->matrices, samples, asks_for_samples(task) ? 0 : kept, size))
        return false;
    if (result->samples != NULL && result->status != NULL && result->kept != NULL &&
        (result->clamp_counts != NULL || !count_clamped))
        return true;
    return message("there is no memory for the results of %zu samples; expected about %zu bytes",
                   samples,
                   samples * (size + sizeof *result->status +
                              (count_clamped ? sizeof *result->clamp_counts : 0)) +
                       (asks_for_samples(task) ? 0 : kept * size));
}

static bool run_samples(clkl_engine *engine, const struct kl_task *task, struct kl_result *result,
                        clkl_error *error)
{
    clkl_spec spec = task->spec;
    clkl_host_args args = task->args;
    args.result = result->samples;
    args.value_status = result->status;
    args.clamp_counts = result->clamp_counts;
    spec.outputs = result->clamp_counts != NULL ? CLKL_OUTPUT_CLAMP_COUNTS : 0;
    if (task->full)
        spec.outputs |= CLKL_OUTPUT_PARTS | CLKL_OUTPUT_MATRIX_STATUS;
    args.parts = result->matrices.parts;
    args.matrix_status = result->matrices.status;
    return clkl_engine_run(engine, &spec, &args, error) == CLKL_OK;
}

static bool run_kept(clkl_engine *engine, const clkl_spec *spec, const struct kl_task *task,
                     struct kl_result *result, clkl_error *error)
{
    clkl_host_args args = task->args;
    args.result = result->kept;
    args.parts = result->matrices.kept_parts;
    return asks_for_samples(task) || clkl_engine_run(engine, spec, &args, error) == CLKL_OK;
}

double kl_run_clock(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

bool kl_run_refuse(const struct kl_options *options, const struct kl_files *files,
                   const struct kl_task *task, const clkl_error *error)
{
    const char *wide = kl_files_find_f64(options, files);
    if (error->status != CLKL_UNSUPPORTED || task->spec.compute != CLKL_F64)
        return library_error(error, NULL);
    return wide != NULL ? convert_refuse_f64(wide, error->message)
                        : message("--compute f64: %s (see --device)", error->message);
}

static bool run(clkl_engine *engine, const struct kl_options *options, const struct kl_files *files,
                const struct kl_task *task, struct kl_result *result)
{
    const clkl_spec kept = kl_task_kept_spec(options, task);
    clkl_error error = {.struct_size = sizeof error};
    double start = kl_run_clock();
    if (!run_samples(engine, task, result, &error) ||
        !run_kept(engine, &kept, task, result, &error))
        return kl_run_refuse(options, files, task, &error);
    result->seconds = kl_run_clock() - start;
    return true;
}

static bool device_was_asked_for(const struct kl_options *options)
{
    const char *variable = getenv("CLKL_DEVICE");
    return options->device != NULL || (variable != NULL && variable[0] != '\0');
}

clkl_engine *kl_run_engine(const char *device)
{
    const clkl_engine_options options = {.struct_size = sizeof options, .device = device};
    clkl_error error = {.struct_size = sizeof error};
    clkl_engine *engine = NULL;
    cache_dir_prepare(device);
    if (clkl_engine_create(&options, &engine, &error) == CLKL_OK)
        return engine;
    library_error(&error, device);
    return NULL;
}

void kl_run_describe(const clkl_engine *engine, const struct kl_options *options,
                     struct kl_result *result)
{
    result->reference = clkl_engine_is_reference(engine) != 0;
    result->fallback = result->reference && !device_was_asked_for(options);
    snprintf(result->device, sizeof result->device, "%s", clkl_engine_backend(engine));
}

bool kl_run_on(clkl_engine *engine, const struct kl_options *options, const struct kl_files *files,
               const struct kl_task *task, bool count_clamped, struct kl_result *result)
{
    const clkl_spec kept = kl_task_kept_spec(options, task);
    *result = (struct kl_result){.type = task->spec.compute};
    result->kept_count = clkl_spec_result_count(&kept, 0);
    kl_run_describe(engine, options, result);
    if (allocate(task, count_clamped, result) && run(engine, options, files, task, result))
        return true;
    kl_result_free(result);
    return false;
}

bool kl_run(const struct kl_options *options, const struct kl_files *files,
            const struct kl_task *task, bool count_clamped, struct kl_result *result)
{
    clkl_engine *engine = kl_run_engine(options->device);
    const bool good =
        engine != NULL && kl_run_on(engine, options, files, task, count_clamped, result);
    clkl_engine_release(engine);
    return good;
}

void kl_result_free(struct kl_result *result)
{
    if (result->kept != result->samples)
        free(result->kept);
    free(result->samples);
    free(result->status);
    free(result->clamp_counts);
    kl_matrices_free(&result->matrices);
    *result = (struct kl_result){0};
}

double kl_result_value(const struct kl_result *result, const void *values, uint64_t i)
{
    return result->type == CLKL_F64 ? ((const double *)values)[i]
                                    : (double)((const float *)values)[i];
}
