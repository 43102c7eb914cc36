#include "grad_report.h"
#include "json_parts.h"
#include "json_text.h"

static const char *type_name(clkl_dtype type)
{
    return type == CLKL_F16 ? "f16" : type == CLKL_BF16 ? "bf16" : type == CLKL_F64 ? "f64" : "f32";
}

static json_t *gradient(const struct grad_task *task, const struct grad_array *array,
                        const char *path)
{
    return json_pack("{s:s, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "by", array->name, "file",
                     json_text(path), "type", type_name(task->type), "shape",
                     json_shape(array->of->shape, array->of->rank), "norm",
                     json_number(array->norm), "largest", json_number(array->largest), "zeros",
                     json_count(array->zeros), "nan", json_count(array->nan), "infinite",
                     json_count(array->infinite));
}

static json_t *gradients(const struct grad_task *task, const struct grad_outputs *outputs)
{
    json_t *array = json_array();
    for (unsigned i = 0; i < task->count; i++)
        json_add(&array, gradient(task, &task->array[i], outputs->path[i]));
    return array;
}

static json_t *file(const char *path)
{
    return path != NULL ? json_text(path) : json_null();
}

static json_t *factors(const struct grad_options *options)
{
    return json_pack("{s:o, s:o}", "p",
                     options->of_p ? json_number(options->p_factor) : json_null(), "q",
                     options->of_q ? json_number(options->q_factor) : json_null());
}

/* The whole object; NULL if there is no memory. */
static json_t *build(const struct grad_task *task, const struct grad_outputs *outputs)
{
    const struct report report = {&task->options->kl, &task->kl, &task->result, &task->statistics};
    const struct kl_options *options = &task->options->kl;
    const struct kl_result *result = &task->result;
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, "
        "s:o}",
        "schema", "clkl-grad-1", "version", json_version(), "p",
        json_side(&options->p, task->kl.split_axis, false), "q",
        json_side(&options->q, task->kl.split_axis, task->kl.q_shared), "shape",
        json_shape(task->kl.spec.shape, task->kl.spec.rank), "compute",
        result->type == CLKL_F64 ? "f64" : "f32", "keep", json_keep(&task->kl), "batch",
        json_batch(&report), "clamp", json_clamp(&task->kl.spec), "weights",
        json_weights(options, &task->kl), "free_nats", json_free_nats(&report), "upstream",
        file(options->upstream), "factors", factors(task->options), "gradients",
        gradients(task, outputs), "value", file(task->options->value), "device",
        json_text(result->device), "backend", result->reference ? "reference" : "opencl", "seconds",
        json_number(result->seconds));
}

bool grad_report_json(FILE *to, const struct grad_task *task, const struct grad_outputs *outputs)
{
    return json_print(to, build(task, outputs), CLKL_F64, task->count);
}
