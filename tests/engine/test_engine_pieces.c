/* clkl_engine_run: what does not fit into the device is computed in pieces. */
#include "core/problem.h"
#include "engine/engine.h"
#include "engines.h"
#include "opencl/device.h"
#include "work.h"

TestSuite(engine_pieces, .init = forget_wish, .timeout = 300);

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

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
    work_run(engine, &whole, name);
    for (uint64_t fitting = 1; fitting <= samples; fitting += 1 + fitting / 2) {
        small->device->facts.max_allocation = largest_array(spec, fitting) + fitting % 2;
        work_run(small, &work, name);
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

Test(engine_pieces, pieces_have_the_bits_of_the_whole)
{
    clkl_engine *engine = engine_on(NULL), *small = engine_on(NULL);
    for (size_t i = 0; i < COUNT(cuts); ++i)
        compare_pieces(engine, small, &cuts[i].spec, cuts[i].batch, cuts[i].name);
    clkl_engine_release(engine);
    clkl_engine_release(small);
}

Test(engine_pieces, arrays_can_be_copied_to_a_device_of_little_memory)
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
    const clkl_host_args args = work_args(&work);
    const cl_ulong before = engine->device->facts.max_allocation;
    clkl_error error = {.struct_size = sizeof error};
    engine->device->facts.max_allocation = limit;
    cr_expect_eq(clkl_engine_run(engine, spec, &args, &error), CLKL_OUT_OF_DEVICE_MEMORY);
    cr_expect_eq(error.status, CLKL_OUT_OF_DEVICE_MEMORY);
    cr_expect_not_null(strstr(error.message, bytes), "%s", error.message);
    cr_expect_not_null(strstr(error.message, "larger than the device's largest buffer"), "%s",
                       error.message);
    engine->device->facts.max_allocation = before;
    work_compare_with_reference(engine, &work, "after a failure");
    work_free(&work);
}

Test(engine_pieces, what_cannot_be_cut_must_fit)
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
