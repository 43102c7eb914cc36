#include "inspect_rows.h"

#include "message.h"

#include <math.h>
#include <stdlib.h>

/* Elements of a sample from one index of an axis to the next. */
static uint64_t pitch(const clkl_spec *spec, unsigned axis)
{
    uint64_t elements = 1;
    while (++axis < spec->rank)
        elements *= spec->shape[axis];
    return elements;
}

/* Adds up the variances of each row's units, as far as they are known. */
static void add_variances(const struct inspection *inspection, const double *variance,
                          struct inspect_rows *rows)
{
    const struct kl_task *task = inspection->task;
    const uint64_t step =
        inspection->axes.per_channel ? pitch(&task->spec, inspection->axes.channel) : 1;
    for (uint64_t e = 0; e < task->elements; e++) {
        struct inspect_row *row = &rows->row[e / step % rows->count];
        if (isnan(variance[e]))
            continue;
        row->units++;
        row->variance += variance[e];
        row->active_units += variance[e] > inspection->options->threshold;
    }
}

static void fill(const struct inspection *inspection, const struct inspect_values *values,
                 struct inspect_rows *rows)
{
    const struct kl_task *task = inspection->task;
    const uint64_t q_repeats = task->q_shared && !task->weights_vary ? task->samples : 1;
    for (uint64_t i = 0; i < rows->count; i++) {
        struct inspect_row *row = &rows->row[i];
        row->index = i;
        row->kl = values->kl[i];
        row->status = values->status[i];
        if (values->clamp_counts != NULL) {
            row->clamped_p = values->clamp_counts[i].p;
            row->clamped_q = values->clamp_counts[i].q / q_repeats;
        }
        row->variance = row->units > 0 ? row->variance / (double)row->units : NAN;
        row->active = row->variance > inspection->options->threshold;
        rows->known += row->units > 0;
        rows->known_units += row->units;
        rows->active += row->active;
        rows->active_units += row->active_units;
    }
}

/* The largest first; equal ones, and NaN, by their index. */
static int compare(const void *left, const void *right)
{
    const struct inspect_row *a = left, *b = right;
    if (a->kl > b->kl || a->kl < b->kl)
        return a->kl > b->kl ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

bool inspect_rows_find(const struct inspection *inspection, const struct inspect_values *values,
                       const double *variance, struct inspect_rows *rows)
{
    const struct kl_kept *kept = &inspection->axes.rows;
    *rows = (struct inspect_rows){.count = 1};
    for (unsigned k = 0; k < kept->rank; k++)
        rows->count *= kept->shape[k];
    rows->units = inspection->task->elements / rows->count;
    rows->row = calloc((size_t)rows->count, sizeof *rows->row);
    if (rows->row == NULL)
        return message("there is no memory for %llu units", (unsigned long long)rows->count);
    add_variances(inspection, variance, rows);
    fill(inspection, values, rows);
    qsort(rows->row, (size_t)rows->count, sizeof *rows->row, compare);
    return true;
}
