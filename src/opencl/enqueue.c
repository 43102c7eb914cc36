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

static clkl_status enqueue_kernels(clkl_plan *plan, const struct clkl_call *call,
                                   const struct clkl_order *order, clkl_error *error)
{
    if (call->geometry.combine_groups == 0)
        return clkl_launch_diagonal(plan, call->aligned, &call->rows, &call->geometry,
                                    &call->launch, &call->buffers, order, error);
    cl_event first = NULL;
    const struct clkl_order before = {order->queue, order->n_wait, order->wait_list, &first};
    clkl_status status = clkl_launch_diagonal(plan, call->aligned, &call->rows, &call->geometry,
                                              &call->launch, &call->buffers, &before, error);
    if (status != CLKL_OK)
        return status;
    const struct clkl_order after = {order->queue, 1, &first, order->event};
    status =
        clkl_launch_combine(plan, &call->geometry, &call->launch, &call->buffers, &after, error);
    if (status != CLKL_OK && order->event != NULL)
        *order->event = first; /* covers what was enqueued */
    else
        clReleaseEvent(first);
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
    if ((n_wait == 0) != (wait_list == NULL))
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "n_wait is %u, but wait_list is %s",
                         (unsigned)n_wait, wait_list == NULL ? "NULL" : "not");
    struct clkl_call call;
    clkl_status status = check_queue(plan, queue, error);
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
