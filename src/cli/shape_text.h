/* Shapes as text, e.g. "[520,8,4,4]". */
#ifndef CLKL_CLI_SHAPE_TEXT_H
#define CLKL_CLI_SHAPE_TEXT_H

#include <stdint.h>

struct shape_text {
    char text[400]; /* enough for 16 axes of 20 digits */
};

struct shape_text shape_text(const uint64_t *shape, unsigned rank);

#endif
