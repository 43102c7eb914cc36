#include "grad_report.h"

#include "message.h"
#include "report_parts.h"
#include "shape_text.h"

#include <inttypes.h>

static const char *type_name(clkl_dtype type)
{
    switch (type) {
    case CLKL_F16:
        return "float16";
    case CLKL_BF16:
        return "bfloat16";
    case CLKL_F64:
        return "float64";
    default:
        return "float32";
    }
}

/* What is differentiated: a number. */
static void print_loss(FILE *to, const struct grad_task *task)
{
    const struct kl_kept *kept = &task->kl.kept;
    const struct kl_options *options = &task->options->kl;
    fputs("  gradient of   ", to);
    if (kept->rank == 0)
        fprintf(to, "the %s over the batch", options->batch == CLKL_BATCH_SUM ? "sum" : "mean");
    else
        fprintf(to, "the sum of %" PRIu64 " %s, %s kept", task->result.kept_count,
                task->result.kept_count == 1 ? "value" : "values", kl_kept_names(kept, 0).text);
    if (options->upstream != NULL)
        fprintf(to, ", times %s", message_file(options->upstream));
    fputc('\n', to);
    if (task->options->p_factor != 1 || task->options->q_factor != 1) {
        fputs("  factor        ", to);
        if (task->options->of_p)
            fprintf(to, "%g for P's%s", task->options->p_factor, task->options->of_q ? ", " : "");
        if (task->options->of_q)
            fprintf(to, "%g for Q's", task->options->q_factor);
        fputc('\n', to);
    }
}

static void print_array(FILE *to, const struct grad_task *task, const struct grad_array *array,
                        const char *path)
{
    const uint64_t count = array->of->count;
    fprintf(to, "  %-12s  norm %.6g, largest %.6g, %" PRIu64 " of %" PRIu64 " are 0", array->name,
            array->norm, array->largest, array->zeros, count);
    if (array->nan > 0)
        fprintf(to, ", %" PRIu64 " NaN", array->nan);
    if (array->infinite > 0)
        fprintf(to, ", %" PRIu64 " infinite", array->infinite);
    fprintf(to, "\n                %s %s in %s\n", type_name(task->type),
            shape_text(array->of->shape, array->of->rank).text, path);
}

static void print_zeros(FILE *to, const struct grad_task *task, const struct report *report)
{
    const clkl_spec *spec = &task->kl.spec;
    if (task->kl.free_nats > 0)
        fprintf(to,
                "  free nats     %.6g: %" PRIu64 " of %" PRIu64
                " values are no more, and have gradients of 0\n",
                task->kl.free_nats, task->statistics.free, task->result.kept_count);
    report_weights(to, report);
    if (spec->clamp == CLKL_CLAMP)
        fprintf(to, "  clamp         outside [%g, %g] log-variances have gradients of 0\n",
                spec->clamp_low, spec->clamp_high);
}

void grad_report_summary(FILE *to, const struct grad_task *task, const struct grad_outputs *outputs)
{
    const struct report report = {&task->options->kl, &task->kl, &task->result, &task->statistics};
    report_input(to, &report);
    print_loss(to, task);
    for (unsigned i = 0; i < task->count; i++)
        print_array(to, task, &task->array[i], outputs->path[i]);
    print_zeros(to, task, &report);
    report_device(to, &report);
}

int grad_report_verdict(const struct grad_task *task, const struct grad_outputs *outputs)
{
    int status = EXIT_DONE;
    for (unsigned i = 0; i < task->count; i++) {
        const struct grad_array *array = &task->array[i];
        struct kl_kept axes = {.rank = array->of->rank};
        if (array->nan == 0)
            continue;
        for (unsigned k = 0; k < axes.rank; k++)
            axes.shape[k] = array->of->shape[k];
        message("%s: %" PRIu64 " of %" PRIu64 " numbers are NaN, the first at index [%s]",
                outputs->path[i], array->nan, array->of->count,
                kl_kept_place(&axes, array->first_nan).text);
        status = EXIT_INVALID_SAMPLES;
    }
    return status;
}
