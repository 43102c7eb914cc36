/* The same numbers in different places of memory: packed and separate, sliced, turned, repeated,
 * shifted, misaligned, and cut into batches. Against the reference, and, value by value of the
 * batch, bit by bit against the plainest layout. */
#include "support/device_fixture.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(device_layout, .init = open_device, .fini = close_device, .timeout = 300);

/* ---- Arrays -------------------------------------------------------------------------------------
 *
 * A number belongs to an operand and a logical index, whatever the layout. Where the numbers go is
 * worked out here, and not taken from the library. */

/* Element (i0, i1, ...) lies at origin + sum i_k * strides[k]. */
struct place {
    int64_t origin;
    int64_t strides[CLKL_MAX_RANK];
};

static struct place place_of(const clkl_spec *spec, int operand)
{
    const clkl_gaussian *side = operand < 2 ? &spec->p : &spec->q;
    const bool packed = side->form == CLKL_MOMENTS, scale = operand % 2 == 1;
    const uint32_t split = side->split_axis == 0 ? 1 : side->split_axis;
    struct place place = {0, {0}};
    int64_t stride = 1;
    for (uint32_t axis = spec->rank; axis-- > 0;) {
        place.strides[axis] = axis == 0 && side->layout == CLKL_SHARED ? 0 : stride;
        stride *= (int64_t)spec->shape[axis] * (packed && axis == split ? 2 : 1);
        if (side->layout == CLKL_STRIDED)
            place.strides[axis] =
                scale && !packed ? side->scale_strides[axis] : side->mean_strides[axis];
    }
    if (packed && scale)
        place.origin = place.strides[split] * (int64_t)spec->shape[split];
    return place;
}

/* Steps to the next index, the last axis fastest; false after the last. */
static bool next_index(const clkl_spec *spec, uint64_t *index)
{
    for (uint32_t axis = spec->rank; axis-- > 0;) {
        if (++index[axis] < spec->shape[axis])
            return true;
        index[axis] = 0;
    }
    return false;
}

/* The number at an index; `repeated` axes do not count. Some log-variances are below -1.5. */
static float number(const clkl_spec *spec, int operand, const uint64_t *index, unsigned repeated)
{
    uint64_t place = 0;
    for (uint32_t axis = 0; axis < spec->rank; ++axis)
        place = place * spec->shape[axis] + (repeated & 1u << axis ? 0 : index[axis]);
    return hash_uniform_float(5, (uint64_t)operand, place, -2.0, 2.0);
}

enum { SIZE = 1 << 18 };

/* An array for each operand; what no index reaches is NaN. */
struct arrays {
    float *of[CLKL_ARRAYS];
    struct test_inputs inputs;
};

static void fill(const clkl_spec *spec, int operand, unsigned repeated, float *array)
{
    const struct place place = place_of(spec, operand);
    uint64_t index[CLKL_MAX_RANK] = {0};
    do {
        int64_t at = place.origin;
        for (uint32_t axis = 0; axis < spec->rank; ++axis)
            at += place.strides[axis] * (int64_t)index[axis];
        cr_assert(at >= 0 && at < SIZE);
        array[at] = number(spec, operand, index, repeated);
    } while (next_index(spec, index));
}

/* `repeated`: the axes that repeat in Q, as bits. */
static struct arrays make_arrays(const clkl_spec *spec, unsigned repeated)
{
    struct arrays arrays;
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        const clkl_form form = operand < 2 ? spec->p.form : spec->q.form;
        const bool packed_scale = form == CLKL_MOMENTS && operand % 2 == 1;
        arrays.of[operand] = NULL;
        if (form != CLKL_STANDARD_NORMAL && !packed_scale) {
            arrays.of[operand] = malloc(SIZE * sizeof(float));
            cr_assert_not_null(arrays.of[operand]);
            for (int i = 0; i < SIZE; ++i)
                arrays.of[operand][i] = NAN;
        }
        if (form != CLKL_STANDARD_NORMAL)
            fill(spec, operand, operand < 2 ? 0 : repeated,
                 arrays.of[packed_scale ? operand - 1 : operand]);
        arrays.inputs.arrays[operand] = arrays.of[operand];
    }
    return arrays;
}

static void free_arrays(struct arrays *arrays)
{
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        free(arrays->of[operand]);
}

/* ---- Layouts ---- */

static struct outcome run(const clkl_spec *spec, const struct arrays *arrays, uint64_t batch,
                          const char *name)
{
    struct expected expected;
    expected_make(spec, &arrays->inputs, batch, &expected);
    struct outcome outcome = outcome_make(&expected);
    outcome_run(&outcome, &device, spec, NULL, &arrays->inputs, batch);
    expect_agreement(&expected, &outcome, &tolerance, "%s, rank %u, keep 0x%x, batch %u", name,
                     spec->rank, spec->keep, (unsigned)batch);
    expected_free(&expected);
    return outcome;
}

/* Keeps the second axis, one in the middle, the last and none, with mean and sum over the batch. */
static void check_keeps(clkl_spec spec, const struct arrays *arrays, const char *name)
{
    const uint32_t keeps[] = {1u << 1, 1u << (spec.rank / 2), 1u << (spec.rank - 1),
                              CLKL_KEEP_NONE};
    for (size_t i = 0; i < sizeof keeps / sizeof *keeps; ++i) {
        spec.keep = keeps[i];
        spec.batch_reduction = i == 2 ? CLKL_BATCH_SUM : CLKL_BATCH_MEAN;
        for (uint64_t batch = 0; batch < 3; batch += 2) {
            struct outcome outcome = run(&spec, arrays, batch, name);
            outcome_free(&outcome);
        }
    }
}

static struct outcome check_layout(const clkl_spec *spec, unsigned repeated, const char *name)
{
    struct arrays arrays = make_arrays(spec, repeated);
    struct outcome outcome = run(spec, &arrays, 0, name);
    struct outcome part = run(spec, &arrays, spec->shape[0] - 1, name);
    cr_expect(memcmp(part.values, outcome.values, part.count * sizeof(float)) == 0,
              "%s: a smaller batch changed bits", name);
    outcome_free(&part);
    free_arrays(&arrays);
    return outcome;
}

struct layout {
    const char *name;
    clkl_gaussian p;
    clkl_gaussian q;
};

/* Every layout gives what the first one gives. */
static void check_layouts(const clkl_spec *base, const struct layout *layouts, size_t count,
                          unsigned repeated)
{
    struct outcome first = {0};
    for (size_t i = 0; i < count; ++i) {
        clkl_spec spec = *base;
        spec.p = layouts[i].p;
        spec.q = layouts[i].q;
        struct outcome outcome = check_layout(&spec, repeated, layouts[i].name);
        if (i == 0) {
            first = outcome;
            continue;
        }
        cr_expect(outcome_equal(&outcome, &first), "%s: other bits than %s", layouts[i].name,
                  layouts[0].name);
        outcome_free(&outcome);
    }
    outcome_free(&first);
}

/* [200, 4, 6, 10]: so many samples that a difference in the last bit of few does not hide. */
static clkl_spec spec_of_four_axes(void)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 4, .shape = {200, 4, 6, 10}};
    spec.p.form = CLKL_MOMENTS;
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    spec.clamp = CLKL_CLAMP;
    spec.clamp_low = -1.5;
    spec.clamp_high = 20.0;
    return spec;
}

enum { DENSE = 0, PACKED = 1, FORTRAN = 5 };

static const struct layout layouts_of_p[] = {
    {"dense", {.form = CLKL_MEAN_LOGVAR}, {0}},
    {"packed along axis 1", {.form = CLKL_MOMENTS}, {0}},
    {"packed along axis 2", {.form = CLKL_MOMENTS, .split_axis = 2}, {0}},
    {"packed along the last axis", {.form = CLKL_MOMENTS, .split_axis = 3}, {0}},
    {"a slice of the channels of [200, 9, 6, 10]",
     {.form = CLKL_MEAN_LOGVAR,
      .layout = CLKL_STRIDED,
      .mean_strides = {540, 60, 10, 1},
      .scale_strides = {540, 60, 10, 1}},
     {0}},
    {"Fortran order",
     {.form = CLKL_MEAN_LOGVAR,
      .layout = CLKL_STRIDED,
      .mean_strides = {1, 200, 800, 4800},
      .scale_strides = {1, 200, 800, 4800}},
     {0}},
    {"the scale in another order than the mean, with gaps",
     {.form = CLKL_MEAN_LOGVAR,
      .layout = CLKL_STRIDED,
      .mean_strides = {240, 60, 10, 1},
      .scale_strides = {3, 601, 2500, 15100}},
     {0}},
    {"packed moments with gaps",
     {.form = CLKL_MOMENTS, .layout = CLKL_STRIDED, .mean_strides = {1200, 130, 20, 2}},
     {0}},
};

Test(device_layout, one_side)
{
    const clkl_spec spec = spec_of_four_axes();
    check_layouts(&spec, layouts_of_p, sizeof layouts_of_p / sizeof *layouts_of_p, 0);
}

#define DENSE_P                  \
    {                            \
        .form = CLKL_MEAN_LOGVAR \
    }
#define PACKED_P                              \
    {                                         \
        .form = CLKL_MOMENTS, .split_axis = 3 \
    }

static const struct layout layouts_of_shared_q[] = {
    {"Q written out", DENSE_P, {.form = CLKL_MEAN_LOGVAR}},
    {"Q shared", DENSE_P, {.form = CLKL_MEAN_LOGVAR, .layout = CLKL_SHARED}},
    {"Q shared and packed", DENSE_P, {.form = CLKL_MOMENTS, .layout = CLKL_SHARED}},
    {"Q shared, P packed along the last axis",
     PACKED_P,
     {.form = CLKL_MEAN_LOGVAR, .layout = CLKL_SHARED}},
    {"Q repeated by a stride of 0",
     DENSE_P,
     {.form = CLKL_MEAN_LOGVAR,
      .layout = CLKL_STRIDED,
      .mean_strides = {0, 60, 10, 1},
      .scale_strides = {0, 60, 10, 1}}},
};

Test(device_layout, shared_q)
{
    const clkl_spec spec = spec_of_four_axes();
    check_layouts(&spec, layouts_of_shared_q,
                  sizeof layouts_of_shared_q / sizeof *layouts_of_shared_q, 1u << 0);
}

/* A prior for each channel: for each index of axis 1. */
enum { CHANNEL_PRIOR = 2 };

static const struct layout layouts_of_prior[] = {
    {"Q written out", DENSE_P, {.form = CLKL_MEAN_LOGVAR}},
    {"Q written out, its means with gaps between samples",
     DENSE_P,
     {.form = CLKL_MEAN_LOGVAR,
      .layout = CLKL_STRIDED,
      .mean_strides = {300, 60, 10, 1},
      .scale_strides = {240, 60, 10, 1}}},
    {"Q written out, its scale in Fortran order",
     DENSE_P,
     {.form = CLKL_MEAN_LOGVAR,
      .layout = CLKL_STRIDED,
      .mean_strides = {240, 60, 10, 1},
      .scale_strides = {1, 200, 800, 4800}}},
    {"a prior for each channel",
     DENSE_P,
     {.form = CLKL_MEAN_LOGVAR,
      .layout = CLKL_STRIDED,
      .mean_strides = {0, 1, 0, 0},
      .scale_strides = {0, 2, 0, 0}}},
    {"a packed prior for each channel, P packed",
     PACKED_P,
     {.form = CLKL_MOMENTS, .layout = CLKL_STRIDED, .mean_strides = {0, 1, 0, 0}}},
};

Test(device_layout, prior_for_each_channel)
{
    const clkl_spec spec = spec_of_four_axes();
    check_layouts(&spec, layouts_of_prior, sizeof layouts_of_prior / sizeof *layouts_of_prior,
                  1u << 0 | 1u << 2 | 1u << 3);
}

/* ---- What is kept, and ranks ---- */

static void check_keeps_of(clkl_spec spec, clkl_gaussian p, clkl_gaussian q, unsigned repeated,
                           const char *name)
{
    spec.p = p;
    spec.q = q;
    struct arrays arrays = make_arrays(&spec, repeated);
    check_keeps(spec, &arrays, name);
    free_arrays(&arrays);
}

Test(device_layout, kept_axes)
{
    const clkl_spec spec = spec_of_four_axes();
    static const struct layout *const one_side[] = {&layouts_of_p[DENSE], &layouts_of_p[PACKED],
                                                    &layouts_of_p[FORTRAN]};
    const struct layout *prior = &layouts_of_prior[CHANNEL_PRIOR];
    for (size_t i = 0; i < sizeof one_side / sizeof *one_side; ++i)
        check_keeps_of(spec, one_side[i]->p, one_side[i]->q, 0, one_side[i]->name);
    check_keeps_of(spec, prior->p, prior->q, 1u << 0 | 1u << 2 | 1u << 3, prior->name);
}

/* Strides of the axes in reverse order: nothing lies beside its neighbour. */
static clkl_gaussian reversed(const clkl_spec *spec)
{
    clkl_gaussian side = {.form = CLKL_MEAN_LOGVAR, .layout = CLKL_STRIDED};
    int64_t stride = 1;
    for (uint32_t axis = 0; axis < spec->rank; ++axis) {
        side.mean_strides[axis] = side.scale_strides[axis] = stride;
        stride *= (int64_t)spec->shape[axis];
    }
    return side;
}

Test(device_layout, ranks)
{
    for (uint32_t rank = 2; rank <= CLKL_MAX_RANK; ++rank) {
        clkl_spec spec = {
            .struct_size = sizeof spec, .rank = rank, .shape = {3, 4, 2, 5, 2, 1, 2, 3, 2}};
        const clkl_gaussian packed = {.form = CLKL_MOMENTS};
        const clkl_gaussian standard = {.form = CLKL_STANDARD_NORMAL};
        check_keeps_of(spec, packed, standard, 0, "packed");
        if (rank == 3 || rank == CLKL_MAX_RANK)
            check_keeps_of(spec, reversed(&spec), standard, 0, "reversed");
    }
}
