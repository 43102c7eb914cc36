#include "kl.h"

#include "io/output.h"
#include "kl_files.h"
#include "kl_options.h"
#include "kl_run.h"
#include "kl_task.h"
#include "message.h"
#include "report.h"
#include "std_streams.h"

#include <errno.h>
#include <string.h>

/* Opens the file of --out, if there is one. */
static bool open_output(const struct kl_options *options, struct output **output)
{
    struct io_error error;
    *output = NULL;
    if (options->out == NULL)
        return true;
    if (options->report != KL_REPORT_NONE && std_streams_is_output(options->out))
        return message("--out %s: this is where standard output goes, and what is printed there "
                       "would mix with the values; add --quiet, or name another file",
                       options->out);
    *output = output_open(options->out, &error);
    return *output != NULL || message("%s", error.text);
}

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

static bool commit(struct output *output)
{
    struct io_error error;
    return output == NULL || output_commit(output, &error) || message("%s", error.text);
}

/* Names the samples that are NaN. */
static int finish(const struct report *report)
{
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

/* Everything that can fail comes before the output file appears. */
static int publish(const struct report *report, struct output *output)
{
    if (write_output(output, report) && print_report(report))
        return commit(output) ? finish(report) : EXIT_NOTHING_DONE;
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
    const int status = open_output(options, &output) ? publish(&report, output) : EXIT_NOTHING_DONE;
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
