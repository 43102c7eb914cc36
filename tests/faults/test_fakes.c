/* Devices that lack something: no fp64, small work-groups, little local memory, kernels that take
 * fewer work-items than the device promises; one by one and together, as a CPU and as a GPU. The
 * layer holds the library to what it pretends. */
#include "support.h"

#include <stdio.h>
#include <string.h>

static struct test_device device;

static void close_device(void)
{
    test_device_close(&device);
}

TestSuite(faults_fakes, .fini = close_device, .timeout = 300);

/* ---- The lies are kept ---- */

/* Builds a kernel of the test's own; NULL if it does not build. */
static cl_kernel build(const char *text)
{
    cl_int code = CL_SUCCESS;
    cl_kernel kernel = NULL;
    cl_program program = clCreateProgramWithSource(device.context, 1, &text, NULL, &code);
    REQUIRE(code);
    if (clBuildProgram(program, 1, &device.id, "-cl-std=CL1.2", NULL, NULL) == CL_SUCCESS) {
        kernel = clCreateKernel(program, "probe", &code);
        REQUIRE(code);
    }
    REQUIRE(clReleaseProgram(program));
    return kernel;
}

/* What a launch of one work-group returns. */
static cl_int launch(cl_kernel kernel, size_t work_group)
{
    cl_mem out = test_buffer(&device, NULL, 4096);
    REQUIRE(clSetKernelArg(kernel, 0, sizeof out, &out));
    const cl_int code = clEnqueueNDRangeKernel(device.queue, kernel, 1, NULL, &work_group,
                                               &work_group, 0, NULL, NULL);
    REQUIRE(clFinish(device.queue));
    REQUIRE(clReleaseMemObject(out));
    return code;
}

static const char plain_text[] = "__kernel void probe(__global float *out)\n"
                                 "{ out[get_local_id(0)] = 1.0f; }\n";
static const char local_text[] =
    "__kernel void probe(__global float *out)\n"
    "{ __local float shared[4096 + 64]; uint i = get_local_id(0);\n"
    "  for (uint k = i; k < 4096 + 64; k += get_local_size(0)) shared[k] = out[k % 64];\n"
    "  barrier(CLK_LOCAL_MEM_FENCE); out[i] = shared[(i * 77 + 4095) % (4096 + 64)]; }\n";
static const char fp64_text[] =
    "#pragma OPENCL EXTENSION cl_khr_fp64 : enable\n"
    "__kernel void probe(__global float *out) { double x = out[0]; out[0] = (float)(x / 3); }\n";

/* Without a lie these run, with it they do not: so a library that asked too much would be seen. */
Test(faults_fakes, are_enforced)
{
    const struct faults_fake limits = {.kernel_work_group = 16, .local_memory = 16384};
    faults_open_device(&device, NULL);
    cl_kernel plain = build(plain_text), local = build(local_text);
    cr_assert(plain != NULL && local != NULL);
    cr_expect_eq(launch(plain, 32), CL_SUCCESS);
    cr_expect_eq(launch(local, 16), CL_SUCCESS);
    faults_fake(&limits);
    cr_expect_eq(launch(plain, 32), CL_INVALID_WORK_GROUP_SIZE);
    cr_expect_eq(launch(plain, 16), CL_SUCCESS);
    cr_expect_eq(launch(local, 16), CL_OUT_OF_RESOURCES);
    cr_expect_eq(faults_largest_work_group(), 16u);
    REQUIRE(clReleaseKernel(plain));
    REQUIRE(clReleaseKernel(local));
}

static const char large_text[] =
    "__kernel __attribute__((reqd_work_group_size(32, 1, 1))) void probe(__global float *out)\n"
    "{ out[get_local_id(0)] = 1.0f; }\n";

Test(faults_fakes, large_work_groups_are_not_built)
{
    const struct faults_fake small = {.device_work_group = 16};
    faults_open_device(&device, NULL);
    cl_kernel kernel = build(large_text);
    cr_assert_not_null(kernel);
    REQUIRE(clReleaseKernel(kernel));
    faults_fake(&small);
    cr_expect_null(build(large_text));
}

Test(faults_fakes, fp64_is_taken_away)
{
    const struct faults_fake without = {.no_fp64 = true};
    cl_device_fp_config config = 0;
    char extensions[8192];
    faults_open_device(&device, NULL);
    REQUIRE(clGetDeviceInfo(device.id, CL_DEVICE_DOUBLE_FP_CONFIG, sizeof config, &config, NULL));
    cl_kernel kernel = build(fp64_text);
    cr_expect_eq(kernel != NULL, config != 0,
                 "a device without fp64 built it, or one with did not");
    if (kernel != NULL)
        REQUIRE(clReleaseKernel(kernel));
    faults_fake(&without);
    REQUIRE(clGetDeviceInfo(device.id, CL_DEVICE_DOUBLE_FP_CONFIG, sizeof config, &config, NULL));
    cr_expect_eq(config, 0u);
    REQUIRE(clGetDeviceInfo(device.id, CL_DEVICE_EXTENSIONS, sizeof extensions, extensions, NULL));
    cr_expect_null(strstr(extensions, "cl_khr_fp64"));
    cr_expect_null(build(fp64_text));
}

/* ---- Every device computes what the reference does ---- */

struct lie {
    const char *name;
    struct faults_fake fake;
    size_t largest; /* work-group for a GPU; no implementation here takes fewer than 32 */
};

static const struct lie lies[] = {
    {"no fp64", {.no_fp64 = true}, 0},
    {"work-groups of 32", {.device_work_group = 32}, 32},
    {"work-groups of 1", {.device_work_group = 1}, 1},
    {"work-groups of 100", {.device_work_group = 100}, 64},
    {"16 KiB of local memory", {.local_memory = 16384}, 0},
    {"2 KiB of local memory", {.local_memory = 2048}, 64},
    {"kernels of 32", {.kernel_work_group = 32}, 32},
    {"kernels of 48, devices of 128", {.device_work_group = 128, .kernel_work_group = 48}, 32},
    {"no fp64, work-groups of 32, 16 KiB",
     {.no_fp64 = true, .device_work_group = 32, .local_memory = 16384},
     32},
};
enum { LIES = sizeof lies / sizeof lies[0] };

/* Short, medium and long rows, in one stage and two, and two sides that gather. */
static const enum job_kind kinds[] = {JOB_SHORT_ROWS, JOB_MEDIUM_ROWS, JOB_ONE_VALUE, JOB_GATHERS};

/* The device, opened again by the library, so that it asks again. */
static void reopen(void)
{
    clkl_device_release(device.device);
    REQUIRE(clkl_device_create(device.context, device.id, &device.device, NULL));
}

static void check_lie(const struct lie *lie, cl_device_type type)
{
    struct faults_fake fake = lie->fake;
    struct job job;
    fake.type = type;
    faults_fake(&fake);
    reopen();
    const bool gpu = type == CL_DEVICE_TYPE_GPU;
    cr_assert_eq(device.device->facts.style == CLKL_STYLE_GPU, gpu, "%s", lie->name);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; ++i) {
        job_make(&job, &device, kinds[i]);
        job_plan(&job);
        job_expect_to_run(&job, lie->name);
        job_free(&job);
    }
    const size_t largest = faults_largest_work_group();
    if (gpu && lie->largest != 0)
        cr_expect(largest <= lie->largest && (largest == lie->largest || largest >= 32),
                  "%s: work-groups of %zu", lie->name, largest);
}

static void check_lies(cl_device_type type)
{
    faults_open_device(&device, NULL);
    for (size_t i = 0; i < LIES; ++i)
        check_lie(&lies[i], type);
    faults_fake(NULL);
}

Test(faults_fakes, cpus_compute_right)
{
    check_lies(CL_DEVICE_TYPE_CPU);
}

Test(faults_fakes, gpus_compute_right)
{
    check_lies(CL_DEVICE_TYPE_GPU);
}

/* ---- Devices that cannot be used ---- */

Test(faults_fakes, no_compiler)
{
    const struct faults_fake without = {.no_compiler = true};
    clkl_error error = {.struct_size = sizeof error};
    clkl_device *made = NULL;
    faults_open_device(&device, NULL);
    faults_fake(&without);
    cr_expect_eq(clkl_device_create(device.context, device.id, &made, &error), CLKL_UNSUPPORTED);
    cr_expect_null(made);
    cr_expect_not_null(strstr(error.message, "compiler"), "\"%s\"", error.message);
    cr_expect_null(build(plain_text));
}

/* The engine passes such a device over, says why, and falls back only where it may. */
Test(faults_fakes, no_compiler_for_the_engine)
{
    const struct faults_fake without = {.no_compiler = true};
    const clkl_engine_options strict = {
        .struct_size = sizeof strict, .device = "", .fallback = CLKL_FALLBACK_FORBIDDEN};
    const clkl_engine_options any = {.struct_size = sizeof any, .device = ""};
    clkl_error error = {.struct_size = sizeof error};
    clkl_device_info info = {.struct_size = sizeof info};
    clkl_engine *engine = NULL;
    size_t count = 0;
    faults_open_device(&device, NULL);
    faults_fake(&without);
    cr_expect_eq(clkl_engine_create(&strict, &engine, &error), CLKL_NO_DEVICE);
    cr_expect_null(engine);
    REQUIRE(clkl_devices_list(&any, 1, &info, &count, &error));
    cr_expect_geq(count, 1u);
    cr_expect_eq(info.usable, 0u);
    cr_expect_not_null(strstr(info.reason, "compiler"), "\"%s\"", info.reason);
    REQUIRE(clkl_engine_create(&any, &engine, &error));
    cr_expect_eq(clkl_engine_is_reference(engine), 1);
    clkl_engine_release(engine);
}
