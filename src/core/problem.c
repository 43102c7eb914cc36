#include "core/problem.h"

#include "core/arguments.h"
#include "core/checked.h"
#include "core/failure.h"

#include <math.h>
#include <string.h>

/* Sizes and offsets are kept below this, so that signed 64-bit arithmetic on them cannot overflow.
 */
#define MAX_ELEMENTS ((uint64_t)1 << 56)

static clkl_status read_shape(const clkl_spec *spec, struct clkl_problem *problem,
                              clkl_error *error)
{
    if (spec->rank < 2 || spec->rank > CLKL_MAX_RANK)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "rank is %u; expected 2 to %d: the batch axis and at least one other",
                         (unsigned)spec->rank, CLKL_MAX_RANK);
    uint64_t total = 1;
    for (uint32_t axis = 0; axis < spec->rank; ++axis) {
        if (spec->shape[axis] == 0)
            return clkl_fail(error, CLKL_INVALID_SPEC, "axis %u is empty; expected at least 1",
                             (unsigned)axis);
        if (!clkl_checked_mul(total, spec->shape[axis], &total) || total > MAX_ELEMENTS)
            return clkl_fail(error, CLKL_INVALID_SPEC, "the shape has more than 2^56 elements");
        problem->shape[axis] = spec->shape[axis];
    }
    problem->rank = spec->rank;
    return CLKL_OK;
}

static clkl_status read_scale_kind(clkl_form form, enum clkl_scale *kind)
{
    switch (form) {
    case CLKL_STANDARD_NORMAL:
    case CLKL_DETERMINISTIC:
        *kind = CLKL_SCALE_UNIT;
        return CLKL_OK;
    case CLKL_MOMENTS:
    case CLKL_MEAN_LOGVAR:
        *kind = CLKL_SCALE_LOGVAR;
        return CLKL_OK;
    case CLKL_MEAN_LOGSTD:
        *kind = CLKL_SCALE_LOGSTD;
        return CLKL_OK;
    case CLKL_MEAN_VAR:
        *kind = CLKL_SCALE_VAR;
        return CLKL_OK;
    case CLKL_MEAN_STD:
        *kind = CLKL_SCALE_STD;
        return CLKL_OK;
    }
    return CLKL_INVALID_SPEC;
}

/* Row-major strides of an array whose `doubled` axis has twice the extent (rank: none has); with
 * `shared`, the batch axis repeats. */
static void dense_strides(const struct clkl_problem *problem, uint32_t doubled, bool shared,
                          int64_t *strides)
{
    int64_t stride = 1;
    for (uint32_t axis = problem->rank; axis-- > 0;) {
        strides[axis] = axis == 0 && shared ? 0 : stride;
        stride *= (int64_t)problem->shape[axis] * (axis == doubled ? 2 : 1);
    }
}

/* Refuses strides with which an offset could leave 56 bits or fall before the array's start. */
static clkl_status check_strides(const struct clkl_problem *problem, const int64_t *strides,
                                 const char *name, clkl_error *error)
{
    uint64_t extent = 0;
    for (uint32_t axis = 0; axis < problem->rank; ++axis) {
        uint64_t reach = 0;
        if (strides[axis] < 0)
            return clkl_fail(error, CLKL_INVALID_SPEC, "%s: the stride of axis %u is negative",
                             name, (unsigned)axis);
        if (!clkl_checked_mul(problem->shape[axis], (uint64_t)strides[axis], &reach) ||
            !clkl_checked_add(extent, reach, &extent) || extent > MAX_ELEMENTS)
            return clkl_fail(error, CLKL_INVALID_SPEC,
                             "%s: the strides reach further than 2^56 elements", name);
    }
    return CLKL_OK;
}

static clkl_status read_layout(const struct clkl_problem *problem, const clkl_gaussian *given,
                               const char *name, struct clkl_side *side, clkl_error *error)
{
    const uint32_t split = given->split_axis == 0 ? 1 : given->split_axis;
    if (side->packed && split >= problem->rank)
        return clkl_fail(error, CLKL_INVALID_SPEC, "%s: split_axis is %u; expected 1 to %u", name,
                         (unsigned)split, (unsigned)problem->rank - 1);
    const uint32_t doubled = side->packed ? split : problem->rank;
    if (given->layout == CLKL_STRIDED) {
        memcpy(side->mean.strides, given->mean_strides, sizeof side->mean.strides);
        memcpy(side->scale.strides, side->packed ? given->mean_strides : given->scale_strides,
               sizeof side->scale.strides);
    } else {
        dense_strides(problem, doubled, given->layout == CLKL_SHARED, side->mean.strides);
        memcpy(side->scale.strides, side->mean.strides, sizeof side->mean.strides);
    }
    clkl_status status = check_strides(problem, side->mean.strides, name, error);
    if (status == CLKL_OK)
        status = check_strides(problem, side->scale.strides, name, error);
    if (status == CLKL_OK && side->packed)
        side->scale.origin = side->mean.strides[split] * (int64_t)problem->shape[split];
    return status;
}

static clkl_status read_side(const struct clkl_problem *problem, const clkl_gaussian *given,
                             const char *name, struct clkl_side *side, clkl_error *error)
{
    if (read_scale_kind(given->form, &side->scale_kind) != CLKL_OK)
        return clkl_fail(error, CLKL_INVALID_SPEC, "%s: unknown form %d", name, (int)given->form);
    side->dtype = given->dtype == CLKL_DEFAULT_DTYPE ? CLKL_F32 : given->dtype;
    if (side->dtype != CLKL_F32 && side->dtype != CLKL_F64)
        return clkl_fail(error, CLKL_INVALID_SPEC, "%s: unknown dtype %d", name, (int)given->dtype);
    if (given->layout != CLKL_DENSE && given->layout != CLKL_SHARED &&
        given->layout != CLKL_STRIDED)
        return clkl_fail(error, CLKL_INVALID_SPEC, "%s: unknown layout %d", name,
                         (int)given->layout);
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return CLKL_OK;
    side->packed = given->form == CLKL_MOMENTS;
    return read_layout(problem, given, name, side, error);
}

static clkl_status read_clamp(const clkl_spec *spec, struct clkl_problem *problem,
                              clkl_error *error)
{
    if (spec->clamp != CLKL_NO_CLAMP && spec->clamp != CLKL_CLAMP)
        return clkl_fail(error, CLKL_INVALID_SPEC, "unknown clamp %d", (int)spec->clamp);
    if (spec->clamp == CLKL_NO_CLAMP || problem->deterministic)
        return CLKL_OK;
    if (!isfinite(spec->clamp_low) || !isfinite(spec->clamp_high) ||
        spec->clamp_low > spec->clamp_high)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "the clamp is [%g, %g]; expected two finite bounds in rising order",
                         spec->clamp_low, spec->clamp_high);
    problem->p.clamped = problem->p.scale_kind == CLKL_SCALE_LOGVAR;
    problem->q.clamped = problem->q.scale_kind == CLKL_SCALE_LOGVAR;
    if (!problem->p.clamped && !problem->q.clamped)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "a clamp applies to log-variances, but neither side is given by them");
    const bool narrow = (problem->p.clamped && problem->p.dtype == CLKL_F32) ||
                        (problem->q.clamped && problem->q.dtype == CLKL_F32);
    problem->clamp_low = narrow ? (double)(float)spec->clamp_low : spec->clamp_low;
    problem->clamp_high = narrow ? (double)(float)spec->clamp_high : spec->clamp_high;
    if (!isfinite(problem->clamp_low) || !isfinite(problem->clamp_high))
        return clkl_fail(error, CLKL_INVALID_SPEC, "the clamp is [%g, %g], too large for fp32",
                         spec->clamp_low, spec->clamp_high);
    return CLKL_OK;
}

static clkl_status read_result(const clkl_spec *spec, struct clkl_problem *problem,
                               clkl_error *error)
{
    problem->kept = spec->keep == 0 ? 1u : spec->keep == CLKL_KEEP_NONE ? 0 : spec->keep;
    if (problem->kept >> problem->rank != 0)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "keep is 0x%x; expected axes of the shape, or CLKL_KEEP_NONE",
                         (unsigned)spec->keep);
    if (spec->batch_reduction != CLKL_BATCH_MEAN && spec->batch_reduction != CLKL_BATCH_SUM)
        return clkl_fail(error, CLKL_INVALID_SPEC, "unknown batch reduction %d",
                         (int)spec->batch_reduction);
    problem->batch_reduction = spec->batch_reduction;
    if ((spec->outputs & ~CLKL_OUTPUT_CLAMP_COUNTS) != 0)
        return clkl_fail(error, CLKL_INVALID_SPEC, "unknown bits in outputs: 0x%x",
                         (unsigned)spec->outputs);
    problem->clamp_counts = (spec->outputs & CLKL_OUTPUT_CLAMP_COUNTS) != 0;
    return CLKL_OK;
}

static clkl_status read_compute(const clkl_spec *spec, struct clkl_problem *problem,
                                clkl_error *error)
{
    const bool wide_p = problem->p.scale_kind != CLKL_SCALE_UNIT && problem->p.dtype == CLKL_F64;
    const bool wide_q = problem->q.scale_kind != CLKL_SCALE_UNIT && problem->q.dtype == CLKL_F64;
    const bool wide = !problem->deterministic && (wide_p || wide_q);
    problem->compute = spec->compute;
    if (spec->compute == CLKL_DEFAULT_DTYPE)
        problem->compute = wide ? CLKL_F64 : CLKL_F32;
    if (problem->compute != CLKL_F32 && problem->compute != CLKL_F64)
        return clkl_fail(error, CLKL_INVALID_SPEC, "unknown compute type %d", (int)spec->compute);
    return CLKL_OK;
}

static clkl_status check_reserved(const clkl_spec *spec, clkl_error *error)
{
    clkl_status status =
        clkl_check_reserved(spec->reserved, "spec->reserved", CLKL_INVALID_SPEC, error);
    if (status == CLKL_OK)
        status =
            clkl_check_reserved(spec->p.reserved, "spec->p.reserved", CLKL_INVALID_SPEC, error);
    if (status == CLKL_OK)
        status =
            clkl_check_reserved(spec->q.reserved, "spec->q.reserved", CLKL_INVALID_SPEC, error);
    return status;
}

clkl_status clkl_problem_make(const clkl_spec *given, struct clkl_problem *problem,
                              clkl_error *error)
{
    clkl_spec taken;
    clkl_status status = clkl_take_spec(given, &taken, error);
    if (status != CLKL_OK)
        return status;
    const clkl_spec *spec = &taken;
    memset(problem, 0, sizeof *problem);
    if (spec->q.form == CLKL_DETERMINISTIC)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "Q is deterministic; the divergence from a point mass is not defined");
    problem->deterministic = spec->p.form == CLKL_DETERMINISTIC;
    status = check_reserved(spec, error);
    if (status == CLKL_OK)
        status = read_shape(spec, problem, error);
    if (status == CLKL_OK)
        status = read_side(problem, &spec->p, "P", &problem->p, error);
    if (status == CLKL_OK)
        status = read_side(problem, &spec->q, "Q", &problem->q, error);
    if (status == CLKL_OK)
        status = read_clamp(spec, problem, error);
    if (status == CLKL_OK)
        status = read_result(spec, problem, error);
    if (status == CLKL_OK)
        status = read_compute(spec, problem, error);
    return status;
}

clkl_status clkl_problem_set_batch(struct clkl_problem *problem, uint64_t batch, clkl_error *error)
{
    if (batch > problem->shape[0])
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "batch is %llu, but at most %llu samples were planned",
                         (unsigned long long)batch, (unsigned long long)problem->shape[0]);
    if (batch != 0)
        problem->shape[0] = batch;
    return CLKL_OK;
}

uint64_t clkl_problem_result_count(const struct clkl_problem *problem)
{
    uint64_t count = 1;
    for (uint32_t axis = 0; axis < problem->rank; ++axis)
        if (clkl_problem_keeps(problem, axis))
            count *= problem->shape[axis];
    return count;
}

uint64_t clkl_problem_divisor(const struct clkl_problem *problem)
{
    return !clkl_problem_keeps(problem, 0) && problem->batch_reduction == CLKL_BATCH_MEAN
               ? problem->shape[0]
               : 1;
}

/* What is covered without a gap grows with every axis whose steps are no longer than that. */
bool clkl_problem_is_gapless(const struct clkl_problem *problem, const struct clkl_operand *operand,
                             uint64_t twin)
{
    uint64_t covered = 1, steps[CLKL_MAX_RANK + 1], counts[CLKL_MAX_RANK + 1];
    uint32_t axes = 0;
    for (uint32_t axis = 0; axis < problem->rank; ++axis) {
        if (operand->strides[axis] == 0 || problem->shape[axis] == 1)
            continue;
        steps[axes] = (uint64_t)operand->strides[axis];
        counts[axes++] = problem->shape[axis] - 1;
    }
    if (twin != 0) {
        steps[axes] = twin;
        counts[axes++] = 1;
    }
    for (uint32_t left = axes; left > 0; --left) {
        uint32_t next = 0;
        while (next < axes && (counts[next] == 0 || steps[next] > covered))
            ++next;
        if (next == axes)
            return false;
        covered += steps[next] * counts[next];
        counts[next] = 0;
    }
    return true;
}

uint64_t clkl_problem_extent(const struct clkl_problem *problem, const struct clkl_operand *operand)
{
    int64_t last = operand->origin;
    for (uint32_t axis = 0; axis < problem->rank; ++axis)
        last += operand->strides[axis] * (int64_t)(problem->shape[axis] - 1);
    return (uint64_t)last + 1;
}
