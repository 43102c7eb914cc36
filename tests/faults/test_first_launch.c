/* Nothing is compiled at the first launch: PoCL would specialise kernels for the size of a launch
 * then, were it not for the plan, which has launched them. What it compiles it keeps as files. */
#define _XOPEN_SOURCE 700 /* nftw */
#include "support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static struct test_device device;

static const struct faults_fake gpu = {.type = CL_DEVICE_TYPE_GPU};

/* ---- The cache ---- */

static char cache[] = "/tmp/clkl-faults-XXXXXX";
static unsigned files;

static int count_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)path, (void)status, (void)walk;
    files += kind == FTW_F;
    return 0;
}

static unsigned cached_files(void)
{
    files = 0;
    cr_assert_eq(nftw(cache, count_one, 16, FTW_PHYS), 0);
    return files;
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

/* The device, with a cache of its own that is empty. */
static void open_with_empty_cache(const struct faults_fake *fake)
{
    cr_assert_not_null(mkdtemp(cache));
    setenv("POCL_CACHE_DIR", cache, 1);
    faults_open_device(&device, fake);
}

static void close_cache(void)
{
    test_device_close(&device);
    nftw(cache, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

TestSuite(faults_first_launch, .fini = close_cache, .timeout = 300);

/* ---- Launches ---- */

/* Runs a batch, and expects the cache not to grow. */
static void launch(struct job *job, uint64_t batch)
{
    const unsigned before = cached_files();
    clkl_error error = {.struct_size = sizeof error};
    clkl_args args = job->args;
    args.batch = batch;
    cr_assert_gt(before, 0u, "nothing is cached at all");
    cr_assert(clkl_enqueue(job->plan, device.queue, &args, 0, NULL, NULL, &error) == CLKL_OK, "%s",
              error.message);
    REQUIRE(clFinish(device.queue));
    const unsigned after = cached_files();
    cr_expect_eq(after, before, "%s, batch of %llu: %u files were compiled by the launch",
                 job->name, (unsigned long long)batch, after - before);
}

static void check_job(enum job_kind kind)
{
    struct job job;
    job_make(&job, &device, kind);
    job_plan(&job);
    launch(&job, 0);
    launch(&job, job.spec.shape[0] - 1);
    launch(&job, 1);
    job_free(&job);
}

enum { MANY = 70000 };

/* A buffer of so many words in place of another. */
static cl_mem grown(cl_mem mem, size_t words)
{
    REQUIRE(clReleaseMemObject(mem));
    return test_buffer(&device, NULL, words * sizeof(cl_uint));
}

/* So many rows that the planned batch counts as large where small ones are compiled apart. The rows
 * are all the same one. */
static void check_many_rows(enum job_kind kind, uint64_t elements)
{
    struct job job;
    job_make(&job, &device, kind);
    job.name = "many rows";
    job.spec.shape[0] = MANY;
    job.spec.shape[1] = elements;
    job.spec.p.layout = CLKL_STRIDED;
    job.spec.p.mean_strides[1] = job.spec.p.scale_strides[1] = 1;
    job.spec.q.layout = CLKL_SHARED;
    job.args.p_mean.mem = grown(job.args.p_mean.mem, elements);
    job.args.p_scale.mem = grown(job.args.p_scale.mem, elements);
    job.args.result.mem = grown(job.args.result.mem, MANY);
    job.args.value_status.mem = grown(job.args.value_status.mem, MANY);
    job.args.clamp_counts.mem = grown(job.args.clamp_counts.mem, 2 * MANY);
    job_plan(&job);
    launch(&job, 1);
    launch(&job, 300);
    job_free(&job);
}

/* Those first: what they need is not cached by others then. */
static void check_all(void)
{
    check_many_rows(JOB_SHORT_ROWS, 8192);
    check_many_rows(JOB_LONG_ROWS, 40000);
    for (enum job_kind kind = 0; kind < JOB_DETERMINISTIC; ++kind)
        check_job(kind);
}

Test(faults_first_launch, compiles_nothing)
{
    open_with_empty_cache(NULL);
    check_all();
}

Test(faults_first_launch, compiles_nothing_on_a_gpu)
{
    open_with_empty_cache(&gpu);
    check_all();
}
