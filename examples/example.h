/* What the examples in C have in common, so that they can show clkl alone: a device, a queue,
 * buffers and kernels, and the end of the program where a call fails. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#define CL_TARGET_OPENCL_VERSION 120
#include <clkl/clkl_opencl.h>

#include <stdio.h>
#include <stdlib.h>

/* Ends the program unless `status`, of the call that filled `error`, is CLKL_OK. */
static inline void must(clkl_status status, const clkl_error *error)
{
    if (status == CLKL_OK)
        return;
    fprintf(stderr, "clkl: %s: %s\n%s", clkl_status_string(status), error->message,
            error->build_log);
    exit(1);
}

/* The same for OpenCL's own calls. */
static inline void must_cl(cl_int code, const char *call)
{
    if (code == CL_SUCCESS)
        return;
    fprintf(stderr, "%s returned %d\n", call, (int)code);
    exit(1);
}

static inline cl_device_id first_device(void)
{
    cl_platform_id platforms[16];
    cl_uint count = 0;
    cl_device_id id = NULL;
    must_cl(clGetPlatformIDs(16, platforms, &count), "clGetPlatformIDs");
    for (cl_uint i = 0; i < count && i < 16 && id == NULL; ++i)
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 1, &id, NULL) != CL_SUCCESS)
            id = NULL; /* a platform without devices */
    must_cl(id != NULL ? CL_SUCCESS : CL_DEVICE_NOT_FOUND, "clGetDeviceIDs");
    return id;
}

static inline cl_context make_context(cl_device_id id)
{
    cl_int code;
    cl_context context = clCreateContext(NULL, 1, &id, NULL, NULL, &code);
    must_cl(code, "clCreateContext");
    return context;
}

/* An out-of-order queue, or one in order where the device has no other. */
static inline cl_command_queue make_queue(cl_context context, cl_device_id id)
{
    cl_command_queue_properties can;
    cl_int code = clGetDeviceInfo(id, CL_DEVICE_QUEUE_PROPERTIES, sizeof can, &can, NULL);
    must_cl(code, "clGetDeviceInfo");
    cl_command_queue queue =
        clCreateCommandQueue(context, id, can & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
    must_cl(code, "clCreateCommandQueue");
    return queue;
}

/* A buffer that begins as a copy of `data`, unless that is NULL. */
static inline cl_mem make_buffer(cl_context context, size_t bytes, void *data)
{
    const cl_mem_flags flags = data != NULL ? CL_MEM_COPY_HOST_PTR : 0;
    const size_t size = bytes > 0 ? bytes : 1; /* OpenCL has no empty buffers */
    cl_int code;
    cl_mem mem = clCreateBuffer(context, flags, size, data, &code);
    must_cl(code, "clCreateBuffer");
    return mem;
}

static inline cl_program make_program(cl_context context, const char *source)
{
    cl_int code;
    cl_program program = clCreateProgramWithSource(context, 1, &source, NULL, &code);
    must_cl(code, "clCreateProgramWithSource");
    must_cl(clBuildProgram(program, 0, NULL, NULL, NULL, NULL), "clBuildProgram");
    return program;
}

static inline cl_kernel make_kernel(cl_program program, const char *name)
{
    cl_int code;
    cl_kernel kernel = clCreateKernel(program, name, &code);
    must_cl(code, "clCreateKernel");
    return kernel;
}

static inline void set_arg(cl_kernel kernel, cl_uint index, size_t size, const void *value)
{
    must_cl(clSetKernelArg(kernel, index, size, value), "clSetKernelArg");
}

/* Enqueues `size` work-items, and returns the event of their completion. */
static inline cl_event enqueue_kernel(cl_command_queue queue, cl_kernel kernel, size_t size,
                                      cl_uint n_wait, const cl_event *wait_list)
{
    cl_event done;
    must_cl(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &size, NULL, n_wait, wait_list, &done),
            "clEnqueueNDRangeKernel");
    return done;
}

#endif
