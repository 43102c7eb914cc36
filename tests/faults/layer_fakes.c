/* The layer's lies about the device. */
#include "layer_inside.h"

#include <stdatomic.h>
#include <string.h>

static struct faults_fake fake;
static atomic_size_t largest;

void faults_fake(const struct faults_fake *wanted)
{
    fake = wanted != NULL ? *wanted : (struct faults_fake){0};
    largest = 0;
}

size_t faults_largest_work_group(void)
{
    return largest;
}

/* ---- Answers ---- */

static void lower(size_t *value, size_t limit)
{
    if (limit != 0 && *value > limit)
        *value = limit;
}

static void blank(char *text, const char *word)
{
    char *found = strstr(text, word);
    if (found != NULL)
        memset(found, ' ', strlen(word));
}

static void deny_fp64(cl_device_info what, size_t size, void *value)
{
    switch (what) {
    case CL_DEVICE_DOUBLE_FP_CONFIG:
    case CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE:
    case CL_DEVICE_PREFERRED_VECTOR_WIDTH_DOUBLE:
        memset(value, 0, size);
        break;
    case CL_DEVICE_EXTENSIONS:
        blank(value, "cl_khr_fp64");
        break;
    default:
        break;
    }
}

void faults_fake_device_info(cl_device_info what, size_t size, void *value)
{
    if (fake.no_fp64)
        deny_fp64(what, size, value);
    switch (what) {
    case CL_DEVICE_TYPE:
        if (fake.type != 0)
            *(cl_device_type *)value = fake.type;
        break;
    case CL_DEVICE_MAX_WORK_GROUP_SIZE:
        lower(value, fake.device_work_group);
        break;
    case CL_DEVICE_MAX_WORK_ITEM_SIZES:
        for (size_t i = 0; i < size / sizeof(size_t); ++i)
            lower((size_t *)value + i, fake.device_work_group);
        break;
    case CL_DEVICE_LOCAL_MEM_SIZE:
        if (fake.local_memory != 0)
            *(cl_ulong *)value = fake.local_memory;
        break;
    case CL_DEVICE_COMPILER_AVAILABLE:
    case CL_DEVICE_LINKER_AVAILABLE:
        if (fake.no_compiler)
            *(cl_bool *)value = CL_FALSE;
        break;
    default:
        break;
    }
}

void faults_fake_kernel_info(cl_kernel_work_group_info what, void *value)
{
    if (what != CL_KERNEL_WORK_GROUP_SIZE)
        return;
    lower(value, fake.device_work_group);
    lower(value, fake.kernel_work_group);
}

/* ---- Being held to them ---- */

const char *faults_fake_prefix(void)
{
    return fake.no_fp64 ? "#undef cl_khr_fp64\n#define double there_is_no_double_here\n" : NULL;
}

cl_int faults_fake_build(void)
{
    return fake.no_compiler ? CL_COMPILER_NOT_AVAILABLE : CL_SUCCESS;
}

cl_int faults_fake_built(size_t work_group)
{
    const bool too_large = fake.device_work_group != 0 && work_group > fake.device_work_group;
    return too_large ? CL_BUILD_PROGRAM_FAILURE : CL_SUCCESS;
}

cl_int faults_fake_launch(size_t work_group, cl_ulong local_memory)
{
    size_t limit = work_group;
    lower(&limit, fake.device_work_group);
    lower(&limit, fake.kernel_work_group);
    if (limit < work_group)
        return CL_INVALID_WORK_GROUP_SIZE;
    if (fake.local_memory != 0 && local_memory > fake.local_memory)
        return CL_OUT_OF_RESOURCES;
    if (work_group > largest)
        largest = work_group;
    return CL_SUCCESS;
}
