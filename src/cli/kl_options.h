/* What `clkl kl` was asked for: the command line, understood and free of contradictions. Nothing
 * has been read yet. */
#ifndef CLKL_CLI_KL_OPTIONS_H
#define CLKL_CLI_KL_OPTIONS_H

#include "kl_arguments.h"
#include "kl_keep.h"

#include <clkl/clkl.h>

#include <stdbool.h>

/* One side's files. */
struct kl_side_options {
    clkl_form form;
    bool packed;       /* `mean` names packed moments; a deterministic P may be given so, too */
    bool archive;      /* `mean` and `scale` both name an .npz archive of mu and sigma */
    const char *mean;  /* NULL for a standard normal */
    const char *scale; /* NULL for packed moments and a deterministic P */
};

/* What chooses the elements that count. */
struct kl_weights_options {
    clkl_weighting kind;
    const char *option; /* by which it is given, e.g. "mask" */
    const char *file;   /* NULL if all elements count */
    int length_axis;    /* as given; negative counts from the end; 1 unless given */
};

enum kl_report_kind { KL_REPORT_SUMMARY, KL_REPORT_JSON, KL_REPORT_CSV, KL_REPORT_NONE };

struct kl_options {
    struct kl_side_options p, q;
    int split_axis; /* as given; negative counts from the end; 1 unless given */
    struct kl_weights_options weights;
    struct kl_keep keep;
    bool batch_given;
    clkl_batch_reduction batch;
    clkl_clamp clamp; /* decided: given, or the default of the forms */
    double clamp_low, clamp_high;
    bool bf16;            /* 16-bit integers are the bits of bfloat16 */
    const char *device;   /* NULL: not asked for */
    clkl_dtype compute;   /* CLKL_DEFAULT_DTYPE: not asked for */
    double free_nats;     /* the least value of the result */
    double jitter;        /* of covariances and precisions that have no factor */
    const char *upstream; /* the file of the upstream gradient; NULL: none */
    const char *out;      /* NULL: no file */
    enum kl_report_kind report;
};

/* Understands the words of a command that takes P and Q as `clkl kl` does; options that the command
 * does not have are as if they were not given. */
bool kl_options_read(const struct kl_arguments *arguments, struct kl_options *options);

/* Understands the command line of `clkl kl`; words[0] is the name of the command. */
bool kl_options_parse(int count, char **words, struct kl_options *options);

/* Whether log-variances are among the inputs of a side. */
bool kl_form_has_logvar(clkl_form form);

#endif
