/* A pipeline on an out-of-order queue: one kernel writes the moments, clkl computes the KL of each
 * sample, and another kernel adds beta * KL to the sample's loss. Events order the three on the
 * device; the host waits once, for the final read.
 *
 *     cc pipeline.c $(pkg-config --cflags --libs clkl) -lm
 */
#include "example.h"

#include <math.h>

enum { BATCH = 8, CHANNELS = 16, SIDE = 64, LATENTS = CHANNELS * SIDE * SIDE };

static const char source[] =
    "kernel void encode(global float *moments, uint n)                                     \n"
    "{                                                                                     \n"
    "    const size_t i = get_global_id(0), sample = i / n;                                \n"
    "    moments[i] = (i % n < n / 2 ? 0.125f : -0.25f) * sample; /* mean : log-variance */\n"
    "}                                                                                     \n"
    "kernel void add_kl(global const float *kl, float beta, global float *loss)            \n"
    "{                                                                                     \n"
    "    loss[get_global_id(0)] += beta * kl[get_global_id(0)];                            \n"
    "}                                                                                     \n";

/* Each loss was 1, and every latent of sample b has the mean b/8 and the log-variance -b/4. */
static int is_right(const float loss[BATCH], double beta)
{
    int right = 1;
    for (int b = 0; b < BATCH; ++b) {
        const double mean = 0.125 * b, logvar = -0.25 * b;
        const double kl = 0.5 * LATENTS * (expm1(logvar) - logvar + mean * mean);
        right &= fabs(loss[b] - (1 + beta * kl)) <= 1e-6 * (1 + beta * kl);
    }
    return right;
}

int main(void)
{
    /* What the program has already: a context, a queue, two kernels and their buffers. */
    const float beta = 0.001f;
    const cl_uint n = 2 * LATENTS;
    float loss[BATCH];
    for (int b = 0; b < BATCH; ++b)
        loss[b] = 1;
    cl_device_id id = first_device();
    cl_context context = make_context(id);
    cl_command_queue queue = make_queue(context, id);
    cl_program program = make_program(context, source);
    cl_kernel encode = make_kernel(program, "encode"), add_kl = make_kernel(program, "add_kl");
    cl_mem moments = make_buffer(context, sizeof(float[BATCH][2 * LATENTS]), NULL);
    cl_mem kl = make_buffer(context, sizeof loss, NULL);
    cl_mem losses = make_buffer(context, sizeof loss, loss);
    set_arg(encode, 0, sizeof moments, &moments);
    set_arg(encode, 1, sizeof n, &n);
    set_arg(add_kl, 0, sizeof kl, &kl);
    set_arg(add_kl, 1, sizeof beta, &beta);
    set_arg(add_kl, 2, sizeof losses, &losses);

    clkl_error error = {.struct_size = sizeof error};
    /* [once] */
    clkl_spec spec; /* packed moments [BATCH, 2 * CHANNELS, SIDE, SIDE] against N(0, I) */
    clkl_spec_moments(&spec, 4, (const size_t[]){BATCH, CHANNELS, SIDE, SIDE});

    clkl_device *device; /* once per context and device: it keeps the programs */
    must(clkl_device_create(context, id, &device, &error), &error);
    clkl_plan *plan; /* once per shape: what is not built yet is compiled here */
    must(clkl_plan_create(device, &spec, 0, &plan, &error), &error);
    cl_mem scratch = make_buffer(context, clkl_plan_scratch_size(plan), NULL);
    /* [/once] */

    /* [step] */
    cl_event encoded = enqueue_kernel(queue, encode, BATCH * 2 * LATENTS, 0, NULL);

    clkl_args args = {.struct_size = sizeof args};
    args.p_mean.mem = moments;
    args.result.mem = kl;
    args.scratch.mem = scratch;
    cl_event divergence;
    must(clkl_enqueue(plan, queue, &args, 1, &encoded, &divergence, &error), &error);

    cl_event added = enqueue_kernel(queue, add_kl, BATCH, 1, &divergence);
    /* [/step] */
    must_cl(clEnqueueReadBuffer(queue, losses, CL_TRUE, 0, sizeof loss, loss, 1, &added, NULL),
            "read");
    printf("loss + %g KL of %d samples: from %g to %g\n", beta, BATCH, loss[0], loss[BATCH - 1]);

    clkl_plan_release(plan);
    clkl_device_release(device);
    clReleaseEvent(added);
    clReleaseEvent(divergence);
    clReleaseEvent(encoded);
    clReleaseMemObject(scratch);
    clReleaseMemObject(losses);
    clReleaseMemObject(kl);
    clReleaseMemObject(moments);
    clReleaseKernel(add_kl);
    clReleaseKernel(encode);
    clReleaseProgram(program);
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
    return is_right(loss, beta) ? 0 : 1;
}
