#include "inspect_axes.h"

#include "arguments.h"
#include "message.h"
#include "shape_text.h"

static bool find_channel(const struct inspect_options *options, const struct kl_task *task,
                         unsigned *channel)
{
    const clkl_spec *spec = &task->spec;
    *channel = options->kl.p.packed ? task->split_axis : 1;
    if (options->channel_axis_text == NULL)
        return true;
    return (arguments_axis(options->channel_axis, spec->rank, channel) && *channel != 0) ||
           message("--channel-axis %s: the mean has the shape %s, whose axis 0 is the batch; "
                   "expected 1 to %u, or -1 to -%u",
                   options->channel_axis_text, shape_text(spec->shape, spec->rank).text,
                   spec->rank - 1, spec->rank - 1);
}

static void add(const clkl_spec *spec, unsigned axis, struct kl_kept *kept)
{
    kept->axis[kept->rank] = axis;
    kept->shape[kept->rank++] = spec->shape[axis];
}

bool inspect_axes_find(const struct inspect_options *options, const struct kl_task *task,
                       struct inspect_axes *axes)
{
    const clkl_spec *spec = &task->spec;
    *axes = (struct inspect_axes){.per_channel = !options->per_unit && spec->rank > 2};
    if (!find_channel(options, task, &axes->channel))
        return false;
    const unsigned others = spec->rank - 2;
    unsigned other = 0;
    for (unsigned axis = 1; axis < spec->rank; axis++) {
        if (!axes->per_channel || axis == axes->channel)
            add(spec, axis, &axes->rows);
        if (axis != axes->channel && other++ + 2 >= others)
            add(spec, axis, &axes->positions);
    }
    return true;
}

const char *inspect_axes_row(const struct inspect_axes *axes)
{
    return axes->per_channel ? "channel" : "unit";
}
