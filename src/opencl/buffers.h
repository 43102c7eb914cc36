/* What a call must know of its buffers. */
#ifndef CLKL_OPENCL_BUFFERS_H
#define CLKL_OPENCL_BUFFERS_H

#include "opencl/plan.h"

/* Bytes of a buffer that a call uses, named for messages. */
struct clkl_claim {
    const char *name;
    cl_mem root; /* the buffer itself, or the one that it is a part of */
    uint64_t begin;
    uint64_t end;
};

/* A buffer must be there, be usable (without the flags that are `forbidden`), and hold `count`
 * elements of `size` bytes from its offset on. Fills in *claim. */
clkl_status clkl_buffer_check(const clkl_plan *plan, const clkl_buffer *buffer, const char *name,
                              cl_mem_flags forbidden, uint64_t count, uint64_t size,
                              struct clkl_claim *claim, clkl_error *error);

/* CLKL_INVALID_ARGUMENT where two claims overlap. */
clkl_status clkl_claims_apart(const struct clkl_claim *a, const struct clkl_claim *b,
                              clkl_error *error);

/* Whether the buffer's first byte lies at a multiple of `bytes`: OpenCL aligns what it allocates,
 * but not the caller's own memory, and a sub-buffer begins where it was told to. */
bool clkl_buffer_is_aligned(cl_mem mem, size_t bytes);

#endif
