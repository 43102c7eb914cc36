/* Gradients on the device: which arrays, wherever they lie, of every type; upstream gradients,
 * several passes, cuts of the batch. All against the reference, and some against 40 digits. */
#include "support/case_inputs.h"
#include "support/device_fixture.h"
#include "support/gradient_call.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(device_gradients, .init = open_device, .fini = close_device, .timeout = 300);

enum {
    PM = CLKL_GRADIENT_P_MEAN,
    PS = CLKL_GRADIENT_P_SCALE,
    QM = CLKL_GRADIENT_Q_MEAN,
    QS = CLKL_GRADIENT_Q_SCALE,
    OF_P = PM | PS,
    OF_Q = QM | QS,
    ALL = OF_P | OF_Q
};

/* Fewer where every new program takes a second to compile. */
static size_t at_most(size_t wanted, size_t on_slow)
{
    return device.device->facts.style == CLKL_STYLE_LANES && wanted > on_slow ? on_slow : wanted;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static clkl_spec make_spec(clkl_form p, clkl_form q)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 3, .shape = {3, 4, 21}};
    spec.p.form = p;
    spec.q.form = q;
    spec.gradients =
        (p != CLKL_STANDARD_NORMAL ? OF_P : 0u) | (q != CLKL_STANDARD_NORMAL ? OF_Q : 0u);
    return spec;
}

static void check(const clkl_spec *spec, const char *what)
{
    struct gradient_call call;
    gradient_call_make(&call, spec);
    gradient_call_check(&call, &device, what);
    gradient_call_free(&call);
}

static void strides(int64_t *to, int64_t a, int64_t b, int64_t c)
{
    to[0] = a;
    to[1] = b;
    to[2] = c;
}

/* ---- Kinds ---- */

Test(device_gradients, every_kind)
{
    static const struct {
        clkl_form p, q;
    } pairs[] = {
        {CLKL_MOMENTS, CLKL_STANDARD_NORMAL},     {CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR},
        {CLKL_MEAN_STD, CLKL_MEAN_VAR},           {CLKL_STANDARD_NORMAL, CLKL_MEAN_STD},
        {CLKL_MEAN_LOGSTD, CLKL_STANDARD_NORMAL}, {CLKL_MEAN_VAR, CLKL_MEAN_LOGSTD},
        {CLKL_STANDARD_NORMAL, CLKL_MOMENTS},     {CLKL_MEAN_LOGSTD, CLKL_MEAN_STD},
    };
    for (size_t i = 0; i < at_most(COUNT(pairs), 4); ++i) {
        char what[64];
        const clkl_spec spec = make_spec(pairs[i].p, pairs[i].q);
        snprintf(what, sizeof what, "forms %d and %d", pairs[i].p, pairs[i].q);
        check(&spec, what);
    }
}

/* Below a type's smallest number nothing is promised. */
static bool is_exact(const struct gradient_call *call, int operand, uint64_t place, double gradient,
                     double terms)
{
    const double found = gradient_at(call, operand, place);
    if (call->spec.compute == CLKL_F64)
        return found == gradient || fabs(found - gradient) <= 1e-14 * terms + DBL_MIN;
    return found == (double)(float)gradient || fabs(found - gradient) <= 1e-6 * terms + 0x1p-126;
}

/* One case of tests/values/gradients.txt, of fp32 inputs: each listed sample is a row. */
static unsigned check_case(const char *name, clkl_dtype compute)
{
    static const char *const operands[] = {"p_mean", "p_scale", "q_mean", "q_scale"};
    char text[256], listed[64], operand[16];
    struct test_case c;
    struct gradient_call call;
    void *arrays[CLKL_ARRAYS];
    unsigned long long sample, element;
    double gradient, terms;
    unsigned checked = 0;
    cr_assert(case_find(name, &c), "%s", name);
    clkl_spec spec = case_spec(&c, case_listed_count(&c));
    spec.gradients = (c.p != SCALE_STANDARD ? OF_P : 0u) | (c.q != SCALE_STANDARD ? OF_Q : 0u);
    spec.compute = spec.gradient_dtype = compute;
    gradient_call_make(&call, &spec);
    case_inputs_make(&c, CASE_LISTED, CLKL_F32, arrays);
    for (int i = 0; i < CLKL_ARRAYS; ++i)
        if (arrays[i] != NULL)
            memcpy(call.inputs[i], arrays[i], (size_t)call.counts[i] * sizeof(float));
    call.no_upstream = true;
    gradient_call_run(&call, &device);
    FILE *file = fopen(CLKL_GRADIENTS_FILE, "r");
    cr_assert_not_null(file);
    while (fgets(text, sizeof text, file) != NULL) {
        if (sscanf(text, "%63s %15s %llu %llu %lf %lf", listed, operand, &sample, &element,
                   &gradient, &terms) != 6 ||
            strcmp(listed, name) != 0)
            continue;
        int which = 0;
        while (strcmp(operands[which], operand) != 0)
            ++which;
        const uint64_t place = sample * c.elements + element;
        ++checked;
        cr_expect(is_exact(&call, which, place, gradient, terms),
                  "%s: %s of sample %llu is %.17g; expected %.17g", name, operand, sample,
                  gradient_at(&call, which, place), gradient);
    }
    fclose(file);
    case_inputs_free(arrays);
    gradient_call_free(&call);
    return checked;
}

static void check_cases(clkl_dtype compute)
{
    static const char *const names[] = {
        "huge.logvar-logvar.n17",         "collapsed.logvar-logvar.n64",
        "batch-shared.logvar-logvar.n33", "huge-shared.logvar-logvar.n17",
        "clamp.logvar-standard.n17",      "huge.std-std.n17",
    };
    unsigned checked = 0;
    for (size_t i = 0; i < at_most(COUNT(names), 2); ++i)
        checked += check_case(names[i], compute);
    cr_expect_geq(checked, 2 * at_most(COUNT(names), 2));
}

Test(device_gradients, exact_values)
{
    check_cases(CLKL_F32);
}

Test(device_gradients, exact_values_in_fp64)
{
    if (test_device_has_fp64(&device))
        check_cases(CLKL_F64);
}

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

Test(device_gradients, priors)
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
Test(device_gradients, every_array_repeats_axes_of_its_own)
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

Test(device_gradients, packed_along_any_axis)
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
Test(device_gradients, strided)
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
Test(device_gradients, two_in_one_buffer)
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

Test(device_gradients, every_set_of_axes)
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
Test(device_gradients, values_of_several_rows)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 4, .shape = {18, 3, 4, 5}, .keep = 2};
    spec.p.form = CLKL_MEAN_LOGVAR;
    spec.q = (clkl_gaussian){.form = CLKL_MEAN_STD, .layout = CLKL_STRIDED};
    spec.q.mean_strides[1] = spec.q.scale_strides[1] = 2;
    spec.gradients = ALL;
    check(&spec, "a prior per channel, with a gap");
}

/* ---- Many elements ---- */

Test(device_gradients, long_rows)
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
Test(device_gradients, geometries)
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
Test(device_gradients, as_gpus_get_it)
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

/* ---- Types ---- */

Test(device_gradients, of_every_type)
{
    static const struct {
        clkl_dtype dtype;
        clkl_gradient_update update;
        uint32_t keep;
        clkl_layout q;
    } cases[] = {
        {CLKL_F16, CLKL_GRADIENT_ADD, 1, CLKL_SHARED},
        {CLKL_BF16, CLKL_GRADIENT_SET, 4, CLKL_DENSE},
        {CLKL_BF16, CLKL_GRADIENT_ADD, 1, CLKL_SHARED},
        {CLKL_F16, CLKL_GRADIENT_SET, 4, CLKL_DENSE},
        {CLKL_F64, CLKL_GRADIENT_ADD, 1, CLKL_DENSE},
    };
    for (size_t i = 0; i < at_most(COUNT(cases), 2); ++i) {
        clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR);
        spec.compute = CLKL_F32;
        spec.gradient_dtype = cases[i].dtype;
        spec.gradient_update = cases[i].update;
        spec.keep = cases[i].keep;
        spec.q.layout = cases[i].q;
        spec.p.dtype = i % 4 == 0 ? CLKL_F16 : CLKL_F32;
        if (spec.gradient_dtype != CLKL_F64 || test_device_has_fp64(&device))
            check(&spec, "types");
    }
}

Test(device_gradients, computed_in_fp64)
{
    if (!test_device_has_fp64(&device))
        return;
    clkl_spec spec = make_spec(CLKL_MEAN_STD, CLKL_MEAN_LOGVAR);
    spec.compute = CLKL_F64;
    spec.p.dtype = spec.q.dtype = CLKL_F64;
    spec.q.layout = CLKL_SHARED;
    spec.gradient_update = CLKL_GRADIENT_ADD;
    check(&spec, "fp64");
    spec.gradient_dtype = CLKL_BF16;
    spec.p.dtype = CLKL_F32;
    spec.keep = 6;
    check(&spec, "fp64, gradients of bf16");
}

/* Doubles that fp32 does not hold, with gradients computed in fp32: side by side, and summed. */
Test(device_gradients, doubles_keep_the_digits_that_they_are_added_to)
{
    struct gradient_call call;
    clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR);
    spec.q.layout = CLKL_STRIDED;
    strides(spec.q.mean_strides, 1, 0, 0);
    strides(spec.q.scale_strides, 1, 0, 0);
    spec.gradient_dtype = CLKL_F64;
    spec.gradient_update = CLKL_GRADIENT_ADD;
    if (!test_device_has_fp64(&device))
        return;
    gradient_call_make(&call, &spec);
    call.held = 0x1p-40;
    gradient_input_set(&call, CLKL_UPSTREAM, 1, 0.0);
    gradient_call_check(&call, &device, "doubles");
    gradient_call_free(&call);
}

/* ---- Upstream ---- */

Test(device_gradients, upstream_and_factors_and_what_is_left_out)
{
    struct gradient_call call;
    clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_STD);
    spec.q.layout = CLKL_SHARED;
    gradient_call_make(&call, &spec);
    for (unsigned i = 0; i < 16; ++i) {
        call.no_upstream = i % 2 != 0;
        call.factors = (clkl_upstream_factors){i / 2 % 2, 0, -0.75, 3.0};
        call.left_out = i;
        gradient_call_check(&call, &device, "left out");
    }
    gradient_call_free(&call);
}

/* NaN and 0 are factors like others. */
Test(device_gradients, upstream_may_be_anything)
{
    struct gradient_call call;
    clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_STANDARD_NORMAL);
    gradient_call_make(&call, &spec);
    gradient_input_set(&call, CLKL_UPSTREAM, 0, 0.0);
    gradient_input_set(&call, CLKL_UPSTREAM, 1, NAN);
    gradient_input_set(&call, CLKL_P_MEAN, 7, NAN);
    gradient_call_check(&call, &device, "0 and NaN");
    cr_expect(isnan(gradient_at(&call, CLKL_P_MEAN, 7)) &&
              gradient_at(&call, CLKL_P_MEAN, 8) == 0.0);
    cr_expect(isnan(gradient_at(&call, CLKL_P_SCALE, 84)));
    gradient_call_free(&call);
}

/* ---- Elements without a gradient ---- */

Test(device_gradients, none_where_the_clamp_is_active)
{
    struct gradient_call call;
    clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR);
    spec.clamp = CLKL_CLAMP;
    spec.clamp_low = -1.0;
    spec.clamp_high = 0.5;
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    spec.q.layout = CLKL_SHARED;
    gradient_call_make(&call, &spec);
    gradient_input_set(&call, CLKL_P_SCALE, 0, -1.0);
    gradient_input_set(&call, CLKL_P_SCALE, 1, 0.5);
    gradient_input_set(&call, CLKL_Q_SCALE, 0, 0.0);
    gradient_input_set(&call, CLKL_Q_SCALE, 1, 0.0);
    gradient_input_set(&call, CLKL_P_SCALE, 2, nextafterf(-1.0f, -2.0f));
    gradient_input_set(&call, CLKL_P_SCALE, 3, nextafterf(0.5f, 1.0f));
    gradient_input_set(&call, CLKL_P_SCALE, 4, INFINITY);
    gradient_input_set(&call, CLKL_P_SCALE, 5, NAN);
    gradient_call_check(&call, &device, "clamped");
    cr_expect(gradient_at(&call, CLKL_P_SCALE, 0) != 0.0);
    cr_expect(gradient_at(&call, CLKL_P_SCALE, 1) != 0.0);
    for (uint64_t i = 2; i < 5; ++i)
        cr_expect(gradient_at(&call, CLKL_P_SCALE, i) == 0.0 &&
                  gradient_at(&call, CLKL_P_MEAN, i) != 0.0);
    cr_expect(isnan(gradient_at(&call, CLKL_P_SCALE, 5)));
    gradient_call_free(&call);
}

/* By the values of an earlier call: those at the bound have none, NaN is not free. */
Test(device_gradients, none_where_values_are_free)
{
    struct gradient_call call;
    clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR);
    spec.q.layout = CLKL_SHARED;
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    spec.free_nats = 0.75;
    gradient_call_make(&call, &spec);
    gradient_input_set(&call, CLKL_VALUES, 0, 0.75);
    gradient_input_set(&call, CLKL_VALUES, 1, NAN);
    gradient_input_set(&call, CLKL_VALUES, 2, 0.75 + 0x1p-20);
    gradient_call_check(&call, &device, "free");
    cr_expect_eq(gradient_at(&call, CLKL_P_MEAN, 0), 0.0);
    cr_expect(gradient_at(&call, CLKL_P_MEAN, 84) != 0.0);
    cr_expect(gradient_at(&call, CLKL_P_MEAN, 168) != 0.0);
    gradient_call_free(&call);
}

/* NaN and infinities reach what they are part of, and nothing else. */
Test(device_gradients, what_is_no_number_stays_where_it_is)
{
    static const double odd[] = {NAN, INFINITY, -INFINITY};
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        struct gradient_call call;
        clkl_spec spec = make_spec(CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR);
        spec.q.layout = CLKL_SHARED;
        gradient_call_make(&call, &spec);
        for (size_t i = 0; i < COUNT(odd); ++i)
            gradient_input_set(&call, operand, 5 + 30 * i % call.counts[operand], odd[i]);
        gradient_call_check(&call, &device, "not finite");
        gradient_call_free(&call);
    }
}

/* ---- The same bits ---- */

static bool same_bits(const struct gradient_call *a, int operand, uint64_t place,
                      const struct gradient_call *b, uint64_t other)
{
    const double x = gradient_at(a, operand, place), y = gradient_at(b, operand, other);
    return memcmp(&x, &y, sizeof x) == 0;
}

/* Gradients that are not summed over the batch know nothing of it. */
Test(device_gradients, do_not_depend_on_cuts_of_the_batch)
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
Test(device_gradients, do_not_depend_on_the_layout)
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
Test(device_gradients, out_of_order)
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
