#include "opencl/call.h"

#include "core/arguments.h"
#include "core/dtype.h"
#include "opencl/call_parts.h"

#include <string.h>

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
static clkl_status lay_out(struct clkl_making *making, uint32_t index, clkl_error *error)
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

static clkl_status lay_out_covariances(struct clkl_making *making, clkl_error *error)
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

static clkl_status take_all(struct clkl_making *making, clkl_error *error)
{
    const bool kernels = making->plan->n_passes > 0 || clkl_plan_has_covariances(making->plan);
    clkl_status status = clkl_check_gradients(making, error);
    if (kernels && status == CLKL_OK)
        status = clkl_take_sides(making, error);
    if (kernels && status == CLKL_OK)
        status = clkl_take_weights(making, error);
    if (kernels && status == CLKL_OK)
        status = clkl_take_upstream(making, error);
    if (kernels && status == CLKL_OK)
        status = clkl_take_gradients(making, error);
    if (status == CLKL_OK)
        status = clkl_take_values(making, error);
    if (status == CLKL_OK)
        status = clkl_take_covariance_outputs(making, error);
    if (status == CLKL_OK)
        status = clkl_take_scratch(making, error);
    if (status == CLKL_OK)
        status = clkl_check_overlap(making->call, error);
    return status;
}

clkl_status clkl_call_prepare(const clkl_plan *plan, const clkl_args *given, struct clkl_call *call,
                              clkl_error *error)
{
    clkl_args args;
    struct clkl_making making = {.plan = plan, .args = &args, .call = call};
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
        status = clkl_make_scratch(&making, error);
    if (status != CLKL_OK)
        return status;
    clkl_use_mask(&making);
    for (uint32_t i = 0; i < plan->n_passes && status == CLKL_OK; ++i)
        status = lay_out(&making, i, error);
    if (status == CLKL_OK && clkl_plan_has_covariances(plan))
        status = lay_out_covariances(&making, error);
    if (status != CLKL_OK && call->own_scratch)
        clReleaseMemObject(call->buffers.scratch);
    return status;
}
