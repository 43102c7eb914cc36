/* The channels or units: divergence, activity, and the order in which they are shown. */
#ifndef CLKL_CLI_INSPECT_ROWS_H
#define CLKL_CLI_INSPECT_ROWS_H

#include "inspection.h"

/* What the runs gave for each index of the axes of the rows. */
struct inspect_values {
    double *kl;                     /* over the finite samples; NaN if there are none */
    uint32_t *status;               /* over all samples */
    clkl_clamp_count *clamp_counts; /* over all samples; NULL if not counted */
};

/* Makes the rows of them. `variance` is that of each element of a sample. Says if there is no
 * memory, and then leaves nothing to free. */
bool inspect_rows_find(const struct inspection *inspection, const struct inspect_values *values,
                       const double *variance, struct inspect_rows *rows);

#endif
