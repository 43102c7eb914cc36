#include "core/problem.h"

#include "core/arguments.h"
#include "core/checked.h"
#include "core/failure.h"
#include "core/problem_covariance.h"
#include "core/problem_parts.h"

#include <string.h>

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
        if (!clkl_checked_mul(total, spec->shape[axis], &total) || total > CLKL_MAX_ELEMENTS)
            return clkl_fail(error, CLKL_INVALID_SPEC, "the shape has more than 2^56 elements");
        problem->shape[axis] = spec->shape[axis];
    }
    problem->rank = spec->rank;
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
    const uint32_t known = CLKL_OUTPUT_CLAMP_COUNTS | CLKL_OUTPUT_NO_RESULT | CLKL_OUTPUT_PARTS |
                           CLKL_OUTPUT_MATRIX_STATUS;
    if ((spec->outputs & ~known) != 0)
        return clkl_fail(error, CLKL_INVALID_SPEC, "unknown bits in outputs: 0x%x",
                         (unsigned)spec->outputs);
    problem->clamp_counts = (spec->outputs & CLKL_OUTPUT_CLAMP_COUNTS) != 0;
    problem->no_result = (spec->outputs & CLKL_OUTPUT_NO_RESULT) != 0;
    return CLKL_OK;
}

static bool is_wide(const struct clkl_side *side)
{
    return side->scale_kind != CLKL_SCALE_UNIT && side->dtype == CLKL_F64;
}

static clkl_status read_compute(const clkl_spec *spec, struct clkl_problem *problem,
                                clkl_error *error)
{
    const bool wide = !problem->deterministic && (is_wide(&problem->p) || is_wide(&problem->q) ||
                                                  problem->weight_dtype == CLKL_F64);
    problem->compute = spec->compute;
    if (spec->compute == CLKL_DEFAULT_DTYPE)
        problem->compute = wide ? CLKL_F64 : CLKL_F32;
    if (problem->compute == CLKL_F16 || problem->compute == CLKL_BF16)
        return clkl_fail(error, CLKL_INVALID_SPEC,
                         "the compute type is of 16 bits, which are for storage; expected CLKL_F32 "
                         "or CLKL_F64");
    if (problem->compute != CLKL_F32 && problem->compute != CLKL_F64)
        return clkl_fail(error, CLKL_INVALID_SPEC, "unknown compute type %d", (int)spec->compute);
    return CLKL_OK;
}

static clkl_status check_reserved(const clkl_spec *spec, clkl_error *error)
{
    const struct {
        const uint64_t *words;
        const char *name;
    } reserved[] = {
        {spec->reserved, "spec->reserved"},
        {spec->p.reserved, "spec->p.reserved"},
        {spec->q.reserved, "spec->q.reserved"},
        {spec->weights.reserved, "spec->weights.reserved"},
    };
    clkl_status status = CLKL_OK;
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0] && status == CLKL_OK; ++i)
        status = clkl_check_reserved(reserved[i].words, reserved[i].name, CLKL_INVALID_SPEC, error);
    return status;
}

clkl_status clkl_problem_make(const clkl_spec *given, struct clkl_problem *problem,
                              clkl_error *error)
{
    /* Later parts rely on what earlier ones read. */
    static clkl_status (*const parts[])(const clkl_spec *, struct clkl_problem *, clkl_error *) = {
        read_shape,
        clkl_problem_read_sides,
        clkl_problem_read_weights,
        read_compute,
        clkl_problem_read_clamp,
        read_result,
        clkl_problem_read_covariance,
        clkl_problem_read_gradients,
    };
    clkl_spec spec;
    clkl_status status = clkl_take_spec(given, &spec, error);
    if (status != CLKL_OK)
        return status;
    memset(problem, 0, sizeof *problem);
    status = check_reserved(&spec, error);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && status == CLKL_OK; ++i)
        status = parts[i](&spec, problem, error);
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
