#include "json_text.h"
#include "message.h"
#include "report.h"

#include <jansson.h>
#include <math.h>

/* A number; null for NaN and infinities. */
static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

/* Appends to *array, which becomes NULL if there is no memory. */
static void append(json_t **array, json_t *value)
{
    if (json_array_append_new(*array, value) == 0)
        return;
    json_decref(*array);
    *array = NULL;
}

static json_t *integer(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static const char *form_name(clkl_form form)
{
    static const char *const names[] = {"standard normal", "moments",  "mean+logvar",
                                        "mean+logstd",     "mean+var", "mean+std",
                                        "deterministic"};
    return names[form];
}

static json_t *side(const struct kl_side_options *options, unsigned split_axis, bool shared)
{
    json_t *files = json_array();
    if (options->mean != NULL)
        append(&files, json_text(options->mean));
    if (options->scale != NULL)
        append(&files, json_text(options->scale));
    return json_pack("{s:s, s:o, s:o, s:b}", "form", form_name(options->form), "files", files,
                     "split_axis", options->packed ? integer(split_axis) : json_null(), "shared",
                     (int)shared);
}

static json_t *shape(const uint64_t *extents, unsigned rank)
{
    json_t *axes = json_array();
    for (unsigned axis = 0; axis < rank; axis++)
        append(&axes, integer(extents[axis]));
    return axes;
}

static json_t *kept_axes(const struct kl_task *task)
{
    json_t *axes = json_array();
    for (unsigned k = 0; k < task->kept.rank; k++)
        append(&axes, integer(task->kept.axis[k]));
    return axes;
}

static json_t *batch(const struct report *report)
{
    if (kl_kept_batch(&report->task->kept))
        return json_null();
    return json_string(report->options->batch == CLKL_BATCH_SUM ? "sum" : "mean");
}

static json_t *clamp(const clkl_spec *spec)
{
    if (spec->clamp == CLKL_NO_CLAMP)
        return json_null();
    return json_pack("[f, f]", spec->clamp_low, spec->clamp_high);
}

static json_t *values(const struct kl_result *result)
{
    json_t *array = json_array();
    for (uint64_t i = 0; i < result->kept_count; i++)
        append(&array, number(kl_result_value(result, result->kept, i)));
    return array;
}

static json_t *samples(const struct report *report)
{
    const struct spread *s = &report->statistics->samples;
    const bool any = s->valid > 0;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "count", integer(report->task->samples), "valid",
        integer(s->valid), "mean", number(s->mean), "min", any ? number(s->min) : json_null(),
        "min_sample", any ? integer(s->min_at) : json_null(), "max",
        any ? number(s->max) : json_null(), "max_sample", any ? integer(s->max_at) : json_null());
}

static json_t *element(const struct report *report)
{
    const double nats = report->statistics->samples.mean / (double)report->task->elements;
    return json_pack("{s:o, s:o, s:o}", "nats", number(nats), "bits", number(nats / log(2)),
                     "elements", integer(report->task->elements));
}

static json_t *clamped_side(uint64_t count, uint64_t of)
{
    return of == 0 ? json_null()
                   : json_pack("{s:o, s:o}", "count", integer(count), "of", integer(of));
}

static json_t *clamped(const struct statistics *s)
{
    return json_pack("{s:o, s:o}", "p", clamped_side(s->clamped_p, s->clampable_p), "q",
                     clamped_side(s->clamped_q, s->clampable_q));
}

static json_t *invalid(const struct report *report)
{
    json_t *array = json_array();
    for (uint64_t i = 0; i < report->task->samples; i++) {
        const uint32_t status = report->result->status[i];
        const char *reason = (status & CLKL_VALUE_NEGATIVE_SCALE) != 0 ? "negative scale" : "nan";
        if ((status & (CLKL_VALUE_NAN | CLKL_VALUE_NEGATIVE_SCALE)) != 0)
            append(&array, json_pack("{s:o, s:s}", "sample", integer(i), "reason", reason));
    }
    return array;
}

static json_t *infinite(const struct report *report)
{
    json_t *array = json_array();
    for (uint64_t i = 0; i < report->task->samples; i++)
        if ((report->result->status[i] & CLKL_VALUE_INFINITE) != 0)
            append(&array, integer(i));
    return array;
}

static json_t *version(void)
{
    const uint32_t number_of = clkl_version();
    return json_sprintf("%u.%u.%u", number_of / 10000, number_of / 100 % 100, number_of % 100);
}

/* The whole object; NULL if there is no memory. */
static json_t *build(const struct report *report)
{
    const struct kl_task *task = report->task;
    const struct kl_result *result = report->result;
    return json_pack(
        "{s:s, s:o, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:s, s:o}",
        "schema", "clkl-kl-1", "version", version(), "unit", "nats", "p",
        side(&report->options->p, task->split_axis, false), "q",
        side(&report->options->q, task->split_axis, task->q_shared), "shape",
        shape(task->spec.shape, task->spec.rank), "compute",
        result->type == CLKL_F64 ? "f64" : "f32", "keep", kept_axes(task), "batch", batch(report),
        "clamp", clamp(&task->spec), "values", values(result), "values_shape",
        shape(task->kept.shape, task->kept.rank), "samples", samples(report), "element",
        element(report), "clamped", clamped(report->statistics), "invalid", invalid(report),
        "infinite", infinite(report), "device", json_text(result->device), "backend",
        result->reference ? "reference" : "opencl", "seconds", number(result->seconds));
}

bool report_json(FILE *to, const struct report *report)
{
    const unsigned digits = report->result->type == CLKL_F64 ? 17 : 9;
    json_t *root = build(report);
    if (root == NULL)
        return message("there is no memory for the JSON of %llu values; --csv and --out need none",
                       (unsigned long long)report->result->kept_count);
    const bool whole = json_dumpf(root, to, JSON_INDENT(2) | JSON_REAL_PRECISION(digits)) == 0;
    fputc('\n', to);
    json_decref(root);
    return whole || ferror(to) || message("there is no memory to print JSON; --csv needs none");
}
