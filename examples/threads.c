/* Four threads share one plan. Each has a queue, buffers and scratch of its own, and enqueues when
 * it likes, without a lock.
 *
 *     cc threads.c $(pkg-config --cflags --libs clkl) -lm -pthread
 */
#include "example.h"

#include <math.h>
#include <pthread.h>

enum { THREADS = 4, CALLS = 25, BATCH = 2, LATENTS = 50000 };

static cl_device_id id;
static cl_context context;
static clkl_plan *plan;

struct worker {
    pthread_t thread;
    float value; /* of every mean and log-variance that this thread sees */
    int right;
};

static void *work(void *argument)
{
    struct worker *self = argument;
    const size_t bytes = sizeof(float[BATCH][2][LATENTS]);
    float kl[CALLS][BATCH];
    clkl_error error = {.struct_size = sizeof error};
    cl_command_queue queue = make_queue(context, id);
    clkl_args args = {.struct_size = sizeof args};
    args.p_mean.mem = make_buffer(context, bytes, NULL);
    args.result.mem = make_buffer(context, sizeof kl, NULL);
    args.scratch.mem = make_buffer(context, clkl_plan_scratch_size(plan), NULL);

    cl_event events[1 + CALLS]; /* a call waits for the one before: they share the scratch */
    must_cl(clEnqueueFillBuffer(queue, args.p_mean.mem, &self->value, sizeof(float), 0, bytes, 0,
                                NULL, &events[0]),
            "fill");
    for (int call = 0; call < CALLS; ++call, args.result.offset += BATCH)
        must(clkl_enqueue(plan, queue, &args, 1, &events[call], &events[call + 1], &error), &error);
    must_cl(clEnqueueReadBuffer(queue, args.result.mem, CL_TRUE, 0, sizeof kl, kl, 1,
                                &events[CALLS], NULL),
            "read");

    const double v = self->value, expected = 0.5 * LATENTS * (expm1(v) - v + v * v);
    self->right = 1;
    for (int i = 0; i < CALLS * BATCH; ++i)
        self->right &= fabs(kl[i / BATCH][i % BATCH] - expected) <= 1e-6 * expected;

    for (int i = 0; i <= CALLS; ++i)
        clReleaseEvent(events[i]);
    clReleaseMemObject(args.scratch.mem);
    clReleaseMemObject(args.result.mem);
    clReleaseMemObject(args.p_mean.mem);
    clReleaseCommandQueue(queue);
    return NULL;
}

int main(void)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_device *device;
    clkl_spec spec;
    clkl_spec_moments(&spec, 2, (const size_t[]){BATCH, LATENTS});
    id = first_device();
    context = make_context(id);
    must(clkl_device_create(context, id, &device, &error), &error);
    must(clkl_plan_create(device, &spec, 0, &plan, &error), &error);

    int right = 1;
    struct worker workers[THREADS];
    for (int i = 0; i < THREADS; ++i) {
        workers[i].value = 0.5f * (float)(i + 1);
        if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0)
            return 1;
    }
    for (int i = 0; i < THREADS; ++i) {
        pthread_join(workers[i].thread, NULL);
        right &= workers[i].right;
    }
    printf("%d threads, %d calls each: %s\n", THREADS, CALLS, right ? "all right" : "wrong");

    clkl_plan_release(plan);
    clkl_device_release(device);
    clReleaseContext(context);
    return right ? 0 : 1;
}
