/* The KL term of a training step, on the device: of sequences of different lengths, with beta and
 * free bits. One kernel writes the posterior's moments; clkl computes the KL of each channel, and
 * adds the gradient to the one that the reconstruction has left in the buffer; another kernel takes
 * a step down. Events order them; the host waits once, for the final read.
 *
 *     cc training.c $(pkg-config --cflags --libs clkl) -lm
 */
#include "example.h"

#include <math.h>

enum { BATCH = 6, CHANNELS = 4, LENGTH = 100, LATENTS = CHANNELS * LENGTH };

static const float beta = 4, free_bits = 3, rate = 0.5f;
static const float reconstruction = 0.25f; /* the gradient that is there already, everywhere */

static const char source[] =
    "kernel void encode(global float *moments, uint channels, uint length)                     \n"
    "{                                                                                         \n"
    "    const size_t i = get_global_id(0), row = i / length % (2 * channels);                 \n"
    "    const size_t channel = row % channels; /* the first half are means */                 \n"
    "    moments[i] = (row < channels ? 0.25f : -0.125f) * channel;                            \n"
    "}                                                                                         \n"
    "kernel void descend(global float *moments, global const float *gradient, float rate)      \n"
    "{                                                                                         \n"
    "    moments[get_global_id(0)] -= rate * gradient[get_global_id(0)];                       \n"
    "}                                                                                         \n";

/* Sequence b has the length 100 - 10 b. */
static uint32_t length_of(uint32_t b)
{
    return LENGTH - 10 * b;
}

/* What a latent has become that was `value`, where the KL has this slope. */
static int is_step(float found, double value, double slope)
{
    const double expected = value - (double)rate * ((double)reconstruction + slope);
    return fabs((double)found - expected) <= 1e-5;
}

/* In channel c all means were c/4 and all log-variances -c/8. The divergence of channel 0 is 0, and
 * that of channel 1 still below the free bits. */
static int is_right(float (*moments)[2 * CHANNELS][LENGTH], const float *kl)
{
    int right = 1;
    double mean_length = 0;
    for (uint32_t b = 0; b < BATCH; ++b)
        mean_length += (double)length_of(b) / BATCH;
    for (uint32_t c = 0; c < CHANNELS; ++c) {
        const double mean = 0.25 * c, logvar = -0.125 * c;
        const double divergence = mean_length * 0.5 * (expm1(logvar) - logvar + mean * mean);
        const double scale = divergence > (double)free_bits ? (double)beta / BATCH : 0;
        right &= fabs((double)kl[c] - fmax(divergence, (double)free_bits)) <= 1e-5 * divergence;
        for (uint32_t b = 0; b < BATCH; ++b)
            for (uint32_t i = 0; i < LENGTH; ++i) {
                const double weight = i < length_of(b) ? scale : 0;
                right &= is_step(moments[b][c][i], mean, weight * mean);
                right &= is_step(moments[b][CHANNELS + c][i], logvar, weight * 0.5 * expm1(logvar));
            }
    }
    return right;
}

int main(void)
{
    /* What the program has already: a context, a queue, two kernels and their buffers. */
    static float latents[BATCH][2 * CHANNELS][LENGTH], kl[CHANNELS];
    static float slopes[BATCH][2 * CHANNELS][LENGTH];
    uint32_t lengths[BATCH];
    for (uint32_t b = 0; b < BATCH; ++b)
        lengths[b] = length_of(b);
    for (size_t i = 0; i < sizeof slopes / sizeof(float); ++i)
        (&slopes[0][0][0])[i] = reconstruction;
    const cl_uint channels = CHANNELS, length = LENGTH;
    cl_device_id id = first_device();
    cl_context context = make_context(id);
    cl_command_queue queue = make_queue(context, id);
    cl_program program = make_program(context, source);
    cl_kernel encode = make_kernel(program, "encode"), descend = make_kernel(program, "descend");
    cl_mem moments = make_buffer(context, sizeof latents, NULL);
    cl_mem gradient = make_buffer(context, sizeof slopes, slopes);
    cl_mem values = make_buffer(context, sizeof kl, NULL);
    cl_mem ends = make_buffer(context, sizeof lengths, lengths);
    set_arg(encode, 0, sizeof moments, &moments);
    set_arg(encode, 1, sizeof channels, &channels);
    set_arg(encode, 2, sizeof length, &length);
    set_arg(descend, 0, sizeof moments, &moments);
    set_arg(descend, 1, sizeof gradient, &gradient);
    set_arg(descend, 2, sizeof rate, &rate);

    clkl_error error = {.struct_size = sizeof error};
    clkl_device *device;
    must(clkl_device_create(context, id, &device, &error), &error);
    /* [once] */
    clkl_spec spec; /* packed moments [BATCH, 2 * CHANNELS, LENGTH] against N(0, I) */
    clkl_spec_moments(&spec, 3, (const size_t[]){BATCH, CHANNELS, LENGTH});
    spec.keep = 1u << 1;              /* a value for each channel, averaged over the batch */
    spec.free_nats = free_bits;       /* no value below this */
    spec.weights.kind = CLKL_LENGTHS; /* the first lengths[b] steps of sample b count */
    spec.weights.length_axis = 2;
    clkl_plan *forward;
    must(clkl_plan_create(device, &spec, 0, &forward, &error), &error);

    spec.gradients = CLKL_GRADIENT_P_MEAN; /* packed moments: with the log-variances */
    spec.gradient_update = CLKL_GRADIENT_ADD;
    spec.outputs = CLKL_OUTPUT_NO_RESULT; /* the values are there already */
    clkl_plan *backward;
    must(clkl_plan_create(device, &spec, 0, &backward, &error), &error);
    /* [/once] */
    cl_mem scratch[] = {make_buffer(context, clkl_plan_scratch_size(forward), NULL),
                        make_buffer(context, clkl_plan_scratch_size(backward), NULL)};

    /* [step] */
    cl_event encoded = enqueue_kernel(queue, encode, BATCH * 2 * LATENTS, 0, NULL);

    clkl_args args = {.struct_size = sizeof args};
    args.p_mean.mem = moments;
    args.weights.mem = ends;
    args.result.mem = values;
    args.scratch.mem = scratch[0];
    cl_event divergence;
    must(clkl_enqueue(forward, queue, &args, 1, &encoded, &divergence, &error), &error);

    args.result.mem = NULL;
    args.values.mem = values; /* where they are at most the free bits, the gradient is 0 */
    args.p_mean_gradient.mem = gradient;
    args.factors = (clkl_upstream_factors){.given = 1, .p = beta, .q = beta};
    args.scratch.mem = scratch[1];
    cl_event added;
    must(clkl_enqueue(backward, queue, &args, 1, &divergence, &added, &error), &error);

    cl_event stepped = enqueue_kernel(queue, descend, BATCH * 2 * LATENTS, 1, &added);
    /* [/step] */
    must_cl(clEnqueueReadBuffer(queue, values, CL_TRUE, 0, sizeof kl, kl, 1, &stepped, NULL),
            "read");
    must_cl(
        clEnqueueReadBuffer(queue, moments, CL_TRUE, 0, sizeof latents, latents, 1, &stepped, NULL),
        "read");
    printf("KL of the channels: %g, %g, %g, %g, with %g free\n", kl[0], kl[1], kl[2], kl[3],
           free_bits);

    clkl_plan_release(backward);
    clkl_plan_release(forward);
    clkl_device_release(device);
    cl_event events[] = {encoded, divergence, added, stepped};
    cl_mem buffers[] = {scratch[1], scratch[0], ends, values, gradient, moments};
    for (size_t i = 0; i < sizeof events / sizeof *events; ++i)
        clReleaseEvent(events[i]);
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; ++i)
        clReleaseMemObject(buffers[i]);
    clReleaseKernel(descend);
    clReleaseKernel(encode);
    clReleaseProgram(program);
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
    return is_right(latents, kl) ? 0 : 1;
}
