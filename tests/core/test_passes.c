/* Which passes over the data a problem takes, and what each of them sums, writes and needs. */
#include "core/made.h"
#include "core/passes.h"
#include "core/plans.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(passes, .timeout = 60);

#define SIZE .struct_size = sizeof(clkl_spec)
#define BOX  SIZE, .rank = 4, .shape = {6, 3, 4, 5}

enum {
    PM = CLKL_GRADIENT_P_MEAN,
    PS = CLKL_GRADIENT_P_SCALE,
    QM = CLKL_GRADIENT_Q_MEAN,
    QS = CLKL_GRADIENT_Q_SCALE,
    ALL = PM | PS | QM | QS
};

/* ---- Which there are ---- */

struct expected {
    bool value;
    uint32_t sums, maps, kept; /* kept: axes longer than 1 */
};

static const struct {
    const char *name;
    clkl_spec spec;
    uint32_t count;
    struct expected passes[CLKL_MOST_PASSES];
} cases[] = {
    {"values alone", {BOX, .p = {.form = CLKL_MOMENTS}}, 1, {{true, 0, 0, 1}}},
    {"a deterministic P", {BOX, .p = {.form = CLKL_DETERMINISTIC}}, 0, {{false, 0, 0, 0}}},
    {"dense arrays: one pass writes all",
     {BOX, .p = {.form = CLKL_MOMENTS}, .q = {.form = CLKL_MEAN_STD}, .gradients = ALL, .keep = 2},
     1,
     {{true, 0, ALL, 2}}},
    {"one half of packed moments is both",
     {BOX, .p = {.form = CLKL_MOMENTS}, .gradients = PS},
     1,
     {{true, 0, PM | PS, 1}}},
    {"one of four",
     {BOX, .p = {.form = CLKL_MEAN_VAR}, .q = {.form = CLKL_MEAN_VAR}, .gradients = QM},
     1,
     {{true, 0, QM, 1}}},
    {"without the result",
     {BOX, .p = {.form = CLKL_MOMENTS}, .gradients = PM, .outputs = CLKL_OUTPUT_NO_RESULT},
     1,
     {{false, 0, PM | PS, 1}}},
    {"a shared Q takes a pass of its own",
     {BOX, .p = {.form = CLKL_MOMENTS}, .q = {.form = CLKL_MOMENTS, .layout = CLKL_SHARED},
      .gradients = ALL},
     2,
     {{true, 0, PM | PS, 1}, {false, QM | QS, 0, 14}}},
    {"which is the only one if nothing else is wanted",
     {BOX, .p = {.form = CLKL_MOMENTS}, .q = {.form = CLKL_MOMENTS, .layout = CLKL_SHARED},
      .gradients = QM, .outputs = CLKL_OUTPUT_NO_RESULT},
     1,
     {{false, QM | QS, 0, 14}}},
    {"or goes along with values that sum over the same axes",
     {BOX, .p = {.form = CLKL_MOMENTS}, .q = {.form = CLKL_MOMENTS, .layout = CLKL_SHARED},
      .gradients = ALL, .keep = 14},
     1,
     {{true, QM | QS, PM | PS, 14}}},
    {"a prior per channel, and values of channels",
     {BOX, .p = {.form = CLKL_MEAN_STD},
      .q = {.form = CLKL_MEAN_STD,
            .layout = CLKL_STRIDED,
            .mean_strides = {0, 1},
            .scale_strides = {0, 1}},
      .gradients = QM | QS, .keep = 2},
     1,
     {{true, QM | QS, 0, 2}}},
    {"a prior per channel, and values of samples",
     {BOX, .p = {.form = CLKL_MEAN_STD},
      .q = {.form = CLKL_MEAN_STD,
            .layout = CLKL_STRIDED,
            .mean_strides = {0, 1},
            .scale_strides = {0, 1}},
      .gradients = ALL},
     2,
     {{true, 0, PM | PS, 1}, {false, QM | QS, 0, 2}}},
    {"a prior of one value",
     {BOX, .p = {.form = CLKL_MEAN_STD}, .q = {.form = CLKL_MEAN_STD, .layout = CLKL_STRIDED},
      .gradients = ALL, .keep = CLKL_KEEP_NONE},
     1,
     {{true, QM | QS, PM | PS, 0}}},
    {"the scale alone is shared",
     {BOX, .p = {.form = CLKL_MEAN_STD},
      .q = {.form = CLKL_MEAN_STD,
            .layout = CLKL_STRIDED,
            .mean_strides = {60, 20, 5, 1},
            .scale_strides = {0, 20, 5, 1}},
      .gradients = ALL},
     2,
     {{true, 0, PM | PS | QM, 1}, {false, QS, 0, 14}}},
    {"every array repeats axes of its own",
     {BOX,
      .p = {.form = CLKL_MEAN_STD,
            .layout = CLKL_STRIDED,
            .mean_strides = {0, 20, 5, 1},
            .scale_strides = {20, 0, 5, 1}},
      .q = {.form = CLKL_MEAN_STD,
            .layout = CLKL_STRIDED,
            .mean_strides = {15, 5, 0, 1},
            .scale_strides = {12, 4, 1, 0}},
      .gradients = ALL},
     5,
     {{true, 0, 0, 1},
      {false, PM, 0, 14},
      {false, PS, 0, 13},
      {false, QM, 0, 11},
      {false, QS, 0, 7}}},
    {"and without the result the first of five is left out",
     {BOX,
      .p = {.form = CLKL_MEAN_STD,
            .layout = CLKL_STRIDED,
            .mean_strides = {0, 20, 5, 1},
            .scale_strides = {20, 0, 5, 1}},
      .q = {.form = CLKL_MEAN_STD,
            .layout = CLKL_STRIDED,
            .mean_strides = {15, 5, 0, 1},
            .scale_strides = {12, 4, 1, 0}},
      .gradients = ALL, .outputs = CLKL_OUTPUT_NO_RESULT},
     4,
     {{false, PM, 0, 14}, {false, PS, 0, 13}, {false, QM, 0, 11}, {false, QS, 0, 7}}},
    {"one that is not wanted takes none",
     {BOX,
      .p = {.form = CLKL_MEAN_STD,
            .layout = CLKL_STRIDED,
            .mean_strides = {0, 20, 5, 1},
            .scale_strides = {20, 0, 5, 1}},
      .gradients = PS},
     2,
     {{true, 0, 0, 1}, {false, PS, 0, 13}}},
    {"an axis of extent 1 is repeated by nobody",
     {SIZE, .rank = 3, .shape = {1, 7, 1}, .p = {.form = CLKL_MEAN_STD},
      .q = {.form = CLKL_MEAN_STD, .layout = CLKL_SHARED}, .gradients = ALL},
     1,
     {{true, 0, ALL, 0}}},
};

Test(passes, by_hand)
{
    for (size_t i = 0; i < COUNT(cases); ++i) {
        const struct clkl_problem problem = made(&cases[i].spec);
        struct clkl_pass passes[CLKL_MOST_PASSES];
        memset(passes, 'x', sizeof passes);
        cr_expect_eq(clkl_passes_make(&problem, passes), cases[i].count, "%s", cases[i].name);
        for (uint32_t n = 0; n < cases[i].count; ++n) {
            const struct expected *expected = &cases[i].passes[n];
            uint32_t kept = 0;
            for (uint32_t axis = 0; axis < problem.rank; ++axis)
                if (problem.shape[axis] > 1 && clkl_problem_keeps(&passes[n].problem, axis))
                    kept |= 1u << axis;
            cr_expect_eq(passes[n].value, expected->value, "%s, pass %u", cases[i].name, n);
            cr_expect_eq(passes[n].sums, expected->sums, "%s, pass %u", cases[i].name, n);
            cr_expect_eq(passes[n].maps, expected->maps, "%s, pass %u", cases[i].name, n);
            cr_expect_eq(kept, expected->kept, "%s, pass %u keeps %x", cases[i].name, n, kept);
        }
    }
}

/* The upstream gradient, unlike the pass, still has the axes of the result. */
Test(passes, upstream_keeps_the_axes_of_the_result)
{
    const clkl_spec spec = {BOX,
                            .p = {.form = CLKL_MEAN_STD},
                            .q = {.form = CLKL_MEAN_STD, .layout = CLKL_SHARED},
                            .gradients = QM,
                            .keep = 3,
                            .outputs = CLKL_OUTPUT_NO_RESULT};
    const struct clkl_problem problem = made(&spec);
    struct clkl_pass passes[CLKL_MOST_PASSES];
    cr_assert_eq(clkl_passes_make(&problem, passes), 1u);
    const int64_t *strides = passes[0].problem.upstream.strides;
    cr_expect(strides[0] == 3 && strides[1] == 1 && strides[2] == 0 && strides[3] == 0);
}

/* ---- Lengths ---- */

Test(passes, lengths_become_a_mask)
{
    static const struct {
        clkl_weights weights;
        uint64_t batch, bytes;
        int64_t strides[4];
    } lengths[] = {
        {{.kind = CLKL_LENGTHS}, 6, 18, {3, 1, 0, 0}},
        {{.kind = CLKL_LENGTHS, .length_axis = 3}, 6, 30, {5, 0, 0, 1}},
        {{.kind = CLKL_LENGTHS, .layout = CLKL_SHARED, .length_axis = 2}, 6, 4, {0, 0, 1, 0}},
        {{.kind = CLKL_LENGTHS, .layout = CLKL_STRIDED, .strides = {7}}, 6, 18, {3, 1, 0, 0}},
        {{.kind = CLKL_LENGTHS, .layout = CLKL_STRIDED}, 6, 3, {0, 1, 0, 0}},
        {{.kind = CLKL_LENGTHS}, 1, 3, {0, 1, 0, 0}},
        {{.kind = CLKL_MASK}, 6, 0, {60, 20, 5, 1}},
        {{.kind = CLKL_NO_WEIGHTS}, 6, 0, {0, 0, 0, 0}},
    };
    for (size_t i = 0; i < COUNT(lengths); ++i) {
        clkl_spec spec = {BOX, .p = {.form = CLKL_MEAN_STD},
                          .q = {.form = CLKL_MEAN_STD, .layout = CLKL_SHARED},
                          .weights = lengths[i].weights, .gradients = ALL};
        spec.shape[0] = lengths[i].batch;
        const struct clkl_problem problem = made(&spec);
        struct clkl_pass passes[CLKL_MOST_PASSES];
        cr_expect_eq(clkl_mask_bytes(&problem), lengths[i].bytes, "case %zu", i);
        const uint32_t count = clkl_passes_make(&problem, passes);
        cr_assert_eq(count, lengths[i].batch > 1 ? 2u : 1u, "case %zu", i);
        for (uint32_t n = 0; n < count; ++n) {
            const struct clkl_operand *weight = &passes[n].problem.weight;
            cr_expect_eq(weight->origin, 0);
            for (uint32_t axis = 0; axis < 4; ++axis)
                cr_expect_eq(weight->strides[axis], lengths[i].strides[axis],
                             "case %zu, pass %u: stride %d of axis %u", i, n,
                             (int)weight->strides[axis], axis);
        }
    }
}

/* ---- The program of a pass, and its scratch ---- */

static struct clkl_variant variant_of(const struct clkl_pass *pass, const struct clkl_facts *facts,
                                      struct clkl_geometry *geometry)
{
    struct clkl_rows rows;
    struct clkl_variant variant;
    clkl_rows_make(&pass->problem, &rows);
    clkl_variant_make(pass, &rows, facts, &automatic, &variant);
    cr_assert_eq(clkl_geometry_make(&rows, &variant, facts, &automatic, geometry, NULL), CLKL_OK);
    return variant;
}

/* Two words for each sum, and three words for what else is found. */
Test(passes, scratch_grows_with_the_sums)
{
    const clkl_spec spec = {SIZE,
                            .rank = 2,
                            .shape = {4, POWER(20)},
                            .p = {.form = CLKL_MEAN_STD},
                            .q = {.form = CLKL_MEAN_STD, .layout = CLKL_STRIDED},
                            .keep = CLKL_KEEP_NONE,
                            .gradients = ALL};
    static const uint32_t bytes[2][6] = {{20, 20, 28, 36, 44, 52}, {32, 32, 48, 64, 80, 96}};
    static const uint32_t masks[] = {0, QM, QM | QS, QM | QS | PM, ALL};
    const struct clkl_facts *const devices[] = {&wide_cpu, &gpu, &lanes};
    for (int fp64 = 0; fp64 < 2; ++fp64)
        for (size_t n = 0; n < COUNT(masks) * 2 * COUNT(devices); ++n) {
            const uint32_t sums = masks[n / 6];
            const bool value = n % 2 != 0;
            struct clkl_problem problem = made(&spec);
            struct clkl_geometry geometry;
            problem.compute = fp64 != 0 ? CLKL_F64 : CLKL_F32;
            const struct clkl_pass pass = {.problem = problem, .value = value, .sums = sums};
            const struct clkl_variant variant = variant_of(&pass, devices[n / 2 % 3], &geometry);
            const uint32_t count = (uint32_t)value + (uint32_t)(n / 6);
            cr_expect_eq(clkl_variant_sums(&variant), count, "%zu", n);
            cr_expect_eq(clkl_variant_partial_bytes(&variant), bytes[fp64][count], "%zu", n);
            cr_expect_gt(geometry.chunks, 1u);
            cr_expect_eq(geometry.combine_groups > 0, count > 0, "%zu", n);
            if (count == 0)
                cr_expect_eq(geometry.scratch, 0u);
            else
                cr_expect_geq(geometry.scratch, (uint64_t)geometry.chunks * bytes[fp64][count]);
        }
}

/* The members of a work-group leave their findings in local memory. */
Test(passes, work_groups_fit_local_memory)
{
    for (size_t i = 0; i < device_count; ++i) {
        const clkl_spec spec = {SIZE, .rank = 2, .shape = {4, 5000}, .p = {.form = CLKL_MEAN_STD},
                                .gradients = PM | PS};
        const struct clkl_facts facts = device_at(i);
        for (int fp64 = 0; fp64 < 2; ++fp64) {
            struct clkl_problem problem = made(&spec);
            struct clkl_geometry geometry;
            problem.compute = fp64 != 0 ? CLKL_F64 : CLKL_F32;
            const struct clkl_pass pass = {.problem = problem, .value = true, .sums = ALL};
            const struct clkl_variant variant = variant_of(&pass, &facts, &geometry);
            cr_assert(variant.work_group == 1 ||
                      (uint64_t)variant.work_group * (fp64 != 0 ? 96 : 52) <= facts.local_memory);
        }
    }
}

Test(passes, a_program_has_what_its_pass_wants)
{
    const clkl_spec spec = {BOX,
                            .p = {.form = CLKL_MEAN_LOGVAR},
                            .q = {.form = CLKL_MEAN_STD, .layout = CLKL_SHARED},
                            .gradients = ALL,
                            .gradient_dtype = CLKL_F16,
                            .free_nats = 0.5,
                            .gradient_update = CLKL_GRADIENT_ADD,
                            .outputs = CLKL_OUTPUT_NO_RESULT,
                            .weights = {.kind = CLKL_WEIGHTS, .dtype = CLKL_BF16}};
    const struct clkl_problem problem = made(&spec);
    struct clkl_pass passes[CLKL_MOST_PASSES];
    struct clkl_geometry geometry;
    cr_assert_eq(clkl_passes_make(&problem, passes), 2u);
    for (int i = 0; i < 2; ++i) {
        const struct clkl_variant variant = variant_of(&passes[i], &wide_cpu, &geometry);
        cr_expect_not(variant.value);
        cr_expect_eq(variant.sums, i == 0 ? 0u : (uint32_t)(QM | QS));
        cr_expect_eq(variant.maps, i == 0 ? (uint32_t)(PM | PS) : 0u);
        cr_expect(variant.free_nats && variant.gradient_add && variant.weighted);
        cr_expect_not(variant.masked);
        cr_expect_eq(variant.gradient_dtype, CLKL_F16);
        cr_expect_eq(variant.weight_dtype, CLKL_BF16);
        for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
            cr_expect(clkl_variant_has(&variant, operand), "operand %d", operand);
    }
}

/* A pass for values alone knows nothing of gradients, which so do not split programs. */
Test(passes, values_beside_gradients_have_the_program_of_values)
{
    clkl_spec spec = {BOX, .p = {.form = CLKL_MEAN_STD, .layout = CLKL_SHARED}};
    struct clkl_pass alone[CLKL_MOST_PASSES], beside[CLKL_MOST_PASSES];
    struct clkl_geometry geometry;
    char options[2][CLKL_OPTIONS_SIZE];
    struct clkl_problem problem = made(&spec);
    clkl_passes_make(&problem, alone);
    spec.gradients = PM | PS;
    spec.gradient_dtype = CLKL_BF16;
    spec.gradient_update = CLKL_GRADIENT_ADD;
    problem = made(&spec);
    cr_assert_eq(clkl_passes_make(&problem, beside), 2u);
    struct clkl_variant variant = variant_of(&alone[0], &gpu, &geometry);
    clkl_variant_options(&variant, options[0]);
    variant = variant_of(&beside[0], &gpu, &geometry);
    clkl_variant_options(&variant, options[1]);
    cr_expect_str_eq(options[0], options[1]);
}

/* ---- Double precision ---- */

Test(passes, what_needs_double_precision)
{
    const clkl_spec plain = {BOX, .p = {.form = CLKL_MEAN_STD}, .gradients = PM};
    clkl_spec spec = plain;
    struct clkl_problem problem = made(&spec);
    cr_expect_not(clkl_problem_needs_fp64(&problem));
    spec.gradient_dtype = CLKL_F64;
    problem = made(&spec);
    cr_expect(clkl_problem_needs_fp64(&problem), "a gradient of fp64");
    spec = plain;
    spec.compute = CLKL_F32;
    spec.weights.kind = CLKL_WEIGHTS;
    problem = made(&spec);
    cr_expect_not(clkl_problem_needs_fp64(&problem));
    spec.weights.dtype = CLKL_F64;
    problem = made(&spec);
    cr_expect(clkl_problem_needs_fp64(&problem), "weights of fp64");
    spec = plain;
    spec.q.dtype = CLKL_F64;
    problem = made(&spec);
    cr_expect_not(clkl_problem_needs_fp64(&problem), "a type of no arrays");
    spec.compute = CLKL_F64;
    problem = made(&spec);
    cr_expect(clkl_problem_needs_fp64(&problem), "the compute type");
}
