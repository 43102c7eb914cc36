/* What chooses the elements that count. */
#include "core/dtype.h"
#include "core/failure.h"
#include "core/problem_parts.h"

#include <string.h>

/* Fields that no kind of weights has any use for would be passed over: they are refused. */
static clkl_status check_kind(const clkl_weights *given, clkl_error *error)
{
    if (given->kind != CLKL_NO_WEIGHTS && given->kind != CLKL_MASK && given->kind != CLKL_WEIGHTS &&
        given->kind != CLKL_LENGTHS)
        return clkl_fail(error, CLKL_INVALID_SPEC, "weights: unknown kind %d", (int)given->kind);
    if (given->dtype != CLKL_DEFAULT_DTYPE && clkl_dtype_size(given->dtype) == 0)
        return clkl_fail(error, CLKL_INVALID_SPEC, "weights: unknown dtype %d", (int)given->dtype);
    if (given->dtype != CLKL_DEFAULT_DTYPE && given->kind != CLKL_WEIGHTS)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "weights: dtype is %d, but the kind is %d; expected 0, for a mask is of "
                         "uint8 and lengths are of uint32",
                         (int)given->dtype, (int)given->kind);
    if (given->length_axis != 0 && given->kind != CLKL_LENGTHS)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "weights: length_axis is %u, but the kind is %d; expected CLKL_LENGTHS",
                         (unsigned)given->length_axis, (int)given->kind);
    return clkl_problem_check_layout(given->layout, "weights", error);
}

static clkl_status read_strides(const clkl_weights *given, struct clkl_problem *problem,
                                clkl_error *error)
{
    int64_t *strides = problem->weight.strides;
    if (given->layout == CLKL_STRIDED)
        memcpy(strides, given->strides, sizeof given->strides);
    else
        clkl_problem_dense_strides(problem, problem->rank, given->layout == CLKL_SHARED, strides);
    return clkl_problem_check_strides(problem, strides, "weights", error);
}

/* Lengths are repeated along every axis but the batch. */
static clkl_status read_lengths(const clkl_weights *given, struct clkl_problem *problem,
                                clkl_error *error)
{
    problem->length_axis = given->length_axis == 0 ? 1 : given->length_axis;
    if (problem->length_axis >= problem->rank)
        return clkl_fail(error, CLKL_INVALID_SPEC, "weights: length_axis is %u; expected 1 to %u",
                         (unsigned)problem->length_axis, (unsigned)problem->rank - 1);
    problem->weight.strides[0] = given->layout == CLKL_STRIDED  ? given->strides[0]
                                 : given->layout == CLKL_SHARED ? 0
                                                                : 1;
    return clkl_problem_check_strides(problem, problem->weight.strides, "weights", error);
}

clkl_status clkl_problem_read_weights(const clkl_spec *spec, struct clkl_problem *problem,
                                      clkl_error *error)
{
    const clkl_weights *given = &spec->weights;
    const clkl_status status = check_kind(given, error);
    problem->weighting = given->kind;
    if (status != CLKL_OK || given->kind == CLKL_NO_WEIGHTS)
        return status;
    if (given->kind == CLKL_LENGTHS)
        return read_lengths(given, problem, error);
    if (given->kind == CLKL_WEIGHTS)
        problem->weight_dtype = given->dtype == CLKL_DEFAULT_DTYPE ? CLKL_F32 : given->dtype;
    return read_strides(given, problem, error);
}
