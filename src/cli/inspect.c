#include "inspect.h"

#include "gnuplot.h"
#include "inspect_plot.h"
#include "inspect_report.h"
#include "message.h"
#include "out_file.h"
#include "report_parts.h"
#include "std_streams.h"

#include <errno.h>
#include <string.h>

/* Draws into `output`, if that is not NULL; otherwise the drawing is ready to be copied. */
static bool draw(struct gnuplot *gnuplot, struct output *output,
                 const struct inspection *inspection)
{
    if (inspection->options->plot == INSPECT_NO_PLOT)
        return true;
    inspect_plot_write(gnuplot->commands, inspection);
    if (!gnuplot_finish(gnuplot))
        return false;
    if (output == NULL)
        return true;
    gnuplot_copy(gnuplot, output_stream(output));
    return fflush(output_stream(output)) == 0 ||
           message("%s: cannot be written: %s", inspection->options->plot_path, strerror(errno));
}

static bool print_report(struct gnuplot *gnuplot, const struct inspection *inspection)
{
    const bool terminal = inspection->options->plot == INSPECT_PLOT_TERMINAL;
    switch (inspection->options->kl.report) {
    case KL_REPORT_SUMMARY:
        inspect_report_facts(stdout, inspection);
        if (!terminal)
            inspect_report_charts(stdout, inspection);
        break;
    case KL_REPORT_JSON:
        if (!inspect_report_json(stdout, inspection))
            return false;
        break;
    case KL_REPORT_CSV:
        inspect_report_csv(stdout, inspection);
        break;
    case KL_REPORT_NONE:
        break;
    }
    if (terminal) {
        gnuplot_copy_text(gnuplot, stdout);
        inspect_report_positions(stdout, inspection);
    }
    return std_streams_flush();
}

/* Everything that can fail comes before the file appears. */
static int publish(struct gnuplot *gnuplot, struct output *output,
                   const struct inspection *inspection)
{
    const struct report report = inspection_report(inspection);
    if (draw(gnuplot, output, inspection) && print_report(gnuplot, inspection))
        return out_file_commit(output) ? report_verdict(&report) : EXIT_NOTHING_DONE;
    output_abandon(output);
    return EXIT_NOTHING_DONE;
}

static int report_all(struct gnuplot *gnuplot, const struct inspection *inspection)
{
    const struct inspect_options *options = inspection->options;
    struct output *output = NULL;
    if (options->plot != INSPECT_NO_PLOT && inspection->samples.count == 0) {
        message("--plot: each of the %llu samples is invalid or infinite, so there is nothing to "
                "draw; leave it out to see what they are",
                (unsigned long long)inspection->task->samples);
        return EXIT_NOTHING_DONE;
    }
    return out_file_open("plot", options->plot_path, options->kl.report != KL_REPORT_NONE, &output)
               ? publish(gnuplot, output, inspection)
               : EXIT_NOTHING_DONE;
}

static int inspect(struct gnuplot *gnuplot, const struct inspect_options *options)
{
    struct kl_files files;
    struct kl_task task;
    struct inspection inspection;
    int status = EXIT_NOTHING_DONE;
    if (!kl_files_read(&options->kl, &files))
        return EXIT_NOTHING_DONE;
    if (kl_task_make(&options->kl, &files, &task) &&
        inspection_make(options, &files, &task, &inspection)) {
        status = report_all(gnuplot, &inspection);
        inspection_free(&inspection);
    }
    kl_files_free(&files);
    return status;
}

int inspect_command(int count, char **words)
{
    struct inspect_options options;
    struct gnuplot gnuplot = {0};
    if (!inspect_options_parse(count, words, &options) ||
        (options.plot != INSPECT_NO_PLOT && !gnuplot_start(&gnuplot)))
        return EXIT_NOTHING_DONE;
    const int status = inspect(&gnuplot, &options);
    gnuplot_end(&gnuplot);
    return status;
}
