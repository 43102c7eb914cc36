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

struct argument {
    size_t size;
    const void *value;
};

static clkl_status set_arguments(cl_kernel kernel, const struct argument *arguments, cl_uint count,
                                 clkl_error *error)
{
    for (cl_uint i = 0; i < count; ++i) {
        const cl_int code = clSetKernelArg(kernel, i, arguments[i].size, arguments[i].value);
        if (code != CL_SUCCESS)
            return clkl_fail_opencl(error, "clSetKernelArg", code);
    }
    return CLKL_OK;
}

static clkl_status enqueue(cl_kernel kernel, uint64_t groups, uint32_t work_group,
                           const struct clkl_order *order, clkl_error *error)
{
    const size_t local = work_group;
    const size_t global = (size_t)groups * local;
    const cl_int code = clEnqueueNDRangeKernel(order->queue, kernel, 1, NULL, &global, &local,
                                               order->n_wait, order->wait_list, order->event);
    return code == CL_SUCCESS ? CLKL_OK : clkl_fail_opencl(error, "clEnqueueNDRangeKernel", code);
}

/* A buffer argument; the address of a NULL handle passes a null pointer. */
#define BUFFER(mem)            \
    {                          \
        sizeof(cl_mem), &(mem) \
    }

clkl_status clkl_launch_diagonal(clkl_plan *plan, bool aligned, const struct clkl_rows *rows,
                                 const struct clkl_geometry *geometry,
                                 const struct clkl_launch *launch,
                                 const struct clkl_launch_buffers *buffers,
                                 const struct clkl_order *order, clkl_error *error)
{
    struct clkl_kernel_pool *pool = aligned ? &plan->diagonal_aligned : &plan->diagonal;
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

    cl_kernel kernel = NULL;
    clkl_status status = clkl_kernel_pool_take(pool, &kernel, error);
    if (status == CLKL_OK)
        status = set_arguments(kernel, arguments, count, error);
    if (status == CLKL_OK)
        status = enqueue(kernel, geometry->groups, plan->variant.work_group, order, error);
    clkl_kernel_pool_return(pool, kernel);
    return status;
}

clkl_status clkl_launch_combine(clkl_plan *plan, const struct clkl_geometry *geometry,
                                const struct clkl_launch *launch,
                                const struct clkl_launch_buffers *buffers,
                                const struct clkl_order *order, clkl_error *error)
{
    struct clkl_launch second = *launch;
    second.team = geometry->combine_team;
    second.rounds = geometry->combine_rounds;
    const struct argument arguments[] = {{sizeof second, &second},
                                         BUFFER(buffers->result),
                                         BUFFER(buffers->value_status),
                                         BUFFER(buffers->clamp_counts),
                                         BUFFER(buffers->scratch)};
    cl_kernel kernel = NULL;
    clkl_status status = clkl_kernel_pool_take(&plan->combine, &kernel, error);
    if (status == CLKL_OK)
        status = set_arguments(kernel, arguments, sizeof arguments / sizeof arguments[0], error);
    if (status == CLKL_OK)
        status = enqueue(kernel, geometry->combine_groups, plan->variant.work_group, order, error);
    clkl_kernel_pool_return(&plan->combine, kernel);
    return status;
}
