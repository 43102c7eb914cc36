/* The program for a problem: properties that hold for every device and every problem. What the
 * schedule chooses within them is its own affair. */
#include "core/plans.h"
#include "opencl/sources.h"

#include <stdio.h>
#include <string.h>

TestSuite(schedule, .timeout = 120);

enum { FINDINGS = 20 /* bytes of local memory for each work-item: `findings` of the kernels */ };

/* ---- Properties ---- */

/* Elements of a row that belong to one sample. */
static uint64_t shortest_row(const struct clkl_problem *problem)
{
    uint64_t elements = 1;
    for (uint32_t axis = 1; axis < problem->rank; ++axis)
        elements *= clkl_problem_keeps(problem, axis) ? 1 : problem->shape[axis];
    return elements;
}

static void check_vectors(const struct clkl_facts *facts, const struct plan *plan)
{
    const struct clkl_variant *variant = &plan->variant;
    const uint32_t width = variant->vector_width;
    const bool wide = facts->style == CLKL_STYLE_WIDE_CPU;
    cr_assert(is_power_of_two(width));
    cr_assert_leq(width, 16u);
    cr_assert(width == 1 || !wide || width <= facts->native_width);
    cr_assert(width == 1 || facts->style != CLKL_STYLE_LANES);
    if (variant->columns) {
        cr_assert(width == 1 || variant->work_group == 1, "teams join one row at a time");
        cr_assert(width == 1 || width / 2 < plan->rows.rows, "half of the lanes are idle");
        cr_assert_eq(variant->lanes_at_once, width);
    } else {
        cr_assert_leq(width, shortest_row(&plan->problem),
                      "a vector of %u is longer than a row of one sample", width);
        cr_assert_eq(variant->lanes_at_once, wide ? width : 1);
    }
}

Test(schedule, vectors_are_no_longer_than_what_they_lie_along)
{
    for_all_plans(check_vectors);
}

static void check_work_group(const struct clkl_facts *facts, const struct plan *plan)
{
    const struct clkl_variant *variant = &plan->variant;
    cr_assert(is_power_of_two(variant->work_group));
    cr_assert_leq(variant->work_group, facts->max_work_group);
    cr_assert(variant->work_group == 1 ||
              (uint64_t)variant->work_group * FINDINGS <= facts->local_memory);
    cr_assert(variant->work_group == 1 || facts->style != CLKL_STYLE_WIDE_CPU);
    cr_assert(is_power_of_two(variant->tile));
    cr_assert_geq(variant->strip, 1u);
    cr_assert(variant->strip == 1 || (variant->columns && variant->work_group == 1),
              "a member of a team takes one vector of rows");
    cr_assert_not(variant->aligned);
}

Test(schedule, a_variant_keeps_within_the_device)
{
    for_all_plans(check_work_group);
}

static void check_layout(const struct clkl_facts *facts, const struct plan *plan)
{
    const struct clkl_variant *variant = &plan->variant;
    const struct clkl_rows *rows = &plan->rows;
    const bool one_by_one = rows->columns && variant->vector_width == 1;
    (void)facts;
    cr_assert_eq(variant->columns, rows->columns);
    cr_assert_eq(variant->p_reach, one_by_one ? CLKL_CONTIGUOUS : rows->p_reach);
    cr_assert_eq(variant->q_reach, one_by_one ? CLKL_CONTIGUOUS : rows->q_reach);
    cr_assert_eq(variant->kept_axes, rows->kept.count);
    const bool straight =
        rows->p_reach == CLKL_CONTIGUOUS && rows->q_reach == CLKL_CONTIGUOUS && !rows->columns;
    cr_assert_eq(variant->reduced_axes, straight ? 1 : rows->reduced.count);
}

Test(schedule, a_variant_knows_how_elements_lie)
{
    for_all_plans(check_layout);
}

/* Where neither rows nor elements come near 2^32, kernels count in 32 bits. */
static void check_index(const struct clkl_facts *facts, const struct plan *plan)
{
    const uint64_t elements = plan->rows.elements, rows = plan->rows.rows;
    (void)facts;
    cr_assert(plan->variant.long_rows || (elements < POWER(32) && rows < POWER(32)));
    cr_assert(!plan->variant.long_rows || elements >= POWER(30) || rows >= POWER(30));
}

Test(schedule, rows_and_elements_are_counted_in_as_many_bits_as_they_need)
{
    for_all_plans(check_index);
}

/* A work-item goes down a column in steps of TILE elements for each of its team, and looks how many
 * of them are left: that has to be counted as well. */
Test(schedule, steps_beyond_the_last_element_can_be_counted)
{
    static const uint64_t before[] = {0, 1, 2, 8, 255, 256, 257, 4096, POWER(20)};
    const struct clkl_facts *const devices[] = {&wide_cpu, &gpu, &lanes};
    for (size_t d = 0; d < COUNT(devices); ++d)
        for (size_t i = 0; i < COUNT(before); ++i) {
            const struct clkl_problem problem = problem_of(POWER(32) - 1 - before[i], 1, 3, 4);
            const struct plan plan = plan_make(devices[d], &problem, &automatic);
            const uint64_t step = (uint64_t)plan.variant.tile * plan.geometry.team;
            cr_expect(plan.variant.long_rows || plan.rows.elements + step <= UINT32_MAX,
                      "device %zu: %llu elements, steps of %llu", d,
                      (unsigned long long)plan.rows.elements, (unsigned long long)step);
        }
}

/* ---- Kinds of programs ---- */

static struct clkl_variant variant_of(const clkl_spec *spec, const struct clkl_facts *facts)
{
    const struct clkl_problem problem = made(spec);
    return plan_make(facts, &problem, &automatic).variant;
}

#define SIZE .struct_size = sizeof(clkl_spec)
#define BASE SIZE, .rank = 2, .shape = {4, 64}
#define BOX  SIZE, .rank = 4, .shape = {12, 15, 8, 32}

Test(schedule, a_program_follows_the_problem)
{
    static const clkl_spec spec = {BASE, .p = {.form = CLKL_MEAN_LOGVAR},
                                   .q = {.form = CLKL_MEAN_STD, .layout = CLKL_STRIDED},
                                   .clamp = CLKL_CLAMP, .outputs = CLKL_OUTPUT_CLAMP_COUNTS};
    const struct clkl_variant variant = variant_of(&spec, &wide_cpu);
    cr_expect_eq(variant.p_scale, CLKL_SCALE_LOGVAR);
    cr_expect_eq(variant.q_scale, CLKL_SCALE_STD);
    cr_expect_eq(variant.p_reach, CLKL_CONTIGUOUS);
    cr_expect_eq(variant.q_reach, CLKL_REPEATED);
    cr_expect(variant.clamp_p);
    cr_expect_not(variant.clamp_q);
    cr_expect(variant.count_clamped);
    clkl_spec other = {BASE, .p = {.form = CLKL_STANDARD_NORMAL},
                       .q = {.form = CLKL_MOMENTS, .split_axis = 1}};
    other.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    cr_expect_not(variant_of(&other, &wide_cpu).count_clamped, "nothing is clamped");
    other.clamp = CLKL_CLAMP;
    cr_expect(variant_of(&other, &wide_cpu).clamp_q);
    cr_expect(variant_of(&other, &wide_cpu).count_clamped);
    other.outputs = 0;
    cr_expect_not(variant_of(&other, &wide_cpu).count_clamped, "nobody asked");
}

/* Packed moments of a box against a shared Q: which program each set of kept axes gets. */
Test(schedule, a_program_follows_the_kept_axes)
{
    static const struct {
        uint32_t keep;
        bool columns;
        enum clkl_reach p, q;
        uint32_t kept, reduced;
    } cases[] = {
        {1, false, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS, 1, 1},
        {2, false, CLKL_RUNS, CLKL_RUNS, 1, 2},
        {3, false, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS, 2, 1},
        {5, false, CLKL_RUNS, CLKL_RUNS, 2, 2},
        {CLKL_KEEP_NONE, false, CLKL_RUNS, CLKL_RUNS, 1, 2},
        {8, true, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS, 1, 2},
        {14, true, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS, 1, 1},
        {13, true, CLKL_RUNS, CLKL_RUNS, 2, 1},
        {15, true, CLKL_RUNS, CLKL_RUNS, 2, 1},
    };
    for (size_t i = 0; i < COUNT(cases); ++i) {
        const clkl_spec spec = {BOX, .p = {.form = CLKL_MOMENTS},
                                .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_SHARED},
                                .keep = cases[i].keep};
        const struct clkl_variant on_cpu = variant_of(&spec, &wide_cpu);
        const struct clkl_variant on_gpu = variant_of(&spec, &gpu);
        const struct clkl_variant on_lanes = variant_of(&spec, &lanes);
        const struct clkl_variant *const variants[] = {&on_cpu, &on_gpu, &on_lanes};
        for (size_t v = 0; v < COUNT(variants); ++v) {
            cr_expect_eq(variants[v]->columns, cases[i].columns, "keep %x", spec.keep);
            cr_expect_eq(variants[v]->kept_axes, cases[i].kept, "keep %x", spec.keep);
            cr_expect_eq(variants[v]->reduced_axes, cases[i].reduced, "keep %x", spec.keep);
        }
        cr_expect_eq(on_cpu.p_reach, cases[i].p, "keep %x", spec.keep);
        cr_expect_eq(on_cpu.q_reach, cases[i].q, "keep %x", spec.keep);
        cr_expect_eq(on_cpu.vector_width, 16u, "keep %x", spec.keep);
        cr_expect_eq(on_cpu.strip > 1, cases[i].columns, "keep %x", spec.keep);
        cr_expect_eq(on_gpu.p_reach, cases[i].columns ? CLKL_CONTIGUOUS : cases[i].p);
        cr_expect_eq(on_gpu.q_reach, cases[i].columns ? CLKL_CONTIGUOUS : cases[i].q);
        cr_expect_eq(on_gpu.vector_width, cases[i].columns ? 1u : 4u, "keep %x", spec.keep);
    }
}

/* A value for each channel, summed along rows of the last axis and then over these. */
Test(schedule, a_program_for_values_of_several_rows_takes_columns)
{
    const clkl_spec spec = {SIZE, .rank = 4, .shape = {64, 15, 8, 32}, .p = {.form = CLKL_MOMENTS},
                            .keep = 2};
    const struct clkl_variant variant = variant_of(&spec, &wide_cpu);
    cr_expect(variant.columns);
    cr_expect_eq(variant.p_reach, CLKL_CONTIGUOUS);
    cr_expect_eq(variant.kept_axes, 1u);
    cr_expect_eq(variant.reduced_axes, 1u);
}

Test(schedule, the_short_cut_is_for_wide_cpus_and_log_scales_against_the_standard)
{
    static const struct {
        clkl_spec spec;
        bool short_cut;
    } cases[] = {
        {{BASE, .p = {.form = CLKL_MOMENTS}}, true},
        {{BASE, .p = {.form = CLKL_MEAN_LOGVAR}}, true},
        {{BASE, .p = {.form = CLKL_MEAN_LOGSTD}}, true},
        {{BASE, .p = {.form = CLKL_MEAN_VAR}}, false},
        {{BASE, .p = {.form = CLKL_MEAN_STD}}, false},
        {{BASE}, false},
        {{BASE, .p = {.form = CLKL_MOMENTS}, .q = {.form = CLKL_MOMENTS}}, false},
        {{BASE, .p = {.form = CLKL_MOMENTS, .layout = CLKL_STRIDED}}, true},
    };
    struct clkl_facts plain = wide_cpu;
    plain.prefetch_builtin = false;
    for (size_t i = 0; i < COUNT(cases); ++i) {
        const struct clkl_variant variant = variant_of(&cases[i].spec, &wide_cpu);
        cr_expect_eq(variant.short_cut, cases[i].short_cut, "case %zu", i);
        cr_expect_gt(variant.prefetch_distance, 0u, "case %zu", i);
        cr_expect_eq(variant_of(&cases[i].spec, &plain).prefetch_distance, 0u);
        cr_expect_eq(variant_of(&cases[i].spec, &plain).short_cut, cases[i].short_cut);
        cr_expect_not(variant_of(&cases[i].spec, &gpu).short_cut, "case %zu", i);
        cr_expect_eq(variant_of(&cases[i].spec, &gpu).prefetch_distance, 0u);
    }
}

static void check_short_cut(const struct clkl_facts *facts, const struct plan *plan)
{
    const struct clkl_variant *variant = &plan->variant;
    (void)facts;
    cr_assert(!variant->short_cut || variant->lanes_at_once == variant->vector_width);
    cr_assert(!variant->short_cut || variant->tile == 4 || variant->tile == 8);
}

Test(schedule, the_short_cut_computes_whole_tiles_of_vectors)
{
    for_all_plans(check_short_cut);
}

/* ---- Alignment ---- */

/* Two kept axes; what lies behind them has no meaning. */
static const struct clkl_rows even = {
    .origins = {0, 4, 0, 8},
    .kept = {.count = 2,
             .extents = {3, 5},
             .strides = {{8, 4, 3}, {8, 16, 3}, {12, 4, 3}, {0, 4, 3}}},
};

Test(schedule, aligned_pointers_need_rows_at_multiples_of_the_width)
{
    const struct clkl_variant variant = {
        .vector_width = 4, .p_scale = CLKL_SCALE_LOGVAR, .q_scale = CLKL_SCALE_VAR};
    struct clkl_variant scalar = variant, pairs = variant;
    scalar.vector_width = 1;
    pairs.vector_width = 2;
    cr_expect(clkl_variant_can_align(&variant, &even, &gpu));
    cr_expect_not(clkl_variant_can_align(&variant, &even, &wide_cpu));
    cr_expect_not(clkl_variant_can_align(&variant, &even, &lanes));
    cr_expect_not(clkl_variant_can_align(&scalar, &even, &gpu), "nothing to gain");
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        for (int which = 0; which < 3; ++which) {
            struct clkl_rows odd = even;
            *(which == 2 ? &odd.origins[operand] : &odd.kept.strides[operand][which]) += 2;
            struct clkl_variant other = variant;
            cr_expect_not(clkl_variant_can_align(&variant, &odd, &gpu), "operand %d", operand);
            cr_expect(clkl_variant_can_align(&pairs, &odd, &gpu), "operand %d", operand);
            const bool p = operand <= CLKL_P_SCALE;
            *(p ? &other.q_reach : &other.p_reach) = CLKL_SCATTERED;
            cr_expect_not(clkl_variant_can_align(&other, &odd, &gpu), "the other side's reads");
            other = variant;
            *(p ? &other.p_reach : &other.q_reach) = CLKL_SCATTERED;
            cr_expect(clkl_variant_can_align(&other, &odd, &gpu), "lanes are read one by one");
            *(p ? &other.q_scale : &other.p_scale) = CLKL_SCALE_UNIT;
            cr_expect_not(clkl_variant_can_align(&other, &even, &gpu), "nothing else is read");
        }
}

Test(schedule, runs_may_begin_anywhere)
{
    for (int q = 0; q < 2; ++q)
        for (int other = CLKL_CONTIGUOUS; other <= CLKL_SCATTERED; ++other) {
            struct clkl_variant variant = {
                .vector_width = 4, .p_scale = CLKL_SCALE_STD, .q_scale = CLKL_SCALE_LOGSTD};
            *(q != 0 ? &variant.q_reach : &variant.p_reach) = CLKL_RUNS;
            *(q != 0 ? &variant.p_reach : &variant.q_reach) = (enum clkl_reach)other;
            cr_expect_not(clkl_variant_can_align(&variant, &even, &gpu));
        }
}

Test(schedule, programs_with_aligned_pointers_by_hand)
{
    static const struct {
        clkl_spec spec;
        bool aligned;
    } cases[] = {
        {{BOX, .p = {.form = CLKL_MOMENTS}}, true},
        {{BOX, .p = {.form = CLKL_MOMENTS}, .keep = 3}, true},
        {{BOX, .p = {.form = CLKL_MOMENTS}, .keep = 7}, true},
        {{BOX, .p = {.form = CLKL_MEAN_VAR}, .keep = 7}, true},
        {{BOX, .p = {.form = CLKL_MEAN_VAR}, .keep = 2}, false}, /* runs */
        {{BOX, .p = {.form = CLKL_MEAN_VAR}, .keep = 5}, false},
        {{BOX, .p = {.form = CLKL_MEAN_VAR}, .keep = 8}, false}, /* columns */
        {{BOX, .p = {.form = CLKL_MEAN_VAR}, .keep = 15}, false},
        {{SIZE, .rank = 3, .shape = {4, 6, 7}, .p = {.form = CLKL_MOMENTS}}, false}, /* 42 */
        {{SIZE, .rank = 3, .shape = {4, 4, 6}, .p = {.form = CLKL_MEAN_VAR}}, true}, /* 24 */
        {{SIZE, .rank = 3, .shape = {4, 4, 6}, .p = {.form = CLKL_MEAN_VAR}, .keep = 3}, false},
        {{SIZE, .rank = 3, .shape = {4, 6, 8}, .p = {.form = CLKL_MEAN_VAR}, .keep = 3,
          .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_SHARED}},
         true},
        {{SIZE, .rank = 3, .shape = {4, 6, 8}, .p = {.form = CLKL_MEAN_VAR}, .keep = 3,
          .q = {.form = CLKL_MEAN_VAR,
                .layout = CLKL_STRIDED,
                .mean_strides = {0, 9, 1},
                .scale_strides = {0, 8, 1}}},
         false},
    };
    for (size_t i = 0; i < COUNT(cases); ++i) {
        const struct clkl_problem problem = made(&cases[i].spec);
        const struct plan plan = plan_make(&gpu, &problem, &automatic);
        cr_expect_eq(clkl_variant_can_align(&plan.variant, &plan.rows, &gpu), cases[i].aligned,
                     "case %zu", i);
    }
}

/* ---- Build options ---- */

/* A variant that differs from the zero one in its i-th field; false beyond the last. */
static bool variant_with(size_t i, struct clkl_variant *variant)
{
    memset(variant, 0, sizeof *variant);
    bool *const flags[] = {&variant->columns,       &variant->clamp_p,   &variant->clamp_q,
                           &variant->count_clamped, &variant->short_cut, &variant->aligned,
                           &variant->long_rows,     &variant->value,     &variant->free_nats,
                           &variant->gradient_add,  &variant->weighted,  &variant->masked,
                           &variant->fp64};
    uint32_t *const numbers[] = {&variant->kept_axes,     &variant->reduced_axes,
                                 &variant->vector_width,  &variant->tile,
                                 &variant->strip,         &variant->work_group,
                                 &variant->lanes_at_once, &variant->prefetch_distance,
                                 &variant->sums,          &variant->maps};
    clkl_dtype *const dtypes[] = {&variant->p_type, &variant->q_type, &variant->weight_dtype,
                                  &variant->gradient_dtype};
    enum clkl_scale *const scales[] = {&variant->p_scale, &variant->q_scale};
    enum clkl_reach *const reaches[] = {&variant->p_reach, &variant->q_reach,
                                        &variant->weight_reach, &variant->upstream_reach};
    if (i < COUNT(flags)) {
        *flags[i] = true;
        return true;
    }
    i -= COUNT(flags);
    if (i < COUNT(numbers)) {
        *numbers[i] = 1;
        return true;
    }
    i -= COUNT(numbers);
    if (i < COUNT(scales))
        *scales[i] = CLKL_SCALE_STD;
    else if (i < COUNT(scales) + COUNT(reaches))
        *reaches[i - COUNT(scales)] = CLKL_SCATTERED;
    else if (i < COUNT(scales) + COUNT(reaches) + COUNT(dtypes))
        *dtypes[i - COUNT(scales) - COUNT(reaches)] = CLKL_BF16;
    else
        return false;
    return true;
}

Test(schedule, no_two_variants_have_the_same_options)
{
    char options[48][CLKL_OPTIONS_SIZE];
    struct clkl_variant variant = {.p_scale = CLKL_SCALE_UNIT};
    size_t count = 0;
    clkl_variant_options(&variant, options[count++]);
    while (variant_with(count - 1, &variant))
        clkl_variant_options(&variant, options[count++]);
    cr_expect_eq(count, 34u);
    for (size_t i = 0; i < count; ++i)
        for (size_t j = 0; j < i; ++j)
            cr_expect_str_neq(options[i], options[j], "variants %zu and %zu", i, j);
}

static const struct clkl_variant numbered = {.p_scale = CLKL_SCALE_STD,
                                             .q_scale = CLKL_SCALE_LOGSTD,
                                             .p_type = CLKL_F16,
                                             .q_type = CLKL_F64,
                                             .fp64 = true,
                                             .columns = true,
                                             .p_reach = CLKL_SCATTERED,
                                             .q_reach = CLKL_RUNS,
                                             .kept_axes = 6,
                                             .reduced_axes = 5,
                                             .clamp_q = true,
                                             .vector_width = 16,
                                             .lanes_at_once = 8,
                                             .tile = 7,
                                             .strip = 32,
                                             .work_group = 64,
                                             .short_cut = true,
                                             .prefetch_distance = 768,
                                             .value = true,
                                             .sums = 5,
                                             .maps = 10,
                                             .gradient_dtype = CLKL_BF16,
                                             .gradient_add = true,
                                             .weighted = true,
                                             .weight_dtype = CLKL_F16,
                                             .weight_reach = CLKL_REPEATED,
                                             .upstream_reach = CLKL_RUNS};

Test(schedule, options_by_hand)
{
    char options[CLKL_OPTIONS_SIZE];
    static const char *const expected[] = {"-cl-std=CL1.2 ",
                                           " -DP_SCALE=4 ",
                                           " -DQ_SCALE=2 ",
                                           " -DP_TYPE=3 ",
                                           " -DQ_TYPE=2 ",
                                           " -DFP64=1 ",
                                           " -DCOLUMNS=1 ",
                                           " -DP_REACH=3 ",
                                           " -DQ_REACH=1 ",
                                           " -DKEPT_AXES=6 ",
                                           " -DREDUCED_AXES=5 ",
                                           " -DLONG_ROWS=0 ",
                                           " -DCLAMP_P=0 ",
                                           " -DCLAMP_Q=1 ",
                                           " -DCOUNT_CLAMPED=0 ",
                                           " -DVW=16 ",
                                           " -DAW=8 ",
                                           " -DTILE=7 ",
                                           " -DSTRIP=32 ",
                                           " -DWG=64 ",
                                           " -DSHORT_CUT=1 ",
                                           " -DPREFETCH_DISTANCE=768 ",
                                           " -DALIGNED=0 ",
                                           " -DVALUE=1 ",
                                           " -DSUM_MASK=5 ",
                                           " -DMAP_MASK=10 ",
                                           " -DFREE_NATS=0 ",
                                           " -DG_TYPE=4 ",
                                           " -DG_ADD=1 ",
                                           " -DWEIGHTED=1 ",
                                           " -DW_TYPE=3 ",
                                           " -DW_REACH=2 ",
                                           " -DU_REACH=1 "};
    clkl_variant_options(&numbered, options);
    cr_assert_lt(strlen(options), sizeof options - 1);
    strcat(options, " ");
    size_t length = 1;
    for (size_t i = 0; i < COUNT(expected); ++i) {
        cr_expect_not_null(strstr(options, expected[i]), "%s: no%s", options, expected[i]);
        length += strlen(expected[i]) - 1;
    }
    cr_expect_eq(strlen(options), length, "more than that: %s", options);
}

/* Whether some kernel has that line. */
static bool kernels_say(const char *line)
{
    static char text[1 << 18];
    for (const struct clkl_source *source = clkl_sources; source->name != NULL; ++source) {
        cr_assert_lt(source->size, sizeof text);
        memcpy(text, source->text, source->size);
        text[source->size] = '\0';
        if (strstr(text, line) != NULL)
            return true;
    }
    return false;
}

Test(schedule, kernels_know_every_option)
{
    char options[CLKL_OPTIONS_SIZE], line[64];
    unsigned count = 0;
    clkl_variant_options(&numbered, options);
    for (char *word = strtok(options, " "); word != NULL; word = strtok(NULL, " "))
        if (strncmp(word, "-D", 2) == 0) {
            snprintf(line, sizeof line, "#ifndef %.*s\n", (int)strcspn(word + 2, "="), word + 2);
            cr_expect(kernels_say(line), "no %s", line);
            ++count;
        }
    cr_expect_eq(count, 32u);
    snprintf(line, sizeof line, "#define CONTIGUOUS %d ", CLKL_CONTIGUOUS);
    cr_expect(kernels_say(line));
    snprintf(line, sizeof line, "#define RUNS %d ", CLKL_RUNS);
    cr_expect(kernels_say(line));
    snprintf(line, sizeof line, "#define REPEATED %d ", CLKL_REPEATED);
    cr_expect(kernels_say(line));
    snprintf(line, sizeof line, "#define SCATTERED %d\n", CLKL_SCATTERED);
    cr_expect(kernels_say(line));
    snprintf(line, sizeof line, "#define F32 %d\n#define F64 %d\n#define F16 %d\n#define BF16 %d\n",
             CLKL_F32, CLKL_F64, CLKL_F16, CLKL_BF16);
    cr_expect(kernels_say(line));
}

Test(schedule, options_fit_their_text)
{
    struct {
        char text[CLKL_OPTIONS_SIZE];
        char beyond[64];
    } options;
    struct clkl_variant variant = {.p_scale = CLKL_SCALE_STD,
                                   .q_scale = CLKL_SCALE_STD,
                                   .p_type = CLKL_BF16,
                                   .q_type = CLKL_BF16,
                                   .fp64 = true,
                                   .columns = true,
                                   .p_reach = CLKL_SCATTERED,
                                   .q_reach = CLKL_SCATTERED,
                                   .kept_axes = UINT32_MAX,
                                   .reduced_axes = UINT32_MAX,
                                   .clamp_p = true,
                                   .clamp_q = true,
                                   .count_clamped = true,
                                   .vector_width = UINT32_MAX,
                                   .tile = UINT32_MAX,
                                   .strip = UINT32_MAX,
                                   .lanes_at_once = UINT32_MAX,
                                   .work_group = UINT32_MAX,
                                   .short_cut = true,
                                   .long_rows = true,
                                   .prefetch_distance = UINT32_MAX,
                                   .aligned = true,
                                   .value = true,
                                   .sums = 15,
                                   .maps = 15,
                                   .free_nats = true,
                                   .gradient_add = true,
                                   .gradient_dtype = CLKL_BF16,
                                   .weighted = true,
                                   .masked = true,
                                   .weight_dtype = CLKL_BF16,
                                   .weight_reach = CLKL_SCATTERED,
                                   .upstream_reach = CLKL_SCATTERED};
    memset(&options, 'x', sizeof options);
    clkl_variant_options(&variant, options.text);
    cr_expect_eq(options.beyond[0], 'x');
    const char *end = memchr(options.text, '\0', sizeof options.text);
    cr_assert_not_null(end);
    cr_expect_lt(end - options.text, CLKL_OPTIONS_SIZE - 1, "the text may have been cut");
    cr_expect_not_null(strstr(options.text, " -DALIGNED=1"));
    variant.aligned = false;
    clkl_variant_options(&variant, options.text);
    cr_expect_not_null(strstr(options.text, " -DALIGNED=0"));
}
