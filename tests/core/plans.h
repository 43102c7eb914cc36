/* Devices and problems to go through, for tests of what the schedule makes of them. */
#ifndef CLKL_TESTS_CORE_PLANS_H
#define CLKL_TESTS_CORE_PLANS_H

#include "core/made.h"
#include "core/schedule.h"

#include <criterion/criterion.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define POWER(n)     ((uint64_t)1 << (n))

/* Facts that leave everything to the schedule. */
extern const struct clkl_tuning automatic;

/* A device of each style, as most are. */
extern const struct clkl_facts wide_cpu, gpu, lanes;

/* Every mixture of styles, widths, units and limits. */
extern const size_t device_count;
struct clkl_facts device_at(size_t i);

/* Every shape of batch x middle x last, of few and of many, and every set of kept axes. */
extern const size_t problem_count;

/* False where the shape has too many elements for a problem, or too many rows for a launch. */
bool problem_at(size_t i, struct clkl_problem *problem);

/* [batch, middle, last] of packed moments against a shared mean and variance. */
struct clkl_problem problem_of(uint64_t batch, uint64_t middle, uint64_t last, uint32_t keep);

/* What clkl_plan_create decides before it builds. */
struct plan {
    struct clkl_problem problem;
    struct clkl_rows rows;
    struct clkl_variant variant;
    struct clkl_geometry geometry;
};

struct plan plan_make(const struct clkl_facts *facts, const struct clkl_problem *problem,
                      const struct clkl_tuning *tuning);

/* The same program for a batch that is smaller than planned. */
struct plan plan_with_batch(const struct plan *planned, uint64_t batch,
                            const struct clkl_facts *facts, const struct clkl_tuning *tuning);

/* Values that a work-group of the second stage takes. */
uint64_t combined_at_once(const struct plan *plan);

/* Calls `check` for every problem on a part of the devices, by turns. */
void for_all_plans(void (*check)(const struct clkl_facts *, const struct plan *));

static inline bool is_power_of_two(uint64_t n)
{
    return n != 0 && (n & (n - 1)) == 0;
}

static inline bool is_ceiling(uint64_t quotient, uint64_t a, uint64_t b)
{
    return quotient == a / b + (a % b != 0);
}

#endif
