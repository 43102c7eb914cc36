/* Gradients on the device, wherever the arrays lie: strides, kept axes, many elements, several
 * passes, cuts of the batch. All against the reference. */
#include "gradient_specs.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(device_gradient_layouts, .init = open_device, .fini = close_device, .timeout = 300);

/* ---- Layouts ---- */

/* How Q lies: three kinds of priors, and others. */
static void check_prior(clkl_gaussian q, const char *what, const uint32_t *keeps, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, q.form);
        spec.q = q;
        spec.keep = keeps[i];
        check(&spec, what);
    }
}

Test(device_gradient_layouts, priors)
{
    static const uint32_t keeps[] = {1, CLKL_KEEP_NONE};
    clkl_gaussian q = {.form = CLKL_MEAN_STD, .layout = CLKL_SHARED};
    check_prior(q, "a shared Q", keeps, 2);
    q.layout = CLKL_STRIDED;
    check_prior(q, "a prior of one value", keeps, 1);
    strides(q.mean_strides, 0, 1, 0);
    strides(q.scale_strides, 0, 1, 0);
    check_prior(q, "a prior per channel", keeps, at_most(1, 0));
    strides(q.scale_strides, 0, 0, 1);
    check_prior(q, "means per channel, scales per position", keeps, at_most(1, 0));
    strides(q.mean_strides, 84, 21, 1);
    strides(q.scale_strides, 0, 21, 1);
    check_prior(q, "a shared scale alone", keeps, 1);
}

/* The upstream of values differs from that of the sum: each pass has its own rows. */
Test(device_gradient_layouts, every_array_repeats_axes_of_its_own)
{
    clkl_spec spec = make_spec(CLKL_MEAN_STD, CLKL_MEAN_LOGVAR);
    spec.p.layout = spec.q.layout = CLKL_STRIDED;
    strides(spec.p.mean_strides, 0, 21, 1);
    strides(spec.p.scale_strides, 0, 0, 1);
    strides(spec.q.mean_strides, 4, 1, 0);
    strides(spec.q.scale_strides, 0, 1, 0);
    spec.keep = at_most(2, 1) == 2 ? 1 : 5;
    spec.batch_reduction = CLKL_BATCH_SUM;
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    check(&spec, "four passes of gradients");
}

Test(device_gradient_layouts, packed_along_any_axis)
{
    for (uint32_t split = 1; split < at_most(4, 2); split += 2) {
        clkl_spec spec = {.struct_size = sizeof spec, .rank = 4, .shape = {3, 4, 3, 17}};
        spec.p = (clkl_gaussian){.form = CLKL_MOMENTS, .split_axis = split};
        spec.q = (clkl_gaussian){.form = CLKL_MOMENTS, .split_axis = split == 1 ? 2 : 1};
        spec.gradients = PM | QS;
        spec.q.layout = split == 1 ? CLKL_DENSE : CLKL_SHARED;
        spec.keep = 1u << split;
        check(&spec, "packed");
    }
}

/* Slices, turned axes, gaps: what lies between is not touched. */
Test(device_gradient_layouts, strided)
{
    for (size_t i = 0; i < at_most(2, 1); ++i) {
        clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_VAR);
        spec.keep = i == 0 ? 1 : 4;
        spec.p.layout = spec.q.layout = CLKL_STRIDED;
        strides(spec.p.mean_strides, 200, 23, 1);
        strides(spec.p.scale_strides, 1, 3, 13);
        strides(spec.q.mean_strides, 43, 200, 2);
        strides(spec.q.scale_strides, 0, 1, 5);
        if (i == 0)
            check(&spec, "slices");
        spec.p = (clkl_gaussian){.form = CLKL_MOMENTS, .layout = CLKL_STRIDED, .split_axis = 1};
        strides(spec.p.mean_strides, 300, 30, 1);
        check(&spec, "packed slices");
    }
}

/* The mean's gradient at even places, the scale's at odd ones; or one behind the other in rows. */
Test(device_gradient_layouts, two_in_one_buffer)
{
    for (int rows = 0; rows < 2; ++rows) {
        struct gradient_call call;
        clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_STANDARD_NORMAL);
        spec.p.layout = CLKL_STRIDED;
        strides(spec.p.mean_strides, rows ? 168 : 168, rows ? 42 : 42, rows ? 1 : 2);
        memcpy(spec.p.scale_strides, spec.p.mean_strides, sizeof spec.p.mean_strides);
        gradient_call_make(&call, &spec);
        call.one_buffer = true;
        call.between_gradients = rows ? 21 : 1;
        gradient_call_check(&call, &device, rows ? "rows by turns" : "interleaved");
        gradient_call_free(&call);
    }
}

/* ---- Kept axes ---- */

Test(device_gradient_layouts, every_set_of_axes)
{
    static const uint32_t sets[] = {2, 5, 7};
    for (size_t i = 0; i < at_most(COUNT(sets), 1); ++i) {
        struct gradient_call call;
        clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_STD);
        spec.q.layout = CLKL_SHARED;
        spec.keep = sets[i];
        spec.batch_reduction = i % 2 == 0 ? CLKL_BATCH_MEAN : CLKL_BATCH_SUM;
        gradient_call_make(&call, &spec);
        gradient_call_check(&call, &device, "whole");
        call.batch = spec.shape[0] - 1;
        call.shift = 3;
        gradient_call_check(&call, &device, "a smaller batch, shifted");
        call.batch = 1;
        gradient_call_check(&call, &device, "a batch of one");
        gradient_call_free(&call);
    }
}

/* A value of several rows, whose parts the second stage joins. */
Test(device_gradient_layouts, values_of_several_rows)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 4, .shape = {18, 3, 4, 5}, .keep = 2};
    spec.p.form = CLKL_MEAN_LOGVAR;
    spec.q = (clkl_gaussian){.form = CLKL_MEAN_STD, .layout = CLKL_STRIDED};
    spec.q.mean_strides[1] = spec.q.scale_strides[1] = 2;
    spec.gradients = ALL;
    check(&spec, "a prior per channel, with a gap");
}

/* ---- Many elements ---- */

Test(device_gradient_layouts, long_rows)
{
    static const uint64_t shape[] = {3, 2, 30011};
    static const uint32_t keeps[] = {1, CLKL_KEEP_NONE, 4};
    for (size_t i = 0; i < at_most(COUNT(keeps), 1); ++i) {
        clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_STD);
        memcpy(spec.shape, shape, sizeof shape);
        spec.keep = keeps[i];
        spec.q.layout = i == 1 ? CLKL_SHARED : CLKL_STRIDED;
        check(&spec, "rows in chunks");
    }
}

/* The programs of the last two are those of other tests. */
Test(device_gradient_layouts, geometries)
{
    static const struct {
        struct clkl_tuning tuning;
        uint32_t keep;
    } cases[] = {
        {{.work_group = 8, .team = 2, .chunk = 64}, 1},
        {{.work_group = 32, .team = 8}, 6},
        {{.chunk = 1}, 1},
        {{.chunk = 2, .rounds = 3}, 6},
    };
    for (size_t i = 0; i < at_most(COUNT(cases), 1); ++i) {
        struct gradient_call call;
        clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_STD);
        spec.q.layout = CLKL_SHARED;
        spec.keep = cases[i].keep;
        gradient_call_make(&call, &spec);
        call.tuning = &cases[i].tuning;
        gradient_call_check(&call, &device, "tuned");
        gradient_call_free(&call);
    }
}

/* As GPUs get it: rows through aligned pointers, and through others where buffers do not allow
 * them, with the same bits. */
Test(device_gradient_layouts, as_gpus_get_it)
{
    struct gradient_call call, shifted;
    clkl_spec spec = make_spec(CLKL_MOMENTS, CLKL_MEAN_VAR);
    spec.shape[2] = 64;
    spec.q.layout = CLKL_SHARED;
    test_device_pretend_gpu(&device);
    for (size_t i = 0; i < at_most(2, 0); ++i) {
        spec.gradient_dtype = i == 0 ? CLKL_F32 : CLKL_F16;
        gradient_call_make(&call, &spec);
        gradient_call_make(&shifted, &spec);
        shifted.shift = 3;
        gradient_call_check(&call, &device, "gpu");
        gradient_call_check(&shifted, &device, "gpu, not aligned");
        for (int array = 0; array < CLKL_ARRAYS; ++array)
            for (uint64_t at = 0; call.gradients[array] != NULL && at < call.counts[array]; ++at)
                cr_assert_eq(gradient_at(&call, array, at), gradient_at(&shifted, array, at));
        gradient_call_free(&shifted);
        gradient_call_free(&call);
    }
    spec.gradient_dtype = CLKL_F32;
    spec.keep = 6;
    check(&spec, "gpu");
}

/* ---- The same bits ---- */

static bool same_bits(const struct gradient_call *a, int operand, uint64_t place,
                      const struct gradient_call *b, uint64_t other)
{
    const double x = gradient_at(a, operand, place), y = gradient_at(b, operand, other);
    return memcmp(&x, &y, sizeof x) == 0;
}

/* Gradients that are not summed over the batch know nothing of it. */
Test(device_gradient_layouts, do_not_depend_on_cuts_of_the_batch)
{
    static const uint64_t batches[] = {1, 2, 5};
    struct gradient_call whole, part;
    clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_STD);
    spec.shape[0] = 5;
    spec.q.layout = CLKL_STRIDED;
    strides(spec.q.mean_strides, 4, 1, 0); /* a sum over positions */
    strides(spec.q.scale_strides, 1, 0, 0);
    gradient_call_make(&whole, &spec);
    gradient_call_make(&part, &spec);
    gradient_call_check(&whole, &device, "whole");
    for (size_t i = 0; i < COUNT(batches); ++i) {
        part.batch = batches[i];
        gradient_call_check(&part, &device, "part");
        for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
            for (uint64_t at = 0; at < whole.counts[operand] * batches[i] / 5; ++at)
                cr_assert(same_bits(&whole, operand, at, &part, at), "batch %u, array %d, %u",
                          (unsigned)batches[i], operand, (unsigned)at);
    }
    gradient_call_free(&part);
    gradient_call_free(&whole);
}

/* Nor of where elements lie. */
Test(device_gradient_layouts, do_not_depend_on_the_layout)
{
    struct gradient_call dense, turned;
    clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_STD);
    spec.q.layout = CLKL_SHARED;
    gradient_call_make(&dense, &spec);
    spec.p.layout = spec.q.layout = CLKL_STRIDED;
    strides(spec.p.mean_strides, 1, 3, 12);
    strides(spec.p.scale_strides, 100, 21, 1);
    strides(spec.q.mean_strides, 0, 1, 4);
    strides(spec.q.scale_strides, 0, 50, 2);
    gradient_call_make(&turned, &spec);
    turned.shift = 5;
    for (int pass = 0; pass < 2; ++pass)
        for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
            for (uint64_t at = 0; at < dense.counts[operand]; ++at) {
                const clkl_gaussian *side = operand < 2 ? &spec.p : &spec.q;
                const int64_t *to = operand % 2 == 0 ? side->mean_strides : side->scale_strides;
                const uint64_t place =
                    (uint64_t)(to[0] * (int64_t)(at / 84) + to[1] * (int64_t)(at / 21 % 4) +
                               to[2] * (int64_t)(at % 21));
                if (pass == 0)
                    gradient_input_set(&turned, operand, place,
                                       gradient_input(&dense, operand, at));
                else
                    cr_assert(same_bits(&dense, operand, at, &turned, place), "array %d, %u",
                              operand, (unsigned)at);
                if (pass == 0 && operand == CLKL_Q_SCALE && at + 1 == dense.counts[operand]) {
                    gradient_call_check(&dense, &device, "dense");
                    gradient_call_check(&turned, &device, "turned");
                }
            }
    gradient_call_free(&turned);
    gradient_call_free(&dense);
}

/* ---- Queues ---- */

/* Several passes on a queue that keeps no order; what the event says is there, is there. */
Test(device_gradient_layouts, out_of_order)
{
    cl_int code = CL_SUCCESS;
    cl_command_queue queue = clCreateCommandQueue(device.context, device.id,
                                                  CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &code);
    if (code != CL_SUCCESS)
        return; /* the device has no such queues */
    struct gradient_call call;
    clkl_spec spec = make_spec(CLKL_MEAN_STD, CLKL_MEAN_LOGVAR);
    spec.shape[2] = 5000;
    spec.q.layout = CLKL_STRIDED;
    strides(spec.q.mean_strides, 4, 1, 0);
    spec.weights.kind = CLKL_LENGTHS;
    spec.weights.length_axis = 2;
    gradient_call_make(&call, &spec);
    call.queue = queue;
    for (int i = 0; i < 3; ++i)
        gradient_call_check(&call, &device, "out of order");
    gradient_call_free(&call);
    clReleaseCommandQueue(queue);
}
