/* The public calls about specifications, and the small ones beside them. */
#include "core/failure.h"
#include "core/problem.h"

uint32_t clkl_version(void)
{
    return CLKL_VERSION_MAJOR * 10000 + CLKL_VERSION_MINOR * 100 + CLKL_VERSION_PATCH;
}

const char *clkl_status_string(clkl_status status)
{
    switch (status) {
    case CLKL_OK:
        return "success";
    case CLKL_INVALID_ARGUMENT:
        return "invalid argument";
    case CLKL_INVALID_SPEC:
        return "invalid specification";
    case CLKL_UNSUPPORTED:
        return "not supported here";
    case CLKL_OUT_OF_HOST_MEMORY:
        return "out of host memory";
    case CLKL_OUT_OF_DEVICE_MEMORY:
        return "out of device memory";
    case CLKL_BUFFER_TOO_SMALL:
        return "buffer too small";
    case CLKL_NO_DEVICE:
        return "no usable OpenCL device";
    case CLKL_BUILD_FAILED:
        return "a kernel could not be built";
    case CLKL_OPENCL_ERROR:
        return "an OpenCL call failed";
    case CLKL_INTERNAL_ERROR:
        return "internal error";
    case CLKL_BLOB_REFUSED:
        return "blob refused";
    }
    return "unknown status";
}

clkl_status clkl_spec_check(const clkl_spec *spec, clkl_error *error)
{
    struct clkl_problem problem;
    return clkl_problem_make(spec, &problem, error);
}

uint64_t clkl_spec_result_count(const clkl_spec *spec, uint64_t batch)
{
    struct clkl_problem problem;
    if (clkl_problem_make(spec, &problem, NULL) != CLKL_OK ||
        clkl_problem_set_batch(&problem, batch, NULL) != CLKL_OK)
        return 0;
    return clkl_problem_result_count(&problem);
}
