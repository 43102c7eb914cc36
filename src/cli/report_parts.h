/* What the summaries of several commands have in common. */
#ifndef CLKL_CLI_REPORT_PARTS_H
#define CLKL_CLI_REPORT_PARTS_H

#include "report.h"

/* How the files were read, and what is computed; then an empty line. */
void report_input(FILE *to, const struct report *report);

/* How many log-variances the clamp changed, per side. */
void report_clamp(FILE *to, const struct report *report);

/* How many elements count, unless all do. */
void report_weights(FILE *to, const struct report *report);

/* The samples that are NaN, and those that are infinite. */
void report_odd(FILE *to, const struct report *report);

/* Device, precision and time. */
void report_device(FILE *to, const struct report *report);

/* The exit status of what was done: names the samples that are NaN, if there are any. */
int report_verdict(const struct report *report);

#endif
