/* How the rows of a call are dealt out: that nothing is left out or done twice, that the order of
 * sums knows nothing of the batch, that scratch is enough. */
#include "core/plans.h"

#include <stdlib.h>
#include <string.h>

TestSuite(row_geometry, .timeout = 120);

enum { PARTIAL = 20 /* bytes of scratch for a chunk of a row: a sum, two counts, a flag */ };

/* ---- Properties ---- */

static uint64_t divide_up(uint64_t a, uint64_t b)
{
    return a / b + (a % b != 0);
}

/* Rows that a task takes. */
static uint64_t block_of(const struct plan *plan)
{
    const struct clkl_variant *variant = &plan->variant;
    if (!variant->columns)
        return 1;
    return (uint64_t)variant->work_group / plan->geometry.team * variant->strip *
           variant->vector_width;
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
    cr_assert(geometry->chunks == 1 || elements / geometry->chunks >= geometry->chunk / 2,
              "chunks of very different lengths");
    cr_assert_eq(geometry->tasks, divide_up(plan->rows.rows, block_of(plan)) * geometry->chunks);
    if (plan->variant.columns) {
        cr_assert_leq(geometry->chunks, 65536u, "too many chunks");
        cr_assert(geometry->chunks == 1 || geometry->chunk >= (uint64_t)32 * geometry->team,
                  "too little for each of a team");
        return;
    }
    cr_assert_leq(geometry->chunk, POWER(30), "counted in 32 bits");
    cr_assert(geometry->chunks <= 65536 || elements > POWER(46), "too many chunks");
    cr_assert(geometry->chunks == 1 || geometry->chunk % plan->variant.vector_width == 0,
              "vectors must not straddle chunks");
}

Test(row_geometry, chunks_cover_each_row_exactly)
{
    for_all_plans(check_chunks);
}

/* Elements that a task deals out to its team, in the units in which it does so. */
static uint64_t shares(const struct plan *plan)
{
    return plan->variant.columns ? plan->geometry.chunk
                                 : plan->geometry.chunk / plan->variant.vector_width;
}

static void check_teams(const struct clkl_facts *facts, const struct plan *plan)
{
    const struct clkl_geometry *geometry = &plan->geometry;
    const uint32_t work_group = plan->variant.work_group;
    const uint64_t teams = plan->variant.columns ? 1 : work_group / geometry->team;
    const uint64_t rows_of_task =
        block_of(plan) < plan->rows.rows ? block_of(plan) : plan->rows.rows;
    cr_assert(is_power_of_two(geometry->team));
    cr_assert_leq(geometry->team, work_group);
    cr_assert_geq(geometry->rounds, 1u);
    cr_assert(is_ceiling(geometry->groups, geometry->tasks, geometry->rounds * teams),
              "%llu groups for %llu tasks", (unsigned long long)geometry->groups,
              (unsigned long long)geometry->tasks);
    cr_assert(geometry->team == 1 || geometry->team <= shares(plan),
              "some of a team of %u have nothing to do", geometry->team);
    cr_assert(geometry->rounds == 1 || work_group == 1, "rounds are for single items");
    cr_assert(work_group > 1 || geometry->rounds == UINT32_MAX ||
                  geometry->groups <= CLKL_WIDEST_GRID,
              "wider than the grid that plans begin with");
    cr_assert(work_group > 1 || geometry->combine_rounds == UINT32_MAX ||
                  geometry->combine_groups <= CLKL_WIDEST_GRID,
              "wider than the grid that plans begin with");
    cr_assert(geometry->rounds == 1 || geometry->groups >= facts->compute_units,
              "rounds leave compute units idle");
    cr_assert_eq(geometry->work, rows_of_task * geometry->chunk);
}

Test(row_geometry, groups_are_just_enough_for_all_tasks)
{
    for_all_plans(check_teams);
}

/* Work-items that are neighbours take neighbouring rows, as long as a sample has so many: the team
 * is what is left of the work-group. */
static void check_slots(const struct clkl_facts *facts, const struct plan *plan)
{
    const uint64_t slots = plan->variant.work_group / plan->geometry.team;
    (void)facts;
    if (plan->variant.columns)
        cr_assert(slots >= plan->rows.rows_of_sample || plan->geometry.team == 1,
                  "a team of %u where there are %llu rows", plan->geometry.team,
                  (unsigned long long)plan->rows.rows_of_sample);
}

Test(row_geometry, columns_come_before_teams)
{
    for_all_plans(check_slots);
}

static void check_second_stage(const struct clkl_facts *facts, const struct plan *plan)
{
    const struct clkl_geometry *geometry = &plan->geometry;
    const uint64_t parts = plan->rows.rows * geometry->chunks;
    (void)facts;
    if (geometry->chunks == 1 && plan->rows.rows_of_value == 1) {
        cr_assert_eq(geometry->scratch, 0u);
        cr_assert_eq(geometry->combine_groups, 0u);
        return;
    }
    cr_assert_geq(geometry->scratch, parts * PARTIAL);
    cr_assert_leq(geometry->scratch, 2 * parts * PARTIAL, "much more than is needed");
    cr_assert(is_power_of_two(geometry->combine_team));
    cr_assert_leq(geometry->combine_team, plan->variant.work_group);
    cr_assert_geq(geometry->combine_rounds, 1u);
    cr_assert(geometry->combine_team == 1 ||
                  geometry->combine_team <= geometry->chunks * plan->rows.rows_of_value,
              "some of a team of %u have nothing to join", geometry->combine_team);
    cr_assert(is_ceiling(geometry->combine_groups, clkl_problem_result_count(&plan->problem),
                         combined_at_once(plan)));
}

Test(row_geometry, a_second_stage_joins_what_was_cut)
{
    for_all_plans(check_second_stage);
}

/* ---- Order of summation ---- */

static void expect_same_order(const struct plan *a, const struct plan *b)
{
    cr_assert_eq(a->variant.columns, b->variant.columns);
    cr_assert(a->variant.columns || a->variant.vector_width == b->variant.vector_width);
    cr_assert(a->variant.columns || a->variant.lanes_at_once == b->variant.lanes_at_once);
    cr_assert_eq(a->variant.tile, b->variant.tile);
    cr_assert_eq(a->variant.work_group, b->variant.work_group);
    cr_assert_eq(a->variant.short_cut, b->variant.short_cut);
    cr_assert_eq(a->geometry.team, b->geometry.team);
    cr_assert_eq(a->geometry.chunk, b->geometry.chunk);
    cr_assert_eq(a->geometry.chunks, b->geometry.chunks);
    cr_assert_eq(a->geometry.combine_team, b->geometry.combine_team);
}

/* Where the batch is kept. Lanes of columns belong to rows of their own: their number is free, and
 * so is everything for sums of one element. */
Test(row_geometry, the_order_within_a_row_knows_nothing_of_the_batch)
{
    static const uint64_t lasts[] = {1, 2, 3, 15, 16, 17, 255, 257, 513, 8192, 32769, 1000000};
    static const uint64_t middles[] = {1, 2, 3, 64, 257, 70000};
    static const uint64_t batches[] = {1, 2, 3, 7, 64, 1000, 100000};
    for (size_t i = 0; i < device_count; i += 5)
        for (size_t s = 0; s < COUNT(lasts) * COUNT(middles) * 4; ++s) {
            struct clkl_facts facts = device_at(i);
            const uint32_t keep = 1 + 2 * (uint32_t)(s % 4);
            const uint64_t last = lasts[s / 4 % COUNT(lasts)];
            const uint64_t middle = middles[s / 4 / COUNT(lasts)];
            struct clkl_problem problem = problem_of(1, middle, last, keep);
            const struct plan one = plan_make(&facts, &problem, &automatic);
            if (one.rows.elements == 1)
                continue;
            const size_t b = 1 + (i + s) % (COUNT(batches) - 1);
            problem = problem_of(batches[b], middle, last, keep);
            const struct plan many = plan_make(&facts, &problem, &automatic);
            expect_same_order(&one, &many);
            const struct plan fewer = plan_with_batch(&many, batches[b - 1], &facts, &automatic);
            expect_same_order(&one, &fewer);
            facts.compute_units = 77;
            const struct plan busier = plan_make(&facts, &problem, &automatic);
            expect_same_order(&one, &busier);
        }
}

Test(row_geometry, sums_of_one_element_have_no_order)
{
    for (size_t i = 0; i < device_count; ++i)
        for (uint32_t keep = 1; keep < 8; keep += 2) {
            const struct clkl_facts facts = device_at(i);
            const struct clkl_problem problem = problem_of(1 + i, 1, 1, keep);
            const struct plan plan = plan_make(&facts, &problem, &automatic);
            cr_assert_eq(plan.geometry.chunks, 1u);
            cr_assert_eq(plan.geometry.team, 1u);
            cr_assert_eq(plan.geometry.combine_groups, 0u);
        }
}

/* ---- A smaller batch ---- */

static void expect_scratch(const struct plan *planned, const struct clkl_facts *facts,
                           uint64_t step)
{
    const uint64_t batch = planned->problem.shape[0];
    for (uint64_t fewer = 1; fewer < batch; fewer += 1 + fewer / step) {
        const struct plan plan = plan_with_batch(planned, fewer, facts, &automatic);
        const bool joined = plan.geometry.chunks > 1 || plan.rows.rows_of_value > 1;
        const uint64_t parts = joined ? plan.rows.rows * plan.geometry.chunks * PARTIAL : 0;
        cr_assert_geq(plan.geometry.scratch, parts);
        cr_assert_leq(plan.geometry.scratch, planned->geometry.scratch,
                      "batch %u of %u, keep 0x%x of [%u,%u]: %llu bytes of scratch, not %llu",
                      (unsigned)fewer, (unsigned)batch, planned->problem.kept,
                      (unsigned)planned->problem.shape[1], (unsigned)planned->problem.shape[2],
                      (unsigned long long)plan.geometry.scratch,
                      (unsigned long long)planned->geometry.scratch);
    }
}

/* It must do with the scratch that was planned. */
Test(row_geometry, a_smaller_batch_needs_no_more_scratch)
{
    static const uint64_t middles[] = {1, 3, 200};
    static const uint64_t lasts[] = {1, 2, 16, 100, 600, 5000, 40000};
    static const uint64_t batches[] = {900, 20011, 300000};
    for (size_t s = 0; s < COUNT(middles) * COUNT(lasts) * COUNT(batches) * 8; ++s) {
        const uint32_t keep = s % 8 == 0 ? CLKL_KEEP_NONE : (uint32_t)s % 8;
        const struct clkl_problem problem = problem_of(
            batches[s / 8 % COUNT(batches)], middles[s / 8 / COUNT(batches) % COUNT(middles)],
            lasts[s / 8 / COUNT(batches) / COUNT(middles)], keep);
        for (size_t i = s % 19; i < device_count; i += 151) {
            const struct clkl_facts facts = device_at(i);
            const struct plan planned = plan_make(&facts, &problem, &automatic);
            expect_scratch(&planned, &facts, 100);
        }
    }
}

Test(row_geometry, not_even_one_that_is_smaller_by_little)
{
    const struct clkl_facts *const devices[] = {&wide_cpu, &gpu, &lanes};
    for (uint64_t batch = 900; batch < 40000; batch += 997)
        for (uint32_t keep = 2; keep <= 8; keep += 2)
            for (size_t d = 0; d < COUNT(devices); ++d) {
                const struct clkl_problem problem =
                    problem_of(batch, 3, 5, keep == 8 ? CLKL_KEEP_NONE : keep);
                const struct plan planned = plan_make(devices[d], &problem, &automatic);
                expect_scratch(&planned, devices[d], POWER(40));
            }
}

/* ---- Shapes that should be fast ---- */

Test(row_geometry, short_rows_share_a_group_where_items_are_loops)
{
    struct clkl_problem problem = problem_of(100000, 1, 16, 1);
    cr_expect_gt(plan_make(&wide_cpu, &problem, &automatic).geometry.rounds, 100u);
    problem = problem_of(4, 1, 16, 1);
    cr_expect_eq(plan_make(&wide_cpu, &problem, &automatic).geometry.rounds, 1u);
    problem = problem_of(100, 1, POWER(20), 1);
    cr_expect_eq(plan_make(&wide_cpu, &problem, &automatic).geometry.rounds, 1u);
}

Test(row_geometry, short_rows_share_a_group_where_items_are_threads)
{
    struct clkl_problem problem = problem_of(100000, 1, 3, 1);
    struct plan plan = plan_make(&gpu, &problem, &automatic);
    cr_expect_geq(plan.variant.work_group / plan.geometry.team, 64u);
    problem = problem_of(2, 1, POWER(24), 1);
    plan = plan_make(&gpu, &problem, &automatic);
    cr_expect_eq(plan.geometry.team, plan.variant.work_group, "long rows take whole groups");
    cr_expect_geq(plan.geometry.groups, 132u, "and enough of them");
}

/* The gradient of a bias, say: few columns, tall ones. */
Test(row_geometry, few_tall_columns_are_cut)
{
    const struct clkl_facts *const devices[] = {&wide_cpu, &gpu, &lanes};
    for (size_t d = 0; d < COUNT(devices); ++d) {
        const struct clkl_problem problem = problem_of(POWER(22), 1, 4, 4);
        const struct plan plan = plan_make(devices[d], &problem, &automatic);
        cr_expect(plan.variant.columns);
        cr_expect_geq(plan.geometry.groups, devices[d]->compute_units, "device %zu", d);
        cr_expect_eq(plan.geometry.team,
                     plan.variant.work_group == 1 ? 1 : plan.variant.work_group / 4,
                     "device %zu: all of a work-group has something to do", d);
    }
}

Test(row_geometry, many_columns_are_not_cut)
{
    const struct clkl_facts *const devices[] = {&wide_cpu, &gpu, &lanes};
    for (size_t d = 0; d < COUNT(devices); ++d) {
        const struct clkl_problem problem = problem_of(64, 4, POWER(20), 6);
        const struct plan plan = plan_make(devices[d], &problem, &automatic);
        cr_expect_eq(plan.geometry.chunks, 1u, "device %zu", d);
        cr_expect_eq(plan.geometry.team, 1u, "device %zu", d);
    }
}

/* ---- Huge rows ---- */

static struct clkl_rows rows_of(uint64_t rows, uint64_t elements)
{
    return (struct clkl_rows){.rows = rows,
                              .rows_of_sample = rows,
                              .rows_of_value = 1,
                              .elements = elements,
                              .kept = {.count = 1, .extents = {rows}},
                              .reduced = {.count = 1, .extents = {elements}}};
}

/* The status of a geometry for made-up rows, in work-groups of `work_group`. */
static clkl_status geometry_of(const struct clkl_rows *rows, uint32_t work_group,
                               struct clkl_geometry *geometry, clkl_error *error)
{
    const struct clkl_facts facts = {.style = CLKL_STYLE_GPU, .compute_units = 16};
    const struct clkl_variant variant = {
        .value = true, .vector_width = 4, .lanes_at_once = 1, .strip = 1, .work_group = work_group};
    return clkl_geometry_make(rows, &variant, &facts, &automatic, geometry, error);
}

Test(row_geometry, huge_rows_are_cut_into_few_chunks)
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

Test(row_geometry, shorter_rows_need_no_more_scratch)
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

Test(row_geometry, what_no_launch_can_count_is_refused)
{
    static const struct {
        uint64_t rows, elements;
        uint32_t work_group;
        const char *says;
    } cases[] = {
        {1, POWER(62), 256, "too many elements"},
        {1, POWER(62) - 1, 256, "too many elements"},
        {POWER(42), 1, 256, "too many rows"},
        {POWER(59), 1, 1, "too many rows"},
    };
    for (size_t i = 0; i < COUNT(cases); ++i) {
        const struct clkl_rows rows = rows_of(cases[i].rows, cases[i].elements);
        struct clkl_geometry geometry;
        clkl_error error = {.struct_size = sizeof error};
        cr_expect_eq(geometry_of(&rows, cases[i].work_group, &geometry, &error), CLKL_UNSUPPORTED,
                     "case %zu", i);
        cr_expect_not_null(strstr(error.message, cases[i].says), "%s", error.message);
    }
    struct clkl_rows rows = rows_of(POWER(42) - 1, 1);
    struct clkl_geometry geometry;
    cr_expect_eq(geometry_of(&rows, 1, &geometry, NULL), CLKL_OK);
    rows = rows_of(1, POWER(62) - POWER(31));
    cr_expect_eq(geometry_of(&rows, 256, &geometry, NULL), CLKL_OK);
    cr_expect(is_ceiling(geometry.chunks, rows.elements, geometry.chunk));
}

/* ---- Devices that stop loops ---- */

/* What a work-item goes through in either stage. */
static void expect_short_loops(const struct plan *plan)
{
    const struct clkl_geometry *geometry = &plan->geometry;
    const uint64_t strip =
        plan->variant.columns ? (uint64_t)plan->variant.strip * plan->variant.vector_width : 1;
    const uint64_t share = divide_up(geometry->chunk, geometry->team) * strip;
    cr_assert_leq(share * geometry->rounds, 4096u);
    if (geometry->combine_groups == 0)
        return;
    const uint64_t parts = plan->rows.rows_of_value * geometry->chunks;
    const uint64_t at_once = plan->variant.work_group == 1 ? combined_at_once(plan) : 1;
    cr_assert_leq(divide_up(parts, geometry->combine_team) * at_once, 16384u);
}

/* With the schedule's choices and with such as make loops long. */
Test(row_geometry, loops_end_before_they_are_stopped)
{
    static const struct clkl_tuning tunings[] = {
        {0}, {.work_group = 1, .rounds = 100}, {.work_group = 16, .team = 1}, {.chunk = 100000}};
    struct clkl_facts facts = lanes;
    size_t planned = 0;
    facts.loop_limit = 65535;
    for (size_t p = 0; p < problem_count; ++p) {
        struct clkl_problem problem;
        if (!problem_at(p, &problem))
            continue;
        const struct clkl_pass pass = {.problem = problem, .value = true};
        const struct clkl_tuning *tuning = &tunings[p % COUNT(tunings)];
        struct plan plan = {.problem = problem};
        clkl_error error = {.struct_size = sizeof error};
        clkl_rows_make(&problem, &plan.rows);
        clkl_variant_make(&pass, &plan.rows, &facts, tuning, &plan.variant);
        const clkl_status status =
            clkl_geometry_make(&plan.rows, &plan.variant, &facts, tuning, &plan.geometry, &error);
        cr_assert(status == CLKL_OK ||
                      (status == CLKL_UNSUPPORTED && strstr(error.message, "65535 iterations")),
                  "%s", error.message);
        cr_assert(status == CLKL_OK || plan.rows.elements * plan.rows.rows_of_value > 16384);
        if (status != CLKL_OK)
            continue;
        expect_short_loops(&plan);
        ++planned;
    }
    cr_expect_gt(planned, problem_count / 4, "only %zu of %zu", planned, problem_count);
}

/* ---- Tuning ---- */

Test(row_geometry, tests_can_choose)
{
    const struct clkl_problem along = problem_of(100, 1, 10000, 1);
    const struct clkl_problem across = problem_of(10000, 1, 100, 4);
    const struct clkl_tuning teams = {
        .vector_width = 2, .tile = 16, .work_group = 8, .team = 4, .chunk = 1024};
    const struct clkl_tuning rounds = {
        .vector_width = 2, .work_group = 1, .chunk = 1024, .rounds = 3};
    for (size_t i = 0; i < device_count; ++i) {
        const struct clkl_facts facts = device_at(i);
        struct plan plan = plan_make(&facts, &along, &teams);
        cr_assert_eq(plan.variant.vector_width, 2u);
        cr_assert_eq(plan.variant.tile, 16u);
        cr_assert_eq(plan.variant.work_group, 8u);
        cr_assert_eq(plan.geometry.team, 4u);
        cr_assert_eq(plan.geometry.chunk, 1024u);
        cr_assert_eq(plan.geometry.chunks, 10u);
        cr_assert_eq(plan.geometry.tasks, 1000u);
        cr_assert_eq(plan.geometry.groups, 500u, "1000 tasks for 2 teams");
        plan = plan_make(&facts, &along, &rounds);
        cr_assert_eq(plan.geometry.rounds, 3u);
        cr_assert_eq(plan.geometry.groups, 334u, "1000 tasks in 3 rounds");
        plan = plan_make(&facts, &across, &teams);
        cr_assert_eq(plan.variant.vector_width, 1u, "as work-groups of several take columns");
        cr_assert_eq(plan.geometry.chunk, 1024u);
        cr_assert_eq(plan.geometry.groups, 500u, "50 pairs of columns, 10 chunks of each");
        plan = plan_make(&facts, &across, &rounds);
        cr_assert_eq(plan.variant.vector_width, 2u);
        cr_assert_eq(plan.variant.lanes_at_once, 2u, "each belongs to a row of its own");
        cr_assert_eq(plan.geometry.tasks, 10 * divide_up(100, plan.variant.strip * 2));
        cr_assert(is_ceiling(plan.geometry.groups, plan.geometry.tasks, 3));
    }
}

Test(row_geometry, tests_can_cut_chunks_of_any_length)
{
    static const uint64_t chunks[] = {1, 3, 100, 256, 300, 9999, 10000, 10001};
    for (int columns = 0; columns < 2; ++columns)
        for (size_t i = 0; i < COUNT(chunks) * 3; ++i) {
            const struct clkl_problem problem =
                columns != 0 ? problem_of(10000, 1, 3, 4) : problem_of(1, 1, 10000, 1);
            const struct clkl_facts facts = device_at(i);
            const struct clkl_tuning tuning = {.chunk = chunks[i / 3]};
            const struct plan plan = plan_make(&facts, &problem, &tuning);
            cr_expect_leq(plan.geometry.chunk, tuning.chunk);
            cr_expect(is_ceiling(plan.geometry.chunks, 10000, plan.geometry.chunk));
        }
}
