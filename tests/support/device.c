#include "device.h"

#include "core/dtype.h"

#include <criterion/criterion.h>
#include <string.h>

#define REQUIRE(call)                                                        \
    do {                                                                     \
        const int code_ = (int)(call);                                       \
        cr_assert(code_ == 0, "%s: %s returned %d", __func__, #call, code_); \
    } while (0)

void test_device_open(struct test_device *device)
{
    cl_platform_id platforms[16];
    cl_uint count = 0;
    struct clkl_facts facts;
    memset(device, 0, sizeof *device);
    REQUIRE(clGetPlatformIDs(16, platforms, &count));
    for (cl_uint i = 0; i < count && device->id == NULL; ++i)
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 1, &device->id, NULL) != CL_SUCCESS ||
            clkl_facts_read(device->id, &facts, NULL) != CLKL_OK)
            device->id = NULL;
    cr_assert_not_null(device->id, "no usable OpenCL device");
    cl_int code = CL_SUCCESS;
    device->context = clCreateContext(NULL, 1, &device->id, NULL, NULL, &code);
    REQUIRE(code);
    device->queue = clCreateCommandQueue(device->context, device->id, 0, &code);
    REQUIRE(code);
    REQUIRE(clkl_device_create(device->context, device->id, &device->device, NULL));
}

void test_device_close(struct test_device *device)
{
    clkl_device_release(device->device);
    clReleaseCommandQueue(device->queue);
    clReleaseContext(device->context);
}

void test_device_pretend_gpu(struct test_device *device)
{
    device->device->facts.style = CLKL_STYLE_GPU;
    device->device->facts.prefetch_builtin = false;
}

bool test_device_has_fp64(const struct test_device *device)
{
    return device->device->facts.fp64;
}

bool test_device_keeps_subnormals(const struct test_device *device, clkl_dtype compute)
{
    cl_device_fp_config config = 0;
    REQUIRE(clGetDeviceInfo(
        device->id, compute == CLKL_F64 ? CL_DEVICE_DOUBLE_FP_CONFIG : CL_DEVICE_SINGLE_FP_CONFIG,
        sizeof config, &config, NULL));
    return (config & CL_FP_DENORM) != 0;
}

cl_mem test_buffer(struct test_device *device, const void *data, size_t bytes)
{
    cl_int code = CL_SUCCESS;
    const cl_mem_flags flags = CL_MEM_READ_WRITE | (data != NULL ? CL_MEM_COPY_HOST_PTR : 0u);
    cl_mem mem = clCreateBuffer(device->context, flags, bytes, (void *)(uintptr_t)data, &code);
    cr_assert(code == CL_SUCCESS, "clCreateBuffer of %zu bytes returned %d", bytes, code);
    return mem;
}

static cl_mem input_buffer(struct test_device *device, const struct clkl_problem *problem,
                           const struct clkl_side *side, int operand, const void *array)
{
    uint64_t extent = clkl_problem_extent(problem, operand % 2 == 0 ? &side->mean : &side->scale);
    if (side->packed)
        extent = clkl_problem_extent(problem, &side->scale);
    return test_buffer(device, array, (size_t)extent * clkl_dtype_size(side->dtype));
}

static void read_back(struct test_device *device, cl_mem mem, size_t bytes, void *host)
{
    if (host != NULL)
        REQUIRE(clEnqueueReadBuffer(device->queue, mem, CL_TRUE, 0, bytes, host, 0, NULL, NULL));
}

void test_device_run(struct test_device *device, const clkl_spec *spec,
                     const struct clkl_tuning *tuning, const struct test_inputs *inputs,
                     uint64_t batch, void *result, uint32_t *status, clkl_clamp_count *counts)
{
    static const struct clkl_tuning automatic;
    struct clkl_problem problem;
    clkl_error error = {.struct_size = sizeof error};
    clkl_plan *plan = NULL;
    clkl_args args = {.struct_size = sizeof args, .batch = batch};
    REQUIRE(clkl_problem_make(spec, &problem, NULL));
    REQUIRE(clkl_problem_set_batch(&problem, batch, NULL));
    cr_assert(clkl_plan_create_tuned(device->device, spec, CLKL_PLAN_NO_WARM_UP,
                                     tuning != NULL ? tuning : &automatic, &plan,
                                     &error) == CLKL_OK,
              "plan: %s\n%s", error.message, error.build_log);

    clkl_buffer *buffers[CLKL_ARRAYS] = {&args.p_mean, &args.p_scale, &args.q_mean, &args.q_scale};
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        if (inputs->arrays[operand] != NULL)
            buffers[operand]->mem =
                input_buffer(device, &problem, operand < 2 ? &problem.p : &problem.q, operand,
                             inputs->arrays[operand]);
    const size_t values = (size_t)clkl_problem_result_count(&problem);
    const size_t result_bytes = values * clkl_dtype_size(problem.compute);
    args.result.mem = test_buffer(device, NULL, result_bytes);
    if (status != NULL)
        args.value_status.mem = test_buffer(device, NULL, values * sizeof(cl_uint));
    if (counts != NULL)
        args.clamp_counts.mem = test_buffer(device, NULL, values * sizeof(cl_uint2));
    cr_assert(clkl_enqueue(plan, device->queue, &args, 0, NULL, NULL, &error) == CLKL_OK,
              "enqueue: %s", error.message);
    read_back(device, args.result.mem, result_bytes, result);
    read_back(device, args.value_status.mem, values * sizeof(cl_uint), status);
    read_back(device, args.clamp_counts.mem, values * sizeof(cl_uint2), counts);

    const cl_mem all[] = {args.p_mean.mem,      args.p_scale.mem, args.q_mean.mem,
                          args.q_scale.mem,     args.result.mem,  args.value_status.mem,
                          args.clamp_counts.mem};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; ++i)
        if (all[i] != NULL)
            REQUIRE(clReleaseMemObject(all[i]));
    clkl_plan_release(plan);
}
