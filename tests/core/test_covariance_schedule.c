/* How full covariances are computed: ways, options, scratch, launches. */
#include "core/covariance_schedule.h"
#include "opencl/sources.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct clkl_facts devices[] = {
    {CLKL_STYLE_WIDE_CPU, true, true, 16, 2, 4096, 1 << 20, 0, 0},
    {CLKL_STYLE_LANES, false, false, 1, 2, 1024, 32768, 0, 65535},
    {CLKL_STYLE_GPU, false, true, 1, 64, 256, 16384, 0, 0},
    {CLKL_STYLE_GPU, false, true, 1, 64, 256, 16384, 1 << 20, 0},
};

enum { DEVICES = sizeof devices / sizeof *devices };

static const struct clkl_tuning automatic;

/* All that is decided. */
struct decision {
    struct clkl_problem problem;
    struct clkl_covariance_variant variant;
    struct clkl_covariance_geometry geometry;
    size_t n_steps;
    struct clkl_covariance_step *steps;
};

static struct decision decide(const clkl_spec *spec, const struct clkl_facts *facts)
{
    struct decision d;
    cr_assert_eq(clkl_problem_make(spec, &d.problem, NULL), CLKL_OK);
    clkl_covariance_variant_make(&d.problem, facts, &automatic, &d.variant);
    cr_assert_eq(
        clkl_covariance_geometry_make(&d.problem, &d.variant, facts, &automatic, &d.geometry, NULL),
        CLKL_OK);
    d.n_steps = clkl_covariance_steps(&d.problem, &d.variant, &d.geometry, NULL);
    d.steps = calloc(d.n_steps, sizeof *d.steps);
    cr_assert_eq(clkl_covariance_steps(&d.problem, &d.variant, &d.geometry, d.steps), d.n_steps);
    return d;
}

static clkl_spec spec_of(clkl_form p, clkl_form q, uint64_t batch, uint64_t dimension)
{
    return (clkl_spec){.struct_size = sizeof(clkl_spec),
                       .rank = 2,
                       .shape = {batch, dimension},
                       .p = {.form = p},
                       .q = {.form = q}};
}

/* ---- Scratch ---- */

/* At most two more matrices for each of P and Q in flight, from about as many dimensions on as a
 * tile has at least; what else there is grows with the dimension and the batch. */
Test(covariance_schedule, scratch_is_bounded)
{
    for (int i = 0; i < DEVICES; ++i)
        for (uint64_t d = 23; d <= 5000; d = d * 17 / 16 + 1) {
            const clkl_spec spec = spec_of(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 7, d);
            struct decision made = decide(&spec, &devices[i]);
            const uint64_t matrices =
                made.variant.way == CLKL_COVARIANCE_LANES
                    ? 0
                    : made.geometry.in_flight * (4 * d * d + 8 * (d + 64)) * 4;
            cr_expect_leq(made.geometry.scratch, matrices + 7 * 64, "device %d, D = %llu", i,
                          (unsigned long long)d);
            cr_expect(devices[i].max_allocation == 0 || made.geometry.in_flight == 1 ||
                          made.geometry.scratch <= devices[i].max_allocation,
                      "device %d, D = %llu: no buffer is so large", i, (unsigned long long)d);
            free(made.steps);
        }
}

/* A smaller batch needs no more than the planned one, whatever is shared. */
Test(covariance_schedule, scratch_grows_with_the_batch)
{
    for (int i = 0; i < DEVICES; ++i)
        for (uint64_t d = 3; d < 300; d += 37)
            for (int shared = 0; shared < 4; ++shared) {
                clkl_spec spec = spec_of(CLKL_MEAN_PRECISION, CLKL_MEAN_CHOLESKY, 100, d);
                spec.p.layout = shared & 1 ? CLKL_SHARED : CLKL_DENSE;
                spec.q.layout = shared & 2 ? CLKL_SHARED : CLKL_DENSE;
                struct decision made = decide(&spec, &devices[i]);
                uint64_t before = 0;
                for (uint64_t batch = 1; batch <= 100; ++batch) {
                    made.problem.shape[0] = batch;
                    cr_assert_eq(clkl_covariance_geometry_make(&made.problem, &made.variant,
                                                               &devices[i], &automatic,
                                                               &made.geometry, NULL),
                                 CLKL_OK);
                    cr_expect_geq(made.geometry.scratch, before);
                    before = made.geometry.scratch;
                }
                free(made.steps);
            }
}

/* ---- Geometry ---- */

/* All samples are in some group's turn, and no grid is wider than it may be. */
Test(covariance_schedule, every_sample_has_its_turn)
{
    for (int i = 0; i < DEVICES; ++i)
        for (uint64_t batch = 1; batch < 3000000; batch = batch * 3 + 1) {
            const clkl_spec spec = spec_of(CLKL_MEAN_COVARIANCE, CLKL_STANDARD_NORMAL, batch, 4);
            struct decision made = decide(&spec, &devices[i]);
            if (made.variant.way == CLKL_COVARIANCE_LANES) {
                const uint64_t covered = made.geometry.groups * made.geometry.rounds *
                                         made.variant.vector_width * made.variant.work_group;
                cr_expect(covered >= batch && covered < 2 * batch + 64 * 16, "%llu of %llu",
                          (unsigned long long)covered, (unsigned long long)batch);
            }
            cr_expect(made.variant.work_group > 1 || made.geometry.groups <= CLKL_WIDEST_GRID);
            cr_expect(made.geometry.in_flight >= 1 && made.geometry.in_flight <= batch);
            free(made.steps);
        }
}

Test(covariance_schedule, huge_matrices_are_refused)
{
    const clkl_spec spec =
        spec_of(CLKL_MEAN_COVARIANCE, CLKL_STANDARD_NORMAL, 1, (uint64_t)1 << 21);
    struct decision d;
    cr_assert_eq(clkl_problem_make(&spec, &d.problem, NULL), CLKL_OK);
    clkl_covariance_variant_make(&d.problem, &devices[0], &automatic, &d.variant);
    cr_expect_eq(clkl_covariance_geometry_make(&d.problem, &d.variant, &devices[0], &automatic,
                                               &d.geometry, NULL),
                 CLKL_UNSUPPORTED);
}

/* Where the device stops long loops, a work-item's take less than half of what it bears, or the
 * problem is refused; never one that is not huge. */
Test(covariance_schedule, loops_are_short_or_refused)
{
    static const clkl_form forms[] = {CLKL_MEAN_VAR, CLKL_MEAN_COVARIANCE, CLKL_MEAN_CHOLESKY,
                                      CLKL_MEAN_PRECISION};
    const struct clkl_facts *facts = &devices[1];
    bool refused = false;
    for (int pair = 0; pair < 16; ++pair)
        for (uint64_t d = 2; d <= 40000; d = d * 3 / 2) {
            clkl_spec spec = spec_of(forms[pair / 4], forms[pair % 4], d < 100 ? 1000000 : 1, d);
            spec.keep = pair % 4 == 0 || d >= 100 ? 1 : CLKL_KEEP_NONE;
            struct clkl_problem problem;
            struct clkl_covariance_variant variant;
            struct clkl_covariance_geometry geometry;
            if (pair == 0) /* no matrix */
                continue;
            cr_assert_eq(clkl_problem_make(&spec, &problem, NULL), CLKL_OK);
            clkl_covariance_variant_make(&problem, facts, &automatic, &variant);
            variant.work_group = 32; /* as such devices want it */
            const clkl_status status = clkl_covariance_geometry_make(&problem, &variant, facts,
                                                                     &automatic, &geometry, NULL);
            const uint64_t iterations = clkl_covariance_iterations(&problem, &variant, &geometry);
            cr_expect_eq(status, iterations < 32768 ? CLKL_OK : CLKL_UNSUPPORTED,
                         "pair %d, D = %llu: %llu iterations", pair, (unsigned long long)d,
                         (unsigned long long)iterations);
            cr_expect(status == CLKL_OK || d > 5000, "pair %d, D = %llu", pair,
                      (unsigned long long)d);
            refused = refused || status != CLKL_OK;
        }
    cr_expect(refused);
}

/* ---- Launches ---- */

static size_t count_kernel(const struct decision *d, enum clkl_covariance_kernel kernel,
                           bool prologue)
{
    size_t count = 0;
    for (size_t i = 0; i < d->n_steps; ++i)
        count += d->steps[i].kernel == kernel && d->steps[i].prologue == prologue;
    return count;
}

Test(covariance_schedule, a_shared_side_is_factored_once)
{
    for (int i = 0; i < DEVICES; ++i) {
        clkl_spec spec = spec_of(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 3, 520);
        spec.q.layout = CLKL_SHARED;
        struct decision made = decide(&spec, &devices[i]);
        cr_expect_eq(made.geometry.sides, (uint32_t)CLKL_COVARIANCE_SHARES_Y);
        cr_expect(made.steps[0].prologue);
        cr_expect_not(made.steps[made.n_steps - 1].prologue);
        free(made.steps);
        spec.shape[0] = 1;
        made = decide(&spec, &devices[i]);
        cr_expect_eq(made.geometry.sides, 0u);
        free(made.steps);
    }
}

Test(covariance_schedule, every_row_of_tiles_is_factored)
{
    const clkl_spec spec = spec_of(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 1, 1000);
    struct decision made = decide(&spec, &devices[0]);
    cr_assert_eq(made.variant.way, CLKL_COVARIANCE_STEPS);
    cr_expect_eq(made.geometry.tiles, 16u);
    cr_expect_eq(count_kernel(&made, CLKL_KERNEL_DIAGONAL, false), 32u); /* L, then F */
    cr_expect_eq(count_kernel(&made, CLKL_KERNEL_PANEL, false), 30u);
    cr_expect_eq(count_kernel(&made, CLKL_KERNEL_FINISH, false), 1u);
    free(made.steps);
}

/* ---- Options ---- */

/* Whether some source of the program has that line. */
static bool program_says(int program, const char *line)
{
    static char text[1 << 18];
    for (const struct clkl_source *source = clkl_sources; source->name != NULL; ++source) {
        if (!clkl_source_is_of(source, program))
            continue;
        cr_assert_lt(source->size, sizeof text);
        memcpy(text, source->text, source->size);
        text[source->size] = '\0';
        if (strstr(text, line) != NULL)
            return true;
    }
    return false;
}

Test(covariance_schedule, programs_know_every_option)
{
    const clkl_spec spec = spec_of(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 1, 1000);
    struct decision made = decide(&spec, &devices[0]);
    for (int way = 0; way < 3; ++way) {
        char options[CLKL_OPTIONS_SIZE], line[64];
        made.variant.way = (enum clkl_covariance_way)way;
        clkl_covariance_options(&made.variant, options);
        for (char *word = strtok(options, " "); word != NULL; word = strtok(NULL, " ")) {
            if (strncmp(word, "-D", 2) != 0)
                continue;
            snprintf(line, sizeof line, "#ifndef %.*s\n", (int)strcspn(word + 2, "="), word + 2);
            cr_expect(program_says(CLKL_PROGRAM_COVARIANCE + way, line), "way %d: no %s", way,
                      line);
        }
    }
    free(made.steps);
}

/* Programs of different ways are never taken for each other. */
Test(covariance_schedule, options_tell_programs_apart)
{
    const clkl_spec spec = spec_of(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, 1, 1000);
    struct decision made = decide(&spec, &devices[0]);
    char group[CLKL_OPTIONS_SIZE], steps[CLKL_OPTIONS_SIZE];
    made.variant.way = CLKL_COVARIANCE_GROUP;
    clkl_covariance_options(&made.variant, group);
    made.variant.way = CLKL_COVARIANCE_STEPS;
    clkl_covariance_options(&made.variant, steps);
    cr_expect_str_neq(group, steps);
    free(made.steps);
}
