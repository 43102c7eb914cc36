/* What clkl_enqueue asks of OpenCL: nothing that compiles, allocates, blocks or flushes, whatever
 * the job; and that it returns while nothing can run yet. The time-out of the suite stands for
 * "blocks".
 */
#include "support.h"

#include <stdio.h>
#include <string.h>

static struct test_device device;

static void close_device(void)
{
    test_device_close(&device);
}

TestSuite(faults_enqueue, .fini = close_device, .timeout = 120);

static const struct faults_fake gpu = {.type = CL_DEVICE_TYPE_GPU};

/* ---- One call, watched ---- */

enum { MOST_CALLS = 512 };

struct calls {
    size_t count;
    enum faults_call of[MOST_CALLS];
};

/* How a job is enqueued. */
struct way {
    bool event;
    bool waits;
    bool all_outputs;
    bool own_scratch;
};

static void describe(const struct job *job, const struct way *way, char *text, size_t size)
{
    snprintf(text, size, "%s%s%s%s%s", job->name, way->event ? ", event" : "",
             way->waits ? ", wait list" : "", way->all_outputs ? ", all outputs" : "",
             way->own_scratch ? ", own scratch" : "");
}

/* Enqueues once; the calls made, and the event, which lives on, or NULL. */
static cl_event enqueue(struct job *job, const struct way *way, const cl_event *before,
                        struct calls *calls)
{
    clkl_args args = job->args;
    clkl_error error = {.struct_size = sizeof error};
    cl_event event = NULL;
    if (!way->all_outputs)
        args.value_status.mem = args.clamp_counts.mem = NULL;
    if (way->own_scratch)
        args.scratch.mem = NULL;
    faults_reset();
    const clkl_status status =
        WATCHED(clkl_enqueue(job->plan, device.queue, &args, way->waits ? 1 : 0,
                             way->waits ? before : NULL, way->event ? &event : NULL, &error));
    cr_assert(status == CLKL_OK, "%s: %s", job->name, error.message);
    calls->count = faults_trace(calls->of, MOST_CALLS);
    cr_assert_leq(calls->count, (size_t)MOST_CALLS);
    return event;
}

/* ---- What may be called ---- */

static bool is_allowed(enum faults_call call, const struct way *way)
{
    switch (call) {
    case CALL_clGetCommandQueueInfo:
    case CALL_clGetMemObjectInfo:
    case CALL_clGetEventInfo:
    case CALL_clSetKernelArg:
    case CALL_clEnqueueNDRangeKernel:
    case CALL_clEnqueueFillBuffer:
    case CALL_clRetainEvent:
    case CALL_clReleaseEvent:
        return true;
    case CALL_clCreateBuffer:
    case CALL_clReleaseMemObject:
        return way->own_scratch;
    default:
        return false;
    }
}

static unsigned count_of(const struct calls *calls, enum faults_call call)
{
    unsigned count = 0;
    for (size_t i = 0; i < calls->count; ++i)
        count += calls->of[i] == call;
    return count;
}

static void expect_manners(const struct job *job, const struct way *way, const struct calls *calls)
{
    char name[128];
    describe(job, way, name, sizeof name);
    for (size_t i = 0; i < calls->count; ++i)
        cr_expect(is_allowed(calls->of[i], way), "%s: %s is called", name,
                  faults_call_name(calls->of[i]));
    const unsigned buffers = way->own_scratch && clkl_plan_scratch_size(job->plan) > 0 ? 1 : 0;
    cr_expect_eq(count_of(calls, CALL_clCreateBuffer), buffers, "%s", name);
    cr_expect_eq(count_of(calls, CALL_clReleaseMemObject), buffers, "%s", name);
}

/* The commands that the job takes. */
static void expect_commands(const struct job *job, const struct way *way, const struct calls *calls)
{
    char name[128];
    describe(job, way, name, sizeof name);
    const bool fills = job->spec.p.form == CLKL_DETERMINISTIC;
    const unsigned stages = job->spec.gradients != 0                ? 4
                            : clkl_plan_scratch_size(job->plan) > 0 ? 2
                                                                    : 1;
    cr_expect_eq(count_of(calls, CALL_clEnqueueNDRangeKernel), fills ? 0 : stages, "%s", name);
    cr_expect_eq(count_of(calls, CALL_clEnqueueFillBuffer),
                 !fills             ? 0
                 : way->all_outputs ? 3
                                    : 1,
                 "%s", name);
}

/* The first call makes the same calls as the last. */
static void check_way(struct job *job, const struct way *way, int times)
{
    static struct calls first, later;
    const struct faults_live live = faults_live();
    char name[128];
    describe(job, way, name, sizeof name);
    cl_event before = user_event(&device);
    REQUIRE(clSetUserEventStatus(before, CL_COMPLETE));
    for (int i = 0; i < times; ++i) {
        struct calls *calls = i == 0 ? &first : &later;
        cl_event event = enqueue(job, way, &before, calls);
        expect_manners(job, way, calls);
        cr_expect(calls->count == first.count &&
                      memcmp(calls->of, first.of, first.count * sizeof first.of[0]) == 0,
                  "%s: call %d makes other calls than the first", name, i + 1);
        cr_expect_eq(event != NULL, way->event, "%s", name);
        if (event != NULL)
            REQUIRE(clReleaseEvent(event));
    }
    expect_commands(job, way, &first);
    REQUIRE(clFinish(device.queue));
    REQUIRE(clReleaseEvent(before));
    expect_live(&live, "%s", name);
}

static void check_job(enum job_kind kind)
{
    struct job job;
    job_make(&job, &device, kind);
    job_plan(&job);
    for (unsigned bits = 0; bits < 16; ++bits) {
        const struct way way = {
            .event = bits & 1, .waits = bits & 2, .all_outputs = bits & 4, .own_scratch = bits & 8};
        check_way(&job, &way, bits == 0 || bits == 15 ? 10 : 2);
    }
    job_expect_results(&job, "after all of them");
    job_free(&job);
}

Test(faults_enqueue, calls_nothing_it_should_not)
{
    faults_open_device(&device, NULL);
    for (enum job_kind kind = 0; kind < JOB_KINDS; ++kind)
        check_job(kind);
}

Test(faults_enqueue, calls_nothing_it_should_not_on_a_gpu)
{
    faults_open_device(&device, &gpu);
    for (enum job_kind kind = 0; kind < JOB_KINDS; ++kind)
        check_job(kind);
}

/* Every job takes the way that its kind says, or the tests above would miss it. */
static void expect_stages(enum job_kind kind, bool two)
{
    struct job job;
    job_make(&job, &device, kind);
    job_plan(&job);
    cr_expect_eq(clkl_plan_scratch_size(job.plan) > 0, two, "%s", job.name);
    if (kind == JOB_MEDIUM_ROWS)
        cr_expect_eq(job.plan->passes[0].has_aligned, device.device->facts.style == CLKL_STYLE_GPU);
    job_free(&job);
}

static void expect_all_stages(void)
{
    expect_stages(JOB_SHORT_ROWS, false);
    expect_stages(JOB_MEDIUM_ROWS, false);
    expect_stages(JOB_LONG_ROWS, true);
    expect_stages(JOB_ONE_VALUE, true);
    expect_stages(JOB_KEPT_AXIS, false);
    expect_stages(JOB_GRADIENTS, true);
    expect_stages(JOB_DETERMINISTIC, false);
}

Test(faults_enqueue, jobs_are_what_they_say)
{
    faults_open_device(&device, NULL);
    expect_all_stages();
}

Test(faults_enqueue, jobs_are_what_they_say_on_a_gpu)
{
    faults_open_device(&device, &gpu);
    cr_assert_eq(device.device->facts.style, CLKL_STYLE_GPU);
    expect_all_stages();
}

/* ---- While nothing can run ---- */

/* An out-of-order queue, or the usual one where the device has none. */
static cl_command_queue free_queue(void)
{
    cl_int code = CL_SUCCESS;
    cl_command_queue queue = clCreateCommandQueue(device.context, device.id,
                                                  CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
    if (code != CL_SUCCESS)
        queue = clCreateCommandQueue(device.context, device.id, 0, &code);
    REQUIRE(code);
    return queue;
}

/* Enqueues behind a user event, and sees that it has not run. */
static cl_event enqueue_behind(struct job *job, cl_command_queue queue, const cl_event *user,
                               bool own_scratch)
{
    clkl_args args = job->args;
    clkl_error error = {.struct_size = sizeof error};
    cl_event event = NULL;
    if (own_scratch)
        args.scratch.mem = NULL;
    job_spoil(job);
    faults_reset();
    const clkl_status status =
        WATCHED(clkl_enqueue(job->plan, queue, &args, 1, user, &event, &error));
    cr_assert(status == CLKL_OK, "%s: %s", job->name, error.message);
    cr_assert_not_null(event);
    wait_a_moment();
    cr_expect_gt(event_status(event), CL_COMPLETE, "%s: complete before its time", job->name);
    return event;
}

/* The scratch of the library's own lives until the commands are complete and (since kernels of some
 * implementations hold their arguments) the plan is gone, and then no longer. */
static void expect_freed(const struct job *job, unsigned made)
{
    for (int i = 0; i < 100 && faults_buffers_freed() < made; ++i)
        wait_a_moment();
    cr_expect_eq(faults_buffers_freed(), made, "%s: scratch outlives commands and plan", job->name);
}

static void check_pending(enum job_kind kind, bool own_scratch)
{
    struct job job;
    job_make(&job, &device, kind);
    job_plan(&job);
    cl_command_queue queue = free_queue();
    cl_event user = user_event(&device);
    cl_event event = enqueue_behind(&job, queue, &user, own_scratch);
    cr_expect_eq(faults_buffers_freed(), 0u, "%s: scratch is gone before its time", job.name);
    cr_expect(job_is_untouched(&job), "%s: outputs are written before their time", job.name);
    REQUIRE(clSetUserEventStatus(user, CL_COMPLETE));
    REQUIRE(clWaitForEvents(1, &event));
    cr_expect_eq(event_status(event), CL_COMPLETE, "%s", job.name);
    job_expect_results(&job, "after a user event");
    REQUIRE(clReleaseEvent(event));
    REQUIRE(clReleaseEvent(user));
    REQUIRE(clReleaseCommandQueue(queue));
    clkl_plan *plan = job.plan;
    const unsigned made = clkl_plan_scratch_size(plan) > 0 ? 1 : 0;
    job.plan = NULL;
    clkl_plan_release(plan);
    if (own_scratch)
        expect_freed(&job, made);
    job_free(&job);
}

Test(faults_enqueue, returns_while_nothing_can_run)
{
    faults_open_device(&device, NULL);
    for (enum job_kind kind = 0; kind < JOB_KINDS; ++kind)
        check_pending(kind, false);
}

Test(faults_enqueue, own_scratch_lives_as_long_as_the_commands)
{
    faults_open_device(&device, NULL);
    check_pending(JOB_LONG_ROWS, true);
    check_pending(JOB_ONE_VALUE, true);
    check_pending(JOB_SHORT_ROWS, true);
    check_pending(JOB_GRADIENTS, true);
}

/* A user event that fails: so does the event of the call, and no output is written. */
static void check_failed_wait(enum job_kind kind)
{
    struct job job;
    job_make(&job, &device, kind);
    job_plan(&job);
    cl_command_queue queue = free_queue();
    cl_event user = user_event(&device);
    cl_event event = enqueue_behind(&job, queue, &user, false);
    REQUIRE(clSetUserEventStatus(user, -77));
    REQUIRE(clFlush(queue));
    for (int i = 0; i < 200 && event_status(event) > CL_COMPLETE; ++i)
        wait_a_moment();
    cr_expect_lt(event_status(event), 0, "%s: the event's status is %d", job.name,
                 event_status(event));
    cr_expect(job_is_untouched(&job), "%s: outputs are written", job.name);
    REQUIRE(clReleaseEvent(event));
    REQUIRE(clReleaseEvent(user));
    REQUIRE(clReleaseCommandQueue(queue));
    job_expect_to_run(&job, "after a failed event");
    job_free(&job);
}

/* PoCL 3.1 aborts where a command fails that others wait for and whose event nobody holds, in any
 * queue; with two commands it only may. */
Test(faults_enqueue, fails_with_what_it_waits_for)
{
    faults_open_device(&device, NULL);
    for (enum job_kind kind = 0; kind < JOB_KINDS; ++kind)
        if (kind != JOB_GRADIENTS || device.device->facts.style != CLKL_STYLE_WIDE_CPU)
            check_failed_wait(kind);
}
