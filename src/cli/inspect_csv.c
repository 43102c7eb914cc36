#include "inspect_report.h"

#include <inttypes.h>

/* A line; `index` may be "". */
static void put(FILE *to, const char *quantity, const char *index, double value)
{
    if (value != value) /* printf may write -nan */
        fprintf(to, "%s,%s,nan\n", quantity, index);
    else
        fprintf(to, "%s,%s,%.17g\n", quantity, index, value);
}

static void put_count(FILE *to, const char *quantity, const char *index, uint64_t value)
{
    fprintf(to, "%s,%s,%" PRIu64 "\n", quantity, index, value);
}

struct index_text {
    char text[24];
};

static struct index_text index_text(uint64_t i)
{
    struct index_text result;
    snprintf(result.text, sizeof result.text, "%" PRIu64, i);
    return result;
}

/* The index along several axes, with spaces between them. */
static struct kl_kept_text place(const struct kl_kept *kept, uint64_t i)
{
    struct kl_kept_text text = kl_kept_place(kept, i);
    for (char *c = text.text; *c != '\0'; c++)
        if (*c == ',')
            *c = ' ';
    return text;
}

static void put_row(FILE *to, const struct inspection *inspection, const struct inspect_row *row)
{
    const struct kl_kept_text index = place(&inspection->axes.rows, row->index);
    const struct statistics *s = &inspection->statistics;
    put(to, "kl", index.text, row->kl);
    if (row->units > 0) {
        put(to, "variance", index.text, row->variance);
        put_count(to, "active", index.text, row->active);
        put_count(to, "active units", index.text, row->active_units);
    }
    if (s->clampable_p > 0)
        put_count(to, "clamped p", index.text, row->clamped_p);
    if (s->clampable_q > 0)
        put_count(to, "clamped q", index.text, row->clamped_q);
}

static void put_samples(FILE *to, const struct inspection *inspection)
{
    const struct inspect_samples *s = &inspection->samples;
    const struct kl_result *result = &inspection->result;
    for (uint64_t i = 0; i < inspection->task->samples; i++)
        put(to, "sample", index_text(i).text, kl_result_value(result, result->samples, i));
    for (uint64_t i = 0; i < s->outliers; i++)
        put(to, "outlier", index_text(s->outlier[i].index).text, s->outlier[i].kl);
    put(to, "mean", "", s->mean);
    put(to, "quartile", "1", s->lower);
    put(to, "quartile", "2", s->median);
    put(to, "quartile", "3", s->upper);
    put(to, "low fence", "", s->low_fence);
    put(to, "high fence", "", s->high_fence);
}

static void put_histogram(FILE *to, const struct inspect_samples *s)
{
    for (unsigned i = 0; s->bins > 0 && i <= s->bins; i++)
        put(to, "bin edge", index_text(i).text, inspect_samples_edge(s, i));
    for (unsigned i = 0; i < s->bins; i++)
        put_count(to, "bin", index_text(i).text, s->bin[i]);
    put_count(to, "below bins", "", s->below);
    put_count(to, "above bins", "", s->above);
}

void inspect_report_csv(FILE *to, const struct inspection *inspection)
{
    fputs("quantity,index,value\n", to);
    for (uint64_t i = 0; i < inspection->rows.count; i++)
        put_row(to, inspection, &inspection->rows.row[i]);
    for (uint64_t i = 0; i < inspection->position_count; i++)
        put(to, "position", place(&inspection->axes.positions, i).text, inspection->position[i]);
    put_samples(to, inspection);
    put_histogram(to, &inspection->samples);
}
