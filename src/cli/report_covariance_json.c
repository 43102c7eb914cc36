#include "json_parts.h"
#include "report_covariance.h"

/* One of the two parts of each value. */
static json_t *part(const struct kl_result *result, unsigned which)
{
    json_t *array = json_array();
    for (uint64_t i = 0; i < result->kept_count; i++)
        json_add(&array,
                 json_number(kl_result_value(result, result->matrices.kept_parts, 2 * i + which)));
    return array;
}

static void add_matrix(json_t **array, const char *side, json_t *sample, int32_t status)
{
    const char *what = status > 0                       ? "not positive definite"
                       : status == CLKL_MATRIX_JITTERED ? "jittered"
                                                        : "few digits";
    json_add(array, json_pack("{s:s, s:o, s:s, s:o}", "side", side, "sample", sample, "status",
                              what, "pivot", status > 0 ? json_integer(status) : json_null()));
}

/* The matrices of which there is something to say. A Q that all samples share is there once. */
static json_t *matrices(const struct report *report)
{
    const struct kl_task *task = report->task;
    const clkl_matrix_status *status = report->result->matrices.status;
    json_t *array = json_array();
    for (uint64_t i = 0; i < task->samples; i++) {
        if (status[i].p != 0)
            add_matrix(&array, "p", json_count(i), status[i].p);
        if (status[i].q != 0 && (i == 0 || !task->q_shared))
            add_matrix(&array, "q", task->q_shared ? json_null() : json_count(i), status[i].q);
    }
    return array;
}

json_t *report_covariance_json(const struct report *report)
{
    if (!report->task->full)
        return json_null();
    return json_pack("{s:o, s:o, s:f, s:o}", "covariances", part(report->result, 0), "means",
                     part(report->result, 1), "jitter", report->options->jitter, "matrices",
                     matrices(report));
}
