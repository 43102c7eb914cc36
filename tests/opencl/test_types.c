/* Element types: every fp16 and every bf16 is read exactly, arrays of all types give what arrays of
 * floats with the same numbers give, in every kind of layout, and nothing is read beyond an array.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "core/dtype.h"
#include "support/device_fixture.h"
#include "support/hash.h"
#include "support/typed.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

TestSuite(device_types, .init = open_device, .fini = close_device, .timeout = 600);

/* ---- Every pattern of bits ---- */

enum { PATTERNS = 1 << 16, ROW = 16 };

static float decoded[PATTERNS], logvars[PATTERNS], halves[PATTERNS];
static uint16_t patterns[PATTERNS], typed_logvars[PATTERNS];

/* P has the patterns as means. Q's are half as large and positive, so that signs show, and both
 * have log-variances that make the distance ordinary. */
static void fill_patterns(clkl_dtype dtype)
{
    for (int i = 0; i < PATTERNS; ++i) {
        patterns[i] = (uint16_t)i;
        const float x = decoded[i] = typed_from_bits(dtype, patterns[i]);
        const bool plain = isfinite(x) && x != 0.0f;
        logvars[i] =
            plain ? (float)fmax(-170.0, fmin(rint(2.0 * log(fabs((double)x))), 170.0)) : 0.0f;
        halves[i] = plain ? 0.5f * fabsf(x) : 1.0f;
    }
    uint16_t *bits = typed_array(dtype, logvars, PATTERNS);
    memcpy(typed_logvars, bits, sizeof typed_logvars);
    free(bits);
}

/* The typed means against the decoded ones, and both against the reference. */
static void check_patterns(clkl_dtype dtype, uint32_t keep)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {PATTERNS / ROW, ROW}};
    spec.p.form = spec.q.form = CLKL_MEAN_LOGVAR;
    spec.keep = keep;
    const struct test_inputs floats = {.arrays = {decoded, logvars, halves, logvars}};
    const struct test_inputs typed = {.arrays = {patterns, typed_logvars, halves, logvars}};
    struct expected expected;
    struct outcome from_floats, from_typed;
    expected_make(&spec, &floats, 0, &expected);
    from_floats = outcome_make(&expected);
    outcome_run(&from_floats, &device, &spec, NULL, &floats, 0);
    expected_free(&expected);
    spec.p.dtype = dtype;
    expected_make(&spec, &typed, 0, &expected);
    from_typed = outcome_make(&expected);
    outcome_run(&from_typed, &device, &spec, NULL, &typed, 0);
    for (uint64_t i = 0; i < expected.count; ++i)
        if (memcmp(&from_floats.values[i], &from_typed.values[i], sizeof(float)) != 0 &&
            !(isnan(from_floats.values[i]) && isnan(from_typed.values[i])))
            cr_assert_fail("type %d, keep 0x%x, value %d: %.9g; expected %.9g", (int)dtype, keep,
                           (int)i, (double)from_typed.values[i], (double)from_floats.values[i]);
    expect_agreement(&expected, &from_typed, &tolerance, "type %d, keep 0x%x", (int)dtype, keep);
    outcome_free(&from_floats);
    outcome_free(&from_typed);
    expected_free(&expected);
}

static void check_all_patterns(clkl_dtype dtype)
{
    fill_patterns(dtype);
    check_patterns(dtype, 3);
    check_patterns(dtype, 1);
}

Test(device_types, every_fp16)
{
    check_all_patterns(CLKL_F16);
}

Test(device_types, every_bf16)
{
    check_all_patterns(CLKL_BF16);
}

/* ---- Types and layouts ---- */

enum { SIZE = 4096 };

static float numbers[CLKL_ARRAYS][SIZE];

/* Numbers of 7 bits, which every type has; the last operand can be a standard deviation. */
static void fill_numbers(void)
{
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        for (int i = 0; i < SIZE; ++i) {
            const int whole = (int)(hash_bits(21, (uint64_t)operand, (uint64_t)i) % 127) - 63;
            numbers[operand][i] = (float)(operand == 3 ? abs(whole) + 1 : whole) / 16.0f;
        }
}

static clkl_spec make_spec(clkl_form p, clkl_form q, uint32_t keep)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 3, .shape = {5, 6, 35}, .keep = keep};
    spec.p.form = p;
    spec.q.form = q;
    return spec;
}

/* P packed, its halves beside one another in every position: vectors lie scattered. */
static clkl_spec make_turned(void)
{
    clkl_spec spec = make_spec(CLKL_MOMENTS, CLKL_MEAN_STD, 1);
    spec.p.layout = CLKL_STRIDED;
    const int64_t strides[] = {450, 1, 12};
    memcpy(spec.p.mean_strides, strides, sizeof strides);
    spec.q.layout = CLKL_SHARED;
    return spec;
}

/* Both with gaps between rows, which begin at odd elements. */
static clkl_spec make_gaps(void)
{
    clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_STD, 1);
    const int64_t strides[] = {257, 41, 1};
    spec.p.layout = spec.q.layout = CLKL_STRIDED;
    memcpy(spec.p.mean_strides, strides, sizeof strides);
    memcpy(spec.p.scale_strides, strides, sizeof strides);
    memcpy(spec.q.mean_strides, strides, sizeof strides);
    memcpy(spec.q.scale_strides, strides, sizeof strides);
    return spec;
}

/* Rows, columns, runs, scattered lanes, runs with gaps. */
enum { LAYOUTS = 5 };

static clkl_spec make_layout(int layout)
{
    switch (layout) {
    case 0:
        return make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_STD, 1);
    case 1:
        return make_spec(CLKL_MOMENTS, CLKL_MEAN_STD, 6);
    case 2:
        return make_spec(CLKL_MOMENTS, CLKL_MEAN_STD, 2);
    case 3:
        return make_turned();
    default:
        return make_gaps();
    }
}

struct inputs {
    struct test_inputs floats, typed;
};

static struct inputs make_inputs(const clkl_spec *spec)
{
    struct inputs inputs;
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        const bool packed = operand == 1 && spec->p.form == CLKL_MOMENTS;
        const clkl_dtype dtype = operand < 2 ? spec->p.dtype : spec->q.dtype;
        inputs.floats.arrays[operand] = packed ? NULL : numbers[operand];
        inputs.typed.arrays[operand] = packed ? NULL : typed_array(dtype, numbers[operand], SIZE);
    }
    return inputs;
}

static void free_inputs(struct inputs *inputs)
{
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        free((void *)(uintptr_t)inputs->typed.arrays[operand]);
}

/* Arrays of types, `p` and `q`, against the reference and, where the order of summation is the
 * same, against floats, bit by bit. */
static void check_types(clkl_spec spec, clkl_dtype p, clkl_dtype q, bool same_order)
{
    struct tolerance bound = spec.compute == CLKL_F64 ? device_tolerance_fp64(&device) : tolerance;
    struct expected expected;
    spec.p.dtype = p;
    spec.q.dtype = q;
    struct inputs inputs = make_inputs(&spec);
    expected_make(&spec, &inputs.typed, 0, &expected);
    struct outcome typed = outcome_make(&expected), floats = outcome_make(&expected);
    outcome_run(&typed, &device, &spec, NULL, &inputs.typed, 0);
    bound.relative *= 2.0; /* the reference is not exact either */
    bound.mixed *= 2.0;
    expect_agreement(&expected, &typed, &bound, "types %d and %d, keep 0x%x", (int)p, (int)q,
                     spec.keep);
    spec.p.dtype = spec.q.dtype = CLKL_F32;
    outcome_run(&floats, &device, &spec, NULL, &inputs.floats, 0);
    if (same_order)
        cr_expect(outcome_equal(&typed, &floats), "types %d and %d, keep 0x%x", (int)p, (int)q,
                  spec.keep);
    outcome_free(&typed);
    outcome_free(&floats);
    expected_free(&expected);
    free_inputs(&inputs);
}

static void check_layouts(clkl_dtype p, clkl_dtype q, clkl_dtype compute, bool same_order)
{
    fill_numbers();
    for (int layout = 0; layout < LAYOUTS; ++layout) {
        clkl_spec spec = make_layout(layout);
        spec.compute = compute;
        check_types(spec, p, q, same_order);
    }
}

Test(device_types, fp16_and_floats)
{
    check_layouts(CLKL_F16, CLKL_F32, CLKL_F32, true);
}

Test(device_types, floats_and_bf16)
{
    check_layouts(CLKL_F32, CLKL_BF16, CLKL_F32, true);
}

Test(device_types, bf16_and_fp16)
{
    check_layouts(CLKL_BF16, CLKL_F16, CLKL_F32, true);
}

static void need_fp64(void)
{
    if (!test_device_has_fp64(&device))
        cr_skip_test("the device has no double precision");
}

Test(device_types, doubles_and_fp16_in_single_precision)
{
    need_fp64();
    check_layouts(CLKL_F64, CLKL_F16, CLKL_F32, true);
}

Test(device_types, doubles)
{
    need_fp64();
    check_layouts(CLKL_F64, CLKL_F64, CLKL_F64, true);
}

Test(device_types, fp16_and_doubles_in_double_precision)
{
    need_fp64();
    check_layouts(CLKL_F16, CLKL_F64, CLKL_F64, true);
}

/* What GPUs get, whose vectors are as long as the types allow. */
Test(device_types, on_a_gpu)
{
    if (device.device->facts.style != CLKL_STYLE_WIDE_CPU)
        cr_skip_test("the device has scalar kernels");
    test_device_pretend_gpu(&device);
    check_layouts(CLKL_F16, CLKL_BF16, CLKL_F32, false);
    check_layouts(CLKL_BF16, CLKL_F32, CLKL_F32, false);
    check_layouts(CLKL_F64, CLKL_F64, CLKL_F64, false);
}

/* ---- Edges of memory, and odd places ---- */

/* An array in the caller's memory that ends where memory ends, with `before` elements in front. */
static cl_mem buffer_before_the_edge(clkl_dtype dtype, const float *data, size_t before,
                                     size_t count)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), size = clkl_dtype_size(dtype);
    const size_t pages = ((before + count) * size + page - 1) / page;
    char *map =
        mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(map, MAP_FAILED);
    cr_assert_eq(mprotect(map + pages * page, page, PROT_NONE), 0);
    void *array = typed_array(dtype, data, count);
    char *begin = map + pages * page - (before + count) * size;
    memset(begin, 0xff, before * size); /* NaN */
    memcpy(begin + before * size, array, count * size);
    free(array);
    cl_int code = CL_SUCCESS;
    cl_mem mem =
        clCreateBuffer(device.context, CL_MEM_USE_HOST_PTR, (before + count) * size, begin, &code);
    cr_assert_eq(code, CL_SUCCESS);
    return mem;
}

static void run_at_the_edge(const clkl_spec *spec, const size_t *before, size_t count, void *values,
                            size_t bytes)
{
    clkl_plan *plan = NULL;
    clkl_error error = {.struct_size = sizeof error};
    clkl_args args = {.struct_size = sizeof args};
    clkl_buffer *buffers[] = {&args.p_mean, &args.p_scale, &args.q_mean, &args.q_scale};
    cr_assert(clkl_plan_create(device.device, spec, 0, &plan, &error) == CLKL_OK, "%s",
              error.message);
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        const clkl_dtype dtype = operand < 2 ? spec->p.dtype : spec->q.dtype;
        buffers[operand]->mem =
            buffer_before_the_edge(dtype, numbers[operand], before[operand], count);
        buffers[operand]->offset = before[operand];
    }
    args.result.mem = test_buffer(&device, NULL, bytes);
    cr_assert(clkl_enqueue(plan, device.queue, &args, 0, NULL, NULL, &error) == CLKL_OK, "%s",
              error.message);
    cr_assert_eq(clEnqueueReadBuffer(device.queue, args.result.mem, CL_TRUE, 0, bytes, values, 0,
                                     NULL, NULL),
                 CL_SUCCESS);
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        clReleaseMemObject(buffers[operand]->mem);
    clReleaseMemObject(args.result.mem);
    clkl_plan_release(plan);
}

static void check_edges(clkl_dtype p, clkl_dtype q, clkl_dtype compute, uint32_t keep)
{
    static const size_t places[3][CLKL_ARRAYS] = {{0, 0, 0, 0}, {1, 3, 5, 7}, {16, 16, 17, 32}};
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {3, 37}, .keep = keep};
    spec.p.form = CLKL_MEAN_LOGVAR;
    spec.q.form = CLKL_MEAN_STD;
    spec.p.dtype = p;
    spec.q.dtype = q;
    spec.compute = compute;
    fill_numbers();
    struct inputs inputs = make_inputs(&spec);
    double values[37], exact[37];
    const size_t bytes = (size_t)clkl_spec_result_count(&spec, 0) * clkl_dtype_size(compute);
    test_device_run(&device, &spec, NULL, &inputs.typed, 0, exact, NULL, NULL);
    for (int i = 0; i < 3; ++i) {
        memset(values, 0, sizeof values);
        run_at_the_edge(&spec, places[i], 3 * 37, values, bytes);
        cr_expect(memcmp(values, exact, bytes) == 0, "types %d and %d, keep 0x%x, place %d", (int)p,
                  (int)q, keep, i);
    }
    free_inputs(&inputs);
}

static void check_all_edges(void)
{
    for (uint32_t keep = 1; keep <= 2; ++keep) {
        check_edges(CLKL_F16, CLKL_F16, CLKL_F32, keep);
        check_edges(CLKL_BF16, CLKL_F16, CLKL_F32, keep);
        if (test_device_has_fp64(&device))
            check_edges(CLKL_F64, CLKL_F64, CLKL_F64, keep);
    }
}

Test(device_types, nothing_is_read_beyond_the_arrays)
{
    check_all_edges();
}

Test(device_types, nothing_is_read_beyond_the_arrays_on_a_gpu)
{
    if (device.device->facts.style != CLKL_STYLE_WIDE_CPU)
        cr_skip_test("the device has scalar kernels");
    test_device_pretend_gpu(&device);
    check_all_edges();
}
