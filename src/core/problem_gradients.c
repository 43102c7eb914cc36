/* The gradients, and the free bits that decide where they are 0. */
#include "core/dtype.h"
#include "core/failure.h"
#include "core/problem_parts.h"

#include <math.h>

enum {
    OF_P = CLKL_GRADIENT_P_MEAN | CLKL_GRADIENT_P_SCALE,
    OF_Q = CLKL_GRADIENT_Q_MEAN | CLKL_GRADIENT_Q_SCALE
};

/* ---- Where gradients lie ---- */

/* A gradient's array is written, so no element of it may belong to two indices that are not summed.
 */
static clkl_status check_nested(const struct clkl_problem *problem,
                                const struct clkl_operand *operand, const uint64_t *twin,
                                const char *name, const char *array, clkl_error *error)
{
    if (clkl_problem_is_nested(problem, operand, twin))
        return CLKL_OK;
    return clkl_fail(error, CLKL_INVALID_SPEC,
                     "%s: the %s cannot have a gradient, for its strides may visit an element "
                     "twice; expected each above 0 to be longer than all shorter ones reach",
                     name, array);
}

/* `mean` and `scale` are the bits of the side. */
static clkl_status check_side(const struct clkl_problem *problem, const struct clkl_side *side,
                              uint32_t mean, uint32_t scale, const char *name, clkl_error *error)
{
    const uint64_t twin = (uint64_t)(side->scale.origin - side->mean.origin);
    clkl_status status = CLKL_OK;
    if ((problem->gradients & (mean | scale)) == 0)
        return CLKL_OK;
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "gradients is 0x%x, but %s is the standard normal and has no arrays",
                         (unsigned)problem->gradients, name);
    if (side->packed)
        return check_nested(problem, &side->mean, &twin, name, "packed array", error);
    if ((problem->gradients & mean) != 0)
        status = check_nested(problem, &side->mean, NULL, name, "mean", error);
    if (status == CLKL_OK && (problem->gradients & scale) != 0)
        status = check_nested(problem, &side->scale, NULL, name, "scale", error);
    return status;
}

static clkl_status check_arrays(const struct clkl_problem *problem, clkl_error *error)
{
    if (problem->gradients != 0 && problem->deterministic)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "gradients is 0x%x, but P is deterministic: its divergence is 0 by "
                         "definition and has none",
                         (unsigned)problem->gradients);
    const clkl_status status =
        check_side(problem, &problem->p, CLKL_GRADIENT_P_MEAN, CLKL_GRADIENT_P_SCALE, "P", error);
    return status != CLKL_OK ? status
                             : check_side(problem, &problem->q, CLKL_GRADIENT_Q_MEAN,
                                          CLKL_GRADIENT_Q_SCALE, "Q", error);
}

/* ---- Which there are ---- */

static clkl_status read_kind(const clkl_spec *spec, struct clkl_problem *problem, clkl_error *error)
{
    if ((spec->gradients & ~(uint32_t)(OF_P | OF_Q)) != 0)
        return clkl_fail(error, CLKL_INVALID_SPEC, "unknown bits in gradients: 0x%x",
                         (unsigned)spec->gradients);
    problem->gradients = spec->gradients;
    if (problem->p.packed && (spec->gradients & OF_P) != 0)
        problem->gradients |= OF_P;
    if (problem->q.packed && (spec->gradients & OF_Q) != 0)
        problem->gradients |= OF_Q;
    problem->gradient_dtype =
        spec->gradient_dtype == CLKL_DEFAULT_DTYPE ? problem->compute : spec->gradient_dtype;
    if (clkl_dtype_size(problem->gradient_dtype) == 0)
        return clkl_fail(error, CLKL_INVALID_SPEC, "unknown gradient type %d",
                         (int)spec->gradient_dtype);
    problem->gradient_update = spec->gradient_update;
    if (spec->gradient_update != CLKL_GRADIENT_SET && spec->gradient_update != CLKL_GRADIENT_ADD)
        return clkl_fail(error, CLKL_INVALID_SPEC, "unknown gradient update %d",
                         (int)spec->gradient_update);
    return CLKL_OK;
}

/* ---- Free bits, and the result that gradients may go without ---- */

/* The bound has the compute type, as the values that are held against it have. */
static clkl_status read_free_nats(const clkl_spec *spec, struct clkl_problem *problem,
                                  clkl_error *error)
{
    const bool narrow = problem->compute == CLKL_F32;
    if (!isfinite(spec->free_nats) || spec->free_nats < 0.0)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "free_nats is %g; expected a finite number that is not below 0",
                         spec->free_nats);
    problem->free_nats = narrow ? (double)(float)spec->free_nats : spec->free_nats;
    if (!isfinite(problem->free_nats))
        return clkl_fail(error, CLKL_INVALID_SPEC, "free_nats is %g, too large for fp32",
                         spec->free_nats);
    return CLKL_OK;
}

static clkl_status check_outputs(const struct clkl_problem *problem, clkl_error *error)
{
    if (problem->no_result && problem->gradients == 0)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "CLKL_OUTPUT_NO_RESULT without gradients leaves nothing to compute");
    if (problem->no_result && problem->clamp_counts)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "CLKL_OUTPUT_CLAMP_COUNTS are of values, which CLKL_OUTPUT_NO_RESULT "
                         "leaves out");
    if (!problem->no_result && problem->gradients != 0 && problem->free_nats > 0.0)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "gradients with free_nats need CLKL_OUTPUT_NO_RESULT: they take the "
                         "values of an earlier call");
    return CLKL_OK;
}

/* The upstream gradient lies as the values do, and repeats the axes that they sum over. */
static void read_upstream(struct clkl_problem *problem)
{
    int64_t stride = 1;
    for (uint32_t axis = problem->rank; axis-- > 0;) {
        const bool kept = clkl_problem_keeps(problem, axis);
        problem->upstream.strides[axis] = kept ? stride : 0;
        stride *= kept ? (int64_t)problem->shape[axis] : 1;
    }
}

clkl_status clkl_problem_read_gradients(const clkl_spec *spec, struct clkl_problem *problem,
                                        clkl_error *error)
{
    clkl_status status = read_kind(spec, problem, error);
    if (status == CLKL_OK)
        status = check_arrays(problem, error);
    if (status == CLKL_OK)
        status = read_free_nats(spec, problem, error);
    if (status == CLKL_OK)
        status = check_outputs(problem, error);
    if (problem->gradients != 0)
        read_upstream(problem);
    return status;
}
