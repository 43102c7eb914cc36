#include "inspect_means.h"

#include "message.h"
#include "number.h"

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

/* Takes sample number `sample` into the averages and the sums of squared deviations from them. */
static void add_sample(const struct means *means, uint64_t sample, double *average, double *squares)
{
    const double n = (double)(sample + 1);
    uint64_t e = 0;
    for (uint64_t block = 0; block < means->blocks; block++) {
        const uint64_t start = (sample * means->blocks + block) * means->pitch;
        for (uint64_t i = 0; i < means->length; i++, e++) {
            const double x = number_at(means->data, means->type, start + i), d = x - average[e];
            average[e] += d / n;
            squares[e] += d * (x - average[e]);
        }
    }
}

double *inspect_means_variance(const struct kl_options *options, const struct kl_files *files,
                               const struct kl_task *task, uint64_t samples)
{
    const struct means means = find_means(options, files, task);
    double *average = calloc((size_t)task->elements, sizeof *average);
    double *variance = calloc((size_t)task->elements, sizeof *variance);
    if (average == NULL || variance == NULL) {
        free(average);
        free(variance);
        message("there is no memory for the variances of %llu units",
                (unsigned long long)task->elements);
        return NULL;
    }
    for (uint64_t sample = 0; sample < samples; sample++)
        add_sample(&means, sample, average, variance);
    for (uint64_t e = 0; e < task->elements; e++)
        variance[e] /= (double)samples;
    free(average);
    return variance;
}
