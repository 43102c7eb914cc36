/* A bar for each index of the axes that are kept. */
#ifndef CLKL_CLI_BARS_H
#define CLKL_CLI_BARS_H

#include "report.h"

/* Draws them where the batch axis is not kept, the values beside them, and says how many units have
 * collapsed. Of more than 64 the largest 64 are drawn. */
void bars_draw(FILE *to, const struct report *report);

#endif
