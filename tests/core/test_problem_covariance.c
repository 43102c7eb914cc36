/* What a specification may say of full covariances, and where their elements lie. */
#include "core/made.h"

#include <math.h>
#include <string.h>

TestSuite(problem_covariance, .timeout = 60);

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SMALL        .struct_size = sizeof(clkl_spec), .rank = 2, .shape = {3, 4}
#define COVARIANCE                   \
    {                                \
        .form = CLKL_MEAN_COVARIANCE \
    }
#define CHOLESKY                   \
    {                              \
        .form = CLKL_MEAN_CHOLESKY \
    }
#define PRECISION                   \
    {                               \
        .form = CLKL_MEAN_PRECISION \
    }
#define FULL        SMALL, .p = COVARIANCE
#define BATCH       1u
#define COORDINATES 2u

/* ---- Refusals ---- */

static const struct {
    clkl_spec spec;
    clkl_status status;
    const char *says;
} refusals[] = {
    /* the shape */
    {{.struct_size = sizeof(clkl_spec), .rank = 3, .shape = {3, 4, 4}, .p = COVARIANCE},
     CLKL_INVALID_SPEC,
     "rank is 3; expected 2 with full covariances"},
    {{.struct_size = sizeof(clkl_spec), .rank = 1, .shape = {4}, .q = CHOLESKY},
     CLKL_INVALID_SPEC,
     "rank is 1"},
    {{.struct_size = sizeof(clkl_spec), .rank = 2, .shape = {1, (uint64_t)1 << 29}, .q = CHOLESKY},
     CLKL_INVALID_SPEC,
     "Q: the matrices reach further than 2^56"},
    {{.struct_size = sizeof(clkl_spec), .rank = 2, .shape = {1 << 20, 1 << 20}, .p = COVARIANCE},
     CLKL_INVALID_SPEC,
     "P: the matrices reach further than 2^56"},
    {{.struct_size = sizeof(clkl_spec), .rank = 2, .shape = {1, (uint64_t)1 << 40}, .q = PRECISION},
     CLKL_INVALID_SPEC,
     "Q: the matrices reach further than 2^56"},
    /* strides */
    {{SMALL,
      .p = {.form = CLKL_MEAN_COVARIANCE, .layout = CLKL_STRIDED, .scale_strides = {0, 1, -1}}},
     CLKL_INVALID_SPEC,
     "P: the stride of the matrix's column is negative"},
    {{SMALL, .q = {.form = CLKL_MEAN_CHOLESKY,
                   .layout = CLKL_STRIDED,
                   .scale_strides = {0, 1, (int64_t)1 << 55}}},
     CLKL_INVALID_SPEC,
     "Q: the matrices reach further than 2^56"},
    {{SMALL, .p = COVARIANCE, .q = {.form = CLKL_DETERMINISTIC}},
     CLKL_INVALID_SPEC,
     "deterministic"},
    /* what only diagonals have */
    {{FULL, .outputs = CLKL_OUTPUT_CLAMP_COUNTS}, CLKL_UNSUPPORTED, "no clamp counts with full"},
    {{FULL, .gradients = CLKL_GRADIENT_P_MEAN}, CLKL_UNSUPPORTED, "no gradients with full"},
    {{FULL, .weights = {.kind = CLKL_MASK}}, CLKL_UNSUPPORTED, "no weights with full"},
    {{FULL, .free_nats = 1.0}, CLKL_UNSUPPORTED, "no free nats with full"},
    {{FULL, .q = {.form = CLKL_MEAN_LOGVAR}, .clamp = CLKL_CLAMP, .clamp_low = -1.0,
      .clamp_high = 1.0},
     CLKL_UNSUPPORTED,
     "no clamps with full"},
    /* shares */
    {{SMALL, .p = PRECISION, .keep = BATCH | COORDINATES},
     CLKL_INVALID_SPEC,
     "no shares with precision"},
    {{SMALL, .p = CHOLESKY, .q = PRECISION, .keep = COORDINATES},
     CLKL_INVALID_SPEC,
     "keep is 0x2, which has axis 1"},
    /* jitter */
    {{FULL, .jitter = -1e-6}, CLKL_INVALID_SPEC, "jitter is -1e-06; expected a finite"},
    {{FULL, .jitter = NAN}, CLKL_INVALID_SPEC, "jitter is nan"},
    {{FULL, .jitter = INFINITY}, CLKL_INVALID_SPEC, "jitter is inf"},
    {{SMALL, .p = CHOLESKY, .jitter = 1e-6}, CLKL_INVALID_SPEC, "neither side is a covariance or"},
    {{SMALL, .p = {.form = CLKL_MEAN_VAR}, .jitter = 1e-6}, CLKL_INVALID_SPEC, "neither side is a"},
    /* what only matrices have */
    {{SMALL, .p = {.form = CLKL_MEAN_VAR}, .outputs = CLKL_OUTPUT_PARTS},
     CLKL_INVALID_SPEC,
     "CLKL_OUTPUT_PARTS, but neither side is a matrix"},
    {{SMALL, .outputs = CLKL_OUTPUT_MATRIX_STATUS},
     CLKL_INVALID_SPEC,
     "CLKL_OUTPUT_MATRIX_STATUS, but neither side is a matrix"},
};

Test(problem_covariance, refusals_name_what_is_wrong)
{
    for (size_t i = 0; i < COUNT(refusals); ++i) {
        clkl_error error = {.struct_size = sizeof error};
        cr_expect_eq(clkl_spec_check(&refusals[i].spec, &error), refusals[i].status, "%s: \"%s\"",
                     refusals[i].says, error.message);
        cr_expect(strstr(error.message, refusals[i].says) != NULL, "\"%s\" does not say \"%s\"",
                  error.message, refusals[i].says);
    }
}

/* Types that fit half the width, which only diagonals may have. */
Test(problem_covariance, half_types_are_refused)
{
    for (int side = 0; side < 2; ++side)
        for (int dtype = CLKL_F16; dtype <= CLKL_BF16; ++dtype) {
            clkl_spec spec = {FULL, .q = {.form = CLKL_MEAN_VAR}};
            *(side == 0 ? &spec.p.dtype : &spec.q.dtype) = (clkl_dtype)dtype;
            cr_expect_neq(clkl_spec_check(&spec, NULL), CLKL_OK);
        }
}

/* ---- What is taken ---- */

static bool is_matrix(int form)
{
    return form >= CLKL_MEAN_COVARIANCE;
}

Test(problem_covariance, every_pair_of_forms_is_taken)
{
    static const enum clkl_scale kinds[] = {CLKL_SCALE_COVARIANCE, CLKL_SCALE_CHOLESKY,
                                            CLKL_SCALE_PRECISION};
    for (int p = CLKL_STANDARD_NORMAL; p <= CLKL_MEAN_PRECISION; ++p)
        for (int q = CLKL_STANDARD_NORMAL; q <= CLKL_MEAN_PRECISION; ++q) {
            const clkl_spec spec = {SMALL, .p.form = (clkl_form)p, .q.form = (clkl_form)q};
            if (q == CLKL_DETERMINISTIC)
                continue;
            const struct clkl_problem problem = made(&spec);
            cr_expect_eq(problem.full, is_matrix(p) || is_matrix(q), "forms %d and %d", p, q);
            cr_expect_eq(clkl_scale_is_matrix(problem.p.scale_kind), is_matrix(p));
            cr_expect_eq(clkl_scale_is_matrix(problem.q.scale_kind), is_matrix(q));
            if (is_matrix(q))
                cr_expect_eq(problem.q.scale_kind, kinds[q - CLKL_MEAN_COVARIANCE]);
            cr_expect_eq(problem.deterministic, p == CLKL_DETERMINISTIC);
        }
}

Test(problem_covariance, what_is_asked_for_is_kept)
{
    const clkl_spec spec = {FULL, .q = PRECISION, .jitter = 0.25,
                            .outputs = CLKL_OUTPUT_PARTS | CLKL_OUTPUT_MATRIX_STATUS};
    const struct clkl_problem problem = made(&spec);
    cr_expect(problem.parts && problem.matrix_status);
    cr_expect_eq(problem.jitter, 0.25);
    const clkl_spec plain = {FULL};
    cr_expect_not(made(&plain).parts || made(&plain).matrix_status);
    cr_expect_eq(made(&plain).compute, CLKL_F32);
    const clkl_spec wide = {SMALL, .q = {.form = CLKL_MEAN_CHOLESKY, .dtype = CLKL_F64}};
    cr_expect_eq(made(&wide).compute, CLKL_F64);
}

Test(problem_covariance, values_are_those_of_the_kept_axes)
{
    clkl_spec spec = {FULL};
    cr_expect_eq(clkl_spec_result_count(&spec, 0), 3u);
    spec.keep = BATCH | COORDINATES;
    cr_expect_eq(clkl_spec_result_count(&spec, 2), 8u);
    spec.keep = COORDINATES;
    cr_expect_eq(clkl_spec_result_count(&spec, 2), 4u);
    spec.keep = CLKL_KEEP_NONE;
    cr_expect_eq(clkl_spec_result_count(&spec, 2), 1u);
}

/* ---- Where elements lie ---- */

static void expect_side(const struct clkl_problem *problem, const struct clkl_side *side,
                        const int64_t *mean, const int64_t *scale, uint64_t extent)
{
    for (int axis = 0; axis < 2; ++axis)
        cr_expect_eq(side->mean.strides[axis], mean[axis]);
    for (int axis = 0; axis < 3; ++axis)
        cr_expect_eq(side->scale.strides[axis], scale[axis], "axis %d: %lld", axis,
                     (long long)side->scale.strides[axis]);
    cr_expect_eq(clkl_problem_scale_extent(problem, side), extent, "extent %llu",
                 (unsigned long long)clkl_problem_scale_extent(problem, side));
}

#define STRIDES(...) ((const int64_t[]){__VA_ARGS__})

Test(problem_covariance, strides_by_hand)
{
    clkl_spec spec = {FULL, .q = {.form = CLKL_MEAN_CHOLESKY, .layout = CLKL_SHARED}};
    struct clkl_problem problem = made(&spec);
    expect_side(&problem, &problem.p, STRIDES(4, 1), STRIDES(16, 4, 1), 48);
    expect_side(&problem, &problem.q, STRIDES(0, 1), STRIDES(0, 4, 1), 16);
    spec.q = (clkl_gaussian){.form = CLKL_MEAN_PRECISION,
                             .layout = CLKL_STRIDED,
                             .mean_strides = {7, 2},
                             .scale_strides = {100, 1, 5}};
    problem = made(&spec);
    expect_side(&problem, &problem.q, STRIDES(7, 2), STRIDES(100, 1, 5), 200 + 3 + 15 + 1);
    spec.q = (clkl_gaussian){.form = CLKL_MEAN_VAR, .layout = CLKL_SHARED};
    problem = made(&spec);
    cr_expect_eq(clkl_problem_scale_extent(&problem, &problem.q), 4u, "a diagonal");
}
