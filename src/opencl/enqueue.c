/* clkl_enqueue: one or two kernels or, for a deterministic P, fills, chained by events. */
#include "core/failure.h"
#include "opencl/call.h"

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

/* The second stage behind the first; if it cannot be enqueued, *order->event covers the first. */
static clkl_status enqueue_both(const struct clkl_stage *first, const struct clkl_stage *second,
                                const struct clkl_order *order, clkl_error *error)
{
    cl_event between = NULL;
    const struct clkl_order before = {order->queue, order->n_wait, order->wait_list, &between};
    clkl_status status = clkl_stage_enqueue(first, &before, error);
    if (status != CLKL_OK)
        return status;
    const struct clkl_order after = {order->queue, 1, &between, order->event};
    status = clkl_stage_enqueue(second, &after, error);
    if (status != CLKL_OK && order->event != NULL)
        *order->event = between;
    else
        clReleaseEvent(between);
    return status;
}

/* Everything that can fail before the first command is enqueued does so. */
static clkl_status enqueue_kernels(clkl_plan *plan, const struct clkl_call *call,
                                   const struct clkl_order *order, clkl_error *error)
{
    struct clkl_stage first, second;
    clkl_status status = clkl_stage_diagonal(plan, call->aligned, &call->rows, &call->geometry,
                                             &call->launch, &call->buffers, &first, error);
    if (status != CLKL_OK)
        return status;
    if (call->geometry.combine_groups == 0) {
        status = clkl_stage_enqueue(&first, order, error);
    } else {
        status = clkl_stage_combine(plan, &call->geometry, &call->launch, &call->buffers, &second,
                                    error);
        if (status == CLKL_OK) {
            status = enqueue_both(&first, &second, order, error);
            clkl_stage_release(&second);
        }
    }
    clkl_stage_release(&first);
    return status;
}

/* Zeros in every output, one fill after the other. */
static clkl_status enqueue_zeros(const struct clkl_call *call, const struct clkl_order *order,
                                 clkl_error *error)
{
    const struct {
        cl_mem mem;
        size_t offset, size;
    } outputs[] = {
        {call->buffers.value_status, call->launch.status_origin, sizeof(cl_uint)},
        {call->buffers.clamp_counts, call->launch.counts_origin, sizeof(cl_uint2)},
        {call->buffers.result, call->launch.result_origin, sizeof(cl_float)}, /* never NULL: last */
    };
    const cl_uint zero = 0;
    cl_event previous = NULL;
    for (size_t i = 0; i < sizeof outputs / sizeof outputs[0]; ++i) {
        if (outputs[i].mem == NULL)
            continue;
        cl_event filled = NULL;
        const cl_int code = clEnqueueFillBuffer(
            order->queue, outputs[i].mem, &zero, sizeof zero, outputs[i].offset * outputs[i].size,
            (size_t)call->values * outputs[i].size, previous != NULL ? 1 : order->n_wait,
            previous != NULL ? &previous : order->wait_list, &filled);
        if (code != CL_SUCCESS) {
            if (order->event != NULL)
                *order->event = previous;
            else if (previous != NULL)
                clReleaseEvent(previous);
            return clkl_fail_opencl(error, "clEnqueueFillBuffer", code);
        }
        if (previous != NULL)
            clReleaseEvent(previous);
        previous = filled;
    }
    if (order->event != NULL)
        *order->event = previous;
    else
        clReleaseEvent(previous);
    return CLKL_OK;
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
    status = clkl_plan_has_kernels(plan) ? enqueue_kernels(plan, &call, &order, error)
                                         : enqueue_zeros(&call, &order, error);
    if (call.own_scratch)
        clReleaseMemObject(call.buffers.scratch); /* kept by the commands until they complete */
    return status;
}
