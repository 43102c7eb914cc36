/* What a call writes beside gradients: values and what goes with them, scratch. */
#include "core/dtype.h"
#include "core/failure.h"
#include "opencl/call_parts.h"

/* `count` elements that the call writes. */
static clkl_status take_output(struct clkl_making *making, const clkl_buffer *buffer,
                               const char *name, uint64_t count, uint64_t size, clkl_error *error)
{
    struct clkl_call *call = making->call;
    return clkl_buffer_check(making->plan, buffer, name, CL_MEM_READ_ONLY, count, size,
                             &call->outputs[call->n_outputs++], error);
}

clkl_status clkl_take_values(struct clkl_making *making, clkl_error *error)
{
    struct clkl_call *call = making->call;
    const clkl_args *args = making->args;
    const uint64_t values = call->values;
    if (call->problem.no_result &&
        (args->value_status.mem != NULL || args->clamp_counts.mem != NULL))
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "value_status or clamp_counts is given, but there is no result");
    if (call->problem.no_result)
        return CLKL_OK;
    clkl_status status = take_output(making, &args->result, "result", values,
                                     clkl_dtype_size(call->problem.compute), error);
    if (status == CLKL_OK && args->value_status.mem != NULL)
        status = take_output(making, &args->value_status, "value_status", values, sizeof(cl_uint),
                             error);
    if (status == CLKL_OK && args->clamp_counts.mem != NULL) {
        if (!call->problem.clamp_counts)
            return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                             "clamp_counts is given, but the specification does not ask for them");
        status = take_output(making, &args->clamp_counts, "clamp_counts", values, sizeof(cl_uint2),
                             error);
    }
    call->buffers.result = args->result.mem;
    call->buffers.value_status = args->value_status.mem;
    call->buffers.clamp_counts = args->clamp_counts.mem;
    making->call->common.result_origin = args->result.offset;
    making->call->common.status_origin = args->value_status.offset;
    making->call->common.counts_origin = args->clamp_counts.offset;
    return status;
}

clkl_status clkl_take_covariance_outputs(struct clkl_making *making, clkl_error *error)
{
    struct clkl_call *call = making->call;
    const clkl_args *args = making->args;
    clkl_status status = CLKL_OK;
    if (args->parts.mem != NULL && !call->problem.parts)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "parts is given, but the specification does not ask for them");
    if (args->matrix_status.mem != NULL && !call->problem.matrix_status)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "matrix_status is given, but the specification does not ask for it");
    if (args->parts.mem != NULL)
        status = take_output(making, &args->parts, "parts", 2 * call->values,
                             clkl_dtype_size(call->problem.compute), error);
    if (status == CLKL_OK && args->matrix_status.mem != NULL)
        status = take_output(making, &args->matrix_status, "matrix_status", call->problem.shape[0],
                             sizeof(cl_int2), error);
    call->buffers.parts = args->parts.mem;
    call->buffers.matrix_status = args->matrix_status.mem;
    call->covariance.results.result = args->result.offset;
    call->covariance.results.parts = args->parts.offset;
    call->covariance.results.value_status = args->value_status.offset;
    call->covariance.results.matrix_status = args->matrix_status.offset;
    return status;
}

clkl_status clkl_take_scratch(struct clkl_making *making, clkl_error *error)
{
    struct clkl_call *call = making->call;
    const clkl_buffer *scratch = &making->args->scratch;
    if (making->plan->scratch == 0 || scratch->mem == NULL)
        return CLKL_OK;
    if (scratch->offset % 16 != 0)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "scratch.offset is %zu; expected a multiple of 16", scratch->offset);
    call->buffers.scratch = scratch->mem;
    making->call->common.scratch_origin = scratch->offset;
    return clkl_buffer_check(making->plan, scratch, "scratch", CL_MEM_READ_ONLY | CL_MEM_WRITE_ONLY,
                             making->plan->scratch, 1, &call->outputs[call->n_outputs++], error);
}

clkl_status clkl_make_scratch(struct clkl_making *making, clkl_error *error)
{
    struct clkl_call *call = making->call;
    if (making->plan->scratch == 0 || call->buffers.scratch != NULL)
        return CLKL_OK;
    cl_int code = CL_SUCCESS;
    call->buffers.scratch = clCreateBuffer(making->plan->device->context, CL_MEM_READ_WRITE,
                                           (size_t)making->plan->scratch, NULL, &code);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clCreateBuffer", code);
    call->own_scratch = true;
    return CLKL_OK;
}

clkl_status clkl_check_overlap(const struct clkl_call *call, clkl_error *error)
{
    clkl_status status = CLKL_OK;
    for (size_t i = 0; i < call->n_outputs; ++i) {
        for (size_t j = 0; j < i && status == CLKL_OK; ++j)
            status = clkl_claims_apart(&call->outputs[i], &call->outputs[j], error);
        for (size_t j = 0; j < call->n_inputs && status == CLKL_OK; ++j)
            status = clkl_claims_apart(&call->outputs[i], &call->inputs[j], error);
    }
    return status;
}
