#include "opencl/pass.h"

#include "core/failure.h"
#include "opencl/launch.h"

#include <string.h>

/* ---- Building ---- */

static void close_pools(struct clkl_prepared_pass *prepared)
{
    struct clkl_kernel_pool *pools[] = {&prepared->diagonal, &prepared->diagonal_aligned,
                                        &prepared->combine};
    for (size_t i = 0; i < sizeof pools / sizeof pools[0]; ++i) {
        if (pools[i]->program != NULL)
            clkl_kernel_pool_destroy(pools[i]);
        pools[i]->program = NULL;
    }
}

/* Builds what the device has not built yet. */
static clkl_status open_pools(struct clkl_prepared_pass *prepared, clkl_error *error)
{
    cl_program program = NULL;
    clkl_status status = clkl_device_program(prepared->device, &prepared->variant, &program, error);
    if (status != CLKL_OK)
        return status;
    clkl_kernel_pool_init(&prepared->diagonal, program, "clkl_diagonal");
    if (clkl_variant_sums(&prepared->variant) > 0)
        clkl_kernel_pool_init(&prepared->combine, program, "clkl_combine");
    prepared->has_aligned =
        clkl_variant_can_align(&prepared->variant, &prepared->rows, &prepared->device->facts);
    if (!prepared->has_aligned)
        return CLKL_OK;
    struct clkl_variant aligned = prepared->variant;
    aligned.aligned = true;
    status = clkl_device_program(prepared->device, &aligned, &program, error);
    if (status == CLKL_OK)
        clkl_kernel_pool_init(&prepared->diagonal_aligned, program, "clkl_diagonal");
    return status;
}

/* Builds, and does so again with smaller work-groups if some kernel takes no larger ones. */
static clkl_status build(struct clkl_prepared_pass *prepared, clkl_error *error)
{
    const cl_device_id id = prepared->device->id;
    for (;;) {
        uint64_t limit = UINT64_MAX;
        clkl_status status = open_pools(prepared, error);
        if (status == CLKL_OK)
            status = clkl_kernel_pool_limit(&prepared->diagonal, id, &limit, error);
        if (status == CLKL_OK && prepared->combine.program != NULL)
            status = clkl_kernel_pool_limit(&prepared->combine, id, &limit, error);
        if (status == CLKL_OK && prepared->has_aligned)
            status = clkl_kernel_pool_limit(&prepared->diagonal_aligned, id, &limit, error);
        if (status != CLKL_OK || prepared->variant.work_group <= limit)
            return status;
        close_pools(prepared);
        while (prepared->variant.work_group > limit)
            prepared->variant.work_group /= 2;
    }
}

/* ---- Warming up ---- */

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

clkl_status clkl_pass_warm_up(struct clkl_prepared_pass *prepared, cl_command_queue queue,
                              cl_mem nothing, clkl_error *error)
{
    struct clkl_pass_call call = {.rows = prepared->rows, .geometry = prepared->geometry};
    struct clkl_launch_buffers buffers = {.result = nothing, .scratch = nothing};
    struct clkl_stage stage;
    if (prepared->variant.work_group == 1) {
        widen(&call.geometry.groups);
        widen(&call.geometry.combine_groups);
    }
    clkl_launch_fill(prepared, &call);
    call.launch.tasks = 0;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        buffers.inputs[operand] = nothing;
    clkl_status status = CLKL_OK;
    for (int aligned = 0; aligned <= (int)prepared->has_aligned && status == CLKL_OK; ++aligned) {
        call.aligned = aligned != 0;
        status = clkl_stage_diagonal(prepared, &call, &buffers, &stage, error);
        status = launch_once(status, &stage, queue, error);
    }
    if (status == CLKL_OK && prepared->geometry.combine_groups > 0) {
        status = clkl_stage_combine(prepared, &call, &buffers, &stage, error);
        status = launch_once(status, &stage, queue, error);
    }
    return status;
}

/* ---- The whole ---- */

clkl_status clkl_pass_prepare(clkl_device *device, const struct clkl_tuning *tuning,
                              struct clkl_prepared_pass *prepared, clkl_error *error)
{
    prepared->device = device;
    clkl_rows_make(&prepared->pass.problem, &prepared->rows);
    clkl_variant_make(&prepared->pass, &prepared->rows, &device->facts, tuning, &prepared->variant);
    const clkl_status status = build(prepared, error);
    return status != CLKL_OK
               ? status
               : clkl_geometry_make(&prepared->rows, &prepared->variant, &device->facts, tuning,
                                    &prepared->geometry, error);
}

void clkl_pass_close(struct clkl_prepared_pass *prepared)
{
    close_pools(prepared);
}
