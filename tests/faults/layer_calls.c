/* The layer's table: every call notes itself, fails if it must, and else goes on to the next table.
 */
#include "layer_inside.h"

#include <stdio.h>
#include <stdlib.h>

static const struct _cl_icd_dispatch *next;

/* ---- Shapes of calls ---- */

/* Returns a code; the second asks for something. */
#define PLAIN(name, code, parameters, arguments)                     \
    static cl_int CL_API_CALL my_##name parameters                   \
    {                                                                \
        const cl_int failed = faults_enter(CALL_##name, 0, code);    \
        return failed != CL_SUCCESS ? failed : next->name arguments; \
    }
#define INFO(name, object, selector)                                                       \
    static cl_int CL_API_CALL my_##name(object o, selector what, size_t size, void *value, \
                                        size_t *needed)                                    \
    {                                                                                      \
        const cl_int failed = faults_enter(CALL_##name, what, CL_OUT_OF_RESOURCES);        \
        return failed != CL_SUCCESS ? failed : next->name(o, what, size, value, needed);   \
    }

/* Returns an object; the parameter `code` is where the code goes. */
#define MAKER(type, name, kind, usual, parameters, arguments)      \
    static type CL_API_CALL my_##name parameters                   \
    {                                                              \
        const cl_int failed = faults_enter(CALL_##name, 0, usual); \
        type made = NULL;                                          \
        if (failed == CL_SUCCESS)                                  \
            made = next->name arguments;                           \
        else if (code != NULL)                                     \
            *code = failed;                                        \
        if (made != NULL)                                          \
            faults_count_live(kind, 1);                            \
        return made;                                               \
    }

#define RETAINER(name, type, kind)                                           \
    static cl_int CL_API_CALL my_##name(type object)                         \
    {                                                                        \
        cl_int code = faults_enter(CALL_##name, 0, CL_OUT_OF_HOST_MEMORY);   \
        if (code == CL_SUCCESS && (code = next->name(object)) == CL_SUCCESS) \
            faults_count_live(kind, 1);                                      \
        return code;                                                         \
    }
#define RELEASER(name, type, kind)                   \
    static cl_int CL_API_CALL my_##name(type object) \
    {                                                \
        faults_note(CALL_##name);                    \
        const cl_int code = next->name(object);      \
        if (code == CL_SUCCESS)                      \
            faults_count_live(kind, -1);             \
        return code;                                 \
    }

/* Ends with a wait list and an event. */
#define WAITS cl_uint n_wait, const cl_event *wait_list, cl_event *event
#define COMMAND(name, parameters, arguments)                             \
    static cl_int CL_API_CALL my_##name parameters                       \
    {                                                                    \
        cl_int code = faults_enter(CALL_##name, 0, CL_OUT_OF_RESOURCES); \
        if (code == CL_SUCCESS)                                          \
            code = next->name arguments;                                 \
        if (code == CL_SUCCESS && event != NULL)                         \
            faults_count_live(LIVE_EVENTS, 1);                           \
        return code;                                                     \
    }

/* ---- Platforms, devices, contexts ---- */

PLAIN(clGetPlatformIDs, CL_OUT_OF_HOST_MEMORY,
      (cl_uint capacity, cl_platform_id *platforms, cl_uint *count), (capacity, platforms, count))
INFO(clGetPlatformInfo, cl_platform_id, cl_platform_info)
PLAIN(clGetDeviceIDs, CL_OUT_OF_RESOURCES,
      (cl_platform_id platform, cl_device_type type, cl_uint capacity, cl_device_id *devices,
       cl_uint *count),
      (platform, type, capacity, devices, count))
RETAINER(clRetainDevice, cl_device_id, LIVE_DEVICES)
RELEASER(clReleaseDevice, cl_device_id, LIVE_DEVICES)
MAKER(cl_context, clCreateContext, LIVE_CONTEXTS, CL_OUT_OF_HOST_MEMORY,
      (const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
       void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *user,
       cl_int *code),
      (properties, count, devices, notify, user, code))
RETAINER(clRetainContext, cl_context, LIVE_CONTEXTS)
RELEASER(clReleaseContext, cl_context, LIVE_CONTEXTS)
INFO(clGetContextInfo, cl_context, cl_context_info)

static cl_int CL_API_CALL my_clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t size,
                                             void *value, size_t *needed)
{
    cl_int code = faults_enter(CALL_clGetDeviceInfo, what, CL_OUT_OF_RESOURCES);
    size_t length = 0;
    if (code == CL_SUCCESS)
        code = next->clGetDeviceInfo(device, what, size, value, &length);
    if (code != CL_SUCCESS)
        return code;
    if (value != NULL)
        faults_fake_device_info(what, length, value);
    if (needed != NULL)
        *needed = length;
    return CL_SUCCESS;
}

static cl_int CL_API_CALL my_clCreateSubDevices(cl_device_id device,
                                                const cl_device_partition_property *properties,
                                                cl_uint capacity, cl_device_id *made,
                                                cl_uint *count)
{
    cl_uint found = 0;
    cl_int code = faults_enter(CALL_clCreateSubDevices, 0, CL_OUT_OF_RESOURCES);
    if (code == CL_SUCCESS)
        code = next->clCreateSubDevices(device, properties, capacity, made, &found);
    if (code == CL_SUCCESS && made != NULL)
        faults_count_live(LIVE_DEVICES, (int)found);
    if (code == CL_SUCCESS && count != NULL)
        *count = found;
    return code;
}

/* ---- Queues and buffers ---- */

MAKER(cl_command_queue, clCreateCommandQueue, LIVE_QUEUES, CL_OUT_OF_RESOURCES,
      (cl_context context, cl_device_id device, cl_command_queue_properties properties,
       cl_int *code),
      (context, device, properties, code))
RETAINER(clRetainCommandQueue, cl_command_queue, LIVE_QUEUES)
RELEASER(clReleaseCommandQueue, cl_command_queue, LIVE_QUEUES)
INFO(clGetCommandQueueInfo, cl_command_queue, cl_command_queue_info)
PLAIN(clFlush, CL_OUT_OF_RESOURCES, (cl_command_queue queue), (queue))
PLAIN(clFinish, CL_OUT_OF_RESOURCES, (cl_command_queue queue), (queue))

MAKER(cl_mem, clCreateSubBuffer, LIVE_BUFFERS, CL_MEM_OBJECT_ALLOCATION_FAILURE,
      (cl_mem mem, cl_mem_flags flags, cl_buffer_create_type type, const void *region,
       cl_int *code),
      (mem, flags, type, region, code))
RETAINER(clRetainMemObject, cl_mem, LIVE_BUFFERS)
RELEASER(clReleaseMemObject, cl_mem, LIVE_BUFFERS)
INFO(clGetMemObjectInfo, cl_mem, cl_mem_info)
PLAIN(clSetMemObjectDestructorCallback, CL_OUT_OF_RESOURCES,
      (cl_mem mem, void(CL_CALLBACK *notify)(cl_mem, void *), void *user), (mem, notify, user))

static cl_mem CL_API_CALL my_clCreateBuffer(cl_context context, cl_mem_flags flags, size_t size,
                                            void *host, cl_int *code)
{
    const cl_int failed = faults_enter(CALL_clCreateBuffer, 0, CL_MEM_OBJECT_ALLOCATION_FAILURE);
    cl_mem made = NULL;
    if (failed == CL_SUCCESS)
        made = next->clCreateBuffer(context, flags, size, host, code);
    else if (code != NULL)
        *code = failed;
    if (made == NULL)
        return NULL;
    faults_count_live(LIVE_BUFFERS, 1);
    if (faults_is_watching())
        next->clSetMemObjectDestructorCallback(made, faults_buffer_was_freed, NULL);
    return made;
}

/* ---- Programs and kernels ---- */

MAKER(cl_program, clCreateProgramWithBinary, LIVE_PROGRAMS, CL_INVALID_BINARY,
      (cl_context context, cl_uint count, const cl_device_id *devices, const size_t *lengths,
       const unsigned char **binaries, cl_int *statuses, cl_int *code),
      (context, count, devices, lengths, binaries, statuses, code))
RETAINER(clRetainProgram, cl_program, LIVE_PROGRAMS)
RELEASER(clReleaseProgram, cl_program, LIVE_PROGRAMS)
PLAIN(clCompileProgram, CL_COMPILE_PROGRAM_FAILURE,
      (cl_program program, cl_uint count, const cl_device_id *devices, const char *options,
       cl_uint headers, const cl_program *texts, const char **names,
       void(CL_CALLBACK *notify)(cl_program, void *), void *user),
      (program, count, devices, options, headers, texts, names, notify, user))
MAKER(cl_program, clLinkProgram, LIVE_PROGRAMS, CL_LINK_PROGRAM_FAILURE,
      (cl_context context, cl_uint count, const cl_device_id *devices, const char *options,
       cl_uint inputs, const cl_program *programs, void(CL_CALLBACK *notify)(cl_program, void *),
       void *user, cl_int *code),
      (context, count, devices, options, inputs, programs, notify, user, code))
INFO(clGetProgramInfo, cl_program, cl_program_info)
PLAIN(clGetProgramBuildInfo, CL_OUT_OF_RESOURCES,
      (cl_program program, cl_device_id device, cl_program_build_info what, size_t size,
       void *value, size_t *needed),
      (program, device, what, size, value, needed))
MAKER(cl_kernel, clCreateKernel, LIVE_KERNELS, CL_OUT_OF_RESOURCES,
      (cl_program program, const char *name, cl_int *code), (program, name, code))
RETAINER(clRetainKernel, cl_kernel, LIVE_KERNELS)
RELEASER(clReleaseKernel, cl_kernel, LIVE_KERNELS)
PLAIN(clSetKernelArg, CL_OUT_OF_RESOURCES,
      (cl_kernel kernel, cl_uint index, size_t size, const void *value),
      (kernel, index, size, value))
INFO(clGetKernelInfo, cl_kernel, cl_kernel_info)

static cl_program CL_API_CALL my_clCreateProgramWithSource(cl_context context, cl_uint count,
                                                           const char **texts,
                                                           const size_t *lengths, cl_int *code)
{
    enum { MOST = 64 };
    const char *all[MOST + 1] = {faults_fake_prefix()};
    size_t sizes[MOST + 1] = {0}; /* 0: up to the terminator */
    const cl_int failed = faults_enter(CALL_clCreateProgramWithSource, 0, CL_OUT_OF_HOST_MEMORY);
    const cl_uint before = all[0] != NULL ? 1 : 0;
    cl_program made = NULL;
    for (cl_uint i = 0; i < count && i < MOST; ++i) {
        all[before + i] = texts[i];
        sizes[before + i] = lengths != NULL ? lengths[i] : 0;
    }
    if (failed == CL_SUCCESS && count <= MOST)
        made = next->clCreateProgramWithSource(context, before + count, all, sizes, code);
    else if (code != NULL)
        *code = failed != CL_SUCCESS ? failed : CL_OUT_OF_HOST_MEMORY;
    if (made != NULL)
        faults_count_live(LIVE_PROGRAMS, 1);
    return made;
}

/* What the pretended device says to the kernels of a program: real ones refuse to build for larger
 * work-groups than they have. */
static cl_int check_built(cl_program program, cl_device_id device)
{
    cl_kernel kernels[16];
    cl_uint count = 0;
    cl_int code = next->clCreateKernelsInProgram(program, 16, kernels, &count);
    for (cl_uint i = 0; i < count && i < 16; ++i) {
        size_t sizes[3] = {0};
        next->clGetKernelWorkGroupInfo(kernels[i], device, CL_KERNEL_COMPILE_WORK_GROUP_SIZE,
                                       sizeof sizes, sizes, NULL);
        if (code == CL_SUCCESS)
            code = faults_fake_built(sizes[0] * sizes[1] * sizes[2]);
        next->clReleaseKernel(kernels[i]);
    }
    return code;
}

static cl_int CL_API_CALL my_clBuildProgram(cl_program program, cl_uint count,
                                            const cl_device_id *devices, const char *options,
                                            void(CL_CALLBACK *notify)(cl_program, void *),
                                            void *user)
{
    cl_int code = faults_enter(CALL_clBuildProgram, 0, CL_BUILD_PROGRAM_FAILURE);
    if (code == CL_SUCCESS)
        code = faults_fake_build();
    if (code == CL_SUCCESS)
        code = next->clBuildProgram(program, count, devices, options, notify, user);
    if (code == CL_SUCCESS && count > 0 && devices != NULL)
        code = check_built(program, devices[0]);
    return code;
}

static cl_int CL_API_CALL my_clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device,
                                                      cl_kernel_work_group_info what, size_t size,
                                                      void *value, size_t *needed)
{
    cl_int code = faults_enter(CALL_clGetKernelWorkGroupInfo, what, CL_OUT_OF_RESOURCES);
    if (code == CL_SUCCESS)
        code = next->clGetKernelWorkGroupInfo(kernel, device, what, size, value, needed);
    if (code == CL_SUCCESS && value != NULL)
        faults_fake_kernel_info(what, value);
    return code;
}

/* ---- Events ---- */

MAKER(cl_event, clCreateUserEvent, LIVE_EVENTS, CL_OUT_OF_HOST_MEMORY,
      (cl_context context, cl_int *code), (context, code))
RETAINER(clRetainEvent, cl_event, LIVE_EVENTS)
RELEASER(clReleaseEvent, cl_event, LIVE_EVENTS)
PLAIN(clSetUserEventStatus, CL_OUT_OF_RESOURCES, (cl_event event, cl_int status), (event, status))
PLAIN(clSetEventCallback, CL_OUT_OF_RESOURCES,
      (cl_event event, cl_int status, void(CL_CALLBACK *notify)(cl_event, cl_int, void *),
       void *user),
      (event, status, notify, user))
PLAIN(clWaitForEvents, CL_OUT_OF_RESOURCES, (cl_uint count, const cl_event *events),
      (count, events))
INFO(clGetEventInfo, cl_event, cl_event_info)

/* ---- Commands ---- */

COMMAND(clEnqueueReadBuffer,
        (cl_command_queue queue, cl_mem mem, cl_bool block, size_t offset, size_t size, void *host,
         WAITS),
        (queue, mem, block, offset, size, host, n_wait, wait_list, event))
COMMAND(clEnqueueWriteBuffer,
        (cl_command_queue queue, cl_mem mem, cl_bool block, size_t offset, size_t size,
         const void *host, WAITS),
        (queue, mem, block, offset, size, host, n_wait, wait_list, event))
COMMAND(clEnqueueCopyBuffer,
        (cl_command_queue queue, cl_mem from, cl_mem to, size_t first, size_t second, size_t size,
         WAITS),
        (queue, from, to, first, second, size, n_wait, wait_list, event))
COMMAND(clEnqueueFillBuffer,
        (cl_command_queue queue, cl_mem mem, const void *pattern, size_t pattern_size,
         size_t offset, size_t size, WAITS),
        (queue, mem, pattern, pattern_size, offset, size, n_wait, wait_list, event))
COMMAND(clEnqueueUnmapMemObject, (cl_command_queue queue, cl_mem mem, void *mapped, WAITS),
        (queue, mem, mapped, n_wait, wait_list, event))
COMMAND(clEnqueueMarkerWithWaitList, (cl_command_queue queue, WAITS),
        (queue, n_wait, wait_list, event))
COMMAND(clEnqueueBarrierWithWaitList, (cl_command_queue queue, WAITS),
        (queue, n_wait, wait_list, event))

static void *CL_API_CALL my_clEnqueueMapBuffer(cl_command_queue queue, cl_mem mem, cl_bool block,
                                               cl_map_flags flags, size_t offset, size_t size,
                                               WAITS, cl_int *code)
{
    const cl_int failed = faults_enter(CALL_clEnqueueMapBuffer, 0, CL_MAP_FAILURE);
    void *mapped = NULL;
    if (failed == CL_SUCCESS)
        mapped = next->clEnqueueMapBuffer(queue, mem, block, flags, offset, size, n_wait, wait_list,
                                          event, code);
    else if (code != NULL)
        *code = failed;
    if (mapped != NULL && event != NULL)
        faults_count_live(LIVE_EVENTS, 1);
    return mapped;
}

/* What the pretended device says to this launch. */
static cl_int refusal(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                      const size_t *local)
{
    cl_device_id device = NULL;
    cl_ulong memory = 0;
    size_t items = 1;
    next->clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof device, &device, NULL);
    next->clGetKernelWorkGroupInfo(kernel, device, CL_KERNEL_LOCAL_MEM_SIZE, sizeof memory, &memory,
                                   NULL);
    for (cl_uint i = 0; local != NULL && i < dimensions; ++i)
        items *= local[i];
    return faults_fake_launch(items, memory);
}

static cl_int CL_API_CALL my_clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel,
                                                    cl_uint dimensions, const size_t *offset,
                                                    const size_t *global, const size_t *local,
                                                    WAITS)
{
    cl_int code = faults_enter(CALL_clEnqueueNDRangeKernel, 0, CL_OUT_OF_RESOURCES);
    if (code == CL_SUCCESS)
        code = refusal(queue, kernel, dimensions, local);
    if (code == CL_SUCCESS)
        code = next->clEnqueueNDRangeKernel(queue, kernel, dimensions, offset, global, local,
                                            n_wait, wait_list, event);
    if (code == CL_SUCCESS && event != NULL)
        faults_count_live(LIVE_EVENTS, 1);
    return code;
}

/* ---- The table ---- */

static void stop_at_unknown_call(void)
{
    fputs("an OpenCL call was made that tests/faults/layer.h does not list\n", stderr);
    abort();
}

const struct _cl_icd_dispatch *faults_table(const struct _cl_icd_dispatch *target)
{
    static union {
        struct _cl_icd_dispatch calls;
        void (*any[sizeof(struct _cl_icd_dispatch) / sizeof(void *)])(void);
    } table;
    next = target;
    for (size_t i = 0; i < sizeof table.any / sizeof table.any[0]; ++i)
        table.any[i] = stop_at_unknown_call;
#define SET(name) table.calls.name = my_##name;
    FAULTS_CALLS(SET)
#undef SET
    return &table.calls;
}
