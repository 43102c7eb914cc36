#include "report_parts.h"

#include "kl_covariance.h"
#include "message.h"
#include "report_covariance.h"
#include "shape_text.h"

#include <inttypes.h>

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
static void print_reading(FILE *to, const struct kl_side_options *side,
                          const clkl_gaussian *gaussian, const struct kl_task *task)
{
    const uint64_t half = task->spec.shape[task->split_axis];
    if (kl_form_is_matrix(side->form)) {
        report_covariance_reading(to, side, gaussian);
    } else if (side->packed) {
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

/* The shape of a sample; with full covariances the number D alone. */
static struct shape_text extents(const struct kl_task *task)
{
    struct shape_text text = shape_text(task->spec.shape + 1, task->spec.rank - 1);
    if (task->full)
        snprintf(text.text, sizeof text.text, "%" PRIu64, task->elements);
    return text;
}

void report_input(FILE *to, const struct report *report)
{
    const struct kl_options *options = report->options;
    const struct kl_task *task = report->task;
    fprintf(to, "%" PRIu64 " %s of %s%s; ", task->samples,
            task->samples == 1 ? "sample" : "samples", task->full ? "D = " : "",
            extents(task).text);
    print_reading(to, &options->p, &task->spec.p, task);
    if (options->q.mean != NULL) {
        fprintf(to, "\nQ %s; ", task->q_shared ? "shared by all samples" : "for each sample");
        print_reading(to, &options->q, &task->spec.q, task);
    }
    fprintf(to, "\nKL(P || %s), nats%s\n\n", options->q.mean != NULL ? "Q" : "N(0, I)",
            options->p.form == CLKL_DETERMINISTIC ? "; P is deterministic: 0 by definition" : "");
}

void report_clamp(FILE *to, const struct report *report)
{
    const struct statistics *s = report->statistics;
    const clkl_spec *spec = &report->task->spec;
    const bool p = kl_form_has_logvar(spec->p.form), q = kl_form_has_logvar(spec->q.form);
    if (spec->clamp == CLKL_NO_CLAMP) {
        if (spec->p.form != CLKL_DETERMINISTIC && (p || q))
            fputs("  clamped       none: log-variances are taken as they are\n", to);
        return;
    }
    fputs("  clamped       ", to);
    if (p)
        fprintf(to, "%" PRIu64 " of %" PRIu64 " log-variances%s", s->clamped_p, s->clampable_p,
                q ? " of P, " : "");
    if (q)
        fprintf(to, "%" PRIu64 " of %" PRIu64 "%s of Q", s->clamped_q, s->clampable_q,
                p ? "" : " log-variances");
    fprintf(to, " lay outside [%g, %g]\n", spec->clamp_low, spec->clamp_high);
}

void report_weights(FILE *to, const struct report *report)
{
    const struct kl_weights_options *weights = &report->options->weights;
    const struct kl_task *task = report->task;
    if (weights->kind == CLKL_NO_WEIGHTS)
        return;
    fprintf(to, "  %-12s  %" PRIu64 " of %" PRIu64 " elements count", weights->option,
            task->counted, task->samples * task->elements);
    if (weights->kind == CLKL_LENGTHS)
        fprintf(to, ": the first of axis %u", task->spec.weights.length_axis);
    fprintf(to, ", by %s\n", message_file(weights->file));
}

void report_odd(FILE *to, const struct report *report)
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
    if (report->task->full)
        report_covariance_matrices(to, report);
}

void report_device(FILE *to, const struct report *report)
{
    const struct kl_result *result = report->result;
    fprintf(to, "  device        %s%s, %s, %.3g s\n", result->device,
            result->fallback    ? " (plain C: no OpenCL device is usable, see clkl devices)"
            : result->reference ? " (plain C)"
                                : "",
            result->type == CLKL_F64 ? "f64" : "f32", result->seconds);
}

int report_verdict(const struct report *report)
{
    if (report->task->full)
        return report_covariance_verdict(report);
    const struct sample_list negative =
        sample_list(report->task, report->result, CLKL_VALUE_NEGATIVE_SCALE, 0);
    const struct sample_list nan =
        sample_list(report->task, report->result, CLKL_VALUE_NAN, CLKL_VALUE_NEGATIVE_SCALE);
    const uint64_t invalid = report->statistics->samples.invalid;
    if (invalid == 0)
        return EXIT_DONE;
    message("%llu of %llu samples %s invalid:%s%s%s%s%s", (unsigned long long)invalid,
            (unsigned long long)report->task->samples, invalid == 1 ? "is" : "are",
            nan.count > 0 ? " NaN in sample " : "", nan.text,
            nan.count > 0 && negative.count > 0 ? ";" : "",
            negative.count > 0 ? " a variance or standard deviation below 0 in sample " : "",
            negative.text);
    return EXIT_INVALID_SAMPLES;
}
