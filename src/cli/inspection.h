/* What `clkl inspect` finds out. */
#ifndef CLKL_CLI_INSPECTION_H
#define CLKL_CLI_INSPECTION_H

#include "inspect_axes.h"
#include "report.h"

/* A channel, or a unit. */
struct inspect_row {
    uint64_t index;  /* in the axes of the rows */
    double kl;       /* nats, summed over its units; averaged over the finite samples */
    double variance; /* of its units' means over the finite samples, averaged over the units */
    bool active;     /* the variance is above the threshold */
    uint64_t units;  /* whose variance is known: they count in two samples */
    uint64_t active_units;
    uint64_t clamped_p, clamped_q; /* log-variances of all samples that the clamp changed */
    uint32_t status;               /* CLKL_VALUE_... over all samples */
};

struct inspect_rows {
    uint64_t count;
    uint64_t units;              /* in each */
    struct inspect_row *row;     /* the largest divergence first */
    uint64_t known, known_units; /* rows and units whose variance is known */
    uint64_t active;
    uint64_t active_units; /* of all rows */
};

enum { INSPECT_BINS = 20 };

/* A sample with a finite divergence. */
struct inspect_sample {
    double kl;
    uint64_t index;
};

struct inspect_samples {
    uint64_t count;                    /* of the finite ones; all else is of those */
    struct inspect_sample *sorted;     /* the smallest first */
    double mean, lower, median, upper; /* nats; lower and upper are the quartiles */
    double low_fence, high_fence;      /* beyond these a sample is an outlier */
    uint64_t outliers;
    struct inspect_sample *outlier; /* those farthest beyond their fence first */
    unsigned bins;                  /* of the histogram; the last one holds its upper end */
    double low, high;               /* where it begins and ends */
    uint64_t bin[INSPECT_BINS];
    uint64_t below, above; /* samples outside of it */
};

struct inspection {
    const struct inspect_options *options;
    const struct kl_task *task;
    struct kl_result result; /* a value for each sample */
    struct statistics statistics;
    struct inspect_axes axes;
    struct inspect_samples samples;
    struct inspect_rows rows;
    uint64_t position_count;
    double *position; /* nats at each, averaged over the finite samples; NULL without positions */
};

/* Computes all of it; brings the finite samples of the files to the front. On failure says why, and
 * leaves nothing to free. */
bool inspection_make(const struct inspect_options *options, struct kl_files *files,
                     const struct kl_task *task, struct inspection *inspection);

void inspection_free(struct inspection *inspection);

/* As the parts of reports that are common to several commands take it. */
struct report inspection_report(const struct inspection *inspection);

/* Whether samples were left out because they are not finite. */
bool inspection_is_partial(const struct inspection *inspection);

/* Whether it is known of some row whether it is active: that takes two samples. */
bool inspection_knows_activity(const struct inspection *inspection);

/* "active", "collapsed", or "" where it is not known. */
const char *inspection_mark(const struct inspect_row *row);

/* Where bin i of the histogram begins; i = bins is where the last one ends. */
double inspect_samples_edge(const struct inspect_samples *samples, unsigned i);

#endif
