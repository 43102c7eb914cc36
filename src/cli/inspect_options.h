/* What `clkl inspect` was asked for. */
#ifndef CLKL_CLI_INSPECT_OPTIONS_H
#define CLKL_CLI_INSPECT_OPTIONS_H

#include "kl_options.h"

enum inspect_plot {
    INSPECT_NO_PLOT,
    INSPECT_PLOT_PNG,
    INSPECT_PLOT_SVG,
    INSPECT_PLOT_TERMINAL /* on standard output */
};

struct inspect_options {
    struct kl_options kl;          /* P and Q, clamp, device, precision, and the kind of report */
    bool per_unit;                 /* a row for each latent element, not for each channel */
    const char *channel_axis_text; /* NULL: not given */
    int channel_axis;              /* as given; negative counts from the end */
    double threshold; /* of the variance, over the batch, of the mean of an active unit */
    double fence;     /* quartile ranges from a quartile to its fence */
    enum inspect_plot plot;
    const char *plot_path; /* NULL if there is no file */
};

/* The options and the help. */
extern const struct argp inspect_argp;

/* Understands the command line; words[0] is the name of the command. */
bool inspect_options_parse(int count, char **words, struct inspect_options *options);

#endif
