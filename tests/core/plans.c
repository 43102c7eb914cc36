#include "core/plans.h"

#include <string.h>

const struct clkl_tuning automatic;

const struct clkl_facts wide_cpu = {.style = CLKL_STYLE_WIDE_CPU,
                                    .prefetch_builtin = true,
                                    .native_width = 16,
                                    .compute_units = 4,
                                    .max_work_group = 4096,
                                    .local_memory = 65536};
const struct clkl_facts gpu = {.style = CLKL_STYLE_GPU,
                               .prefetch_builtin = true,
                               .native_width = 1,
                               .compute_units = 132,
                               .max_work_group = 1024,
                               .local_memory = 65536};
const struct clkl_facts lanes = {.style = CLKL_STYLE_LANES,
                                 .native_width = 8,
                                 .compute_units = 4,
                                 .max_work_group = 1024,
                                 .local_memory = 32768};

/* ---- Devices ---- */

static const enum clkl_device_style styles[] = {CLKL_STYLE_GPU, CLKL_STYLE_WIDE_CPU,
                                                CLKL_STYLE_LANES};
static const uint32_t widths[] = {0, 1, 4, 8, 12, 16, 64};
static const uint32_t units[] = {1, 2, 132};
static const uint64_t limits[] = {1, 16, 32, 100, 256, 4096};
static const uint64_t memories[] = {0, 1024, 16384, 65536};

const size_t device_count =
    COUNT(styles) * COUNT(widths) * COUNT(units) * COUNT(limits) * COUNT(memories);

static size_t next_digit(size_t *number, size_t base)
{
    const size_t digit = *number % base;
    *number /= base;
    return digit;
}

struct clkl_facts device_at(size_t i)
{
    struct clkl_facts facts = {.prefetch_builtin = i % 2 == 0};
    facts.style = styles[next_digit(&i, COUNT(styles))];
    facts.native_width = widths[next_digit(&i, COUNT(widths))];
    facts.compute_units = units[next_digit(&i, COUNT(units))];
    facts.max_work_group = limits[next_digit(&i, COUNT(limits))];
    facts.local_memory = memories[next_digit(&i, COUNT(memories))];
    return facts;
}

/* ---- Problems ---- */

/* Around everything that a schedule may care for. */
static const uint64_t lasts[] = {1,       2,         3,         15,        16,       17,
                                 255,     256,       257,       1000,      8191,     8192,
                                 16383,   16384,     16385,     32768,     32769,    65537,
                                 1000000, POWER(23), POWER(24), POWER(33), POWER(36)};
static const uint64_t middles[] = {1, 3, 70000};
static const uint64_t batches[] = {1, 2, 3, 7, 64, 1000, 100000, POWER(15) + 1};
static const uint32_t keeps[] = {CLKL_KEEP_NONE, 1, 2, 3, 4, 5, 6, 7};

const size_t problem_count = COUNT(lasts) * COUNT(middles) * COUNT(batches) * COUNT(keeps);

struct clkl_problem problem_of(uint64_t batch, uint64_t middle, uint64_t last, uint32_t keep)
{
    const clkl_spec spec = {.struct_size = sizeof spec,
                            .rank = 3,
                            .shape = {batch, middle, last},
                            .p = {.form = CLKL_MOMENTS},
                            .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_SHARED},
                            .keep = keep};
    return made(&spec);
}

bool problem_at(size_t i, struct clkl_problem *problem)
{
    const uint32_t keep = keeps[next_digit(&i, COUNT(keeps))];
    const uint64_t last = lasts[next_digit(&i, COUNT(lasts))];
    const uint64_t middle = middles[next_digit(&i, COUNT(middles))];
    const uint64_t batch = batches[next_digit(&i, COUNT(batches))];
    if (last > POWER(54) / middle / batch)
        return false;
    *problem = problem_of(batch, middle, last, keep);
    return clkl_problem_result_count(problem) < POWER(42);
}

/* ---- Plans ---- */

static void lay_out(struct plan *plan, const struct clkl_facts *facts,
                    const struct clkl_tuning *tuning)
{
    clkl_error error = {.struct_size = sizeof error};
    memset(&plan->geometry, 'x', sizeof plan->geometry);
    const clkl_status status =
        clkl_geometry_make(&plan->rows, &plan->variant, facts, tuning, &plan->geometry, &error);
    cr_assert_eq(status, CLKL_OK, "%s", error.message);
}

struct plan plan_make(const struct clkl_facts *facts, const struct clkl_problem *problem,
                      const struct clkl_tuning *tuning)
{
    struct plan plan = {.problem = *problem};
    clkl_rows_make(problem, &plan.rows);
    memset(&plan.variant, 'x', sizeof plan.variant);
    const struct clkl_pass pass = {.problem = *problem, .value = true};
    clkl_variant_make(&pass, &plan.rows, facts, tuning, &plan.variant);
    lay_out(&plan, facts, tuning);
    return plan;
}

struct plan plan_with_batch(const struct plan *planned, uint64_t batch,
                            const struct clkl_facts *facts, const struct clkl_tuning *tuning)
{
    struct plan plan = *planned;
    cr_assert_eq(clkl_problem_set_batch(&plan.problem, batch, NULL), CLKL_OK);
    clkl_rows_set_batch(&plan.rows, &planned->problem, batch);
    lay_out(&plan, facts, tuning);
    return plan;
}

void for_all_plans(void (*check)(const struct clkl_facts *, const struct plan *))
{
    enum { PART = 5 }; /* prime to all numbers of choices */
    for (size_t p = 0; p < problem_count; ++p) {
        struct clkl_problem problem;
        if (!problem_at(p, &problem))
            continue;
        for (size_t i = p % PART; i < device_count; i += PART) {
            const struct clkl_facts facts = device_at(i);
            const struct plan plan = plan_make(&facts, &problem, &automatic);
            check(&facts, &plan);
        }
    }
}

uint64_t combined_at_once(const struct plan *plan)
{
    const struct clkl_variant *variant = &plan->variant;
    const uint64_t slots = variant->work_group / plan->geometry.combine_team;
    const uint64_t width = plan->rows.rows_of_value == 1 ? variant->lanes_at_once : 1;
    return variant->work_group == 1 ? plan->geometry.combine_rounds * width : slots;
}
