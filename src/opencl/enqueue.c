/* clkl_enqueue: check everything, then enqueue one or two kernels (or, for a deterministic P,
 * fills). */
#include "core/arguments.h"
#include "core/checked.h"
#include "core/failure.h"
#include "opencl/launch.h"

#include <string.h>

/* One call, as it is being prepared. */
struct call {
    struct clkl_problem problem; /* with this call's batch */
    struct clkl_rows rows;
    struct clkl_geometry geometry;
    struct clkl_launch launch;
    struct clkl_launch_buffers buffers;
    uint64_t values;
    bool aligned;
    bool own_scratch;
};

/* ---- Checks ---- */

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

/* A buffer must be there, be of the plan's context, and hold `count` elements of `size` bytes from
 * its offset on. */
static clkl_status check_buffer(const clkl_plan *plan, const clkl_buffer *buffer, const char *name,
                                uint64_t count, uint64_t size, clkl_error *error)
{
    if (buffer->mem == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "%s.mem is NULL", name);
    cl_context context = NULL;
    size_t bytes = 0;
    cl_int code = clGetMemObjectInfo(buffer->mem, CL_MEM_CONTEXT, sizeof context, &context, NULL);
    if (code == CL_SUCCESS)
        code = clGetMemObjectInfo(buffer->mem, CL_MEM_SIZE, sizeof bytes, &bytes, NULL);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clGetMemObjectInfo", code);
    if (context != plan->device->context)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "%s belongs to another context", name);
    uint64_t end = 0;
    if (!clkl_checked_add(buffer->offset, count, &end) || !clkl_checked_mul(end, size, &end) ||
        end > bytes)
        return clkl_fail(error, CLKL_BUFFER_TOO_SMALL,
                         "%s has %zu bytes; expected %llu elements of %u bytes from element %zu on",
                         name, bytes, (unsigned long long)count, (unsigned)size, buffer->offset);
    return CLKL_OK;
}

static clkl_status take_input(const clkl_plan *plan, struct call *call, int operand,
                              const clkl_buffer *buffer, const char *name,
                              const struct clkl_operand *where, clkl_error *error)
{
    const clkl_status status = check_buffer(
        plan, buffer, name, clkl_problem_extent(&call->problem, where), sizeof(cl_float), error);
    call->buffers.inputs[operand] = buffer->mem;
    call->launch.origins[operand] = buffer->offset + (uint64_t)where->origin;
    return status;
}

static clkl_status take_side(const clkl_plan *plan, struct call *call, const struct clkl_side *side,
                             int first, const clkl_buffer *mean, const clkl_buffer *scale,
                             const char *const names[2], clkl_error *error)
{
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return CLKL_OK;
    clkl_status status = take_input(plan, call, first, mean, names[0], &side->mean, error);
    if (status == CLKL_OK)
        status = take_input(plan, call, first + 1, side->packed ? mean : scale,
                            names[side->packed ? 0 : 1], &side->scale, error);
    return status;
}

static clkl_status take_inputs(const clkl_plan *plan, struct call *call, const clkl_args *args,
                               clkl_error *error)
{
    static const char *const p_names[] = {"p_mean", "p_scale"};
    static const char *const q_names[] = {"q_mean", "q_scale"};
    clkl_status status = take_side(plan, call, &call->problem.p, CLKL_P_MEAN, &args->p_mean,
                                   &args->p_scale, p_names, error);
    if (status == CLKL_OK)
        status = take_side(plan, call, &call->problem.q, CLKL_Q_MEAN, &args->q_mean, &args->q_scale,
                           q_names, error);
    return status;
}

static clkl_status take_outputs(const clkl_plan *plan, struct call *call, const clkl_args *args,
                                clkl_error *error)
{
    clkl_status status =
        check_buffer(plan, &args->result, "result", call->values, sizeof(cl_float), error);
    if (status == CLKL_OK && args->value_status.mem != NULL)
        status = check_buffer(plan, &args->value_status, "value_status", call->values,
                              sizeof(cl_uint), error);
    if (status == CLKL_OK && args->clamp_counts.mem != NULL) {
        if (!call->problem.clamp_counts)
            return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                             "clamp_counts is given, but the specification does not ask for them");
        status = check_buffer(plan, &args->clamp_counts, "clamp_counts", call->values,
                              sizeof(cl_uint2), error);
    }
    call->buffers.result = args->result.mem;
    call->buffers.value_status = args->value_status.mem;
    call->buffers.clamp_counts = args->clamp_counts.mem;
    call->launch.result_origin = args->result.offset;
    call->launch.status_origin = args->value_status.offset;
    call->launch.counts_origin = args->clamp_counts.offset;
    return status;
}

/* ---- Alignment ---- */

/* Whether the buffer's first byte lies at a multiple of `bytes`: OpenCL aligns what it allocates,
 * but not the caller's own memory, and a sub-buffer begins where it was told to. */
static bool buffer_is_aligned(cl_mem mem, size_t bytes)
{
    cl_mem_flags flags = 0;
    size_t origin = 0;
    void *host = NULL;
    return clGetMemObjectInfo(mem, CL_MEM_FLAGS, sizeof flags, &flags, NULL) == CL_SUCCESS &&
           clGetMemObjectInfo(mem, CL_MEM_OFFSET, sizeof origin, &origin, NULL) == CL_SUCCESS &&
           clGetMemObjectInfo(mem, CL_MEM_HOST_PTR, sizeof host, &host, NULL) == CL_SUCCESS &&
           origin % bytes == 0 &&
           ((flags & CL_MEM_USE_HOST_PTR) == 0 || (uintptr_t)host % bytes == 0);
}

static bool is_aligned(const clkl_plan *plan, const struct call *call)
{
    const uint32_t width = plan->variant.vector_width;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand) {
        const bool p = operand == CLKL_P_MEAN || operand == CLKL_P_SCALE;
        const cl_mem mem = call->buffers.inputs[operand];
        if (mem == NULL || (p ? plan->variant.p_gather : plan->variant.q_gather))
            continue;
        if (call->launch.origins[operand] % width != 0 ||
            !buffer_is_aligned(mem, width * sizeof(cl_float)))
            return false;
    }
    return true;
}

/* ---- Scratch ---- */

static clkl_status take_scratch(const clkl_plan *plan, struct call *call,
                                const clkl_buffer *scratch, clkl_error *error)
{
    if (call->geometry.scratch == 0)
        return CLKL_OK;
    if (scratch->mem != NULL) {
        if (scratch->offset % 16 != 0)
            return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                             "scratch.offset is %zu; expected a multiple of 16", scratch->offset);
        call->buffers.scratch = scratch->mem;
        call->launch.scratch_origin = scratch->offset;
        return check_buffer(plan, scratch, "scratch", call->geometry.scratch, 1, error);
    }
    cl_int code = CL_SUCCESS;
    call->buffers.scratch = clCreateBuffer(plan->device->context, CL_MEM_READ_WRITE,
                                           (size_t)call->geometry.scratch, NULL, &code);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clCreateBuffer", code);
    call->own_scratch = true;
    return CLKL_OK;
}

/* ---- Enqueueing ---- */

static clkl_status prepare(const clkl_plan *plan, struct call *call, const clkl_args *args,
                           clkl_error *error)
{
    memset(call, 0, sizeof *call);
    call->problem = plan->problem;
    clkl_status status = clkl_problem_set_batch(&call->problem, args->batch, error);
    if (status != CLKL_OK)
        return status;
    call->values = clkl_problem_result_count(&call->problem);
    if (!clkl_plan_has_kernels(plan))
        return take_outputs(plan, call, args, error);
    call->rows = plan->rows;
    clkl_rows_set_batch(&call->rows, &plan->problem, call->problem.shape[0]);
    status = clkl_geometry_make(&call->rows, &plan->variant, &plan->device->facts, &plan->tuning,
                                &call->geometry, error);
    if (status != CLKL_OK)
        return status;
    clkl_launch_fill(plan, &call->rows, &call->geometry, clkl_problem_divisor(&call->problem),
                     &call->launch);
    status = take_inputs(plan, call, args, error);
    if (status == CLKL_OK)
        status = take_outputs(plan, call, args, error);
    if (status == CLKL_OK)
        status = take_scratch(plan, call, &args->scratch, error);
    call->aligned = status == CLKL_OK && plan->has_aligned && is_aligned(plan, call);
    return status;
}

static clkl_status enqueue_kernels(clkl_plan *plan, const struct call *call,
                                   const struct clkl_order *order, clkl_error *error)
{
    if (call->geometry.chunks == 1)
        return clkl_launch_diagonal(plan, call->aligned, &call->rows, &call->geometry,
                                    &call->launch, &call->buffers, order, error);
    cl_event first = NULL;
    const struct clkl_order before = {order->queue, order->n_wait, order->wait_list, &first};
    clkl_status status = clkl_launch_diagonal(plan, call->aligned, &call->rows, &call->geometry,
                                              &call->launch, &call->buffers, &before, error);
    if (status != CLKL_OK)
        return status;
    const struct clkl_order after = {order->queue, 1, &first, order->event};
    status = clkl_launch_combine(plan, call->rows.rows, &call->geometry, &call->launch,
                                 &call->buffers, &after, error);
    if (status != CLKL_OK && order->event != NULL)
        *order->event = first; /* covers what was enqueued */
    else
        clReleaseEvent(first);
    return status;
}

/* Zeros in every output, one fill after the other. */
static clkl_status enqueue_zeros(const struct call *call, const struct clkl_order *order,
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
    if (plan == NULL || queue == NULL || args == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "plan, queue or args is NULL");
    clkl_status status = clkl_check_struct(args, sizeof *args, "args", "clkl_args", error);
    if (status != CLKL_OK)
        return status;
    if ((n_wait == 0) != (wait_list == NULL))
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "n_wait is %u, but wait_list is %s",
                         (unsigned)n_wait, wait_list == NULL ? "NULL" : "not");
    struct call call;
    status = check_queue(plan, queue, error);
    if (status == CLKL_OK)
        status = prepare(plan, &call, args, error);
    if (status != CLKL_OK)
        return status;
    const struct clkl_order order = {queue, n_wait, wait_list, event};
    status = clkl_plan_has_kernels(plan) ? enqueue_kernels(plan, &call, &order, error)
                                         : enqueue_zeros(&call, &order, error);
    if (call.own_scratch)
        clReleaseMemObject(call.buffers.scratch); /* kept by the commands until they complete */
    return status;
}
