/* Whether the arrays are there that a problem needs, and none that it has no use for. */
#include "core/failure.h"
#include "reference/reference.h"

/* ---- Inputs ---- */

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

static clkl_status check_inputs(const struct clkl_problem *problem, const clkl_host_args *args,
                                clkl_error *error)
{
    static const char *const kinds[] = {"", "mask", "weights", "lengths"};
    if (problem->deterministic)
        return CLKL_OK;
    clkl_status status = check_side(&problem->p, "p", args->p_mean, args->p_scale, error);
    if (status == CLKL_OK)
        status = check_side(&problem->q, "q", args->q_mean, args->q_scale, error);
    if (status != CLKL_OK)
        return status;
    if (problem->weighting != CLKL_NO_WEIGHTS && args->weights == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "args->weights is NULL; expected the %s",
                         kinds[problem->weighting]);
    if (problem->gradients != 0 && problem->free_nats > 0.0 && args->values == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "args->values is NULL; expected the results of an earlier call, which "
                         "decide where free_nats leave a gradient");
    if (args->factors.given > 1 || args->factors.zero != 0)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "args->factors begin with %u and %u; expected 0 or 1, and 0",
                         (unsigned)args->factors.given, (unsigned)args->factors.zero);
    return CLKL_OK;
}

/* ---- Outputs ---- */

static clkl_status check_values(const struct clkl_problem *problem, const clkl_host_args *args,
                                clkl_error *error)
{
    if (args->result == NULL && !problem->no_result)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "args->result is NULL");
    if (args->clamp_counts != NULL && !problem->clamp_counts)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "args->clamp_counts is given, but spec->outputs does not ask for "
                         "CLKL_OUTPUT_CLAMP_COUNTS");
    if (args->parts != NULL && !problem->parts)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "args->parts is given, but spec->outputs does not ask for "
                         "CLKL_OUTPUT_PARTS");
    if (args->matrix_status != NULL && !problem->matrix_status)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "args->matrix_status is given, but spec->outputs does not ask for "
                         "CLKL_OUTPUT_MATRIX_STATUS");
    if (args->value_status != NULL && problem->no_result)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "args->value_status is given, but CLKL_OUTPUT_NO_RESULT leaves out the "
                         "values that it is of");
    return CLKL_OK;
}

static clkl_status check_gradients(const struct clkl_problem *problem, const clkl_host_args *args,
                                   clkl_error *error)
{
    const struct {
        const void *array;
        const char *name;
        uint32_t bit;
        bool packed; /* in the other one of its side */
    } gradients[] = {
        {args->p_mean_gradient, "p_mean", CLKL_GRADIENT_P_MEAN, false},
        {args->p_scale_gradient, "p_scale", CLKL_GRADIENT_P_SCALE, problem->p.packed},
        {args->q_mean_gradient, "q_mean", CLKL_GRADIENT_Q_MEAN, false},
        {args->q_scale_gradient, "q_scale", CLKL_GRADIENT_Q_SCALE, problem->q.packed},
    };
    for (size_t i = 0; i < sizeof gradients / sizeof gradients[0]; ++i) {
        if (gradients[i].array == NULL)
            continue;
        if ((problem->gradients & gradients[i].bit) == 0)
            return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                             "args->%s_gradient is given, but spec->gradients does not ask for it",
                             gradients[i].name);
        if (gradients[i].packed)
            return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                             "args->%s_gradient is given, but moments are packed; expected their "
                             "gradient in one array, that of the mean",
                             gradients[i].name);
    }
    return CLKL_OK;
}

clkl_status clkl_host_args_check(const struct clkl_problem *problem, const clkl_host_args *args,
                                 clkl_error *error)
{
    clkl_status status = check_values(problem, args, error);
    if (status == CLKL_OK)
        status = check_gradients(problem, args, error);
    if (status == CLKL_OK)
        status = check_inputs(problem, args, error);
    return status;
}
