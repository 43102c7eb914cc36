#include "json_parts.h"

#include "json_text.h"
#include "message.h"

#include <math.h>

json_t *json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

void json_add(json_t **array, json_t *value)
{
    if (json_array_append_new(*array, value) == 0)
        return;
    json_decref(*array);
    *array = NULL;
}

json_t *json_count(uint64_t value)
{
    return json_integer((json_int_t)value);
}

static const char *form_name(clkl_form form)
{
    static const char *const names[] = {
        "standard normal", "moments",       "mean+logvar",     "mean+logstd",   "mean+var",
        "mean+std",        "deterministic", "mean+covariance", "mean+cholesky", "mean+precision"};
    return names[form];
}

json_t *json_side(const struct kl_side_options *options, unsigned split_axis, bool shared)
{
    json_t *files = json_array();
    if (options->mean != NULL)
        json_add(&files, json_text(options->mean));
    if (options->scale != NULL && !options->archive)
        json_add(&files, json_text(options->scale));
    return json_pack("{s:s, s:o, s:o, s:b}", "form", form_name(options->form), "files", files,
                     "split_axis", options->packed ? json_count(split_axis) : json_null(), "shared",
                     (int)shared);
}

json_t *json_shape(const uint64_t *extents, unsigned rank)
{
    json_t *axes = json_array();
    for (unsigned axis = 0; axis < rank; axis++)
        json_add(&axes, json_count(extents[axis]));
    return axes;
}

json_t *json_keep(const struct kl_task *task)
{
    json_t *axes = json_array();
    for (unsigned k = 0; k < task->kept.rank; k++)
        json_add(&axes, json_count(task->kept.axis[k]));
    return axes;
}

json_t *json_batch(const struct report *report)
{
    if (kl_kept_batch(&report->task->kept))
        return json_null();
    return json_string(report->options->batch == CLKL_BATCH_SUM ? "sum" : "mean");
}

json_t *json_free_nats(const struct report *report)
{
    if (report->task->free_nats == 0)
        return json_null();
    return json_pack("{s:o, s:o, s:o}", "nats", json_number(report->task->free_nats), "count",
                     json_count(report->statistics->free), "of",
                     json_count(report->result->kept_count));
}

json_t *json_clamp(const clkl_spec *spec)
{
    if (spec->clamp == CLKL_NO_CLAMP)
        return json_null();
    return json_pack("[f, f]", spec->clamp_low, spec->clamp_high);
}

json_t *json_weights(const struct kl_options *options, const struct kl_task *task)
{
    const struct kl_weights_options *weights = &options->weights;
    if (weights->kind == CLKL_NO_WEIGHTS)
        return json_null();
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o}", "kind", weights->option, "file", json_text(weights->file),
        "length_axis",
        weights->kind == CLKL_LENGTHS ? json_count(task->spec.weights.length_axis) : json_null(),
        "count", json_count(task->counted), "of", json_count(task->samples * task->elements));
}

static json_t *clamped_side(uint64_t count, uint64_t of)
{
    return of == 0 ? json_null()
                   : json_pack("{s:o, s:o}", "count", json_count(count), "of", json_count(of));
}

json_t *json_clamped(const struct statistics *s)
{
    return json_pack("{s:o, s:o}", "p", clamped_side(s->clamped_p, s->clampable_p), "q",
                     clamped_side(s->clamped_q, s->clampable_q));
}

json_t *json_invalid(const struct report *report)
{
    json_t *array = json_array();
    for (uint64_t i = 0; i < report->task->samples; i++) {
        const uint32_t status = report->result->status[i];
        const char *reason = (status & CLKL_VALUE_NEGATIVE_SCALE) != 0 ? "negative scale"
                             : (status & CLKL_VALUE_NOT_POSITIVE_DEFINITE) != 0
                                 ? "not positive definite"
                                 : "nan";
        if ((status & (CLKL_VALUE_NAN | CLKL_VALUE_NEGATIVE_SCALE)) != 0)
            json_add(&array, json_pack("{s:o, s:s}", "sample", json_count(i), "reason", reason));
    }
    return array;
}

json_t *json_infinite(const struct report *report)
{
    json_t *array = json_array();
    for (uint64_t i = 0; i < report->task->samples; i++)
        if ((report->result->status[i] & CLKL_VALUE_INFINITE) != 0)
            json_add(&array, json_count(i));
    return array;
}

json_t *json_version(void)
{
    const uint32_t number_of = clkl_version();
    return json_sprintf("%u.%u.%u", number_of / 10000, number_of / 100 % 100, number_of % 100);
}

bool json_print(FILE *to, json_t *root, clkl_dtype type, uint64_t count)
{
    const unsigned digits = type == CLKL_F64 ? 17 : 9;
    if (root == NULL)
        return message("there is no memory for the JSON of %llu values; --csv needs none",
                       (unsigned long long)count);
    const bool whole = json_dumpf(root, to, JSON_INDENT(2) | JSON_REAL_PRECISION(digits)) == 0;
    fputc('\n', to);
    json_decref(root);
    return whole || ferror(to) || message("there is no memory to print JSON; --csv needs none");
}
