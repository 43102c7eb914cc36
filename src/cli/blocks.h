/* Bars and numbers for the terminal. */
#ifndef CLKL_CLI_BLOCKS_H
#define CLKL_CLI_BLOCKS_H

#include <stdbool.h>
#include <stdio.h>

enum {
    BLOCKS_LINE = 80, /* columns of a line */
    BLOCKS_VALUE = 9  /* of a number, at most: "1.234e-05" */
};

/* Whether the terminal understands UTF-8, as far as the environment says. */
bool blocks_utf8(void);

/* A bar of up to `width` columns for a share from 0 to 1. */
void blocks_draw(FILE *to, double share, int width, bool utf8);

struct blocks_value {
    char text[32];
};

/* Four significant digits, all of them shown: "0.9990", "1234". */
struct blocks_value blocks_value(double value);

#endif
