/* Every allocation of the library's own fails once: the status says so, nothing is left behind, and
 * what is there goes on working. The program is linked so that malloc and its kin are the functions
 * below for the library and for the tests, not for OpenCL. */
#include "support.h"

#include "support/hash.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static struct test_device device;

static void close_device(void)
{
    if (device.context != NULL)
        test_device_close(&device);
}

TestSuite(faults_memory, .fini = close_device, .timeout = 300);

/* ---- An allocator that fails ---- */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void __wrap_free(void *memory);

static bool armed;
static unsigned seen, failing_at;
static bool has_failed;
static atomic_int blocks; /* allocated and not freed */

/* Whether this allocation is the one to fail. */
static bool fails(void)
{
    if (!armed || ++seen != failing_at)
        return false;
    has_failed = true;
    return true;
}

static void *counted(void *memory)
{
    if (memory != NULL)
        ++blocks;
    return memory;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *memory, size_t size)
{
    if (fails())
        return NULL;
    void *grown = __real_realloc(memory, size);
    return memory == NULL ? counted(grown) : grown;
}

void __wrap_free(void *memory)
{
    if (memory != NULL)
        --blocks;
    __real_free(memory);
}

/* The value of `call` while the allocation number `nth` fails. */
#define STARVED(nth, call) (starve(nth), fed(call))

static void starve(unsigned nth)
{
    seen = 0;
    failing_at = nth;
    has_failed = false;
    armed = true;
}

static clkl_status fed(clkl_status status)
{
    armed = false;
    return status;
}

/* What lives when a step begins. */
struct holdings {
    int blocks;
    struct faults_live live;
};

static struct holdings holdings(void)
{
    return (struct holdings){blocks, faults_live()};
}

static void expect_holdings(const struct holdings *before, const char *what, unsigned nth)
{
    const int now = blocks;
    cr_expect_eq(now, before->blocks, "%s, allocation %u: %d blocks, were %d", what, nth, now,
                 before->blocks);
    expect_live(&before->live, "%s, allocation %u", what, nth);
}

static void expect_out_of_memory(clkl_status status, const clkl_error *error, const char *what,
                                 unsigned nth)
{
    cr_expect_eq(status, CLKL_OUT_OF_HOST_MEMORY, "%s, allocation %u: status %d", what, nth,
                 status);
    cr_expect_eq(error->status, CLKL_OUT_OF_HOST_MEMORY, "%s, allocation %u", what, nth);
    cr_expect_neq(error->message[0], '\0', "%s, allocation %u", what, nth);
}

/* ---- Devices and plans ---- */

Test(faults_memory, device)
{
    clkl_error error = {.struct_size = sizeof error};
    unsigned nth = 0;
    faults_open_device(&device, NULL);
    const struct holdings before = holdings();
    do {
        clkl_device *made = (clkl_device *)(uintptr_t)&error;
        const clkl_status status =
            STARVED(++nth, clkl_device_create(device.context, device.id, &made, &error));
        if (has_failed) {
            expect_out_of_memory(status, &error, "clkl_device_create", nth);
            cr_expect_null(made);
        }
        clkl_device_release(made);
        expect_holdings(&before, "clkl_device_create", nth);
    } while (has_failed);
    cr_expect_gt(nth, 1u);
}

/* A plan on a device that has built nothing. Kernels that the pool has no room for are made again,
 * so not every failure is one of the plan's. */
static bool plan_starved(struct job *job, unsigned nth, unsigned *refused)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_device *own = NULL;
    clkl_plan *made = (clkl_plan *)(uintptr_t)&error;
    REQUIRE(clkl_device_create(device.context, device.id, &own, NULL));
    const clkl_status status = STARVED(nth, clkl_plan_create(own, &job->spec, 0, &made, &error));
    if (status != CLKL_OK) {
        cr_expect(has_failed, "%s: %s", job->name, error.message);
        expect_out_of_memory(status, &error, job->name, nth);
        cr_expect_null(made);
        ++*refused;
    } else {
        struct job tried = *job;
        tried.plan = made;
        job_expect_to_run(&tried, "a plan made in want");
    }
    clkl_plan_release(made);
    clkl_device_release(own);
    return has_failed;
}

static void check_plan(enum job_kind kind)
{
    struct job job;
    unsigned nth = 0, refused = 0;
    job_make(&job, &device, kind);
    const struct holdings before = holdings();
    while (plan_starved(&job, ++nth, &refused))
        expect_holdings(&before, job.name, nth);
    cr_expect_geq(refused, kind == JOB_DETERMINISTIC ? 1u : 2u, "%s", job.name);
    job_free(&job);
}

Test(faults_memory, plan)
{
    faults_open_device(&device, NULL);
    check_plan(JOB_LONG_ROWS);
    check_plan(JOB_DETERMINISTIC);
}

/* ---- Blobs ---- */

enum { CAPACITY = 8 << 20 };

/* The device, with the programs of a job, written to a blob while each allocation fails in turn. */
static size_t export_starved(unsigned char *blob)
{
    clkl_error error = {.struct_size = sizeof error};
    const struct holdings before = holdings();
    unsigned nth = 0;
    size_t size = 0;
    do {
        const clkl_status status = STARVED(
            ++nth, clkl_device_export_programs(device.device, CAPACITY, blob, &size, &error));
        if (has_failed)
            expect_out_of_memory(status, &error, "export", nth);
        expect_holdings(&before, "export", nth);
    } while (has_failed);
    cr_expect_gt(nth, 2u);
    return size;
}

static void import_starved(const unsigned char *blob, size_t size)
{
    clkl_error error = {.struct_size = sizeof error};
    const struct holdings before = holdings();
    unsigned nth = 0;
    bool more = true;
    while (more) {
        clkl_device *own = NULL;
        REQUIRE(clkl_device_create(device.context, device.id, &own, NULL));
        const clkl_status status =
            STARVED(++nth, clkl_device_import_programs(own, blob, size, &error));
        more = has_failed;
        if (more) {
            expect_out_of_memory(status, &error, "import", nth);
            cr_expect_null(own->programs);
        }
        clkl_device_release(own);
        expect_holdings(&before, "import", nth);
    }
    cr_expect_gt(nth, 1u);
}

Test(faults_memory, blobs)
{
    struct job job;
    unsigned char *blob = malloc(CAPACITY);
    cr_assert_not_null(blob);
    faults_open_device(&device, NULL);
    job_make(&job, &device, JOB_SHORT_ROWS);
    job_plan(&job);
    const size_t size = export_starved(blob);
    import_starved(blob, size);
    job_free(&job);
    free(blob);
}

/* ---- Enqueueing ---- */

static void check_enqueue(enum job_kind kind)
{
    clkl_error error = {.struct_size = sizeof error};
    struct job job;
    unsigned nth = 0;
    job_make(&job, &device, kind);
    job_plan(&job);
    const struct holdings before = holdings();
    do {
        job_spoil(&job);
        const clkl_status status =
            STARVED(++nth, clkl_enqueue(job.plan, device.queue, &job.args, 0, NULL, NULL, &error));
        if (status == CLKL_OK)
            job_expect_results(&job, "enqueued in want");
        else
            expect_out_of_memory(status, &error, job.name, nth);
        expect_holdings(&before, job.name, nth);
    } while (has_failed);
    job_free(&job);
}

Test(faults_memory, enqueue)
{
    faults_open_device(&device, NULL);
    for (enum job_kind kind = 0; kind < JOB_KINDS; ++kind)
        check_enqueue(kind);
}

/* More kernels come back than the pool has room for, and it cannot grow: they are released, and it
 * goes on with those it has. */
Test(faults_memory, kernel_pool)
{
    enum { KERNELS = 20 };
    cl_kernel kernels[KERNELS];
    struct job job;
    faults_open_device(&device, NULL);
    job_make(&job, &device, JOB_SHORT_ROWS);
    job_plan(&job);
    struct clkl_kernel_pool *pool = &job.plan->passes[0].diagonal;
    const struct faults_live live = faults_live();
    for (int i = 0; i < KERNELS; ++i)
        REQUIRE(clkl_kernel_pool_take(pool, &kernels[i], NULL));
    starve(1);
    for (int i = 0; i < KERNELS; ++i)
        clkl_kernel_pool_return(pool, kernels[i]);
    armed = false;
    cr_expect(has_failed);
    cr_expect_geq(pool->count, 1u);
    cr_expect_leq(pool->count, pool->capacity);
    cr_expect_eq(faults_live().of[LIVE_KERNELS] - live.of[LIVE_KERNELS], (int)pool->count - 1);
    job_expect_to_run(&job, "after a pool that could not grow");
    job_free(&job);
}

/* ---- The engine ---- */

static const clkl_engine_options strict = {
    .struct_size = sizeof strict, .device = "", .fallback = CLKL_FALLBACK_FORBIDDEN};

Test(faults_memory, engine)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_device_info info = {.struct_size = sizeof info};
    unsigned nth = 0;
    size_t count = 0;
    faults_open();
    const struct holdings before = holdings();
    do {
        clkl_engine *engine = (clkl_engine *)(uintptr_t)&error;
        const clkl_status status = STARVED(++nth, clkl_engine_create(&strict, &engine, &error));
        if (has_failed) {
            expect_out_of_memory(status, &error, "clkl_engine_create", nth);
            cr_expect_null(engine);
        }
        clkl_engine_release(engine);
        expect_holdings(&before, "clkl_engine_create", nth);
    } while (has_failed);
    cr_expect_gt(nth, 3u);
    expect_out_of_memory(STARVED(1, clkl_devices_list(&strict, 1, &info, &count, &error)), &error,
                         "clkl_devices_list", 1);
    expect_holdings(&before, "clkl_devices_list", 1);
}

/* Each time with an engine that has built nothing yet. */
static bool run_starved(const struct job *job, unsigned nth, float *result, unsigned *refused)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_engine *engine = NULL;
    const clkl_host_args args = {.struct_size = sizeof args,
                                 .p_mean = job->arrays[0],
                                 .p_scale = job->arrays[1],
                                 .q_mean = job->arrays[2],
                                 .q_scale = job->arrays[3],
                                 .result = result};
    REQUIRE(clkl_engine_create(&strict, &engine, &error));
    const clkl_status status = STARVED(nth, clkl_engine_run(engine, &job->spec, &args, &error));
    const bool failed = has_failed;
    if (status != CLKL_OK) {
        expect_out_of_memory(status, &error, "clkl_engine_run", nth);
        REQUIRE(clkl_engine_run(engine, &job->spec, &args, &error));
        ++*refused;
    }
    clkl_engine_release(engine);
    for (uint64_t i = 0; i < job->expected.count; ++i)
        cr_expect_float_eq((double)result[i], job->expected.values[i],
                           1e-6 * job->expected.values[i]);
    return failed;
}

Test(faults_memory, engine_run)
{
    struct job job;
    unsigned nth = 0, refused = 0;
    faults_open_device(&device, NULL);
    job_make(&job, &device, JOB_LONG_ROWS);
    float *result = calloc(job.expected.count, sizeof *result);
    cr_assert_not_null(result);
    const struct holdings before = holdings();
    while (run_starved(&job, ++nth, result, &refused))
        expect_holdings(&before, "clkl_engine_run", nth);
    cr_expect_geq(refused, 2u);
    free(result);
    job_free(&job);
}
