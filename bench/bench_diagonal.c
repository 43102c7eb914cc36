/* bench_diagonal [ROUNDS [TEXT]]: the speed of the diagonal kernels on packed moments, 64 x 16 x
 * 128 x 128 in fp32 (and as many bytes of other types), beside the limit that memory sets: explicit
 * read loops in the same process, with as many threads as the device has compute units, run in turn
 * with the kernels. Medians over all rounds. With TEXT, only the loops and the kernels whose names
 * contain it.
 *
 * Before each run as many bytes are read elsewhere, so that none profits from what the one before
 * left in the caches. Where a kernel writes as much as it reads, or half of it, what it writes is
 * counted, and the limit to hold it against is that of a loop that does the same.
 *
 * Each kernel is run once more over data that stay in the first-level cache (a batch of one short
 * sample, repeated by a stride of 0): where that is no faster, arithmetic is the limit and not
 * memory.
 *
 * Which device: the first one that the environment lets through.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include "failure.h"
#include "read_limit.h"

#include <clkl/clkl_opencl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64, CHANNELS = 16, SIDE = 128, MAX_ROUNDS = 1001, MAX_ROWS = 48 };

#define SAMPLE        ((size_t)2 * CHANNELS * SIDE * SIDE)
#define CACHED_SAMPLE ((size_t)2 * 4096)

/* ---- What is measured ---- */

enum { TYPES = CLKL_BF16 + 1 };

struct bench {
    cl_context context;
    cl_device_id id;
    cl_command_queue queue;
    clkl_device *device;
    char name[128];
    cl_uint units;
    size_t bytes;   /* of one packed array */
    float *p, *q;   /* packed moments */
    float *written; /* by loops; half as many bytes */
    cl_mem p_mem, q_mem, result, scratch, gradient;
    void *typed[TYPES]; /* packed moments of each type but fp32, in as many bytes */
    cl_mem typed_mem[TYPES];
};

/* One row of the table, and its times. */
struct row {
    char name[64];
    clkl_plan *plan; /* NULL for a read loop */
    size_t loop;
    size_t bytes; /* read and written in one run */
    int skipped, writes, gradient;
    clkl_dtype type;
    double times[MAX_ROUNDS];
};

/* What is computed: every case reads 134 MB, those against moments twice that. */
struct bench_case {
    const char *name;
    uint64_t shape[4]; /* of the mean; the moments are packed along axis 1 */
    uint32_t keep;
    int against_q, clamp;
    int cached; /* the same 4,096 elements, as often as it takes for as many bytes */
    clkl_dtype type;
};

#define SAMPLES          \
    {                    \
        64, 16, 128, 128 \
    }
#define REPEATED_16                                                   \
    {                                                                 \
        2 * (BATCH * SAMPLE / CACHED_SAMPLE), CACHED_SAMPLE / 2, 1, 1 \
    }
#define AXES(a, b, c, d) ((a) | (b) << 1 | (c) << 2 | (d) << 3)
#define REPEATED                                               \
    {                                                          \
        BATCH *SAMPLE / CACHED_SAMPLE, CACHED_SAMPLE / 2, 1, 1 \
    }

static const struct bench_case cases[] = {
    {"moments against N(0, I)", SAMPLES, 0, 0, 0, 0, CLKL_F32},
    {"the same, clamped", SAMPLES, 0, 0, 1, 0, CLKL_F32},
    {"moments against moments", SAMPLES, 0, 1, 0, 0, CLKL_F32},
    {"in cache: moments against N(0, I)", REPEATED, 0, 0, 0, 1, CLKL_F32},
    {"in cache: the same, clamped", REPEATED, 0, 0, 1, 1, CLKL_F32},
    {"in cache: moments against moments", REPEATED, 0, 1, 0, 1, CLKL_F32},
    {"one value in all", SAMPLES, CLKL_KEEP_NONE, 0, 0, 0, CLKL_F32},
    {"per unit, over the batch: keep 1,2,3", SAMPLES, AXES(0, 1, 1, 1), 0, 0, 0, CLKL_F32},
    {"per unit, [1048576,16]: keep 1", {1 << 20, 16, 1, 1}, AXES(0, 1, 0, 0), 0, 0, 0, CLKL_F32},
    {"per unit, [409600,40]: keep 1", {409600, 40, 1, 1}, AXES(0, 1, 0, 0), 0, 0, 0, CLKL_F32},
    {"per channel: keep 1", SAMPLES, AXES(0, 1, 0, 0), 0, 0, 0, CLKL_F32},
    {"per channel, 8 x 8: keep 1", {16384, 16, 8, 8}, AXES(0, 1, 0, 0), 0, 0, 0, CLKL_F32},
    {"per position: keep 2,3", SAMPLES, AXES(0, 0, 1, 1), 0, 0, 0, CLKL_F32},
    {"per sample and position: keep 0,2,3", SAMPLES, AXES(1, 0, 1, 1), 0, 0, 0, CLKL_F32},
    {"element by element: keep 0,1,2,3", SAMPLES, AXES(1, 1, 1, 1), 0, 0, 0, CLKL_F32},
    {"fp16 against N(0, I)", {128, 16, 128, 128}, 0, 0, 0, 0, CLKL_F16},
    {"bf16 against N(0, I)", {128, 16, 128, 128}, 0, 0, 0, 0, CLKL_BF16},
    {"fp64 against N(0, I)", {32, 16, 128, 128}, 0, 0, 0, 0, CLKL_F64},
    {"in cache: fp16 against N(0, I)", REPEATED_16, 0, 0, 0, 1, CLKL_F16},
    {"in cache: bf16 against N(0, I)", REPEATED_16, 0, 0, 0, 1, CLKL_BF16},
    {"fp16, over the batch: keep 1,2,3", {128, 16, 128, 128}, AXES(0, 1, 1, 1), 0, 0, 0, CLKL_F16},
    {"bf16, over the batch: keep 1,2,3", {128, 16, 128, 128}, AXES(0, 1, 1, 1), 0, 0, 0, CLKL_BF16},
    {"fp64, over the batch: keep 1,2,3", {32, 16, 128, 128}, AXES(0, 1, 1, 1), 0, 0, 0, CLKL_F64},
};

/* The same with gradients by P's moments, or a mask of a byte per element. */
struct training_case {
    struct bench_case item;
    int value, gradient, masked;
};

static const struct training_case training_cases[] = {
    {{"value and gradient", SAMPLES, 0, 0, 0, 0, CLKL_F32}, 1, 1, 0},
    {{"gradient alone", SAMPLES, 0, 0, 0, 0, CLKL_F32}, 0, 1, 0},
    {{"value and gradient, clamped", SAMPLES, 0, 0, 1, 0, CLKL_F32}, 1, 1, 0},
    {{"masked moments against N(0, I)", SAMPLES, 0, 0, 0, 0, CLKL_F32}, 1, 0, 1},
};

enum {
    CASES = sizeof cases / sizeof *cases,
    TRAINING_CASES = sizeof training_cases / sizeof *training_cases
};

static clkl_spec spec_of(const struct bench_case *item)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 4};
    memcpy(spec.shape, item->shape, sizeof item->shape);
    spec.p.form = CLKL_MOMENTS;
    spec.p.dtype = item->type;
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

static void make_plan(struct bench *bench, struct row *row, const clkl_spec *spec)
{
    clkl_error error = {.struct_size = sizeof error};
    const clkl_status status = clkl_plan_create(bench->device, spec, 0, &row->plan, &error);
    row->skipped = status == CLKL_UNSUPPORTED; /* no double precision */
    if (status != CLKL_OK && !row->skipped)
        fail(row->name, error.message);
}

static void add_kernel(struct bench *bench, struct row *row, const struct bench_case *item)
{
    const clkl_spec spec = spec_of(item);
    snprintf(row->name, sizeof row->name, "KL: %s", item->name);
    row->bytes = bench->bytes * (item->against_q ? 2 : 1);
    row->writes = item->keep == AXES(1, 1, 1, 1);
    if (row->writes)
        row->bytes += bench->bytes / 2; /* a value for each mean and log-variance */
    row->type = item->type;
    make_plan(bench, row, &spec);
}

/* A gradient is as long as the moments: what is written is counted. */
static void add_training(struct bench *bench, struct row *row, const struct training_case *training)
{
    clkl_spec spec = spec_of(&training->item);
    spec.outputs = training->value ? 0 : CLKL_OUTPUT_NO_RESULT;
    spec.gradients = training->gradient ? CLKL_GRADIENT_P_MEAN | CLKL_GRADIENT_P_SCALE : 0;
    spec.weights.kind = training->masked ? CLKL_MASK : CLKL_NO_WEIGHTS;
    snprintf(row->name, sizeof row->name, "KL: %s", training->item.name);
    row->type = CLKL_F32;
    row->writes = row->gradient = training->gradient;
    row->bytes = bench->bytes * (training->gradient ? 2 : 1);
    row->bytes += training->masked ? bench->bytes / 8 : 0;
    make_plan(bench, row, &spec);
}

static double kernel_time(struct bench *bench, const struct row *row)
{
    clkl_args args = {.struct_size = sizeof args};
    clkl_error error = {.struct_size = sizeof error};
    args.p_mean.mem = row->type != CLKL_F32 ? bench->typed_mem[row->type] : bench->p_mem;
    args.q_mean.mem = bench->q_mem;
    args.result.mem = bench->result;
    args.scratch.mem = bench->scratch;
    args.weights.mem = bench->q_mem; /* bytes enough for a mask */
    args.p_mean_gradient.mem = row->gradient ? bench->gradient : NULL;
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

/* Writes a number of that type: it is rounded towards 0. */
static void put_number(clkl_dtype type, float number, char *to)
{
    const double wide = (double)number;
    uint32_t word;
    memcpy(&word, &number, sizeof word);
    uint16_t bits = (uint16_t)(word >> 16);
    if (type == CLKL_F16) {
        const uint32_t size = (word & 0x7fffffff) >> 13;
        bits = (uint16_t)((bits & 0x8000) | (size < 113 << 10 ? 0 : size - (112 << 10)));
    }
    memcpy(to, type == CLKL_F64 ? (const void *)&wide : &bits,
           type == CLKL_F64 ? sizeof wide : sizeof bits);
}

/* As many bytes of that type; `numbers` are repeated where there are too few. */
static void *make_typed(clkl_dtype type, const float *numbers, size_t bytes)
{
    const size_t size = type == CLKL_F64 ? 8 : 2, given = bytes / sizeof *numbers;
    char *data = aligned_alloc(4096, bytes);
    if (data == NULL)
        fail("inputs", "no memory");
    for (size_t i = 0; i < bytes / size; ++i)
        put_number(type, numbers[i % given], data + i * size);
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
    for (clkl_dtype type = CLKL_F64; type <= CLKL_BF16; ++type) {
        bench->typed[type] = make_typed(type, bench->p, bench->bytes);
        bench->typed_mem[type] =
            make_buffer(bench, CL_MEM_USE_HOST_PTR, bench->bytes, bench->typed[type]);
    }
    bench->result = make_buffer(bench, CL_MEM_READ_WRITE, bench->bytes / 2, NULL);
    bench->gradient = make_buffer(bench, CL_MEM_READ_WRITE, bench->bytes, NULL);
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

/* The fastest loop among those that write, or among those that do not. */
static double limit_of(const struct row *rows, const double *speeds, size_t loops, int writes)
{
    double limit = 0.0;
    for (size_t i = 0; i < loops; ++i)
        if (rows[i].writes == writes && speeds[i] > limit)
            limit = speeds[i];
    return limit;
}

static void report(const struct bench *bench, struct row *rows, size_t loops, size_t count,
                   size_t rounds)
{
    double speeds[MAX_ROWS];
    for (size_t i = 0; i < count; ++i)
        speeds[i] = rows[i].skipped ? 0.0 : median_speed(&rows[i], rounds);
    printf("%s, %u compute units, median of %zu interleaved runs\n", bench->name,
           (unsigned)bench->units, rounds);
    for (size_t i = 0; i < count; ++i)
        if (!rows[i].skipped)
            printf("%-46s %7.2f GB/s  %5.1f %%\n", rows[i].name, speeds[i],
                   100.0 * speeds[i] / limit_of(rows, speeds, loops, rows[i].writes));
    printf("(%% of the fastest loop that reads or, for rows that write, reads and writes)\n");
}

/* The time of one run; before it, as many bytes are read elsewhere. */
static double time_of(struct bench *bench, struct read_pool *pool, const struct row *row,
                      const float *elsewhere)
{
    const size_t count = bench->bytes / sizeof(float);
    read_loop_time(pool, 0, elsewhere, count, NULL);
    if (row->plan != NULL)
        return kernel_time(bench, row);
    return read_loop_time(pool, row->loop, bench->p, count, row->writes ? bench->written : NULL);
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
    bench.written = make_moments(bench.bytes / 2, 3);
    float *const elsewhere = make_moments(bench.bytes, 4);

    const size_t loops = read_loop_count();
    size_t count = loops;
    for (size_t i = 0; i < loops; ++i) {
        snprintf(rows[i].name, sizeof rows[i].name, "read: %s", read_loop_name(i));
        rows[i].loop = i;
        rows[i].writes = read_loop_writes(i);
        rows[i].bytes = bench.bytes + (rows[i].writes ? bench.bytes / 2 : 0);
    }
    for (size_t i = 0; i < CASES; ++i, ++count) {
        add_kernel(&bench, &rows[count], &cases[i]);
        if (argc > 2 && strstr(rows[count].name, argv[2]) == NULL)
            rows[count].skipped = 1;
    }
    for (size_t i = 0; i < TRAINING_CASES; ++i, ++count) {
        add_training(&bench, &rows[count], &training_cases[i]);
        if (argc > 2 && strstr(rows[count].name, argv[2]) == NULL)
            rows[count].skipped = 1;
    }
    make_buffers(&bench, rows + loops, count - loops);

    struct read_pool *pool = read_pool_create(bench.units);
    if (pool == NULL)
        fail("threads", "no memory");
    for (size_t round = 0; round < rounds + 2; ++round) /* two to warm up, then overwritten */
        for (size_t i = 0; i < count; ++i)
            if (!rows[i].skipped)
                rows[i].times[round < 2 ? 0 : round - 2] =
                    time_of(&bench, pool, &rows[i], elsewhere);
    report(&bench, rows, loops, count, rounds);

    read_pool_destroy(pool);
    for (size_t i = loops; i < count; ++i)
        clkl_plan_release(rows[i].plan);
    const cl_mem buffers[] = {bench.p_mem, bench.q_mem, bench.result, bench.gradient,
                              bench.scratch};
    for (size_t i = 0; i < sizeof buffers / sizeof buffers[0]; ++i)
        clReleaseMemObject(buffers[i]);
    clkl_device_release(bench.device);
    clReleaseCommandQueue(bench.queue);
    clReleaseContext(bench.context);
    for (size_t i = 0; i < TYPES; ++i) {
        if (bench.typed_mem[i] != NULL)
            clReleaseMemObject(bench.typed_mem[i]);
        free(bench.typed[i]);
    }
    free(bench.p);
    free(bench.q);
    free(bench.written);
    free(elsewhere);
    return 0;
}
