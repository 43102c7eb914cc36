/* A layer between the OpenCL loader and the implementation, for tests: it counts calls, makes one
 * of them fail, counts the objects that live, and lies about the device.
 *
 * A test program is linked with the layer and names it in OPENCL_LAYERS before its first OpenCL
 * call (faults_open of support.h does so), so that both have the same copy of it. The loader
 * ignores a layer that it cannot load: faults_is_loaded tells. A call that the layer does not know
 * ends the process, so nothing goes past it uncounted.
 *
 * For other programs: with FAULTS_REPORT in the environment every call is watched, the one that
 * FAULTS_AT counts fails, and one line of report is appended to that file at exit.
 */
#ifndef CLKL_TESTS_FAULTS_LAYER_H
#define CLKL_TESTS_FAULTS_LAYER_H

#define CL_TARGET_OPENCL_VERSION 120
#include <CL/cl.h>
#include <stdbool.h>
#include <stddef.h>

/* Every call that the library or a test may make. */
/* clang-format off */
#define FAULTS_CALLS(X)                                                                      \
    X(clGetPlatformIDs) X(clGetPlatformInfo) X(clGetDeviceIDs) X(clGetDeviceInfo)            \
    X(clCreateSubDevices) X(clRetainDevice) X(clReleaseDevice)                               \
    X(clCreateContext) X(clRetainContext) X(clReleaseContext) X(clGetContextInfo)            \
    X(clCreateCommandQueue) X(clRetainCommandQueue) X(clReleaseCommandQueue)                 \
    X(clGetCommandQueueInfo) X(clFlush) X(clFinish)                                          \
    X(clCreateBuffer) X(clCreateSubBuffer) X(clRetainMemObject) X(clReleaseMemObject)        \
    X(clGetMemObjectInfo) X(clSetMemObjectDestructorCallback)                                \
    X(clCreateProgramWithSource) X(clCreateProgramWithBinary) X(clRetainProgram)             \
    X(clReleaseProgram) X(clBuildProgram) X(clCompileProgram) X(clLinkProgram)               \
    X(clGetProgramInfo) X(clGetProgramBuildInfo)                                             \
    X(clCreateKernel) X(clRetainKernel) X(clReleaseKernel) X(clSetKernelArg)                 \
    X(clGetKernelInfo) X(clGetKernelWorkGroupInfo)                                           \
    X(clCreateUserEvent) X(clSetUserEventStatus) X(clSetEventCallback)                       \
    X(clWaitForEvents) X(clGetEventInfo) X(clRetainEvent) X(clReleaseEvent)                  \
    X(clEnqueueReadBuffer) X(clEnqueueWriteBuffer) X(clEnqueueCopyBuffer)                    \
    X(clEnqueueFillBuffer) X(clEnqueueMapBuffer) X(clEnqueueUnmapMemObject)                  \
    X(clEnqueueNDRangeKernel) X(clEnqueueMarkerWithWaitList) X(clEnqueueBarrierWithWaitList)
/* clang-format on */

#define FAULTS_ENUMERATOR(name) CALL_##name,
enum faults_call { FAULTS_CALLS(FAULTS_ENUMERATOR) CALL_COUNT };
#undef FAULTS_ENUMERATOR

const char *faults_call_name(enum faults_call call);

/* Whether the loader has taken this copy of the layer. */
bool faults_is_loaded(void);

/* ---- Watching ---- */

/* Forgets counts, trace and failures; from here on nothing is watched, and nothing fails. */
void faults_reset(void);

/* Calls are counted, traced and made to fail only while they are watched. */
void faults_watch(bool on);

/* Calls seen. */
unsigned faults_count(enum faults_call call);

/* The calls seen, in their order; returns how many, of which the first `capacity` are written. */
size_t faults_trace(enum faults_call *calls, size_t capacity);

/* ---- Failing ---- */

/* Lets the call number `nth` from here on fail, counted from 1: of those to `call`, or with
 * CALL_COUNT of all. It returns `code`, or with 0 one that is usual for it. Releases never fail:
 * what a release that failed leaves behind is nobody's fault. */
void faults_fail(enum faults_call call, unsigned nth, cl_int code);

/* The failure that has happened. */
struct faults_failure {
    unsigned count; /* 0 if none has */
    enum faults_call call;
    cl_int code;
    cl_uint what; /* of a clGet...Info: what was asked for */
};

struct faults_failure faults_failure(void);

/* ---- Objects ---- */

/* References that live, by kind: made and retained, less those released. A root device counts as
 * what is retained and released of it. */
enum faults_kind {
    LIVE_DEVICES,
    LIVE_CONTEXTS,
    LIVE_QUEUES,
    LIVE_BUFFERS,
    LIVE_PROGRAMS,
    LIVE_KERNELS,
    LIVE_EVENTS,
    LIVE_KINDS
};

struct faults_live {
    int of[LIVE_KINDS];
};

struct faults_live faults_live(void);

/* Buffers made while watched whose memory OpenCL has given back since faults_reset. */
unsigned faults_buffers_freed(void);

/* ---- Lies ---- */

/* What the device pretends to be, and is held to; 0 leaves the truth. */
struct faults_fake {
    cl_device_type type;
    size_t device_work_group; /* CL_DEVICE_MAX_WORK_GROUP_SIZE */
    size_t kernel_work_group; /* CL_KERNEL_WORK_GROUP_SIZE, at most */
    cl_ulong local_memory;
    bool no_fp64;
    bool no_compiler;
};

/* From here on, also for devices found earlier; NULL for the truth. Launches that the pretended
 * device could not run are refused as a real one would refuse them, and programs that ask for
 * larger work-groups, or use `double` where it is not there, fail to build. */
void faults_fake(const struct faults_fake *fake);

/* The work-items of the largest work-group launched since faults_fake. */
size_t faults_largest_work_group(void);

#endif
