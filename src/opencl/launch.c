#include "opencl/launch.h"

#include "core/failure.h"

#include <string.h>

/* `axes_table` and `layout` of kernels/access.clh. */
struct device_axes {
    cl_ulong extents[CLKL_MAX_RANK];
    cl_ulong strides[CLKL_OPERANDS][CLKL_MAX_RANK];
};
struct device_layout {
    struct device_axes kept;
    struct device_axes reduced;
};

void clkl_launch_fill(const clkl_plan *plan, const struct clkl_rows *rows,
                      const struct clkl_geometry *geometry, uint64_t divisor,
                      struct clkl_launch *launch)
{
    memset(launch, 0, sizeof *launch);
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        launch->row_strides[operand] = (cl_ulong)rows->kept.strides[operand][0];
    launch->rows = rows->rows;
    launch->rows_of_value = rows->rows_of_value;
    launch->elements = rows->elements;
    launch->chunk = geometry->chunk;
    launch->tasks = geometry->tasks;
    launch->chunks = geometry->chunks;
    launch->team = geometry->team;
    launch->rounds = geometry->rounds;
    launch->clamp_low = (cl_float)plan->problem.clamp_low;
    launch->clamp_high = (cl_float)plan->problem.clamp_high;
    launch->divisor = (cl_float)divisor;
}

static void fill_axes(const struct clkl_axes *from, struct device_axes *axes)
{
    memset(axes, 0, sizeof *axes);
    for (uint32_t axis = 0; axis < from->count; ++axis) {
        axes->extents[axis] = from->extents[axis];
        for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
            axes->strides[operand][axis] = (cl_ulong)from->strides[operand][axis];
    }
}

/* Whether the program needs to be told where elements lie: LAYOUT of kernels/access.clh. */
static bool needs_layout(const struct clkl_variant *variant)
{
    return variant->columns || variant->kept_axes > 1 || variant->p_reach != CLKL_CONTIGUOUS ||
           variant->q_reach != CLKL_CONTIGUOUS;
}

/* ---- Stages ---- */

struct argument {
    size_t size;
    const void *value;
};

/* A buffer argument; the address of a NULL handle passes a null pointer. */
#define BUFFER(mem)            \
    {                          \
        sizeof(cl_mem), &(mem) \
    }

/* Takes a kernel and sets its arguments. */
static clkl_status make_ready(struct clkl_kernel_pool *pool, const struct argument *arguments,
                              cl_uint count, struct clkl_stage *stage, clkl_error *error)
{
    stage->pool = pool;
    clkl_status status = clkl_kernel_pool_take(pool, &stage->kernel, error);
    for (cl_uint i = 0; i < count && status == CLKL_OK; ++i) {
        const cl_int code = clSetKernelArg(stage->kernel, i, arguments[i].size, arguments[i].value);
        if (code != CL_SUCCESS)
            status = clkl_fail_opencl(error, "clSetKernelArg", code);
    }
    if (status != CLKL_OK)
        clkl_stage_release(stage);
    return status;
}

clkl_status clkl_stage_diagonal(clkl_plan *plan, bool aligned, const struct clkl_rows *rows,
                                const struct clkl_geometry *geometry,
                                const struct clkl_launch *launch,
                                const struct clkl_launch_buffers *buffers, struct clkl_stage *stage,
                                clkl_error *error)
{
    struct device_layout layout;
    fill_axes(&rows->kept, &layout.kept);
    fill_axes(&rows->reduced, &layout.reduced);
    struct argument arguments[10] = {BUFFER(buffers->inputs[CLKL_P_MEAN]),
                                     BUFFER(buffers->inputs[CLKL_P_SCALE]),
                                     BUFFER(buffers->inputs[CLKL_Q_MEAN]),
                                     BUFFER(buffers->inputs[CLKL_Q_SCALE]),
                                     {sizeof *launch, launch}};
    cl_uint count = 5;
    if (needs_layout(&plan->variant))
        arguments[count++] = (struct argument){sizeof layout, &layout};
    arguments[count++] = (struct argument)BUFFER(buffers->result);
    arguments[count++] = (struct argument)BUFFER(buffers->value_status);
    arguments[count++] = (struct argument)BUFFER(buffers->clamp_counts);
    arguments[count++] = (struct argument)BUFFER(buffers->scratch);
    stage->local = plan->variant.work_group;
    stage->global = (size_t)geometry->groups * stage->local;
    return make_ready(aligned ? &plan->diagonal_aligned : &plan->diagonal, arguments, count, stage,
                      error);
}

clkl_status clkl_stage_combine(clkl_plan *plan, const struct clkl_geometry *geometry,
                               const struct clkl_launch *launch,
                               const struct clkl_launch_buffers *buffers, struct clkl_stage *stage,
                               clkl_error *error)
{
    struct clkl_launch second = *launch;
    second.team = geometry->combine_team;
    second.rounds = geometry->combine_rounds;
    const struct argument arguments[] = {{sizeof second, &second},
                                         BUFFER(buffers->result),
                                         BUFFER(buffers->value_status),
                                         BUFFER(buffers->clamp_counts),
                                         BUFFER(buffers->scratch)};
    stage->local = plan->variant.work_group;
    stage->global = (size_t)geometry->combine_groups * stage->local;
    return make_ready(&plan->combine, arguments, sizeof arguments / sizeof arguments[0], stage,
                      error);
}

clkl_status clkl_stage_enqueue(const struct clkl_stage *stage, const struct clkl_order *order,
                               clkl_error *error)
{
    const cl_int code =
        clEnqueueNDRangeKernel(order->queue, stage->kernel, 1, NULL, &stage->global, &stage->local,
                               order->n_wait, order->wait_list, order->event);
    return code == CL_SUCCESS ? CLKL_OK : clkl_fail_opencl(error, "clEnqueueNDRangeKernel", code);
}

/* The kernel keeps its arguments in the pool: on rusticl 22.3 nothing else holds the buffers of a
 * command that has not run yet. */
void clkl_stage_release(struct clkl_stage *stage)
{
    clkl_kernel_pool_return(stage->pool, stage->kernel);
}
