#include "inspect_means.h"

#include "kl_weights.h"
#include "message.h"
#include "number.h"

#include <math.h>
#include <stdlib.h>

/* Where the means lie in each sample: `blocks` of `length` elements each, `pitch` apart. */
struct means {
    const void *data;
    clkl_dtype type;
    uint64_t blocks, length, pitch;
};

static struct means find_means(const struct kl_options *options, const struct kl_files *files,
                               const struct kl_task *task)
{
    struct means means = {
        .data = files->p.mean.data, .type = files->p.dtype, .blocks = 1, .length = task->elements};
    if (options->p.packed)
        for (unsigned axis = 1; axis < task->split_axis; axis++)
            means.blocks *= task->spec.shape[axis];
    means.length /= means.blocks;
    means.pitch = options->p.packed ? 2 * means.length : means.length;
    return means;
}

/* What is known of one unit's mean so far. */
struct unit {
    uint64_t samples;
    double average, squares; /* squared deviations from it, added up */
};

/* Takes the elements of a sample that count into what is known of the units. */
static void add_sample(const struct means *means, const struct kl_files *files,
                       const struct kl_task *task, uint64_t sample, struct unit *unit)
{
    uint64_t e = 0;
    for (uint64_t block = 0; block < means->blocks; block++) {
        const uint64_t start = (sample * means->blocks + block) * means->pitch;
        for (uint64_t i = 0; i < means->length; i++, e++) {
            if (!kl_weights_count(files, task, sample, e))
                continue;
            struct unit *u = &unit[e];
            const double x = number_at(means->data, means->type, start + i), d = x - u->average;
            u->average += d / (double)++u->samples;
            u->squares += d * (x - u->average);
        }
    }
}

double *inspect_means_variance(const struct kl_options *options, const struct kl_files *files,
                               const struct kl_task *task, uint64_t samples)
{
    const struct means means = find_means(options, files, task);
    struct unit *unit = calloc((size_t)task->elements, sizeof *unit);
    double *variance = calloc((size_t)task->elements, sizeof *variance);
    if (unit == NULL || variance == NULL) {
        free(unit);
        free(variance);
        message("there is no memory for the variances of %llu units",
                (unsigned long long)task->elements);
        return NULL;
    }
    for (uint64_t sample = 0; sample < samples; sample++)
        add_sample(&means, files, task, sample, unit);
    for (uint64_t e = 0; e < task->elements; e++)
        variance[e] = unit[e].samples > 1 ? unit[e].squares / (double)unit[e].samples : NAN;
    free(unit);
    return variance;
}
