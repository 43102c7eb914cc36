/* Every set of kept axes: rows, columns, both and neither, of many shapes and layouts, against the
 * reference; and bit by bit where the layout or the batch must not matter. */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "support/device_fixture.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

TestSuite(device_keep, .init = open_device, .fini = close_device, .timeout = 300);

enum { SIZE = 1 << 19 };

static float numbers[CLKL_ARRAYS][SIZE];
static float scales[CLKL_ARRAYS][SIZE]; /* positive */

/* A few numbers are so large that, as logarithms, they take other paths than their neighbours. */
static void fill(void)
{
    for (uint64_t operand = 0; operand < CLKL_ARRAYS; ++operand) {
        for (uint64_t i = 0; i < SIZE; ++i) {
            const double most = i % 89 == 7 ? 75.0 : 2.0;
            numbers[operand][i] = hash_uniform_float(11, operand, i, -most, most);
            scales[operand][i] = hash_uniform_float(12, operand, i, 0.25, 4.0);
        }
    }
}

static bool is_linear(clkl_form form)
{
    return form == CLKL_MEAN_VAR || form == CLKL_MEAN_STD;
}

static struct test_inputs inputs_of(const clkl_spec *spec)
{
    struct test_inputs inputs = {.arrays = {NULL}};
    const clkl_form forms[2] = {spec->p.form, spec->q.form};
    for (int side = 0; side < 2; ++side) {
        if (forms[side] != CLKL_STANDARD_NORMAL)
            inputs.arrays[2 * side] = numbers[2 * side];
        if (forms[side] != CLKL_STANDARD_NORMAL && forms[side] != CLKL_MOMENTS)
            inputs.arrays[2 * side + 1] =
                is_linear(forms[side]) ? scales[2 * side + 1] : numbers[2 * side + 1];
    }
    return inputs;
}

/* The values of `batch` samples; the caller frees them. */
static struct outcome check(const clkl_spec *spec, const struct clkl_tuning *tuning, uint64_t batch,
                            const char *name)
{
    const struct test_inputs inputs = inputs_of(spec);
    struct expected expected;
    expected_make(spec, &inputs, batch, &expected);
    struct outcome outcome = outcome_make(&expected);
    outcome_run(&outcome, &device, spec, tuning, &inputs, batch);
    expect_agreement(&expected, &outcome, &tolerance, "%s, keep 0x%x of [%u,%u,%u,%u], batch %u",
                     name, spec->keep, (unsigned)spec->shape[0], (unsigned)spec->shape[1],
                     (unsigned)spec->shape[2], (unsigned)spec->shape[3], (unsigned)batch);
    expected_free(&expected);
    return outcome;
}

static clkl_spec make_spec(uint32_t rank, const uint64_t *shape, clkl_form p, clkl_form q)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = rank};
    memcpy(spec.shape, shape, rank * sizeof *shape);
    spec.p.form = p;
    spec.q.form = q;
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    if ((p == CLKL_MOMENTS || p == CLKL_MEAN_LOGVAR) && shape[1] % 2 == 1) {
        spec.clamp = CLKL_CLAMP;
        spec.clamp_low = -1.5;
        spec.clamp_high = 1.75;
    }
    return spec;
}

/* Every `step`th set of axes, averaged over the batch or added up. Where samples have values of
 * their own, a smaller batch gives the same bits. */
static void check_some_sets(clkl_spec spec, const struct clkl_tuning *tuning, const char *name,
                            uint32_t first, uint32_t step)
{
    for (uint32_t set = first; set < 1u << spec.rank; set += step) {
        spec.keep = set == 0 ? CLKL_KEEP_NONE : set;
        spec.batch_reduction = set % 3 == 2 ? CLKL_BATCH_SUM : CLKL_BATCH_MEAN;
        struct outcome whole = check(&spec, tuning, 0, name);
        struct outcome part = check(&spec, tuning, spec.shape[0] > 2 ? 2 : 1, name);
        if ((set & 1u) != 0)
            cr_expect_eq(memcmp(part.values, whole.values, part.count * sizeof(float)), 0,
                         "%s, keep 0x%x: a smaller batch changed bits", name, set);
        outcome_free(&part);
        outcome_free(&whole);
    }
}

static void check_sets(clkl_spec spec, const struct clkl_tuning *tuning, const char *name)
{
    check_some_sets(spec, tuning, name, 0, 1);
}

static const uint64_t shapes[][4] = {{5, 3, 7, 9},   {4, 16, 8, 16}, {3, 2, 1, 33}, {2, 5, 40, 1},
                                     {300, 1, 1, 3}, {1, 6, 4, 70},  {7, 1, 2, 2},  {2, 3, 2, 600}};

enum { SHAPES = sizeof shapes / sizeof *shapes };

/* Fewer where every new program takes a second to compile. */
static size_t at_most(size_t shapes_wanted)
{
    return device.device->facts.style == CLKL_STYLE_LANES && shapes_wanted > 1 ? 1 : shapes_wanted;
}

Test(device_keep, every_set_of_axes)
{
    fill();
    for (size_t i = 0; i < at_most(SHAPES); ++i)
        check_sets(make_spec(4, shapes[i], CLKL_MOMENTS, CLKL_STANDARD_NORMAL), NULL, "moments");
}

Test(device_keep, every_set_of_axes_for_two_sides)
{
    fill();
    for (size_t i = 0; i < at_most(3); ++i) {
        clkl_spec spec = make_spec(4, shapes[i], CLKL_MOMENTS, CLKL_MEAN_STD);
        check_sets(spec, NULL, "moments against mean and std");
        spec.q.layout = CLKL_SHARED;
        check_sets(spec, NULL, "moments against a shared mean and std");
    }
}

/* What lies behind one another in P lies apart in Q, and the other way round. */
Test(device_keep, layouts)
{
    fill();
    for (size_t i = 0; i < at_most(3); ++i) {
        const uint64_t *s = shapes[i];
        clkl_spec spec = make_spec(4, s, CLKL_MEAN_LOGVAR, CLKL_MEAN_VAR);
        const int64_t last[] = {(int64_t)(s[1] * s[2] * s[3]), 1, (int64_t)(s[3] * s[1]),
                                (int64_t)s[1]};
        const int64_t channel[] = {0, 1, 0, 0};
        const int64_t slice[] = {(int64_t)(2 * s[1] * s[2] * s[3]), (int64_t)(s[2] * s[3]),
                                 (int64_t)s[3], 1};
        spec.p.layout = spec.q.layout = CLKL_STRIDED;
        memcpy(spec.p.mean_strides, last, sizeof last);
        memcpy(spec.p.scale_strides, slice, sizeof slice);
        memcpy(spec.q.mean_strides, channel, sizeof channel);
        memcpy(spec.q.scale_strides, channel, sizeof channel);
        check_sets(spec, NULL, "channels last, a slice, a prior for each channel");
    }
}

/* With every knob of the schedule turned. Each set comes with two knobs at least. */
Test(device_keep, geometries)
{
    static const struct clkl_tuning tunings[] = {
        {.chunk = 1},
        {.chunk = 3},
        {.chunk = 64, .rounds = 3},
        {.work_group = 8, .team = 2},
        {.work_group = 32, .team = 32, .chunk = 2},
        {.work_group = 4, .team = 1},
    };
    static const uint64_t tall[4] = {700, 1, 2, 5};
    fill();
    for (size_t i = 0; i < at_most(sizeof tunings / sizeof *tunings); ++i) {
        const uint32_t first = (uint32_t)i % 3;
        check_some_sets(make_spec(4, tall, CLKL_MOMENTS, CLKL_STANDARD_NORMAL), &tunings[i],
                        "tuned", first, 3);
        check_some_sets(make_spec(4, shapes[0], CLKL_MEAN_STD, CLKL_MOMENTS), &tunings[i], "tuned",
                        first, 3);
    }
}

Test(device_keep, as_gpus_get_it)
{
    static const uint64_t tall[4] = {700, 1, 2, 5};
    fill();
    test_device_pretend_gpu(&device);
    check_sets(make_spec(4, tall, CLKL_MOMENTS, CLKL_STANDARD_NORMAL), NULL, "gpu");
    for (size_t i = 0; i < at_most(3); ++i)
        check_sets(make_spec(4, shapes[i], CLKL_MOMENTS, CLKL_MEAN_LOGVAR), NULL, "gpu");
}

/* An array in the caller's memory that ends where memory ends. */
static cl_mem buffer_before_the_edge(const float *data, size_t count)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t pages = (count * sizeof *data + page - 1) / page;
    char *map =
        mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    cr_assert_neq(map, MAP_FAILED);
    cr_assert_eq(mprotect(map + pages * page, page, PROT_NONE), 0);
    float *array = (float *)(void *)(map + pages * page) - count;
    memcpy(array, data, count * sizeof *data);
    cl_int code = CL_SUCCESS;
    cl_mem mem =
        clCreateBuffer(device.context, CL_MEM_USE_HOST_PTR, count * sizeof *data, array, &code);
    cr_assert_eq(code, CL_SUCCESS);
    return mem;
}

/* Lanes beyond the last row read nothing beyond the arrays, in whichever of a tile's vectors. */
Test(device_keep, nothing_is_read_beyond_the_arrays)
{
    const uint64_t shape[] = {4, 20, 5};
    fill();
    for (uint32_t set = 1; set < 8; ++set) {
        clkl_spec spec = make_spec(3, shape, CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR);
        spec.q.layout = CLKL_SHARED;
        spec.keep = set;
        clkl_plan *plan = NULL;
        cr_assert_eq(clkl_plan_create(device.device, &spec, 0, &plan, NULL), CLKL_OK);
        clkl_args args = {.struct_size = sizeof args};
        args.p_mean.mem = buffer_before_the_edge(numbers[0], 400);
        args.p_scale.mem = buffer_before_the_edge(numbers[1], 400);
        args.q_mean.mem = buffer_before_the_edge(numbers[2], 100);
        args.q_scale.mem = buffer_before_the_edge(numbers[3], 100);
        args.result.mem = test_buffer(&device, NULL, 400 * sizeof(float));
        cr_assert_eq(clkl_enqueue(plan, device.queue, &args, 0, NULL, NULL, NULL), CLKL_OK);
        cr_assert_eq(clFinish(device.queue), CL_SUCCESS);
        cl_mem all[] = {args.p_mean.mem, args.p_scale.mem, args.q_mean.mem, args.q_scale.mem,
                        args.result.mem};
        for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
            clReleaseMemObject(all[i]);
        clkl_plan_release(plan);
    }
}

/* Plans launch their kernels once over no rows, and that touches no memory. */
Test(device_keep, warm_up)
{
    const clkl_spec spec = {.struct_size = sizeof spec,
                            .rank = 2,
                            .shape = {4, 1 << 24},
                            .p.form = CLKL_MEAN_LOGVAR,
                            .keep = 1u << 1};
    for (int gpu = 0; gpu < 2; ++gpu) {
        clkl_plan *plan = NULL;
        if (gpu)
            test_device_pretend_gpu(&device);
        cr_assert_eq(clkl_plan_create(device.device, &spec, 0, &plan, NULL), CLKL_OK);
        clkl_plan_release(plan);
    }
}
