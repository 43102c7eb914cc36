#include "opencl/call.h"

#include "core/arguments.h"
#include "core/dtype.h"
#include "core/failure.h"

#include <string.h>

/* A call in the making. */
struct making {
    const clkl_plan *plan;
    const clkl_args *args;
    struct clkl_call *call;
};

/* ---- Arrays ---- */

/* An array of one of P and Q, or its gradient. */
struct array {
    const clkl_buffer *buffer;
    const char *name;
    const struct clkl_operand *where;
    uint64_t extent; /* elements up to the last that is used */
    uint64_t twin;   /* the distance to the other half of packed moments, or 0 */
    clkl_dtype dtype;
    bool matrix; /* [B, D, D] */
};

static bool array_is_gapless(const struct clkl_problem *problem, const struct array *array)
{
    return array->matrix ? clkl_problem_matrix_is_gapless(problem, array->where)
                         : clkl_problem_is_gapless(problem, array->where, array->twin);
}

/* Takes an input. Only one without gaps is claimed: an output may lie in the gaps of a slice. */
static clkl_status take_input(struct making *making, const struct array *array, clkl_error *error)
{
    struct clkl_call *call = making->call;
    struct clkl_claim claim;
    const clkl_status status =
        clkl_buffer_check(making->plan, array->buffer, array->name, CL_MEM_WRITE_ONLY,
                          array->extent, clkl_dtype_size(array->dtype), &claim, error);
    if (status == CLKL_OK && array_is_gapless(&call->problem, array))
        call->inputs[call->n_inputs++] = claim;
    return status;
}

/* Takes a gradient. What lies between its strides is not claimed. */
static clkl_status take_gradient(struct making *making, const struct array *array,
                                 clkl_error *error)
{
    struct clkl_call *call = making->call;
    struct clkl_claim claim;
    const clkl_status status =
        clkl_buffer_check(making->plan, array->buffer, array->name, CL_MEM_READ_ONLY, array->extent,
                          clkl_dtype_size(array->dtype), &claim, error);
    if (status == CLKL_OK && clkl_problem_is_gapless(&call->problem, array->where, array->twin))
        call->outputs[call->n_outputs++] = claim;
    return status;
}

/* The two arrays of a side, or their gradients; the second is not used where they are packed. */
static void describe_arrays(const struct clkl_problem *problem, const struct clkl_side *side,
                            clkl_dtype dtype, struct array arrays[2])
{
    const uint64_t mean = clkl_problem_extent(problem, &side->mean);
    const uint64_t scale = clkl_problem_scale_extent(problem, side);
    arrays[0].where = &side->mean;
    arrays[1].where = &side->scale;
    arrays[0].extent = side->packed && scale > mean ? scale : mean;
    arrays[1].extent = scale;
    arrays[0].twin = side->packed ? (uint64_t)(side->scale.origin - side->mean.origin) : 0;
    arrays[1].twin = 0;
    arrays[0].dtype = arrays[1].dtype = dtype;
    arrays[1].matrix = clkl_scale_is_matrix(side->scale_kind);
}

static clkl_status take_side(struct making *making, int first, const struct clkl_side *side,
                             struct array arrays[2], clkl_error *error)
{
    struct clkl_call *call = making->call;
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return CLKL_OK;
    describe_arrays(&call->problem, side, side->dtype, arrays);
    for (int i = 0; i < 2; ++i) {
        const clkl_buffer *buffer = side->packed ? arrays[0].buffer : arrays[i].buffer;
        const uint64_t origin = (uint64_t)arrays[i].where->origin;
        call->buffers.inputs[first + i] = buffer->mem;
        making->call->common.origins[first + i] = buffer->offset + origin;
        making->call->common.extents[first + i] =
            (i == 0 ? clkl_problem_extent(&call->problem, &side->mean)
                    : clkl_problem_scale_extent(&call->problem, side)) -
            origin;
    }
    clkl_status status = take_input(making, &arrays[0], error);
    if (status == CLKL_OK && !side->packed)
        status = take_input(making, &arrays[1], error);
    return status;
}

static clkl_status take_sides(struct making *making, clkl_error *error)
{
    const clkl_args *args = making->args;
    struct array p[2] = {{&args->p_mean, "p_mean", NULL, 0, 0, 0, false},
                         {&args->p_scale, "p_scale", NULL, 0, 0, 0, false}};
    struct array q[2] = {{&args->q_mean, "q_mean", NULL, 0, 0, 0, false},
                         {&args->q_scale, "q_scale", NULL, 0, 0, 0, false}};
    const struct clkl_problem *problem = &making->call->problem;
    const clkl_status status = take_side(making, CLKL_P_MEAN, &problem->p, p, error);
    return status != CLKL_OK ? status : take_side(making, CLKL_Q_MEAN, &problem->q, q, error);
}

/* ---- Gradients ---- */

static clkl_status take_gradients_of(struct making *making, int first, const struct clkl_side *side,
                                     struct array arrays[2], clkl_error *error)
{
    struct clkl_call *call = making->call;
    const struct clkl_problem *problem = &call->problem;
    clkl_status status = CLKL_OK;
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return CLKL_OK;
    describe_arrays(problem, side, problem->gradient_dtype, arrays);
    for (int i = 0; i < 2 && status == CLKL_OK; ++i) {
        const struct array *array = side->packed ? &arrays[0] : &arrays[i];
        if (array->buffer->mem == NULL || (problem->gradients >> (first + i) & 1u) == 0)
            continue;
        call->buffers.gradients[first + i] = array->buffer->mem;
        making->call->common.gradient_origins[first + i] =
            array->buffer->offset + (uint64_t)arrays[i].where->origin;
        making->call->common.given |= 1u << (first + i);
        if (i == 0 || !side->packed)
            status = take_gradient(making, array, error);
    }
    return status;
}

/* No gradient may be given that is not asked for. */
static clkl_status check_gradients(const struct making *making, clkl_error *error)
{
    const clkl_args *args = making->args;
    const struct clkl_problem *problem = &making->call->problem;
    const struct {
        cl_mem mem;
        const char *name;
        bool ignored; /* in the other one of its side */
    } gradients[CLKL_ARRAYS] = {
        {args->p_mean_gradient.mem, "p_mean_gradient", false},
        {args->p_scale_gradient.mem, "p_scale_gradient", problem->p.packed},
        {args->q_mean_gradient.mem, "q_mean_gradient", false},
        {args->q_scale_gradient.mem, "q_scale_gradient", problem->q.packed},
    };
    for (int i = 0; i < CLKL_ARRAYS; ++i)
        if (gradients[i].mem != NULL && !gradients[i].ignored &&
            (problem->gradients >> i & 1u) == 0)
            return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                             "%s is given, but the specification does not ask for it",
                             gradients[i].name);
    return CLKL_OK;
}

static clkl_status take_gradients(struct making *making, clkl_error *error)
{
    const clkl_args *args = making->args;
    struct array p[2] = {{&args->p_mean_gradient, "p_mean_gradient", NULL, 0, 0, 0, false},
                         {&args->p_scale_gradient, "p_scale_gradient", NULL, 0, 0, 0, false}};
    struct array q[2] = {{&args->q_mean_gradient, "q_mean_gradient", NULL, 0, 0, 0, false},
                         {&args->q_scale_gradient, "q_scale_gradient", NULL, 0, 0, 0, false}};
    const struct clkl_problem *problem = &making->call->problem;
    const clkl_status status = take_gradients_of(making, CLKL_P_MEAN, &problem->p, p, error);
    return status != CLKL_OK ? status
                             : take_gradients_of(making, CLKL_Q_MEAN, &problem->q, q, error);
}

/* The upstream gradient, or values of the result: one number for each value. */
static clkl_status take_per_value(struct making *making, int operand, const clkl_buffer *buffer,
                                  const char *name, clkl_error *error)
{
    const struct clkl_problem *problem = &making->call->problem;
    const struct array array = {buffer,           name, &problem->upstream, making->call->values, 0,
                                problem->compute, false};
    making->call->buffers.inputs[operand] = buffer->mem;
    making->call->common.origins[operand] = buffer->offset;
    making->call->common.extents[operand] = making->call->values;
    making->call->common.given |= 1u << operand;
    return take_input(making, &array, error);
}

static clkl_status take_upstream(struct making *making, clkl_error *error)
{
    const clkl_args *args = making->args;
    const struct clkl_problem *problem = &making->call->problem;
    const clkl_upstream_factors *factors = &args->factors;
    const double divisor = (double)clkl_problem_divisor(problem);
    const bool fp64 = problem->compute == CLKL_F64;
    clkl_status status = CLKL_OK;
    if (factors->given > 1 || factors->zero != 0)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "factors.given is %u and factors.zero %u; expected 0 or 1, and 0",
                         (unsigned)factors->given, (unsigned)factors->zero);
    if (problem->gradients == 0)
        return CLKL_OK;
    if (problem->free_nats > 0.0 && args->values.mem == NULL)
        return clkl_fail(
            error, CLKL_INVALID_ARGUMENT,
            "values.mem is NULL; expected the results of an earlier call, which decide "
            "where free_nats leave a gradient");
    making->call->common.p_factor =
        clkl_real_bits((factors->given ? factors->p : 1.0) / divisor, fp64);
    making->call->common.q_factor =
        clkl_real_bits((factors->given ? factors->q : 1.0) / divisor, fp64);
    if (args->upstream.mem != NULL)
        status = take_per_value(making, CLKL_UPSTREAM, &args->upstream, "upstream", error);
    if (status == CLKL_OK && problem->free_nats > 0.0)
        status = take_per_value(making, CLKL_VALUES, &args->values, "values", error);
    return status;
}

/* ---- Weights ---- */

static clkl_status take_weights(struct making *making, clkl_error *error)
{
    struct clkl_call *call = making->call;
    const struct clkl_problem *problem = &call->problem;
    const clkl_buffer *buffer = &making->args->weights;
    struct clkl_operand lengths = {0};
    struct array array = {buffer, "weights", &problem->weight, 0, 0, problem->weight_dtype, false};
    if (problem->weighting == CLKL_NO_WEIGHTS)
        return CLKL_OK;
    if (problem->weighting == CLKL_LENGTHS) {
        lengths.strides[0] = problem->weight.strides[0];
        array.where = &lengths;
        array.dtype = CLKL_F32; /* as wide as lengths are */
    }
    array.extent = clkl_problem_extent(problem, array.where);
    if (problem->weighting == CLKL_MASK) {
        struct clkl_claim claim;
        const clkl_status status = clkl_buffer_check(
            making->plan, buffer, "weights", CL_MEM_WRITE_ONLY, array.extent, 1, &claim, error);
        if (status == CLKL_OK && clkl_problem_is_gapless(problem, array.where, 0))
            call->inputs[call->n_inputs++] = claim;
        if (status != CLKL_OK)
            return status;
    } else {
        const clkl_status status = take_input(making, &array, error);
        if (status != CLKL_OK)
            return status;
    }
    call->buffers.inputs[CLKL_WEIGHT] = buffer->mem;
    making->call->common.origins[CLKL_WEIGHT] = buffer->offset;
    making->call->common.extents[CLKL_WEIGHT] = array.extent;
    return CLKL_OK;
}

/* Lets the mask, which is made in scratch, take the place of the lengths. */
static void use_mask(struct making *making)
{
    struct clkl_call *call = making->call;
    const struct clkl_problem *problem = &call->problem;
    struct clkl_mask_call *mask = &call->mask;
    if (problem->weighting != CLKL_LENGTHS)
        return;
    mask->lengths = call->buffers.inputs[CLKL_WEIGHT];
    mask->origin = making->call->common.origins[CLKL_WEIGHT];
    mask->stride = (cl_ulong)problem->weight.strides[0];
    mask->extent = problem->shape[problem->length_axis];
    mask->bytes = clkl_mask_bytes(problem);
    mask->mask = call->buffers.scratch;
    mask->mask_origin = making->call->common.scratch_origin + making->plan->mask_at;
    call->buffers.inputs[CLKL_WEIGHT] = mask->mask;
    making->call->common.origins[CLKL_WEIGHT] = mask->mask_origin;
    making->call->common.extents[CLKL_WEIGHT] = mask->bytes;
}

/* ---- Values and scratch ---- */

/* `count` elements that the call writes. */
static clkl_status take_output(struct making *making, const clkl_buffer *buffer, const char *name,
                               uint64_t count, uint64_t size, clkl_error *error)
{
    struct clkl_call *call = making->call;
    return clkl_buffer_check(making->plan, buffer, name, CL_MEM_READ_ONLY, count, size,
                             &call->outputs[call->n_outputs++], error);
}

static clkl_status take_values(struct making *making, clkl_error *error)
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

/* What only covariances have: two numbers per value, two words per sample. */
static clkl_status take_covariance_outputs(struct making *making, clkl_error *error)
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

static clkl_status take_scratch(struct making *making, clkl_error *error)
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

static clkl_status make_scratch(struct making *making, clkl_error *error)
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

/* No output may overlap another, nor an input. */
static clkl_status check_overlap(const struct clkl_call *call, clkl_error *error)
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

/* ---- Passes ---- */

/* Whether `count` elements from `origin` on begin where a vector may. */
static bool begins_aligned(cl_mem mem, uint64_t origin, uint64_t width, uint64_t size)
{
    return mem == NULL ||
           (origin % width == 0 && clkl_buffer_is_aligned(mem, (size_t)(width * size)));
}

static uint64_t element_size(const struct clkl_problem *problem, int operand)
{
    return operand < CLKL_Q_MEAN                ? clkl_dtype_size(problem->p.dtype)
           : operand < CLKL_WEIGHT              ? clkl_dtype_size(problem->q.dtype)
           : operand > CLKL_WEIGHT              ? clkl_dtype_size(problem->compute)
           : problem->weighting == CLKL_WEIGHTS ? clkl_dtype_size(problem->weight_dtype)
                                                : 1;
}

static bool is_aligned(const struct clkl_prepared_pass *prepared, const struct clkl_call *call)
{
    const struct clkl_launch *launch = &call->common;
    const struct clkl_problem *problem = &call->problem;
    const uint64_t width = prepared->variant.vector_width;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand) {
        if (!clkl_variant_has(&prepared->variant, operand) ||
            clkl_variant_reach(&prepared->variant, operand) != CLKL_CONTIGUOUS)
            continue;
        if (!begins_aligned(call->buffers.inputs[operand], launch->origins[operand], width,
                            element_size(problem, operand)))
            return false;
        if (operand < CLKL_ARRAYS && (prepared->variant.maps >> operand & 1u) != 0 &&
            !begins_aligned(call->buffers.gradients[operand], launch->gradient_origins[operand],
                            width, clkl_dtype_size(problem->gradient_dtype)))
            return false;
    }
    return true;
}

/* Rows, geometry and launch of a pass, for the call's batch. */
static clkl_status lay_out(struct making *making, uint32_t index, clkl_error *error)
{
    const struct clkl_prepared_pass *prepared = &making->plan->passes[index];
    struct clkl_pass_call *pass = &making->call->passes[index];
    pass->rows = prepared->rows;
    clkl_rows_set_batch(&pass->rows, &prepared->pass.problem, making->call->problem.shape[0]);
    const clkl_status status =
        clkl_geometry_make(&pass->rows, &prepared->variant, &prepared->device->facts,
                           &making->plan->tuning, &pass->geometry, error);
    pass->launch = making->call->common;
    pass->launch.scratch_origin += prepared->scratch_at;
    pass->launch.divisor = clkl_real_bits((double)clkl_problem_divisor(&making->call->problem),
                                          prepared->variant.fp64);
    clkl_launch_fill(prepared, pass);
    pass->aligned = prepared->has_aligned && is_aligned(prepared, making->call);
    return status;
}

static clkl_status lay_out_covariances(struct making *making, clkl_error *error)
{
    const clkl_plan *plan = making->plan;
    struct clkl_call *call = making->call;
    const clkl_status status = clkl_covariance_geometry_make(
        &call->problem, &plan->covariance.variant, &plan->device->facts, &plan->tuning,
        &call->covariance.geometry, error);
    if (status == CLKL_OK)
        clkl_covariance_fill(plan, &call->problem, &call->common, &call->covariance);
    return status;
}

/* ---- The whole ---- */

static clkl_status take_args(const clkl_args *given, clkl_args *taken, clkl_error *error)
{
    static const struct clkl_struct_kind kind = {"args", "clkl_args", sizeof *taken,
                                                 CLKL_SIZE_UP_TO(clkl_args, batch)};
    return clkl_take_struct(&kind, given, taken, error);
}

static clkl_status take_all(struct making *making, clkl_error *error)
{
    const bool kernels = making->plan->n_passes > 0 || clkl_plan_has_covariances(making->plan);
    clkl_status status = check_gradients(making, error);
    if (kernels && status == CLKL_OK)
        status = take_sides(making, error);
    if (kernels && status == CLKL_OK)
        status = take_weights(making, error);
    if (kernels && status == CLKL_OK)
        status = take_upstream(making, error);
    if (kernels && status == CLKL_OK)
        status = take_gradients(making, error);
    if (status == CLKL_OK)
        status = take_values(making, error);
    if (status == CLKL_OK)
        status = take_covariance_outputs(making, error);
    if (status == CLKL_OK)
        status = take_scratch(making, error);
    if (status == CLKL_OK)
        status = check_overlap(making->call, error);
    return status;
}

clkl_status clkl_call_prepare(const clkl_plan *plan, const clkl_args *given, struct clkl_call *call,
                              clkl_error *error)
{
    clkl_args args;
    struct making making = {.plan = plan, .args = &args, .call = call};
    memset(call, 0, sizeof *call);
    call->problem = plan->problem;
    clkl_status status = take_args(given, &args, error);
    if (status == CLKL_OK)
        status = clkl_problem_set_batch(&call->problem, args.batch, error);
    if (status != CLKL_OK)
        return status;
    call->values = clkl_problem_result_count(&call->problem);
    status = take_all(&making, error);
    if (status == CLKL_OK)
        status = make_scratch(&making, error);
    if (status != CLKL_OK)
        return status;
    use_mask(&making);
    for (uint32_t i = 0; i < plan->n_passes && status == CLKL_OK; ++i)
        status = lay_out(&making, i, error);
    if (status == CLKL_OK && clkl_plan_has_covariances(plan))
        status = lay_out_covariances(&making, error);
    if (status != CLKL_OK && call->own_scratch)
        clReleaseMemObject(call->buffers.scratch);
    return status;
}
