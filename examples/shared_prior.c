/* P is a slice of a larger tensor and Q a learned prior with a mean and a log-variance per channel,
 * which all samples and pixels share: strides and offsets say so, nothing is copied. Ten samples go
 * through a plan for four, so the last batch is smaller.
 *
 *     cc shared_prior.c $(pkg-config --cflags --libs clkl) -lm
 */
#include "example.h"

#include <math.h>

enum { SAMPLES = 10, BATCH = 4, CALLS = 3, SIDE = 64, C = 8 }; /* C latent channels */

/* Of each sample's 24 channels the second eight are P's means, the last eight its log-variances. */
static float tensor[SAMPLES][3 * C][SIDE][SIDE];
static float prior[2][C]; /* Q's means, then its log-variances */
static float kl[SAMPLES];

static void fill(void *array, size_t bytes)
{
    float *values = array;
    for (size_t i = 0; i < bytes / sizeof *values; ++i)
        values[i] = (float)((i * 7919) % 257) / 128 - 1;
}

static double expected_kl(int sample)
{
    double sum = 0;
    for (int c = 0; c < C; ++c)
        for (int i = 0; i < SIDE * SIDE; ++i) {
            const int y = i / SIDE, x = i % SIDE;
            const double lp = tensor[sample][2 * C + c][y][x], lq = prior[1][c];
            const double d = (double)tensor[sample][C + c][y][x] - prior[0][c];
            sum += 0.5 * (exp(lp - lq) - 1 - (lp - lq) + d * d * exp(-lq));
        }
    return sum;
}

static clkl_spec make_spec(void)
{
    const int64_t in_tensor[] = {3 * C * SIDE * SIDE, SIDE * SIDE, SIDE, 1};
    const int64_t in_prior[] = {0, 1, 0, 0}; /* 0 repeats an axis */
    clkl_spec spec;
    clkl_spec_moments(&spec, 4, (const size_t[]){BATCH, C, SIDE, SIDE});
    spec.p.layout = spec.q.layout = CLKL_STRIDED;
    spec.q.form = CLKL_MEAN_LOGVAR;
    for (int axis = 0; axis < 4; ++axis) {
        spec.p.mean_strides[axis] = in_tensor[axis];
        spec.q.mean_strides[axis] = spec.q.scale_strides[axis] = in_prior[axis];
    }
    return spec;
}

int main(void)
{
    fill(tensor, sizeof tensor);
    fill(prior, sizeof prior);
    cl_device_id id = first_device();
    cl_context context = make_context(id);
    cl_command_queue queue = make_queue(context, id);
    cl_mem tensor_mem = make_buffer(context, sizeof tensor, tensor);
    cl_mem prior_mem = make_buffer(context, sizeof prior, prior);
    cl_mem kl_mem = make_buffer(context, sizeof kl, NULL);

    clkl_error error = {.struct_size = sizeof error};
    clkl_device *device;
    clkl_plan *plan;
    const clkl_spec spec = make_spec();
    must(clkl_device_create(context, id, &device, &error), &error);
    must(clkl_plan_create(device, &spec, 0, &plan, &error), &error);

    /* All calls are in flight together, so each has its own part of the scratch. */
    const size_t part = (clkl_plan_scratch_size(plan) + 15) / 16 * 16;
    cl_mem scratch = make_buffer(context, CALLS * part, NULL);
    clkl_args args = {.struct_size = sizeof args};
    args.q_mean = (clkl_buffer){prior_mem, 0};
    args.q_scale = (clkl_buffer){prior_mem, C};
    cl_event done[CALLS];
    for (size_t call = 0; call < CALLS; ++call) {
        const size_t first = call * BATCH, left = SAMPLES - first;
        args.p_mean = (clkl_buffer){tensor_mem, (3 * first + 1) * C * SIDE * SIDE};
        args.result = (clkl_buffer){kl_mem, first};
        args.scratch = (clkl_buffer){scratch, call * part};
        args.batch = left < BATCH ? left : BATCH;
        must(clkl_enqueue(plan, queue, &args, 0, NULL, &done[call], &error), &error);
    }
    must_cl(clEnqueueReadBuffer(queue, kl_mem, CL_TRUE, 0, sizeof kl, kl, CALLS, done, NULL),
            "read");

    int right = 1;
    for (int sample = 0; sample < SAMPLES; ++sample)
        right &= fabs(kl[sample] - expected_kl(sample)) <= 1e-6 * expected_kl(sample);
    printf("%d samples in %d calls, the last KL is %g\n", SAMPLES, CALLS, kl[SAMPLES - 1]);

    for (int call = 0; call < CALLS; ++call)
        clReleaseEvent(done[call]);
    clkl_plan_release(plan);
    clkl_device_release(device);
    clReleaseMemObject(scratch);
    clReleaseMemObject(kl_mem);
    clReleaseMemObject(prior_mem);
    clReleaseMemObject(tensor_mem);
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
    return right ? 0 : 1;
}
