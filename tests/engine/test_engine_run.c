/* clkl_engine_run: what the engine computes, in one piece or several, and what it refuses. */
#include "core/problem.h"
#include "engine/engine.h"
#include "engines.h"
#include "support/hash.h"

#include <math.h>

TestSuite(engine_run, .init = forget_wish, .timeout = 300);

#define SIZE         .struct_size = sizeof(clkl_spec)
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- Work to do ---- */

/* Arrays of one computation; outputs have one more entry than they should, with a mark in it. */
struct work {
    clkl_spec spec;
    uint64_t batch;
    float *arrays[4]; /* p mean, p scale, q mean, q scale; NULL where there is none */
    uint64_t values;
    float *result;
    uint32_t *status;
    clkl_clamp_count *counts; /* NULL where not asked for */
};

enum { MARK = 0x5a5a5a5a };

static void *allocated(uint64_t count, size_t size)
{
    void *memory = malloc((size_t)count * size);
    cr_assert_not_null(memory);
    return memory;
}

/* An array for an operand, of exactly the length that the specification needs. */
static float *filled(const struct clkl_problem *problem, const struct clkl_operand *operand,
                     enum clkl_scale kind, uint64_t stream)
{
    const uint64_t count = clkl_problem_extent(problem, operand);
    const bool positive = kind == CLKL_SCALE_VAR || kind == CLKL_SCALE_STD;
    float *array = allocated(count, sizeof *array);
    for (uint64_t i = 0; i < count; ++i)
        array[i] = hash_uniform_float(11, stream, i, positive ? 0.1 : -3.0, 3.0);
    return array;
}

static void fill_side(struct work *work, const struct clkl_problem *problem,
                      const struct clkl_side *side, int mean)
{
    work->arrays[mean] = work->arrays[mean + 1] = NULL;
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return;
    const struct clkl_operand *first = side->packed ? &side->scale : &side->mean;
    work->arrays[mean] = filled(problem, first, CLKL_SCALE_UNIT, (uint64_t)mean);
    if (!side->packed)
        work->arrays[mean + 1] =
            filled(problem, &side->scale, side->scale_kind, (uint64_t)mean + 1);
}

static void clear_outputs(struct work *work)
{
    memset(work->result, MARK & 0xff, (work->values + 1) * sizeof *work->result);
    memset(work->status, MARK & 0xff, (work->values + 1) * sizeof *work->status);
    if (work->counts != NULL)
        memset(work->counts, MARK & 0xff, (work->values + 1) * sizeof *work->counts);
}

static struct work work_for(const clkl_spec *spec, uint64_t batch)
{
    struct work work = {.spec = *spec, .batch = batch};
    struct clkl_problem problem;
    clkl_error error = {.struct_size = sizeof error};
    cr_assert_eq(clkl_problem_make(spec, &problem, &error), CLKL_OK, "%s", error.message);
    cr_assert_eq(clkl_problem_set_batch(&problem, batch, &error), CLKL_OK, "%s", error.message);
    fill_side(&work, &problem, &problem.p, 0);
    fill_side(&work, &problem, &problem.q, 2);
    work.values = clkl_problem_result_count(&problem);
    work.result = allocated(work.values + 1, sizeof *work.result);
    work.status = allocated(work.values + 1, sizeof *work.status);
    if ((spec->outputs & CLKL_OUTPUT_CLAMP_COUNTS) != 0)
        work.counts = allocated(work.values + 1, sizeof *work.counts);
    clear_outputs(&work);
    return work;
}

static void work_free(struct work *work)
{
    for (size_t i = 0; i < COUNT(work->arrays); ++i)
        free(work->arrays[i]);
    free(work->result);
    free(work->status);
    free(work->counts);
}

static clkl_host_args args_of(const struct work *work)
{
    return (clkl_host_args){.struct_size = sizeof(clkl_host_args),
                            .p_mean = work->arrays[0],
                            .p_scale = work->arrays[1],
                            .q_mean = work->arrays[2],
                            .q_scale = work->arrays[3],
                            .result = work->result,
                            .value_status = work->status,
                            .clamp_counts = work->counts,
                            .batch = work->batch};
}

static void expect_marks(const struct work *work, const char *name)
{
    uint32_t after;
    memcpy(&after, &work->result[work->values], sizeof after);
    cr_expect_eq(after, (uint32_t)MARK, "%s: written beyond the result", name);
    cr_expect_eq(work->status[work->values], (uint32_t)MARK, "%s: beyond the status", name);
    cr_expect(work->counts == NULL || work->counts[work->values].p == (uint32_t)MARK,
              "%s: beyond the counts", name);
}

static void run(clkl_engine *engine, struct work *work, const char *name)
{
    const clkl_host_args args = args_of(work);
    clkl_error error = {.struct_size = sizeof error};
    clear_outputs(work);
    const clkl_status status = clkl_engine_run(engine, &work->spec, &args, &error);
    cr_assert_eq(status, CLKL_OK, "%s: %s\n%s", name, error.message, error.build_log);
    expect_marks(work, name);
}

/* ---- Results ---- */

static uint64_t terms_of(const struct work *work)
{
    uint64_t terms = 1;
    for (uint32_t axis = 0; axis < work->spec.rank; ++axis)
        terms *= work->spec.shape[axis];
    return terms / work->values;
}

static void expect_value(const struct work *work, uint64_t i, const struct work *expected,
                         const char *name)
{
    const double value = (double)work->result[i], exact = (double)expected->result[i];
    const double bound = 6e-7 * exact + 1e-12 * sqrt((double)terms_of(work) * exact);
    cr_expect((isnan(value) && isnan(exact)) || value == exact || fabs(value - exact) <= bound,
              "%s: value %u is %.9g, not %.9g", name, (unsigned)i, value, exact);
    cr_expect_eq(work->status[i], expected->status[i], "%s: status %u is %u, not %u", name,
                 (unsigned)i, work->status[i], expected->status[i]);
    if (work->counts == NULL)
        return;
    cr_expect_eq(work->counts[i].p, expected->counts[i].p, "%s: counts %u", name, (unsigned)i);
    cr_expect_eq(work->counts[i].q, expected->counts[i].q, "%s: counts %u", name, (unsigned)i);
}

/* The reference's outputs for the same arrays. To be freed with drop_reference. */
static struct work reference_of(const struct work *work)
{
    struct work expected = *work;
    clkl_error error = {.struct_size = sizeof error};
    expected.result = allocated(work->values + 1, sizeof *work->result);
    expected.status = allocated(work->values + 1, sizeof *work->status);
    if (work->counts != NULL)
        expected.counts = allocated(work->values + 1, sizeof *work->counts);
    clear_outputs(&expected);
    const clkl_host_args args = args_of(&expected);
    cr_assert_eq(clkl_reference_run(&work->spec, &args, &error), CLKL_OK, "%s", error.message);
    return expected;
}

static void drop_reference(struct work *expected)
{
    free(expected->result);
    free(expected->status);
    free(expected->counts);
}

static void compare_with_reference(clkl_engine *engine, struct work *work, const char *name)
{
    struct work expected = reference_of(work);
    run(engine, work, name);
    for (uint64_t i = 0; i < work->values; ++i)
        expect_value(work, i, &expected, name);
    drop_reference(&expected);
}

#define CLAMPED .clamp = CLKL_CLAMP, .clamp_low = -2.0, .clamp_high = 1.5
#define COUNTED .outputs = CLKL_OUTPUT_CLAMP_COUNTS
#define NINE    .rank = 4, .shape = {9, 4, 6, 7}

static const struct {
    const char *name;
    uint64_t batch;
    clkl_spec spec;
} cases[] = {
    {"moments", 0, {SIZE, NINE, .p = {.form = CLKL_MOMENTS}}},
    {"a smaller batch", 4, {SIZE, NINE, .p = {.form = CLKL_MOMENTS}}},
    {"pairs of moments", 0, {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, .q = {.form = CLKL_MOMENTS}}},
    {"a shared Q",
     0,
     {SIZE, NINE, .p = {.form = CLKL_MEAN_LOGVAR},
      .q = {.form = CLKL_MEAN_LOGVAR, .layout = CLKL_SHARED}}},
    {"a shared P",
     3,
     {SIZE, NINE, .p = {.form = CLKL_MOMENTS, .layout = CLKL_SHARED},
      .q = {.form = CLKL_MOMENTS, .split_axis = 3}}},
    {"variances", 0, {SIZE, NINE, .p = {.form = CLKL_MEAN_VAR}, .q = {.form = CLKL_MEAN_VAR}}},
    {"mixed kinds", 0, {SIZE, NINE, .p = {.form = CLKL_MEAN_STD}, .q = {.form = CLKL_MEAN_LOGVAR}}},
    {"a standard P", 0, {SIZE, NINE, .q = {.form = CLKL_MEAN_LOGSTD}}},
    {"no arrays", 0, {SIZE, NINE}},
    {"one value", 0, {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, .keep = CLKL_KEEP_NONE}},
    {"one value of a smaller batch",
     4,
     {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, .keep = CLKL_KEEP_NONE}},
    {"one sum",
     0,
     {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, .keep = CLKL_KEEP_NONE,
      .batch_reduction = CLKL_BATCH_SUM}},
    {"an axis", 0, {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, .keep = 2}},
    {"an axis of a smaller batch", 5, {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, .keep = 2}},
    {"the last axis, counted",
     0,
     {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, .keep = 8, CLAMPED, COUNTED}},
    {"clamped and counted",
     0,
     {SIZE, NINE, .p = {.form = CLKL_MOMENTS},
      .q = {.form = CLKL_MEAN_LOGVAR, .layout = CLKL_SHARED}, CLAMPED, COUNTED}},
    {"clamped on one side",
     7,
     {SIZE, NINE, .p = {.form = CLKL_MEAN_VAR}, .q = {.form = CLKL_MOMENTS}, CLAMPED, COUNTED}},
    {"counted, but not clamped", 0, {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, COUNTED}},
    {"deterministic",
     0,
     {SIZE, NINE, .p = {.form = CLKL_DETERMINISTIC}, .q = {.form = CLKL_MEAN_VAR}, COUNTED}},
    {"strided",
     0,
     {SIZE, NINE,
      .p = {.form = CLKL_MEAN_LOGVAR,
            .layout = CLKL_STRIDED,
            .mean_strides = {1, 9, 36, 216},
            .scale_strides = {200, 43, 7, 1}},
      .q = {.form = CLKL_MEAN_LOGVAR,
            .layout = CLKL_STRIDED,
            .mean_strides = {0, 2, 0, 0},
            .scale_strides = {0, 1, 0, 0}}}},
    {"strided moments of a smaller batch",
     2,
     {SIZE, NINE,
      .p = {.form = CLKL_MOMENTS,
            .layout = CLKL_STRIDED,
            .split_axis = 2,
            .mean_strides = {400, 1, 5, 60}}}},
    {"long rows", 0, {SIZE, .rank = 2, .shape = {2, 70001}, .p = {.form = CLKL_MEAN_LOGVAR}}},
    {"many short rows", 0, {SIZE, .rank = 2, .shape = {5000, 3}, .p = {.form = CLKL_MOMENTS}}},
};

Test(engine_run, computes_what_the_reference_does)
{
    clkl_engine *engine = engine_on(NULL);
    for (size_t i = 0; i < COUNT(cases); ++i) {
        struct work work = work_for(&cases[i].spec, cases[i].batch);
        compare_with_reference(engine, &work, cases[i].name);
        work_free(&work);
    }
    clkl_engine_release(engine);
}

Test(engine_run, the_reference_behind_it_is_the_reference)
{
    clkl_engine *engine = engine_on("reference");
    for (size_t i = 0; i < COUNT(cases); ++i) {
        struct work work = work_for(&cases[i].spec, cases[i].batch);
        struct work expected = reference_of(&work);
        run(engine, &work, cases[i].name);
        cr_expect_eq(memcmp(work.result, expected.result, work.values * sizeof *work.result), 0,
                     "%s", cases[i].name);
        drop_reference(&expected);
        work_free(&work);
    }
    clkl_engine_release(engine);
}

Test(engine_run, odd_values_are_found_in_their_samples)
{
    static const clkl_spec spec = {SIZE, .rank = 2, .shape = {8, 40}, .p = {.form = CLKL_MEAN_VAR},
                                   .q = {.form = CLKL_MEAN_VAR}};
    static const uint32_t expected[8] = {0,
                                         CLKL_VALUE_NAN,
                                         CLKL_VALUE_NAN,
                                         CLKL_VALUE_NAN | CLKL_VALUE_NEGATIVE_SCALE,
                                         CLKL_VALUE_NAN | CLKL_VALUE_NEGATIVE_SCALE,
                                         CLKL_VALUE_INFINITE,
                                         CLKL_VALUE_INFINITE,
                                         0};
    clkl_engine *engine = engine_on(NULL);
    struct work work = work_for(&spec, 0);
    work.arrays[0][1 * 40 + 39] = NAN;
    work.arrays[3][2 * 40 + 7] = NAN;
    work.arrays[1][3 * 40] = -1.0f;
    work.arrays[3][4 * 40 + 20] = -1e-30f;
    work.arrays[1][5 * 40 + 11] = 0.0f;
    work.arrays[2][6 * 40 + 12] = INFINITY;
    compare_with_reference(engine, &work, "odd values");
    for (size_t i = 0; i < COUNT(expected); ++i)
        cr_expect_eq(work.status[i], expected[i], "sample %zu: %u", i, work.status[i]);
    work_free(&work);
    clkl_engine_release(engine);
}

Test(engine_run, outputs_that_are_not_wanted_may_be_absent)
{
    const clkl_spec spec = {SIZE, NINE, .p = {.form = CLKL_MOMENTS}, CLAMPED, COUNTED};
    clkl_engine *engine = engine_on(NULL);
    struct work work = work_for(&spec, 0);
    clkl_host_args args = args_of(&work);
    run(engine, &work, "all outputs");
    float result[9];
    memcpy(result, work.result, sizeof result);
    clear_outputs(&work);
    args.value_status = NULL;
    args.clamp_counts = NULL;
    cr_expect_eq(clkl_engine_run(engine, &spec, &args, NULL), CLKL_OK);
    cr_expect_eq(memcmp(work.result, result, sizeof result), 0);
    expect_marks(&work, "the result alone");
    cr_expect_eq(work.status[0], (uint32_t)MARK);
    work_free(&work);
    clkl_engine_release(engine);
}

Test(engine_run, arrays_need_no_alignment_beyond_their_type)
{
    static const clkl_spec spec = {SIZE, NINE, .p = {.form = CLKL_MOMENTS}};
    enum { ELEMENTS = 9 * 8 * 6 * 7 };
    clkl_engine *engine = engine_on(NULL);
    struct work work = work_for(&spec, 0);
    float *shifted = allocated(ELEMENTS + 16, sizeof *shifted);
    run(engine, &work, "as allocated");
    for (size_t shift = 0; shift < 16; shift += 5) {
        float result[9];
        clkl_host_args args = args_of(&work);
        memcpy(shifted + shift, work.arrays[0], ELEMENTS * sizeof *shifted);
        args.p_mean = shifted + shift;
        args.result = result;
        cr_assert_eq(clkl_engine_run(engine, &spec, &args, NULL), CLKL_OK);
        cr_expect_eq(memcmp(result, work.result, sizeof result), 0, "shifted by %zu", shift);
    }
    free(shifted);
    work_free(&work);
    clkl_engine_release(engine);
}

Test(engine_run, one_engine_after_the_other_and_two_at_once)
{
    struct work work = work_for(&cases[0].spec, 0);
    float first[9];
    clkl_engine *engine = engine_on(NULL);
    run(engine, &work, "the first engine");
    memcpy(first, work.result, sizeof first);
    run(engine, &work, "the first engine again");
    cr_expect_eq(memcmp(first, work.result, sizeof first), 0);
    clkl_engine_release(engine);
    engine = engine_on(NULL);
    clkl_engine *other = engine_on(NULL);
    run(engine, &work, "the second engine");
    cr_expect_eq(memcmp(first, work.result, sizeof first), 0);
    clkl_engine_release(engine);
    run(other, &work, "the third engine");
    cr_expect_eq(memcmp(first, work.result, sizeof first), 0);
    clkl_engine_release(other);
    work_free(&work);
}

/* ---- Pieces ---- */

/* The bytes of the largest array, input or output, of a batch. */
static cl_ulong largest_array(const clkl_spec *spec, uint64_t batch)
{
    struct clkl_problem problem;
    cr_assert_eq(clkl_problem_make(spec, &problem, NULL), CLKL_OK);
    cr_assert_eq(clkl_problem_set_batch(&problem, batch, NULL), CLKL_OK);
    const uint64_t sizes[] = {clkl_problem_extent(&problem, &problem.p.mean) * sizeof(float),
                              clkl_problem_extent(&problem, &problem.p.scale) * sizeof(float),
                              clkl_problem_extent(&problem, &problem.q.mean) * sizeof(float),
                              clkl_problem_extent(&problem, &problem.q.scale) * sizeof(float),
                              batch * sizeof(clkl_clamp_count)};
    uint64_t largest = 0;
    for (size_t i = 0; i < COUNT(sizes); ++i)
        largest = sizes[i] > largest ? sizes[i] : largest;
    return largest;
}

static void expect_same_outputs(const struct work *work, const struct work *whole, const char *name,
                                uint64_t fitting)
{
    cr_expect_eq(memcmp(work->result, whole->result, work->values * sizeof *work->result), 0,
                 "%s: pieces of %u have other bits", name, (unsigned)fitting);
    cr_expect_eq(memcmp(work->status, whole->status, work->values * sizeof *work->status), 0,
                 "%s: status of pieces of %u", name, (unsigned)fitting);
    cr_expect(work->counts == NULL ||
                  memcmp(work->counts, whole->counts, work->values * sizeof *work->counts) == 0,
              "%s: counts of pieces of %u", name, (unsigned)fitting);
}

/* Runs the whole on one engine and pieces on another that can hold only some samples at once. */
static void compare_pieces(clkl_engine *engine, clkl_engine *small, const clkl_spec *spec,
                           uint64_t batch, const char *name)
{
    struct work whole = work_for(spec, batch);
    struct work work = work_for(spec, batch);
    const uint64_t samples = batch != 0 ? batch : spec->shape[0];
    run(engine, &whole, name);
    for (uint64_t fitting = 1; fitting <= samples; fitting += 1 + fitting / 2) {
        small->max_allocation = largest_array(spec, fitting) + fitting % 2;
        run(small, &work, name);
        expect_same_outputs(&work, &whole, name, fitting);
    }
    work_free(&whole);
    work_free(&work);
}

/* Long enough that a batch's inputs outweigh its outputs, or not at all so. */
static const struct {
    const char *name;
    uint64_t batch;
    clkl_spec spec;
} cuts[] = {
    {"moments",
     0,
     {SIZE, .rank = 3, .shape = {37, 4, 5}, .p = {.form = CLKL_MOMENTS}, CLAMPED, COUNTED}},
    {"a smaller batch", 31, {SIZE, .rank = 3, .shape = {37, 4, 5}, .p = {.form = CLKL_MOMENTS}}},
    {"pairs, the last axis split",
     0,
     {SIZE, .rank = 3, .shape = {37, 4, 5}, .p = {.form = CLKL_MEAN_LOGVAR},
      .q = {.form = CLKL_MOMENTS, .split_axis = 2}}},
    {"a shared Q",
     0,
     {SIZE, .rank = 3, .shape = {37, 4, 5}, .p = {.form = CLKL_MEAN_VAR},
      .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_SHARED}}},
    {"gaps between samples",
     0,
     {SIZE, .rank = 2, .shape = {37, 20},
      .p = {.form = CLKL_MEAN_STD,
            .layout = CLKL_STRIDED,
            .mean_strides = {23, 1},
            .scale_strides = {40, 2}}}},
    {"a large mean of P",
     0,
     {SIZE, .rank = 2, .shape = {37, 20},
      .p = {.form = CLKL_MEAN_STD,
            .layout = CLKL_STRIDED,
            .mean_strides = {43, 2},
            .scale_strides = {20, 1}}}},
    {"a large scale of Q",
     0,
     {SIZE, .rank = 2, .shape = {37, 20}, .p = {.form = CLKL_MEAN_VAR},
      .q = {.form = CLKL_MEAN_VAR,
            .layout = CLKL_STRIDED,
            .mean_strides = {0, 1},
            .scale_strides = {43, 2}}}},
    {"samples that overlap",
     0,
     {SIZE, .rank = 2, .shape = {37, 20},
      .p = {.form = CLKL_MEAN_VAR,
            .layout = CLKL_STRIDED,
            .mean_strides = {1, 1},
            .scale_strides = {1, 1}}}},
    {"counts that outweigh the inputs",
     0,
     {SIZE, .rank = 2, .shape = {100, 1}, .p = {.form = CLKL_MEAN_LOGVAR}, CLAMPED, COUNTED}},
    {"deterministic",
     0,
     {SIZE, .rank = 2, .shape = {37, 20}, .p = {.form = CLKL_DETERMINISTIC}, COUNTED}},
};

Test(engine_run, pieces_have_the_bits_of_the_whole)
{
    clkl_engine *engine = engine_on(NULL), *small = engine_on(NULL);
    for (size_t i = 0; i < COUNT(cuts); ++i)
        compare_pieces(engine, small, &cuts[i].spec, cuts[i].batch, cuts[i].name);
    clkl_engine_release(engine);
    clkl_engine_release(small);
}

Test(engine_run, arrays_can_be_copied_to_a_device_of_little_memory)
{
    clkl_engine *engine = engine_on(NULL), *small = engine_on(NULL);
    small->shares_memory = false;
    small->memory = 20000;
    for (size_t i = 0; i < COUNT(cuts); i += 3)
        compare_pieces(engine, small, &cuts[i].spec, cuts[i].batch, cuts[i].name);
    clkl_engine_release(engine);
    clkl_engine_release(small);
}

static void expect_too_large(clkl_engine *engine, const clkl_spec *spec, cl_ulong limit,
                             const char *bytes)
{
    struct work work = work_for(spec, 0);
    const clkl_host_args args = args_of(&work);
    const cl_ulong before = engine->max_allocation;
    clkl_error error = {.struct_size = sizeof error};
    engine->max_allocation = limit;
    cr_expect_eq(clkl_engine_run(engine, spec, &args, &error), CLKL_OUT_OF_DEVICE_MEMORY);
    cr_expect_eq(error.status, CLKL_OUT_OF_DEVICE_MEMORY);
    cr_expect_not_null(strstr(error.message, bytes), "%s", error.message);
    cr_expect_not_null(strstr(error.message, "larger than the device's largest buffer"), "%s",
                       error.message);
    engine->max_allocation = before;
    compare_with_reference(engine, &work, "after a failure");
    work_free(&work);
}

Test(engine_run, what_cannot_be_cut_must_fit)
{
    clkl_engine *engine = engine_on(NULL);
    clkl_spec spec = {SIZE, .rank = 3, .shape = {9, 4, 5}, .p = {.form = CLKL_MOMENTS}};
    expect_too_large(engine, &spec, 159, "160 bytes"); /* one sample */
    spec.keep = CLKL_KEEP_NONE;
    expect_too_large(engine, &spec, 1439, "1440 bytes");
    spec.keep = 2;
    expect_too_large(engine, &spec, 160, "1440 bytes");
    engine->shares_memory = false;
    expect_too_large(engine, &spec, 160, "1440 bytes");
    clkl_engine_release(engine);
}

/* ---- Refusals ---- */

static void expect_run_refused(clkl_engine *engine, const clkl_spec *spec,
                               const clkl_host_args *args, clkl_status status, const char *says)
{
    clkl_error error;
    memset(&error, 'x', sizeof error);
    error.struct_size = sizeof error;
    cr_expect_eq(clkl_engine_run(engine, spec, args, &error), status, "expected: %s", says);
    cr_expect_eq(error.status, status, "%s", says);
    cr_expect_eq(error.opencl_code, 0, "%s", says);
    cr_expect_str_eq(error.call, "", "%s", says);
    cr_expect_not_null(strstr(error.message, says), "\"%s\" does not say \"%s\"", error.message,
                       says);
    cr_expect_eq(clkl_engine_run(engine, spec, args, NULL), status, "%s", says);
}

/* What both the device and the reference refuse. */
static void check_refusals(clkl_engine *engine)
{
    const clkl_spec spec = {SIZE, NINE, .p = {.form = CLKL_MEAN_VAR}, .q = {.form = CLKL_MEAN_STD}};
    struct work work = work_for(&spec, 0);
    const clkl_host_args good = args_of(&work);
    clkl_host_args args = good;
    const clkl_status bad = CLKL_INVALID_ARGUMENT;
    expect_run_refused(NULL, &spec, &args, bad, "NULL");
    expect_run_refused(engine, NULL, &args, bad, "NULL");
    expect_run_refused(engine, &spec, NULL, bad, "NULL");

    args.struct_size = offsetof(clkl_host_args, weights) - 1; /* less than 0.1 had */
    expect_run_refused(engine, &spec, &args, bad, "args->struct_size");
    args = good, args.reserved[2] = 1;
    expect_run_refused(engine, &spec, &args, bad, "args->reserved[2]");
    args = good, args.result = NULL;
    expect_run_refused(engine, &spec, &args, bad, "args->result is NULL");
    args = good, args.p_mean = NULL;
    expect_run_refused(engine, &spec, &args, bad, "args->p_mean is NULL");
    args = good, args.p_scale = NULL;
    expect_run_refused(engine, &spec, &args, bad, "args->p_scale is NULL");
    args = good, args.q_mean = NULL;
    expect_run_refused(engine, &spec, &args, bad, "args->q_mean is NULL");
    args = good, args.q_scale = NULL;
    expect_run_refused(engine, &spec, &args, bad, "args->q_scale is NULL");
    clkl_clamp_count counts[9];
    args = good, args.clamp_counts = counts;
    expect_run_refused(engine, &spec, &args, bad, "CLKL_OUTPUT_CLAMP_COUNTS");
    args = good, args.batch = 10;
    expect_run_refused(engine, &spec, &args, bad, "batch is 10, but at most 9");

    clkl_spec broken = spec;
    broken.shape[2] = 0;
    expect_run_refused(engine, &broken, &good, CLKL_INVALID_SPEC, "axis 2 is empty");
    expect_marks(&work, "refused");
    work_free(&work);
}

Test(engine_run, mistakes_are_told)
{
    clkl_engine *engine = engine_on(NULL), *reference = engine_on("reference");
    check_refusals(engine);
    check_refusals(reference);
    clkl_engine_release(engine);
    clkl_engine_release(reference);
}

Test(engine_run, fp64_is_computed_or_refused)
{
    static const double moments[4] = {1.0, 2.0, 0.0, 0.0};
    const clkl_spec spec = {SIZE, .rank = 2, .shape = {1, 2},
                            .p = {.form = CLKL_MOMENTS, .dtype = CLKL_F64}};
    double result = -1.0;
    const clkl_host_args args = {.struct_size = sizeof args, .p_mean = moments, .result = &result};
    clkl_engine *engine = engine_on(NULL), *reference = engine_on("reference");
    clkl_error error = {.struct_size = sizeof error};
    const clkl_status status = clkl_engine_run(engine, &spec, &args, &error);
    if (status == CLKL_UNSUPPORTED) {
        cr_expect_eq(result, -1.0);
        cr_expect_not_null(strstr(error.message, "has no double precision"), "%s", error.message);
    } else {
        cr_expect_eq(status, CLKL_OK, "%s", error.message);
        cr_expect_eq(result, 2.5);
    }
    cr_expect_eq(clkl_engine_run(reference, &spec, &args, NULL), CLKL_OK);
    cr_expect_eq(result, 2.5);
    clkl_engine_release(engine);
    clkl_engine_release(reference);
}
