// consumer.c once more, as C++ would have it: handles in unique_ptrs, and exceptions.
#define CL_TARGET_OPENCL_VERSION 120
#include <clkl/clkl_opencl.h>

#include <cmath>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <vector>

namespace
{

const std::size_t shape[] = {2, 3}; // samples, units
const std::vector<float> moments = {0.5f, -1.0f, 0.25f, /* log-variances */ 0.5f, -0.5f, -2.0f,
                                    2.0f, 0.0f,  -3.0f, /* log-variances */ 1.0f, 0.25f, -0.125f};

template <class T, void (*release)(T *)> struct Release {
    void operator()(T *handle) const
    {
        release(handle);
    }
};
using Engine = std::unique_ptr<clkl_engine, Release<clkl_engine, clkl_engine_release>>;
using Device = std::unique_ptr<clkl_device, Release<clkl_device, clkl_device_release>>;
using Plan = std::unique_ptr<clkl_plan, Release<clkl_plan, clkl_plan_release>>;

void check(clkl_status status, const clkl_error &error)
{
    if (status != CLKL_OK)
        throw std::runtime_error(std::string(clkl_status_string(status)) + ": " + error.message);
}

void check_opencl(cl_int code)
{
    if (code != CL_SUCCESS)
        throw std::runtime_error("OpenCL code " + std::to_string(code));
}

void check_result(const std::vector<float> &kl)
{
    for (std::size_t i = 0; i < shape[0]; ++i) {
        double exact = 0;
        for (std::size_t j = 0; j < shape[1]; ++j) {
            const double m = moments[2 * i * shape[1] + j];
            const double l = moments[(2 * i + 1) * shape[1] + j];
            exact += 0.5 * (m * m + std::exp(l) - 1 - l);
        }
        if (!(std::fabs(kl[i] - exact) <= 1e-6 * exact))
            throw std::runtime_error("wrong result");
    }
}

clkl_spec make_spec()
{
    clkl_spec spec;
    clkl_spec_moments(&spec, 2, shape);
    return spec;
}

void run_on_host_memory()
{
    clkl_error error = {};
    error.struct_size = sizeof error;
    clkl_engine *made = nullptr;
    check(clkl_engine_create(nullptr, &made, &error), error);
    const Engine engine(made);

    std::vector<float> kl(shape[0]);
    const clkl_spec spec = make_spec();
    clkl_host_args args = {};
    args.struct_size = sizeof args;
    args.p_mean = moments.data();
    args.result = kl.data();
    check(clkl_engine_run(engine.get(), &spec, &args, &error), error);
    check_result(kl);
    std::cout << "host: " << clkl_engine_backend(engine.get()) << '\n';
}

cl_device_id find_device()
{
    cl_platform_id platforms[16];
    cl_uint count = 0;
    cl_device_id id = nullptr;
    if (clGetPlatformIDs(16, platforms, &count) != CL_SUCCESS)
        return nullptr;
    for (cl_uint i = 0; i < count && i < 16; ++i)
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 1, &id, nullptr) == CL_SUCCESS)
            return id;
    return nullptr;
}

void run_on_buffers(cl_context context, cl_device_id id, cl_command_queue queue)
{
    clkl_error error = {};
    error.struct_size = sizeof error;
    clkl_device *made_device = nullptr;
    check(clkl_device_create(context, id, &made_device, &error), error);
    const Device device(made_device);
    const clkl_spec spec = make_spec();
    clkl_plan *made_plan = nullptr;
    check(clkl_plan_create(device.get(), &spec, 0, &made_plan, &error), error);
    const Plan plan(made_plan);

    std::vector<float> kl(shape[0]);
    cl_int code = CL_SUCCESS;
    clkl_args args = {};
    args.struct_size = sizeof args;
    args.p_mean.mem =
        clCreateBuffer(context, CL_MEM_READ_ONLY, moments.size() * sizeof(float), nullptr, &code);
    check_opencl(code);
    args.result.mem =
        clCreateBuffer(context, CL_MEM_WRITE_ONLY, kl.size() * sizeof(float), nullptr, &code);
    check_opencl(code);
    check_opencl(clEnqueueWriteBuffer(queue, args.p_mean.mem, CL_TRUE, 0,
                                      moments.size() * sizeof(float), moments.data(), 0, nullptr,
                                      nullptr));
    check(clkl_enqueue(plan.get(), queue, &args, 0, nullptr, nullptr, &error), error);
    check_opencl(clEnqueueReadBuffer(queue, args.result.mem, CL_TRUE, 0, kl.size() * sizeof(float),
                                     kl.data(), 0, nullptr, nullptr));
    check_result(kl);
    clReleaseMemObject(args.p_mean.mem);
    clReleaseMemObject(args.result.mem);
}

void run_on_device()
{
    char name[256] = "";
    cl_int code = CL_SUCCESS;
    cl_device_id id = find_device();
    if (id == nullptr) {
        std::cout << "device: none\n";
        return;
    }
    check_opencl(clGetDeviceInfo(id, CL_DEVICE_NAME, sizeof name, name, nullptr));
    cl_context context = clCreateContext(nullptr, 1, &id, nullptr, nullptr, &code);
    check_opencl(code);
    cl_command_queue queue = clCreateCommandQueue(context, id, 0, &code);
    check_opencl(code);
    run_on_buffers(context, id, queue);
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
    std::cout << "device: " << name << '\n';
}

} // namespace

int main()
{
    try {
        run_on_host_memory();
        run_on_device();
    } catch (const std::exception &failure) {
        std::cerr << "consumer: failed: " << failure.what() << '\n';
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
