/* Full covariances on the device: every dimension, every way, every output, against the reference;
 * bad samples beside good ones; the same bits however a batch is cut. */
#include "covariance_batch.h"

#include "support/device_fixture.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(device_covariance, .init = open_device, .fini = close_device, .timeout = 300);

static const struct clkl_tuning by_groups = {.covariance_way = 1 + CLKL_COVARIANCE_GROUP};
static const struct clkl_tuning by_steps = {.covariance_way = 1 + CLKL_COVARIANCE_STEPS};
static const struct covariance_call usual = {.flags = CLKL_PLAN_NO_WARM_UP};

/* ---- Against the reference ---- */

static bool near_enough(double found, double exact, double bound)
{
    if (isnan(exact) || isinf(exact))
        return isnan(exact) ? isnan(found) != 0 : found == exact;
    return fabs(found - exact) <= bound * fabs(exact) + bound * 1e-3 && found >= 0.0;
}

static void expect_agreement_with(const struct covariance_outcome *expected,
                                  const struct covariance_outcome *found, const clkl_spec *spec,
                                  uint64_t batch, double bound, const char *what)
{
    cr_assert_eq(expected->values, found->values);
    for (uint64_t i = 0; i < found->values; ++i) {
        cr_expect(near_enough(found->result[i], expected->result[i], bound),
                  "%s, D = %llu, value %llu: %.9g, expected %.9g", what,
                  (unsigned long long)spec->shape[1], (unsigned long long)i, found->result[i],
                  expected->result[i]);
        cr_expect_eq(found->value_status[i], expected->value_status[i],
                     "%s, status of value %llu: %u, expected %u", what, (unsigned long long)i,
                     (unsigned)found->value_status[i], (unsigned)expected->value_status[i]);
        for (uint64_t k = 2 * i; k < 2 * i + 2 && found->parts != NULL; ++k)
            cr_expect(near_enough(found->parts[k], expected->parts[k], bound),
                      "%s, D = %llu, part %llu: %.9g, expected %.9g", what,
                      (unsigned long long)spec->shape[1], (unsigned long long)k, found->parts[k],
                      expected->parts[k]);
    }
    for (uint64_t i = 0; i < batch && found->status != NULL; ++i)
        cr_expect(found->status[i].p == expected->status[i].p &&
                      found->status[i].q == expected->status[i].q,
                  "%s, sample %llu: status %d and %d, expected %d and %d", what,
                  (unsigned long long)i, found->status[i].p, found->status[i].q,
                  expected->status[i].p, expected->status[i].q);
}

/* Computes on the device and by the reference, which must agree. */
static void check_spec(const clkl_spec *spec, const struct test_inputs *inputs,
                       const struct covariance_call *call, double bound, const char *what)
{
    struct covariance_outcome expected, found;
    covariance_run(&device, spec, inputs, call, &found);
    covariance_reference(spec, inputs, call->batch, &expected);
    expect_agreement_with(&expected, &found, spec, call->batch != 0 ? call->batch : spec->shape[0],
                          bound, what);
    covariance_outcome_free(&expected);
    covariance_outcome_free(&found);
}

static double usual_bound(const clkl_spec *spec)
{
    return (spec->compute == CLKL_F64 || spec->p.dtype == CLKL_F64 ? 1e-13 : 2e-5);
}

static void check(const struct covariance_batch *batch, const struct covariance_call *call,
                  const char *what)
{
    check_spec(&batch->spec, &batch->inputs, call, usual_bound(&batch->spec), what);
}

/* Devices whose kernels take long to compile try less. */
static bool is_slow(void)
{
    return device.device->facts.style != CLKL_STYLE_WIDE_CPU;
}

/* ---- Every dimension ---- */

Test(device_covariance, every_dimension)
{
    for (size_t d = 1; d <= 130; d += is_slow() ? 31 : 1) {
        struct covariance_batch batch = covariance_batch_make(
            CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, d <= 8 ? 19 : 2, d, CLKL_F32, 0.3);
        check(&batch, &usual, "automatic");
        covariance_batch_free(&batch);
    }
}

Test(device_covariance, many_dimensions)
{
    struct covariance_batch batch = covariance_batch_make(
        CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 1, is_slow() ? 200 : 512, CLKL_F32, 0.1);
    check(&batch, &usual, "automatic");
    covariance_batch_free(&batch);
}

/* P's covariance is `factor` times Q's, whose entries are 2^-|i-j|, so that both are exact; the
 * means differ by a column of it. Then the KL is D/2 (factor - 1 - ln factor) and 1/2. */
static void check_multiple(size_t d, double factor, double bound)
{
    const clkl_spec spec = {.struct_size = sizeof spec,
                            .rank = 2,
                            .shape = {1, d},
                            .p = {.form = CLKL_MEAN_COVARIANCE},
                            .q = {.form = CLKL_MEAN_COVARIANCE},
                            .outputs = CLKL_OUTPUT_PARTS};
    float *p = calloc(d * d, sizeof *p), *q = calloc(d * d, sizeof *q);
    float *zeros = calloc(d, sizeof *zeros);
    struct covariance_outcome found;
    const double x = factor - 1.0, of_covariances = 0.5 * (double)d * (x - log1p(x));
    for (size_t i = 0; i < d * d; ++i) {
        const int apart = abs((int)(i / d) - (int)(i % d));
        q[i] = apart < 100 ? ldexpf(1.0F, -apart) : 0.0F;
        p[i] = (float)factor * q[i];
    }
    const struct test_inputs inputs = {.arrays = {q + d / 2 * d, p, zeros, q}};
    covariance_run(&device, &spec, &inputs, &usual, &found);
    cr_expect(fabs(found.parts[0] - of_covariances) <= bound * of_covariances,
              "D = %zu, %g times: %.9g, exactly %.9g", d, factor, found.parts[0], of_covariances);
    cr_expect(fabs(found.parts[1] - 0.5) <= bound, "D = %zu: %.9g", d, found.parts[1]);
    covariance_outcome_free(&found);
    free(p);
    free(q);
    free(zeros);
}

Test(device_covariance, thousands_of_dimensions)
{
    const size_t d = is_slow() ? 100 : 2048;
    check_multiple(d, 4.0, 2e-6);
    check_multiple(d, 1.0 + 1.0 / 1024, 2e-6);
    check_multiple(d, 1.0, 2e-6);
}

/* ---- The same bits ---- */

static void expect_same_bits(const struct covariance_batch *batch,
                             const struct covariance_call *one, const struct covariance_call *other,
                             const char *what)
{
    struct covariance_outcome a, b;
    const uint64_t samples = other->batch != 0 ? other->batch : batch->spec.shape[0];
    covariance_run(&device, &batch->spec, &batch->inputs, one, &a);
    covariance_run(&device, &batch->spec, &batch->inputs, other, &b);
    cr_expect(covariance_outcome_equal(&a, &b, &batch->spec, samples), "%s, D = %llu", what,
              (unsigned long long)batch->spec.shape[1]);
    covariance_outcome_free(&a);
    covariance_outcome_free(&b);
}

Test(device_covariance, groups_and_steps_give_the_same_bits)
{
    static const struct {
        clkl_form p, q;
        double level;
    } pairs[] = {{CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 0.3},
                 {CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 1e-4},
                 {CLKL_MEAN_PRECISION, CLKL_MEAN_CHOLESKY, 0.3}};
    static const size_t sizes[] = {5, 64, 70, 130};
    const struct covariance_call groups = {.tuning = &by_groups, .flags = usual.flags};
    const struct covariance_call steps = {.tuning = &by_steps, .flags = usual.flags};
    if (is_slow())
        return;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; ++i)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; ++k) {
            struct covariance_batch batch = covariance_batch_make(
                pairs[i].p, pairs[i].q, 3, sizes[k], CLKL_F32, pairs[i].level);
            expect_same_bits(&batch, &groups, &steps, "groups and steps");
            covariance_batch_free(&batch);
        }
}

/* The samples `first` to `first + count` of a batch as a batch of their own. */
static struct covariance_batch piece_of(const struct covariance_batch *batch, size_t first,
                                        size_t count)
{
    struct covariance_batch piece = *batch;
    piece.spec.shape[0] = count;
    for (int i = 0; i < CLKL_ARRAYS; ++i)
        if (batch->inputs.arrays[i] != NULL)
            piece.inputs.arrays[i] =
                (const char *)batch->arrays[i] +
                first * covariance_batch_count(batch, i) *
                    (batch->spec.p.dtype == CLKL_F64 ? sizeof(double) : sizeof(float));
    return piece;
}

static void expect_pieces(const struct covariance_batch *batch, size_t step)
{
    struct covariance_outcome whole, part;
    const size_t samples = (size_t)batch->spec.shape[0];
    covariance_run(&device, &batch->spec, &batch->inputs, &usual, &whole);
    for (size_t first = 0; first < samples; first += step) {
        const size_t count = samples - first < step ? samples - first : step;
        const struct covariance_batch piece = piece_of(batch, first, count);
        covariance_run(&device, &piece.spec, &piece.inputs, &usual, &part);
        cr_expect_eq(memcmp(part.result, whole.result + first, count * sizeof(double)), 0,
                     "D = %llu, samples from %zu on", (unsigned long long)batch->spec.shape[1],
                     first);
        cr_expect_eq(memcmp(part.parts, whole.parts + 2 * first, 2 * count * sizeof(double)), 0);
        covariance_outcome_free(&part);
    }
    covariance_outcome_free(&whole);
}

Test(device_covariance, a_batch_in_pieces_gives_the_same_bits)
{
    static const size_t sizes[] = {3, 70, 200};
    for (size_t k = 0; k < (is_slow() ? 1 : sizeof sizes / sizeof *sizes); ++k) {
        struct covariance_batch batch = covariance_batch_make(
            CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, k == 0 ? 50 : 9, sizes[k], CLKL_F32, 0.2);
        expect_pieces(&batch, k == 0 ? 7 : 2);
        covariance_batch_free(&batch);
    }
}

/* ---- As GPUs compute ---- */

/* Samples near and far from each other and bad ones, side by side in a work-group. */
static void check_teams(clkl_form p, clkl_form q, size_t d, double jitter)
{
    struct covariance_batch batch = covariance_batch_make(p, q, 19, d, CLKL_F32, 0.3);
    const size_t square = covariance_batch_count(&batch, CLKL_P_SCALE);
    batch.spec.jitter = jitter;
    for (size_t i = 3 * square; p == q && i < 7 * square; ++i) /* these are equal: near */
        covariance_batch_set(&batch, CLKL_Q_SCALE, i,
                             covariance_batch_get(&batch, CLKL_P_SCALE, i));
    covariance_batch_set(&batch, CLKL_P_SCALE, 5 * square + square - 1, -1.0);
    covariance_batch_set(&batch, CLKL_P_SCALE, 9 * square + square - d, NAN);
    covariance_batch_set(&batch, CLKL_P_SCALE, 14 * square, INFINITY);
    check(&batch, &usual, "teams");
    covariance_batch_free(&batch);
}

/* Not on PoCL, whose work-groups have one work-item: with more, version 3.1 loses conditions that
 * stand before a barrier. */
Test(device_covariance, several_samples_share_a_work_group)
{
    if (!is_slow())
        return;
    check_teams(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 3, 1e-3);
    check_teams(CLKL_MEAN_CHOLESKY, CLKL_MEAN_COVARIANCE, 7, 0.0);
    check_teams(CLKL_MEAN_PRECISION, CLKL_MEAN_COVARIANCE, 13, 0.0);
    check_teams(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 40, 0.0);
}

/* ---- Fewer samples than planned, offsets, several in flight ---- */

Test(device_covariance, fewer_samples_than_planned)
{
    static const struct clkl_tuning two = {.covariance_way = 1 + CLKL_COVARIANCE_STEPS,
                                           .rounds = 2};
    for (size_t d = 3; d <= (is_slow() ? 3 : 66); d += 63) {
        struct covariance_batch batch =
            covariance_batch_make(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 23, d, CLKL_F32, 0.2);
        check(&batch, &(struct covariance_call){.batch = 5, .flags = usual.flags}, "5 samples");
        check(&batch, &(struct covariance_call){.batch = 1, .offset = 3, .flags = usual.flags},
              "1 sample, offsets");
        check(&batch, &(struct covariance_call){.tuning = &two, .flags = usual.flags},
              "two in flight");
        covariance_batch_free(&batch);
    }
}

Test(device_covariance, a_plan_warms_up)
{
    static const size_t sizes[] = {3, 70, 200};
    for (size_t k = 0; k < (is_slow() ? 1 : sizeof sizes / sizeof *sizes); ++k) {
        struct covariance_batch batch = covariance_batch_make(
            CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, k == 1 ? 8 : 1, sizes[k], CLKL_F32, 0.2);
        check(&batch, &(struct covariance_call){.flags = 0}, "warm");
        covariance_batch_free(&batch);
    }
}

/* ---- What the result keeps ---- */

static void check_kept(size_t d, uint32_t keep, clkl_batch_reduction reduction,
                       const struct clkl_tuning *tuning)
{
    struct covariance_batch batch =
        covariance_batch_make(CLKL_MEAN_COVARIANCE, CLKL_MEAN_CHOLESKY, 21, d, CLKL_F32, 0.4);
    batch.spec.keep = keep;
    batch.spec.batch_reduction = reduction;
    check(&batch, &(struct covariance_call){.tuning = tuning, .flags = usual.flags}, "kept axes");
    covariance_batch_free(&batch);
}

Test(device_covariance, kept_axes)
{
    static const size_t sizes[] = {6, 70};
    for (size_t k = 0; k < (is_slow() ? 1 : sizeof sizes / sizeof *sizes); ++k) {
        check_kept(sizes[k], CLKL_KEEP_NONE, CLKL_BATCH_MEAN, NULL);
        check_kept(sizes[k], CLKL_KEEP_NONE, CLKL_BATCH_SUM, NULL);
        check_kept(sizes[k], 1u << 1, CLKL_BATCH_MEAN, NULL);
        check_kept(sizes[k], 1u << 0 | 1u << 1, CLKL_BATCH_MEAN, NULL);
    }
    if (!is_slow())
        check_kept(70, 1u << 0 | 1u << 1, CLKL_BATCH_MEAN, &by_steps);
}

/* ---- Layouts ---- */

/* A shared side gives the bits of the same side repeated. */
static void check_shared(size_t d, bool share_p, bool share_q, const struct clkl_tuning *tuning)
{
    const struct covariance_call call = {.tuning = tuning, .flags = usual.flags};
    struct covariance_batch batch =
        covariance_batch_make(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 6, d, CLKL_F32, 0.3);
    batch.spec.p.layout = share_p ? CLKL_SHARED : CLKL_DENSE;
    batch.spec.q.layout = share_q ? CLKL_SHARED : CLKL_DENSE;
    check(&batch, &call, "shared");
    covariance_batch_free(&batch);
}

/* A shared precision becomes something else in every sample: it must be there again for the next,
 * also where a work-item takes several. */
static void check_shared_precision(size_t samples)
{
    static const struct clkl_tuning in_turn = {.rounds = 3};
    const struct covariance_call call = {.tuning = &in_turn, .flags = usual.flags};
    struct covariance_batch batch =
        covariance_batch_make(CLKL_MEAN_PRECISION, CLKL_MEAN_COVARIANCE, samples, 3, CLKL_F32, 0.3);
    batch.spec.p.layout = CLKL_SHARED;
    check(&batch, &call, "a shared precision");
    covariance_batch_free(&batch);
}

Test(device_covariance, shared_sides)
{
    check_shared(4, false, true, NULL);
    if (is_slow())
        return;
    check_shared_precision(100);
    check_shared(4, true, true, NULL);
    for (size_t d = 20; d <= 100; d += 80) {
        check_shared(d, false, true, &by_groups);
        check_shared(d, true, false, &by_groups);
        check_shared(d, false, true, &by_steps);
        check_shared(d, true, true, &by_steps);
    }
}

/* Rows and columns with gaps, or the other way round. */
static void check_spread(size_t d, const struct clkl_tuning *tuning)
{
    const struct covariance_call call = {.tuning = tuning, .flags = usual.flags};
    const size_t samples = 3, rows = 3 * d + 1, square = rows * d;
    struct covariance_batch batch =
        covariance_batch_make(CLKL_MEAN_COVARIANCE, CLKL_MEAN_VAR, samples, d, CLKL_F32, 0.3);
    struct covariance_batch spread = batch;
    float *matrices = calloc(samples * square, sizeof *matrices);
    float *variances = calloc(samples * 2 * d, sizeof *variances);
    for (size_t i = 0; i < samples * d * d; ++i) {
        const size_t sample = i / (d * d), row = i / d % d, column = i % d;
        matrices[sample * square + row * 3 + column * rows] =
            column <= row ? (float)covariance_batch_get(&batch, CLKL_P_SCALE, i) : NAN;
    }
    for (size_t i = 0; i < samples * d; ++i)
        variances[2 * i] = (float)covariance_batch_get(&batch, CLKL_Q_SCALE, i);
    spread.inputs.arrays[CLKL_P_SCALE] = matrices;
    spread.inputs.arrays[CLKL_Q_SCALE] = variances;
    spread.spec.p.layout = spread.spec.q.layout = CLKL_STRIDED;
    const int64_t dense[] = {(int64_t)d, 1}, wide[] = {2 * (int64_t)d, 2};
    const int64_t matrix[] = {(int64_t)square, 3, (int64_t)rows};
    memcpy(spread.spec.p.mean_strides, dense, sizeof dense);
    memcpy(spread.spec.p.scale_strides, matrix, sizeof matrix);
    memcpy(spread.spec.q.mean_strides, dense, sizeof dense);
    memcpy(spread.spec.q.scale_strides, wide, sizeof wide);
    check(&spread, &call, "strides");
    free(matrices);
    free(variances);
    covariance_batch_free(&batch);
}

Test(device_covariance, strides)
{
    check_spread(5, NULL);
    if (is_slow())
        return;
    check_spread(66, &by_groups);
}

/* ---- What GPUs get ---- */

/* Groups of many work-items, with tiles of 16 and of 32 of which some are not full. PoCL 3.1
 * compiles groups of several work-items wrongly: it drops conditions that stand before a barrier.
 */
Test(device_covariance, as_on_a_gpu)
{
    static const size_t sizes[] = {7, 50};
    if (!is_slow())
        return;
    test_device_pretend_gpu(&device);
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; ++k)
        for (double level = 0.3; level > 1e-4; level /= 1e3) {
            struct covariance_batch batch = covariance_batch_make(
                CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 3, sizes[k], CLKL_F32, level);
            check(&batch, &usual, "as on a GPU");
            covariance_batch_free(&batch);
        }
}

/* ---- Types ---- */

static void check_types(size_t d, clkl_dtype p, clkl_dtype q, clkl_dtype compute, double bound)
{
    struct covariance_batch batch =
        covariance_batch_make(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 3, d, p, 0.3);
    struct covariance_batch other =
        covariance_batch_make(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 3, d, q, 0.3);
    batch.spec.q.dtype = q;
    batch.spec.compute = compute;
    batch.inputs.arrays[CLKL_Q_MEAN] = other.inputs.arrays[CLKL_Q_MEAN];
    batch.inputs.arrays[CLKL_Q_SCALE] = other.inputs.arrays[CLKL_Q_SCALE];
    check_spec(&batch.spec, &batch.inputs, &usual, bound, "types");
    covariance_batch_free(&batch);
    covariance_batch_free(&other);
}

Test(device_covariance, types)
{
    if (!test_device_has_fp64(&device))
        return;
    check_types(5, CLKL_F32, CLKL_F32, CLKL_F64, 1e-13);
    check_types(70, CLKL_F64, CLKL_F32, CLKL_F32, 2e-5);
}
