/* From a specification to a problem: what is refused, what zero means, and where elements lie. */
#include "core/made.h"
#include "core/problem.h"
#include "core/refused.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(problem, .timeout = 60);

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- Refusals ---- */

#define SIZE                .struct_size = sizeof(clkl_spec)
#define SMALL               SIZE, .rank = 2, .shape = {3, 4}
#define CLAMP_OF(low, high) .clamp = CLKL_CLAMP, .clamp_low = (low), .clamp_high = (high)
#define WIDE                ((uint64_t)1 << 32)

static const struct {
    clkl_spec spec;
    clkl_status status;
    const char *says;
} refusals[] = {
    /* the shape */
    {{SIZE}, CLKL_INVALID_SPEC, "rank is 0"},
    {{SIZE, .rank = 1, .shape = {3}}, CLKL_INVALID_SPEC, "rank is 1; expected 2 to 9"},
    {{SIZE, .rank = 10}, CLKL_INVALID_SPEC, "rank is 10"},
    {{SIZE, .rank = UINT32_MAX}, CLKL_INVALID_SPEC, "rank is 4294967295"},
    {{SIZE, .rank = 2, .shape = {0, 4}}, CLKL_INVALID_SPEC, "axis 0 is empty"},
    {{SIZE, .rank = 3, .shape = {3, 4, 0}}, CLKL_INVALID_SPEC, "axis 2 is empty"},
    {{SIZE, .rank = 2, .shape = {WIDE, WIDE}}, CLKL_INVALID_SPEC, "more than 2^56 elements"},
    {{SIZE, .rank = 2, .shape = {WIDE << 31, 2}}, CLKL_INVALID_SPEC, "more than 2^56"},
    {{SIZE, .rank = 2, .shape = {2, WIDE << 24}}, CLKL_INVALID_SPEC, "more than 2^56"},
    {{SIZE, .rank = 3, .shape = {WIDE, WIDE, 2}}, CLKL_INVALID_SPEC, "more than 2^56"},
    {{SIZE, .rank = 2, .shape = {UINT64_MAX, 1}}, CLKL_INVALID_SPEC, "more than 2^56"},
    /* the sides */
    {{SMALL, .q = {.form = CLKL_DETERMINISTIC}}, CLKL_INVALID_SPEC, "Q is deterministic"},
    {{SMALL, .p = {.form = CLKL_MOMENTS, .split_axis = 2}},
     CLKL_INVALID_SPEC,
     "P: split_axis is 2; expected 1 to 1"},
    {{SMALL, .q = {.form = CLKL_MOMENTS, .split_axis = UINT32_MAX}},
     CLKL_INVALID_SPEC,
     "Q: split_axis is 4294967295"},
    {{SMALL, .p = {.form = CLKL_MOMENTS, .layout = CLKL_STRIDED, .mean_strides = {8, -1}}},
     CLKL_INVALID_SPEC,
     "P: the stride of axis 1 is negative"},
    {{SMALL, .q = {.form = CLKL_MEAN_STD, .layout = CLKL_STRIDED, .scale_strides = {INT64_MIN, 1}}},
     CLKL_INVALID_SPEC,
     "Q: the stride of axis 0 is negative"},
    {{SMALL, .p = {.form = CLKL_MEAN_VAR, .layout = CLKL_STRIDED, .mean_strides = {INT64_MAX, 1}}},
     CLKL_INVALID_SPEC,
     "P: the strides reach further than 2^56"},
    {{SMALL,
      .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_STRIDED, .scale_strides = {0, WIDE << 24}}},
     CLKL_INVALID_SPEC,
     "Q: the strides reach further than 2^56"},
    {{SMALL, .p = {.form = CLKL_MOMENTS, .layout = CLKL_STRIDED, .mean_strides = {1, INT64_MAX}}},
     CLKL_INVALID_SPEC,
     "P: the strides reach further than 2^56"},
    {{SIZE, .rank = 2, .shape = {1, WIDE << 24}, .p = {.form = CLKL_MOMENTS}},
     CLKL_INVALID_SPEC,
     "P: the strides reach further than 2^56"},
    /* the clamp */
    {{SMALL, .p = {.form = CLKL_MOMENTS}, CLAMP_OF(20.0, -30.0)},
     CLKL_INVALID_SPEC,
     "the clamp is [20, -30]"},
    {{SMALL, .p = {.form = CLKL_MOMENTS}, CLAMP_OF(NAN, 1.0)}, CLKL_INVALID_SPEC, "clamp is [nan"},
    {{SMALL, .p = {.form = CLKL_MOMENTS}, CLAMP_OF(1.0, NAN)}, CLKL_INVALID_SPEC, "two finite"},
    {{SMALL, .p = {.form = CLKL_MOMENTS}, CLAMP_OF(-INFINITY, 1.0)}, CLKL_INVALID_SPEC, "-inf"},
    {{SMALL, .p = {.form = CLKL_MOMENTS}, CLAMP_OF(1.0, INFINITY)}, CLKL_INVALID_SPEC, "inf]"},
    {{SMALL, .p = {.form = CLKL_MOMENTS}, CLAMP_OF(0.0, 1e39)},
     CLKL_INVALID_SPEC,
     "too large for fp32"},
    {{SMALL, .q = {.form = CLKL_MOMENTS}, CLAMP_OF(-1e39, 0.0)},
     CLKL_INVALID_SPEC,
     "too large for fp32"},
    {{SMALL, .p = {.form = CLKL_MEAN_LOGSTD}, .q = {.form = CLKL_MEAN_VAR}, CLAMP_OF(0.0, 1.0)},
     CLKL_INVALID_SPEC,
     "neither side"},
    /* the result */
    {{SMALL, .keep = 4}, CLKL_INVALID_SPEC, "keep is 0x4"},
    {{SMALL, .keep = 1u << 30}, CLKL_INVALID_SPEC, "keep is 0x40000000"},
    {{SMALL, .keep = 5}, CLKL_INVALID_SPEC, "keep is 0x5"},
    {{SMALL, .keep = CLKL_KEEP_NONE | 1}, CLKL_INVALID_SPEC, "keep is 0x80000001"},
    {{SMALL, .keep = CLKL_KEEP_NONE | 4}, CLKL_INVALID_SPEC, "keep is 0x80000004; expected axes"},
    {{SMALL, .keep = UINT32_MAX}, CLKL_INVALID_SPEC, "keep is 0xffffffff"},
    {{SMALL, .keep = 7}, CLKL_INVALID_SPEC, "keep is 0x7; expected axes of the shape"},
    {{SIZE, .rank = 9, .shape = {1, 1, 1, 1, 1, 1, 1, 1, 1}, .keep = 0x200},
     CLKL_INVALID_SPEC,
     "keep is 0x200"},
    {{SMALL, .outputs = 16}, CLKL_INVALID_SPEC, "unknown bits in outputs: 0x10"},
    {{SMALL, .compute = CLKL_F16}, CLKL_INVALID_SPEC, "the compute type is of 16 bits"},
    {{SMALL, .compute = CLKL_BF16}, CLKL_INVALID_SPEC, "expected CLKL_F32 or CLKL_F64"},
    {{SMALL, .outputs = 0x80000001u}, CLKL_INVALID_SPEC, "outputs: 0x80000001"},
    /* the room for later */
    {{SMALL, .reserved = {[7] = 1}}, CLKL_INVALID_SPEC, "spec->reserved[7]"},
    {{SMALL, .p = {.reserved = {[0] = 1}}}, CLKL_INVALID_SPEC, "spec->p.reserved[0]"},
    {{SMALL, .q = {.reserved = {[3] = WIDE}}}, CLKL_INVALID_SPEC, "spec->q.reserved[3]"},
    {{SMALL, .weights = {.reserved = {[5] = 9}}}, CLKL_INVALID_SPEC, "spec->weights.reserved[5]"},
};

Test(problem, refusals_name_what_is_wrong)
{
    for (size_t i = 0; i < COUNT(refusals); ++i)
        expect_refused(&refusals[i].spec, refusals[i].status, refusals[i].says);
}

Test(problem, a_struct_of_another_size_is_told_apart)
{
    struct {
        clkl_spec spec;
        char future[64];
    } newer = {.spec = {SMALL}};
    newer.spec.struct_size = sizeof newer;
    cr_expect_eq(clkl_spec_check(&newer.spec, NULL), CLKL_OK, "a newer caller is welcome");
    newer.future[63] = 'x';
    cr_expect_eq(clkl_spec_check(&newer.spec, NULL), CLKL_UNSUPPORTED,
                 "what it asks for in a field of the future is not passed over");

    clkl_spec older = {SMALL, .free_nats = -1.0};
    older.struct_size = offsetof(clkl_spec, weights); /* of 0.1 */
    cr_expect_eq(clkl_spec_check(&older, NULL), CLKL_OK, "what it does not have is not read");

    static const size_t sizes[] = {0, 1, offsetof(clkl_spec, weights) - 1};
    for (size_t i = 0; i < COUNT(sizes); ++i) {
        clkl_spec spec = {SMALL};
        char says[96];
        snprintf(says, sizeof says,
                 "spec->struct_size is %zu; expected sizeof(clkl_spec), which is"
                 " %zu",
                 sizes[i], sizeof(clkl_spec));
        spec.struct_size = sizes[i];
        expect_refused(&spec, CLKL_INVALID_ARGUMENT, says);
    }
    expect_refused(NULL, CLKL_INVALID_ARGUMENT, "spec is NULL");
}

/* Every enum of the specification, its last value, and the words that refuse others. */
static const struct {
    size_t offset;
    int last;
    const char *says;
} enums[] = {
    {offsetof(clkl_spec, p.form), CLKL_MEAN_PRECISION, "P: unknown form"},
    {offsetof(clkl_spec, p.dtype), CLKL_BF16, "P: unknown dtype"},
    {offsetof(clkl_spec, p.layout), CLKL_STRIDED, "P: unknown layout"},
    {offsetof(clkl_spec, q.form), CLKL_MEAN_PRECISION, "Q: unknown form"},
    {offsetof(clkl_spec, q.dtype), CLKL_BF16, "Q: unknown dtype"},
    {offsetof(clkl_spec, q.layout), CLKL_STRIDED, "Q: unknown layout"},
    {offsetof(clkl_spec, compute), CLKL_BF16, "unknown compute type"}, /* see refusals */
    {offsetof(clkl_spec, clamp), CLKL_CLAMP, "unknown clamp"},
    {offsetof(clkl_spec, batch_reduction), CLKL_BATCH_SUM, "unknown batch reduction"},
    {offsetof(clkl_spec, weights.kind), CLKL_LENGTHS, "weights: unknown kind"},
    {offsetof(clkl_spec, weights.dtype), CLKL_BF16, "weights: unknown dtype"},
    {offsetof(clkl_spec, weights.layout), CLKL_STRIDED, "weights: unknown layout"},
    {offsetof(clkl_spec, gradient_dtype), CLKL_BF16, "unknown gradient type"},
    {offsetof(clkl_spec, gradient_update), CLKL_GRADIENT_ADD, "unknown gradient update"},
};

static void expect_enum_refused(clkl_spec spec, size_t i, int value)
{
    char says[64];
    _Static_assert(sizeof(clkl_form) == sizeof value, "enums are as large as int");
    memcpy((char *)&spec + enums[i].offset, &value, sizeof value);
    snprintf(says, sizeof says, "%s %d", enums[i].says, value);
    expect_refused(&spec, CLKL_INVALID_SPEC, says);
}

Test(problem, unknown_enum_values_are_refused_whatever_the_rest_is)
{
    const clkl_spec specs[] = {
        {SMALL},
        {SMALL, .p = {.form = CLKL_MOMENTS}, CLAMP_OF(-1.0, 1.0)},
        {SMALL, .p = {.form = CLKL_DETERMINISTIC}, .q = {.form = CLKL_MEAN_VAR}},
    };
    for (size_t s = 0; s < COUNT(specs); ++s)
        for (size_t i = 0; i < COUNT(enums); ++i) {
            expect_enum_refused(specs[s], i, -1);
            expect_enum_refused(specs[s], i, enums[i].last + 1);
            expect_enum_refused(specs[s], i, INT32_MAX);
        }
}

Test(problem, every_pair_of_forms_but_a_deterministic_q_is_taken)
{
    for (int p = CLKL_STANDARD_NORMAL; p <= CLKL_DETERMINISTIC; ++p)
        for (int q = CLKL_STANDARD_NORMAL; q < CLKL_DETERMINISTIC; ++q) {
            const clkl_spec spec = {SMALL, .p = {.form = (clkl_form)p},
                                    .q = {.form = (clkl_form)q}};
            static const enum clkl_scale kinds[] = {
                CLKL_SCALE_UNIT, CLKL_SCALE_LOGVAR, CLKL_SCALE_LOGVAR, CLKL_SCALE_LOGSTD,
                CLKL_SCALE_VAR,  CLKL_SCALE_STD,    CLKL_SCALE_UNIT};
            const struct clkl_problem problem = made(&spec);
            cr_expect_eq(problem.p.scale_kind, kinds[p]);
            cr_expect_eq(problem.q.scale_kind, kinds[q]);
            cr_expect_eq(problem.p.packed, p == CLKL_MOMENTS);
            cr_expect_eq(problem.q.packed, q == CLKL_MOMENTS);
            cr_expect_eq(problem.deterministic, p == CLKL_DETERMINISTIC);
        }
}

/* ---- Defaults ---- */

Test(problem, zero_is_a_sensible_default)
{
    const clkl_spec spec = {SIZE, .rank = 3, .shape = {5, 4, 3}, .p = {.form = CLKL_MOMENTS}};
    const struct clkl_problem problem = made(&spec);
    cr_expect_eq(problem.rank, 3u);
    cr_expect_eq(memcmp(problem.shape, spec.shape, sizeof spec.shape), 0);
    cr_expect_eq(problem.p.dtype, CLKL_F32);
    cr_expect_eq(problem.q.dtype, CLKL_F32);
    cr_expect_eq(problem.compute, CLKL_F32);
    cr_expect_eq(problem.kept, 1u, "the batch");
    cr_expect_eq(problem.batch_reduction, CLKL_BATCH_MEAN);
    cr_expect_not(problem.p.clamped || problem.q.clamped || problem.clamp_counts);
    cr_expect_eq(problem.p.mean.strides[0], 24);
    cr_expect_eq(problem.p.scale.origin, 12, "split on axis 1");
}

Test(problem, moments_are_described_in_one_call)
{
    const size_t shape[] = {520, 4, 6, 8};
    clkl_spec spec;
    memset(&spec, 'x', sizeof spec);
    clkl_spec_moments(&spec, 4, shape);
    const clkl_spec expected = {SIZE, .rank = 4, .shape = {520, 4, 6, 8},
                                .p = {.form = CLKL_MOMENTS}};
    cr_expect_eq(spec.struct_size, sizeof spec);
    cr_expect_eq(spec.rank, 4u);
    cr_expect_eq(memcmp(spec.shape, expected.shape, sizeof spec.shape), 0);
    cr_expect_eq(spec.p.form, CLKL_MOMENTS);
    cr_expect_eq(spec.q.form, CLKL_STANDARD_NORMAL);
    cr_expect_eq(clkl_spec_check(&spec, NULL), CLKL_OK, "the rest is not 0");
    cr_expect_eq(clkl_spec_result_count(&spec, 0), 520u);
}

Test(problem, mistakes_in_that_call_are_found_later)
{
    const size_t shape[CLKL_MAX_RANK + 1] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
    clkl_spec spec;
    clkl_spec_moments(NULL, 2, shape);
    clkl_spec_moments(&spec, 2, NULL);
    expect_refused(&spec, CLKL_INVALID_SPEC, "rank");
    clkl_spec_moments(&spec, CLKL_MAX_RANK + 1, shape);
    expect_refused(&spec, CLKL_INVALID_SPEC, "rank");
    clkl_spec_moments(&spec, 1, shape);
    expect_refused(&spec, CLKL_INVALID_SPEC, "rank is 1");
    clkl_spec_moments(&spec, CLKL_MAX_RANK, shape);
    cr_expect_eq(clkl_spec_check(&spec, NULL), CLKL_OK);
}

Test(problem, the_compute_type_follows_the_arrays)
{
    static const struct {
        clkl_spec spec;
        clkl_dtype compute;
    } cases[] = {
        {{SMALL}, CLKL_F32},
        {{SMALL, .p = {.form = CLKL_MOMENTS, .dtype = CLKL_F32}}, CLKL_F32},
        {{SMALL, .p = {.form = CLKL_MOMENTS, .dtype = CLKL_F64}}, CLKL_F64},
        {{SMALL, .p = {.form = CLKL_MOMENTS}, .q = {.form = CLKL_MEAN_STD, .dtype = CLKL_F64}},
         CLKL_F64},
        {{SMALL, .p = {.form = CLKL_MOMENTS}, .q = {.dtype = CLKL_F64}},
         CLKL_F32}, /* Q has no arrays */
        {{SMALL, .p = {.form = CLKL_DETERMINISTIC, .dtype = CLKL_F64}}, CLKL_F32},
        {{SMALL, .p = {.form = CLKL_MOMENTS, .dtype = CLKL_F64}, .compute = CLKL_F32}, CLKL_F32},
        {{SMALL, .p = {.form = CLKL_MOMENTS}, .compute = CLKL_F64}, CLKL_F64},
        {{SMALL, .p = {.form = CLKL_MOMENTS, .dtype = CLKL_F16}}, CLKL_F32},
        {{SMALL, .p = {.form = CLKL_MOMENTS, .dtype = CLKL_BF16}, .compute = CLKL_F64}, CLKL_F64},
        {{SMALL, .weights = {.kind = CLKL_WEIGHTS}}, CLKL_F32},
        {{SMALL, .weights = {.kind = CLKL_WEIGHTS, .dtype = CLKL_F64}}, CLKL_F64},
        {{SMALL, .weights = {.kind = CLKL_WEIGHTS, .dtype = CLKL_F64}, .compute = CLKL_F32},
         CLKL_F32},
        {{SMALL, .p = {.form = CLKL_DETERMINISTIC},
          .weights = {.kind = CLKL_WEIGHTS, .dtype = CLKL_F64}},
         CLKL_F32}, /* whose weights are not read */
    };
    for (size_t i = 0; i < COUNT(cases); ++i)
        cr_expect_eq(made(&cases[i].spec).compute, cases[i].compute, "case %zu", i);
}

/* ---- Where elements lie ---- */

static int64_t offset_of(const struct clkl_problem *problem, const struct clkl_operand *operand,
                         uint64_t place)
{
    int64_t offset = operand->origin;
    for (uint32_t axis = problem->rank; axis-- > 0; place /= problem->shape[axis])
        offset += operand->strides[axis] * (int64_t)(place % problem->shape[axis]);
    return offset;
}

/* Where an element lies in a packed array, by the definition: a mean comes before its scale, half
 * of the doubled axis apart. */
static int64_t packed_place(const struct clkl_problem *problem, uint32_t split, bool scale,
                            uint64_t place)
{
    uint64_t index[CLKL_MAX_RANK] = {0};
    for (uint32_t axis = problem->rank; axis-- > 0; place /= problem->shape[axis])
        index[axis] = place % problem->shape[axis];
    index[split] += scale ? problem->shape[split] : 0;
    uint64_t offset = 0;
    for (uint32_t axis = 0; axis < problem->rank; ++axis)
        offset = offset * problem->shape[axis] * (axis == split ? 2 : 1) + index[axis];
    return (int64_t)offset;
}

Test(problem, packed_moments_lie_in_halves_of_any_axis)
{
    clkl_spec spec = {SIZE, .shape = {2, 3, 1, 4, 2, 1, 3, 2, 2}, .q = {.form = CLKL_MOMENTS}};
    for (spec.rank = 2; spec.rank <= CLKL_MAX_RANK; ++spec.rank)
        for (uint32_t split = 1; split < spec.rank; ++split) {
            spec.q.split_axis = split;
            const struct clkl_problem problem = made(&spec);
            uint64_t count = 1;
            for (uint32_t axis = 0; axis < spec.rank; ++axis)
                count *= spec.shape[axis];
            for (uint64_t place = 0; place < count; ++place) {
                cr_assert_eq(offset_of(&problem, &problem.q.mean, place),
                             packed_place(&problem, split, false, place));
                cr_assert_eq(offset_of(&problem, &problem.q.scale, place),
                             packed_place(&problem, split, true, place));
            }
            cr_expect_eq(clkl_problem_extent(&problem, &problem.q.scale), 2 * count);
        }
}

static void expect_operand(const struct clkl_problem *problem, const struct clkl_operand *operand,
                           int64_t origin, const int64_t *strides, uint64_t extent)
{
    cr_expect_eq(operand->origin, origin, "origin %lld, not %lld", (long long)operand->origin,
                 (long long)origin);
    for (uint32_t axis = 0; axis < problem->rank; ++axis)
        cr_expect_eq(operand->strides[axis], strides[axis], "axis %u: %lld, not %lld", axis,
                     (long long)operand->strides[axis], (long long)strides[axis]);
    cr_expect_eq(clkl_problem_extent(problem, operand), extent, "extent %llu, not %llu",
                 (unsigned long long)clkl_problem_extent(problem, operand),
                 (unsigned long long)extent);
}

#define STRIDES(...) ((const int64_t[]){__VA_ARGS__})

Test(problem, strides_by_hand)
{
    const uint32_t rank = 4;
    clkl_spec spec = {SIZE, .rank = rank, .shape = {2, 3, 4, 5}};
    spec.p.form = CLKL_MEAN_STD;
    spec.q = (clkl_gaussian){.form = CLKL_MOMENTS, .split_axis = 2};
    struct clkl_problem problem = made(&spec);
    expect_operand(&problem, &problem.p.mean, 0, STRIDES(60, 20, 5, 1), 120);
    expect_operand(&problem, &problem.p.scale, 0, STRIDES(60, 20, 5, 1), 120);
    expect_operand(&problem, &problem.q.mean, 0, STRIDES(120, 40, 5, 1), 220);
    expect_operand(&problem, &problem.q.scale, 20, STRIDES(120, 40, 5, 1), 240);

    spec.p.layout = spec.q.layout = CLKL_SHARED;
    problem = made(&spec);
    expect_operand(&problem, &problem.p.mean, 0, STRIDES(0, 20, 5, 1), 60);
    expect_operand(&problem, &problem.p.scale, 0, STRIDES(0, 20, 5, 1), 60);
    expect_operand(&problem, &problem.q.mean, 0, STRIDES(0, 40, 5, 1), 100);
    expect_operand(&problem, &problem.q.scale, 20, STRIDES(0, 40, 5, 1), 120);
}

Test(problem, strided_arrays_lie_as_they_say)
{
    const clkl_gaussian strided = {.form = CLKL_MEAN_STD,
                                   .layout = CLKL_STRIDED,
                                   .split_axis = 7, /* of no meaning here */
                                   .mean_strides = {1, 2, 7},
                                   .scale_strides = {0, 10, 0}};
    clkl_spec spec = {SIZE, .rank = 3, .shape = {2, 3, 4}, .p = strided, .q = strided};
    spec.q.form = CLKL_MOMENTS;
    spec.q.split_axis = 2;
    spec.q.scale_strides[0] = -5; /* of no meaning either */
    const struct clkl_problem problem = made(&spec);
    expect_operand(&problem, &problem.p.mean, 0, STRIDES(1, 2, 7), 1 + 4 + 21 + 1);
    expect_operand(&problem, &problem.p.scale, 0, STRIDES(0, 10, 0), 21);
    expect_operand(&problem, &problem.q.mean, 0, STRIDES(1, 2, 7), 27);
    expect_operand(&problem, &problem.q.scale, 28, STRIDES(1, 2, 7), 55);
}

Test(problem, large_shapes_are_taken_as_long_as_offsets_fit)
{
    const clkl_spec specs[] = {
        {SIZE, .rank = 2, .shape = {WIDE, WIDE >> 8}}, /* no arrays */
        {SIZE, .rank = 2, .shape = {1, WIDE << 22}, .p = {.form = CLKL_MOMENTS}},
        {SIZE, .rank = 2, .shape = {WIDE << 22, 1}, .p = {.form = CLKL_MOMENTS}},
        {SIZE, .rank = 2, .shape = {2, WIDE << 20}, .p = {.form = CLKL_MEAN_VAR}},
        {SIZE, .rank = 2, .shape = {WIDE, WIDE >> 8},
         .p = {.form = CLKL_MEAN_VAR, .layout = CLKL_STRIDED}},
    };
    for (size_t i = 0; i < COUNT(specs); ++i)
        cr_expect_eq(clkl_spec_check(&specs[i], NULL), CLKL_OK, "case %zu", i);
    const struct clkl_problem problem = made(&specs[2]);
    cr_expect_eq(clkl_problem_extent(&problem, &problem.p.scale), WIDE << 23);
}

/* ---- Clamp ---- */

Test(problem, the_clamp_holds_for_log_variances)
{
    static const struct {
        clkl_form p, q;
        bool p_clamped, q_clamped;
    } cases[] = {
        {CLKL_MOMENTS, CLKL_STANDARD_NORMAL, true, false},
        {CLKL_STANDARD_NORMAL, CLKL_MOMENTS, false, true},
        {CLKL_MEAN_LOGVAR, CLKL_MOMENTS, true, true},
        {CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGSTD, true, false},
        {CLKL_MEAN_VAR, CLKL_MEAN_LOGVAR, false, true},
        {CLKL_MEAN_STD, CLKL_MOMENTS, false, true},
        {CLKL_DETERMINISTIC, CLKL_MOMENTS, false, false},
    };
    for (size_t i = 0; i < COUNT(cases); ++i) {
        const clkl_spec spec = {SMALL, .p = {.form = cases[i].p}, .q = {.form = cases[i].q},
                                CLAMP_OF(-30.0, 20.0)};
        const struct clkl_problem problem = made(&spec);
        cr_expect_eq(problem.p.clamped, cases[i].p_clamped, "case %zu", i);
        cr_expect_eq(problem.q.clamped, cases[i].q_clamped, "case %zu", i);
    }
}

Test(problem, bounds_are_rounded_where_log_variances_are_clamped_in_fp32)
{
    static const struct {
        clkl_form p_form, q_form;
        clkl_dtype p, q;
        bool rounded;
    } cases[] = {
        {CLKL_MOMENTS, CLKL_STANDARD_NORMAL, CLKL_F32, CLKL_F32, true},
        {CLKL_MOMENTS, CLKL_STANDARD_NORMAL, CLKL_F64, CLKL_F32, false},
        {CLKL_STANDARD_NORMAL, CLKL_MOMENTS, CLKL_F64, CLKL_F32, true},
        {CLKL_MOMENTS, CLKL_MOMENTS, CLKL_F64, CLKL_F64, false},
        {CLKL_MOMENTS, CLKL_MOMENTS, CLKL_F32, CLKL_F64, true},
        {CLKL_MOMENTS, CLKL_MOMENTS, CLKL_F64, CLKL_F32, true},
        {CLKL_MEAN_VAR, CLKL_MOMENTS, CLKL_F32, CLKL_F64, false},
        {CLKL_MOMENTS, CLKL_MEAN_STD, CLKL_F64, CLKL_F32, false},
        {CLKL_MOMENTS, CLKL_STANDARD_NORMAL, CLKL_F16, CLKL_F32, true},
        {CLKL_STANDARD_NORMAL, CLKL_MOMENTS, CLKL_F32, CLKL_BF16, true},
        {CLKL_MOMENTS, CLKL_MOMENTS, CLKL_F64, CLKL_BF16, true},
    };
    const double low = -30.1, high = 0.1;
    for (size_t i = 0; i < COUNT(cases); ++i) {
        const clkl_spec spec = {SMALL, .p = {.form = cases[i].p_form, .dtype = cases[i].p},
                                .q = {.form = cases[i].q_form, .dtype = cases[i].q},
                                CLAMP_OF(low, high)};
        const struct clkl_problem problem = made(&spec);
        cr_expect_eq(problem.clamp_low, cases[i].rounded ? (double)-30.1f : low, "case %zu", i);
        cr_expect_eq(problem.clamp_high, cases[i].rounded ? (double)0.1f : high, "case %zu", i);
    }
    const clkl_spec spec = {SMALL, .p = {.form = CLKL_MOMENTS, .dtype = CLKL_F64},
                            .compute = CLKL_F32, CLAMP_OF(low, high)};
    cr_expect_eq(made(&spec).clamp_high, (double)0.1f, "computed in fp32");
}

Test(problem, bounds_at_the_edge)
{
    clkl_spec spec = {SMALL, .p = {.form = CLKL_MOMENTS}, CLAMP_OF(2.0, 2.0)};
    cr_expect_eq(made(&spec).clamp_high, 2.0, "equal bounds are in order");
    spec.clamp_low = -(double)FLT_MAX;
    spec.clamp_high = (double)FLT_MAX;
    cr_expect_eq(made(&spec).clamp_low, -(double)FLT_MAX);
    spec.clamp_high = 1e300;
    expect_refused(&spec, CLKL_INVALID_SPEC, "too large for fp32");
    spec.p.dtype = CLKL_F64;
    cr_expect_eq(made(&spec).clamp_high, 1e300);
    spec.clamp_low = -INFINITY;
    expect_refused(&spec, CLKL_INVALID_SPEC, "two finite bounds");
    spec.clamp = CLKL_NO_CLAMP;
    spec.clamp_low = NAN;
    cr_expect_not(made(&spec).p.clamped, "bounds of no clamp are ignored");
}

Test(problem, a_deterministic_p_ignores_the_bounds)
{
    const clkl_spec spec = {SMALL, .p = {.form = CLKL_DETERMINISTIC}, CLAMP_OF(NAN, -INFINITY)};
    cr_expect(made(&spec).deterministic);
}
