/* clkl_reference_run: shapes, layouts, reductions and sums. The elements themselves are in
 * test_divergence.c, and what comes back beside the result in test_reference_outputs.c. */
#include "reference/divergence.h"
#include "run.h"
#include "support/hash.h"

#include <math.h>
#include <stdlib.h>

TestSuite(reference, .timeout = 60);

/* ---- Direct sums ---- */

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

/* ---- Layouts ---- */

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

/* ---- Batch and result ---- */

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

/* Also where a term is larger than the sum so far: 1/2 between two terms of 0.66 ulp. */
Test(reference, sums_are_rounded_once)
{
    const double mean[] = {1.625 * 0x1p-27, 1.0, 1.625 * 0x1p-27}, scale[] = {1, 1, 1};
    clkl_spec spec = spec_of_list(CLKL_MEAN_STD, 1, 3);
    double kl;
    run(&spec, (clkl_host_args){.p_mean = mean, .p_scale = scale, .result = &kl});
    cr_expect_eq(kl, 0.5 + 0x1p-53);
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
