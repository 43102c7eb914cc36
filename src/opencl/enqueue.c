/* clkl_enqueue: the kernels of every pass or, for a deterministic P, fills, chained by events. */
#include "core/dtype.h"
#include "core/failure.h"
#include "opencl/call.h"

#include <stdlib.h>

static clkl_status check_queue(const clkl_plan *plan, cl_command_queue queue, clkl_error *error)
{
    cl_context context = NULL;
    cl_device_id id = NULL;
    cl_int code = clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof context, &context, NULL);
    if (code == CL_SUCCESS)
        code = clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof id, &id, NULL);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clGetCommandQueueInfo", code);
    if (context != plan->device->context || id != plan->device->id)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "the queue belongs to another context or device than the plan");
    return CLKL_OK;
}

/* Not every implementation looks at what it is to wait for. */
static clkl_status check_wait_list(const clkl_plan *plan, cl_uint n_wait, const cl_event *wait_list,
                                   clkl_error *error)
{
    if ((n_wait == 0) != (wait_list == NULL))
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "n_wait is %u, but wait_list is %s",
                         (unsigned)n_wait, wait_list == NULL ? "NULL" : "not");
    for (cl_uint i = 0; i < n_wait; ++i) {
        cl_context context = NULL;
        if (wait_list[i] == NULL)
            return clkl_fail(error, CLKL_INVALID_ARGUMENT, "wait_list[%u] is NULL", (unsigned)i);
        const cl_int code =
            clGetEventInfo(wait_list[i], CL_EVENT_CONTEXT, sizeof context, &context, NULL);
        if (code != CL_SUCCESS)
            return clkl_fail_opencl(error, "clGetEventInfo", code);
        if (context != plan->device->context)
            return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                             "wait_list[%u] belongs to another context", (unsigned)i);
    }
    return CLKL_OK;
}

/* Lengths become a mask; then both stages of every pass. */
enum { MOST_STAGES = 1 + 2 * CLKL_MOST_PASSES };

struct stages {
    struct clkl_stage few[MOST_STAGES];
    struct clkl_stage *list; /* `few`, or allocated */
    size_t count;
};

/* Counts the stage that was made ready with `status`. */
static clkl_status add_stage(struct stages *stages, clkl_status status)
{
    stages->count += status == CLKL_OK;
    return status;
}

static clkl_status make_covariance_stages(clkl_plan *plan, const struct clkl_call *call,
                                          struct stages *stages, clkl_error *error)
{
    const size_t count = clkl_covariance_count_stages(plan, &call->problem, &call->covariance);
    if (count > MOST_STAGES)
        stages->list = calloc(count, sizeof *stages->list);
    if (stages->list == NULL)
        return clkl_fail(error, CLKL_OUT_OF_HOST_MEMORY, "no memory for %zu launches", count);
    return clkl_covariance_make_stages(plan, &call->problem, &call->covariance, &call->buffers,
                                       stages->list, &stages->count, error);
}

/* Everything that can fail before the first command is enqueued does so here. */
static clkl_status make_stages(clkl_plan *plan, const struct clkl_call *call, struct stages *stages,
                               clkl_error *error)
{
    clkl_status status = CLKL_OK;
    if (plan->lengths.program != NULL)
        status = add_stage(
            stages, clkl_stage_lengths(plan, &call->mask, &stages->list[stages->count], error));
    for (uint32_t i = 0; i < plan->n_passes && status == CLKL_OK; ++i) {
        struct clkl_prepared_pass *prepared = &plan->passes[i];
        const struct clkl_pass_call *pass = &call->passes[i];
        status = add_stage(stages, clkl_stage_diagonal(prepared, pass, &call->buffers,
                                                       &stages->list[stages->count], error));
        if (status == CLKL_OK && pass->geometry.combine_groups > 0)
            status = add_stage(stages, clkl_stage_combine(prepared, pass, &call->buffers,
                                                          &stages->list[stages->count], error));
    }
    return status;
}

/* One stage behind the other; if a later one cannot be enqueued, *order->event covers those before.
 */
static clkl_status enqueue_stages(const struct stages *stages, const struct clkl_order *order,
                                  clkl_error *error)
{
    cl_event previous = NULL;
    clkl_status status = CLKL_OK;
    for (size_t i = 0; i < stages->count; ++i) {
        const bool last = i + 1 == stages->count;
        cl_event done = NULL;
        const struct clkl_order one = {order->queue, previous != NULL ? 1 : order->n_wait,
                                       previous != NULL ? &previous : order->wait_list,
                                       last && order->event == NULL ? NULL : &done};
        status = clkl_stage_enqueue(&stages->list[i], &one, error);
        if (status != CLKL_OK)
            break;
        if (previous != NULL)
            clReleaseEvent(previous);
        previous = done;
    }
    if (order->event != NULL)
        *order->event = previous;
    else if (previous != NULL)
        clReleaseEvent(previous);
    return status;
}

static clkl_status enqueue_kernels(clkl_plan *plan, const struct clkl_call *call,
                                   const struct clkl_order *order, clkl_error *error)
{
    struct stages stages = {.list = stages.few, .count = 0};
    clkl_status status = clkl_plan_has_covariances(plan)
                             ? make_covariance_stages(plan, call, &stages, error)
                             : make_stages(plan, call, &stages, error);
    if (status == CLKL_OK)
        status = enqueue_stages(&stages, order, error);
    for (size_t i = 0; i < stages.count; ++i)
        clkl_stage_release(&stages.list[i]);
    if (stages.list != stages.few)
        free(stages.list);
    return status;
}

/* ---- A deterministic P ---- */

/* A buffer to be filled with a pattern, element by element. */
struct fill {
    cl_mem mem;
    size_t offset; /* in elements */
    size_t size;
    const void *pattern;
    size_t pattern_size;
    size_t count;
};

/* One fill after the other; if a later one cannot be enqueued, *order->event covers those before.
 */
static clkl_status enqueue_fills(const struct fill *fills, size_t count,
                                 const struct clkl_order *order, clkl_error *error)
{
    cl_event previous = NULL;
    cl_int code = CL_SUCCESS;
    for (size_t i = 0; i < count && code == CL_SUCCESS; ++i) {
        const struct fill *fill = &fills[i];
        cl_event filled = NULL;
        if (fill->mem == NULL)
            continue;
        code = clEnqueueFillBuffer(order->queue, fill->mem, fill->pattern, fill->pattern_size,
                                   fill->offset * fill->size, fill->count * fill->size,
                                   previous != NULL ? 1 : order->n_wait,
                                   previous != NULL ? &previous : order->wait_list, &filled);
        if (code == CL_SUCCESS && previous != NULL)
            clReleaseEvent(previous);
        if (code == CL_SUCCESS)
            previous = filled;
    }
    if (order->event != NULL)
        *order->event = previous;
    else if (previous != NULL)
        clReleaseEvent(previous);
    return code == CL_SUCCESS ? CLKL_OK : clkl_fail_opencl(error, "clEnqueueFillBuffer", code);
}

/* Zeros in every output; the values, too, may have a floor. */
static clkl_status enqueue_zeros(const struct clkl_call *call, const struct clkl_order *order,
                                 clkl_error *error)
{
    const cl_uint zero = 0;
    const cl_float floor = (cl_float)call->problem.free_nats;
    const cl_double wide_floor = call->problem.free_nats;
    const bool wide = call->problem.compute == CLKL_F64;
    const size_t size = clkl_dtype_size(call->problem.compute);
    const size_t values = (size_t)call->values, samples = (size_t)call->problem.shape[0];
    const struct clkl_covariance_results *results = &call->covariance.results;
    const struct fill fills[] = {
        {call->buffers.value_status, call->common.status_origin, sizeof(cl_uint), &zero,
         sizeof zero, values},
        {call->buffers.clamp_counts, call->common.counts_origin, sizeof(cl_uint2), &zero,
         sizeof zero, values},
        {call->buffers.parts, (size_t)results->parts, size, &zero, sizeof zero, 2 * values},
        {call->buffers.matrix_status, (size_t)results->matrix_status, sizeof(cl_int2), &zero,
         sizeof zero, samples},
        {call->buffers.result, call->common.result_origin, size,
         wide ? (const void *)&wide_floor : &floor, size, values},
    };
    return enqueue_fills(fills, sizeof fills / sizeof fills[0], order, error);
}

clkl_status clkl_enqueue(clkl_plan *plan, cl_command_queue queue, const clkl_args *args,
                         cl_uint n_wait, const cl_event *wait_list, cl_event *event,
                         clkl_error *error)
{
    if (event != NULL)
        *event = NULL;
    if (plan == NULL || queue == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "plan or queue is NULL");
    struct clkl_call call;
    clkl_status status = check_wait_list(plan, n_wait, wait_list, error);
    if (status == CLKL_OK)
        status = check_queue(plan, queue, error);
    if (status == CLKL_OK)
        status = clkl_call_prepare(plan, args, &call, error);
    if (status != CLKL_OK)
        return status;
    const struct clkl_order order = {queue, n_wait, wait_list, event};
    status = plan->n_passes > 0 || clkl_plan_has_covariances(plan)
                 ? enqueue_kernels(plan, &call, &order, error)
                 : enqueue_zeros(&call, &order, error);
    if (call.own_scratch)
        clReleaseMemObject(call.buffers.scratch); /* kept by the commands until they complete */
    return status;
}
