/* clkl_reference_run: shapes, layouts, reductions, what comes back beside the result, and what is
 * refused. The elements themselves are in test_divergence.c. */
#include "reference/divergence.h"
#include "support/hash.h"

#include <clkl/clkl.h>
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(reference, .timeout = 60);

static clkl_error error;

static void run(const clkl_spec *spec, clkl_host_args args)
{
    error.struct_size = sizeof error;
    args.struct_size = sizeof args;
    cr_assert_eq(clkl_reference_run(spec, &args, &error), CLKL_OK, "%s", error.message);
}

/* The call fails, and the message names what it is about. */
static void refuse(const clkl_spec *spec, const clkl_host_args *args, const char *about)
{
    error.struct_size = sizeof error;
    cr_expect_eq(clkl_reference_run(spec, args, &error), CLKL_INVALID_ARGUMENT, "%s", about);
    cr_expect_eq(error.status, CLKL_INVALID_ARGUMENT, "%s", about);
    cr_expect_not_null(strstr(error.message, about), "%s\n  not: %s", error.message, about);
    cr_expect_eq(clkl_reference_run(spec, args, NULL), CLKL_INVALID_ARGUMENT, "%s", about);
}

/* ---- Direct sums --------------------------------------------------------------------------- */

/* What a test puts into an array and what it says of it are kept apart: here are the numbers by
 * their place in the shape, the last axis fastest, and nothing of strides. */
enum { P_MEAN, P_SCALE, Q_MEAN, Q_SCALE };

static float number(int which, uint64_t place)
{
    bool scale = which == P_SCALE || which == Q_SCALE;
    return hash_uniform_float(7, (uint64_t)which, place, scale ? 0.25 : -2.0, 2.0);
}

static uint64_t count_of(const clkl_spec *spec)
{
    uint64_t count = 1;
    for (uint32_t axis = 0; axis < spec->rank; axis++)
        count *= spec->shape[axis];
    return count;
}

/* The index of a place on an axis. */
static uint64_t index_on(const clkl_spec *spec, uint32_t axis, uint64_t place)
{
    for (uint32_t after = spec->rank - 1; after > axis; after--)
        place /= spec->shape[after];
    return place % spec->shape[axis];
}

/* The place in a shape in which the axes of `repeated`, as bits, have the extent 1. */
static uint64_t place_in(const clkl_spec *spec, unsigned repeated, uint64_t place)
{
    uint64_t result = 0;
    for (uint32_t axis = 0; axis < spec->rank; axis++)
        if (!(repeated >> axis & 1))
            result = result * spec->shape[axis] + index_on(spec, axis, place);
    return result;
}

static struct clkl_normal normal_at(clkl_form form, int mean, uint64_t place)
{
    static const enum clkl_scale kinds[] = {
        [CLKL_STANDARD_NORMAL] = CLKL_SCALE_UNIT, [CLKL_MOMENTS] = CLKL_SCALE_LOGVAR,
        [CLKL_MEAN_LOGVAR] = CLKL_SCALE_LOGVAR,   [CLKL_MEAN_LOGSTD] = CLKL_SCALE_LOGSTD,
        [CLKL_MEAN_VAR] = CLKL_SCALE_VAR,         [CLKL_MEAN_STD] = CLKL_SCALE_STD};
    if (form == CLKL_STANDARD_NORMAL)
        return (struct clkl_normal){CLKL_SCALE_UNIT, 0.0, 1.0};
    return (struct clkl_normal){kinds[form], (double)number(mean, place),
                                (double)number(mean + 1, place)};
}

/* The value for index `kept` of an axis; the whole sum if the axis is -1. Q repeats over the axes
 * whose bits are set. */
static double direct_sum(const clkl_spec *spec, unsigned q_repeats, int axis, uint64_t kept)
{
    long double sum = 0.0L;
    for (uint64_t place = 0; place < count_of(spec); place++) {
        if (axis >= 0 && index_on(spec, (uint32_t)axis, place) != kept)
            continue;
        struct clkl_normal p = normal_at(spec->p.form, P_MEAN, place);
        struct clkl_normal q = normal_at(spec->q.form, Q_MEAN, place_in(spec, q_repeats, place));
        sum += clkl_normal_divergence(&p, &q);
    }
    bool averaged = axis != 0 && spec->batch_reduction == CLKL_BATCH_MEAN;
    return (double)(averaged ? sum / spec->shape[0] : sum);
}

/* Runs the specification for every axis to keep and both reductions. */
static void check_reductions(clkl_spec spec, unsigned q_repeats, const clkl_host_args *arrays)
{
    double result[16];
    clkl_host_args args = *arrays;
    args.result = result;
    spec.compute = CLKL_F64;
    for (int axis = -1; axis < (int)spec.rank; axis++)
        for (int reduction = CLKL_BATCH_MEAN; reduction <= CLKL_BATCH_SUM; reduction++) {
            spec.keep = axis < 0 ? CLKL_KEEP_NONE : 1u << axis;
            spec.batch_reduction = (clkl_batch_reduction)reduction;
            uint64_t count = axis < 0 ? 1 : spec.shape[axis];
            cr_assert_leq(count, 15u);
            result[count] = -1.0;
            run(&spec, args);
            cr_expect_eq(result[count], -1.0, "written beyond the result");
            for (uint64_t k = 0; k < count; k++) {
                double direct = direct_sum(&spec, q_repeats, axis, k);
                cr_expect(fabs(result[k] - direct) <= 1e-15 * direct,
                          "rank %u, axis %d, reduction %d, value %u: %.17g, not %.17g", spec.rank,
                          axis, reduction, (unsigned)k, result[k], direct);
            }
        }
}

/* An array of the numbers of an operand, row-major without the repeated axes. To be freed. */
static float *array_of(const clkl_spec *spec, int which, unsigned repeated)
{
    float *array = malloc(count_of(spec) * sizeof *array);
    cr_assert_not_null(array);
    for (uint64_t place = 0; place < count_of(spec); place++) {
        uint64_t at = place_in(spec, repeated, place);
        array[at] = number(which, at);
    }
    return array;
}

/* Mean and scale packed on an axis. To be freed. */
static float *packed_array_of(const clkl_spec *spec, int mean, uint32_t split, unsigned repeated)
{
    float *array = malloc(2 * count_of(spec) * sizeof *array);
    cr_assert_not_null(array);
    for (uint64_t place = 0; place < count_of(spec); place++)
        for (int half = 0; half < 2; half++) {
            uint64_t at = 0;
            for (uint32_t axis = 0; axis < spec->rank; axis++) {
                uint64_t index = index_on(spec, axis, place);
                bool doubled = axis == split;
                if (repeated >> axis & 1)
                    continue;
                at = at * spec->shape[axis] * (doubled ? 2 : 1) + index +
                     (doubled && half ? spec->shape[axis] : 0);
            }
            array[at] = number(mean + half, place_in(spec, repeated, place));
        }
    return array;
}

static clkl_spec spec_of_rank(uint32_t rank)
{
    static const size_t shape[] = {3, 4, 2, 5, 2, 1, 2, 3, 2};
    clkl_spec spec;
    clkl_spec_moments(&spec, rank, shape);
    return spec;
}

/* ---- Layouts ------------------------------------------------------------------------------- */

Test(reference, packed_moments_of_every_rank_and_split_axis)
{
    for (uint32_t rank = 2; rank <= CLKL_MAX_RANK; rank++)
        for (uint32_t split = 1; split < rank; split += rank < 7 ? 1 : 3) {
            clkl_spec spec = spec_of_rank(rank);
            spec.p.split_axis = split;
            float *moments = packed_array_of(&spec, P_MEAN, split, 0);
            check_reductions(spec, 0, &(clkl_host_args){.p_mean = moments});
            free(moments);
        }
}

Test(reference, split_axis_is_1_unless_told)
{
    clkl_spec spec = spec_of_rank(4);
    float *moments = packed_array_of(&spec, P_MEAN, 1, 0);
    check_reductions(spec, 0, &(clkl_host_args){.p_mean = moments});
    free(moments);
}

Test(reference, packed_moments_on_both_sides)
{
    for (int shared = 0; shared < 2; shared++) {
        clkl_spec spec = spec_of_rank(4);
        spec.q = (clkl_gaussian){.form = CLKL_MOMENTS, .split_axis = 3};
        spec.q.layout = shared ? CLKL_SHARED : CLKL_DENSE;
        unsigned repeats = shared ? 1u : 0u;
        float *p = packed_array_of(&spec, P_MEAN, 1, 0);
        float *q = packed_array_of(&spec, Q_MEAN, 3, repeats);
        check_reductions(spec, repeats, &(clkl_host_args){.p_mean = p, .q_mean = q});
        free(p);
        free(q);
    }
}

Test(reference, every_pair_of_forms_dense_and_shared)
{
    for (int p = CLKL_STANDARD_NORMAL; p <= CLKL_MEAN_STD; p++)
        for (int q = CLKL_STANDARD_NORMAL; q <= CLKL_MEAN_STD; q++)
            for (unsigned shared = 0; shared < 2; shared++) {
                clkl_spec spec = spec_of_rank(3);
                spec.p.form = (clkl_form)p;
                spec.q.form = (clkl_form)q;
                spec.q.layout = shared ? CLKL_SHARED : CLKL_DENSE;
                float *arrays[4];
                for (int i = 0; i < 4; i++)
                    arrays[i] = array_of(&spec, i, i >= Q_MEAN ? shared : 0);
                float *p_packed = packed_array_of(&spec, P_MEAN, 1, 0);
                float *q_packed = packed_array_of(&spec, Q_MEAN, 1, shared);
                clkl_host_args args = {.p_mean = arrays[P_MEAN],
                                       .p_scale = arrays[P_SCALE],
                                       .q_mean = arrays[Q_MEAN],
                                       .q_scale = arrays[Q_SCALE]};
                if (p == CLKL_MOMENTS)
                    args.p_mean = p_packed;
                if (q == CLKL_MOMENTS)
                    args.q_mean = q_packed;
                check_reductions(spec, shared, &args);
                for (int i = 0; i < 4; i++)
                    free(arrays[i]);
                free(p_packed);
                free(q_packed);
            }
}

/* P lies with its axes in another order and with gaps, its scale in yet another; Q is a prior for
 * each index of axis 1. What lies in the gaps is NaN. */
Test(reference, strided_and_repeated_axes)
{
    clkl_spec spec = spec_of_rank(3); /* [3, 4, 2] */
    spec.p = (clkl_gaussian){.form = CLKL_MEAN_STD,
                             .layout = CLKL_STRIDED,
                             .mean_strides = {2, 7, 30},
                             .scale_strides = {33, 5, 2}};
    spec.q = (clkl_gaussian){.form = CLKL_MEAN_VAR,
                             .layout = CLKL_STRIDED,
                             .mean_strides = {0, 3, 0},
                             .scale_strides = {0, 1, 0}};
    float p_mean[60], p_scale[90], q_mean[12], q_scale[4];
    for (int i = 0; i < 90; i++)
        p_mean[i % 60] = p_scale[i] = q_mean[i % 12] = NAN;
    for (uint64_t place = 0; place < 24; place++) {
        uint64_t i = place / 8, j = place / 2 % 4, k = place % 2;
        p_mean[2 * i + 7 * j + 30 * k] = number(P_MEAN, place);
        p_scale[33 * i + 5 * j + 2 * k] = number(P_SCALE, place);
        q_mean[3 * j] = number(Q_MEAN, j);
        q_scale[j] = number(Q_SCALE, j);
    }
    check_reductions(
        spec, 1u << 0 | 1u << 2,
        &(clkl_host_args){
            .p_mean = p_mean, .p_scale = p_scale, .q_mean = q_mean, .q_scale = q_scale});
}

/* Packed moments with the two halves apart, as a slice of a larger array. */
Test(reference, strided_moments)
{
    clkl_spec spec = spec_of_rank(3); /* [3, 4, 2], packed [3, 8, 2] with gaps */
    spec.p.layout = CLKL_STRIDED;
    spec.p.mean_strides[0] = 100;
    spec.p.mean_strides[1] = 10;
    spec.p.mean_strides[2] = 3;
    float moments[300];
    for (int i = 0; i < 300; i++)
        moments[i] = NAN;
    for (uint64_t place = 0; place < 24; place++) {
        uint64_t at = 100 * (place / 8) + 10 * (place / 2 % 4) + 3 * (place % 2);
        moments[at] = number(P_MEAN, place);
        moments[at + 40] = number(P_SCALE, place);
    }
    check_reductions(spec, 0, &(clkl_host_args){.p_mean = moments});
}

Test(reference, types_of_the_two_sides_may_differ)
{
    const double p[] = {0.1, -0.2, 0.3, 1e-9};
    const float q_mean[] = {0.5f, 0.25f};
    const float q_scale[] = {2.0f, 3.0f};
    const size_t shape[] = {1, 2};
    clkl_spec spec;
    double kl;
    clkl_spec_moments(&spec, 2, shape);
    spec.p.dtype = CLKL_F64;
    spec.q = (clkl_gaussian){.form = CLKL_MEAN_VAR, .dtype = CLKL_F32};
    run(&spec, (clkl_host_args){.p_mean = p, .q_mean = q_mean, .q_scale = q_scale, .result = &kl});
    struct clkl_normal p0 = {CLKL_SCALE_LOGVAR, 0.1, 0.3}, p1 = {CLKL_SCALE_LOGVAR, -0.2, 1e-9};
    struct clkl_normal q0 = {CLKL_SCALE_VAR, 0.5, 2.0}, q1 = {CLKL_SCALE_VAR, 0.25, 3.0};
    double direct = clkl_normal_divergence(&p0, &q0) + clkl_normal_divergence(&p1, &q1);
    cr_expect_float_eq(kl, direct, 1e-15 * direct);
}

/* ---- Batch and result ---------------------------------------------------------------------- */

Test(reference, batch_smaller_than_planned)
{
    clkl_spec planned = spec_of_rank(4), smaller = planned;
    float *moments = packed_array_of(&planned, P_MEAN, 1, 0);
    double whole[3], part[3] = {-1.0, -1.0, -1.0};
    planned.compute = smaller.compute = CLKL_F64;
    run(&planned, (clkl_host_args){.p_mean = moments, .result = whole});
    run(&planned, (clkl_host_args){.p_mean = moments, .result = part, .batch = 2});
    cr_expect_eq(part[0], whole[0]);
    cr_expect_eq(part[1], whole[1]);
    cr_expect_eq(part[2], -1.0);

    planned.keep = smaller.keep = CLKL_KEEP_NONE;
    smaller.shape[0] = 2;
    run(&planned, (clkl_host_args){.p_mean = moments, .result = part, .batch = 2});
    cr_expect_float_eq(part[0], 0.5 * (whole[0] + whole[1]), 1e-15 * part[0]);
    run(&smaller, (clkl_host_args){.p_mean = moments, .result = whole});
    cr_expect_eq(part[0], whole[0]);
    free(moments);
}

Test(reference, result_is_f32_for_f32_inputs)
{
    clkl_spec spec = spec_of_rank(4);
    float *moments = packed_array_of(&spec, P_MEAN, 1, 0);
    float narrow[4] = {-1.0f, -1.0f, -1.0f, -1.0f};
    double wide[3];
    run(&spec, (clkl_host_args){.p_mean = moments, .result = narrow});
    spec.compute = CLKL_F64;
    run(&spec, (clkl_host_args){.p_mean = moments, .result = wide});
    for (int i = 0; i < 3; i++)
        cr_expect_eq(narrow[i], (float)wide[i]);
    cr_expect_eq(narrow[3], -1.0f);
    free(moments);
}

/* One element for each of `count` samples, or `count` of one sample, of f64 and standard Q. */
static clkl_spec spec_of_list(clkl_form form, uint64_t batch, uint64_t elements)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2};
    spec.shape[0] = batch;
    spec.shape[1] = elements;
    spec.p.form = form;
    spec.p.dtype = CLKL_F64;
    return spec;
}

enum { MANY = 1 << 20 };

/* One divergence of about 1 and a million of 1e-17, each of which is lost to a plain sum. */
Test(reference, sums_are_compensated)
{
    static double mean[MANY + 1], scale[MANY + 1];
    clkl_spec spec = spec_of_list(CLKL_MEAN_STD, 1, MANY + 1);
    for (int i = 0; i <= MANY; i++) {
        mean[i] = sqrt(2e-17);
        scale[i] = 1.0;
    }
    for (int place = 0; place <= MANY; place += MANY) {
        double kl;
        mean[place] = sqrt(2.0);
        run(&spec, (clkl_host_args){.p_mean = mean, .p_scale = scale, .result = &kl});
        cr_expect_float_eq(kl, 1.0 + MANY * 1e-17, 4e-16, "place %d: %.17g", place, kl);
        mean[place] = sqrt(2e-17);
    }
}

Test(reference, infinity_stays_infinity_in_a_sum)
{
    const double mean[] = {1.0, INFINITY, 2.0, INFINITY, 3.0}, scale[] = {1, 1, 1, 1, 1};
    clkl_spec spec = spec_of_list(CLKL_MEAN_VAR, 1, 5);
    double kl;
    run(&spec, (clkl_host_args){.p_mean = mean, .p_scale = scale, .result = &kl});
    cr_expect_eq(kl, INFINITY);
}

Test(reference, mean_over_a_batch_may_be_near_the_largest_double)
{
    const double mean[] = {1.7e154, 1.7e154, 1.7e154}, scale[] = {1, 1, 1};
    clkl_spec spec = spec_of_list(CLKL_MEAN_VAR, 3, 1);
    double kl;
    spec.keep = CLKL_KEEP_NONE;
    run(&spec, (clkl_host_args){.p_mean = mean, .p_scale = scale, .result = &kl});
    cr_expect_float_eq(kl / (0.5 * 1.7e154 * 1.7e154), 1.0, 1e-15);
    spec.batch_reduction = CLKL_BATCH_SUM;
    run(&spec, (clkl_host_args){.p_mean = mean, .p_scale = scale, .result = &kl});
    cr_expect_eq(kl, INFINITY);
}

Test(reference, deterministic_p_gives_zero_whatever_lies_there)
{
    const float nan[4] = {NAN, NAN, NAN, NAN};
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {2, 2}};
    spec.p.form = CLKL_DETERMINISTIC;
    spec.q.form = CLKL_MEAN_VAR;
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    for (int given = 0; given < 2; given++) {
        float kl[3] = {-1.0f, -1.0f, -1.0f};
        uint32_t status[2] = {9, 9};
        clkl_clamp_count counts[2] = {{9, 9}, {9, 9}};
        clkl_host_args args = {.result = kl, .value_status = status, .clamp_counts = counts};
        if (given)
            args.p_mean = args.p_scale = args.q_mean = args.q_scale = nan;
        run(&spec, args);
        for (int i = 0; i < 2; i++) {
            cr_expect_eq(kl[i], 0.0f);
            cr_expect_eq(status[i], 0u);
            cr_expect_eq(counts[i].p, 0u);
            cr_expect_eq(counts[i].q, 0u);
        }
        cr_expect_eq(kl[2], -1.0f);
    }
}

/* ---- Status -------------------------------------------------------------------------------- */

enum { NOT_A_NUMBER = CLKL_VALUE_NAN, INFINITE = CLKL_VALUE_INFINITE };
enum { NEGATIVE = CLKL_VALUE_NAN | CLKL_VALUE_NEGATIVE_SCALE };

/* Six samples of two elements. */
static const float odd_mean[12] = {1, 2, 1, NAN, 1, INFINITY, 1, 2, 1, 2, NAN, 2};
static const float odd_var[12] = {1, 2, 1, 2, 1, 2, 1, 0, -1e-30f, 2, 1, -2};

static const clkl_spec odd_spec = {
    .struct_size = sizeof odd_spec, .rank = 2, .shape = {6, 2}, .p = {.form = CLKL_MEAN_VAR}};

static void check_status(const clkl_spec *spec, clkl_host_args args, size_t count,
                         const uint32_t *expected)
{
    float kl[6];
    uint32_t status[7] = {77, 77, 77, 77, 77, 77, 77};
    args.result = kl;
    args.value_status = status;
    run(spec, args);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(status[i], expected[i], "value %zu: %u", i, status[i]);
        cr_expect_eq(!!isnan(kl[i]), expected[i] & CLKL_VALUE_NAN, "value %zu: %g", i,
                     (double)kl[i]);
        cr_expect_eq(kl[i] == INFINITY, expected[i] == CLKL_VALUE_INFINITE, "value %zu: %g", i,
                     (double)kl[i]);
    }
    cr_expect_eq(status[count], 77u);
}

Test(reference, status_of_every_sample)
{
    const uint32_t expected[] = {0, NOT_A_NUMBER, INFINITE, INFINITE, NEGATIVE, NEGATIVE};
    check_status(&odd_spec, (clkl_host_args){.p_mean = odd_mean, .p_scale = odd_var}, 6, expected);
}

Test(reference, status_of_the_values_of_another_axis)
{
    clkl_spec spec = odd_spec;
    spec.keep = 1u << 1;
    check_status(&spec, (clkl_host_args){.p_mean = odd_mean, .p_scale = odd_var}, 2,
                 (uint32_t[]){NEGATIVE, NEGATIVE});
    spec.shape[0] = 3;
    check_status(&spec, (clkl_host_args){.p_mean = odd_mean, .p_scale = odd_var}, 2,
                 (uint32_t[]){0, NOT_A_NUMBER});
}

Test(reference, status_of_a_negative_scale_of_q)
{
    clkl_spec spec = odd_spec;
    spec.p = (clkl_gaussian){.form = CLKL_STANDARD_NORMAL};
    spec.q = (clkl_gaussian){.form = CLKL_MEAN_STD};
    const uint32_t expected[] = {0, NOT_A_NUMBER, INFINITE, INFINITE, NEGATIVE, NEGATIVE};
    check_status(&spec, (clkl_host_args){.q_mean = odd_mean, .q_scale = odd_var}, 6, expected);
}

/* A finite divergence that no float holds is infinite in a result of floats. */
Test(reference, status_is_that_of_the_value_as_it_is_stored)
{
    const float mean[] = {1e20f}, var[] = {1.0f};
    clkl_spec spec = odd_spec;
    spec.shape[0] = spec.shape[1] = 1;
    check_status(&spec, (clkl_host_args){.p_mean = mean, .p_scale = var}, 1,
                 (uint32_t[]){INFINITE});
    double kl;
    uint32_t status;
    spec.compute = CLKL_F64;
    run(&spec,
        (clkl_host_args){.p_mean = mean, .p_scale = var, .result = &kl, .value_status = &status});
    cr_expect_eq(status, 0u);
    cr_expect_float_eq(kl / 5e39, 1.0, 1e-7);
}

/* ---- Clamp --------------------------------------------------------------------------------- */

/* Two samples of four elements, and a Q of four that both share; the clamp is [-2, 3]. */
static const float clamp_mean[4] = {0.5f, -1.0f, 0.0f, 2.0f};
static const float clamp_p[8] = {-2.0f,     3.0f,     3.0000002f, -2.0000002f,
                                 -INFINITY, INFINITY, 0.0f,       1e30f};
static const float clamp_p_inside[8] = {-2.0f, 3.0f, 3.0f, -2.0f, -2.0f, 3.0f, 0.0f, 3.0f};
static const float clamp_q[4] = {-9.0f, 1.0f, 1.0f, 1.0f};
static const float clamp_q_inside[4] = {-2.0f, 1.0f, 1.0f, 1.0f};

static clkl_spec clamp_spec(void)
{
    clkl_spec spec = {.struct_size = sizeof spec,
                      .rank = 2,
                      .shape = {2, 4},
                      .compute = CLKL_F64,
                      .outputs = CLKL_OUTPUT_CLAMP_COUNTS};
    spec.p = (clkl_gaussian){.form = CLKL_MEAN_LOGVAR, .layout = CLKL_STRIDED};
    spec.p.mean_strides[1] = 1;
    spec.p.scale_strides[0] = 4;
    spec.p.scale_strides[1] = 1;
    spec.q = (clkl_gaussian){.form = CLKL_MEAN_LOGVAR, .layout = CLKL_SHARED};
    return spec;
}

static void clamp_on(clkl_spec *spec)
{
    spec->clamp = CLKL_CLAMP;
    spec->clamp_low = -2.0;
    spec->clamp_high = 3.0;
}

static void expect_counts(const clkl_spec *spec, const clkl_host_args *arrays, size_t count,
                          const clkl_clamp_count *expected)
{
    double kl[4];
    clkl_clamp_count counts[5] = {{77, 77}, {77, 77}, {77, 77}, {77, 77}, {77, 77}};
    clkl_host_args args = *arrays;
    args.result = kl;
    args.clamp_counts = counts;
    run(spec, args);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(counts[i].p, expected[i].p, "P, value %zu: %u", i, counts[i].p);
        cr_expect_eq(counts[i].q, expected[i].q, "Q, value %zu: %u", i, counts[i].q);
    }
    cr_expect_eq(counts[count].p, 77u);
}

Test(reference, clamp_moves_to_the_bounds)
{
    clkl_spec spec = clamp_spec();
    double plain[2], clamped[2];
    clkl_host_args args = {.p_mean = clamp_mean,
                           .p_scale = clamp_p_inside,
                           .q_mean = clamp_mean,
                           .q_scale = clamp_q_inside,
                           .result = plain};
    run(&spec, args);
    clamp_on(&spec);
    args.p_scale = clamp_p;
    args.q_scale = clamp_q;
    args.result = clamped;
    run(&spec, args);
    cr_expect_eq(plain[0], clamped[0]);
    cr_expect_eq(plain[1], clamped[1]);
    cr_expect_gt(plain[0], 0.0);
}

Test(reference, clamp_counts_what_is_strictly_outside)
{
    clkl_spec spec = clamp_spec();
    const clkl_host_args args = {
        .p_mean = clamp_mean, .p_scale = clamp_p, .q_mean = clamp_mean, .q_scale = clamp_q};
    expect_counts(&spec, &args, 2, (clkl_clamp_count[]){{0, 0}, {0, 0}});
    clamp_on(&spec);
    expect_counts(&spec, &args, 2, (clkl_clamp_count[]){{2, 1}, {3, 1}});
    spec.keep = 1u << 1;
    expect_counts(&spec, &args, 4, (clkl_clamp_count[]){{1, 2}, {1, 0}, {1, 0}, {2, 0}});
    spec.keep = CLKL_KEEP_NONE;
    expect_counts(&spec, &args, 1, (clkl_clamp_count[]){{5, 2}});
}

Test(reference, clamp_keeps_nan_and_does_not_count_it)
{
    clkl_spec spec = clamp_spec();
    const float logvar[8] = {0, 0, NAN, 0, 0, 0, 0, 9};
    double kl[2];
    clkl_clamp_count counts[2];
    uint32_t status[2];
    clamp_on(&spec);
    run(&spec, (clkl_host_args){.p_mean = clamp_mean,
                                .p_scale = logvar,
                                .q_mean = clamp_mean,
                                .q_scale = clamp_q_inside,
                                .result = kl,
                                .value_status = status,
                                .clamp_counts = counts});
    cr_expect(isnan(kl[0]) && isfinite(kl[1]));
    cr_expect_eq(status[0], CLKL_VALUE_NAN);
    cr_expect_eq(counts[0].p, 0u);
    cr_expect_eq(counts[1].p, 1u);
}

/* The logarithm of a standard deviation is no log-variance. */
Test(reference, clamp_leaves_the_other_kinds_alone)
{
    clkl_spec spec = clamp_spec();
    double kl[2];
    spec.q.form = CLKL_MEAN_LOGSTD;
    clamp_on(&spec);
    const float far[4] = {-9.0f, 9.0f, 9.0f, -9.0f};
    const clkl_host_args args = {
        .p_mean = clamp_mean, .p_scale = clamp_p, .q_mean = clamp_mean, .q_scale = far};
    expect_counts(&spec, &args, 2, (clkl_clamp_count[]){{2, 0}, {3, 0}});
    spec.keep = CLKL_KEEP_NONE;
    clkl_host_args first = args;
    first.batch = 1;
    first.result = kl;
    run(&spec, first);
    double direct = 0.0;
    for (int i = 0; i < 4; i++) {
        struct clkl_normal p = {CLKL_SCALE_LOGVAR, 0.0, (double)clamp_p_inside[i]};
        struct clkl_normal q = {CLKL_SCALE_LOGSTD, 0.0, (double)far[i]};
        direct += clkl_normal_divergence(&p, &q);
    }
    cr_expect_float_eq(kl[0], direct, 1e-15 * direct);
}

/* ---- What is refused ----------------------------------------------------------------------- */

Test(reference, missing_arrays_are_named)
{
    const float numbers[4] = {1, 1, 1, 1};
    float kl[2] = {-1.0f, -1.0f};
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {2, 2}};
    spec.p.form = CLKL_MEAN_VAR;
    spec.q.form = CLKL_MEAN_LOGSTD;
    const clkl_host_args whole = {.struct_size = sizeof whole,
                                  .p_mean = numbers,
                                  .p_scale = numbers,
                                  .q_mean = numbers,
                                  .q_scale = numbers,
                                  .result = kl};
    clkl_host_args args = whole;
    args.p_mean = NULL;
    refuse(&spec, &args, "p_mean");
    args = whole;
    args.p_scale = NULL;
    refuse(&spec, &args, "p_scale");
    args = whole;
    args.q_mean = NULL;
    refuse(&spec, &args, "q_mean");
    args = whole;
    args.q_scale = NULL;
    refuse(&spec, &args, "q_scale");
    args = whole;
    args.result = NULL;
    refuse(&spec, &args, "result");
    cr_expect_eq(kl[0], -1.0f);
    run(&spec, whole);
    cr_expect_geq(kl[0], 0.0f);
}

Test(reference, other_arguments_are_named)
{
    float kl[2] = {-1.0f, -1.0f};
    clkl_clamp_count counts[2] = {{9, 9}, {9, 9}};
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {2, 2}};
    const clkl_host_args whole = {.struct_size = sizeof whole, .result = kl};
    clkl_host_args args = whole;
    refuse(NULL, &whole, "spec");
    refuse(&spec, NULL, "args");
    args.struct_size = 0;
    refuse(&spec, &args, "struct_size");
    args.struct_size = sizeof args - 1;
    refuse(&spec, &args, "struct_size");
    args = whole;
    args.clamp_counts = counts;
    refuse(&spec, &args, "clamp_counts");
    args = whole;
    args.batch = 3;
    refuse(&spec, &args, "batch");
    cr_expect_eq(kl[0], -1.0f);
    cr_expect_eq(counts[0].p, 9u);
}

/* A program that is newer than the library has larger structs. */
Test(reference, larger_arguments_are_taken)
{
    struct {
        clkl_host_args args;
        char more[64];
    } newer = {.args = {.struct_size = sizeof newer}};
    float kl[2];
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {2, 2}};
    newer.args.result = kl;
    cr_expect_eq(clkl_reference_run(&spec, &newer.args, NULL), CLKL_OK);
    cr_expect_eq(kl[0], 0.0f);
    cr_expect_eq(kl[1], 0.0f);
}

Test(reference, bad_specification_is_refused)
{
    float kl[2] = {-1.0f, -1.0f};
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 1, .shape = {2}};
    const clkl_host_args args = {.struct_size = sizeof args, .result = kl};
    cr_expect_eq(clkl_reference_run(&spec, &args, NULL), CLKL_INVALID_SPEC);
    cr_expect_eq(kl[0], -1.0f);
}
