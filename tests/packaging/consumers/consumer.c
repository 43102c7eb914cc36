/* A program as a project that uses clkl would have it: one divergence from arrays in host memory,
 * and again on an OpenCL device if there is one, both held against the closed form
 * 1/2 sum (m^2 + exp(l) - 1 - l). */
#define CL_TARGET_OPENCL_VERSION 120
#include <clkl/clkl_opencl.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { SAMPLES = 3, UNITS = 4 };

static const size_t shape[] = {SAMPLES, UNITS};
static float moments[SAMPLES][2][UNITS];

static void check(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "consumer: failed: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

#define TRY(call) check((call) == 0, #call)

static void fill_moments(void)
{
    for (int i = 0; i < SAMPLES; ++i)
        for (int j = 0; j < UNITS; ++j) {
            moments[i][0][j] = 0.5f * (float)(i - j);
            moments[i][1][j] = 0.25f * (float)(j + 1) - (float)i;
        }
}

static void check_result(const float *kl, const char *where)
{
    for (int i = 0; i < SAMPLES; ++i) {
        double exact = 0;
        for (int j = 0; j < UNITS; ++j) {
            const double m = moments[i][0][j], l = moments[i][1][j];
            exact += 0.5 * (m * m + exp(l) - 1 - l);
        }
        check(fabs(kl[i] - exact) <= 1e-6 * exact, where);
    }
}

/* ---- Host memory ---- */

static void run_on_host_memory(void)
{
    clkl_spec spec;
    clkl_engine *engine;
    float kl[SAMPLES] = {0};
    clkl_spec_moments(&spec, 2, shape);
    TRY(clkl_engine_create(NULL, &engine, NULL));
    const clkl_host_args args = {.struct_size = sizeof args, .p_mean = moments, .result = kl};
    TRY(clkl_engine_run(engine, &spec, &args, NULL));
    check_result(kl, "result of the engine");
    printf("host: %s\n", clkl_engine_backend(engine));
    clkl_engine_release(engine);
}

/* With one sample that is NaN, which the status words tell without a look at the result. */
static void run_reference(void)
{
    static float spoilt[SAMPLES][2][UNITS];
    clkl_spec spec;
    float kl[SAMPLES];
    uint32_t value_status[SAMPLES] = {0};
    memcpy(spoilt, moments, sizeof spoilt);
    spoilt[1][0][2] = NAN;
    clkl_spec_moments(&spec, 2, shape);
    const clkl_host_args args = {
        .struct_size = sizeof args, .p_mean = spoilt, .result = kl, .value_status = value_status};
    TRY(clkl_reference_run(&spec, &args, NULL));
    check(value_status[0] == 0 && value_status[1] == CLKL_VALUE_NAN && value_status[2] == 0,
          "one NaN");
}

/* ---- The caller's own context, queue and buffers ---- */

static cl_device_id find_device(void)
{
    cl_platform_id platforms[16];
    cl_uint count = 0;
    cl_device_id id = NULL;
    if (clGetPlatformIDs(16, platforms, &count) != CL_SUCCESS)
        return NULL;
    for (cl_uint i = 0; i < count && i < 16 && id == NULL; ++i)
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 1, &id, NULL) != CL_SUCCESS)
            id = NULL;
    return id;
}

static void run_on_buffers(cl_context context, cl_device_id id)
{
    clkl_spec spec;
    clkl_device *device;
    clkl_plan *plan;
    cl_event event;
    cl_int code;
    float kl[SAMPLES] = {0};
    cl_command_queue queue = clCreateCommandQueue(context, id, 0, &code);
    TRY(code);
    cl_mem input = clCreateBuffer(context, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR, sizeof moments,
                                  moments, &code);
    TRY(code);
    cl_mem result = clCreateBuffer(context, CL_MEM_WRITE_ONLY, sizeof kl, NULL, &code);
    TRY(code);

    clkl_spec_moments(&spec, 2, shape);
    TRY(clkl_device_create(context, id, &device, NULL));
    TRY(clkl_plan_create(device, &spec, 0, &plan, NULL));
    const clkl_args args = {.struct_size = sizeof args, .p_mean.mem = input, .result.mem = result};
    TRY(clkl_enqueue(plan, queue, &args, 0, NULL, &event, NULL));
    TRY(clEnqueueReadBuffer(queue, result, CL_TRUE, 0, sizeof kl, kl, 1, &event, NULL));
    check_result(kl, "result in the buffer");

    clkl_plan_release(plan);
    clkl_device_release(device);
    clReleaseEvent(event);
    clReleaseMemObject(result);
    clReleaseMemObject(input);
    clReleaseCommandQueue(queue);
}

static void run_on_device(void)
{
    char name[256] = "";
    cl_int code;
    cl_device_id id = find_device();
    if (id == NULL) {
        printf("device: none\n");
        return;
    }
    TRY(clGetDeviceInfo(id, CL_DEVICE_NAME, sizeof name, name, NULL));
    cl_context context = clCreateContext(NULL, 1, &id, NULL, NULL, &code);
    TRY(code);
    run_on_buffers(context, id);
    clReleaseContext(context);
    printf("device: %s\n", name);
}

int main(void)
{
    check(clkl_version() ==
              CLKL_VERSION_MAJOR * 10000 + CLKL_VERSION_MINOR * 100 + CLKL_VERSION_PATCH,
          "headers and library of one version");
    fill_moments();
    run_reference();
    run_on_host_memory();
    run_on_device();
    return EXIT_SUCCESS;
}
