/* bench_covariance [ROUNDS]: divergences between full covariances in fp32, from covariances and
 * from Cholesky factors, of few to many dimensions, on the first device that the environment lets
 * through. Medians over all rounds, which take the rows in turn. peers_covariance.py measures the
 * same sizes with PyTorch and with OpenBLAS; README.md tells how to run both.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include "failure.h"

#include <clkl/clkl_opencl.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_ROUNDS = 1001, MEAN_COLUMNS = 8 };

/* ---- Inputs ---- */

static float normal(uint64_t *state)
{
    float sum = 0.0f;
    for (int i = 0; i < 4; ++i) {
        *state = *state * 6364136223846793005u + 1442695040888963407u;
        sum += (float)(*state >> 40) * (1.0f / 16777216.0f) - 0.5f;
    }
    return sum * 1.7320508f;
}

/* A A^T / n + I / 10 with n = D + 8 columns of random numbers. */
static void draw_covariance(uint64_t *state, size_t d, float *a, float *out)
{
    const size_t n = d + MEAN_COLUMNS;
    for (size_t i = 0; i < d * n; ++i)
        a[i] = normal(state);
    for (size_t i = 0; i < d; ++i)
        for (size_t j = 0; j <= i; ++j) {
            float sum = 0.0f;
            for (size_t k = 0; k < n; ++k)
                sum += a[i * n + k] * a[j * n + k];
            out[i * d + j] = out[j * d + i] = sum / (float)n + (i == j ? 0.1f : 0.0f);
        }
}

static void factor(size_t d, float *s)
{
    for (size_t j = 0; j < d; ++j) {
        for (size_t i = j; i < d; ++i) {
            float sum = s[i * d + j];
            for (size_t k = 0; k < j; ++k)
                sum -= s[i * d + k] * s[j * d + k];
            s[i * d + j] = i == j ? sqrtf(sum) : sum / s[j * d + j];
        }
        for (size_t i = 0; i < j; ++i)
            s[i * d + j] = 0.0f;
    }
}

/* ---- A row of the table ---- */

struct row {
    size_t d, batch;
    clkl_form form;
    clkl_plan *plan;
    clkl_args args;
    double times[MAX_ROUNDS];
};

struct bench {
    cl_context context;
    cl_device_id id;
    cl_command_queue queue;
    clkl_device *device;
};

static cl_mem make_buffer(struct bench *bench, void *data, size_t bytes)
{
    cl_int code;
    cl_mem mem = clCreateBuffer(bench->context,
                                CL_MEM_READ_WRITE | (data != NULL ? CL_MEM_COPY_HOST_PTR : 0u),
                                bytes, data, &code);
    check(code, "clCreateBuffer");
    return mem;
}

/* Large matrices are drawn but 16 times, and repeated: each is far from any cache by then. */
static void draw_side(struct bench *bench, const struct row *row, uint64_t seed, clkl_buffer *mean,
                      clkl_buffer *scale)
{
    const size_t d = row->d, square = d * d, drawn = d > 64 && row->batch > 16 ? 16 : row->batch;
    float *matrices = malloc(row->batch * square * sizeof *matrices);
    float *means = malloc(row->batch * d * sizeof *means);
    float *work = malloc(d * (d + MEAN_COLUMNS) * sizeof *work);
    uint64_t state = seed;
    if (matrices == NULL || means == NULL || work == NULL)
        fail("inputs", "no memory");
    for (size_t i = 0; i < row->batch; ++i) {
        float *const matrix = matrices + i * square;
        if (i >= drawn) {
            memcpy(matrix, matrices + i % drawn * square, square * sizeof *matrix);
            continue;
        }
        draw_covariance(&state, d, work, matrix);
        if (row->form == CLKL_MEAN_CHOLESKY)
            factor(d, matrix);
    }
    for (size_t i = 0; i < row->batch * d; ++i)
        means[i] = normal(&state);
    mean->mem = make_buffer(bench, means, row->batch * d * sizeof *means);
    scale->mem = make_buffer(bench, matrices, row->batch * square * sizeof *matrices);
    free(matrices);
    free(means);
    free(work);
}

static void make_row(struct bench *bench, struct row *row)
{
    clkl_error error = {.struct_size = sizeof error};
    const clkl_spec spec = {.struct_size = sizeof spec,
                            .rank = 2,
                            .shape = {row->batch, row->d},
                            .p = {.form = row->form},
                            .q = {.form = row->form}};
    if (clkl_plan_create(bench->device, &spec, 0, &row->plan, &error) != CLKL_OK)
        fail("plan", error.message);
    row->args.struct_size = sizeof row->args;
    draw_side(bench, row, 1, &row->args.p_mean, &row->args.p_scale);
    draw_side(bench, row, 2, &row->args.q_mean, &row->args.q_scale);
    row->args.result.mem = make_buffer(bench, NULL, row->batch * sizeof(float));
    row->args.scratch.mem = make_buffer(bench, NULL, clkl_plan_scratch_size(row->plan));
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double run(struct bench *bench, struct row *row)
{
    clkl_error error = {.struct_size = sizeof error};
    const double begin = seconds();
    if (clkl_enqueue(row->plan, bench->queue, &row->args, 0, NULL, NULL, &error) != CLKL_OK)
        fail("enqueue", error.message);
    check(clFinish(bench->queue), "clFinish");
    return seconds() - begin;
}

static void release_row(struct row *row)
{
    const cl_mem all[] = {row->args.p_mean.mem,  row->args.p_scale.mem, row->args.q_mean.mem,
                          row->args.q_scale.mem, row->args.result.mem,  row->args.scratch.mem};
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
        clReleaseMemObject(all[i]);
    clkl_plan_release(row->plan);
}

/* ---- The whole ---- */

static void open_device(struct bench *bench)
{
    cl_platform_id platforms[16];
    cl_uint count = 0;
    cl_int code;
    char name[128] = "";
    clkl_error error = {.struct_size = sizeof error};
    check(clGetPlatformIDs(16, platforms, &count), "clGetPlatformIDs");
    for (cl_uint i = 0; i < count && bench->id == NULL; ++i)
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 1, &bench->id, NULL) != CL_SUCCESS)
            bench->id = NULL;
    if (bench->id == NULL)
        fail("clGetDeviceIDs", "no device");
    bench->context = clCreateContext(NULL, 1, &bench->id, NULL, NULL, &code);
    check(code, "clCreateContext");
    bench->queue = clCreateCommandQueue(bench->context, bench->id, 0, &code);
    check(code, "clCreateCommandQueue");
    if (clkl_device_create(bench->context, bench->id, &bench->device, &error) != CLKL_OK)
        fail("device", error.message);
    check(clGetDeviceInfo(bench->id, CL_DEVICE_NAME, sizeof name, name, NULL), "clGetDeviceInfo");
    printf("%s\n", name);
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The sizes of peers_covariance.py, from covariances and from factors. */
static struct row rows[] = {
    {.d = 4, .batch = 100000}, {.d = 8, .batch = 40000}, {.d = 16, .batch = 10000},
    {.d = 32, .batch = 10000}, {.d = 64, .batch = 256},  {.d = 128, .batch = 64},
    {.d = 256, .batch = 16},   {.d = 512, .batch = 1},   {.d = 1024, .batch = 1},
    {.d = 2048, .batch = 1},
};

enum { ROWS = sizeof rows / sizeof *rows };

static void measure(struct bench *bench, clkl_form form, size_t rounds)
{
    printf("from %s\n", form == CLKL_MEAN_CHOLESKY ? "factors" : "covariances");
    for (size_t i = 0; i < ROWS; ++i) {
        rows[i].form = form;
        make_row(bench, &rows[i]);
        run(bench, &rows[i]);
    }
    for (size_t round = 0; round < rounds; ++round)
        for (size_t i = 0; i < ROWS; ++i)
            rows[i].times[round] = run(bench, &rows[i]);
    for (size_t i = 0; i < ROWS; ++i) {
        qsort(rows[i].times, rounds, sizeof rows[i].times[0], ascending);
        printf("D = %4zu, batch %6zu: %9.3f ms\n", rows[i].d, rows[i].batch,
               1e3 * rows[i].times[rounds / 2]);
        release_row(&rows[i]);
    }
}

int main(int argc, char **argv)
{
    struct bench bench = {.id = NULL};
    const long rounds = argc > 1 ? strtol(argv[1], NULL, 10) : 11;
    if (rounds < 1 || rounds > MAX_ROUNDS)
        fail("ROUNDS", "expected 1 to 1001");
    open_device(&bench);
    measure(&bench, CLKL_MEAN_COVARIANCE, (size_t)rounds);
    measure(&bench, CLKL_MEAN_CHOLESKY, (size_t)rounds);
    clkl_device_release(bench.device);
    clReleaseCommandQueue(bench.queue);
    clReleaseContext(bench.context);
    return 0;
}
