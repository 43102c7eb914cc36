/* The ways in which `clkl kl` reports. */
#ifndef CLKL_CLI_REPORT_H
#define CLKL_CLI_REPORT_H

#include "kl_options.h"
#include "kl_run.h"
#include "kl_task.h"
#include "statistics.h"

#include <stdio.h>

/* All that there is to report. */
struct report {
    const struct kl_options *options;
    const struct kl_task *task;
    const struct kl_result *result;
    const struct statistics *statistics;
};

/* For people. */
void report_summary(FILE *to, const struct report *report);

/*
 * For programs, as one object of the schema "clkl-kl-1". A later version of the schema may add
 * fields; what is there keeps name and meaning.
 *
 *     schema      "clkl-kl-1"
 *     version     of clkl, "0.1.0"
 *     unit        "nats"
 *     p, q        form: "standard normal", "moments", "mean+logvar", "mean+logstd", "mean+var",
 *                 "mean+std" or "deterministic"; files: as they were named, in this order;
 *                 split_axis: of packed moments, else null; shared: one for all samples
 *     shape       of the mean, the batch first
 *     compute     "f32" or "f64": of arithmetic and values
 *     keep        the axes that stay: [0], [1], []
 *     batch       "mean" or "sum": what was done over the batch; null where it is kept
 *     clamp       [low, high], or null
 *     values      the result, one number for each index that is kept, one in all for keep []
 *     samples     count, valid (not NaN); over the valid ones mean, min, max, and the indices
 *                 min_sample and max_sample; null where there is no valid one
 *     element     nats and bits: the mean per sample divided by the elements of a sample; elements
 *     clamped     p and q: count of log-variances that the clamp changed, of how many; null for a
 *                 side without clamped log-variances
 *     invalid     the samples that are NaN: sample, reason: "nan" or "negative scale"
 *     infinite    the samples that are infinite
 *     device      its name, or "reference"
 *     backend     "opencl" or "reference"
 *     seconds     that the computation took
 *
 * NaN and infinities are null. Numbers have 9 significant digits for f32, 17 for f64, and so read
 * back to the same value. Prints nothing if it fails, which it says.
 */
bool report_json(FILE *to, const struct report *report);

/* For spreadsheets: a line "sample,kl" or, if another axis or none is kept, "index,kl", and a line
 * for each value. NaN is nan, infinity inf. */
void report_csv(FILE *to, const struct report *report);

#endif
