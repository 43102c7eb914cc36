// The pipeline of pipeline.c in C++11, with opencl.hpp: clkl's handles in unique_ptr, its failures
// as exceptions. Handles pass both ways: x() is the C handle of a cl:: object, and cl::Event takes
// over the event that clkl returns.
//
//     c++ pipeline.cpp $(pkg-config --cflags --libs clkl)
#define CL_HPP_ENABLE_EXCEPTIONS
#define CL_HPP_MINIMUM_OPENCL_VERSION 120
#define CL_HPP_TARGET_OPENCL_VERSION  120
#include <CL/opencl.hpp>
#include <clkl/clkl_opencl.h>

#include <cmath>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <vector>

// Calls a function of clkl's, with an error to fill as its last argument.
template <class Function, class... Arguments> void must(Function function, Arguments... arguments)
{
    clkl_error error = clkl_error();
    error.struct_size = sizeof error;
    if (function(arguments..., &error) != CLKL_OK)
        throw std::runtime_error(error.message);
}

// Calls a function of clkl's that makes a handle, which is released with its unique_ptr.
template <class Handle> using Owner = std::unique_ptr<Handle, void (*)(Handle *)>;
template <class Handle, class Create, class... Arguments>
Owner<Handle> make(void (*release)(Handle *), Create create, Arguments... arguments)
{
    Handle *handle = nullptr;
    must(create, arguments..., &handle);
    return Owner<Handle>(handle, release);
}

constexpr std::size_t batch = 8, channels = 16, side = 64, latents = channels * side * side;

const char source[] = R"(
kernel void encode(global float *moments, uint n)
{
    const size_t i = get_global_id(0), sample = i / n;
    moments[i] = (i % n < n / 2 ? 0.125f : -0.25f) * sample; /* mean : log-variance */
}
kernel void add_kl(global const float *kl, float beta, global float *loss)
{
    loss[get_global_id(0)] += beta * kl[get_global_id(0)];
})";

std::vector<float> run(float beta)
{
    const cl::Context context(CL_DEVICE_TYPE_ALL);
    const cl::Device id = context.getInfo<CL_CONTEXT_DEVICES>().front();
    const auto can = id.getInfo<CL_DEVICE_QUEUE_PROPERTIES>();
    cl::CommandQueue queue(context, id, can & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE);
    const cl::Program program(context, source, true);
    cl::KernelFunctor<cl::Buffer, cl_uint> encode(program, "encode");
    cl::KernelFunctor<cl::Buffer, float, cl::Buffer> add_kl(program, "add_kl");
    std::vector<float> loss(batch, 1.0f);
    const cl::Buffer moments(context, CL_MEM_READ_WRITE, batch * 2 * latents * sizeof(float));
    const cl::Buffer kl(context, CL_MEM_READ_WRITE, batch * sizeof(float));
    const cl::Buffer losses(queue, loss.begin(), loss.end(), false);

    const std::size_t shape[] = {batch, channels, side, side};
    clkl_spec spec;
    clkl_spec_moments(&spec, 4, shape);
    const auto device = make(clkl_device_release, clkl_device_create, context(), id());
    const auto plan = make(clkl_plan_release, clkl_plan_create, device.get(), &spec, 0u);
    const cl::Buffer scratch(context, CL_MEM_READ_WRITE, clkl_plan_scratch_size(plan.get()) + 1);

    const cl::Event encoded = encode({queue, {batch * 2 * latents}}, moments, 2 * latents);
    clkl_args args = clkl_args();
    args.struct_size = sizeof args;
    args.p_mean.mem = moments();
    args.result.mem = kl();
    args.scratch.mem = scratch();
    cl_event divergence = nullptr;
    must(clkl_enqueue, plan.get(), queue(), &args, 1u, &encoded(), &divergence);
    const cl::Event added = add_kl({queue, cl::Event(divergence), {batch}}, kl, beta, losses);
    const std::vector<cl::Event> last{added};
    queue.enqueueReadBuffer(losses, CL_TRUE, 0, batch * sizeof(float), loss.data(), &last);
    return loss;
}

// Each loss was 1, and every latent of sample b has the mean b/8 and the log-variance -b/4.
bool is_right(const std::vector<float> &loss, double beta)
{
    bool right = true;
    for (std::size_t b = 0; b < batch; ++b) {
        const double mean = 0.125 * double(b), logvar = -0.25 * double(b);
        const double kl = 0.5 * latents * (std::expm1(logvar) - logvar + mean * mean);
        right = right && std::fabs(loss[b] - (1 + beta * kl)) <= 1e-6 * (1 + beta * kl);
    }
    return right;
}

int main()
try {
    const float beta = 0.001f;
    const std::vector<float> loss = run(beta);
    std::cout << "loss + " << beta << " KL of " << batch << " samples: from " << loss.front()
              << " to " << loss.back() << "\n";
    return is_right(loss, beta) ? 0 : 1;
} catch (const std::exception &error) {
    std::cerr << error.what() << "\n";
    return 1;
}
