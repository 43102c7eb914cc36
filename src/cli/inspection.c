#include "inspection.h"

#include "inspect_means.h"
#include "inspect_rows.h"
#include "inspect_samples.h"
#include "library_error.h"
#include "message.h"
#include "number.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- The samples that are not finite, left out ---- */

/* Brings the finite samples of one array to the front. */
static void pack(struct npy *array, const struct kl_result *result)
{
    if (array->data == NULL)
        return;
    const size_t row = (size_t)(array->count / array->shape[0]) * npy_type_size(array->type);
    char *to = array->data;
    for (uint64_t i = 0; i < array->shape[0]; i++) {
        if (!isfinite(kl_result_value(result, result->samples, i)))
            continue;
        memmove(to, (char *)array->data + i * row, row);
        to += row;
    }
}

static void pack_finite(struct kl_files *files, const struct inspection *inspection)
{
    pack(&files->p.mean, &inspection->result);
    pack(&files->p.scale, &inspection->result);
    if (inspection->task->weights_vary)
        pack(&files->weights, &inspection->result);
    if (inspection->task->q_shared)
        return;
    pack(&files->q.mean, &inspection->result);
    pack(&files->q.scale, &inspection->result);
}

/* ---- Runs ---- */

static void *refuse_memory(uint64_t count)
{
    message("there is no memory for the divergences of %llu indices", (unsigned long long)count);
    return NULL;
}

/* Makes doubles of the floats that the array holds. */
static void widen(double *values, uint64_t count)
{
    for (uint64_t i = count; i-- > 0;) {
        float narrow;
        memcpy(&narrow, (char *)values + i * sizeof narrow, sizeof narrow);
        values[i] = (double)narrow;
    }
}

/* The values of the first `samples` samples for the axes that are kept, in doubles; status and
 * clamp counts, where they are not NULL. NULL with a sentence on failure; the caller frees. */
static double *run(clkl_engine *engine, const struct kl_task *task, uint64_t samples,
                   const struct kl_kept *kept, struct inspect_values *more)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_spec spec = task->spec;
    clkl_host_args args = task->args;
    spec.shape[0] = samples;
    spec.keep = kl_kept_bits(kept);
    spec.outputs = more->clamp_counts != NULL ? CLKL_OUTPUT_CLAMP_COUNTS : 0;
    const uint64_t count = clkl_spec_result_count(&spec, 0);
    double *values = calloc((size_t)count, sizeof *values);
    if (values == NULL)
        return refuse_memory(count);
    args.result = values;
    args.value_status = more->status;
    args.clamp_counts = more->clamp_counts;
    if (clkl_engine_run(engine, &spec, &args, &error) != CLKL_OK) {
        library_error(&error, NULL);
        free(values);
        return NULL;
    }
    if (spec.compute == CLKL_F32)
        widen(values, count);
    return values;
}

static uint64_t count_indices(const struct kl_kept *kept)
{
    uint64_t count = 1;
    for (unsigned k = 0; k < kept->rank; k++)
        count *= kept->shape[k];
    return count;
}

/* The rows' values: over all samples for what is counted, and once more over the finite ones if
 * there are others. */
static bool run_rows(clkl_engine *engine, struct kl_files *files,
                     const struct inspection *inspection, struct inspect_values *values)
{
    const struct kl_task *task = inspection->task;
    const struct kl_kept *kept = &inspection->axes.rows;
    const uint64_t count = count_indices(kept);
    values->status = calloc((size_t)count, sizeof *values->status);
    if (task->spec.clamp == CLKL_CLAMP)
        values->clamp_counts = calloc((size_t)count, sizeof *values->clamp_counts);
    if (values->status == NULL || (task->spec.clamp == CLKL_CLAMP && values->clamp_counts == NULL))
        return refuse_memory(count) != NULL;
    values->kl = run(engine, task, task->samples, kept, values);
    if (values->kl == NULL || !inspection_is_partial(inspection))
        return values->kl != NULL;
    pack_finite(files, inspection);
    if (inspection->samples.count == 0) {
        for (uint64_t i = 0; i < count; i++)
            values->kl[i] = NAN;
        return true;
    }
    free(values->kl);
    struct inspect_values nothing_more = {0};
    values->kl = run(engine, task, inspection->samples.count, kept, &nothing_more);
    return values->kl != NULL;
}

static bool find_rows(clkl_engine *engine, struct kl_files *files, struct inspection *inspection)
{
    const struct kl_options *options = &inspection->options->kl;
    struct inspect_values values = {0};
    double *variance = NULL;
    const bool good = run_rows(engine, files, inspection, &values) &&
                      (variance = inspect_means_variance(options, files, inspection->task,
                                                         inspection->samples.count)) != NULL &&
                      inspect_rows_find(inspection, &values, variance, &inspection->rows);
    free(variance);
    free(values.kl);
    free(values.status);
    free(values.clamp_counts);
    return good;
}

static bool find_positions(clkl_engine *engine, struct inspection *inspection)
{
    const struct kl_kept *kept = &inspection->axes.positions;
    struct inspect_values nothing_more = {0};
    if (kept->rank == 0 || inspection->samples.count == 0)
        return true;
    inspection->position_count = count_indices(kept);
    inspection->position =
        run(engine, inspection->task, inspection->samples.count, kept, &nothing_more);
    return inspection->position != NULL;
}

/* Shares of a divergence, bars and histograms are of numbers that are not below 0. */
static bool check_weights(const struct kl_options *options, const struct kl_files *files)
{
    const bool numbers = options->weights.kind == CLKL_WEIGHTS;
    for (uint64_t i = 0; numbers && i < files->weights.count; i++) {
        const double weight = number_at(files->weights.data, files->weights_dtype, i);
        if (weight < 0)
            return message("%s: holds the weight %g; expected none below 0, for an inspection is "
                           "of divergences, which are not below 0 either",
                           message_file(options->weights.file), weight);
    }
    return true;
}

static bool make(clkl_engine *engine, struct kl_files *files, struct inspection *inspection)
{
    const struct kl_task *task = inspection->task;
    const bool counts = task->spec.clamp == CLKL_CLAMP;
    if (!kl_run_on(engine, &inspection->options->kl, files, task, counts, &inspection->result))
        return false;
    inspection->statistics = statistics_gather(task, &inspection->result);
    const double start = kl_run_clock();
    if (!inspect_samples_find(task, &inspection->result, inspection->options->fence,
                              &inspection->samples) ||
        !find_rows(engine, files, inspection) || !find_positions(engine, inspection))
        return false;
    inspection->result.seconds += kl_run_clock() - start;
    return true;
}

bool inspection_make(const struct inspect_options *options, struct kl_files *files,
                     const struct kl_task *task, struct inspection *inspection)
{
    *inspection = (struct inspection){.options = options, .task = task};
    if (!inspect_axes_find(options, task, &inspection->axes) || !check_weights(&options->kl, files))
        return false;
    clkl_engine *engine = kl_run_engine(options->kl.device);
    const bool good = engine != NULL && make(engine, files, inspection);
    clkl_engine_release(engine);
    if (!good)
        inspection_free(inspection);
    return good;
}

void inspection_free(struct inspection *inspection)
{
    kl_result_free(&inspection->result);
    inspect_samples_free(&inspection->samples);
    free(inspection->rows.row);
    free(inspection->position);
    inspection->rows.row = NULL;
    inspection->position = NULL;
}

/* ---- Questions ---- */

struct report inspection_report(const struct inspection *inspection)
{
    return (struct report){&inspection->options->kl, inspection->task, &inspection->result,
                           &inspection->statistics};
}

bool inspection_is_partial(const struct inspection *inspection)
{
    return inspection->samples.count < inspection->task->samples;
}

bool inspection_knows_activity(const struct inspection *inspection)
{
    return inspection->rows.known > 0;
}

const char *inspection_mark(const struct inspect_row *row)
{
    if (row->units == 0)
        return "";
    return row->active ? "active" : "collapsed";
}
