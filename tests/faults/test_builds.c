/* What is built, and what a plan does beside: a program once for a device, whoever asks. */
#include "verdict.h"

#include <pthread.h>

static struct test_device device;

static void close_device(void)
{
    test_device_close(&device);
}

TestSuite(faults_builds, .fini = close_device, .timeout = 300);

static const struct faults_fake gpu = {.type = CL_DEVICE_TYPE_GPU, .device_work_group = 32};

/* ---- Programs are built once ---- */

static void expect_builds(unsigned count, const char *what)
{
    cr_expect_eq(faults_count(CALL_clBuildProgram), count, "%s: %u builds, expected %u", what,
                 faults_count(CALL_clBuildProgram), count);
    cr_expect_eq(faults_count(CALL_clCreateProgramWithSource), count, "%s", what);
    cr_expect_eq(faults_count(CALL_clCreateProgramWithBinary), 0u, "%s", what);
    cr_expect_eq(faults_count(CALL_clCompileProgram) + faults_count(CALL_clLinkProgram), 0u);
}

/* Makes and releases a plan, and expects so many builds. */
static void make_plan(const clkl_spec *spec, unsigned builds, const char *what)
{
    clkl_plan *plan = NULL;
    faults_reset();
    REQUIRE(WATCHED(clkl_plan_create(device.device, spec, 0, &plan, NULL)));
    clkl_plan_release(plan);
    expect_builds(builds, what);
}

static clkl_spec two_sides(uint64_t batch, uint64_t elements)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {batch, elements}};
    spec.p.form = CLKL_MEAN_LOGVAR;
    spec.q.form = CLKL_MEAN_VAR;
    return spec;
}

/* `first` builds are due at the first plan. */
static void check_plans(unsigned first)
{
    clkl_spec spec = two_sides(3, 4000);
    make_plan(&spec, first, "the first plan");
    make_plan(&spec, 0, "the second plan");
    spec = two_sides(100, 64);
    make_plan(&spec, 0, "another shape");
    spec = two_sides(2, 80000);
    make_plan(&spec, 0, "long rows");
    spec.q.layout = CLKL_SHARED;
    make_plan(&spec, 0, "Q shared");
    spec.p.form = CLKL_MEAN_STD;
    make_plan(&spec, first, "another kind");
    spec = two_sides(3, 4000);
    make_plan(&spec, 0, "the first again");
}

Test(faults_builds, once_for_a_device)
{
    faults_open_device(&device, NULL);
    check_plans(1);
}

Test(faults_builds, once_for_a_gpu)
{
    faults_open_device(&device, &gpu);
    check_plans(2);
}

/* Kernels that turn out to take fewer work-items are built for fewer: once, too. */
Test(faults_builds, once_more_for_smaller_work_groups)
{
    const struct faults_fake weak = {
        .type = CL_DEVICE_TYPE_GPU, .device_work_group = 32, .kernel_work_group = 16};
    clkl_spec spec = two_sides(3, 4000);
    faults_open_device(&device, &weak);
    make_plan(&spec, 4, "the first plan");
    make_plan(&spec, 0, "the second plan");
}

/* ---- A plan's own commands ---- */

/* So many launches, on a queue of the plan's own that is gone afterwards. */
static void expect_warm_up(enum job_kind kind, uint32_t flags, unsigned launches)
{
    struct job job;
    job_make(&job, &device, kind);
    const struct faults_live live = faults_live();
    faults_reset();
    REQUIRE(WATCHED(clkl_plan_create(device.device, &job.spec, flags, &job.plan, NULL)));
    const struct faults_live now = faults_live();
    cr_expect_eq(faults_count(CALL_clEnqueueNDRangeKernel), launches, "%s", job.name);
    cr_expect_eq(faults_count(CALL_clCreateCommandQueue), launches > 0 ? 1 : 0, "%s", job.name);
    cr_expect_eq(now.of[LIVE_QUEUES], live.of[LIVE_QUEUES], "%s", job.name);
    cr_expect_eq(now.of[LIVE_BUFFERS], live.of[LIVE_BUFFERS], "%s", job.name);
    job_free(&job);
}

Test(faults_builds, every_kernel_is_launched_once)
{
    faults_open_device(&device, &gpu);
    expect_warm_up(JOB_SHORT_ROWS, 0, 1);
    expect_warm_up(JOB_MEDIUM_ROWS, 0, 2);
    expect_warm_up(JOB_LONG_ROWS, 0, 3);
    expect_warm_up(JOB_LONG_ROWS, CLKL_PLAN_NO_WARM_UP, 0);
    expect_warm_up(JOB_DETERMINISTIC, 0, 0);
}

/* Whoever has a context knows platform and device. */
Test(faults_builds, nothing_is_enumerated)
{
    clkl_device *own = NULL;
    clkl_plan *plan = NULL;
    clkl_spec spec = two_sides(2, 80000);
    faults_open_device(&device, NULL);
    REQUIRE(WATCHED(clkl_device_create(device.context, device.id, &own, NULL)));
    REQUIRE(WATCHED(clkl_plan_create(own, &spec, 0, &plan, NULL)));
    cr_expect_gt(faults_count(CALL_clGetDeviceInfo), 0u);
    cr_expect_eq(faults_count(CALL_clGetPlatformIDs), 0u);
    cr_expect_eq(faults_count(CALL_clGetDeviceIDs), 0u);
    cr_expect_eq(faults_count(CALL_clCreateContext), 0u);
    clkl_plan_release(plan);
    clkl_device_release(own);
}

/* ---- By several threads ---- */

enum { THREADS = 8 };

static pthread_barrier_t barrier;

static void *plan_in_thread(void *spec)
{
    clkl_plan *plan = NULL;
    pthread_barrier_wait(&barrier);
    const clkl_status status = clkl_plan_create(device.device, spec, 0, &plan, NULL);
    clkl_plan_release(plan);
    return status == CLKL_OK ? spec : NULL;
}

/* Every thread makes the plan of specs[its number % count]. */
static void plan_in_threads(clkl_spec *specs, size_t count)
{
    pthread_t threads[THREADS];
    void *done = NULL;
    faults_reset();
    REQUIRE(pthread_barrier_init(&barrier, NULL, THREADS));
    faults_watch(true);
    for (size_t i = 0; i < THREADS; ++i)
        REQUIRE(pthread_create(&threads[i], NULL, plan_in_thread, &specs[i % count]));
    for (size_t i = 0; i < THREADS; ++i) {
        REQUIRE(pthread_join(threads[i], &done));
        cr_expect_not_null(done, "thread %zu has no plan", i);
    }
    faults_watch(false);
    REQUIRE(pthread_barrier_destroy(&barrier));
}

Test(faults_builds, once_for_all_threads)
{
    clkl_spec specs[] = {two_sides(3, 4000), two_sides(5, 3000)};
    faults_open_device(&device, NULL);
    plan_in_threads(specs, 1);
    expect_builds(1, "one specification");
    specs[1].q.form = CLKL_MEAN_LOGSTD;
    plan_in_threads(specs, 2);
    expect_builds(1, "another one beside it");
}
