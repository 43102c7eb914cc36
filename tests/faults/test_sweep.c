/* Every OpenCL call of the library's fails once: the status says so, the error names the call and
 * its code, nothing is left behind, and what is there goes on working.
 *
 * A sweep repeats one step of a caller's life and lets the first call fail, then the second, until
 * there is none left to fail. */
#include "verdict.h"

enum { MOST_CALLS = 1000 };

static struct test_device device;

static void close_device(void)
{
    test_device_close(&device);
}

TestSuite(faults_sweep, .fini = close_device, .timeout = 300);

static const struct faults_fake gpu = {.type = CL_DEVICE_TYPE_GPU, .device_work_group = 32};

/* ---- Devices ---- */

static void check_device(void)
{
    const struct faults_live live = faults_live();
    struct verdict verdict;
    for (unsigned nth = 1;; ++nth) {
        clkl_device *made = (clkl_device *)(uintptr_t)&verdict;
        verdict_begin(&verdict, nth);
        verdict.status =
            WATCHED(clkl_device_create(device.context, device.id, &made, &verdict.error));
        if (verdict_is_over(&verdict, nth, 10, "clkl_device_create")) {
            clkl_device_release(made);
            break;
        }
        if (verdict_expect_reported(&verdict, nth, "clkl_device_create"))
            cr_expect_null(made);
        clkl_device_release(made);
        expect_live(&live, "clkl_device_create, call %u", nth);
    }
    expect_live(&live, "clkl_device_create");
}

Test(faults_sweep, device)
{
    faults_open_device(&device, NULL);
    check_device();
}

/* ---- Plans ---- */

/* Makes a plan, and expects the first run with it to be right if that went well. */
static void plan_once(struct job *job, clkl_device *on, unsigned nth, struct verdict *verdict)
{
    clkl_plan *made = (clkl_plan *)(uintptr_t)verdict;
    verdict_begin(verdict, nth);
    verdict->status = WATCHED(clkl_plan_create(on, &job->spec, 0, &made, &verdict->error));
    if (verdict->status != CLKL_OK) {
        cr_expect_null(made, "%s, call %u", job->name, nth);
        return;
    }
    struct job tried = *job;
    tried.plan = made;
    job_expect_to_run(&tried, "a plan made while a call failed");
    clkl_plan_release(made);
}

/* On a device that has built nothing each time, so that builds fail too, or on one that keeps what
 * it has built. */
static void check_plan(enum job_kind kind, bool fresh, unsigned least)
{
    const struct faults_live live = faults_live();
    struct verdict verdict;
    struct job job;
    job_make(&job, &device, kind);
    if (!fresh)
        job_plan(&job);
    const struct faults_live kept = faults_live();
    for (unsigned nth = 1; nth < MOST_CALLS; ++nth) {
        clkl_device *own = NULL;
        if (fresh)
            REQUIRE(clkl_device_create(device.context, device.id, &own, NULL));
        plan_once(&job, fresh ? own : device.device, nth, &verdict);
        const bool over = verdict_is_over(&verdict, nth, least, job.name);
        if (!over)
            verdict_expect_reported(&verdict, nth, job.name);
        clkl_device_release(own);
        REQUIRE(clFinish(device.queue));
        expect_live(&kept, "plan of %s, call %u", job.name, nth);
        if (over)
            break;
    }
    if (!fresh)
        job_expect_to_run(&job, "after the sweep");
    job_free(&job);
    if (fresh)
        expect_live(&live, "plan of %s", job.name);
}

Test(faults_sweep, first_plan)
{
    faults_open_device(&device, NULL);
    check_plan(JOB_LONG_ROWS, true, 20);
}

Test(faults_sweep, first_plan_on_a_gpu)
{
    faults_open_device(&device, &gpu);
    check_plan(JOB_LONG_ROWS, true, 30);
}

/* Programs of two passes. */
Test(faults_sweep, first_plan_with_gradients)
{
    faults_open_device(&device, NULL);
    check_plan(JOB_GRADIENTS, true, 30);
}

Test(faults_sweep, later_plans)
{
    faults_open_device(&device, NULL);
    for (enum job_kind kind = 0; kind < JOB_KINDS; ++kind)
        check_plan(kind, false, kind == JOB_DETERMINISTIC ? 0 : 10);
}

/* A build that fails says what the compiler said, and is tried again by the next plan. */
Test(faults_sweep, failed_build)
{
    struct job job;
    struct verdict verdict;
    clkl_plan *plan = NULL;
    faults_open_device(&device, NULL);
    job_make(&job, &device, JOB_SHORT_ROWS);
    verdict_begin(&verdict, 0);
    faults_fail(CALL_clBuildProgram, 1, CL_BUILD_PROGRAM_FAILURE);
    verdict.status = WATCHED(clkl_plan_create(device.device, &job.spec, 0, &plan, &verdict.error));
    verdict_expect_reported(&verdict, 1, "a build");
    cr_expect_eq(verdict.status, CLKL_BUILD_FAILED);
    cr_expect_null(plan);
    job_plan(&job);
    job_expect_to_run(&job, "after a build that failed");
    job_free(&job);
}

/* ---- Enqueueing ---- */

/* Waits for what a call that failed has enqueued nevertheless. */
static void expect_covering_event(cl_event event, const struct verdict *verdict)
{
    const enum faults_call call = verdict->failure.call;
    cr_expect(call == CALL_clEnqueueNDRangeKernel || call == CALL_clEnqueueFillBuffer,
              "%s failed, and yet there is an event", faults_call_name(call));
    REQUIRE(clWaitForEvents(1, &event));
    cr_expect_eq(event_status(event), CL_COMPLETE);
}

static void enqueue_once(struct job *job, const clkl_args *args, bool wants_event, unsigned nth,
                         struct verdict *verdict)
{
    cl_event event = wants_event ? (cl_event)(uintptr_t)verdict : NULL;
    job_spoil(job);
    verdict_begin(verdict, nth);
    verdict->status = WATCHED(clkl_enqueue(job->plan, device.queue, args, 0, NULL,
                                           wants_event ? &event : NULL, &verdict->error));
    if (faults_failure().count == 0 || !verdict_expect_reported(verdict, nth, job->name)) {
        job_expect_results(job, "done without an answer");
    } else if (event != NULL) {
        expect_covering_event(event, verdict);
    } else {
        const bool begun =
            !wants_event &&
            faults_count(CALL_clEnqueueNDRangeKernel) + faults_count(CALL_clEnqueueFillBuffer) > 1;
        cr_expect(begun || job_is_untouched(job), "%s, call %u, %s: outputs are written", job->name,
                  nth, verdict->error.call);
    }
    if (event != NULL)
        REQUIRE(clReleaseEvent(event));
}

static void check_enqueue(enum job_kind kind, bool own_scratch, bool wants_event)
{
    struct verdict verdict;
    struct job job;
    job_make(&job, &device, kind);
    job_plan(&job);
    clkl_args args = job.args;
    if (own_scratch)
        args.scratch.mem = NULL;
    const struct faults_live live = faults_live();
    for (unsigned nth = 1; nth < MOST_CALLS; ++nth) {
        enqueue_once(&job, &args, wants_event, nth, &verdict);
        REQUIRE(clFinish(device.queue));
        expect_live(&live, "%s, call %u", job.name, nth);
        if (verdict_is_over(&verdict, nth, kind == JOB_DETERMINISTIC ? 8 : 12, job.name))
            break;
    }
    job_expect_to_run(&job, "after the sweep");
    job_free(&job);
}

Test(faults_sweep, enqueue)
{
    faults_open_device(&device, NULL);
    for (enum job_kind kind = 0; kind < JOB_KINDS; ++kind) {
        check_enqueue(kind, false, true);
        check_enqueue(kind, false, false);
    }
    check_enqueue(JOB_LONG_ROWS, true, true);
    check_enqueue(JOB_ONE_VALUE, true, false);
    check_enqueue(JOB_GRADIENTS, true, true);
}

Test(faults_sweep, enqueue_on_a_gpu)
{
    faults_open_device(&device, &gpu);
    check_enqueue(JOB_MEDIUM_ROWS, false, true);
    check_enqueue(JOB_GRADIENTS, false, true);
    check_enqueue(JOB_LONG_ROWS, true, true);
}

/* ---- Later stages ---- */

/* If one that is not the first cannot be enqueued, the event covers those before, which have not
 * run here, and holds what they need. */
static void check_later_stage(enum job_kind kind, bool own_scratch, enum faults_call call,
                              unsigned nth)
{
    struct verdict verdict;
    struct job job;
    cl_event event = NULL, user = user_event(&device);
    job_make(&job, &device, kind);
    job_plan(&job);
    clkl_args args = job.args;
    if (own_scratch)
        args.scratch.mem = NULL;
    verdict_begin(&verdict, 0);
    faults_fail(call, nth, CL_OUT_OF_RESOURCES);
    verdict.status =
        WATCHED(clkl_enqueue(job.plan, device.queue, &args, 1, &user, &event, &verdict.error));
    verdict_expect_reported(&verdict, nth, job.name);
    cr_assert_not_null(event, "%s: no event for what was enqueued", job.name);
    cr_expect_gt(event_status(event), CL_COMPLETE, "%s", job.name);
    cr_expect_eq(faults_buffers_freed(), 0u, "%s: scratch is gone", job.name);
    REQUIRE(clSetUserEventStatus(user, CL_COMPLETE));
    REQUIRE(clWaitForEvents(1, &event));
    cr_expect_eq(event_status(event), CL_COMPLETE, "%s", job.name);
    REQUIRE(clReleaseEvent(event));
    REQUIRE(clReleaseEvent(user));
    job_expect_to_run(&job, "after a stage that was not enqueued");
    job_free(&job);
}

Test(faults_sweep, later_stages)
{
    faults_open_device(&device, NULL);
    check_later_stage(JOB_LONG_ROWS, false, CALL_clEnqueueNDRangeKernel, 2);
    check_later_stage(JOB_ONE_VALUE, true, CALL_clEnqueueNDRangeKernel, 2);
    check_later_stage(JOB_DETERMINISTIC, false, CALL_clEnqueueFillBuffer, 2);
    for (unsigned nth = 2; nth <= 4; ++nth)
        check_later_stage(JOB_GRADIENTS, nth % 2 == 0, CALL_clEnqueueNDRangeKernel, nth);
}

/* ---- Codes ---- */

static void expect_status(struct job *job, enum faults_call call, cl_int code, clkl_status expected)
{
    struct verdict verdict;
    clkl_args args = job->args;
    args.scratch.mem = NULL;
    verdict_begin(&verdict, 0);
    faults_fail(call, 1, code);
    verdict.status =
        WATCHED(clkl_enqueue(job->plan, device.queue, &args, 0, NULL, NULL, &verdict.error));
    verdict_expect_reported(&verdict, 1, job->name);
    cr_expect(verdict.status == expected, "%s returned %d: status %d, expected %d",
              faults_call_name(call), code, verdict.status, expected);
}

Test(faults_sweep, codes)
{
    static const enum faults_call calls[] = {CALL_clCreateBuffer, CALL_clSetKernelArg,
                                             CALL_clEnqueueNDRangeKernel};
    struct job job;
    faults_open_device(&device, NULL);
    job_make(&job, &device, JOB_LONG_ROWS);
    job_plan(&job);
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; ++i) {
        expect_status(&job, calls[i], CL_MEM_OBJECT_ALLOCATION_FAILURE, CLKL_OUT_OF_DEVICE_MEMORY);
        expect_status(&job, calls[i], CL_INVALID_BUFFER_SIZE, CLKL_OUT_OF_DEVICE_MEMORY);
        expect_status(&job, calls[i], CL_OUT_OF_HOST_MEMORY, CLKL_OUT_OF_HOST_MEMORY);
        expect_status(&job, calls[i], CL_OUT_OF_RESOURCES, CLKL_OPENCL_ERROR);
        expect_status(&job, calls[i], CL_INVALID_COMMAND_QUEUE, CLKL_OPENCL_ERROR);
        expect_status(&job, calls[i], -9999, CLKL_OPENCL_ERROR);
    }
    job_expect_to_run(&job, "after all codes");
    job_free(&job);
}
