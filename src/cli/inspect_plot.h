/* The drawing of `clkl inspect`, as commands for gnuplot. */
#ifndef CLKL_CLI_INSPECT_PLOT_H
#define CLKL_CLI_INSPECT_PLOT_H

#include "inspection.h"

#include <stdio.h>

/*
 * Writes them; there is at least one finite sample. A file gets panels side by side: the
 * divergences of the rows, the variances of their means with the threshold, the map of the
 * positions if there are any, and the histogram of the samples. A terminal gets them one below the
 * other, as wide as it is, without the map, which inspect_report_positions prints.
 */
void inspect_plot_write(FILE *commands, const struct inspection *inspection);

#endif
