#include "reference/reference.h"

#include "core/arguments.h"
#include "reference/divergence.h"

#include <math.h>
#include <string.h>

/* ---- Arguments ---- */

static clkl_status check_side(const struct clkl_side *side, const char *name, const void *mean,
                              const void *scale, clkl_error *error)
{
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return CLKL_OK;
    if (mean == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "args->%s_mean is NULL; expected the %s",
                         name, side->packed ? "packed moments" : "mean");
    if (scale == NULL && !side->packed)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "args->%s_scale is NULL; expected the scale",
                         name);
    return CLKL_OK;
}

clkl_status clkl_host_args_check(const struct clkl_problem *problem, const clkl_host_args *args,
                                 clkl_error *error)
{
    if (args->result == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "args->result is NULL");
    if (args->clamp_counts != NULL && !problem->clamp_counts)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "args->clamp_counts is given, but spec->outputs does not ask for "
                         "CLKL_OUTPUT_CLAMP_COUNTS");
    if (problem->deterministic)
        return CLKL_OK;
    const clkl_status status = check_side(&problem->p, "p", args->p_mean, args->p_scale, error);
    if (status != CLKL_OK)
        return status;
    return check_side(&problem->q, "q", args->q_mean, args->q_scale, error);
}

/* ---- Elements ---- */

/* The arrays of one of the two distributions. */
struct arrays {
    const struct clkl_side *side;
    const void *mean;
    const void *scale;
};

static struct arrays arrays_of(const struct clkl_side *side, const void *mean, const void *scale)
{
    return (struct arrays){side, mean, side->packed ? mean : scale};
}

static double load(const void *array, clkl_dtype dtype, int64_t offset)
{
    return dtype == CLKL_F64 ? ((const double *)array)[offset]
                             : (double)((const float *)array)[offset];
}

static int64_t offset_of(const struct clkl_problem *problem, const struct clkl_operand *operand,
                         const uint64_t *index)
{
    int64_t offset = operand->origin;
    for (uint32_t axis = 0; axis < problem->rank; ++axis)
        offset += operand->strides[axis] * (int64_t)index[axis];
    return offset;
}

/* Moves a log-variance to the nearer bound and counts that. NaN is neither moved nor counted. */
static double clamp(const struct clkl_problem *problem, double logvar, uint32_t *count)
{
    bool low = logvar < problem->clamp_low;
    bool high = logvar > problem->clamp_high;
    if ((low || high) && *count < UINT32_MAX)
        ++*count;
    return low ? problem->clamp_low : high ? problem->clamp_high : logvar;
}

static struct clkl_normal load_normal(const struct clkl_problem *problem,
                                      const struct arrays *arrays, const uint64_t *index,
                                      uint32_t *clamp_count)
{
    const struct clkl_side *side = arrays->side;
    if (side->scale_kind == CLKL_SCALE_UNIT)
        return (struct clkl_normal){CLKL_SCALE_UNIT, 0.0, 1.0};
    double mean = load(arrays->mean, side->dtype, offset_of(problem, &side->mean, index));
    double scale = load(arrays->scale, side->dtype, offset_of(problem, &side->scale, index));
    if (side->clamped)
        scale = clamp(problem, scale, clamp_count);
    return (struct clkl_normal){side->scale_kind, mean, scale};
}

/* ---- Sums ---- */

/* A. Neumaier, Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen, ZAMM 54
 * (1974): `lost` collects what rounding takes off the sum. */
struct compensated_sum {
    double sum;
    double lost;
};

static void sum_add(struct compensated_sum *total, double x)
{
    double sum = total->sum + x;
    bool x_smaller = fabs(total->sum) >= fabs(x);
    if (isfinite(sum)) /* else nothing is lost, and inf - inf would be NaN */
        total->lost += x_smaller ? (total->sum - sum) + x : (x - sum) + total->sum;
    total->sum = sum;
}

/* What a value of the result is made of. */
struct value {
    double divergence;
    bool negative_scale;
    clkl_clamp_count clamped;
};

/* Steps `index` to the next element of the same value, the last axis fastest; false after the last
 * one. Kept axes stay where they are. */
static bool next_index(const struct clkl_problem *problem, uint64_t *index)
{
    for (uint32_t axis = problem->rank; axis-- > 0;) {
        if (clkl_problem_keeps(problem, axis))
            continue;
        if (++index[axis] < problem->shape[axis])
            return true;
        index[axis] = 0;
    }
    return false;
}

/* The first element of the value at `position`: kept axes count it in row-major order. */
static void first_index(const struct clkl_problem *problem, uint64_t position, uint64_t *index)
{
    memset(index, 0, CLKL_MAX_RANK * sizeof *index);
    for (uint32_t axis = problem->rank; axis-- > 0;) {
        if (!clkl_problem_keeps(problem, axis))
            continue;
        index[axis] = position % problem->shape[axis];
        position /= problem->shape[axis];
    }
}

/* The sum over the elements of the value at `position` of the result, divided as the batch reduction
 * wants. The elements are scaled by the divisor's power of two first: a sum may be out of
 * range where its mean is not. */
static struct value value_at(const struct clkl_problem *problem, const struct arrays *p,
                             const struct arrays *q, uint64_t position)
{
    struct value value = {0.0, false, {0, 0}};
    struct compensated_sum total = {0.0, 0.0};
    uint64_t divisor = clkl_problem_divisor(problem);
    uint64_t index[CLKL_MAX_RANK];
    int exponent = 0;
    double fraction = divisor == 1 ? 1.0 : frexp((double)divisor, &exponent);
    double unit = ldexp(1.0, -exponent);
    first_index(problem, position, index);
    do {
        struct clkl_normal of_p = load_normal(problem, p, index, &value.clamped.p);
        struct clkl_normal of_q = load_normal(problem, q, index, &value.clamped.q);
        if (clkl_normal_is_negative(&of_p) || clkl_normal_is_negative(&of_q))
            value.negative_scale = true;
        sum_add(&total, unit * clkl_normal_divergence(&of_p, &of_q));
    } while (next_index(problem, index));
    value.divergence = (total.sum + total.lost) / fraction;
    return value;
}

/* ---- Results ---- */

/* Writes the value as the compute type has it, and returns what was written. */
static double store(void *result, clkl_dtype dtype, uint64_t position, double x)
{
    if (dtype == CLKL_F64)
        return ((double *)result)[position] = x;
    return (double)(((float *)result)[position] = (float)x);
}

static void store_value(const struct clkl_problem *problem, const clkl_host_args *args,
                        uint64_t position, const struct value *value)
{
    double stored = store(args->result, problem->compute, position, value->divergence);
    if (args->value_status != NULL)
        args->value_status[position] = (isnan(stored) ? CLKL_VALUE_NAN : 0) |
                                       (isinf(stored) ? CLKL_VALUE_INFINITE : 0) |
                                       (value->negative_scale ? CLKL_VALUE_NEGATIVE_SCALE : 0);
    if (args->clamp_counts != NULL)
        args->clamp_counts[position] = value->clamped;
}

void clkl_reference_compute(const struct clkl_problem *problem, const clkl_host_args *args)
{
    const struct value zero = {0.0, false, {0, 0}};
    const struct arrays p = arrays_of(&problem->p, args->p_mean, args->p_scale);
    const struct arrays q = arrays_of(&problem->q, args->q_mean, args->q_scale);
    uint64_t count = clkl_problem_result_count(problem);
    for (uint64_t position = 0; position < count; ++position) {
        struct value value = problem->deterministic ? zero : value_at(problem, &p, &q, position);
        store_value(problem, args, position, &value);
    }
}

clkl_status clkl_reference_run(const clkl_spec *spec, const clkl_host_args *args, clkl_error *error)
{
    struct clkl_problem problem;
    clkl_host_args taken;
    clkl_status status = clkl_problem_make(spec, &problem, error);
    if (status == CLKL_OK)
        status = clkl_take_host_args(args, &taken, error);
    if (status == CLKL_OK)
        status = clkl_host_args_check(&problem, &taken, error);
    if (status == CLKL_OK)
        status = clkl_problem_set_batch(&problem, taken.batch, error);
    if (status != CLKL_OK)
        return status;
    clkl_reference_compute(&problem, &taken);
    return CLKL_OK;
}
