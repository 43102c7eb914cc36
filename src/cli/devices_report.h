/* Lists of devices, for people and for programs. */
#ifndef CLKL_CLI_DEVICES_REPORT_H
#define CLKL_CLI_DEVICES_REPORT_H

#include <clkl/clkl.h>

#include <stdbool.h>
#include <stdio.h>

/* A line for each device, and below it why it would be used or not. Always returns true. */
bool devices_print_table(FILE *to, const clkl_device_info *infos, size_t count);

/*
 * One object of the schema "clkl-devices-1": schema, and devices, an array in the order of the
 * index, of objects with index, name, platform, type, version, driver, compute_units, global_memory
 * (bytes), fp64, usable, chosen and reason. Prints nothing if it fails, which it says.
 */
bool devices_print_json(FILE *to, const clkl_device_info *infos, size_t count);

#endif
