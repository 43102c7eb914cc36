#include "opencl/launch.h"

#include "core/arithmetic.h"
#include "core/failure.h"

#include <string.h>

cl_ulong clkl_real_bits(double number, bool fp64)
{
    const cl_float narrow = (cl_float)number;
    cl_uint word;
    cl_ulong bits;
    memcpy(&word, &narrow, sizeof word);
    memcpy(&bits, &number, sizeof bits);
    return fp64 ? bits : word;
}

void clkl_launch_fill(const struct clkl_prepared_pass *prepared, struct clkl_pass_call *call)
{
    const struct clkl_problem *problem = &prepared->pass.problem;
    struct clkl_launch *launch = &call->launch;
    const bool fp64 = prepared->variant.fp64;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        launch->row_strides[operand] = (cl_ulong)call->rows.kept.strides[operand][0];
    launch->rows = call->rows.rows;
    launch->rows_of_value = call->rows.rows_of_value;
    launch->elements = call->rows.elements;
    launch->chunk = call->geometry.chunk;
    launch->tasks = call->geometry.tasks;
    launch->chunks = call->geometry.chunks;
    launch->team = call->geometry.team;
    launch->rounds = call->geometry.rounds;
    launch->clamp_low = clkl_real_bits(problem->clamp_low, fp64);
    launch->clamp_high = clkl_real_bits(problem->clamp_high, fp64);
    launch->free_nats = clkl_real_bits(problem->free_nats, fp64);
}

/* ---- Axes ---- */

/* `layout` of kernels/access.clh, whose arrays are as long as the program has axes. */
struct device_layout {
    cl_ulong words[(1 + CLKL_OPERANDS) * (CLKL_MAX_RANK + 2)];
    size_t count;
};

static void append_axes(const struct clkl_axes *axes, uint32_t count, struct device_layout *layout)
{
    for (uint32_t axis = 0; axis < count; ++axis)
        layout->words[layout->count++] = axis < axes->count ? axes->extents[axis] : 1;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        for (uint32_t axis = 0; axis < count; ++axis)
            layout->words[layout->count++] =
                axis < axes->count ? (cl_ulong)axes->strides[operand][axis] : 0;
}

static struct device_layout layout_of(const struct clkl_variant *variant,
                                      const struct clkl_rows *rows)
{
    struct device_layout layout = {.count = 0};
    append_axes(&rows->kept, variant->kept_axes, &layout);
    append_axes(&rows->reduced, variant->reduced_axes, &layout);
    return layout;
}

/* Whether the program needs to be told where elements lie: LAYOUT of kernels/access.clh. */
static bool needs_layout(const struct clkl_variant *variant)
{
    return variant->columns || variant->kept_axes > 1 || variant->p_reach != CLKL_CONTIGUOUS ||
           variant->q_reach != CLKL_CONTIGUOUS || variant->weight_reach != CLKL_CONTIGUOUS ||
           variant->upstream_reach != CLKL_CONTIGUOUS;
}

/* ---- Stages ---- */

enum { MOST_ARGUMENTS = 20 };

struct arguments {
    struct clkl_argument list[MOST_ARGUMENTS];
    cl_uint count;
};

static void append(struct arguments *arguments, size_t size, const void *value)
{
    arguments->list[arguments->count++] = (struct clkl_argument){size, value};
}

/* The address of a NULL handle passes a null pointer. */
static void append_buffers(struct arguments *arguments, const cl_mem *mems, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        append(arguments, sizeof mems[i], &mems[i]);
}

clkl_status clkl_stage_make(struct clkl_kernel_pool *pool, const struct clkl_argument *arguments,
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

static clkl_status make_ready(struct clkl_kernel_pool *pool, const struct arguments *arguments,
                              struct clkl_stage *stage, clkl_error *error)
{
    return clkl_stage_make(pool, arguments->list, arguments->count, stage, error);
}

static bool has_gradients(const struct clkl_variant *variant)
{
    return variant->sums != 0 || variant->maps != 0;
}

/* OUTPUT_PARAMETERS of kernels/teamwork.clh. */
static void append_outputs(struct arguments *arguments, const struct clkl_variant *variant,
                           const struct clkl_launch_buffers *buffers)
{
    append_buffers(arguments, &buffers->result, 1);
    append_buffers(arguments, &buffers->value_status, 1);
    append_buffers(arguments, &buffers->clamp_counts, 1);
    append_buffers(arguments, &buffers->scratch, 1);
    if (has_gradients(variant))
        append_buffers(arguments, buffers->gradients, CLKL_ARRAYS);
}

clkl_status clkl_stage_diagonal(struct clkl_prepared_pass *prepared,
                                const struct clkl_pass_call *call,
                                const struct clkl_launch_buffers *buffers, struct clkl_stage *stage,
                                clkl_error *error)
{
    const struct clkl_variant *variant = &prepared->variant;
    const struct device_layout layout = layout_of(variant, &call->rows);
    struct arguments arguments = {.count = 0};
    append_buffers(&arguments, buffers->inputs, CLKL_ARRAYS);
    if (variant->weighted)
        append_buffers(&arguments, &buffers->inputs[CLKL_WEIGHT], 1);
    if (has_gradients(variant))
        append_buffers(&arguments, &buffers->inputs[CLKL_UPSTREAM], 2);
    append(&arguments, sizeof call->launch, &call->launch);
    if (needs_layout(variant))
        append(&arguments, layout.count * sizeof layout.words[0], layout.words);
    append_outputs(&arguments, variant, buffers);
    stage->local = variant->work_group;
    stage->global = (size_t)call->geometry.groups * stage->local;
    return make_ready(call->aligned ? &prepared->diagonal_aligned : &prepared->diagonal, &arguments,
                      stage, error);
}

clkl_status clkl_stage_combine(struct clkl_prepared_pass *prepared,
                               const struct clkl_pass_call *call,
                               const struct clkl_launch_buffers *buffers, struct clkl_stage *stage,
                               clkl_error *error)
{
    const struct device_layout layout = layout_of(&prepared->variant, &call->rows);
    struct clkl_launch second = call->launch;
    struct arguments arguments = {.count = 0};
    second.team = call->geometry.combine_team;
    second.rounds = call->geometry.combine_rounds;
    append(&arguments, sizeof second, &second);
    if (needs_layout(&prepared->variant))
        append(&arguments, layout.count * sizeof layout.words[0], layout.words);
    append_outputs(&arguments, &prepared->variant, buffers);
    stage->local = prepared->variant.work_group;
    stage->global = (size_t)call->geometry.combine_groups * stage->local;
    return make_ready(&prepared->combine, &arguments, stage, error);
}

/* Work-items that fill so many bytes of a mask, a piece each. */
static size_t fillers(const clkl_plan *plan, uint64_t bytes)
{
    enum { LOOPS_PER_BYTE = 4 };
    const struct clkl_facts *facts = &plan->device->facts;
    const uint64_t local = plan->passes[0].variant.work_group;
    const uint64_t needed =
        facts->loop_limit == 0 ? 0 : divide_up(bytes, facts->loop_limit / LOOPS_PER_BYTE);
    return (size_t)at_least(CLKL_WIDEST_GRID, divide_up(needed, local) * local);
}

clkl_status clkl_stage_lengths(clkl_plan *plan, const struct clkl_mask_call *call,
                               struct clkl_stage *stage, clkl_error *error)
{
    struct arguments arguments = {.count = 0};
    append(&arguments, sizeof call->lengths, &call->lengths);
    append(&arguments, sizeof call->origin, &call->origin);
    append(&arguments, sizeof call->stride, &call->stride);
    append(&arguments, sizeof call->extent, &call->extent);
    append(&arguments, sizeof call->bytes, &call->bytes);
    append(&arguments, sizeof call->mask, &call->mask);
    append(&arguments, sizeof call->mask_origin, &call->mask_origin);
    stage->local = plan->passes[0].variant.work_group;
    stage->global = fillers(plan, call->bytes);
    return make_ready(&plan->lengths, &arguments, stage, error);
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
