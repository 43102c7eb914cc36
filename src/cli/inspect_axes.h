/* Which axes are channels, units and positions. */
#ifndef CLKL_CLI_INSPECT_AXES_H
#define CLKL_CLI_INSPECT_AXES_H

#include "inspect_options.h"
#include "kl_task.h"

struct inspect_axes {
    unsigned channel;         /* the axis of the channels */
    bool per_channel;         /* rows are channels of several units each */
    struct kl_kept rows;      /* what the rows are indices of */
    struct kl_kept positions; /* the last one or two of the others; rank 0 if there are none */
};

/* Finds them in the mean's shape, or says that --channel-axis is none of it. */
bool inspect_axes_find(const struct inspect_options *options, const struct kl_task *task,
                       struct inspect_axes *axes);

/* "channel" or "unit": what a row is. */
const char *inspect_axes_row(const struct inspect_axes *axes);

#endif
