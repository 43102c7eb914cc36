/* More than 2^31 and 2^32 elements, in all and in one sample, and elements that lie far into a
 * buffer. Strides make them cheap: samples overlap, or repeat one element. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */

#include "support/compare.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static struct test_device device;

static void open_device(void)
{
    test_device_open(&device);
}

static void close_device(void)
{
    test_device_close(&device);
}

TestSuite(device_large, .init = open_device, .fini = close_device, .timeout = 600);

#define REQUIRE(call)                                          \
    do {                                                       \
        const int code_ = (int)(call);                         \
        cr_assert(code_ == 0, "%s returned %d", #call, code_); \
    } while (0)

#define POWER(n) ((uint64_t)1 << (n))

/* Devices whose work-items are lanes of a CPU's vectors take minutes for so much. */
static bool is_slow(void)
{
    if (device.device->facts.style != CLKL_STYLE_LANES)
        return false;
    printf("SKIPPED: this device is too slow for so many elements\n");
    return true;
}

static clkl_spec strided_spec(uint64_t batch, uint64_t elements, int64_t batch_stride,
                              int64_t stride)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {batch, elements}};
    spec.p.form = CLKL_MEAN_LOGVAR;
    spec.p.layout = CLKL_STRIDED;
    spec.p.mean_strides[0] = spec.p.scale_strides[0] = batch_stride;
    spec.p.mean_strides[1] = spec.p.scale_strides[1] = stride;
    return spec;
}

/* Runs a plan over two arrays; scratch is the library's. */
static void run(const clkl_spec *spec, const clkl_args *args)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_plan *plan = NULL;
    cr_assert_eq(clkl_plan_create(device.device, spec, 0, &plan, &error), CLKL_OK, "%s",
                 error.message);
    cr_assert_eq(clkl_enqueue(plan, device.queue, args, 0, NULL, NULL, &error), CLKL_OK, "%s",
                 error.message);
    REQUIRE(clFinish(device.queue));
    clkl_plan_release(plan);
}

static void read_buffer(cl_mem mem, size_t bytes, void *data)
{
    REQUIRE(clEnqueueReadBuffer(device.queue, mem, CL_TRUE, 0, bytes, data, 0, NULL, NULL));
}

static void release(const clkl_args *args)
{
    const cl_mem all[] = {args->p_mean.mem, args->p_scale.mem, args->result.mem,
                          args->clamp_counts.mem};
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
        if (all[i] != NULL)
            REQUIRE(clReleaseMemObject(all[i]));
}

static void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    cr_assert_not_null(memory);
    return memory;
}

/* ---- A batch of more than 2^32 elements ----
 *
 * Sample i begins at element i, so that each has a value of its own, which is a difference of sums
 * over single elements. */

enum { SAMPLES = 131081, ELEMENTS = 32771, NUMBERS = SAMPLES + ELEMENTS - 1 };

static float *make_numbers(uint64_t stream)
{
    float *numbers = allocate(NUMBERS, sizeof *numbers);
    for (size_t i = 0; i < NUMBERS; ++i)
        numbers[i] = hash_uniform_float(14, stream, i, -2.0, 2.0);
    return numbers;
}

/* sums[i]: the divergences of the elements before i, by the reference. */
static double *make_sums(const float *means, const float *logvars)
{
    clkl_spec spec = strided_spec(NUMBERS, 1, 1, 1);
    double *sums = allocate(NUMBERS + 1, sizeof *sums);
    spec.compute = CLKL_F64;
    const clkl_host_args args = {
        .struct_size = sizeof args, .p_mean = means, .p_scale = logvars, .result = sums + 1};
    REQUIRE(clkl_reference_run(&spec, &args, NULL));
    for (size_t i = 0; i < NUMBERS; ++i)
        sums[i + 1] += sums[i];
    return sums;
}

Test(device_large, batch)
{
    cr_assert_gt((uint64_t)SAMPLES * ELEMENTS, POWER(32));
    if (is_slow())
        return;
    float *means = make_numbers(0), *logvars = make_numbers(1);
    double *sums = make_sums(means, logvars);
    const clkl_spec spec = strided_spec(SAMPLES, ELEMENTS, 1, 1);
    clkl_args args = {.struct_size = sizeof args};
    args.p_mean.mem = test_buffer(&device, means, NUMBERS * sizeof *means);
    args.p_scale.mem = test_buffer(&device, logvars, NUMBERS * sizeof *logvars);
    args.result.mem = test_buffer(&device, NULL, SAMPLES * sizeof(float));
    run(&spec, &args);
    float *values = allocate(SAMPLES, sizeof *values);
    read_buffer(args.result.mem, SAMPLES * sizeof *values, values);
    size_t wrong = 0;
    for (size_t i = 0; i < SAMPLES; ++i) {
        const double exact = sums[i + ELEMENTS] - sums[i];
        if (!(fabs((double)values[i] - exact) <= 5e-7 * exact) && wrong++ == 0)
            cr_log_error("sample %zu: %.9g; expected %.9g", i, (double)values[i], exact);
    }
    cr_expect_eq(wrong, 0u, "%zu samples are wrong", wrong);
    release(&args);
    free(values);
    free(sums);
    free(means);
    free(logvars);
}

/* ---- A sample of so many elements ----
 *
 * The clamp changes all log-variances: the counts tell that no element was left out, up to the end
 * of counting. */

static double reference_sum(clkl_spec spec, const float *means, const float *logvars)
{
    double sum = 0.0;
    spec.compute = CLKL_F64;
    const clkl_host_args args = {
        .struct_size = sizeof args, .p_mean = means, .p_scale = logvars, .result = &sum};
    REQUIRE(clkl_reference_run(&spec, &args, NULL));
    return sum;
}

/* Runs `whole`, which repeats every element of `once` some times. */
static void check_sample(clkl_spec whole, const clkl_spec *once, const float *means,
                         const float *logvars)
{
    const size_t bytes = (size_t)once->shape[1] * sizeof(float);
    const uint64_t elements = whole.shape[1] * (whole.rank == 3 ? whole.shape[2] : 1);
    const double times = (double)elements / (double)once->shape[1];
    clkl_args args = {.struct_size = sizeof args};
    args.p_mean.mem = test_buffer(&device, means, bytes);
    args.p_scale.mem = test_buffer(&device, logvars, bytes);
    args.result.mem = test_buffer(&device, NULL, sizeof(float));
    args.clamp_counts.mem = test_buffer(&device, NULL, sizeof(clkl_clamp_count));
    run(&whole, &args);
    float value = 0.0f;
    clkl_clamp_count clamped = {0, 0};
    read_buffer(args.result.mem, sizeof value, &value);
    read_buffer(args.clamp_counts.mem, sizeof clamped, &clamped);
    const double exact = times * reference_sum(*once, means, logvars);
    cr_expect(fabs((double)value - exact) <= 5e-7 * exact, "%.9g; expected %.9g", (double)value,
              exact);
    cr_expect_eq(clamped.p, elements < UINT32_MAX ? (uint32_t)elements : UINT32_MAX, "%u",
                 clamped.p);
    cr_expect_eq(clamped.q, 0u);
    release(&args);
}

static clkl_spec clamped_spec(uint64_t elements, int64_t stride)
{
    clkl_spec spec = strided_spec(1, elements, 0, stride);
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    spec.clamp = CLKL_CLAMP;
    spec.clamp_low = -1.0;
    spec.clamp_high = 1.0;
    return spec;
}

/* Almost all of the sum are the elements beyond 2^31. */
Test(device_large, sample_beyond_2_to_31)
{
    enum { TIMES = 1 << 15, DIFFERENT = (1 << 16) + 3 };
    if (is_slow())
        return;
    const clkl_spec once = clamped_spec(DIFFERENT, 1);
    clkl_spec whole = once;
    whole.rank = 3;
    whole.shape[2] = TIMES;
    float *means = allocate(DIFFERENT, sizeof *means);
    float *logvars = allocate(DIFFERENT, sizeof *logvars);
    for (size_t i = 0; i < DIFFERENT; ++i) {
        means[i] = i < (1 << 16) ? 0.0f : 100.0f * (float)(i - (1 << 16) + 7);
        logvars[i] = 3.0f;
    }
    check_sample(whole, &once, means, logvars);
    free(means);
    free(logvars);
}

Test(device_large, sample_beyond_2_to_32)
{
    const float mean = 0.5f, logvar = 3.0f;
    const clkl_spec whole = clamped_spec(POWER(32) + 70001, 0), once = clamped_spec(1, 0);
    if (!is_slow())
        check_sample(whole, &once, &mean, &logvar);
}

/* Whatever the size: a plan, or a status that says why not. */
Test(device_large, samples_of_any_size)
{
    for (int power = 30; power <= 62; ++power) {
        const clkl_spec spec = strided_spec(1, POWER(power) + 1, 0, 0);
        clkl_error error = {.struct_size = sizeof error};
        clkl_plan *plan = NULL;
        const clkl_status status =
            clkl_plan_create(device.device, &spec, CLKL_PLAN_NO_WARM_UP, &plan, &error);
        const bool stopped = device.device->facts.loop_limit != 0 && power > 32;
        cr_expect_eq(status,
                     power >= 56 ? CLKL_INVALID_SPEC
                     : stopped   ? CLKL_UNSUPPORTED
                                 : CLKL_OK,
                     "2^%d: status %d, %s", power, status, error.message);
        cr_expect((plan != NULL) == (status == CLKL_OK));
        cr_expect(plan == NULL || clkl_plan_scratch_size(plan) > 0);
        clkl_plan_release(plan);
    }
}

/* ---- Long loops ----
 *
 * Some devices stop loops that take too long and do not say so. Every element adds 0.5 + 2^-10. */

static clkl_spec repeated_spec(uint64_t batch, uint64_t elements, uint32_t keep)
{
    clkl_spec spec = strided_spec(batch, elements, 0, 0);
    spec.keep = keep;
    spec.batch_reduction = CLKL_BATCH_SUM;
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    spec.clamp = CLKL_CLAMP;
    spec.clamp_low = -1.0;
    spec.clamp_high = 0.0;
    return spec;
}

/* Whether every value is the sum of so many elements; a plan that is refused will do as well. */
static void check_repeated(const clkl_spec *spec, uint64_t values, uint64_t elements)
{
    const float mean = 1.0009766f, logvar = 3.0f;
    const clkl_spec one = repeated_spec(1, 1, 1);
    const double exact = (double)elements * reference_sum(one, &mean, &logvar);
    clkl_args args = {.struct_size = sizeof args};
    float *found = allocate(values, sizeof *found);
    clkl_clamp_count *clamped = allocate(values, sizeof *clamped);
    args.p_mean.mem = test_buffer(&device, &mean, sizeof mean);
    args.p_scale.mem = test_buffer(&device, &logvar, sizeof logvar);
    args.result.mem = test_buffer(&device, NULL, values * sizeof *found);
    args.clamp_counts.mem = test_buffer(&device, NULL, values * sizeof *clamped);
    run(spec, &args);
    read_buffer(args.result.mem, values * sizeof *found, found);
    read_buffer(args.clamp_counts.mem, values * sizeof *clamped, clamped);
    for (uint64_t i = 0; i < values; ++i) {
        cr_assert(fabs((double)found[i] - exact) <= 5e-7 * exact, "value %u of %u: %.9g, not %.9g",
                  (unsigned)i, (unsigned)values, (double)found[i], exact);
        cr_assert_eq(clamped[i].p, elements, "%u elements, not %u", clamped[i].p,
                     (unsigned)elements);
    }
    release(&args);
    free(clamped);
    free(found);
}

/* One value, in rows that are joined by one work-group; tall columns; wide ones; long rows. */
Test(device_large, loops_come_to_their_end)
{
    clkl_spec spec = repeated_spec(520000, 3, CLKL_KEEP_NONE);
    check_repeated(&spec, 1, 3 * (uint64_t)520000);
    spec = repeated_spec(3000000, 1, 2);
    check_repeated(&spec, 1, 3000000);
    spec = repeated_spec(140000, 33, 2);
    check_repeated(&spec, 33, 140000);
    spec = repeated_spec(3, 2000001, 1);
    check_repeated(&spec, 3, 2000001);
}

/* ---- Far into a buffer ---- */

enum { LENGTH = 1000 };

/* A buffer over memory of which only touched pages are there; NULL where the device refuses so
 * much. */
static cl_mem sparse_buffer(size_t bytes, float **memory)
{
    cl_ulong most = 0;
    cl_int code = CL_SUCCESS;
    REQUIRE(clGetDeviceInfo(device.id, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof most, &most, NULL));
    void *place = MAP_FAILED;
    if (bytes <= most)
        place = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (place == MAP_FAILED) {
        printf("SKIPPED: no buffer of %zu bytes here; the device allows %llu\n", bytes,
               (unsigned long long)most);
        return NULL;
    }
    cl_mem mem = clCreateBuffer(device.context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, bytes,
                                place, &code);
    REQUIRE(code);
    *memory = place;
    return mem;
}

static void fill(float *numbers, uint64_t stream)
{
    for (size_t i = 0; i < LENGTH; ++i)
        numbers[i] = hash_uniform_float(15, stream, i, -2.0, 2.0);
}

/* Two samples more than 2^31 elements apart, the means before and the log-variances behind: by the
 * stride of the batch, and one after the other by the offset. */
Test(device_large, far_into_a_buffer)
{
    const size_t apart = (size_t)POWER(31) + 77, bytes = (apart + 2 * LENGTH) * sizeof(float);
    float *memory = NULL, values[2] = {0.0f, 0.0f};
    double exact[2] = {0.0, 0.0};
    cl_mem mem = sparse_buffer(bytes, &memory);
    if (mem == NULL)
        return;
    for (size_t i = 0; i < 4; ++i)
        fill(memory + i / 2 * apart + i % 2 * LENGTH, i);
    clkl_spec spec = strided_spec(2, LENGTH, (int64_t)apart, 1);
    clkl_spec wide = spec;
    wide.compute = CLKL_F64;
    const clkl_host_args host = {
        .struct_size = sizeof host, .p_mean = memory, .p_scale = memory + LENGTH, .result = exact};
    REQUIRE(clkl_reference_run(&wide, &host, NULL));

    clkl_args args = {.struct_size = sizeof args, .p_mean = {mem, 0}, .p_scale = {mem, LENGTH}};
    args.result.mem = test_buffer(&device, NULL, sizeof values);
    run(&spec, &args);
    read_buffer(args.result.mem, sizeof values, values);
    for (int i = 0; i < 2; ++i)
        cr_expect(fabs((double)values[i] - exact[i]) <= 5e-7 * exact[i], "sample %d", i);

    float far = 0.0f;
    args.p_mean.offset += apart;
    args.p_scale.offset += apart;
    args.batch = 1;
    run(&spec, &args);
    read_buffer(args.result.mem, sizeof far, &far);
    cr_expect_eq(far, values[1], "by the offset");
    REQUIRE(clReleaseMemObject(args.result.mem));
    REQUIRE(clReleaseMemObject(mem));
    munmap(memory, bytes);
}
