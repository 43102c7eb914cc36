#include "grad_task.h"

#include "grad_upstream.h"
#include "library_error.h"
#include "message.h"
#include "number.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- What comes out ---- */

static const char *scale_name(clkl_form form, bool q)
{
    static const char *const names[][2] = {[CLKL_MEAN_LOGVAR] = {"p_logvar", "q_logvar"},
                                           [CLKL_MEAN_LOGSTD] = {"p_logstd", "q_logstd"},
                                           [CLKL_MEAN_VAR] = {"p_var", "q_var"},
                                           [CLKL_MEAN_STD] = {"p_std", "q_std"}};
    return names[form][q];
}

static void add_array(struct grad_task *task, const char *name, const struct npy *of)
{
    task->array[task->count++] = (struct grad_array){.name = name, .of = of};
}

static void add_side(struct grad_task *task, const struct kl_side_options *options,
                     const struct kl_side_files *side, bool q)
{
    if (options->packed) {
        add_array(task, q ? "q_moments" : "p_moments", &side->mean);
        return;
    }
    add_array(task, q ? "q_mean" : "p_mean", &side->mean);
    add_array(task, scale_name(options->form, q), &side->scale);
}

/* Room for the gradients, and for values if there are any; calloc refuses products that do not fit.
 */
static bool allocate(struct grad_task *task)
{
    const clkl_spec kept = kl_task_kept_spec(&task->options->kl, &task->kl);
    struct kl_result *result = &task->result;
    result->type = task->kl.spec.compute;
    result->kept_count = clkl_spec_result_count(&kept, 0);
    bool good = true;
    for (unsigned i = 0; i < task->count; i++) {
        struct grad_array *array = &task->array[i];
        array->data = calloc((size_t)array->of->count, number_size(task->type));
        good = good && array->data != NULL;
    }
    task->values = task->options->value != NULL || task->kl.free_nats > 0;
    if (task->values)
        result->kept = calloc((size_t)result->kept_count, number_size(result->type));
    return (good && (result->kept != NULL || !task->values)) ||
           message("there is no memory for the gradients of %" PRIu64 " samples", task->kl.samples);
}

bool grad_task_make(const struct grad_options *options, const struct kl_files *files,
                    struct grad_task *task)
{
    memset(task, 0, sizeof *task);
    task->options = options;
    task->files = files;
    if (!kl_task_make(&options->kl, files, &task->kl))
        return false;
    task->type = options->type != CLKL_DEFAULT_DTYPE ? options->type : task->kl.spec.compute;
    if (options->of_p)
        add_side(task, &options->kl.p, &files->p, false);
    if (options->of_q)
        add_side(task, &options->kl.q, &files->q, true);
    if (grad_upstream_make(options, files, &task->kl, &task->upstream) && allocate(task))
        return true;
    grad_task_free(task);
    return false;
}

void grad_task_free(struct grad_task *task)
{
    for (unsigned i = 0; i < task->count; i++)
        free(task->array[i].data);
    free(task->upstream);
    kl_result_free(&task->result);
    task->upstream = NULL;
    task->count = 0;
}

/* ---- The computation ---- */

/* The specification of the gradients, and the arguments; the arrays come in the order of the bits,
 * and those of packed moments are asked for as means. */
static clkl_spec describe(const struct grad_task *task, clkl_host_args *args)
{
    clkl_spec spec = kl_task_kept_spec(&task->options->kl, &task->kl);
    *args = task->kl.args;
    args->upstream = task->upstream;
    args->factors = (clkl_upstream_factors){
        .given = 1, .p = task->options->p_factor, .q = task->options->q_factor};
    spec.gradient_dtype = task->type;
    for (unsigned i = 0; i < task->count; i++) {
        const struct grad_array *array = &task->array[i];
        const bool q = array->name[0] == 'q';
        const struct kl_side_files *side = q ? &task->files->q : &task->files->p;
        const bool scale = array->of == &side->scale;
        void **target = q ? (scale ? &args->q_scale_gradient : &args->q_mean_gradient)
                          : (scale ? &args->p_scale_gradient : &args->p_mean_gradient);
        *target = array->data;
        spec.gradients |= q ? (scale ? CLKL_GRADIENT_Q_SCALE : CLKL_GRADIENT_Q_MEAN)
                            : (scale ? CLKL_GRADIENT_P_SCALE : CLKL_GRADIENT_P_MEAN);
    }
    return spec;
}

/* With free nats, gradients take the values of a call before. */
static bool run(clkl_engine *engine, const struct grad_task *task, clkl_error *error)
{
    const clkl_spec kept = kl_task_kept_spec(&task->options->kl, &task->kl);
    clkl_host_args args = task->kl.args;
    args.result = task->result.kept;
    if (task->kl.free_nats > 0 && clkl_engine_run(engine, &kept, &args, error) != CLKL_OK)
        return false;
    clkl_spec spec = describe(task, &args);
    if (task->kl.free_nats > 0)
        args.values = task->result.kept;
    else
        args.result = task->result.kept;
    if (args.result == NULL)
        spec.outputs = CLKL_OUTPUT_NO_RESULT;
    return clkl_engine_run(engine, &spec, &args, error) == CLKL_OK;
}

static void look_at(struct grad_array *array, clkl_dtype type)
{
    double squares = 0;
    for (uint64_t i = 0; i < array->of->count; i++) {
        const double x = number_at(array->data, type, i);
        if (isnan(x) && array->nan++ == 0)
            array->first_nan = i;
        array->infinite += isinf(x) != 0;
        array->zeros += x == 0;
        if (!isfinite(x))
            continue;
        squares += x * x;
        array->largest = fmax(array->largest, fabs(x));
    }
    array->norm = sqrt(squares);
}

static bool refuse(const struct grad_task *task, const clkl_error *error)
{
    if (error->status == CLKL_UNSUPPORTED && task->type == CLKL_F64 &&
        task->kl.spec.compute != CLKL_F64)
        return message("--gradient-type f64: %s (see --device)", error->message);
    return kl_run_refuse(&task->options->kl, task->files, &task->kl, error);
}

bool grad_task_run(struct grad_task *task)
{
    const struct kl_options *options = &task->options->kl;
    clkl_error error = {.struct_size = sizeof error};
    clkl_engine *engine = kl_run_engine(options->device);
    if (engine == NULL)
        return false;
    kl_run_describe(engine, options, &task->result);
    const double start = kl_run_clock();
    const bool good = run(engine, task, &error);
    task->result.seconds = kl_run_clock() - start;
    clkl_engine_release(engine);
    if (!good)
        return refuse(task, &error);
    for (unsigned i = 0; i < task->count; i++)
        look_at(&task->array[i], task->type);
    if (task->kl.free_nats > 0)
        task->statistics.free = statistics_count_free(&task->kl, &task->result);
    return true;
}
