#include "reference/reference.h"

#include "core/arguments.h"
#include "reference/covariance_results.h"
#include "reference/elements.h"
#include "reference/gradients.h"
#include "reference/storage.h"
#include "reference/sum.h"

#include <math.h>

/* What a value of the result is made of. */
struct value {
    double divergence;
    bool negative_scale;
    clkl_clamp_count clamped;
};

/* ---- Sums ---- */

static void count(bool clamped, uint32_t *clamp_count)
{
    if (clamped && *clamp_count < UINT32_MAX)
        ++*clamp_count;
}

/* The sum over the elements of the value at `position` of the result, divided as the batch
 * reduction wants. The elements are scaled by the divisor's power of two first: a sum may be out of
 * range where its mean is not. */
static struct value value_at(const struct clkl_problem *problem, const clkl_host_args *args,
                             uint64_t position)
{
    struct value value = {0.0, false, {0, 0}};
    struct clkl_sum total = {0.0, 0.0};
    struct clkl_element element;
    uint64_t divisor = clkl_problem_divisor(problem);
    uint64_t index[CLKL_MAX_RANK];
    int exponent = 0;
    double fraction = divisor == 1 ? 1.0 : frexp((double)divisor, &exponent);
    double unit = ldexp(1.0, -exponent);
    clkl_index_first(problem, position, index);
    do {
        if (!clkl_element_load(problem, args, index, &element))
            continue;
        count(element.p_clamped, &value.clamped.p);
        count(element.q_clamped, &value.clamped.q);
        if (clkl_normal_is_negative(&element.p) || clkl_normal_is_negative(&element.q))
            value.negative_scale = true;
        clkl_sum_add(&total,
                     unit * element.weight * clkl_normal_divergence(&element.p, &element.q));
    } while (clkl_index_next(problem, ~problem->kept, index));
    value.divergence = (total.sum + total.lost) / fraction;
    return value;
}

/* ---- Results ---- */

/* max(divergence, free_nats), but NaN stays NaN. */
static double at_least_free(const struct clkl_problem *problem, double divergence)
{
    return problem->free_nats > 0.0 && divergence < problem->free_nats ? problem->free_nats
                                                                       : divergence;
}

static void store_value(const struct clkl_problem *problem, const clkl_host_args *args,
                        uint64_t position, const struct value *value)
{
    clkl_storage_store(args->result, problem->compute, (int64_t)position,
                       at_least_free(problem, value->divergence));
    const double stored = clkl_storage_load(args->result, problem->compute, (int64_t)position);
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
    uint64_t values = problem->no_result ? 0 : clkl_problem_result_count(problem);
    for (uint64_t position = 0; position < values; ++position) {
        struct value value = problem->deterministic ? zero : value_at(problem, args, position);
        store_value(problem, args, position, &value);
    }
    clkl_gradients_compute(problem, args);
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
    if (problem.full)
        return clkl_reference_compute_covariances(&problem, &taken, error);
    clkl_reference_compute(&problem, &taken);
    return CLKL_OK;
}
