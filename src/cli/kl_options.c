#include "kl_options.h"

#include "arguments.h"
#include "kl_covariance.h"
#include "kl_sides.h"
#include "kl_weights.h"
#include "message.h"

#include <string.h>

static bool read_split_axis(const struct kl_arguments *arguments, struct kl_options *options)
{
    const char *text = arguments->option[KL_SPLIT_AXIS];
    options->split_axis = 1;
    if (text == NULL)
        return true;
    if (!arguments_integer(text, &options->split_axis))
        return message("--split-axis %s: found no whole number; expected an axis, e.g. 1 or -1",
                       text);
    if (options->split_axis == 0)
        return message("--split-axis 0: axis 0 is the batch axis; expected the axis along which "
                       "means and log-variances follow each other, e.g. 1 or -1");
    if (!options->p.packed && !options->q.packed)
        return message("--split-axis %s: no side is given as packed moments, so there is nothing "
                       "to split; leave it out",
                       text);
    return true;
}

static bool read_batch(const struct kl_arguments *arguments, struct kl_options *options)
{
    const char *text = arguments->option[KL_BATCH];
    options->batch_given = text != NULL;
    if (text == NULL)
        return true;
    if (strcmp(text, "sum") == 0)
        options->batch = CLKL_BATCH_SUM;
    else if (strcmp(text, "mean") != 0)
        return message("--batch '%s': expected mean or sum", text);
    return true;
}

/* The defaults of the two sides; a caller who has to choose is told so. */
static bool default_clamp(struct kl_options *options)
{
    bool p_moments = options->p.form == CLKL_MOMENTS, p_file = options->p.form == CLKL_MEAN_LOGVAR;
    bool q_moments = options->q.form == CLKL_MOMENTS, q_file = options->q.form == CLKL_MEAN_LOGVAR;
    if ((p_moments && q_file) || (p_file && q_moments))
        return message("the log-variances of packed moments are clamped to [-30, 20] by default, "
                       "those of --%s are not, and one clamp applies to both; say --clamp LO,HI or "
                       "--no-clamp",
                       q_file ? "q-logvar" : "logvar");
    options->clamp = p_moments || q_moments ? CLKL_CLAMP : CLKL_NO_CLAMP;
    options->clamp_low = -30;
    options->clamp_high = 20;
    if (options->p.form == CLKL_DETERMINISTIC)
        options->clamp = CLKL_NO_CLAMP;
    return true;
}

static bool given_clamp(const char *text, struct kl_options *options)
{
    if (!arguments_bounds(text, &options->clamp_low, &options->clamp_high))
        return message("--clamp %s: expected two finite numbers, the lower first, e.g. -30,20",
                       text);
    if (options->p.form == CLKL_DETERMINISTIC)
        return message("--clamp %s: the divergence of a deterministic P is 0 by definition, so "
                       "there is nothing to clamp; leave it out",
                       text);
    if (!kl_form_has_logvar(options->p.form) && !kl_form_has_logvar(options->q.form))
        return message("--clamp %s: it applies to log-variances, but neither side is given by them "
                       "(as packed moments or --logvar); leave it out",
                       text);
    options->clamp = CLKL_CLAMP;
    return true;
}

static bool read_clamp(const struct kl_arguments *arguments, struct kl_options *options)
{
    const char *text = arguments->option[KL_CLAMP];
    bool off = arguments->option[KL_NO_CLAMP] != NULL;
    if (text != NULL && off)
        return message("--clamp %s and --no-clamp contradict each other; give one of them", text);
    if (text != NULL)
        return given_clamp(text, options);
    return off || default_clamp(options);
}

static bool read_compute(const struct kl_arguments *arguments, struct kl_options *options)
{
    const char *text = arguments->option[KL_COMPUTE];
    if (text == NULL)
        return true;
    if (strcmp(text, "f32") == 0)
        options->compute = CLKL_F32;
    else if (strcmp(text, "f64") == 0)
        options->compute = CLKL_F64;
    else
        return message("--compute '%s': expected f32 or f64", text);
    return true;
}

static bool read_report(const struct kl_arguments *arguments, struct kl_options *options)
{
    bool json = arguments->option[KL_JSON] != NULL, csv = arguments->option[KL_CSV] != NULL;
    if (json && csv)
        return message("--json and --csv both want standard output; give one of them");
    if (json)
        options->report = KL_REPORT_JSON;
    else if (csv)
        options->report = KL_REPORT_CSV;
    else if (arguments->option[KL_QUIET] != NULL)
        options->report = KL_REPORT_NONE;
    return true;
}

static bool read_out(const struct kl_arguments *arguments, struct kl_options *options)
{
    options->out = arguments->option[KL_OUT];
    return options->out == NULL || strcmp(options->out, "-") != 0 ||
           message("--out -: expected the name of a file; standard output is /dev/stdout, with "
                   "--quiet");
}

static bool read_free_nats(const struct kl_arguments *arguments, struct kl_options *options)
{
    const char *text = arguments->option[KL_FREE_NATS];
    return text == NULL || arguments_amount(text, &options->free_nats) ||
           message("--free-nats %s: expected a finite number of nats that is not below 0, e.g. 1",
                   text);
}

bool kl_options_read(const struct kl_arguments *arguments, struct kl_options *options)
{
    memset(options, 0, sizeof *options);
    options->device = arguments->option[KL_DEVICE];
    options->bf16 = arguments->option[KL_BF16] != NULL;
    options->upstream = arguments->option[KL_UPSTREAM];
    return kl_sides_read(arguments, options) && read_split_axis(arguments, options) &&
           kl_weights_options_read(arguments, &options->weights) &&
           kl_keep_read(arguments->option[KL_KEEP], &options->keep) &&
           read_batch(arguments, options) && read_clamp(arguments, options) &&
           read_compute(arguments, options) && read_free_nats(arguments, options) &&
           kl_covariance_options_read(arguments, options) && read_report(arguments, options) &&
           read_out(arguments, options);
}

bool kl_options_parse(int count, char **words, struct kl_options *options)
{
    struct kl_arguments arguments;
    return kl_arguments_parse(&kl_arguments_argp, "clkl kl", count, words, &arguments) &&
           kl_options_read(&arguments, options);
}

bool kl_form_has_logvar(clkl_form form)
{
    return form == CLKL_MOMENTS || form == CLKL_MEAN_LOGVAR;
}
