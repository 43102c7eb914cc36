#include "work.h"

#include "core/problem.h"
#include "engines.h"
#include "support/hash.h"

#include <math.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

void *work_allocated(uint64_t count, size_t size)
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
    float *array = work_allocated(count, sizeof *array);
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

void work_clear_outputs(struct work *work)
{
    memset(work->result, WORK_MARK & 0xff, (work->values + 1) * sizeof *work->result);
    memset(work->status, WORK_MARK & 0xff, (work->values + 1) * sizeof *work->status);
    if (work->counts != NULL)
        memset(work->counts, WORK_MARK & 0xff, (work->values + 1) * sizeof *work->counts);
}

struct work work_for(const clkl_spec *spec, uint64_t batch)
{
    struct work work = {.spec = *spec, .batch = batch};
    struct clkl_problem problem;
    clkl_error error = {.struct_size = sizeof error};
    cr_assert_eq(clkl_problem_make(spec, &problem, &error), CLKL_OK, "%s", error.message);
    cr_assert_eq(clkl_problem_set_batch(&problem, batch, &error), CLKL_OK, "%s", error.message);
    fill_side(&work, &problem, &problem.p, 0);
    fill_side(&work, &problem, &problem.q, 2);
    work.values = clkl_problem_result_count(&problem);
    work.result = work_allocated(work.values + 1, sizeof *work.result);
    work.status = work_allocated(work.values + 1, sizeof *work.status);
    if ((spec->outputs & CLKL_OUTPUT_CLAMP_COUNTS) != 0)
        work.counts = work_allocated(work.values + 1, sizeof *work.counts);
    work_clear_outputs(&work);
    return work;
}

void work_free(struct work *work)
{
    for (size_t i = 0; i < COUNT(work->arrays); ++i)
        free(work->arrays[i]);
    free(work->result);
    free(work->status);
    free(work->counts);
}

clkl_host_args work_args(const struct work *work)
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

void work_expect_marks(const struct work *work, const char *name)
{
    uint32_t after;
    memcpy(&after, &work->result[work->values], sizeof after);
    cr_expect_eq(after, (uint32_t)WORK_MARK, "%s: written beyond the result", name);
    cr_expect_eq(work->status[work->values], (uint32_t)WORK_MARK, "%s: beyond the status", name);
    cr_expect(work->counts == NULL || work->counts[work->values].p == (uint32_t)WORK_MARK,
              "%s: beyond the counts", name);
}

void work_run(clkl_engine *engine, struct work *work, const char *name)
{
    const clkl_host_args args = work_args(work);
    clkl_error error = {.struct_size = sizeof error};
    work_clear_outputs(work);
    const clkl_status status = clkl_engine_run(engine, &work->spec, &args, &error);
    cr_assert_eq(status, CLKL_OK, "%s: %s\n%s", name, error.message, error.build_log);
    work_expect_marks(work, name);
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

struct work work_reference(const struct work *work)
{
    struct work expected = *work;
    clkl_error error = {.struct_size = sizeof error};
    expected.result = work_allocated(work->values + 1, sizeof *work->result);
    expected.status = work_allocated(work->values + 1, sizeof *work->status);
    if (work->counts != NULL)
        expected.counts = work_allocated(work->values + 1, sizeof *work->counts);
    work_clear_outputs(&expected);
    const clkl_host_args args = work_args(&expected);
    cr_assert_eq(clkl_reference_run(&work->spec, &args, &error), CLKL_OK, "%s", error.message);
    return expected;
}

void work_drop_reference(struct work *expected)
{
    free(expected->result);
    free(expected->status);
    free(expected->counts);
}

void work_compare_with_reference(clkl_engine *engine, struct work *work, const char *name)
{
    struct work expected = work_reference(work);
    work_run(engine, work, name);
    for (uint64_t i = 0; i < work->values; ++i)
        expect_value(work, i, &expected, name);
    work_drop_reference(&expected);
}
