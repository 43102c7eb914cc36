#include "inspect_report.h"
#include "json_parts.h"
#include "json_text.h"

static json_t *index_of(const struct kl_kept *kept, uint64_t i)
{
    json_t *index = json_array();
    uint64_t place[CLKL_MAX_RANK];
    for (unsigned k = kept->rank; k-- > 0; i /= kept->shape[k])
        place[k] = i % kept->shape[k];
    for (unsigned k = 0; k < kept->rank; k++)
        json_add(&index, json_count(place[k]));
    return index;
}

static json_t *axes_of(const struct kl_kept *kept)
{
    json_t *axes = json_array();
    for (unsigned k = 0; k < kept->rank; k++)
        json_add(&axes, json_count(kept->axis[k]));
    return axes;
}

/* null where there is nothing to clamp. */
static json_t *clamped(uint64_t of, uint64_t count)
{
    return of == 0 ? json_null() : json_count(count);
}

static json_t *row(const struct inspection *inspection, const struct inspect_row *r)
{
    const struct statistics *s = &inspection->statistics;
    const bool known = r->units > 0;
    return json_pack(
        "{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:b}", "index",
        index_of(&inspection->axes.rows, r->index), "kl", json_number(r->kl), "variance",
        json_number(r->variance), "active", known ? json_boolean(r->active) : json_null(),
        "active_units", known ? json_count(r->active_units) : json_null(), "clamped_p",
        clamped(s->clampable_p, r->clamped_p), "clamped_q", clamped(s->clampable_q, r->clamped_q),
        "invalid", (int)((r->status & (CLKL_VALUE_NAN | CLKL_VALUE_NEGATIVE_SCALE)) != 0),
        "infinite", (int)((r->status & CLKL_VALUE_INFINITE) != 0));
}

static json_t *rows(const struct inspection *inspection)
{
    json_t *array = json_array();
    for (uint64_t i = 0; i < inspection->rows.count; i++)
        json_add(&array, row(inspection, &inspection->rows.row[i]));
    return array;
}

static json_t *active(const struct inspection *inspection)
{
    const struct inspect_rows *r = &inspection->rows;
    const bool known = inspection_knows_activity(inspection);
    return json_pack("{s:f, s:o, s:o, s:o, s:o}", "threshold", inspection->options->threshold,
                     "rows", known ? json_count(r->active) : json_null(), "of_rows",
                     json_count(known ? r->known : r->count), "units",
                     known ? json_count(r->active_units) : json_null(), "of_units",
                     json_count(known ? r->known_units : r->count * r->units));
}

static json_t *positions(const struct inspection *inspection)
{
    const struct kl_kept *kept = &inspection->axes.positions;
    json_t *values = json_array();
    for (uint64_t i = 0; i < inspection->position_count; i++)
        json_add(&values, json_number(inspection->position[i]));
    return json_pack("{s:o, s:o, s:o}", "axes", axes_of(kept), "shape",
                     json_shape(kept->shape, kept->rank), "values", values);
}

static json_t *samples(const struct inspection *inspection)
{
    const struct inspect_samples *s = &inspection->samples;
    const struct kl_result *result = &inspection->result;
    json_t *values = json_array();
    for (uint64_t i = 0; i < inspection->task->samples; i++)
        json_add(&values, json_number(kl_result_value(result, result->samples, i)));
    return json_pack("{s:o, s:o, s:o, s:[o,o,o], s:o}", "count",
                     json_count(inspection->task->samples), "finite", json_count(s->count), "mean",
                     json_number(s->mean), "quartiles", json_number(s->lower),
                     json_number(s->median), json_number(s->upper), "values", values);
}

static json_t *histogram(const struct inspect_samples *s)
{
    json_t *edges = json_array(), *counts = json_array();
    for (unsigned i = 0; s->bins > 0 && i <= s->bins; i++)
        json_add(&edges, json_number(inspect_samples_edge(s, i)));
    for (unsigned i = 0; i < s->bins; i++)
        json_add(&counts, json_count(s->bin[i]));
    return json_pack("{s:o, s:o, s:o, s:o}", "edges", edges, "counts", counts, "below",
                     json_count(s->below), "above", json_count(s->above));
}

static json_t *outliers(const struct inspection *inspection)
{
    const struct inspect_samples *s = &inspection->samples;
    json_t *array = json_array();
    for (uint64_t i = 0; i < s->outliers; i++)
        json_add(&array, json_pack("{s:o, s:o}", "sample", json_count(s->outlier[i].index), "kl",
                                   json_number(s->outlier[i].kl)));
    return json_pack("{s:f, s:[o,o], s:o}", "fence", inspection->options->fence, "beyond",
                     json_number(s->low_fence), json_number(s->high_fence), "samples", array);
}

/* The whole object; NULL if there is no memory. */
static json_t *build(const struct inspection *inspection)
{
    const struct report report = inspection_report(inspection);
    const struct kl_task *task = inspection->task;
    const struct kl_result *result = &inspection->result;
    return json_pack(
        "{s:s, s:o, s:s, s:o, s:o, s:o, s:s, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
        "s:o, s:o, s:o, s:o, s:s, s:o}",
        "schema", "clkl-inspect-1", "version", json_version(), "unit", "nats", "p",
        json_side(&report.options->p, task->split_axis, false), "q",
        json_side(&report.options->q, task->split_axis, task->q_shared), "shape",
        json_shape(task->spec.shape, task->spec.rank), "compute",
        result->type == CLKL_F64 ? "f64" : "f32", "clamp", json_clamp(&task->spec), "weights",
        json_weights(report.options, task), "per", inspect_axes_row(&inspection->axes), "axes",
        axes_of(&inspection->axes.rows), "rows", rows(inspection), "active", active(inspection),
        "positions", positions(inspection), "samples", samples(inspection), "histogram",
        histogram(&inspection->samples), "outliers", outliers(inspection), "clamped",
        json_clamped(report.statistics), "invalid", json_invalid(&report), "infinite",
        json_infinite(&report), "device", json_text(result->device), "backend",
        result->reference ? "reference" : "opencl", "seconds", json_number(result->seconds));
}

bool inspect_report_json(FILE *to, const struct inspection *inspection)
{
    return json_print(to, build(inspection), CLKL_F64, inspection->task->samples);
}
