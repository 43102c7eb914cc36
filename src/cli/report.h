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

/* For programs, as one object of the schema "clkl-kl-1", which the manual documents
 * (docs/clkl.1.in). A later version of the schema may add fields; what is there keeps name and
 * meaning. NaN and infinities are null. Numbers have 9 significant digits for f32, 17 for f64, and
 * so read back to the same value. Prints nothing if it fails, which it says. */
bool report_json(FILE *to, const struct report *report);

/* For spreadsheets: a line that names the columns, and a line for each value: the index along each
 * kept axis, and the value. The columns are "sample" for axis 0, "axis2" for axis 2, and "kl"; but
 * "index" where no axis is kept, or one that is not 0. With full covariances two more columns hold
 * what "covariances" and "means" contribute. NaN is nan, infinity inf. */
void report_csv(FILE *to, const struct report *report);

#endif
