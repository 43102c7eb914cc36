/* Every function and struct of the clkl_opencl.h of release 0.1. */
#include "caller.h"

#include <stdio.h>
#include <stdlib.h>

/* Elements before the first one that is used, in every buffer. */
enum { OFFSET = 16 };

static cl_device_id find_device(void)
{
    cl_platform_id platforms[16];
    cl_uint count = 0;
    cl_device_id id;
    if (clGetPlatformIDs(16, platforms, &count) != CL_SUCCESS)
        return NULL;
    for (cl_uint i = 0; i < count && i < 16; ++i)
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 1, &id, NULL) == CL_SUCCESS)
            return id;
    return NULL;
}

/* A buffer of `count` elements after the offset, filled from `data` unless that is NULL. */
static clkl_buffer make_buffer(cl_command_queue queue, size_t count, size_t size, const void *data)
{
    cl_context context;
    cl_int code;
    clkl_buffer buffer = {NULL, OFFSET};
    TRY(clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof context, &context, NULL));
    buffer.mem = clCreateBuffer(context, CL_MEM_READ_WRITE, (OFFSET + count) * size, NULL, &code);
    TRY(code);
    if (data != NULL)
        TRY(clEnqueueWriteBuffer(queue, buffer.mem, CL_TRUE, OFFSET * size, count * size, data, 0,
                                 NULL, NULL));
    return buffer;
}

static void read_buffer(cl_command_queue queue, const clkl_buffer *buffer, size_t count,
                        size_t size, void *data, cl_event after)
{
    TRY(clEnqueueReadBuffer(queue, buffer->mem, CL_TRUE, OFFSET * size, count * size, data, 1,
                            &after, NULL));
}

static void check_outputs(const struct computation *made, cl_command_queue queue,
                          const clkl_args *args, cl_event event)
{
    float values[MAX_VALUES];
    uint32_t status[MAX_VALUES];
    clkl_clamp_count counts[MAX_VALUES];
    read_buffer(queue, &args->result, made->values, sizeof values[0], values, event);
    read_buffer(queue, &args->value_status, made->values, sizeof status[0], status, event);
    if (args->clamp_counts.mem != NULL)
        read_buffer(queue, &args->clamp_counts, made->values, sizeof counts[0], counts, event);
    check_floats(made, values, status, counts);
}

static void run(const struct computation *made, clkl_plan *plan, cl_command_queue queue)
{
    clkl_args args;
    cl_event first, last;
    const size_t scratch = clkl_plan_scratch_size(plan);
    memset(&args, 0, sizeof args);
    args.struct_size = sizeof args;
    args.p_mean = make_buffer(queue, MAX_FLOATS, sizeof(float), made->p_mean);
    args.p_scale = make_buffer(queue, MAX_FLOATS, sizeof(float), made->p_scale);
    args.q_mean = make_buffer(queue, MAX_FLOATS, sizeof(float), made->q_mean);
    args.q_scale = make_buffer(queue, MAX_FLOATS, sizeof(float), made->q_scale);
    args.result = make_buffer(queue, made->values, sizeof(float), NULL);
    args.value_status = make_buffer(queue, made->values, sizeof(uint32_t), NULL);
    if ((made->spec.outputs & CLKL_OUTPUT_CLAMP_COUNTS) != 0)
        args.clamp_counts = make_buffer(queue, made->values, sizeof(clkl_clamp_count), NULL);
    args.scratch = make_buffer(queue, scratch, 1, NULL);
    args.batch = made->batch;

    TRY(clEnqueueMarkerWithWaitList(queue, 0, NULL, &first));
    TRY(clkl_enqueue(plan, queue, &args, 1, &first, &last, NULL));
    check_outputs(made, queue, &args, last);

    clReleaseEvent(first);
    clReleaseEvent(last);
    const clkl_buffer buffers[] = {args.p_mean, args.p_scale,      args.q_mean,       args.q_scale,
                                   args.result, args.value_status, args.clamp_counts, args.scratch};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; ++i)
        if (buffers[i].mem != NULL)
            clReleaseMemObject(buffers[i].mem);
}

/* The same once more on a device that takes its programs from the first one's blob. */
static void run_from_blob(const struct computation *made, clkl_device *device, cl_context context,
                          cl_device_id id, cl_command_queue queue)
{
    size_t size = 0;
    clkl_device *second;
    clkl_plan *plan;
    TRY(clkl_device_export_programs(device, 0, NULL, &size, NULL));
    void *blob = malloc(size);
    check(size > 0 && blob != NULL, "memory for a blob");
    TRY(clkl_device_export_programs(device, size, blob, &size, NULL));
    TRY(clkl_device_create(context, id, &second, NULL));
    TRY(clkl_device_import_programs(second, blob, size, NULL));
    free(blob);
    TRY(clkl_plan_create(second, &made->spec, CLKL_PLAN_NO_WARM_UP, &plan, NULL));
    clkl_device_release(second);
    run(made, plan, queue);
    clkl_plan_release(plan);
}

void call_device(const struct computation *made)
{
    cl_int code;
    clkl_device *device;
    clkl_plan *plan;
    cl_device_id id = find_device();
    if (id == NULL) {
        printf("no OpenCL device: host memory alone\n");
        return;
    }
    cl_context context = clCreateContext(NULL, 1, &id, NULL, NULL, &code);
    TRY(code);
    cl_command_queue queue = clCreateCommandQueue(context, id, 0, &code);
    TRY(code);
    TRY(clkl_device_create(context, id, &device, NULL));
    TRY(clkl_plan_create(device, &made->spec, 0, &plan, NULL));
    run(made, plan, queue);
    run_from_blob(made, device, context, id, queue);
    clkl_plan_release(plan);
    clkl_device_release(device);
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
}
