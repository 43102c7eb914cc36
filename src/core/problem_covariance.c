#include "core/problem_covariance.h"

#include "core/checked.h"
#include "core/failure.h"
#include "core/problem_parts.h"

#include <math.h>

/* ---- What does not go together ---- */

static clkl_status refuse_of_diagonals(const clkl_spec *spec, clkl_error *error)
{
    if ((spec->outputs & CLKL_OUTPUT_PARTS) != 0)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "outputs asks for CLKL_OUTPUT_PARTS, but neither side is a matrix");
    if ((spec->outputs & CLKL_OUTPUT_MATRIX_STATUS) != 0)
        return clkl_fail(
            error, CLKL_INVALID_SPEC,
            "outputs asks for CLKL_OUTPUT_MATRIX_STATUS, but neither side is a matrix");
    if (spec->jitter != 0.0)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "jitter is %g, but neither side is a covariance or precision",
                         spec->jitter);
    return CLKL_OK;
}

/* What only diagonals have. */
static clkl_status refuse_of_matrices(const clkl_spec *spec, clkl_error *error)
{
    const char *what = NULL;
    if (spec->clamp != CLKL_NO_CLAMP)
        what = "clamps";
    else if ((spec->outputs & CLKL_OUTPUT_CLAMP_COUNTS) != 0)
        what = "clamp counts";
    else if (spec->gradients != 0)
        what = "gradients";
    else if (spec->weights.kind != CLKL_NO_WEIGHTS)
        what = "weights";
    else if (spec->free_nats != 0.0)
        what = "free nats";
    if (what == NULL)
        return CLKL_OK;
    return clkl_fail(error, CLKL_UNSUPPORTED, "there are no %s with full covariances", what);
}

/* ---- Sides ---- */

static clkl_status check_dtype(const struct clkl_side *side, const char *name, clkl_error *error)
{
    if (side->scale_kind == CLKL_SCALE_UNIT || side->dtype == CLKL_F32 || side->dtype == CLKL_F64)
        return CLKL_OK;
    return clkl_fail(error, CLKL_UNSUPPORTED,
                     "%s: with full covariances arrays are CLKL_F32 or CLKL_F64", name);
}

static clkl_status check_strides(const struct clkl_problem *problem, const int64_t *strides,
                                 const char *name, clkl_error *error)
{
    static const char *const axes[] = {"batch", "row", "column"};
    const uint64_t extents[] = {problem->shape[0], problem->shape[1], problem->shape[1]};
    uint64_t extent = 0;
    for (int axis = 0; axis < 3; ++axis) {
        uint64_t reach = 0;
        if (strides[axis] < 0)
            return clkl_fail(error, CLKL_INVALID_SPEC,
                             "%s: the stride of the matrix's %s is negative", name, axes[axis]);
        if (!clkl_checked_mul(extents[axis], (uint64_t)strides[axis], &reach) ||
            !clkl_checked_add(extent, reach, &extent) || extent > CLKL_MAX_ELEMENTS)
            return clkl_fail(error, CLKL_INVALID_SPEC,
                             "%s: the matrices reach further than 2^56 elements", name);
    }
    return CLKL_OK;
}

/* Puts the strides of a matrix in place; until now they are those of an array like the mean. */
static clkl_status read_side(const struct clkl_problem *problem, const clkl_gaussian *given,
                             const char *name, struct clkl_side *side, clkl_error *error)
{
    clkl_status status = check_dtype(side, name, error);
    if (status != CLKL_OK || !clkl_scale_is_matrix(side->scale_kind))
        return status;
    const uint64_t d = problem->shape[1];
    int64_t *strides = side->scale.strides;
    if (given->layout != CLKL_STRIDED) {
        uint64_t square = 0;
        if (!clkl_checked_mul(d, d, &square) || square > CLKL_MAX_ELEMENTS)
            return clkl_fail(error, CLKL_INVALID_SPEC,
                             "%s: the matrices reach further than 2^56 elements", name);
        strides[0] = given->layout == CLKL_SHARED ? 0 : (int64_t)square;
        strides[1] = (int64_t)d;
        strides[2] = 1;
    }
    return check_strides(problem, strides, name, error);
}

/* ---- The whole ---- */

static clkl_status check_result(const struct clkl_problem *problem, clkl_error *error)
{
    if (problem->rank != 2)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "rank is %u; expected 2 with full covariances: the shape is [B, D]",
                         (unsigned)problem->rank);
    const bool precision = problem->p.scale_kind == CLKL_SCALE_PRECISION ||
                           problem->q.scale_kind == CLKL_SCALE_PRECISION;
    if (precision && clkl_problem_keeps(problem, 1))
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "keep is 0x%x, which has axis 1; expected the batch alone or "
                         "CLKL_KEEP_NONE, for coordinates have no shares with precision matrices",
                         (unsigned)problem->kept);
    return CLKL_OK;
}

static bool can_fail(const struct clkl_side *side)
{
    return side->scale_kind == CLKL_SCALE_COVARIANCE || side->scale_kind == CLKL_SCALE_PRECISION;
}

static clkl_status read_jitter(const clkl_spec *spec, struct clkl_problem *problem,
                               clkl_error *error)
{
    if (!isfinite(spec->jitter) || spec->jitter < 0.0)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "jitter is %g; expected a finite number of at least 0", spec->jitter);
    if (spec->jitter != 0.0 && !can_fail(&problem->p) && !can_fail(&problem->q))
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "jitter is %g, but neither side is a covariance or precision",
                         spec->jitter);
    problem->jitter = spec->jitter;
    return CLKL_OK;
}

clkl_status clkl_problem_read_covariance(const clkl_spec *spec, struct clkl_problem *problem,
                                         clkl_error *error)
{
    problem->full =
        clkl_scale_is_matrix(problem->p.scale_kind) || clkl_scale_is_matrix(problem->q.scale_kind);
    if (!problem->full)
        return refuse_of_diagonals(spec, error);
    clkl_status status = check_result(problem, error);
    if (status == CLKL_OK)
        status = refuse_of_matrices(spec, error);
    if (status == CLKL_OK)
        status = read_side(problem, &spec->p, "P", &problem->p, error);
    if (status == CLKL_OK)
        status = read_side(problem, &spec->q, "Q", &problem->q, error);
    if (status == CLKL_OK)
        status = read_jitter(spec, problem, error);
    problem->parts = (spec->outputs & CLKL_OUTPUT_PARTS) != 0;
    problem->matrix_status = (spec->outputs & CLKL_OUTPUT_MATRIX_STATUS) != 0;
    return status;
}

uint64_t clkl_problem_scale_extent(const struct clkl_problem *problem, const struct clkl_side *side)
{
    const uint64_t extent = clkl_problem_extent(problem, &side->scale);
    if (!clkl_scale_is_matrix(side->scale_kind))
        return extent;
    return extent + (uint64_t)side->scale.strides[2] * (problem->shape[1] - 1);
}

bool clkl_problem_matrix_is_gapless(const struct clkl_problem *problem,
                                    const struct clkl_operand *operand)
{
    struct clkl_problem square = *problem;
    square.rank = 3;
    square.shape[2] = square.shape[1];
    return clkl_problem_is_gapless(&square, operand, 0);
}
