/* A specification in canonical form: validated, defaults filled in, every operand as an origin and
 * strides. Reference and schedule read this and never the public struct. */
#ifndef CLKL_CORE_PROBLEM_H
#define CLKL_CORE_PROBLEM_H

#include <clkl/clkl.h>
#include <stdbool.h>

/* What the scale array of a Gaussian holds. */
enum clkl_scale {
    CLKL_SCALE_UNIT, /* standard normal: no arrays */
    CLKL_SCALE_LOGVAR,
    CLKL_SCALE_LOGSTD,
    CLKL_SCALE_VAR,
    CLKL_SCALE_STD
};

/* One input array. The element of index (i0, i1, ...) lies at origin + sum i_k * strides[k]. */
struct clkl_operand {
    int64_t origin;
    int64_t strides[CLKL_MAX_RANK];
};

struct clkl_side {
    enum clkl_scale scale_kind;
    clkl_dtype dtype;
    bool packed; /* mean and scale lie in one array */
    bool clamped;
    struct clkl_operand mean;
    struct clkl_operand scale;
};

struct clkl_problem {
    uint32_t rank;
    uint64_t shape[CLKL_MAX_RANK];
    bool deterministic; /* P is a point mass: every value is 0 */
    struct clkl_side p;
    struct clkl_side q;
    clkl_dtype compute;
    double clamp_low;
    double clamp_high;
    uint32_t kept; /* axes that stay in the result, as bits; 0 for one value in all */
    clkl_batch_reduction batch_reduction;
    bool clamp_counts;
};

/* Validates `spec` and fills *problem. */
clkl_status clkl_problem_make(const clkl_spec *spec, struct clkl_problem *problem,
                              clkl_error *error);

/* Replaces the planned batch (0 leaves it); CLKL_INVALID_ARGUMENT if it is larger than planned. */
clkl_status clkl_problem_set_batch(struct clkl_problem *problem, uint64_t batch, clkl_error *error);

static inline bool clkl_problem_keeps(const struct clkl_problem *problem, uint32_t axis)
{
    return (problem->kept >> axis & 1u) != 0;
}

/* Values in the result. */
uint64_t clkl_problem_result_count(const struct clkl_problem *problem);

/* What the sum of a result value is divided by: the batch, or 1. */
uint64_t clkl_problem_divisor(const struct clkl_problem *problem);

/* Whether an operand's array has no element that is not read, up to its last. `twin` is the
 * distance to another operand of the same strides in the same array, or 0. */
bool clkl_problem_is_gapless(const struct clkl_problem *problem, const struct clkl_operand *operand,
                             uint64_t twin);

/* Elements from the start of an operand's array to one past the last that is read. */
uint64_t clkl_problem_extent(const struct clkl_problem *problem,
                             const struct clkl_operand *operand);

#endif
