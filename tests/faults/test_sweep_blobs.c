/* The sweep of test_sweep.c over programs as blobs. */
#include "verdict.h"

#include <stdlib.h>
#include <string.h>

enum { MOST_CALLS = 200, CAPACITY = 8 << 20 };

static struct test_device device;

static void close_device(void)
{
    test_device_close(&device);
}

TestSuite(faults_blobs, .fini = close_device, .timeout = 300);

/* So that a job has two programs. */
static const struct faults_fake gpu = {.type = CL_DEVICE_TYPE_GPU, .device_work_group = 32};

static unsigned char *room(void)
{
    unsigned char *blob = malloc(CAPACITY);
    cr_assert_not_null(blob);
    return blob;
}

/* A job with a plan, and the blob of its programs. */
static size_t make_blob(struct job *job, unsigned char *blob)
{
    size_t size = 0;
    faults_open_device(&device, &gpu);
    job_make(job, &device, JOB_MEDIUM_ROWS);
    job_plan(job);
    REQUIRE(clkl_device_export_programs(device.device, CAPACITY, blob, &size, NULL));
    cr_assert_gt(size, 0u);
    return size;
}

static bool is_zero(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; ++i)
        if (bytes[i] != 0)
            return false;
    return true;
}

/* Writes all of the blob, or nothing and says why not. */
Test(faults_blobs, export)
{
    unsigned char *blob = room(), *again = room();
    struct verdict verdict;
    struct job job;
    const size_t size = make_blob(&job, blob);
    const struct faults_live live = faults_live();
    for (unsigned nth = 1; nth < MOST_CALLS; ++nth) {
        size_t found = 0;
        memset(again, 0, size);
        verdict_begin(&verdict, nth);
        verdict.status = WATCHED(
            clkl_device_export_programs(device.device, CAPACITY, again, &found, &verdict.error));
        expect_live(&live, "export, call %u", nth);
        const bool over = verdict_is_over(&verdict, nth, 10, "export");
        if (!over)
            verdict_expect_reported(&verdict, nth, "export");
        if (verdict.status != CLKL_OK)
            cr_expect(found == 0 && is_zero(again, size), "export, call %u: some was written", nth);
        else
            cr_expect(found == size && memcmp(blob, again, size) == 0,
                      "export, call %u: the blob is another one", nth);
        if (over)
            break;
    }
    job_free(&job);
    free(blob);
    free(again);
}

/* A plan on a device that has imported takes what it needs from there. */
static void expect_no_builds(struct job *job, clkl_device *on)
{
    struct job tried = *job;
    faults_reset();
    REQUIRE(WATCHED(clkl_plan_create(on, &job->spec, 0, &tried.plan, NULL)));
    cr_expect_eq(faults_count(CALL_clCreateProgramWithSource), 0u);
    cr_expect_eq(faults_count(CALL_clBuildProgram), 0u);
    job_expect_to_run(&tried, "imported programs");
    clkl_plan_release(tried.plan);
}

/* Takes all of the blob over or nothing; after a failure it can be tried again. */
static bool import_once(struct job *job, const unsigned char *blob, size_t size, unsigned nth)
{
    struct verdict verdict;
    clkl_device *own = NULL;
    REQUIRE(clkl_device_create(device.context, device.id, &own, NULL));
    verdict_begin(&verdict, nth);
    verdict.status = WATCHED(clkl_device_import_programs(own, blob, size, &verdict.error));
    const bool over = verdict_is_over(&verdict, nth, 8, "import");
    if (!over && verdict_expect_reported(&verdict, nth, "import")) {
        cr_expect_null(own->programs, "import, call %u: some programs were taken", nth);
        REQUIRE(clkl_device_import_programs(own, blob, size, NULL));
    }
    expect_no_builds(job, own);
    clkl_device_release(own);
    return over;
}

Test(faults_blobs, import)
{
    unsigned char *blob = room();
    struct job job;
    const size_t size = make_blob(&job, blob);
    const struct faults_live live = faults_live();
    for (unsigned nth = 1; nth < MOST_CALLS && !import_once(&job, blob, size, nth); ++nth)
        expect_live(&live, "import, call %u", nth);
    REQUIRE(clFinish(device.queue));
    expect_live(&live, "import");
    job_free(&job);
    free(blob);
}
