#include "opencl/device.h"

#include "core/failure.h"
#include "opencl/program.h"
#include "opencl/sources.h"

#include <stdlib.h>

/* The device that this is a part of; NULL for a root device. */
static cl_device_id parent_of(cl_device_id id)
{
    cl_device_id parent = NULL;
    return clGetDeviceInfo(id, CL_DEVICE_PARENT_DEVICE, sizeof parent, &parent, NULL) == CL_SUCCESS
               ? parent
               : NULL;
}

size_t clkl_device_place(cl_device_id id, const cl_device_id *list, size_t count)
{
    for (; id != NULL; id = parent_of(id))
        for (size_t i = 0; i < count; ++i)
            if (list[i] == id)
                return i;
    return count;
}

/* CL_INVALID_DEVICE unless the context contains the device. */
static cl_int check_membership(cl_context context, cl_device_id id)
{
    cl_device_id members[64];
    size_t size = 0;
    cl_int code = clGetContextInfo(context, CL_CONTEXT_DEVICES, 0, NULL, &size);
    if (code != CL_SUCCESS)
        return code;
    if (size > sizeof members)
        return CL_SUCCESS; /* more than can be checked here; building will tell */
    code = clGetContextInfo(context, CL_CONTEXT_DEVICES, size, members, NULL);
    if (code != CL_SUCCESS)
        return code;
    const size_t count = size / sizeof members[0];
    return clkl_device_place(id, members, count) < count ? CL_SUCCESS : CL_INVALID_DEVICE;
}

/* Holds both: a sub-device lives no longer than its references, for a root device they count
 * nothing. */
static clkl_status retain(cl_context context, cl_device_id id, clkl_error *error)
{
    cl_int code = clRetainContext(context);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clRetainContext", code);
    code = clRetainDevice(id);
    if (code == CL_SUCCESS)
        return CLKL_OK;
    clReleaseContext(context);
    return clkl_fail_opencl(error, "clRetainDevice", code);
}

clkl_status clkl_device_create(cl_context context, cl_device_id id, clkl_device **device,
                               clkl_error *error)
{
    if (device == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "device is NULL");
    *device = NULL;
    if (context == NULL || id == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "context or id is NULL");
    cl_int code = check_membership(context, id);
    if (code == CL_INVALID_DEVICE)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "the context does not contain the device");
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clGetContextInfo", code);

    clkl_device *made = calloc(1, sizeof *made);
    if (made == NULL)
        return clkl_fail(error, CLKL_OUT_OF_HOST_MEMORY, "no memory for a device");
    clkl_status status = clkl_facts_read(id, &made->facts, error);
    if (status == CLKL_OK)
        status = retain(context, id, error);
    if (status != CLKL_OK) {
        free(made);
        return status;
    }
    atomic_init(&made->references, 1);
    made->context = context;
    made->id = id;
    pthread_mutex_init(&made->lock, NULL);
    *device = made;
    return CLKL_OK;
}

void clkl_device_retain(clkl_device *device)
{
    atomic_fetch_add(&device->references, 1);
}

void clkl_device_release(clkl_device *device)
{
    if (device == NULL || atomic_fetch_sub(&device->references, 1) != 1)
        return;
    clkl_program_release_all(device->programs);
    pthread_mutex_destroy(&device->lock);
    clReleaseDevice(device->id);
    clReleaseContext(device->context);
    free(device);
}

clkl_status clkl_device_program_of(clkl_device *device, int kind, const char *options,
                                   cl_program *program, clkl_error *error)
{
    pthread_mutex_lock(&device->lock);
    const clkl_status status = clkl_program_find_or_build(
        &device->programs, device->context, device->id, kind, options, program, error);
    pthread_mutex_unlock(&device->lock);
    return status;
}

clkl_status clkl_device_program(clkl_device *device, const struct clkl_variant *variant,
                                cl_program *program, clkl_error *error)
{
    char options[CLKL_OPTIONS_SIZE];
    clkl_variant_options(variant, options);
    return clkl_device_program_of(device, CLKL_PROGRAM_DIAGONAL, options, program, error);
}
