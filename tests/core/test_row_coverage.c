/* The rows of small calls, dealt out as the kernels do it: everything is summed, and once. */
#include "core/plans.h"

#include <stdlib.h>

TestSuite(row_coverage, .timeout = 120);

enum { PARTIAL = 20 /* bytes of scratch for a chunk of a row: a sum, two counts, a flag */ };

struct sheet {
    uint64_t rows, elements;
    unsigned char *marks; /* of every element of every row */
};

static void mark(struct sheet *sheet, uint64_t row, uint64_t element)
{
    cr_assert(row < sheet->rows && element < sheet->elements, "row %u, element %u", (unsigned)row,
              (unsigned)element);
    ++sheet->marks[row * sheet->elements + element];
}

/* A task of rows.cl, whose team takes vectors in turn. */
static void do_row_task(const struct plan *plan, uint64_t task, struct sheet *sheet)
{
    const struct clkl_geometry *geometry = &plan->geometry;
    const uint64_t row = task / geometry->chunks, chunk = task - row * geometry->chunks;
    const uint64_t first = chunk * geometry->chunk, left = plan->rows.elements - first;
    const uint64_t count = left < geometry->chunk ? left : geometry->chunk;
    for (uint64_t i = 0; i < count; ++i)
        mark(sheet, row, first + i);
}

/* A task of columns.cl: each slot takes its rows, each of its team every so many elements. */
static void do_column_task(const struct plan *plan, uint64_t task, struct sheet *sheet)
{
    const struct clkl_geometry *geometry = &plan->geometry;
    const uint64_t block = task / geometry->chunks, chunk = task - block * geometry->chunks;
    const uint64_t width = (uint64_t)plan->variant.strip * plan->variant.vector_width;
    const uint64_t slots = plan->variant.work_group / geometry->team;
    for (uint64_t item = 0; item < plan->variant.work_group; ++item) {
        const uint64_t slot = item % slots, member = item / slots;
        const uint64_t begin = (block * slots + slot) * width;
        for (uint64_t row = begin; row < begin + width && row < plan->rows.rows; ++row)
            for (uint64_t i = member; i < geometry->chunk; i += geometry->team)
                if (chunk * geometry->chunk + i < plan->rows.elements)
                    mark(sheet, row, chunk * geometry->chunk + i);
    }
}

static void do_group(const struct plan *plan, uint64_t group, struct sheet *sheet)
{
    const struct clkl_geometry *geometry = &plan->geometry;
    const bool several = !plan->variant.columns && plan->variant.work_group > 1;
    const uint64_t teams = several ? plan->variant.work_group / geometry->team : geometry->rounds;
    for (uint64_t task = group * teams; task < (group + 1) * teams; ++task)
        if (task < geometry->tasks)
            (plan->variant.columns ? do_column_task : do_row_task)(plan, task, sheet);
}

/* As combine.cl deals out the parts of values, those of a value to its team in turn. */
static void expect_joined(const struct plan *plan)
{
    const struct clkl_geometry *geometry = &plan->geometry;
    const uint64_t of_value = plan->rows.rows_of_value, chunks = geometry->chunks;
    const uint64_t at_once = combined_at_once(plan), values = plan->rows.rows / of_value;
    struct sheet sheet = {chunks, plan->rows.rows, calloc(plan->rows.rows * chunks, 1)};
    cr_assert_not_null(sheet.marks);
    for (uint64_t value = 0; value < geometry->combine_groups * at_once && value < values; ++value)
        for (uint64_t member = 0; member < geometry->combine_team; ++member)
            for (uint64_t part = member; part < chunks * of_value; part += geometry->combine_team)
                mark(&sheet, part / of_value, value * of_value + part % of_value);
    for (uint64_t i = 0; i < plan->rows.rows * chunks; ++i)
        cr_assert_eq(sheet.marks[i], 1, "part %u is joined %u times", (unsigned)i, sheet.marks[i]);
    cr_assert_geq(geometry->scratch, plan->rows.rows * chunks * PARTIAL);
    free(sheet.marks);
}

static void expect_covered(const struct plan *plan)
{
    struct sheet sheet = {plan->rows.rows, plan->rows.elements, NULL};
    const uint64_t size = sheet.rows * sheet.elements;
    sheet.marks = calloc(size, 1);
    cr_assert_not_null(sheet.marks);
    for (uint64_t group = 0; group < plan->geometry.groups; ++group)
        do_group(plan, group, &sheet);
    for (uint64_t i = 0; i < size; ++i)
        cr_assert_eq(sheet.marks[i], 1, "element %u of row %u is summed %u times",
                     (unsigned)(i % sheet.elements), (unsigned)(i / sheet.elements),
                     sheet.marks[i]);
    free(sheet.marks);
    if (plan->geometry.combine_groups > 0)
        expect_joined(plan);
    else
        cr_assert(plan->geometry.chunks == 1 && plan->rows.rows_of_value == 1);
}

static const uint64_t shapes[][3] = {{1, 1, 1},  {5, 3, 7},   {40, 1, 9},  {3, 1, 1},
                                     {1, 70, 3}, {300, 2, 5}, {2, 3, 600}, {700, 1, 2}};

Test(row_coverage, every_element_of_every_row_is_summed_once)
{
    for (size_t s = 0; s < COUNT(shapes); ++s)
        for (uint32_t keep = 0; keep < 8; ++keep) {
            const struct clkl_problem problem = problem_of(shapes[s][0], shapes[s][1], shapes[s][2],
                                                           keep == 0 ? CLKL_KEEP_NONE : keep);
            for (size_t i = (s + keep) % 7; i < device_count; i += 37) {
                const struct clkl_facts facts = device_at(i);
                const struct plan plan = plan_make(&facts, &problem, &automatic);
                expect_covered(&plan);
                if (plan.problem.shape[0] > 2) {
                    const struct plan two = plan_with_batch(&plan, 2, &facts, &automatic);
                    expect_covered(&two);
                }
            }
        }
}

Test(row_coverage, however_they_are_dealt_out)
{
    static const uint64_t chunks[] = {0, 1, 3, 64, 100};
    static const uint32_t work_groups[] = {1, 2, 8, 64};
    const struct clkl_facts *const devices[] = {&wide_cpu, &gpu, &lanes};
    for (size_t s = 0; s < COUNT(shapes) * 8; ++s)
        for (size_t t = 0; t < COUNT(chunks) * COUNT(work_groups); ++t) {
            const uint64_t *shape = shapes[s / 8];
            const struct clkl_problem problem =
                problem_of(shape[0], shape[1], shape[2], s % 8 == 0 ? CLKL_KEEP_NONE : s % 8);
            struct clkl_tuning tuning = {.chunk = chunks[t % COUNT(chunks)],
                                         .work_group = work_groups[t / COUNT(chunks)],
                                         .rounds = 1 + (uint32_t)((s + t) % 3)};
            for (tuning.team = 1; tuning.team <= tuning.work_group; tuning.team *= 4) {
                const struct plan plan = plan_make(devices[(s + t) % 3], &problem, &tuning);
                cr_assert_eq(plan.geometry.team, tuning.team);
                expect_covered(&plan);
            }
        }
}
