/* One plan for many slices: of every layout one plan is made and called again and again, with other
 * buffers, other offsets into each of them, other places for the outputs and for scratch, and other
 * batches. Each call is held against the reference, and nothing may be written beside its outputs.
 */
#include "support/device_fixture.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(device_slices, .init = open_device, .fini = close_device, .timeout = 300);

#define REQUIRE(call)                                          \
    do {                                                       \
        const int code_ = (int)(call);                         \
        cr_assert(code_ == 0, "%s returned %d", #call, code_); \
    } while (0)

/* ---- Layouts ----
 *
 * The mean has the shape [5, C, H, W]. The tensors that slices are cut from have more channels,
 * more rows and more columns. */

struct size {
    int64_t channels, height, width;
};

enum { BATCH = 5, MORE_CHANNELS = 9, MORE_ROWS = 3, MORE_COLUMNS = 7 };

struct strides {
    int64_t of[4];
};

static struct strides nchw(int64_t channels, int64_t height, int64_t width)
{
    return (struct strides){{channels * height * width, height * width, width, 1}};
}

static struct strides nhwc(int64_t channels, int64_t height, int64_t width)
{
    return (struct strides){{channels * height * width, 1, channels * width, channels}};
}

static clkl_gaussian strided(clkl_form form, struct strides mean, struct strides scale)
{
    clkl_gaussian side = {.form = form, .layout = CLKL_STRIDED};
    memcpy(side.mean_strides, mean.of, sizeof mean.of);
    memcpy(side.scale_strides, scale.of, sizeof scale.of);
    return side;
}

typedef clkl_gaussian layout_function(struct size size);

static clkl_gaussian standard_normal(struct size size)
{
    (void)size;
    return (clkl_gaussian){.form = CLKL_STANDARD_NORMAL};
}

static clkl_gaussian dense(struct size size)
{
    (void)size;
    return (clkl_gaussian){.form = CLKL_MEAN_LOGVAR};
}

static clkl_gaussian shared(struct size size)
{
    (void)size;
    return (clkl_gaussian){.form = CLKL_MEAN_LOGVAR, .layout = CLKL_SHARED};
}

/* Means in some channels of a larger tensor, log-variances in as many behind them. */
static clkl_gaussian channels_of_moments(struct size size)
{
    const struct strides in = nchw(2 * size.channels + MORE_CHANNELS, size.height, size.width);
    return strided(CLKL_MOMENTS, in, in);
}

/* The same in a tensor whose last axis are the channels. */
static clkl_gaussian channels_last_moments(struct size size)
{
    const struct strides in = nhwc(2 * size.channels + MORE_CHANNELS, size.height, size.width);
    return strided(CLKL_MOMENTS, in, in);
}

static clkl_gaussian rows(struct size size)
{
    const struct strides in = nchw(size.channels, size.height + MORE_ROWS, size.width);
    return strided(CLKL_MEAN_LOGVAR, in, in);
}

/* Rows and columns: of the means in NCHW, of the scales in NHWC. */
static clkl_gaussian crop(struct size size)
{
    const int64_t height = size.height + MORE_ROWS, width = size.width + MORE_COLUMNS;
    return strided(CLKL_MEAN_LOGVAR, nchw(size.channels, height, width),
                   nhwc(size.channels, height, width));
}

static clkl_gaussian every_second_column(struct size size)
{
    struct strides in = nchw(size.channels, size.height, 2 * size.width);
    in.of[3] = 2;
    return strided(CLKL_MEAN_LOGVAR, in, in);
}

/* One line of a table with a mean and a scale for each channel. */
static clkl_gaussian line_of_priors(struct size size)
{
    (void)size;
    const struct strides in = {{0, 1, 0, 0}};
    return strided(CLKL_MEAN_LOGVAR, in, in);
}

/* A map for each sample, the same for all channels; the scale the same for all samples. */
static clkl_gaussian repeated_maps(struct size size)
{
    const struct strides map = {{size.height * size.width, 0, size.width, 1}};
    struct strides scale = map;
    scale.of[0] = 0;
    return strided(CLKL_MEAN_LOGVAR, map, scale);
}

static const struct {
    const char *name;
    layout_function *p, *q;
} layouts[] = {
    {"channels of moments", channels_of_moments, standard_normal},
    {"channels of moments, channels last", channels_last_moments, standard_normal},
    {"rows, a line of a table of priors", rows, line_of_priors},
    {"a crop, a dense Q", crop, dense},
    {"channels last, channels of another tensor", channels_last_moments, channels_of_moments},
    {"every second column, a shared Q", every_second_column, shared},
    {"dense, repeated maps", dense, repeated_maps},
    {"repeated maps, a crop", repeated_maps, crop},
};

/* ---- Buffers ---- */

/* Two sets of inputs, each operand with an array of its own, longer than any slice. */
struct stock {
    size_t count; /* numbers in each array */
    float *arrays[2][CLKL_ARRAYS];
    cl_mem mems[2][CLKL_ARRAYS];
};

static struct stock make_stock(struct size size)
{
    const int64_t largest = BATCH * (2 * size.channels + MORE_CHANNELS) *
                            (size.height + MORE_ROWS) * (size.width + MORE_COLUMNS);
    struct stock stock = {.count = (size_t)largest};
    for (int set = 0; set < 2; ++set)
        for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
            float *array = stock.arrays[set][operand] = malloc(stock.count * sizeof *array);
            cr_assert_not_null(array);
            for (size_t i = 0; i < stock.count; ++i)
                array[i] = hash_uniform_float(17, (uint64_t)(2 * operand + set), i, -2.0, 2.0);
            stock.mems[set][operand] = test_buffer(&device, array, stock.count * sizeof *array);
        }
    return stock;
}

static void free_stock(struct stock *stock)
{
    for (int set = 0; set < 2; ++set)
        for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
            free(stock->arrays[set][operand]);
            REQUIRE(clReleaseMemObject(stock->mems[set][operand]));
        }
}

/* Room for an output, or for scratch, at any of some places: full of a mark. */
enum { PLACES = 40, MARK = 0x5a5a5a5a };

struct room {
    size_t words;
    cl_mem mem;
};

static struct room make_room(size_t values, size_t words_per_value)
{
    struct room room = {.words = (values + PLACES) * words_per_value};
    cl_uint *marks = malloc(room.words * sizeof *marks);
    cr_assert_not_null(marks);
    for (size_t i = 0; i < room.words; ++i)
        marks[i] = MARK;
    room.mem = test_buffer(&device, marks, room.words * sizeof *marks);
    free(marks);
    return room;
}

/* Moves `count` words from place `first` on to `data`, if that is not NULL; what lies beside them
 * must be marks. */
static void take(struct room *room, size_t first, size_t count, void *data)
{
    cl_uint *words = malloc(room->words * sizeof *words);
    size_t spoiled = 0;
    cr_assert_not_null(words);
    REQUIRE(clEnqueueReadBuffer(device.queue, room->mem, CL_TRUE, 0, room->words * sizeof *words,
                                words, 0, NULL, NULL));
    for (size_t i = 0; i < room->words; ++i)
        spoiled += (i < first || i >= first + count) && words[i] != MARK;
    cr_expect_eq(spoiled, 0u, "%zu words beside an output were written", spoiled);
    if (data != NULL)
        memcpy(data, words + first, count * sizeof *words);
    free(words);
    REQUIRE(clReleaseMemObject(room->mem));
}

/* ---- Calls ---- */

struct trial {
    const char *name;
    clkl_spec spec;
    clkl_plan *plan;
    const struct stock *stock;
    int number; /* of the call */
};

static uint64_t draw(const struct trial *trial, uint64_t stream, uint64_t below)
{
    return hash_bits(hash_text(trial->name), stream, (uint64_t)trial->number) % below;
}

/* Elements that a slice of `batch` samples spans. */
static size_t span_of(const struct trial *trial, int operand, uint64_t batch)
{
    struct clkl_problem problem;
    REQUIRE(clkl_problem_make(&trial->spec, &problem, NULL));
    REQUIRE(clkl_problem_set_batch(&problem, batch, NULL));
    const struct clkl_side *side = operand < 2 ? &problem.p : &problem.q;
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return 0;
    const bool scale = operand % 2 == 1 || side->packed;
    return (size_t)clkl_problem_extent(&problem, scale ? &side->scale : &side->mean);
}

/* Where a slice begins, of `room` places and one: the first ends where the array does, every second
 * begins at a multiple of 4. */
static size_t draw_offset(const struct trial *trial, int operand, size_t room)
{
    const size_t offset = draw(trial, (uint64_t)operand + 8, room + 1);
    if (trial->number == 0)
        return room;
    return trial->number % 2 == 0 ? offset / 4 * 4 : offset;
}

static const clkl_gaussian *side_of(const clkl_spec *spec, int operand)
{
    return operand < 2 ? &spec->p : &spec->q;
}

static bool has_array(const clkl_spec *spec, int operand)
{
    const clkl_form form = side_of(spec, operand)->form;
    return form != CLKL_STANDARD_NORMAL && !(form == CLKL_MOMENTS && operand % 2 == 1);
}

/* Some slice of one of the sets, for every operand with an array. */
static void cut(const struct trial *trial, clkl_args *args, const float *slices[CLKL_ARRAYS])
{
    clkl_buffer *buffers[] = {&args->p_mean, &args->p_scale, &args->q_mean, &args->q_scale};
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        slices[operand] =
            operand % 2 == 1 ? slices[operand - 1] : NULL; /* as packed moments have */
        if (!has_array(&trial->spec, operand))
            continue;
        const uint64_t set = draw(trial, (uint64_t)operand, 2);
        const size_t span = span_of(trial, operand, args->batch);
        const size_t offset = draw_offset(trial, operand, trial->stock->count - span);
        *buffers[operand] = (clkl_buffer){trial->stock->mems[set][operand], offset};
        slices[operand] = trial->stock->arrays[set][operand] + offset;
    }
}

/* ---- What is expected: the reference, over copies without gaps ---- */

static struct strides strides_of(const clkl_spec *spec, int operand)
{
    const clkl_gaussian *side = side_of(spec, operand);
    struct strides strides =
        nchw((int64_t)spec->shape[1], (int64_t)spec->shape[2], (int64_t)spec->shape[3]);
    if (side->layout == CLKL_SHARED)
        strides.of[0] = 0;
    if (side->layout == CLKL_STRIDED)
        memcpy(strides.of,
               operand % 2 == 1 && side->form != CLKL_MOMENTS ? side->scale_strides
                                                              : side->mean_strides,
               sizeof strides.of);
    return strides;
}

static float *copy_slice(const clkl_spec *spec, int operand, uint64_t batch, const float *slice)
{
    const struct strides strides = strides_of(spec, operand);
    const uint64_t *shape = spec->shape;
    float *copy = malloc(batch * shape[1] * shape[2] * shape[3] * sizeof *copy), *next = copy;
    cr_assert_not_null(copy);
    if (operand % 2 == 1 && side_of(spec, operand)->form == CLKL_MOMENTS)
        slice += (int64_t)shape[1] * strides.of[1]; /* behind the means, along the channels */
    for (uint64_t b = 0; b < batch; ++b)
        for (uint64_t c = 0; c < shape[1]; ++c)
            for (uint64_t y = 0; y < shape[2]; ++y)
                for (uint64_t x = 0; x < shape[3]; ++x)
                    *next++ = slice[(int64_t)b * strides.of[0] + (int64_t)c * strides.of[1] +
                                    (int64_t)y * strides.of[2] + (int64_t)x * strides.of[3]];
    return copy;
}

static void expect(const clkl_spec *spec, uint64_t batch, const float *const *slices,
                   struct expected *expected)
{
    struct test_inputs inputs = {.arrays = {NULL}};
    float *copies[CLKL_ARRAYS] = {NULL};
    clkl_spec plain = *spec;
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        if (slices[operand] != NULL)
            inputs.arrays[operand] = copies[operand] =
                copy_slice(spec, operand, batch, slices[operand]);
    plain.p = (clkl_gaussian){.form = CLKL_MEAN_LOGVAR};
    plain.q = (clkl_gaussian){.form = slices[CLKL_Q_MEAN] != NULL ? CLKL_MEAN_LOGVAR
                                                                  : CLKL_STANDARD_NORMAL};
    expected_make(&plain, &inputs, batch, expected);
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        free(copies[operand]);
}

/* ---- Trials ---- */

/* A call with all outputs, each elsewhere. */
static struct outcome call(const struct trial *trial, clkl_args *args,
                           const struct expected *expected)
{
    clkl_error error = {.struct_size = sizeof error};
    struct outcome outcome = outcome_make(expected);
    const size_t count = expected->count;
    const size_t scratch_words = clkl_plan_scratch_size(trial->plan) / sizeof(cl_uint);
    struct room result = make_room(count, 1), status = make_room(count, 1),
                clamped = make_room(count, 2), scratch = make_room(scratch_words, 1);
    args->result = (clkl_buffer){result.mem, draw(trial, 20, PLACES)};
    args->value_status = (clkl_buffer){status.mem, draw(trial, 21, PLACES)};
    args->clamp_counts = (clkl_buffer){clamped.mem, draw(trial, 22, PLACES)};
    args->scratch = (clkl_buffer){scratch.mem, draw(trial, 23, PLACES) / 4 * 16};
    cr_assert_eq(clkl_enqueue(trial->plan, device.queue, args, 0, NULL, NULL, &error), CLKL_OK,
                 "%s: %s", trial->name, error.message);
    take(&result, args->result.offset, count, outcome.values);
    take(&status, args->value_status.offset, count, outcome.status);
    take(&clamped, 2 * args->clamp_counts.offset, 2 * count, outcome.clamped);
    take(&scratch, args->scratch.offset / 4, scratch_words, NULL);
    return outcome;
}

static void check_call(const struct trial *trial)
{
    const float *slices[CLKL_ARRAYS];
    struct expected expected;
    clkl_args args = {.struct_size = sizeof args, .batch = 1 + draw(trial, 30, BATCH)};
    cut(trial, &args, slices);
    expect(&trial->spec, args.batch, slices, &expected);
    struct outcome outcome = call(trial, &args, &expected);
    expect_agreement(&expected, &outcome, &tolerance, "%s, keep 0x%x, call %d, batch %u",
                     trial->name, trial->spec.keep, trial->number, (unsigned)args.batch);
    outcome_free(&outcome);
    expected_free(&expected);
}

static clkl_spec spec_of(struct size size, layout_function *p, layout_function *q, uint32_t keep)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 4, .keep = keep};
    const int64_t shape[] = {BATCH, size.channels, size.height, size.width};
    for (int axis = 0; axis < 4; ++axis)
        spec.shape[axis] = (uint64_t)shape[axis];
    spec.p = p(size);
    spec.q = q(size);
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    spec.clamp = CLKL_CLAMP;
    spec.clamp_low = -1.5;
    spec.clamp_high = 1.5;
    return spec;
}

/* Every layout, or every `step`-th. */
static void check_layouts(struct size size, uint32_t keep, int calls, size_t step)
{
    struct stock stock = make_stock(size);
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i += step) {
        struct trial trial = {.name = layouts[i].name, .stock = &stock};
        trial.spec = spec_of(size, layouts[i].p, layouts[i].q, keep);
        REQUIRE(clkl_plan_create(device.device, &trial.spec, 0, &trial.plan, NULL));
        for (; trial.number < calls; ++trial.number)
            check_call(&trial);
        clkl_plan_release(trial.plan);
    }
    free_stock(&stock);
}

static const struct size small = {4, 6, 10};
static const struct size large = {2, 150, 151}; /* two stages everywhere */

Test(device_slices, a_value_for_each_sample)
{
    check_layouts(small, 1u << 0, 12, 1);
}

Test(device_slices, a_value_for_each_sample_in_two_stages)
{
    check_layouts(large, 1u << 0, 3, 1);
}

Test(device_slices, a_value_for_each_channel)
{
    check_layouts(small, 1u << 1, 8, 1);
}

Test(device_slices, a_value_for_each_column)
{
    check_layouts(small, 1u << 3, 8, 1);
}

Test(device_slices, one_value)
{
    check_layouts(small, CLKL_KEEP_NONE, 8, 1);
}

/* As a GPU reads them: by aligned vectors where a slice begins and goes on at multiples of them.
 * Where work-items are lanes that takes long to compile. */
Test(device_slices, on_a_gpu)
{
    const size_t step = device.device->facts.style == CLKL_STYLE_LANES ? 6 : 1;
    test_device_pretend_gpu(&device);
    check_layouts((struct size){4, 6, 12}, 1u << 0, 8, step);
}

/* An axis cannot be read backwards: offsets are those of index 0, and count upwards. */
Test(device_slices, a_reversed_axis_is_refused)
{
    for (int axis = 0; axis < 4; ++axis)
        for (int scale = 0; scale < 2; ++scale) {
            clkl_spec spec = spec_of(small, rows, standard_normal, 0);
            clkl_error error = {.struct_size = sizeof error};
            clkl_plan *plan = NULL;
            int64_t *strides = scale ? spec.p.scale_strides : spec.p.mean_strides;
            strides[axis] = -strides[axis];
            cr_expect_eq(clkl_plan_create(device.device, &spec, 0, &plan, &error),
                         CLKL_INVALID_SPEC);
            cr_expect(strstr(error.message, "negative") != NULL, "\"%s\"", error.message);
            cr_expect_null(plan);
        }
}
