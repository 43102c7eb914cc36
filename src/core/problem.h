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
    CLKL_SCALE_STD,
    CLKL_SCALE_COVARIANCE, /* from here on matrices */
    CLKL_SCALE_CHOLESKY,
    CLKL_SCALE_PRECISION
};

static inline bool clkl_scale_is_matrix(enum clkl_scale kind)
{
    return kind >= CLKL_SCALE_COVARIANCE;
}

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
    struct clkl_operand scale; /* of a matrix the strides are those of batch, row, column */
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
    bool no_result;
    clkl_weighting weighting;
    clkl_dtype weight_dtype;    /* where weighting is CLKL_WEIGHTS */
    struct clkl_operand weight; /* of lengths only strides[0] counts */
    uint32_t length_axis;
    uint32_t gradients; /* CLKL_GRADIENT_...: both bits of a packed side, or none */
    clkl_dtype gradient_dtype;
    clkl_gradient_update gradient_update;
    double free_nats;
    struct clkl_operand upstream; /* where there are gradients: row-major in the result's axes */
    bool full;                    /* at least one side is a matrix: the rank is 2 */
    bool parts;
    bool matrix_status;
    double jitter;
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

/* Whether an operand repeats an axis that is longer than 1. */
bool clkl_problem_repeats(const struct clkl_problem *problem, const struct clkl_operand *operand,
                          uint32_t axis);

/* Whether an operand's array has no element that is not read, up to its last. `twin` is the
 * distance to another operand of the same strides in the same array, or 0. */
bool clkl_problem_is_gapless(const struct clkl_problem *problem, const struct clkl_operand *operand,
                             uint64_t twin);

/* The same of an array of matrices, of which all rows and columns count. */
bool clkl_problem_matrix_is_gapless(const struct clkl_problem *problem,
                                    const struct clkl_operand *operand);

/* Whether an operand's strides are those of a slice, in any order of axes: each that is not 0
 * longer than all shorter ones reach together. Then no two indices share an element, but for those
 * that differ on repeated axes alone. *twin is the distance to another operand of the same strides
 * in the same array; NULL if there is none. */
bool clkl_problem_is_nested(const struct clkl_problem *problem, const struct clkl_operand *operand,
                            const uint64_t *twin);

/* Elements from the start of an operand's array to one past the last that is read. */
uint64_t clkl_problem_extent(const struct clkl_problem *problem,
                             const struct clkl_operand *operand);

/* The same for the scale of a side, which may be a matrix. */
uint64_t clkl_problem_scale_extent(const struct clkl_problem *problem,
                                   const struct clkl_side *side);

#endif
