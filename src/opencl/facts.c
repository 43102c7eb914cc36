#include "opencl/facts.h"

#include "core/failure.h"

#include <string.h>

void clkl_device_string(cl_device_id id, cl_device_info what, char *text, size_t size)
{
    char whole[1024] = "";
    size_t length = 0;
    text[0] = '\0';
    if (clGetDeviceInfo(id, what, 0, NULL, &length) != CL_SUCCESS || length > sizeof whole ||
        clGetDeviceInfo(id, what, sizeof whole, whole, NULL) != CL_SUCCESS)
        return;
    whole[sizeof whole - 1] = '\0';
    length = strlen(whole);
    if (length >= size)
        length = size - 1;
    memcpy(text, whole, length);
    text[length] = '\0';
}

static bool is_pocl(cl_device_id id)
{
    cl_platform_id platform = NULL;
    char name[128] = "";
    return clGetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL) ==
               CL_SUCCESS &&
           clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name, name, NULL) == CL_SUCCESS &&
           strcmp(name, "Portable Computing Language") == 0;
}

/* Mesa's llvmpipe counts the iterations of all loops of a kernel, nested ones too, ends every loop
 * when there have been so many, and says nothing (seen with 22.3). */
enum { LLVMPIPE_LOOP_LIMIT = 65535 };

static bool is_llvmpipe(const char *name)
{
    return strncmp(name, "llvmpipe", strlen("llvmpipe")) == 0;
}

struct query {
    cl_device_info what;
    void *value;
    size_t size;
};

clkl_status clkl_facts_read(cl_device_id id, struct clkl_facts *facts, clkl_error *error)
{
    cl_device_type type = 0;
    cl_bool available = CL_FALSE, compiler = CL_FALSE, little_endian = CL_FALSE;
    cl_uint width = 0, units = 0;
    cl_ulong local_memory = 0, max_allocation = 0;
    cl_device_fp_config doubles = 0;
    char name[1024] = "";
    size_t work_group = 0;
    const struct query queries[] = {
        {CL_DEVICE_TYPE, &type, sizeof type},
        {CL_DEVICE_AVAILABLE, &available, sizeof available},
        {CL_DEVICE_COMPILER_AVAILABLE, &compiler, sizeof compiler},
        {CL_DEVICE_ENDIAN_LITTLE, &little_endian, sizeof little_endian},
        {CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, &width, sizeof width},
        {CL_DEVICE_MAX_COMPUTE_UNITS, &units, sizeof units},
        {CL_DEVICE_LOCAL_MEM_SIZE, &local_memory, sizeof local_memory},
        {CL_DEVICE_MAX_WORK_GROUP_SIZE, &work_group, sizeof work_group},
        {CL_DEVICE_NAME, name, sizeof name},
        {CL_DEVICE_MAX_MEM_ALLOC_SIZE, &max_allocation, sizeof max_allocation},
    };
    for (size_t i = 0; i < sizeof queries / sizeof queries[0]; ++i) {
        const cl_int code =
            clGetDeviceInfo(id, queries[i].what, queries[i].size, queries[i].value, NULL);
        if (code != CL_SUCCESS)
            return clkl_fail_opencl(error, "clGetDeviceInfo", code);
    }
    /* Older devices without double precision do not know the question. */
    const cl_int code =
        clGetDeviceInfo(id, CL_DEVICE_DOUBLE_FP_CONFIG, sizeof doubles, &doubles, NULL);
    if (code != CL_SUCCESS && code != CL_INVALID_VALUE)
        return clkl_fail_opencl(error, "clGetDeviceInfo", code);
    if (!available)
        return clkl_fail(error, CLKL_UNSUPPORTED, "the device says that it is not available");
    if (!compiler)
        return clkl_fail(error, CLKL_UNSUPPORTED, "the device has no compiler for OpenCL C");
    if (!little_endian)
        return clkl_fail(error, CLKL_UNSUPPORTED, "the device is big-endian");

    memset(facts, 0, sizeof *facts);
    if ((type & CL_DEVICE_TYPE_CPU) != 0)
        facts->style = width >= 4 ? CLKL_STYLE_WIDE_CPU : CLKL_STYLE_LANES;
    facts->prefetch_builtin = (type & CL_DEVICE_TYPE_CPU) != 0 && is_pocl(id);
    facts->fp64 = doubles != 0;
    facts->native_width = width;
    facts->compute_units = units == 0 ? 1 : units;
    facts->max_work_group = work_group;
    facts->local_memory = local_memory;
    facts->max_allocation = max_allocation;
    facts->loop_limit = is_llvmpipe(name) ? LLVMPIPE_LOOP_LIMIT : 0;
    return CLKL_OK;
}
