#include "json_parts.h"
#include "json_text.h"
#include "report.h"
#include "report_covariance.h"

#include <jansson.h>
#include <math.h>

static json_t *values(const struct kl_result *result)
{
    json_t *array = json_array();
    for (uint64_t i = 0; i < result->kept_count; i++)
        json_add(&array, json_number(kl_result_value(result, result->kept, i)));
    return array;
}

static json_t *samples(const struct report *report)
{
    const struct spread *s = &report->statistics->samples;
    const bool any = s->valid > 0;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "count",
                     json_count(report->task->samples), "valid", json_count(s->valid), "mean",
                     json_number(s->mean), "min", any ? json_number(s->min) : json_null(),
                     "min_sample", any ? json_count(s->min_at) : json_null(), "max",
                     any ? json_number(s->max) : json_null(), "max_sample",
                     any ? json_count(s->max_at) : json_null());
}

static json_t *element(const struct report *report)
{
    const struct kl_task *task = report->task;
    const double counted = (double)task->counted / (double)task->samples;
    const double nats = report->statistics->samples.mean / counted;
    return json_pack("{s:o, s:o, s:o, s:o}", "nats", json_number(nats), "bits",
                     json_number(nats / log(2)), "elements", json_count(task->elements), "counted",
                     json_number(counted));
}

/* The whole object; NULL if there is no memory. */
static json_t *build(const struct report *report)
{
    const struct kl_task *task = report->task;
    const struct kl_result *result = report->result;
    return json_pack(
        "{s:s, s:o, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:o, s:o, s:o, s:s, s:o}",
        "schema", "clkl-kl-1", "version", json_version(), "unit", "nats", "p",
        json_side(&report->options->p, task->split_axis, false), "q",
        json_side(&report->options->q, task->split_axis, task->q_shared), "shape",
        json_shape(task->spec.shape, task->spec.rank), "compute",
        result->type == CLKL_F64 ? "f64" : "f32", "keep", json_keep(task), "batch",
        json_batch(report), "clamp", json_clamp(&task->spec), "weights",
        json_weights(report->options, task), "free_nats", json_free_nats(report), "values",
        values(result), "values_shape", json_shape(task->kept.shape, task->kept.rank), "samples",
        samples(report), "element", element(report), "clamped", json_clamped(report->statistics),
        "invalid", json_invalid(report), "infinite", json_infinite(report), "full_covariance",
        report_covariance_json(report), "device", json_text(result->device), "backend",
        result->reference ? "reference" : "opencl", "seconds", json_number(result->seconds));
}

bool report_json(FILE *to, const struct report *report)
{
    return json_print(to, build(report), report->result->type, report->result->kept_count);
}
