#include "kl.h"

#include "kl_files.h"
#include "kl_options.h"
#include "kl_run.h"
#include "kl_task.h"
#include "message.h"
#include "out_file.h"
#include "report.h"
#include "report_parts.h"
#include "std_streams.h"

#include <errno.h>
#include <string.h>

/* Writes the values to the file, as far as it goes: a full disk shows here. */
static bool write_output(struct output *output, const struct report *report)
{
    const struct kl_task *task = report->task;
    const struct kl_result *result = report->result;
    struct io_error error;
    struct npy array = {.type = result->type == CLKL_F64 ? NPY_FLOAT64 : NPY_FLOAT32,
                        .rank = task->kept.rank,
                        .count = result->kept_count,
                        .data = result->kept};
    memcpy(array.shape, task->kept.shape, task->kept.rank * sizeof array.shape[0]);
    if (output == NULL)
        return true;
    if (!npy_write(output_stream(output), report->options->out, &array, &error))
        return message("%s", error.text);
    if (fflush(output_stream(output)) != 0)
        return message("%s: cannot be written: %s", report->options->out, strerror(errno));
    return true;
}

static bool print_report(const struct report *report)
{
    switch (report->options->report) {
    case KL_REPORT_SUMMARY:
        report_summary(stdout, report);
        break;
    case KL_REPORT_JSON:
        if (!report_json(stdout, report))
            return false;
        break;
    case KL_REPORT_CSV:
        report_csv(stdout, report);
        break;
    case KL_REPORT_NONE:
        break;
    }
    return std_streams_flush();
}

/* Everything that can fail comes before the output file appears. */
static int publish(const struct report *report, struct output *output)
{
    if (write_output(output, report) && print_report(report))
        return out_file_commit(output) ? report_verdict(report) : EXIT_NOTHING_DONE;
    output_abandon(output);
    return EXIT_NOTHING_DONE;
}

static int compute(const struct kl_options *options, const struct kl_files *files,
                   const struct kl_task *task)
{
    const bool counts = task->spec.clamp == CLKL_CLAMP &&
                        (options->report == KL_REPORT_SUMMARY || options->report == KL_REPORT_JSON);
    struct output *output = NULL;
    struct kl_result result;
    if (!kl_run(options, files, task, counts, &result))
        return EXIT_NOTHING_DONE;
    const struct statistics statistics = statistics_gather(task, &result);
    const struct report report = {options, task, &result, &statistics};
    /* Opened no sooner, so that there is nothing to leave behind for who is killed while computing.
     */
    const bool printing = options->report != KL_REPORT_NONE;
    const int status = out_file_open("out", options->out, printing, &output)
                           ? publish(&report, output)
                           : EXIT_NOTHING_DONE;
    kl_result_free(&result);
    return status;
}

int kl_command(int count, char **words)
{
    struct kl_options options;
    struct kl_files files;
    struct kl_task task;
    if (!kl_options_parse(count, words, &options) || !kl_files_read(&options, &files))
        return EXIT_NOTHING_DONE;
    const int status = kl_task_make(&options, &files, &task) ? compute(&options, &files, &task)
                                                             : EXIT_NOTHING_DONE;
    kl_files_free(&files);
    return status;
}
