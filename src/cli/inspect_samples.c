#include "inspect_samples.h"

#include "message.h"

#include <math.h>
#include <stdlib.h>

static int compare(const void *left, const void *right)
{
    const struct inspect_sample *a = left, *b = right;
    if (a->kl != b->kl)
        return a->kl < b->kl ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

/* The value below which the share p of the sorted ones lies. */
static double quantile(const struct inspect_samples *s, double p)
{
    const double place = p * (double)(s->count - 1);
    const uint64_t below = (uint64_t)place;
    const double left = s->sorted[below].kl;
    const double right = s->sorted[below + 1 < s->count ? below + 1 : below].kl;
    return left + (place - (double)below) * (right - left);
}

static bool is_outlier(const struct inspect_samples *s, double kl)
{
    return kl < s->low_fence || kl > s->high_fence;
}

/* From both ends of the sorted values inwards, the farther one first. */
static void find_outliers(struct inspect_samples *s)
{
    uint64_t left = 0, right = s->count;
    while (left < right) {
        const struct inspect_sample low = s->sorted[left], high = s->sorted[right - 1];
        const bool take_low = s->low_fence - low.kl > high.kl - s->high_fence;
        if (!is_outlier(s, take_low ? low.kl : high.kl))
            return;
        s->outlier[s->outliers++] = take_low ? low : high;
        left += take_low;
        right -= !take_low;
    }
}

static unsigned count_bins(const struct inspect_samples *s)
{
    const double width = 2 * (s->upper - s->lower) / cbrt((double)s->count);
    if (s->low == s->high)
        return 1;
    const double bins = width > 0 ? ceil((s->high - s->low) / width) : INSPECT_BINS;
    return bins < INSPECT_BINS ? (unsigned)bins : INSPECT_BINS;
}

static void fill_histogram(struct inspect_samples *s)
{
    const double range = s->upper - s->lower;
    const double first = s->sorted[0].kl, last = s->sorted[s->count - 1].kl;
    s->low = range > 0 ? fmax(first, s->lower - 4 * range) : first;
    s->high = range > 0 ? fmin(last, s->upper + 4 * range) : last;
    s->bins = count_bins(s);
    for (uint64_t i = 0; i < s->count; i++) {
        const double kl = s->sorted[i].kl;
        const double share = s->low < s->high ? (kl - s->low) / (s->high - s->low) : 0;
        const unsigned bin = share < 1 ? (unsigned)(fmax(share, 0) * s->bins) : s->bins - 1;
        if (kl < s->low)
            s->below++;
        else if (kl > s->high)
            s->above++;
        else
            s->bin[bin < s->bins ? bin : s->bins - 1]++;
    }
}

static bool gather(const struct kl_task *task, const struct kl_result *result,
                   struct inspect_samples *s)
{
    s->sorted = calloc((size_t)task->samples, sizeof *s->sorted);
    s->outlier = calloc((size_t)task->samples, sizeof *s->outlier);
    if (s->sorted == NULL || s->outlier == NULL) {
        inspect_samples_free(s);
        return message("there is no memory to sort %llu samples",
                       (unsigned long long)task->samples);
    }
    for (uint64_t i = 0; i < task->samples; i++) {
        const double kl = kl_result_value(result, result->samples, i);
        if (!isfinite(kl))
            continue;
        s->sorted[s->count++] = (struct inspect_sample){kl, i};
        s->mean += kl;
    }
    s->mean /= (double)s->count;
    qsort(s->sorted, (size_t)s->count, sizeof *s->sorted, compare);
    return true;
}

bool inspect_samples_find(const struct kl_task *task, const struct kl_result *result, double fence,
                          struct inspect_samples *s)
{
    *s = (struct inspect_samples){.lower = NAN};
    if (!gather(task, result, s))
        return false;
    s->median = s->upper = s->low_fence = s->high_fence = s->low = s->high = NAN;
    if (s->count == 0)
        return true;
    s->lower = quantile(s, 0.25);
    s->median = quantile(s, 0.5);
    s->upper = quantile(s, 0.75);
    s->low_fence = s->lower - fence * (s->upper - s->lower);
    s->high_fence = s->upper + fence * (s->upper - s->lower);
    find_outliers(s);
    fill_histogram(s);
    return true;
}

void inspect_samples_free(struct inspect_samples *s)
{
    free(s->sorted);
    free(s->outlier);
    s->sorted = s->outlier = NULL;
}

double inspect_samples_edge(const struct inspect_samples *s, unsigned i)
{
    return s->low + (s->high - s->low) * (double)i / (double)s->bins;
}
