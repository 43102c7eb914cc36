/* Lists of devices, for people and for programs. */
#ifndef CLKL_CLI_DEVICES_REPORT_H
#define CLKL_CLI_DEVICES_REPORT_H

#include <clkl/clkl.h>

#include <stdbool.h>
#include <stdio.h>

/* A line for each device, and below it why it would be used or not. Always returns true. */
bool devices_print_table(FILE *to, const clkl_device_info *infos, size_t count);

/* One object of the schema "clkl-devices-1", which the manual documents (docs/clkl.1.in). Prints
 * nothing if it fails, which it says. */
bool devices_print_json(FILE *to, const clkl_device_info *infos, size_t count);

#endif
