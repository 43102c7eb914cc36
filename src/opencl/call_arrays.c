/* The arrays of a call: P and Q, their gradients, upstream, weights. */
#include "core/dtype.h"
#include "core/failure.h"
#include "opencl/call_parts.h"

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
static clkl_status take_input(struct clkl_making *making, const struct array *array,
                              clkl_error *error)
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
static clkl_status take_gradient(struct clkl_making *making, const struct array *array,
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

static clkl_status take_side(struct clkl_making *making, int first, const struct clkl_side *side,
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

clkl_status clkl_take_sides(struct clkl_making *making, clkl_error *error)
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

static clkl_status take_gradients_of(struct clkl_making *making, int first,
                                     const struct clkl_side *side, struct array arrays[2],
                                     clkl_error *error)
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

clkl_status clkl_check_gradients(const struct clkl_making *making, clkl_error *error)
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

clkl_status clkl_take_gradients(struct clkl_making *making, clkl_error *error)
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
static clkl_status take_per_value(struct clkl_making *making, int operand,
                                  const clkl_buffer *buffer, const char *name, clkl_error *error)
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

clkl_status clkl_take_upstream(struct clkl_making *making, clkl_error *error)
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

clkl_status clkl_take_weights(struct clkl_making *making, clkl_error *error)
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

void clkl_use_mask(struct clkl_making *making)
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
