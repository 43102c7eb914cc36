#include "verdict.h"

#include <string.h>

void verdict_begin(struct verdict *verdict, unsigned nth)
{
    *verdict = (struct verdict){.error = {.struct_size = sizeof verdict->error}};
    faults_reset();
    faults_fail(CALL_COUNT, nth, 0);
}

/* Questions that may go unanswered: whether it is PoCL, which is for speed alone, and how buffers
 * are aligned, without which they are read as if they were not. */
static bool is_dispensable(const struct faults_failure *failure)
{
    switch (failure->call) {
    case CALL_clGetPlatformInfo:
        return failure->what == CL_PLATFORM_NAME;
    case CALL_clGetDeviceInfo:
        return failure->what == CL_DEVICE_PLATFORM;
    case CALL_clGetMemObjectInfo:
        return failure->what == CL_MEM_FLAGS || failure->what == CL_MEM_OFFSET ||
               failure->what == CL_MEM_HOST_PTR;
    default:
        return false;
    }
}

bool verdict_expect_reported(struct verdict *verdict, unsigned nth, const char *what)
{
    verdict->failure = faults_failure();
    const struct faults_failure *failure = &verdict->failure;
    const char *name = faults_call_name(failure->call);
    cr_assert_eq(failure->count, 1u, "%s, call %u: %u failures", what, nth, failure->count);
    if (verdict->status == CLKL_OK && is_dispensable(failure))
        return false;
    cr_expect(verdict->status != CLKL_OK, "%s, call %u, %s: no failure", what, nth, name);
    cr_expect_eq(verdict->error.status, verdict->status, "%s, call %u, %s", what, nth, name);
    cr_expect(strcmp(verdict->error.call, name) == 0 && verdict->error.opencl_code == failure->code,
              "%s, call %u: %s returned %d, but the error is %s, %d", what, nth, name,
              failure->code, verdict->error.call, (int)verdict->error.opencl_code);
    cr_expect(strstr(verdict->error.message, name) != NULL, "%s, call %u: \"%s\"", what, nth,
              verdict->error.message);
    return true;
}

bool verdict_is_over(const struct verdict *verdict, unsigned nth, unsigned least, const char *what)
{
    if (faults_failure().count > 0)
        return false;
    cr_assert(verdict->status == CLKL_OK, "%s fails by itself: %s", what, verdict->error.message);
    cr_expect_gt(nth, least, "%s: only %u calls", what, nth - 1);
    return true;
}
