#include "bars.h"
#include "report.h"
#include "report_covariance.h"
#include "report_parts.h"
#include "shape_text.h"

#include <inttypes.h>
#include <math.h>

static void print_samples(FILE *to, const struct report *report)
{
    const struct spread *s = &report->statistics->samples;
    const struct kl_task *task = report->task;
    const double elements = (double)task->counted / (double)task->samples;
    const double nats = s->mean / elements;
    if (s->valid == 0) {
        fputs("  per sample    no valid sample\n", to);
        return;
    }
    fprintf(to, "  per sample    mean %.6g\n", s->mean);
    fprintf(to, "                min %.6g (sample %" PRIu64 "), max %.6g (sample %" PRIu64 ")\n",
            s->min, s->min_at, s->max, s->max_at);
    if (task->full)
        report_covariance_parts(to, report);
    else if (task->counted == 0)
        fputs("  per element   no element counts\n", to);
    else
        fprintf(to, "  per element   mean %.6g nats = %.6g bits, %.6g latent %s a sample%s\n", nats,
                nats / log(2), elements, elements == 1 ? "element" : "elements",
                task->spec.weights.kind != CLKL_NO_WEIGHTS ? " count" : "");
}

/* The one value of --keep none. */
static void print_whole(FILE *to, const struct report *report)
{
    if (report->task->kept.rank == 0)
        fprintf(to, "  batch         %s %.6g\n",
                report->options->batch == CLKL_BATCH_SUM ? "sum" : "mean",
                kl_result_value(report->result, report->result->kept, 0));
}

/* What is odd among the values that the mean is taken of. */
static void print_kept_odd(FILE *to, const struct spread *s)
{
    if (s->invalid > 0)
        fprintf(to, ", %" PRIu64 " NaN left out", s->invalid);
    if (s->infinite > 0)
        fprintf(to, ", %" PRIu64 " infinite", s->infinite);
    if (s->infinite > 0 && s->infinite < s->valid)
        fprintf(to, "; mean of the finite ones %.6g", s->finite_mean);
    fputc('\n', to);
}

/* The values where other axes are kept beside the samples. */
static void print_kept(FILE *to, const struct report *report)
{
    const struct kl_kept *kept = &report->task->kept;
    const struct spread *s = &report->statistics->kept;
    if (!kl_kept_batch(kept) || kept->rank == 1)
        return;
    fprintf(to,
            "  per value     %" PRIu64 " of shape %s:\n"
            "                one for each sample and index of %s\n",
            report->result->kept_count, shape_text(kept->shape, kept->rank).text,
            kl_kept_names(kept, 1).text);
    if (s->valid == 0) {
        fputs("                no valid value\n", to);
        return;
    }
    fprintf(to, "                mean %.6g", s->mean);
    print_kept_odd(to, s);
    fprintf(to, "                min %.6g (index %s), max %.6g (index %s)\n", s->min,
            kl_kept_place(kept, s->min_at).text, s->max, kl_kept_place(kept, s->max_at).text);
}

/* What the values that came out have in common, where some of them are the free nats. */
static void print_free(FILE *to, const struct report *report)
{
    const struct spread *s = &report->statistics->kept;
    if (report->task->free_nats == 0)
        return;
    fprintf(to, "  free nats     %.6g: the divergence is no more in %" PRIu64 " of %" PRIu64 " %s",
            report->task->free_nats, report->statistics->free, report->result->kept_count,
            report->result->kept_count == 1 ? "value" : "values");
    fprintf(to, s->valid > 0 ? "; with them mean %.6g\n" : "\n", s->mean);
}

void report_summary(FILE *to, const struct report *report)
{
    report_input(to, report);
    print_samples(to, report);
    print_whole(to, report);
    print_kept(to, report);
    print_free(to, report);
    report_weights(to, report);
    report_clamp(to, report);
    report_odd(to, report);
    report_device(to, report);
    if (report->task->kept.rank > 0 && !kl_kept_batch(&report->task->kept))
        bars_draw(to, report);
}
