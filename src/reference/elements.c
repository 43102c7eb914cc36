#include "reference/elements.h"

#include "reference/storage.h"

#include <string.h>

/* ---- Indices ---- */

bool clkl_index_next(const struct clkl_problem *problem, uint32_t axes, uint64_t *index)
{
    for (uint32_t axis = problem->rank; axis-- > 0;) {
        if ((axes >> axis & 1u) == 0)
            continue;
        if (++index[axis] < problem->shape[axis])
            return true;
        index[axis] = 0;
    }
    return false;
}

uint64_t clkl_index_position(const struct clkl_problem *problem, const uint64_t *index)
{
    uint64_t position = 0;
    for (uint32_t axis = 0; axis < problem->rank; ++axis)
        if (clkl_problem_keeps(problem, axis))
            position = position * problem->shape[axis] + index[axis];
    return position;
}

void clkl_index_first(const struct clkl_problem *problem, uint64_t position, uint64_t *index)
{
    memset(index, 0, CLKL_MAX_RANK * sizeof *index);
    for (uint32_t axis = problem->rank; axis-- > 0;) {
        if (!clkl_problem_keeps(problem, axis))
            continue;
        index[axis] = position % problem->shape[axis];
        position /= problem->shape[axis];
    }
}

int64_t clkl_element_offset(const struct clkl_problem *problem, const struct clkl_operand *operand,
                            const uint64_t *index)
{
    int64_t offset = operand->origin;
    for (uint32_t axis = 0; axis < problem->rank; ++axis)
        offset += operand->strides[axis] * (int64_t)index[axis];
    return offset;
}

/* ---- Elements ---- */

static double load_weight(const struct clkl_problem *problem, const void *weights,
                          const uint64_t *index)
{
    const int64_t offset = clkl_element_offset(problem, &problem->weight, index);
    switch (problem->weighting) {
    case CLKL_NO_WEIGHTS:
        break;
    case CLKL_MASK:
        return ((const uint8_t *)weights)[offset] != 0 ? 1.0 : 0.0;
    case CLKL_WEIGHTS:
        return clkl_storage_load(weights, problem->weight_dtype, offset);
    case CLKL_LENGTHS:
        return index[problem->length_axis] < ((const uint32_t *)weights)[offset] ? 1.0 : 0.0;
    }
    return 1.0;
}

/* Moves a log-variance to the nearer bound, and tells whether it did. NaN is left alone. */
static bool clamp(const struct clkl_problem *problem, double *logvar)
{
    const bool low = *logvar < problem->clamp_low;
    const bool high = *logvar > problem->clamp_high;
    if (low || high)
        *logvar = low ? problem->clamp_low : problem->clamp_high;
    return low || high;
}

static struct clkl_normal load_normal(const struct clkl_problem *problem,
                                      const struct clkl_side *side, const void *mean,
                                      const void *scale, const uint64_t *index, bool *clamped)
{
    struct clkl_normal normal = {side->scale_kind, 0.0, 1.0};
    *clamped = false;
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return normal;
    normal.mean =
        clkl_storage_load(mean, side->dtype, clkl_element_offset(problem, &side->mean, index));
    normal.scale = clkl_storage_load(side->packed ? mean : scale, side->dtype,
                                     clkl_element_offset(problem, &side->scale, index));
    if (side->clamped)
        *clamped = clamp(problem, &normal.scale);
    return normal;
}

bool clkl_element_load(const struct clkl_problem *problem, const clkl_host_args *args,
                       const uint64_t *index, struct clkl_element *element)
{
    element->weight = load_weight(problem, args->weights, index);
    if (element->weight == 0.0)
        return false;
    element->p =
        load_normal(problem, &problem->p, args->p_mean, args->p_scale, index, &element->p_clamped);
    element->q =
        load_normal(problem, &problem->q, args->q_mean, args->q_scale, index, &element->q_clamped);
    return true;
}
