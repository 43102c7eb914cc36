#include "opencl/call.h"

#include "core/arguments.h"
#include "core/checked.h"
#include "core/failure.h"

#include <string.h>

/* ---- Buffers ---- */

/* What OpenCL tells of a buffer. */
struct buffer_facts {
    cl_context context;
    cl_mem_object_type type;
    cl_mem_flags flags;
    size_t bytes;
};

static cl_int buffer_info(cl_mem mem, struct buffer_facts *facts, struct clkl_claim *claim)
{
    size_t origin = 0;
    cl_mem whole = NULL;
    cl_int code =
        clGetMemObjectInfo(mem, CL_MEM_CONTEXT, sizeof facts->context, &facts->context, NULL);
    if (code == CL_SUCCESS)
        code = clGetMemObjectInfo(mem, CL_MEM_TYPE, sizeof facts->type, &facts->type, NULL);
    if (code == CL_SUCCESS)
        code = clGetMemObjectInfo(mem, CL_MEM_FLAGS, sizeof facts->flags, &facts->flags, NULL);
    if (code == CL_SUCCESS)
        code = clGetMemObjectInfo(mem, CL_MEM_SIZE, sizeof facts->bytes, &facts->bytes, NULL);
    if (code == CL_SUCCESS)
        code = clGetMemObjectInfo(mem, CL_MEM_OFFSET, sizeof origin, &origin, NULL);
    if (code == CL_SUCCESS)
        code = clGetMemObjectInfo(mem, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof whole, &whole, NULL);
    claim->root = whole != NULL ? whole : mem;
    claim->begin = whole != NULL ? origin : 0;
    return code;
}

/* A memory object must be a buffer of the plan's context, which kernels may use so: `forbidden` are
 * the flags that say they may not. */
static clkl_status check_facts(const clkl_plan *plan, const struct buffer_facts *facts,
                               const char *name, cl_mem_flags forbidden, clkl_error *error)
{
    if (facts->context != plan->device->context)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "%s belongs to another context", name);
    if (facts->type != CL_MEM_OBJECT_BUFFER)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "%s is no buffer, but an image or a pipe",
                         name);
    if ((facts->flags & forbidden) != 0)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "%s was made %s for kernels", name,
                         (facts->flags & forbidden & CL_MEM_READ_ONLY) != 0 ? "read-only"
                                                                            : "write-only");
    return CLKL_OK;
}

/* A buffer must be there, be usable, and hold `count` elements of `size` bytes from its offset on.
 */
static clkl_status check_buffer(const clkl_plan *plan, const clkl_buffer *buffer, const char *name,
                                cl_mem_flags forbidden, uint64_t count, uint64_t size,
                                struct clkl_claim *claim, clkl_error *error)
{
    struct buffer_facts facts;
    if (buffer->mem == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "%s.mem is NULL", name);
    const cl_int code = buffer_info(buffer->mem, &facts, claim);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clGetMemObjectInfo", code);
    const clkl_status status = check_facts(plan, &facts, name, forbidden, error);
    if (status != CLKL_OK)
        return status;
    uint64_t end = 0;
    if (!clkl_checked_add(buffer->offset, count, &end) || !clkl_checked_mul(end, size, &end) ||
        end > facts.bytes)
        return clkl_fail(error, CLKL_BUFFER_TOO_SMALL,
                         "%s has %zu bytes; expected %llu elements of %u bytes from element %zu on",
                         name, facts.bytes, (unsigned long long)count, (unsigned)size,
                         buffer->offset);
    claim->name = name;
    claim->end = claim->begin + end;
    claim->begin += buffer->offset * size;
    return CLKL_OK;
}

/* ---- Inputs ---- */

/* Takes one array. Only one without gaps is claimed: an output may lie in the gaps of a slice. */
static clkl_status take_input(const clkl_plan *plan, struct clkl_call *call,
                              const clkl_buffer *buffer, const char *name, uint64_t extent,
                              bool gapless, clkl_error *error)
{
    struct clkl_claim claim;
    const clkl_status status = check_buffer(plan, buffer, name, CL_MEM_WRITE_ONLY, extent,
                                            sizeof(cl_float), &claim, error);
    if (status == CLKL_OK && gapless)
        call->inputs[call->n_inputs++] = claim;
    return status;
}

static void set_input(struct clkl_call *call, int operand, const clkl_buffer *buffer,
                      const struct clkl_operand *where)
{
    call->buffers.inputs[operand] = buffer->mem;
    call->launch.origins[operand] = buffer->offset + (uint64_t)where->origin;
    call->launch.extents[operand] =
        clkl_problem_extent(&call->problem, where) - (uint64_t)where->origin;
}

struct side_arguments {
    const struct clkl_side *side;
    const clkl_buffer *mean, *scale;
    const char *mean_name, *scale_name;
};

static clkl_status take_side(const clkl_plan *plan, struct clkl_call *call, int first,
                             const struct side_arguments *arguments, clkl_error *error)
{
    const struct clkl_side *side = arguments->side;
    const struct clkl_problem *problem = &call->problem;
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return CLKL_OK;
    const uint64_t mean_extent = clkl_problem_extent(problem, &side->mean);
    const uint64_t scale_extent = clkl_problem_extent(problem, &side->scale);
    set_input(call, first, arguments->mean, &side->mean);
    set_input(call, first + 1, side->packed ? arguments->mean : arguments->scale, &side->scale);
    if (side->packed)
        return take_input(
            plan, call, arguments->mean, arguments->mean_name,
            mean_extent > scale_extent ? mean_extent : scale_extent,
            clkl_problem_is_gapless(problem, &side->mean,
                                    (uint64_t)(side->scale.origin - side->mean.origin)),
            error);
    const clkl_status status =
        take_input(plan, call, arguments->mean, arguments->mean_name, mean_extent,
                   clkl_problem_is_gapless(problem, &side->mean, 0), error);
    return status != CLKL_OK
               ? status
               : take_input(plan, call, arguments->scale, arguments->scale_name, scale_extent,
                            clkl_problem_is_gapless(problem, &side->scale, 0), error);
}

static clkl_status take_inputs(const clkl_plan *plan, struct clkl_call *call, const clkl_args *args,
                               clkl_error *error)
{
    const struct side_arguments p = {&call->problem.p, &args->p_mean, &args->p_scale, "p_mean",
                                     "p_scale"};
    const struct side_arguments q = {&call->problem.q, &args->q_mean, &args->q_scale, "q_mean",
                                     "q_scale"};
    const clkl_status status = take_side(plan, call, CLKL_P_MEAN, &p, error);
    return status != CLKL_OK ? status : take_side(plan, call, CLKL_Q_MEAN, &q, error);
}

/* ---- Outputs and scratch ---- */

/* `count` elements that the call writes. */
static clkl_status take_output(const clkl_plan *plan, struct clkl_call *call,
                               const clkl_buffer *buffer, const char *name, uint64_t count,
                               uint64_t size, clkl_error *error)
{
    return check_buffer(plan, buffer, name, CL_MEM_READ_ONLY, count, size,
                        &call->outputs[call->n_outputs++], error);
}

static clkl_status take_outputs(const clkl_plan *plan, struct clkl_call *call,
                                const clkl_args *args, clkl_error *error)
{
    const uint64_t values = call->values;
    clkl_status status =
        take_output(plan, call, &args->result, "result", values, sizeof(cl_float), error);
    if (status == CLKL_OK && args->value_status.mem != NULL)
        status = take_output(plan, call, &args->value_status, "value_status", values,
                             sizeof(cl_uint), error);
    if (status == CLKL_OK && args->clamp_counts.mem != NULL) {
        if (!call->problem.clamp_counts)
            return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                             "clamp_counts is given, but the specification does not ask for them");
        status = take_output(plan, call, &args->clamp_counts, "clamp_counts", values,
                             sizeof(cl_uint2), error);
    }
    call->buffers.result = args->result.mem;
    call->buffers.value_status = args->value_status.mem;
    call->buffers.clamp_counts = args->clamp_counts.mem;
    call->launch.result_origin = args->result.offset;
    call->launch.status_origin = args->value_status.offset;
    call->launch.counts_origin = args->clamp_counts.offset;
    return status;
}

static clkl_status take_scratch(const clkl_plan *plan, struct clkl_call *call,
                                const clkl_buffer *scratch, clkl_error *error)
{
    if (call->geometry.scratch == 0 || scratch->mem == NULL)
        return CLKL_OK;
    if (scratch->offset % 16 != 0)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "scratch.offset is %zu; expected a multiple of 16", scratch->offset);
    call->buffers.scratch = scratch->mem;
    call->launch.scratch_origin = scratch->offset;
    return check_buffer(plan, scratch, "scratch", CL_MEM_READ_ONLY | CL_MEM_WRITE_ONLY,
                        call->geometry.scratch, 1, &call->outputs[call->n_outputs++], error);
}

static clkl_status make_scratch(const clkl_plan *plan, struct clkl_call *call, clkl_error *error)
{
    if (call->geometry.scratch == 0 || call->buffers.scratch != NULL)
        return CLKL_OK;
    cl_int code = CL_SUCCESS;
    call->buffers.scratch = clCreateBuffer(plan->device->context, CL_MEM_READ_WRITE,
                                           (size_t)call->geometry.scratch, NULL, &code);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clCreateBuffer", code);
    call->own_scratch = true;
    return CLKL_OK;
}

/* ---- Overlap ---- */

static clkl_status check_apart(const struct clkl_claim *output, const struct clkl_claim *other,
                               clkl_error *error)
{
    if (output->root != other->root || output->end <= other->begin || other->end <= output->begin)
        return CLKL_OK;
    return clkl_fail(error, CLKL_INVALID_ARGUMENT, "%s and %s overlap", output->name, other->name);
}

/* No output may overlap another, nor an input. */
static clkl_status check_overlap(const struct clkl_call *call, clkl_error *error)
{
    clkl_status status = CLKL_OK;
    for (size_t i = 0; i < call->n_outputs; ++i) {
        for (size_t j = 0; j < i && status == CLKL_OK; ++j)
            status = check_apart(&call->outputs[i], &call->outputs[j], error);
        for (size_t j = 0; j < call->n_inputs && status == CLKL_OK; ++j)
            status = check_apart(&call->outputs[i], &call->inputs[j], error);
    }
    return status;
}

/* ---- Alignment ---- */

/* Whether the buffer's first byte lies at a multiple of `bytes`: OpenCL aligns what it allocates,
 * but not the caller's own memory, and a sub-buffer begins where it was told to. */
static bool buffer_is_aligned(cl_mem mem, size_t bytes)
{
    cl_mem_flags flags = 0;
    size_t origin = 0;
    void *host = NULL;
    return clGetMemObjectInfo(mem, CL_MEM_FLAGS, sizeof flags, &flags, NULL) == CL_SUCCESS &&
           clGetMemObjectInfo(mem, CL_MEM_OFFSET, sizeof origin, &origin, NULL) == CL_SUCCESS &&
           clGetMemObjectInfo(mem, CL_MEM_HOST_PTR, sizeof host, &host, NULL) == CL_SUCCESS &&
           origin % bytes == 0 &&
           ((flags & CL_MEM_USE_HOST_PTR) == 0 || (uintptr_t)host % bytes == 0);
}

static bool is_aligned(const clkl_plan *plan, const struct clkl_call *call)
{
    const uint32_t width = plan->variant.vector_width;
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand) {
        const bool p = operand == CLKL_P_MEAN || operand == CLKL_P_SCALE;
        const enum clkl_reach reach = p ? plan->variant.p_reach : plan->variant.q_reach;
        const cl_mem mem = call->buffers.inputs[operand];
        if (mem == NULL || reach != CLKL_CONTIGUOUS)
            continue;
        if (call->launch.origins[operand] % width != 0 ||
            !buffer_is_aligned(mem, width * sizeof(cl_float)))
            return false;
    }
    return true;
}

/* ---- The whole ---- */

static clkl_status take_args(const clkl_args *given, clkl_args *taken, clkl_error *error)
{
    static const struct clkl_struct_kind kind = {"args", "clkl_args", sizeof *taken,
                                                 CLKL_SIZE_UP_TO(clkl_args, batch)};
    return clkl_take_struct(&kind, given, taken, error);
}

/* Geometry and launch, for the call's batch. */
static clkl_status lay_out(const clkl_plan *plan, struct clkl_call *call, clkl_error *error)
{
    call->rows = plan->rows;
    clkl_rows_set_batch(&call->rows, &plan->problem, call->problem.shape[0]);
    const clkl_status status = clkl_geometry_make(&call->rows, &plan->variant, &plan->device->facts,
                                                  &plan->tuning, &call->geometry, error);
    if (status == CLKL_OK)
        clkl_launch_fill(plan, &call->rows, &call->geometry, clkl_problem_divisor(&call->problem),
                         &call->launch);
    return status;
}

clkl_status clkl_call_prepare(const clkl_plan *plan, const clkl_args *given, struct clkl_call *call,
                              clkl_error *error)
{
    clkl_args args;
    memset(call, 0, sizeof *call);
    call->problem = plan->problem;
    clkl_status status = take_args(given, &args, error);
    if (status == CLKL_OK)
        status = clkl_problem_set_batch(&call->problem, args.batch, error);
    if (status != CLKL_OK)
        return status;
    call->values = clkl_problem_result_count(&call->problem);
    const bool kernels = clkl_plan_has_kernels(plan);
    if (kernels)
        status = lay_out(plan, call, error);
    if (kernels && status == CLKL_OK)
        status = take_inputs(plan, call, &args, error);
    if (status == CLKL_OK)
        status = take_outputs(plan, call, &args, error);
    if (status == CLKL_OK)
        status = take_scratch(plan, call, &args.scratch, error);
    if (status == CLKL_OK)
        status = check_overlap(call, error);
    if (status == CLKL_OK)
        status = make_scratch(plan, call, error);
    call->aligned = status == CLKL_OK && plan->has_aligned && is_aligned(plan, call);
    return status;
}
