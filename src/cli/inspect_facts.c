#include "inspect_report.h"
#include "report_parts.h"

#include <inttypes.h>
#include <math.h>

enum { ROOM = 56 }; /* columns after which lists end with "and 12 more" */

static void print_samples(FILE *to, const struct inspection *inspection)
{
    const struct inspect_samples *s = &inspection->samples;
    if (s->count == 0) {
        fputs("  per sample    no finite sample\n", to);
        return;
    }
    const struct inspect_sample first = s->sorted[0], last = s->sorted[s->count - 1];
    fprintf(to, "  per sample    mean %.6g, median %.6g\n", s->mean, s->median);
    fprintf(to, "                quartiles %.6g and %.6g\n", s->lower, s->upper);
    fprintf(to, "                min %.6g (sample %" PRIu64 "), max %.6g (sample %" PRIu64 ")\n",
            first.kl, first.index, last.kl, last.index);
}

static void print_active(FILE *to, const struct inspection *inspection)
{
    const struct inspect_rows *rows = &inspection->rows;
    const uint64_t units = rows->known_units;
    fputs("  active        ", to);
    if (!inspection_knows_activity(inspection)) {
        fputs("not known: the variance of the means takes two samples\n", to);
        return;
    }
    fprintf(to, "%" PRIu64 " of %" PRIu64 " unit%s", rows->active_units, units,
            units == 1 ? "" : "s");
    if (inspection->axes.per_channel)
        fprintf(to, ", %" PRIu64 " of %" PRIu64 " channel%s", rows->active, rows->known,
                rows->known == 1 ? "" : "s");
    fprintf(to, ": Var[mu] above %g\n", inspection->options->threshold);
}

static void print_outliers(FILE *to, const struct inspection *inspection)
{
    const struct inspect_samples *s = &inspection->samples;
    if (s->count == 0)
        return;
    fprintf(to,
            "  outliers      %" PRIu64 " of %" PRIu64 ", below %.6g or above %.6g: %g times the\n"
            "                distance of the quartiles beyond them\n",
            s->outliers, s->count, s->low_fence, s->high_fence, inspection->options->fence);
    uint64_t named = 0;
    for (int used = 0; named < s->outliers && used < ROOM; named++)
        used += fprintf(to, "%s%" PRIu64, named == 0 ? "                sample " : ", ",
                        s->outlier[named].index);
    if (s->outliers > named)
        fprintf(to, " and %" PRIu64 " more", s->outliers - named);
    if (named > 0)
        fputc('\n', to);
}

/* The rows whose status has one of these bits. */
static void print_rows_with(FILE *to, const struct inspection *inspection, uint32_t bits,
                            const char *what)
{
    const struct inspect_rows *rows = &inspection->rows;
    uint64_t count = 0, named = 0;
    int used = 0;
    for (uint64_t i = 0; i < rows->count; i++) {
        if ((rows->row[i].status & bits) == 0)
            continue;
        count++;
        if (used >= ROOM)
            continue;
        if (named == 0)
            used +=
                fprintf(to, "                %s in %s ", what, inspect_axes_row(&inspection->axes));
        used += fprintf(to, "%s%s", named++ == 0 ? "" : "; ",
                        kl_kept_place(&inspection->axes.rows, rows->row[i].index).text);
    }
    if (count > named)
        fprintf(to, " and %" PRIu64 " more", count - named);
    if (count > 0)
        fputc('\n', to);
}

static void print_partial(FILE *to, const struct inspection *inspection)
{
    const uint64_t all = inspection->task->samples, left_out = all - inspection->samples.count;
    if (left_out == 0)
        return;
    fprintf(to,
            "  left out      %" PRIu64 " of %" PRIu64
            " samples, which are not finite: all else but "
            "the\n                clamp's count is of the others\n",
            left_out, all);
    print_rows_with(to, inspection, CLKL_VALUE_NAN | CLKL_VALUE_NEGATIVE_SCALE, "invalid");
    print_rows_with(to, inspection, CLKL_VALUE_INFINITE, "infinite");
}

void inspect_report_facts(FILE *to, const struct inspection *inspection)
{
    const struct report report = inspection_report(inspection);
    report_input(to, &report);
    print_samples(to, inspection);
    print_active(to, inspection);
    print_outliers(to, inspection);
    report_weights(to, &report);
    report_clamp(to, &report);
    report_odd(to, &report);
    print_partial(to, inspection);
    report_device(to, &report);
}
