/* What the reports of `clkl kl` say of full covariances alone. */
#ifndef CLKL_CLI_REPORT_COVARIANCE_H
#define CLKL_CLI_REPORT_COVARIANCE_H

#include "report.h"

#include <jansson.h>

/* How a side with a matrix was read. */
void report_covariance_reading(FILE *to, const struct kl_side_options *side,
                               const clkl_gaussian *gaussian);

/* The divergence per sample in two parts, and per dimension. */
void report_covariance_parts(FILE *to, const struct report *report);

/* The matrices that are not positive definite, leave few digits, or were jittered. */
void report_covariance_matrices(FILE *to, const struct report *report);

/* The same of those that made samples invalid, as a message; the exit status. */
int report_covariance_verdict(const struct report *report);

/* The member "full_covariance": null without. */
json_t *report_covariance_json(const struct report *report);

#endif
