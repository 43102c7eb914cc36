#include "opencl/plan.h"

#include "core/failure.h"
#include "opencl/launch.h"

#include <stdlib.h>
#include <string.h>

bool clkl_plan_has_kernels(const clkl_plan *plan)
{
    return !plan->problem.deterministic;
}

static clkl_status check_support(const struct clkl_problem *problem, clkl_error *error)
{
    if (problem->deterministic && problem->compute == CLKL_F32)
        return CLKL_OK; /* no input is read */
    const bool wide_p = problem->p.scale_kind != CLKL_SCALE_UNIT && problem->p.dtype != CLKL_F32;
    const bool wide_q = problem->q.scale_kind != CLKL_SCALE_UNIT && problem->q.dtype != CLKL_F32;
    if (problem->compute != CLKL_F32 || wide_p || wide_q)
        return clkl_fail(error, CLKL_UNSUPPORTED,
                         "this version computes fp32 on devices; the reference computes fp64");
    return CLKL_OK;
}

/* ---- Building ---- */

static void close_pools(clkl_plan *plan)
{
    struct clkl_kernel_pool *pools[] = {&plan->diagonal, &plan->diagonal_aligned, &plan->combine};
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; ++i) {
        if (pools[i]->program != NULL)
            clkl_kernel_pool_destroy(pools[i]);
        pools[i]->program = NULL;
    }
}

/* Builds what the device has not built yet. */
static clkl_status open_pools(clkl_plan *plan, clkl_error *error)
{
    cl_program program = NULL;
    clkl_status status = clkl_device_program(plan->device, &plan->variant, &program, error);
    if (status != CLKL_OK)
        return status;
    clkl_kernel_pool_init(&plan->diagonal, program, "clkl_diagonal");
    clkl_kernel_pool_init(&plan->combine, program, "clkl_combine");
    plan->has_aligned = clkl_variant_can_align(&plan->variant, &plan->rows, &plan->device->facts);
    if (!plan->has_aligned)
        return CLKL_OK;
    struct clkl_variant aligned = plan->variant;
    aligned.aligned = true;
    status = clkl_device_program(plan->device, &aligned, &program, error);
    if (status == CLKL_OK)
        clkl_kernel_pool_init(&plan->diagonal_aligned, program, "clkl_diagonal");
    return status;
}

/* Lowers *limit to the work-items that a built kernel takes in a work-group; devices may allow it
 * fewer than they promise. */
static clkl_status lower_limit(const clkl_plan *plan, struct clkl_kernel_pool *pool,
                               uint64_t *limit, clkl_error *error)
{
    cl_kernel kernel = NULL;
    const clkl_status status = clkl_kernel_pool_take(pool, &kernel, error);
    if (status != CLKL_OK)
        return status;
    size_t size = 0;
    const cl_int code = clGetKernelWorkGroupInfo(
        kernel, plan->device->id, CL_KERNEL_WORK_GROUP_SIZE, sizeof size, &size, NULL);
    clkl_kernel_pool_return(pool, kernel);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clGetKernelWorkGroupInfo", code);
    if (size < *limit)
        *limit = size == 0 ? 1 : size;
    return CLKL_OK;
}

/* Builds, and does so again with smaller work-groups if some kernel takes no larger ones. */
static clkl_status build(clkl_plan *plan, clkl_error *error)
{
    for (;;) {
        uint64_t limit = UINT64_MAX;
        clkl_status status = open_pools(plan, error);
        if (status == CLKL_OK)
            status = lower_limit(plan, &plan->diagonal, &limit, error);
        if (status == CLKL_OK)
            status = lower_limit(plan, &plan->combine, &limit, error);
        if (status == CLKL_OK && plan->has_aligned)
            status = lower_limit(plan, &plan->diagonal_aligned, &limit, error);
        if (status != CLKL_OK || plan->variant.work_group <= limit)
            return status;
        close_pools(plan);
        while (plan->variant.work_group > limit)
            plan->variant.work_group /= 2;
    }
}

/* ---- The plan ---- */

static void widen(uint64_t *groups)
{
    if (*groups < CLKL_WIDEST_GRID)
        *groups = CLKL_WIDEST_GRID;
}

/* Launches a stage that was made ready with `status`. */
static clkl_status launch_once(clkl_status status, struct clkl_stage *stage, cl_command_queue queue,
                               clkl_error *error)
{
    const struct clkl_order order = {queue, 0, NULL, NULL};
    if (status != CLKL_OK)
        return status;
    status = clkl_stage_enqueue(stage, &order, error);
    clkl_stage_release(stage);
    return status;
}

/* Launches every kernel once over no rows, in the geometry of the planned batch or in the widest
 * grid that a call can have; `nothing` is there to be no NULL. */
static clkl_status launch_all(clkl_plan *plan, cl_command_queue queue, cl_mem nothing,
                              clkl_error *error)
{
    struct clkl_launch launch;
    struct clkl_stage stage;
    struct clkl_geometry geometry = plan->geometry;
    if (plan->variant.work_group == 1) {
        widen(&geometry.groups);
        widen(&geometry.combine_groups);
    }
    clkl_launch_fill(plan, &plan->rows, &geometry, 1, &launch);
    launch.tasks = 0;
    const struct clkl_launch_buffers buffers = {
        {nothing, nothing, nothing, nothing}, nothing, NULL, NULL, nothing};
    clkl_status status = CLKL_OK;
    for (int aligned = 0; aligned <= (int)plan->has_aligned && status == CLKL_OK; ++aligned) {
        status = clkl_stage_diagonal(plan, aligned != 0, &plan->rows, &geometry, &launch, &buffers,
                                     &stage, error);
        status = launch_once(status, &stage, queue, error);
    }
    if (status == CLKL_OK && plan->geometry.combine_groups > 0) {
        status = clkl_stage_combine(plan, &geometry, &launch, &buffers, &stage, error);
        status = launch_once(status, &stage, queue, error);
    }
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

static clkl_status prepare(clkl_plan *plan, const clkl_spec *spec, uint32_t flags,
                           clkl_error *error)
{
    clkl_status status = clkl_problem_make(spec, &plan->problem, error);
    if (status == CLKL_OK)
        status = check_support(&plan->problem, error);
    if (status != CLKL_OK || !clkl_plan_has_kernels(plan))
        return status;
    clkl_rows_make(&plan->problem, &plan->rows);
    clkl_variant_make(&plan->problem, &plan->rows, &plan->device->facts, &plan->tuning,
                      &plan->variant);
    status = build(plan, error);
    if (status == CLKL_OK)
        status = clkl_geometry_make(&plan->rows, &plan->variant, &plan->device->facts,
                                    &plan->tuning, &plan->geometry, error);
    if (status == CLKL_OK && (flags & CLKL_PLAN_NO_WARM_UP) == 0)
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
    close_pools(plan);
    clkl_device_release(plan->device);
    free(plan);
}

size_t clkl_plan_scratch_size(const clkl_plan *plan)
{
    return plan == NULL ? 0 : (size_t)plan->geometry.scratch;
}
