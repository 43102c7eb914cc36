/* NaN, infinities, zeros, negative scales and the ends of the range, on either side and in mean and
 * scale, for every pair of kinds, with and without a clamp; equal and nearly equal distributions.
 *
 * Each combination of four values is put into one element of a row of its own. The other elements
 * are quiet, that is equal on both sides and so without a share in the sum, or ordinary. All the
 * rows of a pair are one batch, so what one row does to another is seen as well. */
#include "support/case_inputs.h"
#include "support/compare.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A row is a vector and a remainder at any width. A long row also has tiles that are whole, and
 * some that are not: they are for pairs of which one side is standard, as the short cut is for
 * some. */
enum { ELEMENTS = 21, LONG = 277 };

static struct test_device device;
static struct tolerance tolerance;
static bool subnormals;

static void open_device(void)
{
    test_device_open(&device);
    subnormals = test_device_keeps_subnormals(&device, CLKL_F32);
    tolerance = device_tolerance(&device);
    tolerance.relative = 1e-6;
}

static void close_device(void)
{
    test_device_close(&device);
}

TestSuite(device_special, .init = open_device, .fini = close_device, .timeout = 300);

/* ---- Arrays ---- */

/* P mean, P scale, Q mean, Q scale; those of a standard side are there and not passed on. */
struct arrays {
    float *of[CLKL_ARRAYS];
};

static struct arrays arrays_make(size_t count)
{
    struct arrays arrays;
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        arrays.of[operand] = malloc(count * sizeof(float));
        cr_assert_not_null(arrays.of[operand]);
    }
    return arrays;
}

static void arrays_free(struct arrays *arrays)
{
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        free(arrays->of[operand]);
}

static struct test_inputs inputs_of(const struct arrays *arrays, enum scale_kind p,
                                    enum scale_kind q)
{
    struct test_inputs inputs;
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        inputs.arrays[operand] =
            (operand < 2 ? p : q) == SCALE_STANDARD ? NULL : arrays->of[operand];
    return inputs;
}

static clkl_spec spec_of(enum scale_kind p, enum scale_kind q, uint64_t batch, uint64_t elements)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2};
    spec.shape[0] = batch;
    spec.shape[1] = elements;
    spec.p.form = scale_kind_form(p);
    spec.q.form = scale_kind_form(q);
    return spec;
}

static bool is_log(enum scale_kind kind)
{
    return kind == SCALE_LOGVAR || kind == SCALE_LOGSTD;
}

/* ---- Special values ---- */

struct list {
    float values[16];
    size_t count;
};

static void append(struct list *list, float value)
{
    list->values[list->count++] = value;
}

/* What stands in an operand of a kind: for a standard side one number that is not looked at. */
static struct list special_values(enum scale_kind kind, bool scale)
{
    static const float always[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 0.75f, -1.5f, FLT_MIN};
    struct list list = {{0}, 0};
    if (kind == SCALE_STANDARD) {
        append(&list, 0.0f);
        return list;
    }
    for (size_t i = 0; i < sizeof always / sizeof *always; ++i)
        append(&list, always[i]);
    if (!scale || !is_log(kind)) {
        append(&list, FLT_MAX);
        append(&list, -FLT_MAX);
    }
    if (scale && is_log(kind)) {
        append(&list, 80.0f);
        append(&list, -80.0f);
        append(&list, 8e37f); /* twice as much, and twice that, are floats */
        append(&list, -8e37f);
    }
    if (scale && !is_log(kind))
        append(&list, 1.0f);
    if (subnormals)
        append(&list, scale ? 1e-40f : FLT_TRUE_MIN);
    return list;
}

enum neighbours { QUIET, ORDINARY, NEIGHBOURS };

/* N(0, 1) on both sides; or distributions as an autoencoder has them. */
static float neighbour(enum neighbours neighbours, enum scale_kind kind, int operand, size_t place)
{
    const bool scale = operand % 2 == 1;
    if (neighbours == QUIET)
        return scale && !is_log(kind) ? 1.0f : 0.0f;
    const double low = scale ? -2.0 : -3.0, high = scale ? 1.0 : 3.0;
    const double x = hash_uniform(1, (uint64_t)operand, place, low, high);
    return (float)(scale && !is_log(kind) ? exp(x) : x);
}

/* Where in its row the special element stands: first, last, in the remainder, at ends of vectors
 * and of tiles. */
static const size_t places[] = {0, ELEMENTS - 1, 16, 15, 7, 18, 4};
static const size_t long_places[] = {0, LONG - 1, 15, 100, 127, 128, 255, 256, 274};
enum { PLACES = sizeof places / sizeof *places, LONG_PLACES = sizeof long_places / sizeof *places };

/* One row for each combination; with long rows, which are few, one for each place as well. */
struct grid {
    enum scale_kind kinds[2];
    struct list lists[CLKL_ARRAYS];
    size_t combinations;
    size_t rows;
    size_t elements;
};

static struct grid grid_of(enum scale_kind p, enum scale_kind q)
{
    const bool is_long = p == SCALE_STANDARD || q == SCALE_STANDARD;
    struct grid grid = {.kinds = {p, q}, .combinations = 1};
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        grid.lists[operand] = special_values(grid.kinds[operand / 2], operand % 2 == 1);
        grid.combinations *= grid.lists[operand].count;
    }
    grid.elements = is_long ? LONG : ELEMENTS;
    grid.rows = grid.combinations * (is_long ? LONG_PLACES : 1);
    return grid;
}

static size_t place_of(const struct grid *grid, size_t row)
{
    return grid->elements == LONG ? long_places[row / grid->combinations] : places[row % PLACES];
}

static struct arrays grid_arrays(const struct grid *grid, enum neighbours neighbours)
{
    struct arrays arrays = arrays_make(grid->rows * grid->elements);
    for (size_t row = 0; row < grid->rows; ++row) {
        size_t choice = row;
        for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
            const struct list *list = &grid->lists[operand];
            const size_t first = row * grid->elements;
            float *data = arrays.of[operand] + first;
            for (size_t i = 0; i < grid->elements; ++i)
                data[i] = neighbour(neighbours, grid->kinds[operand / 2], operand, first + i);
            data[place_of(grid, row)] = list->values[choice % list->count];
            choice /= list->count;
        }
    }
    return arrays;
}

/* One pair of kinds, with the clamp that `spec` may have. */
static void check_grid(enum scale_kind p, enum scale_kind q, const clkl_spec *clamp)
{
    const struct grid grid = grid_of(p, q);
    clkl_spec spec = spec_of(p, q, grid.rows, grid.elements);
    if (clamp != NULL) {
        spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
        spec.clamp = CLKL_CLAMP;
        spec.clamp_low = clamp->clamp_low;
        spec.clamp_high = clamp->clamp_high;
    }
    for (enum neighbours neighbours = QUIET; neighbours < NEIGHBOURS; ++neighbours) {
        struct arrays arrays = grid_arrays(&grid, neighbours);
        const struct test_inputs inputs = inputs_of(&arrays, p, q);
        struct expected expected;
        expected_make(&spec, &inputs, 0, &expected);
        struct outcome outcome = outcome_make(&expected);
        outcome_run(&outcome, &device, &spec, NULL, &inputs, 0);
        expect_agreement(&expected, &outcome, &tolerance, "P %s, Q %s, clamp %g, %s neighbours",
                         scale_kind_name(p), scale_kind_name(q),
                         clamp == NULL ? 0.0 : spec.clamp_high,
                         neighbours == QUIET ? "quiet" : "ordinary");
        outcome_free(&outcome);
        expected_free(&expected);
        arrays_free(&arrays);
    }
}

/* Two tests, which run beside one another and have no program in common. */
Test(device_special, values_where_p_has_logarithms)
{
    for (enum scale_kind p = SCALE_LOGVAR; p <= SCALE_LOGSTD; ++p)
        for (enum scale_kind q = SCALE_STANDARD; q <= SCALE_STD; ++q)
            check_grid(p, q, NULL);
}

Test(device_special, values_where_p_has_none)
{
    for (enum scale_kind q = SCALE_LOGVAR; q <= SCALE_STD; ++q)
        check_grid(SCALE_STANDARD, q, NULL);
    for (enum scale_kind p = SCALE_VAR; p <= SCALE_STD; ++p)
        for (enum scale_kind q = SCALE_STANDARD; q <= SCALE_STD; ++q)
            check_grid(p, q, NULL);
}

/* The usual bounds, and bounds between which nothing is left as it was. */
static const clkl_spec usual_clamp = {.clamp_low = -30.0, .clamp_high = 20.0};
static const clkl_spec narrow_clamp = {.clamp_low = 0.25, .clamp_high = 0.25};

static void check_clamped(enum scale_kind p, enum scale_kind q)
{
    check_grid(p, q, &usual_clamp);
    check_grid(p, q, &narrow_clamp);
}

Test(device_special, values_where_p_is_clamped)
{
    for (enum scale_kind q = SCALE_STANDARD; q <= SCALE_STD; ++q)
        check_clamped(SCALE_LOGVAR, q);
}

Test(device_special, values_where_q_alone_is_clamped)
{
    for (enum scale_kind p = SCALE_STANDARD; p <= SCALE_STD; ++p)
        if (p != SCALE_LOGVAR)
            check_clamped(p, SCALE_LOGVAR);
}

/* What GPUs get, computed here, for some of the pairs. Where the device is given nearly the same
 * anyway, it is left out. */
Test(device_special, values_on_a_gpu)
{
    if (device.device->facts.style != CLKL_STYLE_WIDE_CPU)
        cr_skip_test("the device has scalar kernels");
    test_device_pretend_gpu(&device);
    check_grid(SCALE_LOGVAR, SCALE_STANDARD, &usual_clamp);
    check_grid(SCALE_STD, SCALE_LOGVAR, &usual_clamp);
    check_grid(SCALE_LOGVAR, SCALE_LOGSTD, NULL);
    check_grid(SCALE_VAR, SCALE_STD, NULL);
}

/* ---- Equal distributions ---- */

enum { EQUAL_ROWS = 40 };

/* Any number that a scale may be, but NaN and those below 0; a variance that is a square, so that
 * its standard deviation is a float too. */
static float scale_of(enum scale_kind kind, size_t place)
{
    const double l = hash_uniform(2, 0, place, -40.0, 40.0);
    const float s = (float)ldexp(1.0 + (double)(place % 31) / 32.0, (int)l);
    switch (kind) {
    case SCALE_LOGVAR:
        return (float)l;
    case SCALE_LOGSTD:
        return 0.5f * (float)l;
    case SCALE_VAR:
        return s * s;
    case SCALE_STD:
        return s;
    default:
        return 0.0f;
    }
}

/* The first row has the ends of the range, as far as both kinds have them alike. */
static float extreme_scale(enum scale_kind kind, size_t place)
{
    static const float logs[] = {INFINITY, -INFINITY, 0.0f, -0.0f};
    static const float others[] = {INFINITY, 0.0f, 1.0f, -0.0f};
    return is_log(kind) ? logs[place % 4] : others[place % 4];
}

static void check_equal(enum scale_kind p, enum scale_kind q, uint64_t elements)
{
    const clkl_spec spec = spec_of(p, q, EQUAL_ROWS, elements);
    struct arrays arrays = arrays_make(EQUAL_ROWS * elements);
    float values[EQUAL_ROWS];
    uint32_t status[EQUAL_ROWS];
    for (size_t i = 0; i < EQUAL_ROWS * elements; ++i) {
        const bool extreme = i < elements;
        const double mean = hash_uniform(2, 1, i, -1e3, 1e3);
        arrays.of[0][i] = arrays.of[2][i] = extreme && i % 5 == 0 ? FLT_MAX : (float)mean;
        arrays.of[1][i] = extreme ? extreme_scale(p, i) : scale_of(p, i);
        arrays.of[3][i] = extreme ? extreme_scale(q, i) : scale_of(q, i);
    }
    const struct test_inputs inputs = inputs_of(&arrays, p, q);
    test_device_run(&device, &spec, NULL, &inputs, 0, values, status, NULL);
    for (int i = 0; i < EQUAL_ROWS; ++i)
        cr_expect(values[i] == 0.0f && status[i] == 0, "%s and %s of %d elements, row %d: %g, %u",
                  scale_kind_name(p), scale_kind_name(q), (int)elements, i, (double)values[i],
                  status[i]);
    arrays_free(&arrays);
}

/* Also across kinds, where both say the same without rounding. */
Test(device_special, equal_distributions_give_0)
{
    static const uint64_t lengths[] = {1, 2, 3, 5, ELEMENTS, 33, 257, 1001};
    for (enum scale_kind p = SCALE_LOGVAR; p <= SCALE_STD; ++p)
        for (enum scale_kind q = SCALE_LOGVAR; q <= SCALE_STD; ++q)
            for (size_t i = 0; i < sizeof lengths / sizeof *lengths; ++i)
                if (p == q || (is_log(p) == is_log(q) && lengths[i] == ELEMENTS))
                    check_equal(p, q, lengths[i]);
}

/* ---- Nearly equal distributions ---- */

enum { NEAR_ROWS = 3000 };

static float scale_from(enum scale_kind kind, double logvar)
{
    const double l = kind == SCALE_LOGSTD || kind == SCALE_STD ? 0.5 * logvar : logvar;
    return (float)(is_log(kind) ? l : exp(l));
}

/* P beside Q, or one of them beside N(0, 1), by 1e-9 to 1e-1 of a standard deviation; of different
 * kinds as near as rounding lets. */
static void fill_near(const struct arrays *arrays, enum scale_kind p, enum scale_kind q)
{
    const bool alone = p == SCALE_STANDARD || q == SCALE_STANDARD;
    for (size_t i = 0; i < (size_t)NEAR_ROWS * ELEMENTS; ++i) {
        const double step = pow(10.0, -9.0 + (double)(i / ELEMENTS % 9));
        const double mean = alone ? 0.0 : hash_uniform(3, 0, i, -1.0, 1.0);
        const double logvar = alone ? 0.0 : hash_uniform(3, 1, i, -10.0, 10.0);
        const double far = step * exp(0.5 * logvar) * hash_uniform(3, 2, i, -1.0, 1.0);
        const double far_logvar = logvar + step * hash_uniform(3, 3, i, -1.0, 1.0);
        arrays->of[0][i] = (float)(mean + far);
        arrays->of[1][i] = scale_from(p, far_logvar);
        arrays->of[2][i] = (float)(p == SCALE_STANDARD ? far : mean);
        arrays->of[3][i] = scale_from(q, p == SCALE_STANDARD ? far_logvar : logvar);
    }
}

static void check_near(enum scale_kind p, enum scale_kind q)
{
    const clkl_spec spec = spec_of(p, q, NEAR_ROWS, ELEMENTS);
    struct arrays arrays = arrays_make((size_t)NEAR_ROWS * ELEMENTS);
    static float values[NEAR_ROWS];
    int wrong = 0, last = 0;
    fill_near(&arrays, p, q);
    const struct test_inputs inputs = inputs_of(&arrays, p, q);
    test_device_run(&device, &spec, NULL, &inputs, 0, values, NULL, NULL);
    for (int i = 0; i < NEAR_ROWS; ++i)
        if (signbit(values[i]) || !(values[i] < 1.0f)) {
            wrong++;
            last = i;
        }
    cr_expect(wrong == 0, "P %s, Q %s: %d rows wrong, as row %d: %g", scale_kind_name(p),
              scale_kind_name(q), wrong, last, (double)values[last]);
    arrays_free(&arrays);
}

Test(device_special, never_negative_where_p_has_logarithms)
{
    for (enum scale_kind p = SCALE_LOGVAR; p <= SCALE_LOGSTD; ++p)
        for (enum scale_kind q = SCALE_STANDARD; q <= SCALE_STD; ++q)
            check_near(p, q);
}

Test(device_special, never_negative_where_p_has_none)
{
    for (enum scale_kind q = SCALE_LOGVAR; q <= SCALE_STD; ++q)
        check_near(SCALE_STANDARD, q);
    for (enum scale_kind p = SCALE_VAR; p <= SCALE_STD; ++p)
        for (enum scale_kind q = SCALE_STANDARD; q <= SCALE_STD; ++q)
            check_near(p, q);
}
