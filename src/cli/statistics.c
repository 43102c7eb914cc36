#include "statistics.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

static void add_value(struct spread *s, double value, uint64_t at)
{
    if (isnan(value)) {
        s->invalid++;
        return;
    }
    if (s->valid == 0 || value < s->min) {
        s->min = value;
        s->min_at = at;
    }
    if (s->valid == 0 || value > s->max) {
        s->max = value;
        s->max_at = at;
    }
    s->valid++;
    s->infinite += isinf(value) != 0;
    s->mean += value;
    s->finite_mean += isinf(value) ? 0 : value;
}

static struct spread gather(const struct kl_result *result, const void *values, uint64_t count)
{
    struct spread s = {0};
    for (uint64_t i = 0; i < count; i++)
        add_value(&s, kl_result_value(result, values, i), i);
    s.mean /= (double)s.valid;
    s.finite_mean /= (double)(s.valid - s.infinite);
    return s;
}

/* A Q that all samples share is counted with each of them, but is there once, unless other elements
 * of it count in each. */
static void count_clamped(const struct kl_task *task, const struct kl_result *result,
                          struct statistics *s)
{
    const uint64_t q_rows = task->q_shared && !task->weights_vary ? 1 : task->samples;
    if (task->spec.clamp == CLKL_NO_CLAMP)
        return;
    s->clampable_p = kl_form_has_logvar(task->spec.p.form) ? task->counted : 0;
    s->clampable_q =
        kl_form_has_logvar(task->spec.q.form) ? task->counted / (task->samples / q_rows) : 0;
    for (uint64_t i = 0; result->clamp_counts != NULL && i < task->samples; i++) {
        s->clamped_p += result->clamp_counts[i].p;
        s->clamped_q += i < q_rows ? result->clamp_counts[i].q : 0;
    }
}

uint64_t statistics_count_free(const struct kl_task *task, const struct kl_result *result)
{
    uint64_t count = 0;
    for (uint64_t i = 0; task->free_nats > 0 && i < result->kept_count; i++)
        count += kl_result_value(result, result->kept, i) <= task->free_nats;
    return count;
}

struct statistics statistics_gather(const struct kl_task *task, const struct kl_result *result)
{
    struct statistics s = {.samples = gather(result, result->samples, task->samples),
                           .kept = gather(result, result->kept, result->kept_count)};
    s.free = statistics_count_free(task, result);
    count_clamped(task, result, &s);
    return s;
}

struct sample_list sample_list(const struct kl_task *task, const struct kl_result *result,
                               uint32_t with, uint32_t without)
{
    struct sample_list list = {.count = 0};
    size_t used = 0;
    for (uint64_t i = 0; i < task->samples; i++) {
        if ((result->status[i] & with) == 0 || (result->status[i] & without) != 0)
            continue;
        if (list.count++ < SAMPLE_LIST_NAMED)
            used += (size_t)snprintf(list.text + used, sizeof list.text - used, "%s%" PRIu64,
                                     used > 0 ? ", " : "", i);
    }
    if (list.count > SAMPLE_LIST_NAMED)
        snprintf(list.text + used, sizeof list.text - used, " and %" PRIu64 " more",
                 list.count - SAMPLE_LIST_NAMED);
    return list;
}
