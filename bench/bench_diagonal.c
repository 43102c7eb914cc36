/* bench_diagonal [ROUNDS]: the speed of the diagonal kernels on packed moments, 64 x 16 x 128 x 128
 * in fp32, beside the limit that memory sets: explicit read loops in the same process, with as many
 * threads as the device has compute units, run in turn with the kernels. Medians over all rounds.
 *
 * Each kernel is run once more over data that stay in the first-level cache (a batch of one short
 * sample, repeated by a stride of 0): where that is no faster, arithmetic is the limit and not
 * memory.
 *
 * Which device: the first one that the environment lets through.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include "read_limit.h"

#include <clkl/clkl_opencl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64, CHANNELS = 16, SIDE = 128, MAX_ROUNDS = 1001, MAX_ROWS = 32 };

#define SAMPLE        ((size_t)2 * CHANNELS * SIDE * SIDE)
#define CACHED_SAMPLE ((size_t)2 * 4096)

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_diagonal: %s: %s\n", what, why);
    exit(1);
}

static void check(cl_int code, const char *call)
{
    char text[32];
    snprintf(text, sizeof text, "OpenCL error %d", (int)code);
    if (code != CL_SUCCESS)
        fail(call, text);
}

/* ---- What is measured ---- */

struct bench {
    cl_context context;
    cl_device_id id;
    cl_command_queue queue;
    clkl_device *device;
    char name[128];
    cl_uint units;
    size_t bytes; /* of one packed array */
    float *p, *q; /* packed moments */
    cl_mem p_mem, q_mem, result, scratch;
};

/* One row of the table, and its times. */
struct row {
    char name[64];
    clkl_plan *plan; /* NULL for a read loop */
    size_t loop;
    size_t bytes; /* read in one run */
    double times[MAX_ROUNDS];
};

/* What is computed: every case reads 134 MB, those against moments twice that. */
struct bench_case {
    const char *name;
    uint64_t shape[4]; /* of the mean; the moments are packed along axis 1 */
    uint32_t keep;
    int against_q, clamp;
    int cached; /* the same 4,096 elements, as often as it takes for as many bytes */
};

#define SAMPLES          \
    {                    \
        64, 16, 128, 128 \
    }
#define AXES(a, b, c, d) ((a) | (b) << 1 | (c) << 2 | (d) << 3)
#define REPEATED                                               \
    {                                                          \
        BATCH *SAMPLE / CACHED_SAMPLE, CACHED_SAMPLE / 2, 1, 1 \
    }

static const struct bench_case cases[] = {
    {"moments against N(0, I)", SAMPLES, 0, 0, 0, 0},
    {"the same, clamped", SAMPLES, 0, 0, 1, 0},
    {"moments against moments", SAMPLES, 0, 1, 0, 0},
    {"in cache: moments against N(0, I)", REPEATED, 0, 0, 0, 1},
    {"in cache: the same, clamped", REPEATED, 0, 0, 1, 1},
    {"in cache: moments against moments", REPEATED, 0, 1, 0, 1},
    {"one value in all", SAMPLES, CLKL_KEEP_NONE, 0, 0, 0},
    {"per unit, over the batch: keep 1,2,3", SAMPLES, AXES(0, 1, 1, 1), 0, 0, 0},
    {"per unit, [1048576,16]: keep 1", {1 << 20, 16, 1, 1}, AXES(0, 1, 0, 0), 0, 0, 0},
    {"per unit, [409600,40]: keep 1", {409600, 40, 1, 1}, AXES(0, 1, 0, 0), 0, 0, 0},
    {"per channel: keep 1", SAMPLES, AXES(0, 1, 0, 0), 0, 0, 0},
    {"per channel, 8 x 8: keep 1", {16384, 16, 8, 8}, AXES(0, 1, 0, 0), 0, 0, 0},
    {"per position: keep 2,3", SAMPLES, AXES(0, 0, 1, 1), 0, 0, 0},
    {"per sample and position: keep 0,2,3", SAMPLES, AXES(1, 0, 1, 1), 0, 0, 0},
    {"element by element: keep 0,1,2,3", SAMPLES, AXES(1, 1, 1, 1), 0, 0, 0},
};

enum { CASES = sizeof cases / sizeof *cases };

static clkl_spec spec_of(const struct bench_case *item)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 4};
    memcpy(spec.shape, item->shape, sizeof item->shape);
    spec.p.form = CLKL_MOMENTS;
    if (item->cached) {
        spec.p.layout = CLKL_STRIDED;
        spec.p.mean_strides[1] = spec.p.mean_strides[2] = spec.p.mean_strides[3] = 1;
    }
    if (item->against_q)
        spec.q = spec.p;
    spec.keep = item->keep;
    spec.clamp = item->clamp ? CLKL_CLAMP : CLKL_NO_CLAMP;
    spec.clamp_low = -30.0;
    spec.clamp_high = 20.0;
    return spec;
}

static void add_kernel(struct bench *bench, struct row *row, const struct bench_case *item)
{
    clkl_error error = {.struct_size = sizeof error};
    const clkl_spec spec = spec_of(item);
    snprintf(row->name, sizeof row->name, "KL: %s", item->name);
    row->bytes = bench->bytes * (item->against_q ? 2 : 1);
    if (clkl_plan_create(bench->device, &spec, 0, &row->plan, &error) != CLKL_OK)
        fail(item->name, error.message);
}

static double kernel_time(struct bench *bench, const struct row *row)
{
    clkl_args args = {.struct_size = sizeof args};
    clkl_error error = {.struct_size = sizeof error};
    args.p_mean.mem = bench->p_mem;
    args.q_mean.mem = bench->q_mem;
    args.result.mem = bench->result;
    args.scratch.mem = bench->scratch;
    const double begin = seconds();
    if (clkl_enqueue(row->plan, bench->queue, &args, 0, NULL, NULL, &error) != CLKL_OK)
        fail(row->name, error.message);
    check(clFinish(bench->queue), "clFinish");
    return seconds() - begin;
}

/* ---- Setting up ---- */

/* Means in [-2, 2], log-variances in [-6, 2]: a cheap generator will do for speed. */
static float *make_moments(size_t bytes, unsigned seed)
{
    float *data = aligned_alloc(4096, bytes);
    if (data == NULL)
        fail("inputs", "no memory");
    for (size_t i = 0; i < bytes / sizeof *data; ++i) {
        seed = seed * 1664525u + 1013904223u;
        const float unit = (float)(seed >> 8) * 0x1p-24f;
        data[i] = i / (SAMPLE / 2) % 2 == 0 ? 4.0f * unit - 2.0f : 8.0f * unit - 6.0f;
    }
    return data;
}

static void open_device(struct bench *bench)
{
    cl_platform_id platforms[16];
    cl_uint count = 0;
    cl_int code = CL_SUCCESS;
    check(clGetPlatformIDs(16, platforms, &count), "clGetPlatformIDs");
    for (cl_uint i = 0; i < count && bench->id == NULL; ++i)
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 1, &bench->id, NULL) != CL_SUCCESS)
            bench->id = NULL;
    if (bench->id == NULL)
        fail("OpenCL", "no device");
    check(clGetDeviceInfo(bench->id, CL_DEVICE_NAME, sizeof bench->name, bench->name, NULL),
          "clGetDeviceInfo");
    check(clGetDeviceInfo(bench->id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof bench->units,
                          &bench->units, NULL),
          "clGetDeviceInfo");
    bench->context = clCreateContext(NULL, 1, &bench->id, NULL, NULL, &code);
    check(code, "clCreateContext");
    bench->queue = clCreateCommandQueue(bench->context, bench->id, 0, &code);
    check(code, "clCreateCommandQueue");
    clkl_error error = {.struct_size = sizeof error};
    if (clkl_device_create(bench->context, bench->id, &bench->device, &error) != CLKL_OK)
        fail("clkl_device_create", error.message);
}

static cl_mem make_buffer(struct bench *bench, cl_mem_flags flags, size_t bytes, void *host)
{
    cl_int code = CL_SUCCESS;
    const cl_mem mem = clCreateBuffer(bench->context, flags, bytes, host, &code);
    check(code, "clCreateBuffer");
    return mem;
}

static void make_buffers(struct bench *bench, const struct row *rows, size_t count)
{
    size_t scratch = 64;
    for (size_t i = 0; i < count; ++i)
        if (clkl_plan_scratch_size(rows[i].plan) > scratch)
            scratch = clkl_plan_scratch_size(rows[i].plan);
    bench->p_mem = make_buffer(bench, CL_MEM_USE_HOST_PTR, bench->bytes, bench->p);
    bench->q_mem = make_buffer(bench, CL_MEM_USE_HOST_PTR, bench->bytes, bench->q);
    bench->result = make_buffer(bench, CL_MEM_READ_WRITE, bench->bytes / 2, NULL);
    bench->scratch = make_buffer(bench, CL_MEM_READ_WRITE, scratch, NULL);
}

/* ---- Reporting ---- */

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median_speed(struct row *row, size_t rounds)
{
    qsort(row->times, rounds, sizeof row->times[0], by_size);
    return (double)row->bytes / row->times[rounds / 2] * 1e-9;
}

static void report(const struct bench *bench, struct row *rows, size_t loops, size_t count,
                   size_t rounds)
{
    double speeds[MAX_ROWS], limit = 0.0;
    for (size_t i = 0; i < count; ++i)
        speeds[i] = median_speed(&rows[i], rounds);
    for (size_t i = 0; i < loops; ++i)
        if (speeds[i] > limit)
            limit = speeds[i];
    printf("%s, %u compute units, median of %zu interleaved runs\n", bench->name,
           (unsigned)bench->units, rounds);
    for (size_t i = 0; i < count; ++i)
        printf("%-46s %7.2f GB/s  %5.1f %%\n", rows[i].name, speeds[i], 100.0 * speeds[i] / limit);
    printf("(%% of the fastest read loop)\n");
}

int main(int argc, char **argv)
{
    static struct row rows[MAX_ROWS];
    struct bench bench = {.bytes = BATCH * SAMPLE * sizeof(float)};
    const size_t rounds = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 41;
    if (rounds < 1 || rounds > MAX_ROUNDS)
        fail("ROUNDS", "expected 1 to 1001");
    open_device(&bench);
    bench.p = make_moments(bench.bytes, 1);
    bench.q = make_moments(bench.bytes, 2);

    const size_t loops = read_loop_count();
    size_t count = loops;
    for (size_t i = 0; i < loops; ++i) {
        snprintf(rows[i].name, sizeof rows[i].name, "read: %s", read_loop_name(i));
        rows[i].loop = i;
        rows[i].bytes = bench.bytes;
    }
    for (size_t i = 0; i < CASES; ++i)
        add_kernel(&bench, &rows[count++], &cases[i]);
    make_buffers(&bench, rows + loops, count - loops);

    struct read_pool *pool = read_pool_create(bench.units);
    if (pool == NULL)
        fail("threads", "no memory");
    for (size_t round = 0; round < rounds + 2; ++round) /* two to warm up, then overwritten */
        for (size_t i = 0; i < count; ++i)
            rows[i].times[round < 2 ? 0 : round - 2] =
                i < loops ? read_loop_time(pool, rows[i].loop, bench.p, bench.bytes / sizeof(float))
                          : kernel_time(&bench, &rows[i]);
    report(&bench, rows, loops, count, rounds);

    read_pool_destroy(pool);
    for (size_t i = loops; i < count; ++i)
        clkl_plan_release(rows[i].plan);
    const cl_mem buffers[] = {bench.p_mem, bench.q_mem, bench.result, bench.scratch};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; ++i)
        clReleaseMemObject(buffers[i]);
    clkl_device_release(bench.device);
    clReleaseCommandQueue(bench.queue);
    clReleaseContext(bench.context);
    free(bench.p);
    free(bench.q);
    return 0;
}
