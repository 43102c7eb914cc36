/* The panels of the drawing of `clkl inspect`. */
#ifndef CLKL_CLI_INSPECT_PANELS_H
#define CLKL_CLI_INSPECT_PANELS_H

#include "inspection.h"

#include <stdio.h>

struct plot {
    FILE *to;
    const struct inspection *inspection;
    bool terminal;
    int columns, lines; /* of a panel on the terminal */
    int font;           /* size of a file's text, in the units of its kind */
    double point;       /* size of its points, likewise */
};

/* Where a panel's axes stand, in parts of the whole drawing. */
struct place {
    double left, right, bottom, top;
};

/* Begins a panel; on a terminal it has the place that it needs. */
void panel_begin(const struct plot *plot, const struct place *place, const char *title);

/* The vertical axis from 0 to a little more than the largest value. */
void panel_height(const struct plot *plot, double largest);

/* 1, 2 or 5 times a power of ten, of which at most `most` fit in the extent. */
double panel_step(double extent, int most);

/* A number of a block of data. */
void panel_number(const struct plot *plot, double value);

/* Puts the rows into the block $rows, for the next two. */
void panel_rows_data(const struct plot *plot);

/* The divergences of the rows. */
void panel_divergences(const struct plot *plot, const struct place *place);

/* The variances of their means, with the threshold. */
void panel_variances(const struct plot *plot, const struct place *place);

/* The map of the positions, or their profile. */
void panel_positions(const struct plot *plot, const struct place *place);

/* The histogram of the samples, with fences and outliers. */
void panel_samples(const struct plot *plot, const struct place *place);

#endif
