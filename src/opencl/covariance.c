#include "opencl/covariance.h"

#include "core/failure.h"
#include "opencl/sources.h"

#include <stdlib.h>

/* ---- Which kernels ---- */

static const char *const names[CLKL_COVARIANCE_KERNELS] = {
    [CLKL_KERNEL_LANES] = "clkl_covariance_lanes",
    [CLKL_KERNEL_GROUP_SHARED] = "clkl_covariance_group_shared",
    [CLKL_KERNEL_GROUP] = "clkl_covariance_group",
    [CLKL_KERNEL_READ] = "clkl_covariance_read",
    [CLKL_KERNEL_DIAGONAL] = "clkl_covariance_diagonal",
    [CLKL_KERNEL_PANEL] = "clkl_covariance_panel",
    [CLKL_KERNEL_JUDGE_FACTORS] = "clkl_covariance_judge_factors",
    [CLKL_KERNEL_TURN] = "clkl_covariance_turn",
    [CLKL_KERNEL_MEANS] = "clkl_covariance_means",
    [CLKL_KERNEL_COMPOSE] = "clkl_covariance_compose",
    [CLKL_KERNEL_SOLVE] = "clkl_covariance_solve",
    [CLKL_KERNEL_JUDGE] = "clkl_covariance_judge",
    [CLKL_KERNEL_DIFFERENCE] = "clkl_covariance_difference",
    [CLKL_KERNEL_CONJUGATE] = "clkl_covariance_conjugate",
    [CLKL_KERNEL_EXCESS] = "clkl_covariance_excess",
    [CLKL_KERNEL_SHARES] = "clkl_covariance_shares",
    [CLKL_KERNEL_FINISH] = "clkl_covariance_finish",
    [CLKL_KERNEL_VALUES] = "clkl_covariance_values",
    [CLKL_KERNEL_SUMS] = "clkl_covariance_sums",
    [CLKL_KERNEL_STATUSES] = "clkl_covariance_statuses",
};

/* Marks the kernels of the launches that the problem needs. */
static clkl_status mark_needed(const struct clkl_prepared_covariance *prepared,
                               const struct clkl_problem *problem,
                               bool needed[CLKL_COVARIANCE_KERNELS], clkl_error *error)
{
    const size_t count =
        clkl_covariance_steps(problem, &prepared->variant, &prepared->geometry, NULL);
    struct clkl_covariance_step *steps = calloc(count, sizeof *steps);
    if (steps == NULL)
        return clkl_fail(error, CLKL_OUT_OF_HOST_MEMORY, "no memory for %zu launches", count);
    clkl_covariance_steps(problem, &prepared->variant, &prepared->geometry, steps);
    for (size_t i = 0; i < count; ++i)
        needed[steps[i].kernel] = true;
    free(steps);
    needed[clkl_problem_keeps(problem, 0) ? CLKL_KERNEL_VALUES : CLKL_KERNEL_SUMS] = true;
    needed[CLKL_KERNEL_STATUSES] = problem->matrix_status;
    return CLKL_OK;
}

/* ---- Building ---- */

static void close_pools(struct clkl_prepared_covariance *prepared)
{
    for (int i = 0; i < CLKL_COVARIANCE_KERNELS; ++i) {
        if (prepared->pools[i].program != NULL)
            clkl_kernel_pool_destroy(&prepared->pools[i]);
        prepared->pools[i].program = NULL;
    }
}

static clkl_status open_pools(struct clkl_prepared_covariance *prepared,
                              const bool needed[CLKL_COVARIANCE_KERNELS], clkl_error *error)
{
    char options[CLKL_OPTIONS_SIZE];
    cl_program program = NULL;
    clkl_covariance_options(&prepared->variant, options);
    const clkl_status status = clkl_device_program_of(
        prepared->device, CLKL_PROGRAM_COVARIANCE + (int)prepared->variant.way, options, &program,
        error);
    for (int i = 0; i < CLKL_COVARIANCE_KERNELS && status == CLKL_OK; ++i)
        if (needed[i])
            clkl_kernel_pool_init(&prepared->pools[i], program, names[i]);
    return status;
}

/* Lowers *limit to the work-items that the built kernels take in a work-group. */
static clkl_status lower_limit(struct clkl_prepared_covariance *prepared, uint64_t *limit,
                               clkl_error *error)
{
    clkl_status status = CLKL_OK;
    for (int i = 0; i < CLKL_COVARIANCE_KERNELS && status == CLKL_OK; ++i)
        if (prepared->pools[i].program != NULL)
            status =
                clkl_kernel_pool_limit(&prepared->pools[i], prepared->device->id, limit, error);
    return status;
}

/* Builds, and does so again with smaller work-groups if some kernel takes no larger ones. */
static clkl_status build(struct clkl_prepared_covariance *prepared,
                         const bool needed[CLKL_COVARIANCE_KERNELS], clkl_error *error)
{
    for (;;) {
        uint64_t limit = UINT64_MAX;
        clkl_status status = open_pools(prepared, needed, error);
        if (status == CLKL_OK)
            status = lower_limit(prepared, &limit, error);
        if (status != CLKL_OK || prepared->variant.work_group <= limit)
            return status;
        close_pools(prepared);
        while (prepared->variant.work_group > limit)
            prepared->variant.work_group /= 2;
    }
}

clkl_status clkl_covariance_prepare(clkl_device *device, const struct clkl_problem *problem,
                                    const struct clkl_tuning *tuning,
                                    struct clkl_prepared_covariance *prepared, clkl_error *error)
{
    bool needed[CLKL_COVARIANCE_KERNELS] = {false};
    prepared->device = device;
    clkl_covariance_variant_make(problem, &device->facts, tuning, &prepared->variant);
    clkl_status status = clkl_covariance_geometry_make(problem, &prepared->variant, &device->facts,
                                                       tuning, &prepared->geometry, error);
    if (status == CLKL_OK)
        status = mark_needed(prepared, problem, needed, error);
    if (status == CLKL_OK)
        status = build(prepared, needed, error);
    if (status == CLKL_OK) /* the work-group may be another now */
        status = clkl_covariance_geometry_make(problem, &prepared->variant, &device->facts, tuning,
                                               &prepared->geometry, error);
    return status;
}

void clkl_covariance_close(struct clkl_prepared_covariance *prepared)
{
    close_pools(prepared);
}
