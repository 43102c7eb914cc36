#include "bars.h"
#include "message.h"
#include "report.h"
#include "shape_text.h"

#include <inttypes.h>
#include <math.h>

/* "4-7", or "1" for a range of one. */
static void print_range(FILE *to, uint64_t first, uint64_t count)
{
    if (count == 1)
        fprintf(to, "%" PRIu64, first);
    else
        fprintf(to, "%" PRIu64 "-%" PRIu64, first, first + count - 1);
}

static const char *scale_name(clkl_form form)
{
    switch (form) {
    case CLKL_MEAN_LOGVAR:
        return "log-variance";
    case CLKL_MEAN_LOGSTD:
        return "log standard deviation";
    case CLKL_MEAN_VAR:
        return "variance";
    default:
        return "standard deviation";
    }
}

/* How the files of a side were read. */
static void print_reading(FILE *to, const struct kl_side_options *side, const struct kl_task *task)
{
    const uint64_t half = task->spec.shape[task->split_axis];
    if (side->packed) {
        fprintf(to, "axis %u split: ", task->split_axis);
        print_range(to, 0, half);
        fputs(" mean, ", to);
        print_range(to, half, half);
        fputs(side->form == CLKL_DETERMINISTIC ? " not used" : " log-variance", to);
    } else {
        fprintf(to, "mean from %s", message_file(side->mean));
        if (side->scale != NULL)
            fprintf(to, ", %s from %s", scale_name(side->form), message_file(side->scale));
    }
}

static void print_input(FILE *to, const struct report *report)
{
    const struct kl_options *options = report->options;
    const struct kl_task *task = report->task;
    fprintf(to, "%" PRIu64 " %s of %s; ", task->samples, task->samples == 1 ? "sample" : "samples",
            shape_text(task->spec.shape + 1, task->spec.rank - 1).text);
    print_reading(to, &options->p, task);
    if (options->q.mean != NULL) {
        fprintf(to, "\nQ %s; ", task->q_shared ? "shared by all samples" : "for each sample");
        print_reading(to, &options->q, task);
    }
    fprintf(to, "\nKL(P || %s), nats%s\n\n", options->q.mean != NULL ? "Q" : "N(0, I)",
            options->p.form == CLKL_DETERMINISTIC ? "; P is deterministic: 0 by definition" : "");
}

static void print_samples(FILE *to, const struct report *report)
{
    const struct spread *s = &report->statistics->samples;
    const double nats = s->mean / (double)report->task->elements;
    if (s->valid == 0) {
        fputs("  per sample    no valid sample\n", to);
        return;
    }
    fprintf(to, "  per sample    mean %.6g\n", s->mean);
    fprintf(to, "                min %.6g (sample %" PRIu64 "), max %.6g (sample %" PRIu64 ")\n",
            s->min, s->min_at, s->max, s->max_at);
    fprintf(to, "  per element   mean %.6g nats = %.6g bits, %" PRIu64 " latent %s a sample\n",
            nats, nats / log(2), report->task->elements,
            report->task->elements == 1 ? "element" : "elements");
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

static void print_clamp(FILE *to, const struct report *report)
{
    const struct statistics *s = report->statistics;
    const clkl_spec *spec = &report->task->spec;
    if (spec->clamp == CLKL_NO_CLAMP) {
        if (spec->p.form != CLKL_DETERMINISTIC &&
            (kl_form_has_logvar(spec->p.form) || kl_form_has_logvar(spec->q.form)))
            fputs("  clamped       none: log-variances are taken as they are\n", to);
        return;
    }
    fputs("  clamped       ", to);
    if (s->clampable_p > 0)
        fprintf(to, "%" PRIu64 " of %" PRIu64 " log-variances%s", s->clamped_p, s->clampable_p,
                s->clampable_q > 0 ? " of P, " : "");
    if (s->clampable_q > 0)
        fprintf(to, "%" PRIu64 " of %" PRIu64 "%s of Q", s->clamped_q, s->clampable_q,
                s->clampable_p > 0 ? "" : " log-variances");
    fprintf(to, " lay outside [%g, %g]\n", spec->clamp_low, spec->clamp_high);
}

static void print_odd(FILE *to, const struct report *report)
{
    const struct spread *s = &report->statistics->samples;
    const struct sample_list invalid =
        sample_list(report->task, report->result, CLKL_VALUE_NAN | CLKL_VALUE_NEGATIVE_SCALE, 0);
    const struct sample_list infinite =
        sample_list(report->task, report->result, CLKL_VALUE_INFINITE, 0);
    fprintf(to, "  invalid       %" PRIu64 " of %" PRIu64 "%s%s\n", s->invalid,
            report->task->samples, s->invalid > 0 ? ": sample " : "", invalid.text);
    fprintf(to, "  infinite      %" PRIu64 " of %" PRIu64 "%s%s", s->infinite,
            report->task->samples, s->infinite > 0 ? ": sample " : "", infinite.text);
    if (s->infinite > 0 && s->infinite < s->valid)
        fprintf(to, "; mean of the finite ones %.6g", s->finite_mean);
    fputc('\n', to);
}

static void print_device(FILE *to, const struct report *report)
{
    const struct kl_result *result = report->result;
    fprintf(to, "  device        %s%s, %s, %.3g s\n", result->device,
            result->fallback    ? " (plain C: no OpenCL device is usable, see clkl devices)"
            : result->reference ? " (plain C)"
                                : "",
            result->type == CLKL_F64 ? "f64" : "f32", result->seconds);
}

void report_summary(FILE *to, const struct report *report)
{
    print_input(to, report);
    print_samples(to, report);
    print_whole(to, report);
    print_kept(to, report);
    print_clamp(to, report);
    print_odd(to, report);
    print_device(to, report);
    if (report->task->kept.rank > 0 && !kl_kept_batch(&report->task->kept))
        bars_draw(to, report);
}
