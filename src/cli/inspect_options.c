#include "inspect_options.h"

#include "arguments.h"
#include "kl_rows.h"
#include "message.h"

#include <string.h>
#include <strings.h>

static const struct argp_option table[] = {
    KL_ROWS_P,
    KL_ROWS_Q,
    KL_ROWS_READING,
    {"channel-axis", KL_KEY(KL_CHANNEL_AXIS), "N", 0,
     "the axis of the mean's shape that counts the channels; negative numbers count from the end "
     "(default: the axis that P's packed moments are split on, else 1)",
     0},

    KL_ROWS_WEIGHTS,

    {0, 0, 0, 0, "What is looked at, and where it is computed:", 5},
    {"per", KL_KEY(KL_PER), "channel|unit", 0,
     "a row for each channel, over all its positions, or for each unit, which is one latent "
     "element of a sample; for a mean of shape [B, D] both are the same (default channel)",
     0},
    {"threshold", KL_KEY(KL_THRESHOLD), "VAR", 0,
     "a unit is active if the variance of its mean over the batch is above VAR, else collapsed; a "
     "channel is, if that variance, averaged over its positions, is (default 0.01, as in Burda, "
     "Grosse and Salakhutdinov 2016). With a mask, weights or lengths it is the variance over the "
     "samples where the unit counts, of which it takes two",
     0},
    {"fence", KL_KEY(KL_FENCE), "K", 0,
     "a sample is an outlier if its divergence is more than K times the distance of the quartiles "
     "below the lower or above the upper one (default 1.5, as in Tukey 1977)",
     0},
    KL_ROWS_WHERE,

    {0, 0, 0, 0, "What comes out:", 6},
    {"plot", KL_KEY(KL_PLOT), "FILE.png|FILE.svg|-", 0,
     "draw it with gnuplot, into a file or, for -, into the terminal", 0},
    {"json", KL_KEY(KL_JSON), 0, 0, "print JSON instead of the summary", 0},
    {"csv", KL_KEY(KL_CSV), 0, 0, "print a line for each number instead of the summary", 0},
    {"quiet", KL_KEY(KL_QUIET), 0, 0, "print no summary", 0},
    KL_ROWS_COMMON};

const struct argp inspect_argp = {
    table,
    kl_arguments_take,
    "P.npy [Q.npy]\n--mean FILE --logvar FILE",
    "What the latents of a VAE are worth: the divergence of each channel or unit, sorted, and "
    "whether it is active or has collapsed; of each position; of the samples, with a histogram and "
    "the outliers; and how many values a clamp touched.\v"
    "\"-\" as FILE is standard input. Samples that are NaN or infinite are named, and left out of "
    "all that is averaged. The exit status is 0 if all went well, 1 if some samples are invalid "
    "(NaN), 2 if nothing was done.",
    NULL,
    NULL,
    NULL};

static bool read_per(const char *text, struct inspect_options *options)
{
    options->per_unit = text != NULL && strcmp(text, "unit") == 0;
    return text == NULL || options->per_unit || strcmp(text, "channel") == 0 ||
           message("--per '%s': expected channel or unit", text);
}

static bool read_channel_axis(const char *text, struct inspect_options *options)
{
    options->channel_axis_text = text;
    return text == NULL || arguments_integer(text, &options->channel_axis) ||
           message("--channel-axis %s: found no whole number; expected an axis, e.g. 1 or -1",
                   text);
}

static bool read_amounts(const struct kl_arguments *arguments, struct inspect_options *options)
{
    const char *threshold = arguments->option[KL_THRESHOLD], *fence = arguments->option[KL_FENCE];
    options->threshold = 0.01;
    options->fence = 1.5;
    if (threshold != NULL && !arguments_amount(threshold, &options->threshold))
        return message("--threshold %s: expected a variance, which is a finite number not below 0, "
                       "e.g. 0.01",
                       threshold);
    if (fence != NULL && !arguments_amount(fence, &options->fence))
        return message("--fence %s: expected a finite number not below 0, e.g. 1.5 or 3", fence);
    return true;
}

static bool ends_with(const char *text, const char *end)
{
    const size_t length = strlen(text), end_length = strlen(end);
    return length > end_length && strcasecmp(text + length - end_length, end) == 0;
}

static bool read_plot(const char *text, struct inspect_options *options)
{
    const enum kl_report_kind report = options->kl.report;
    if (text == NULL)
        return true;
    if (strcmp(text, "-") == 0) {
        options->plot = INSPECT_PLOT_TERMINAL;
        return (report != KL_REPORT_JSON && report != KL_REPORT_CSV) ||
               message("--plot - and --%s both want standard output; give one of them, or draw "
                       "into a file",
                       report == KL_REPORT_JSON ? "json" : "csv");
    }
    options->plot_path = text;
    options->plot = ends_with(text, ".png")   ? INSPECT_PLOT_PNG
                    : ends_with(text, ".svg") ? INSPECT_PLOT_SVG
                                              : INSPECT_NO_PLOT;
    return options->plot != INSPECT_NO_PLOT ||
           message("--plot %s: expected a name that ends in .png or .svg, or - for the terminal",
                   text);
}

bool inspect_options_parse(int count, char **words, struct inspect_options *options)
{
    struct kl_arguments arguments;
    memset(options, 0, sizeof *options);
    return kl_arguments_parse(&inspect_argp, "clkl inspect", count, words, &arguments) &&
           kl_options_read(&arguments, &options->kl) &&
           read_per(arguments.option[KL_PER], options) &&
           read_channel_axis(arguments.option[KL_CHANNEL_AXIS], options) &&
           read_amounts(&arguments, options) && read_plot(arguments.option[KL_PLOT], options);
}
