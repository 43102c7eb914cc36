#include "opencl/plan.h"

#include "core/failure.h"
#include "opencl/covariance_launch.h"

#include <stdlib.h>
#include <string.h>

static clkl_status check_support(const clkl_plan *plan, clkl_error *error)
{
    if (plan->device->facts.fp64 || !clkl_problem_needs_fp64(&plan->problem))
        return CLKL_OK;
    return clkl_fail(
        error, CLKL_UNSUPPORTED, "%s needs double precision, which the device does not have",
        plan->problem.compute == CLKL_F64 ? "the compute type fp64" : "an input of fp64");
}

/* ---- Warming up ---- */

static clkl_status launch_all(clkl_plan *plan, cl_command_queue queue, cl_mem nothing,
                              clkl_error *error)
{
    clkl_status status = CLKL_OK;
    if (clkl_plan_has_covariances(plan))
        return clkl_covariance_warm_up(plan, queue, nothing, error);
    for (uint32_t i = 0; i < plan->n_passes && status == CLKL_OK; ++i)
        status = clkl_pass_warm_up(&plan->passes[i], queue, nothing, error);
    if (status != CLKL_OK || plan->lengths.program == NULL)
        return status;
    struct clkl_stage stage;
    const struct clkl_mask_call call = {.lengths = nothing, .extent = 1, .mask = nothing};
    const struct clkl_order order = {queue, 0, NULL, NULL};
    status = clkl_stage_lengths(plan, &call, &stage, error);
    if (status != CLKL_OK)
        return status;
    status = clkl_stage_enqueue(&stage, &order, error);
    clkl_stage_release(&stage);
    return status;
}

static clkl_status warm_up(clkl_plan *plan, clkl_error *error)
{
    cl_int code = CL_SUCCESS;
    cl_command_queue queue =
        clCreateCommandQueue(plan->device->context, plan->device->id, 0, &code);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clCreateCommandQueue", code);
    cl_mem nothing = clCreateBuffer(plan->device->context, CL_MEM_READ_WRITE, 64, NULL, &code);
    if (code != CL_SUCCESS) {
        clReleaseCommandQueue(queue);
        return clkl_fail_opencl(error, "clCreateBuffer", code);
    }
    clkl_status status = launch_all(plan, queue, nothing, error);
    code = clFinish(queue);
    if (status == CLKL_OK && code != CL_SUCCESS)
        status = clkl_fail_opencl(error, "clFinish", code);
    clReleaseMemObject(nothing);
    clReleaseCommandQueue(queue);
    return status;
}

/* ---- The plan ---- */

enum { SCRATCH_ALIGNMENT = 64 };

/* Takes `bytes` of scratch behind what was taken before. */
static uint64_t take_scratch(clkl_plan *plan, uint64_t bytes)
{
    const uint64_t at = plan->scratch;
    plan->scratch += (bytes + SCRATCH_ALIGNMENT - 1) / SCRATCH_ALIGNMENT * SCRATCH_ALIGNMENT;
    return at;
}

static clkl_status prepare_passes(clkl_plan *plan, clkl_error *error)
{
    struct clkl_pass passes[CLKL_MOST_PASSES];
    clkl_status status = CLKL_OK;
    plan->n_passes = clkl_passes_make(&plan->problem, passes);
    for (uint32_t i = 0; i < plan->n_passes && status == CLKL_OK; ++i) {
        plan->passes[i].pass = passes[i];
        status = clkl_pass_prepare(plan->device, &plan->tuning, &plan->passes[i], error);
        plan->passes[i].scratch_at = take_scratch(plan, plan->passes[i].geometry.scratch);
    }
    if (status == CLKL_OK && plan->n_passes > 0 && plan->problem.weighting == CLKL_LENGTHS) {
        plan->mask_at = take_scratch(plan, clkl_mask_bytes(&plan->problem));
        clkl_kernel_pool_init(&plan->lengths, plan->passes[0].diagonal.program, "clkl_lengths");
    }
    return status;
}

static bool has_kernels(const clkl_plan *plan)
{
    return plan->n_passes > 0 || clkl_plan_has_covariances(plan);
}

static clkl_status prepare_kernels(clkl_plan *plan, clkl_error *error)
{
    if (!clkl_plan_has_covariances(plan))
        return prepare_passes(plan, error);
    const clkl_status status = clkl_covariance_prepare(plan->device, &plan->problem, &plan->tuning,
                                                       &plan->covariance, error);
    plan->scratch = plan->covariance.geometry.scratch;
    return status;
}

static clkl_status prepare(clkl_plan *plan, const clkl_spec *spec, uint32_t flags,
                           clkl_error *error)
{
    clkl_status status = clkl_problem_make(spec, &plan->problem, error);
    if (status == CLKL_OK)
        status = check_support(plan, error);
    if (status == CLKL_OK)
        status = prepare_kernels(plan, error);
    if (status == CLKL_OK && has_kernels(plan) && (flags & CLKL_PLAN_NO_WARM_UP) == 0)
        status = warm_up(plan, error);
    return status;
}

clkl_status clkl_plan_create_tuned(clkl_device *device, const clkl_spec *spec, uint32_t flags,
                                   const struct clkl_tuning *tuning, clkl_plan **plan,
                                   clkl_error *error)
{
    if (plan == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "plan is NULL");
    *plan = NULL;
    if (device == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "device is NULL");
    if ((flags & ~CLKL_PLAN_NO_WARM_UP) != 0)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "unknown flags 0x%x", (unsigned)flags);
    clkl_plan *made = calloc(1, sizeof *made);
    if (made == NULL)
        return clkl_fail(error, CLKL_OUT_OF_HOST_MEMORY, "no memory for a plan");
    made->device = device;
    made->tuning = *tuning;
    clkl_device_retain(device);
    const clkl_status status = prepare(made, spec, flags, error);
    if (status != CLKL_OK) {
        clkl_plan_release(made);
        return status;
    }
    *plan = made;
    return CLKL_OK;
}

clkl_status clkl_plan_create(clkl_device *device, const clkl_spec *spec, uint32_t flags,
                             clkl_plan **plan, clkl_error *error)
{
    const struct clkl_tuning automatic = {0};
    return clkl_plan_create_tuned(device, spec, flags, &automatic, plan, error);
}

void clkl_plan_release(clkl_plan *plan)
{
    if (plan == NULL)
        return;
    for (uint32_t i = 0; i < plan->n_passes; ++i)
        clkl_pass_close(&plan->passes[i]);
    clkl_covariance_close(&plan->covariance);
    if (plan->lengths.program != NULL)
        clkl_kernel_pool_destroy(&plan->lengths);
    clkl_device_release(plan->device);
    free(plan);
}

size_t clkl_plan_scratch_size(const clkl_plan *plan)
{
    return plan == NULL ? 0 : (size_t)plan->scratch;
}
