/* The two Gaussians, and the clamp of their log-variances. */
#include "core/dtype.h"
#include "core/failure.h"
#include "core/problem_parts.h"

#include <math.h>
#include <string.h>

/* ---- One side ---- */

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
    case CLKL_MEAN_COVARIANCE:
        *kind = CLKL_SCALE_COVARIANCE;
        return CLKL_OK;
    case CLKL_MEAN_CHOLESKY:
        *kind = CLKL_SCALE_CHOLESKY;
        return CLKL_OK;
    case CLKL_MEAN_PRECISION:
        *kind = CLKL_SCALE_PRECISION;
        return CLKL_OK;
    }
    return CLKL_INVALID_SPEC;
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
        clkl_problem_dense_strides(problem, doubled, given->layout == CLKL_SHARED,
                                   side->mean.strides);
        memcpy(side->scale.strides, side->mean.strides, sizeof side->mean.strides);
    }
    clkl_status status = clkl_problem_check_strides(problem, side->mean.strides, name, error);
    if (status == CLKL_OK)
        status = clkl_problem_check_strides(problem, side->scale.strides, name, error);
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
    if (clkl_dtype_size(side->dtype) == 0)
        return clkl_fail(error, CLKL_INVALID_SPEC, "%s: unknown dtype %d", name, (int)given->dtype);
    clkl_status status = clkl_problem_check_layout(given->layout, name, error);
    if (status != CLKL_OK || side->scale_kind == CLKL_SCALE_UNIT)
        return status;
    side->packed = given->form == CLKL_MOMENTS;
    return read_layout(problem, given, name, side, error);
}

clkl_status clkl_problem_read_sides(const clkl_spec *spec, struct clkl_problem *problem,
                                    clkl_error *error)
{
    problem->deterministic = spec->p.form == CLKL_DETERMINISTIC;
    if (spec->q.form == CLKL_DETERMINISTIC)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "Q is deterministic; the divergence from a point mass is not defined");
    const clkl_status status = read_side(problem, &spec->p, "P", &problem->p, error);
    return status != CLKL_OK ? status : read_side(problem, &spec->q, "Q", &problem->q, error);
}

/* ---- The clamp ---- */

/* Which sides are clamped. */
static clkl_status choose_clamped(struct clkl_problem *problem, clkl_error *error)
{
    problem->p.clamped = problem->p.scale_kind == CLKL_SCALE_LOGVAR;
    problem->q.clamped = problem->q.scale_kind == CLKL_SCALE_LOGVAR;
    if (!problem->p.clamped && !problem->q.clamped)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "a clamp applies to log-variances, but neither side is given by them");
    return CLKL_OK;
}

/* Whether the clamp is one in fp32, which 16-bit types are computed in. */
static bool clamps_in_fp32(const struct clkl_problem *problem)
{
    return problem->compute != CLKL_F64 || (problem->p.clamped && problem->p.dtype != CLKL_F64) ||
           (problem->q.clamped && problem->q.dtype != CLKL_F64);
}

clkl_status clkl_problem_read_clamp(const clkl_spec *spec, struct clkl_problem *problem,
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
    const clkl_status status = choose_clamped(problem, error);
    if (status != CLKL_OK)
        return status;
    const bool narrow = clamps_in_fp32(problem);
    problem->clamp_low = narrow ? (double)(float)spec->clamp_low : spec->clamp_low;
    problem->clamp_high = narrow ? (double)(float)spec->clamp_high : spec->clamp_high;
    if (!isfinite(problem->clamp_low) || !isfinite(problem->clamp_high))
        return clkl_fail(error, CLKL_INVALID_SPEC, "the clamp is [%g, %g], too large for fp32",
                         spec->clamp_low, spec->clamp_high);
    return CLKL_OK;
}
