#include "opencl/buffers.h"

#include "core/checked.h"
#include "core/failure.h"

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

clkl_status clkl_buffer_check(const clkl_plan *plan, const clkl_buffer *buffer, const char *name,
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

clkl_status clkl_claims_apart(const struct clkl_claim *output, const struct clkl_claim *other,
                              clkl_error *error)
{
    if (output->root != other->root || output->end <= other->begin || other->end <= output->begin)
        return CLKL_OK;
    return clkl_fail(error, CLKL_INVALID_ARGUMENT, "%s and %s overlap", output->name, other->name);
}

bool clkl_buffer_is_aligned(cl_mem mem, size_t bytes)
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
