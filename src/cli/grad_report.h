/* The ways in which `clkl grad` reports. */
#ifndef CLKL_CLI_GRAD_REPORT_H
#define CLKL_CLI_GRAD_REPORT_H

#include "grad_outputs.h"
#include "grad_task.h"

#include <stdio.h>

/* For people. */
void grad_report_summary(FILE *to, const struct grad_task *task,
                         const struct grad_outputs *outputs);

/* For programs, as one object of the schema "clkl-grad-1", which the manual documents. Prints
 * nothing if it fails, which it says. */
bool grad_report_json(FILE *to, const struct grad_task *task, const struct grad_outputs *outputs);

/* The exit status of what was done: says which files hold NaN, if any do. */
int grad_report_verdict(const struct grad_task *task, const struct grad_outputs *outputs);

#endif
