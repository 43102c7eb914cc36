/* Outputs and scratch overlap nothing: what does by one element is refused, what touches is not.
 * Everything lies in one buffer, reached directly or through sub-buffers. */
#include "support/compare.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 3, ELEMENTS = 40000 }; /* two stages, so that there is scratch */

static struct test_device device;

static void open_device(void)
{
    test_device_open(&device);
}

static void close_device(void)
{
    test_device_close(&device);
}

TestSuite(device_overlap, .init = open_device, .fini = close_device, .timeout = 300);

#define REQUIRE(call)                                          \
    do {                                                       \
        const int code_ = (int)(call);                         \
        cr_assert(code_ == 0, "%s returned %d", #call, code_); \
    } while (0)

/* ---- The buffer ---- */

/* What a call uses, in the order in which it lies there, a slot each: the inputs, and these. */
enum { RESULT = CLKL_ARRAYS, VALUE_STATUS, CLAMP_COUNTS, SCRATCH, FIELDS };

static const struct {
    const char *name;
    size_t at;   /* of the clkl_buffer in clkl_args */
    size_t unit; /* of its offset, in bytes */
    size_t step; /* bytes by which it can be moved */
} fields[FIELDS] = {
    {"p_mean", offsetof(clkl_args, p_mean), 4, 4},
    {"p_scale", offsetof(clkl_args, p_scale), 4, 4},
    {"q_mean", offsetof(clkl_args, q_mean), 4, 4},
    {"q_scale", offsetof(clkl_args, q_scale), 4, 4},
    {"result", offsetof(clkl_args, result), 4, 4},
    {"value_status", offsetof(clkl_args, value_status), 4, 4},
    {"clamp_counts", offsetof(clkl_args, clamp_counts), 8, 8},
    {"scratch", offsetof(clkl_args, scratch), 1, 16},
};

enum { SLOT = 1 << 19, ARENA = (FIELDS + 2) * SLOT };

/* A plan, and a place for all that it uses. */
struct arena {
    clkl_spec spec;
    clkl_plan *plan;
    float *numbers; /* what was in the buffer at first */
    cl_mem mem;
    size_t sizes[FIELDS];  /* bytes */
    size_t begins[FIELDS]; /* bytes */
    uint64_t batch;
};

static clkl_spec usual_spec(void)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2, .shape = {BATCH, ELEMENTS}};
    spec.p.form = spec.q.form = CLKL_MEAN_LOGVAR;
    spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    spec.clamp = CLKL_CLAMP;
    spec.clamp_low = -1.0;
    spec.clamp_high = 1.0;
    return spec;
}

static struct arena make_arena(const clkl_spec *spec)
{
    struct arena arena = {.spec = *spec, .batch = spec->shape[0]};
    const size_t numbers = (size_t)(spec->shape[0] * spec->shape[1]);
    const size_t values = (size_t)clkl_spec_result_count(spec, 0);
    REQUIRE(clkl_plan_create(device.device, spec, 0, &arena.plan, NULL));
    for (int i = 0; i < FIELDS; ++i) {
        arena.begins[i] = (size_t)(i + 1) * SLOT;
        arena.sizes[i] = (i < RESULT ? numbers : values) * sizeof(cl_uint);
    }
    arena.sizes[CLAMP_COUNTS] = values * sizeof(cl_uint2);
    arena.sizes[SCRATCH] = clkl_plan_scratch_size(arena.plan);
    arena.numbers = malloc(ARENA);
    cr_assert_not_null(arena.numbers);
    for (size_t i = 0; i < ARENA / sizeof(float); ++i)
        arena.numbers[i] = hash_uniform_float(16, 0, i, -2.0, 2.0);
    arena.mem = test_buffer(&device, arena.numbers, ARENA);
    return arena;
}

static void free_arena(struct arena *arena)
{
    clkl_plan_release(arena->plan);
    REQUIRE(clReleaseMemObject(arena->mem));
    free(arena->numbers);
}

/* ---- Ways to the buffer ---- */

/* Which of two things are reached through sub-buffers of their own. */
enum way { DIRECTLY, ONE_BY_SUB_BUFFER, BOTH_BY_SUB_BUFFERS, WAYS };

static const char *const way_names[] = {"in one buffer", "in a buffer and a part of it",
                                        "in two parts of a buffer"};

/* A part of the buffer that begins before the field does, as far as parts have to be aligned. */
static cl_mem part_for(const struct arena *arena, int field, size_t *origin)
{
    cl_uint bits = 0;
    cl_int code = CL_SUCCESS;
    REQUIRE(clGetDeviceInfo(device.id, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof bits, &bits, NULL));
    *origin = arena->begins[field] / (bits / 8) * (bits / 8);
    const cl_buffer_region region = {*origin, arena->begins[field] + arena->sizes[field] - *origin};
    cl_mem mem = clCreateSubBuffer(arena->mem, 0, CL_BUFFER_CREATE_TYPE_REGION, &region, &code);
    REQUIRE(code);
    return mem;
}

static clkl_buffer *buffer_of(clkl_args *args, int field)
{
    return (clkl_buffer *)(void *)((char *)args + fields[field].at);
}

/* Arguments; the fields of `parts` (as bits) are reached through sub-buffers. */
static clkl_args make_args(const struct arena *arena, unsigned parts)
{
    clkl_args args = {.struct_size = sizeof args, .batch = arena->batch};
    for (int field = 0; field < FIELDS; ++field) {
        size_t origin = 0;
        clkl_buffer *buffer = buffer_of(&args, field);
        buffer->mem = parts & 1u << field ? part_for(arena, field, &origin) : arena->mem;
        cr_assert_eq((arena->begins[field] - origin) % fields[field].unit, 0u);
        buffer->offset = (arena->begins[field] - origin) / fields[field].unit;
    }
    return args;
}

static void free_args(const struct arena *arena, clkl_args *args)
{
    for (int field = 0; field < FIELDS; ++field)
        if (buffer_of(args, field)->mem != arena->mem)
            REQUIRE(clReleaseMemObject(buffer_of(args, field)->mem));
}

/* ---- Verdicts ---- */

static void read_back(const struct arena *arena, size_t begin, size_t bytes, void *data)
{
    REQUIRE(
        clEnqueueReadBuffer(device.queue, arena->mem, CL_TRUE, begin, bytes, data, 0, NULL, NULL));
}

static const float *numbers_at(const struct arena *arena, int field)
{
    return arena->numbers + arena->begins[field] / sizeof(float);
}

static void expect_results(const struct arena *arena, const char *what)
{
    const struct tolerance tolerance = device_tolerance(&device);
    const struct test_inputs inputs = {
        .arrays = {numbers_at(arena, CLKL_P_MEAN), numbers_at(arena, CLKL_P_SCALE),
                   numbers_at(arena, CLKL_Q_MEAN), numbers_at(arena, CLKL_Q_SCALE)}};
    struct expected expected;
    expected_make(&arena->spec, &inputs, arena->batch, &expected);
    struct outcome outcome = outcome_make(&expected);
    const size_t count = expected.count;
    read_back(arena, arena->begins[RESULT], count * sizeof(float), outcome.values);
    read_back(arena, arena->begins[VALUE_STATUS], count * sizeof(uint32_t), outcome.status);
    read_back(arena, arena->begins[CLAMP_COUNTS], count * sizeof(clkl_clamp_count),
              outcome.clamped);
    expect_agreement(&expected, &outcome, &tolerance, "%s", what);
    outcome_free(&outcome);
    expected_free(&expected);
}

/* As it is, with right results; afterwards the buffer is as at first. */
static void expect_accepted(const struct arena *arena, unsigned parts, const char *what)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_args args = make_args(arena, parts);
    const clkl_status status =
        clkl_enqueue(arena->plan, device.queue, &args, 0, NULL, NULL, &error);
    cr_expect_eq(status, CLKL_OK, "%s: %s", what, error.message);
    if (status == CLKL_OK)
        expect_results(arena, what);
    free_args(arena, &args);
    REQUIRE(clEnqueueWriteBuffer(device.queue, arena->mem, CL_TRUE, 0, ARENA, arena->numbers, 0,
                                 NULL, NULL));
}

/* Refused for the overlap of these two, with nothing enqueued or written. */
static void expect_refused(const struct arena *arena, unsigned parts, int a, int b,
                           const char *what)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_args args = make_args(arena, parts);
    cl_event event = (cl_event)(void *)&error;
    cr_expect_eq(clkl_enqueue(arena->plan, device.queue, &args, 0, NULL, &event, &error),
                 CLKL_INVALID_ARGUMENT, "%s", what);
    cr_expect(strstr(error.message, "overlap") != NULL &&
                  strstr(error.message, fields[a].name) != NULL &&
                  strstr(error.message, fields[b].name) != NULL,
              "%s: \"%s\"", what, error.message);
    cr_expect_null(event, "%s", what);
    char *now = malloc(arena->sizes[a]);
    cr_assert_not_null(now);
    read_back(arena, arena->begins[a], arena->sizes[a], now);
    cr_expect(memcmp(now, (const char *)arena->numbers + arena->begins[a], arena->sizes[a]) == 0,
              "%s: something was written", what);
    free(now);
    free_args(arena, &args);
}

/* ---- One thing beside another ---- */

static size_t round_down(size_t bytes, size_t step)
{
    return bytes / step * step;
}

static unsigned parts_of(enum way way, int moved, int other)
{
    return way == DIRECTLY ? 0 : way == ONE_BY_SUB_BUFFER ? 1u << moved : 1u << moved | 1u << other;
}

/* `moved` goes before and behind `other`: as near as it can be, and one step nearer. */
static void check_beside(struct arena *arena, int moved, int other, enum way way)
{
    const size_t step = fields[moved].step, home = arena->begins[moved];
    const size_t begin = arena->begins[other], end = begin + arena->sizes[other];
    const size_t before = round_down(begin - arena->sizes[moved], step);
    const size_t behind = round_down(end + step - 1, step);
    const unsigned parts = parts_of(way, moved, other);
    char what[128];
    snprintf(what, sizeof what, "%s beside %s, %s", fields[moved].name, fields[other].name,
             way_names[way]);
    const size_t apart[] = {before, behind}, together[] = {before + step, behind - step, begin};
    for (size_t i = 0; i < sizeof apart / sizeof *apart; ++i) {
        arena->begins[moved] = apart[i];
        expect_accepted(arena, parts, what);
    }
    for (size_t i = 0; i < sizeof together / sizeof *together; ++i) {
        arena->begins[moved] = together[i];
        expect_refused(arena, parts, moved, other, what);
    }
    arena->begins[moved] = home;
}

static void check_all_pairs(enum way way)
{
    const clkl_spec spec = usual_spec();
    struct arena arena = make_arena(&spec);
    for (int moved = RESULT; moved < FIELDS; ++moved)
        for (int other = 0; other < FIELDS; ++other)
            if (other != moved)
                check_beside(&arena, moved, other, way);
    free_arena(&arena);
}

Test(device_overlap, in_one_buffer)
{
    check_all_pairs(DIRECTLY);
}

Test(device_overlap, in_a_buffer_and_a_part_of_it)
{
    check_all_pairs(ONE_BY_SUB_BUFFER);
}

Test(device_overlap, in_two_parts_of_a_buffer)
{
    check_all_pairs(BOTH_BY_SUB_BUFFERS);
}

/* ---- What counts as used ---- */

/* Inputs may overlap as they like. */
Test(device_overlap, inputs_with_inputs)
{
    const clkl_spec spec = usual_spec();
    struct arena arena = make_arena(&spec);
    arena.begins[CLKL_Q_MEAN] = arena.begins[CLKL_P_MEAN];
    arena.begins[CLKL_Q_SCALE] = arena.begins[CLKL_P_SCALE] + 4;
    expect_accepted(&arena, 0, "one mean, scales that overlap");
    expect_accepted(&arena, 1u << CLKL_P_SCALE | 1u << CLKL_Q_SCALE,
                    "scales that overlap in two parts");
    arena.begins[CLKL_P_SCALE] = arena.begins[CLKL_P_MEAN];
    expect_accepted(&arena, 0, "one array as mean and scale");
    free_arena(&arena);
}

/* What a smaller batch does not reach is free. */
Test(device_overlap, a_smaller_batch)
{
    const clkl_spec spec = usual_spec();
    struct arena arena = make_arena(&spec);
    arena.batch = BATCH - 1;
    for (int i = 0; i < RESULT; ++i)
        arena.sizes[i] = (BATCH - 1) * ELEMENTS * sizeof(float);
    arena.sizes[RESULT] = arena.sizes[VALUE_STATUS] = (BATCH - 1) * sizeof(cl_uint);
    arena.sizes[CLAMP_COUNTS] = (BATCH - 1) * sizeof(cl_uint2);
    for (int other = 0; other < RESULT; ++other)
        check_beside(&arena, RESULT, other, DIRECTLY);
    check_beside(&arena, RESULT, VALUE_STATUS, DIRECTLY);
    check_beside(&arena, VALUE_STATUS, CLAMP_COUNTS, DIRECTLY);
    free_arena(&arena);
}

/* A shared Q is as long as one sample. */
Test(device_overlap, a_shared_q)
{
    clkl_spec spec = usual_spec();
    spec.q.layout = CLKL_SHARED;
    struct arena arena = make_arena(&spec);
    arena.sizes[CLKL_Q_MEAN] = arena.sizes[CLKL_Q_SCALE] = ELEMENTS * sizeof(float);
    check_beside(&arena, RESULT, CLKL_Q_MEAN, DIRECTLY);
    check_beside(&arena, CLAMP_COUNTS, CLKL_Q_SCALE, BOTH_BY_SUB_BUFFERS);
    free_arena(&arena);
}

/* Moments are one array of both halves. */
Test(device_overlap, packed_moments)
{
    clkl_spec spec = usual_spec();
    spec.p.form = CLKL_MOMENTS;
    spec.shape[0] = 1; /* so that the moments fit into their slot */
    struct arena arena = make_arena(&spec);
    arena.sizes[CLKL_P_MEAN] *= 2;
    check_beside(&arena, RESULT, CLKL_P_MEAN, DIRECTLY);
    check_beside(&arena, SCRATCH, CLKL_P_MEAN, ONE_BY_SUB_BUFFER);
    free_arena(&arena);
}

/* Outputs may lie in the gaps of a slice: here behind each row. */
Test(device_overlap, in_the_gaps_of_a_slice)
{
    enum { GAP = 64, ROW = ELEMENTS + GAP };
    clkl_spec spec = usual_spec();
    spec.p.layout = CLKL_STRIDED;
    spec.p.mean_strides[0] = spec.p.scale_strides[0] = ROW;
    spec.p.mean_strides[1] = spec.p.scale_strides[1] = 1;
    struct arena arena = make_arena(&spec);
    arena.begins[RESULT] = arena.begins[CLKL_P_MEAN] + ELEMENTS * sizeof(float);
    arena.begins[VALUE_STATUS] = arena.begins[RESULT] + arena.sizes[RESULT];
    arena.begins[CLAMP_COUNTS] = arena.begins[CLKL_P_SCALE] + ELEMENTS * sizeof(float);
    expect_accepted(&arena, 0, "outputs behind the first row");
    arena.begins[VALUE_STATUS] -= 4;
    expect_refused(&arena, 0, VALUE_STATUS, RESULT, "outputs over each other behind the first row");
    free_arena(&arena);
}

/* Without kernels the outputs must still lie apart; what is given as inputs does not matter. */
Test(device_overlap, deterministic_p)
{
    clkl_spec spec = usual_spec();
    spec.p.form = CLKL_DETERMINISTIC;
    struct arena arena = make_arena(&spec);
    check_beside(&arena, RESULT, VALUE_STATUS, DIRECTLY);
    check_beside(&arena, RESULT, CLAMP_COUNTS, BOTH_BY_SUB_BUFFERS);
    check_beside(&arena, VALUE_STATUS, CLAMP_COUNTS, ONE_BY_SUB_BUFFER);
    arena.begins[RESULT] = arena.begins[CLKL_P_MEAN];
    expect_accepted(&arena, 0, "result where means would be");
    free_arena(&arena);
}
