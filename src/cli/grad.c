#include "grad.h"

#include "grad_outputs.h"
#include "grad_report.h"
#include "message.h"
#include "std_streams.h"

static bool print_report(const struct grad_task *task, const struct grad_outputs *outputs)
{
    switch (task->options->kl.report) {
    case KL_REPORT_SUMMARY:
        grad_report_summary(stdout, task, outputs);
        break;
    case KL_REPORT_JSON:
        if (!grad_report_json(stdout, task, outputs))
            return false;
        break;
    default:
        break;
    }
    return std_streams_flush();
}

/* Everything that can fail comes before the files appear. */
static int publish(const struct grad_task *task)
{
    struct grad_outputs outputs;
    int status = EXIT_NOTHING_DONE;
    if (!grad_outputs_open(task, &outputs))
        return status;
    if (grad_outputs_write(task, &outputs) && print_report(task, &outputs) &&
        grad_outputs_commit(&outputs))
        status = grad_report_verdict(task, &outputs);
    grad_outputs_free(&outputs);
    return status;
}

int grad_command(int count, char **words)
{
    struct grad_options options;
    struct kl_files files;
    struct grad_task task;
    int status = EXIT_NOTHING_DONE;
    if (!grad_options_parse(count, words, &options) || !kl_files_read(&options.kl, &files))
        return status;
    if (grad_task_make(&options, &files, &task)) {
        if (grad_task_run(&task))
            status = publish(&task);
        grad_task_free(&task);
    }
    kl_files_free(&files);
    return status;
}
