/* The schedule: properties that hold for every device and every problem. What it chooses within
 * them is its own affair. */
#include "core/schedule.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(schedule, .timeout = 60);

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define POWER(n)     ((uint64_t)1 << (n))

enum {
    FINDINGS = 20, /* bytes of local memory for each work-item: `findings` of the kernels */
    PARTIAL = 20   /* bytes of scratch for each task: a sum, two counts, a flag */
};

static const struct clkl_tuning automatic;

/* ---- Devices and problems to go through ---- */

static const enum clkl_device_style styles[] = {CLKL_STYLE_GPU, CLKL_STYLE_WIDE_CPU,
                                                CLKL_STYLE_LANES};
static const uint32_t widths[] = {0, 1, 4, 8, 16, 64};
static const uint32_t units[] = {1, 2, 132};
static const uint64_t limits[] = {1, 16, 32, 100, 256, 4096};
static const uint64_t memories[] = {0, 1024, 16384, 65536};

#define DEVICES (COUNT(styles) * COUNT(widths) * COUNT(units) * COUNT(limits) * COUNT(memories))

static size_t next_digit(size_t *number, size_t base)
{
    const size_t digit = *number % base;
    *number /= base;
    return digit;
}

static struct clkl_facts facts_at(size_t i)
{
    struct clkl_facts facts = {.prefetch_builtin = i % 2 == 0};
    facts.style = styles[next_digit(&i, COUNT(styles))];
    facts.native_width = widths[next_digit(&i, COUNT(widths))];
    facts.compute_units = units[next_digit(&i, COUNT(units))];
    facts.max_work_group = limits[next_digit(&i, COUNT(limits))];
    facts.local_memory = memories[next_digit(&i, COUNT(memories))];
    return facts;
}

/* Lengths of a sample around everything that a schedule may care for. */
static const uint64_t lengths[] = {1,       2,         3,         15,        16,       17,
                                   255,     256,       257,       1000,      8191,     8192,
                                   16383,   16384,     16385,     32768,     32769,    65537,
                                   1000000, POWER(23), POWER(24), POWER(33), POWER(36)};
static const uint64_t batches[] = {1, 2, 3, 7, 64, 1000, 100000, POWER(15) + 1};

/* As a problem of the given keep; Q is shared. */
static struct clkl_problem problem_of(uint64_t batch, uint64_t length, uint32_t keep)
{
    const clkl_spec spec = {.struct_size = sizeof spec,
                            .rank = 2,
                            .shape = {batch, length},
                            .p = {.form = CLKL_MOMENTS},
                            .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_SHARED},
                            .keep = keep};
    struct clkl_problem problem;
    clkl_error error = {.struct_size = sizeof error};
    const clkl_status status = clkl_problem_make(&spec, &problem, &error);
    cr_assert_eq(status, CLKL_OK, "%s", error.message);
    return problem;
}

struct plan {
    struct clkl_problem problem;
    struct clkl_rows rows;
    struct clkl_variant variant;
    struct clkl_geometry geometry;
};

static struct plan planned(const struct clkl_facts *facts, const struct clkl_problem *problem,
                           const struct clkl_tuning *tuning)
{
    struct plan plan = {.problem = *problem};
    clkl_error error = {.struct_size = sizeof error};
    clkl_rows_make(problem, &plan.rows);
    memset(&plan.variant, 'x', sizeof plan.variant);
    memset(&plan.geometry, 'x', sizeof plan.geometry);
    clkl_variant_make(problem, &plan.rows, facts, tuning, &plan.variant);
    const clkl_status status =
        clkl_geometry_make(&plan.rows, &plan.variant, facts, tuning, &plan.geometry, &error);
    cr_assert_eq(status, CLKL_OK, "%s", error.message);
    return plan;
}

/* Calls `check` for every device and problem. */
static void for_all(void (*check)(const struct clkl_facts *, const struct plan *))
{
    static const uint32_t keeps[] = {1, 2, CLKL_KEEP_NONE};
    for (size_t l = 0; l < COUNT(lengths); ++l)
        for (size_t b = 0; b < COUNT(batches); ++b)
            for (size_t k = 0; k < COUNT(keeps); ++k) {
                const struct clkl_problem problem = problem_of(batches[b], lengths[l], keeps[k]);
                for (size_t i = (l + b + k) % 3; i < DEVICES; i += 3) {
                    const struct clkl_facts facts = facts_at(i);
                    const struct plan plan = planned(&facts, &problem, &automatic);
                    check(&facts, &plan);
                }
            }
}

/* ---- Properties ---- */

static bool is_power_of_two(uint64_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static bool is_ceiling(uint64_t quotient, uint64_t a, uint64_t b)
{
    return quotient == a / b + (a % b != 0);
}

static void check_variant(const struct clkl_facts *facts, const struct plan *plan)
{
    const struct clkl_variant *variant = &plan->variant;
    cr_assert(is_power_of_two(variant->vector_width));
    cr_assert_leq(variant->vector_width, 16u);
    cr_assert_leq(variant->vector_width, plan->problem.kept_axis == 1 ? 1 : plan->problem.shape[1],
                  "a vector of %u is longer than a row of one sample", variant->vector_width);
    cr_assert(is_power_of_two(variant->work_group));
    cr_assert_leq(variant->work_group, facts->max_work_group);
    cr_assert(variant->work_group == 1 ||
              (uint64_t)variant->work_group * FINDINGS <= facts->local_memory);
    cr_assert(is_power_of_two(variant->tile));
    cr_assert_eq(variant->long_rows, plan->rows.elements >= POWER(32));
    cr_assert_not(variant->aligned);
    cr_assert_eq(variant->axes, variant->p_gather || variant->q_gather ? plan->rows.axes : 1);
}

Test(schedule, a_variant_keeps_within_the_device_and_the_row)
{
    for_all(check_variant);
}

static void check_chunks(const struct clkl_facts *facts, const struct plan *plan)
{
    const struct clkl_geometry *geometry = &plan->geometry;
    const uint64_t elements = plan->rows.elements;
    (void)facts;
    cr_assert_geq(geometry->chunk, 1u);
    cr_assert(is_ceiling(geometry->chunks, elements, geometry->chunk),
              "%llu chunks of %llu for %llu elements", (unsigned long long)geometry->chunks,
              (unsigned long long)geometry->chunk, (unsigned long long)elements);
    cr_assert_leq(geometry->chunk, POWER(30), "counted in 32 bits");
    cr_assert(geometry->chunks <= 65536 || geometry->chunk == POWER(30), "too many chunks");
    cr_assert(geometry->chunks == 1 || geometry->chunk % plan->variant.vector_width == 0,
              "vectors must not straddle chunks");
    cr_assert(geometry->chunks == 1 || elements / geometry->chunks >= geometry->chunk / 2,
              "chunks of very different lengths");
    cr_assert_eq(geometry->tasks, plan->rows.rows * geometry->chunks);
}

Test(schedule, chunks_cover_each_row_exactly)
{
    for_all(check_chunks);
}

static void check_teams(const struct clkl_facts *facts, const struct plan *plan)
{
    const struct clkl_geometry *geometry = &plan->geometry;
    const uint32_t work_group = plan->variant.work_group;
    cr_assert(is_power_of_two(geometry->team));
    cr_assert_leq(geometry->team, work_group);
    cr_assert_geq(geometry->rounds, 1u);
    cr_assert(is_ceiling(geometry->groups, geometry->tasks,
                         (uint64_t)geometry->rounds * (work_group / geometry->team)),
              "%llu groups for %llu tasks", (unsigned long long)geometry->groups,
              (unsigned long long)geometry->tasks);
    cr_assert(geometry->team == 1 || geometry->team <= geometry->chunk / plan->variant.vector_width,
              "some of a team of %u have nothing to do", geometry->team);
    cr_assert(geometry->rounds == 1 || work_group == 1, "rounds are for single items");
    cr_assert(geometry->rounds == 1 || geometry->groups >= facts->compute_units,
              "rounds leave compute units idle");
}

Test(schedule, groups_are_just_enough_for_all_tasks)
{
    for_all(check_teams);
}

static void check_second_stage(const struct clkl_facts *facts, const struct plan *plan)
{
    const struct clkl_geometry *geometry = &plan->geometry;
    const uint32_t work_group = plan->variant.work_group;
    (void)facts;
    if (geometry->chunks == 1) {
        cr_assert_eq(geometry->scratch, 0u);
        cr_assert_eq(geometry->combine_groups, 0u);
        return;
    }
    cr_assert_geq(geometry->scratch, geometry->tasks * PARTIAL);
    if (plan->rows.elements < POWER(28)) /* well below the most chunks that a row may have */
        cr_assert_eq(geometry->scratch, geometry->tasks * PARTIAL);
    cr_assert(is_power_of_two(geometry->combine_team));
    cr_assert_leq(geometry->combine_team, work_group);
    if (work_group > 1 || plan->rows.rows <= (uint64_t)CLKL_WIDEST_GRID)
        cr_assert(is_ceiling(geometry->combine_groups, plan->rows.rows,
                             work_group / geometry->combine_team));
    else
        cr_assert_eq(geometry->combine_groups, (uint64_t)CLKL_WIDEST_GRID);
}

Test(schedule, a_second_stage_joins_what_was_cut)
{
    for_all(check_second_stage);
}

/* ---- Order of summation ---- */

static void expect_same_order(const struct plan *a, const struct plan *b)
{
    cr_assert_eq(a->variant.vector_width, b->variant.vector_width);
    cr_assert_eq(a->variant.lanes_at_once, b->variant.lanes_at_once);
    cr_assert_eq(a->variant.tile, b->variant.tile);
    cr_assert_eq(a->variant.work_group, b->variant.work_group);
    cr_assert_eq(a->variant.short_cut, b->variant.short_cut);
    cr_assert_eq(a->geometry.team, b->geometry.team);
    cr_assert_eq(a->geometry.chunk, b->geometry.chunk);
    cr_assert_eq(a->geometry.chunks, b->geometry.chunks);
    cr_assert_eq(a->geometry.combine_team, b->geometry.combine_team);
}

Test(schedule, the_order_within_a_row_knows_nothing_of_the_batch)
{
    for (size_t i = 0; i < DEVICES; ++i)
        for (size_t l = 0; l < COUNT(lengths); ++l) {
            struct clkl_facts facts = facts_at(i);
            struct clkl_problem problem = problem_of(1, lengths[l], 0);
            const struct plan one = planned(&facts, &problem, &automatic);
            for (size_t b = 1; b < COUNT(batches); ++b) {
                problem = problem_of(batches[b], lengths[l], 0);
                const struct plan many = planned(&facts, &problem, &automatic);
                expect_same_order(&one, &many);
            }
            facts.compute_units = 77;
            const struct plan busier = planned(&facts, &problem, &automatic);
            expect_same_order(&one, &busier);
        }
}

Test(schedule, short_rows_share_a_group_where_items_are_loops)
{
    const struct clkl_facts facts = {.style = CLKL_STYLE_WIDE_CPU,
                                     .native_width = 16,
                                     .compute_units = 4,
                                     .max_work_group = 4096,
                                     .local_memory = 65536};
    struct clkl_problem problem = problem_of(100000, 16, 0);
    cr_expect_gt(planned(&facts, &problem, &automatic).geometry.rounds, 100u);
    problem = problem_of(4, 16, 0);
    cr_expect_eq(planned(&facts, &problem, &automatic).geometry.rounds, 1u);
    problem = problem_of(100, POWER(20), 0);
    cr_expect_eq(planned(&facts, &problem, &automatic).geometry.rounds, 1u);
}

Test(schedule, grids_of_single_items_have_a_widest)
{
    const struct clkl_facts facts = {.style = CLKL_STYLE_WIDE_CPU,
                                     .native_width = 16,
                                     .compute_units = 4,
                                     .max_work_group = 4096,
                                     .local_memory = 65536};
    struct clkl_problem problem = problem_of(POWER(40), POWER(10), 0);
    const struct clkl_geometry many = planned(&facts, &problem, &automatic).geometry;
    cr_expect_leq(many.groups, (uint64_t)CLKL_WIDEST_GRID);
    cr_expect_geq(many.groups * many.rounds, many.tasks);
    problem = problem_of(100000, POWER(20), 0);
    const struct clkl_geometry two = planned(&facts, &problem, &automatic).geometry;
    cr_expect_leq(two.groups, (uint64_t)CLKL_WIDEST_GRID);
    cr_expect_leq(two.combine_groups, (uint64_t)CLKL_WIDEST_GRID);
}

Test(schedule, short_rows_share_a_group_where_items_are_threads)
{
    const struct clkl_facts facts = {.style = CLKL_STYLE_GPU,
                                     .compute_units = 132,
                                     .max_work_group = 1024,
                                     .local_memory = 65536};
    struct clkl_problem problem = problem_of(100000, 3, 0);
    struct plan plan = planned(&facts, &problem, &automatic);
    cr_expect_geq(plan.variant.work_group / plan.geometry.team, 64u);
    problem = problem_of(2, POWER(24), 0);
    plan = planned(&facts, &problem, &automatic);
    cr_expect_eq(plan.geometry.team, plan.variant.work_group, "long rows take whole groups");
    cr_expect_geq(plan.geometry.groups, 132u, "and enough of them");
}

/* ---- Huge rows ---- */

static struct clkl_rows rows_of(uint64_t rows, uint64_t elements)
{
    return (struct clkl_rows){.rows = rows,
                              .elements = elements,
                              .axes = 1,
                              .extents = {elements},
                              .p_contiguous = true,
                              .q_contiguous = true};
}

/* The status of a geometry for made-up rows, in work-groups of `work_group`. */
static clkl_status geometry_of(const struct clkl_rows *rows, uint32_t work_group,
                               struct clkl_geometry *geometry, clkl_error *error)
{
    const struct clkl_facts facts = {.style = CLKL_STYLE_GPU, .compute_units = 16};
    const struct clkl_variant variant = {.vector_width = 4, .work_group = work_group};
    return clkl_geometry_make(rows, &variant, &facts, &automatic, geometry, error);
}

Test(schedule, huge_rows_are_cut_into_few_chunks)
{
    static const uint64_t sizes[] = {POWER(40), POWER(40) + 1, POWER(45),
                                     POWER(46), POWER(56) - 1, POWER(56)};
    for (size_t i = 0; i < COUNT(sizes); ++i) {
        const struct clkl_rows rows = rows_of(3, sizes[i]);
        struct clkl_geometry geometry;
        cr_assert_eq(geometry_of(&rows, 256, &geometry, NULL), CLKL_OK);
        cr_expect(is_ceiling(geometry.chunks, sizes[i], geometry.chunk), "2^%zu", i);
        cr_expect(geometry.chunks <= 65536 || geometry.chunk == POWER(30), "2^%zu", i);
        cr_expect_leq(geometry.chunk, POWER(30));
        cr_expect_eq(geometry.tasks, 3 * (uint64_t)geometry.chunks);
        cr_expect_geq(geometry.scratch, geometry.tasks * PARTIAL);
    }
}

/* A smaller batch than planned must do with the scratch that was planned. */
Test(schedule, shorter_rows_need_no_more_scratch)
{
    uint64_t before = 0;
    for (uint64_t batch = 1000; batch < 2200; ++batch) {
        const struct clkl_rows rows = rows_of(1, batch << 20);
        struct clkl_geometry geometry;
        cr_assert_eq(geometry_of(&rows, 256, &geometry, NULL), CLKL_OK);
        cr_expect_geq(geometry.scratch, before, "batch %u", (unsigned)batch);
        before = geometry.scratch;
    }
}

Test(schedule, what_no_launch_can_count_is_refused)
{
    static const struct {
        uint64_t rows, elements;
        uint32_t work_group;
        const char *says;
    } cases[] = {
        {1, POWER(62), 256, "too many elements"},
        {1, POWER(62) - 1, 256, "too many elements"},
        {POWER(59), 1, 256, "too many rows"},
        {POWER(50), POWER(40), 256, "too many rows"},
        {POWER(57), POWER(14), 256, "too many rows for one launch"},
    };
    for (size_t i = 0; i < COUNT(cases); ++i) {
        const struct clkl_rows rows = rows_of(cases[i].rows, cases[i].elements);
        struct clkl_geometry geometry;
        clkl_error error = {.struct_size = sizeof error};
        cr_expect_eq(geometry_of(&rows, cases[i].work_group, &geometry, &error), CLKL_UNSUPPORTED,
                     "case %zu", i);
        cr_expect_not_null(strstr(error.message, cases[i].says), "%s", error.message);
    }
    struct clkl_rows rows = rows_of(POWER(58) - 1, 1);
    struct clkl_geometry geometry;
    cr_expect_eq(geometry_of(&rows, 1, &geometry, NULL), CLKL_OK);
    rows = rows_of(1, POWER(62) - POWER(31));
    cr_expect_eq(geometry_of(&rows, 256, &geometry, NULL), CLKL_OK);
    cr_expect(is_ceiling(geometry.chunks, rows.elements, geometry.chunk));
}

/* ---- Tuning ---- */

Test(schedule, tests_can_choose)
{
    const struct clkl_problem problem = problem_of(100, 10000, 0);
    const struct clkl_tuning teams = {
        .vector_width = 2, .tile = 16, .work_group = 8, .team = 4, .chunk = 1024};
    const struct clkl_tuning rounds = {.work_group = 1, .chunk = 1024, .rounds = 3};
    for (size_t i = 0; i < DEVICES; ++i) {
        const struct clkl_facts facts = facts_at(i);
        struct plan plan = planned(&facts, &problem, &teams);
        cr_assert_eq(plan.variant.vector_width, 2u);
        cr_assert_eq(plan.variant.tile, 16u);
        cr_assert_eq(plan.variant.work_group, 8u);
        cr_assert_eq(plan.geometry.team, 4u);
        cr_assert_eq(plan.geometry.chunk, 1024u);
        cr_assert_eq(plan.geometry.chunks, 10u);
        cr_assert_eq(plan.geometry.tasks, 1000u);
        cr_assert_eq(plan.geometry.groups, 500u, "1000 tasks for 2 teams");
        plan = planned(&facts, &problem, &rounds);
        cr_assert_eq(plan.geometry.rounds, 3u);
        cr_assert_eq(plan.geometry.groups, 334u, "1000 tasks in 3 rounds");
    }
}

Test(schedule, tests_can_cut_chunks_of_any_length)
{
    static const uint64_t chunks[] = {1, 3, 100, 256, 300, 9999, 10000, 10001};
    const struct clkl_problem problem = problem_of(1, 10000, 0);
    const struct clkl_facts facts = facts_at(0);
    for (size_t i = 0; i < COUNT(chunks); ++i) {
        const struct clkl_tuning tuning = {.chunk = chunks[i]};
        const struct plan plan = planned(&facts, &problem, &tuning);
        cr_expect_leq(plan.geometry.chunk, chunks[i]);
        cr_expect(is_ceiling(plan.geometry.chunks, 10000, plan.geometry.chunk));
    }
}

/* ---- Kinds of programs ---- */

static struct clkl_variant variant_of(const clkl_spec *spec, const struct clkl_facts *facts)
{
    struct clkl_problem problem;
    struct clkl_rows rows;
    struct clkl_variant variant;
    cr_assert_eq(clkl_problem_make(spec, &problem, NULL), CLKL_OK);
    clkl_rows_make(&problem, &rows);
    clkl_variant_make(&problem, &rows, facts, &automatic, &variant);
    return variant;
}

static const struct clkl_facts wide_cpu = {.style = CLKL_STYLE_WIDE_CPU,
                                           .prefetch_builtin = true,
                                           .native_width = 16,
                                           .compute_units = 4,
                                           .max_work_group = 4096,
                                           .local_memory = 65536};
static const struct clkl_facts gpu = {.style = CLKL_STYLE_GPU,
                                      .prefetch_builtin = true,
                                      .native_width = 1,
                                      .compute_units = 4,
                                      .max_work_group = 1024,
                                      .local_memory = 65536};

#define BASE .struct_size = sizeof(clkl_spec), .rank = 2, .shape = {4, 64}

Test(schedule, a_program_follows_the_problem)
{
    static const clkl_spec spec = {BASE, .p = {.form = CLKL_MEAN_LOGVAR},
                                   .q = {.form = CLKL_MEAN_STD, .layout = CLKL_STRIDED},
                                   .clamp = CLKL_CLAMP, .outputs = CLKL_OUTPUT_CLAMP_COUNTS};
    const struct clkl_variant variant = variant_of(&spec, &wide_cpu);
    cr_expect_eq(variant.p_scale, CLKL_SCALE_LOGVAR);
    cr_expect_eq(variant.q_scale, CLKL_SCALE_STD);
    cr_expect_not(variant.p_gather);
    cr_expect(variant.q_gather);
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

Test(schedule, aligned_pointers_need_rows_at_multiples_of_the_width)
{
    const struct clkl_rows even = {.row_strides = {8, 8, 12, 4}, .origins = {0, 4, 0, 8}};
    const struct clkl_variant variant = {.vector_width = 4};
    const struct clkl_variant scalar = {.vector_width = 1};
    cr_expect(clkl_variant_can_align(&variant, &even, &gpu));
    cr_expect_not(clkl_variant_can_align(&variant, &even, &wide_cpu));
    cr_expect_not(clkl_variant_can_align(&scalar, &even, &gpu), "nothing to gain");
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        for (int origin = 0; origin < 2; ++origin) {
            struct clkl_rows odd = even;
            *(origin ? &odd.origins[operand] : &odd.row_strides[operand]) += 2;
            struct clkl_variant gathering = variant;
            cr_expect_not(clkl_variant_can_align(&variant, &odd, &gpu), "operand %d", operand);
            gathering.p_gather = operand > CLKL_P_SCALE;
            gathering.q_gather = !gathering.p_gather;
            cr_expect_not(clkl_variant_can_align(&gathering, &odd, &gpu), "operand %d", operand);
            gathering.p_gather = !gathering.p_gather;
            gathering.q_gather = !gathering.q_gather;
            cr_expect(clkl_variant_can_align(&gathering, &odd, &gpu), "operand %d", operand);
        }
}

/* ---- Build options ---- */

/* A variant that differs from the zero one in its i-th field; false beyond the last. */
static bool variant_with(size_t i, struct clkl_variant *variant)
{
    memset(variant, 0, sizeof *variant);
    bool *const flags[] = {&variant->p_gather, &variant->q_gather,      &variant->clamp_p,
                           &variant->clamp_q,  &variant->count_clamped, &variant->short_cut,
                           &variant->aligned,  &variant->long_rows};
    uint32_t *const numbers[] = {&variant->axes,          &variant->vector_width,
                                 &variant->tile,          &variant->work_group,
                                 &variant->lanes_at_once, &variant->prefetch_distance};
    if (i < COUNT(flags))
        *flags[i] = true;
    else if (i < COUNT(flags) + COUNT(numbers))
        *numbers[i - COUNT(flags)] = 1;
    else if (i == COUNT(flags) + COUNT(numbers))
        variant->p_scale = CLKL_SCALE_STD;
    else if (i == COUNT(flags) + COUNT(numbers) + 1)
        variant->q_scale = CLKL_SCALE_STD;
    else
        return false;
    return true;
}

Test(schedule, no_two_variants_have_the_same_options)
{
    char options[32][CLKL_OPTIONS_SIZE];
    struct clkl_variant variant = {.p_scale = CLKL_SCALE_UNIT};
    size_t count = 0;
    clkl_variant_options(&variant, options[count++]);
    while (variant_with(count - 1, &variant))
        clkl_variant_options(&variant, options[count++]);
    cr_expect_eq(count, 17u);
    for (size_t i = 0; i < count; ++i)
        for (size_t j = 0; j < i; ++j)
            cr_expect_str_neq(options[i], options[j], "variants %zu and %zu", i, j);
}

Test(schedule, options_fit_their_text)
{
    struct {
        char text[CLKL_OPTIONS_SIZE];
        char beyond[64];
    } options;
    struct clkl_variant variant = {.p_scale = CLKL_SCALE_STD,
                                   .q_scale = CLKL_SCALE_STD,
                                   .p_gather = true,
                                   .q_gather = true,
                                   .axes = UINT32_MAX,
                                   .clamp_p = true,
                                   .clamp_q = true,
                                   .count_clamped = true,
                                   .vector_width = UINT32_MAX,
                                   .tile = UINT32_MAX,
                                   .lanes_at_once = UINT32_MAX,
                                   .work_group = UINT32_MAX,
                                   .short_cut = true,
                                   .long_rows = true,
                                   .prefetch_distance = UINT32_MAX,
                                   .aligned = true};
    memset(&options, 'x', sizeof options);
    clkl_variant_options(&variant, options.text);
    cr_expect_eq(options.beyond[0], 'x');
    const char *end = memchr(options.text, '\0', sizeof options.text);
    cr_assert_not_null(end);
    cr_expect_lt(end - options.text, CLKL_OPTIONS_SIZE - 1, "the text may have been cut");
    cr_expect_not_null(strstr(options.text, "-cl-std=CL1.2 "));
    const char *aligned = strstr(options.text, " -DALIGNED=1");
    cr_assert_not_null(aligned, "%s", options.text);
    variant.aligned = false;
    clkl_variant_options(&variant, options.text);
    cr_expect_not_null(strstr(options.text, " -DALIGNED=0"));
}
