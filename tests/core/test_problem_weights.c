/* From a specification to a problem: weights, masks and lengths. */
#include "core/made.h"
#include "core/refused.h"

TestSuite(problem_weights, .timeout = 60);

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SMALL        .struct_size = sizeof(clkl_spec), .rank = 3, .shape = {3, 4, 5}

/* ---- Refusals ---- */

static const struct {
    clkl_weights weights;
    const char *says;
} refusals[] = {
    {{.kind = CLKL_MASK, .dtype = CLKL_F32}, "weights: dtype is 1, but the kind is 1; expected 0"},
    {{.kind = CLKL_LENGTHS, .dtype = CLKL_F16}, "weights: dtype is 3, but the kind is 3"},
    {{.dtype = CLKL_F64}, "weights: dtype is 2, but the kind is 0"},
    {{.kind = CLKL_WEIGHTS, .length_axis = 1}, "length_axis is 1, but the kind is 2; expected"},
    {{.kind = CLKL_MASK, .length_axis = 2}, "length_axis is 2, but the kind is 1"},
    {{.length_axis = 2}, "length_axis is 2, but the kind is 0"},
    {{.kind = CLKL_LENGTHS, .length_axis = 3}, "weights: length_axis is 3; expected 1 to 2"},
    {{.kind = CLKL_LENGTHS, .length_axis = UINT32_MAX}, "length_axis is 4294967295"},
    {{.kind = CLKL_MASK, .layout = CLKL_STRIDED, .strides = {1, -1}},
     "weights: the stride of axis 1 is negative"},
    {{.kind = CLKL_WEIGHTS, .layout = CLKL_STRIDED, .strides = {0, 0, INT64_MAX}},
     "weights: the strides reach further than 2^56"},
    {{.kind = CLKL_LENGTHS, .layout = CLKL_STRIDED, .strides = {-1}},
     "weights: the stride of axis 0 is negative"},
};

Test(problem_weights, refusals_name_what_is_wrong)
{
    for (size_t i = 0; i < COUNT(refusals); ++i) {
        const clkl_spec spec = {SMALL, .weights = refusals[i].weights};
        expect_refused(&spec, CLKL_INVALID_SPEC, refusals[i].says);
    }
}

/* ---- What is taken ---- */

static void expect_strides(const struct clkl_problem *problem, const int64_t *strides, size_t i)
{
    cr_expect_eq(problem->weight.origin, 0, "case %zu", i);
    for (uint32_t axis = 0; axis < problem->rank; ++axis)
        cr_expect_eq(problem->weight.strides[axis], strides[axis], "case %zu, axis %u", i, axis);
}

Test(problem_weights, lie_as_the_layout_says)
{
    static const struct {
        clkl_weights weights;
        int64_t strides[3];
    } cases[] = {
        {{.kind = CLKL_MASK}, {20, 5, 1}},
        {{.kind = CLKL_WEIGHTS, .layout = CLKL_SHARED}, {0, 5, 1}},
        {{.kind = CLKL_MASK, .layout = CLKL_STRIDED, .strides = {0, 7, 0}}, {0, 7, 0}},
        {{.kind = CLKL_WEIGHTS, .layout = CLKL_STRIDED, .strides = {1}}, {1, 0, 0}},
        {{.kind = CLKL_LENGTHS}, {1, 0, 0}},
        {{.kind = CLKL_LENGTHS, .layout = CLKL_SHARED}, {0, 0, 0}},
        {{.kind = CLKL_LENGTHS, .layout = CLKL_STRIDED, .strides = {6, 7, -8}}, {6, 0, 0}},
        {{.kind = CLKL_NO_WEIGHTS, .layout = CLKL_STRIDED, .strides = {6, 7, -8}}, {0, 0, 0}},
    };
    for (size_t i = 0; i < COUNT(cases); ++i) {
        const clkl_spec spec = {SMALL, .weights = cases[i].weights};
        const struct clkl_problem problem = made(&spec);
        cr_expect_eq(problem.weighting, cases[i].weights.kind, "case %zu", i);
        expect_strides(&problem, cases[i].strides, i);
    }
}

Test(problem_weights, have_a_type_and_lengths_an_axis)
{
    for (int dtype = CLKL_DEFAULT_DTYPE; dtype <= CLKL_BF16; ++dtype) {
        const clkl_spec spec = {SMALL,
                                .weights = {.kind = CLKL_WEIGHTS, .dtype = (clkl_dtype)dtype}};
        cr_expect_eq((int)made(&spec).weight_dtype, dtype == 0 ? (int)CLKL_F32 : dtype);
    }
    for (uint32_t axis = 0; axis < 3; ++axis) {
        const clkl_spec spec = {SMALL, .weights = {.kind = CLKL_LENGTHS, .length_axis = axis}};
        cr_expect_eq(made(&spec).length_axis, axis == 0 ? 1u : axis);
    }
    const clkl_spec plain = {SMALL};
    cr_expect_eq(made(&plain).weighting, CLKL_NO_WEIGHTS);
}
