/* A problem as rows: which axes merge, and that every row has its elements in their order. */
#include "core/made.h"
#include "core/rows.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(rows, .timeout = 60);

#define SIZE         .struct_size = sizeof(clkl_spec)
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- By hand ---- */

struct axes {
    uint32_t count;
    uint64_t extents[4];
};

#define ONE \
    1,      \
    {       \
        1   \
    }
#define CUBE SIZE, .rank = 3, .shape = {2, 3, 4}
#define BOX  SIZE, .rank = 4, .shape = {2, 3, 4, 5}
#define STRIDED(form_, ...)                                                                      \
    {                                                                                            \
        .form = form_, .layout = CLKL_STRIDED, .mean_strides = {__VA_ARGS__}, .scale_strides = { \
            __VA_ARGS__                                                                          \
        }                                                                                        \
    }

static const struct {
    const char *name;
    clkl_spec spec;
    struct {
        uint64_t rows, rows_of_sample, elements;
        struct axes kept, reduced;
        bool columns;
        enum clkl_reach p, q;
    } expected;
} cases[] = {
    /* one axis kept, or none */
    {"moments, the batch kept",
     {BOX, .p = {.form = CLKL_MOMENTS}},
     {2, 1, 60, {1, {2}}, {1, {60}}, false, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    {"no arrays at all",
     {BOX, .keep = CLKL_KEEP_NONE},
     {1, 1, 120, {ONE}, {1, {120}}, false, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    {"moments split on the last axis",
     {BOX, .p = {.form = CLKL_MOMENTS, .split_axis = 3}},
     {2, 1, 60, {1, {2}}, {2, {12, 5}}, false, CLKL_RUNS, CLKL_CONTIGUOUS}},
    {"moments split on a middle axis",
     {BOX, .p = {.form = CLKL_MOMENTS, .split_axis = 2}},
     {2, 1, 60, {1, {2}}, {2, {3, 20}}, false, CLKL_RUNS, CLKL_CONTIGUOUS}},
    {"mean and variance, nothing kept",
     {CUBE, .p = {.form = CLKL_MEAN_VAR}, .keep = CLKL_KEEP_NONE},
     {1, 1, 24, {ONE}, {1, {24}}, false, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    {"moments, nothing kept: samples do not follow one another",
     {CUBE, .p = {.form = CLKL_MOMENTS}, .keep = CLKL_KEEP_NONE},
     {1, 1, 24, {ONE}, {2, {2, 12}}, false, CLKL_RUNS, CLKL_CONTIGUOUS}},
    {"a shared Q, the batch kept",
     {CUBE, .p = {.form = CLKL_MEAN_VAR}, .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_SHARED}},
     {2, 1, 12, {1, {2}}, {1, {12}}, false, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    {"a shared Q, nothing kept",
     {CUBE, .p = {.form = CLKL_MEAN_VAR}, .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_SHARED},
      .keep = CLKL_KEEP_NONE},
     {1, 1, 24, {ONE}, {2, {2, 12}}, false, CLKL_CONTIGUOUS, CLKL_RUNS}},
    {"a shared Q, an axis kept",
     {BOX, .p = {.form = CLKL_MEAN_VAR}, .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_SHARED},
      .keep = 2},
     {3, 3, 40, {1, {3}}, {2, {2, 20}}, false, CLKL_RUNS, CLKL_RUNS}},
    {"Q of one value: a prior for all",
     {CUBE, .p = {.form = CLKL_MEAN_VAR}, .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_STRIDED}},
     {2, 1, 12, {1, {2}}, {1, {12}}, false, CLKL_CONTIGUOUS, CLKL_REPEATED}},
    {"a prior per channel",
     {CUBE, .p = {.form = CLKL_MEAN_VAR}, .q = STRIDED(CLKL_MEAN_VAR, 0, 1, 0)},
     {2, 1, 12, {1, {2}}, {2, {3, 4}}, false, CLKL_CONTIGUOUS, CLKL_REPEATED}},
    {"only broadcasts",
     {CUBE, .p = {.form = CLKL_MEAN_VAR, .layout = CLKL_STRIDED}},
     {2, 1, 12, {1, {2}}, {1, {12}}, false, CLKL_REPEATED, CLKL_CONTIGUOUS}},
    {"only the scale is repeated: the two are read alike",
     {CUBE, .p = {.form = CLKL_MEAN_VAR,
                  .layout = CLKL_STRIDED,
                  .mean_strides = {12, 4, 1},
                  .scale_strides = {1, 0, 0}}},
     {2, 1, 12, {1, {2}}, {1, {12}}, false, CLKL_SCATTERED, CLKL_CONTIGUOUS}},
    {"a prior of a value per row, rows along the lanes",
     {CUBE, .p = {.form = CLKL_MEAN_VAR}, .q = STRIDED(CLKL_MEAN_VAR, 0, 1, 0), .keep = 6},
     {12, 12, 2, {2, {3, 4}}, {1, {2}}, true, CLKL_CONTIGUOUS, CLKL_REPEATED}},
    {"the repeated axis is of extent 1",
     {SIZE, .rank = 3, .shape = {2, 3, 1}, .p = STRIDED(CLKL_MEAN_VAR, 3, 1, 0)},
     {2, 1, 3, {1, {2}}, {1, {3}}, false, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    {"Fortran order",
     {CUBE, .p = STRIDED(CLKL_MEAN_VAR, 1, 2, 6)},
     {2, 1, 12, {1, {2}}, {2, {3, 4}}, false, CLKL_SCATTERED, CLKL_CONTIGUOUS}},
    {"mean in C order, scale in Fortran order",
     {CUBE, .p = {.form = CLKL_MEAN_VAR,
                  .layout = CLKL_STRIDED,
                  .mean_strides = {12, 4, 1},
                  .scale_strides = {1, 2, 6}}},
     {2, 1, 12, {1, {2}}, {2, {3, 4}}, false, CLKL_SCATTERED, CLKL_CONTIGUOUS}},
    {"rows with a gap after each",
     {CUBE, .p = STRIDED(CLKL_MOMENTS, 32, 4, 1)},
     {2, 1, 12, {1, {2}}, {1, {12}}, false, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    {"axes of extent 1 are left out",
     {SIZE, .rank = 5, .shape = {2, 1, 3, 1, 4}, .p = STRIDED(CLKL_MEAN_VAR, 12, 7, 4, 99, 1)},
     {2, 1, 12, {1, {2}}, {1, {12}}, false, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    {"one element in all",
     {SIZE, .rank = 2, .shape = {1, 1}, .p = {.form = CLKL_MOMENTS}, .keep = 3},
     {1, 1, 1, {ONE}, {ONE}, false, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    /* several axes kept, elements along the lanes */
    {"batch and channels, which follow one another",
     {BOX, .p = {.form = CLKL_MEAN_VAR}, .keep = 3},
     {6, 3, 20, {1, {6}}, {1, {20}}, false, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    {"batch and channels of moments, which do not",
     {BOX, .p = {.form = CLKL_MOMENTS}, .keep = 3},
     {6, 3, 20, {2, {2, 3}}, {1, {20}}, false, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    {"every other axis",
     {BOX, .p = {.form = CLKL_MEAN_VAR}, .keep = 5},
     {8, 4, 15, {2, {2, 4}}, {2, {3, 5}}, false, CLKL_RUNS, CLKL_CONTIGUOUS}},
    {"the last axis, but it is of extent 1",
     {SIZE, .rank = 4, .shape = {2, 3, 4, 1}, .p = {.form = CLKL_MEAN_VAR}, .keep = 8},
     {1, 1, 24, {ONE}, {1, {24}}, false, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    {"channels that lie last: the shape decides",
     {CUBE, .p = STRIDED(CLKL_MEAN_VAR, 12, 1, 3), .keep = 2},
     {3, 3, 8, {1, {3}}, {1, {8}}, false, CLKL_SCATTERED, CLKL_CONTIGUOUS}},
    /* rows along the lanes */
    {"the last axis kept",
     {BOX, .p = {.form = CLKL_MEAN_VAR}, .keep = 8},
     {5, 5, 24, {1, {5}}, {1, {24}}, true, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    {"all but the batch, against a shared Q",
     {BOX, .p = {.form = CLKL_MEAN_VAR}, .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_SHARED},
      .keep = 14},
     {60, 60, 2, {1, {60}}, {1, {2}}, true, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    {"all but the batch, moments split on the last axis",
     {BOX, .p = {.form = CLKL_MOMENTS, .split_axis = 3}, .keep = 14},
     {60, 60, 2, {2, {12, 5}}, {1, {2}}, true, CLKL_RUNS, CLKL_CONTIGUOUS}},
    {"all but channels",
     {BOX, .p = {.form = CLKL_MEAN_VAR}, .keep = 13},
     {40, 20, 3, {2, {2, 20}}, {1, {3}}, true, CLKL_RUNS, CLKL_CONTIGUOUS}},
    {"all, mean and variance",
     {BOX, .p = {.form = CLKL_MEAN_VAR}, .keep = 15},
     {120, 60, 1, {1, {120}}, {ONE}, true, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    {"all, moments",
     {BOX, .p = {.form = CLKL_MOMENTS}, .keep = 15},
     {120, 60, 1, {2, {2, 60}}, {ONE}, true, CLKL_RUNS, CLKL_CONTIGUOUS}},
    {"all, against a shared Q",
     {BOX, .p = {.form = CLKL_MEAN_VAR}, .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_SHARED},
      .keep = 15},
     {120, 60, 1, {2, {2, 60}}, {ONE}, true, CLKL_CONTIGUOUS, CLKL_RUNS}},
    {"the last but one, before one of extent 1",
     {SIZE, .rank = 4, .shape = {2, 3, 4, 1}, .p = {.form = CLKL_MEAN_VAR}, .keep = 4},
     {4, 4, 6, {1, {4}}, {1, {6}}, true, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
    {"pixels where channels lie last",
     {CUBE, .p = STRIDED(CLKL_MEAN_VAR, 12, 1, 3), .keep = 4},
     {4, 4, 6, {1, {4}}, {2, {2, 3}}, true, CLKL_SCATTERED, CLKL_CONTIGUOUS}},
    {"rows of one element, with a gap after each",
     {SIZE, .rank = 3, .shape = {6, 1, 1}, .p = {.form = CLKL_MOMENTS}},
     {6, 1, 1, {1, {6}}, {ONE}, true, CLKL_SCATTERED, CLKL_CONTIGUOUS}},
    {"a batch of 1 that is kept",
     {SIZE, .rank = 3, .shape = {1, 3, 4}, .p = {.form = CLKL_MEAN_VAR}, .keep = 5},
     {4, 4, 3, {1, {4}}, {1, {3}}, true, CLKL_CONTIGUOUS, CLKL_CONTIGUOUS}},
};

static void expect_axes(const struct clkl_axes *axes, const struct axes *expected,
                        const char *which, const char *name)
{
    cr_expect_eq(axes->count, expected->count, "%s: %u %s axes", name, axes->count, which);
    for (uint32_t axis = 0; axis < axes->count; ++axis)
        cr_expect_eq(axes->extents[axis], expected->extents[axis], "%s: %s axis %u has %u", name,
                     which, axis, (unsigned)axes->extents[axis]);
}

Test(rows, axes_merge_where_they_lie_behind_one_another)
{
    for (size_t i = 0; i < COUNT(cases); ++i) {
        const struct clkl_problem problem = made(&cases[i].spec);
        const char *name = cases[i].name;
        struct clkl_rows rows;
        memset(&rows, 'x', sizeof rows);
        clkl_rows_make(&problem, &rows);
        cr_expect_eq(rows.rows, cases[i].expected.rows, "%s", name);
        cr_expect_eq(rows.rows_of_sample, cases[i].expected.rows_of_sample, "%s", name);
        cr_expect_eq(rows.rows_of_value, 1u, "%s", name);
        cr_expect_eq(rows.elements, cases[i].expected.elements, "%s", name);
        expect_axes(&rows.kept, &cases[i].expected.kept, "kept", name);
        expect_axes(&rows.reduced, &cases[i].expected.reduced, "reduced", name);
        cr_expect_eq(rows.columns, cases[i].expected.columns, "%s", name);
        cr_expect_eq(rows.p_reach, cases[i].expected.p, "%s: P %d", name, (int)rows.p_reach);
        cr_expect_eq(rows.q_reach, cases[i].expected.q, "%s: Q %d", name, (int)rows.q_reach);
    }
}

/* ---- Weights and upstream gradients ---- */

static struct clkl_rows rows_of(const clkl_spec *spec)
{
    const struct clkl_problem problem = made(spec);
    struct clkl_rows rows;
    clkl_rows_make(&problem, &rows);
    return rows;
}

/* Weights that do not lie as the sides do keep axes apart. */
Test(rows, weights_are_an_operand_like_others)
{
    static const struct {
        clkl_weights weights;
        uint32_t axes;
        enum clkl_reach reach;
    } weighted[] = {
        {{.kind = CLKL_NO_WEIGHTS}, 1, CLKL_CONTIGUOUS},
        {{.kind = CLKL_MASK}, 1, CLKL_CONTIGUOUS},
        {{.kind = CLKL_WEIGHTS, .layout = CLKL_SHARED}, 1, CLKL_CONTIGUOUS},
        {{.kind = CLKL_WEIGHTS, .layout = CLKL_STRIDED, .strides = {1}}, 1, CLKL_REPEATED},
        {{.kind = CLKL_MASK, .layout = CLKL_STRIDED, .strides = {0, 1}}, 2, CLKL_REPEATED},
        {{.kind = CLKL_MASK, .layout = CLKL_STRIDED, .strides = {9, 3, 0, 1}}, 3, CLKL_RUNS},
        {{.kind = CLKL_MASK, .layout = CLKL_STRIDED, .strides = {9, 8, 0, 2}}, 3, CLKL_SCATTERED},
    };
    for (size_t i = 0; i < COUNT(weighted); ++i) {
        const clkl_spec spec = {BOX, .p = {.form = CLKL_MEAN_VAR}, .weights = weighted[i].weights};
        const struct clkl_rows rows = rows_of(&spec);
        cr_expect_eq(rows.reduced.count, weighted[i].axes, "case %zu: %u", i, rows.reduced.count);
        cr_expect_eq(rows.weight_reach, weighted[i].reach, "case %zu: %d", i, rows.weight_reach);
        for (uint32_t axis = 0; axis < rows.reduced.count; ++axis)
            cr_expect(weighted[i].weights.layout == CLKL_STRIDED ||
                      rows.reduced.strides[CLKL_WEIGHT][axis] ==
                          (int64_t)(weighted[i].weights.kind != CLKL_NO_WEIGHTS));
    }
}

/* One number per value: it repeats the axes that values sum over, and other axes do not merge. */
Test(rows, upstream_lies_as_values_do)
{
    static const struct {
        uint32_t keep, kept, reduced;
        enum clkl_reach reach;
    } kept[] = {
        {1, 1, 1, CLKL_REPEATED},
        {3, 1, 1, CLKL_REPEATED},
        {8, 1, 1, CLKL_CONTIGUOUS},
        {12, 1, 1, CLKL_CONTIGUOUS},
        {15, 1, 1, CLKL_CONTIGUOUS},
        {5, 2, 2, CLKL_REPEATED},
        {CLKL_KEEP_NONE, 1, 1, CLKL_REPEATED},
    };
    for (size_t i = 0; i < COUNT(kept); ++i) {
        const clkl_spec spec = {BOX, .p = {.form = CLKL_MEAN_VAR}, .keep = kept[i].keep,
                                .gradients = CLKL_GRADIENT_P_MEAN};
        const struct clkl_rows rows = rows_of(&spec);
        cr_expect_eq(rows.kept.count, kept[i].kept, "keep %x: %u", spec.keep, rows.kept.count);
        cr_expect_eq(rows.reduced.count, kept[i].reduced, "keep %x", spec.keep);
        cr_expect_eq(rows.upstream_reach, kept[i].reach, "keep %x: %d", spec.keep,
                     (int)rows.upstream_reach);
        for (uint32_t axis = 0; axis < rows.reduced.count; ++axis)
            cr_expect_eq(rows.reduced.strides[CLKL_UPSTREAM][axis], 0, "keep %x", spec.keep);
        const int64_t step = rows.rows > 1 ? 1 : 0;
        cr_expect_eq(rows.kept.strides[CLKL_UPSTREAM][rows.kept.count - 1], step, "keep %x",
                     spec.keep);
    }
}

/* ---- Values of several rows ---- */

/* Short stretches that lie apart become rows of their own. */
Test(rows, a_value_may_have_several_rows)
{
    static const struct {
        uint64_t shape[4];
        uint32_t keep;
        uint64_t rows, rows_of_sample, rows_of_value, elements;
        bool columns;
    } several[] = {
        {{16, 3, 4, 5}, 2, 60, 60, 20, 16, true},              /* a channel: 16 stretches of 20 */
        {{15, 3, 4, 5}, 2, 3, 3, 1, 300, false},               /* too few of them */
        {{16, 3, 23, 89}, 2, 6141, 6141, 2047, 16, true},      /* long ones */
        {{16, 3, 32, 64}, 2, 3, 3, 1, 32768, false},           /* long enough for rows */
        {{2, 40, 4, 5}, 4, 20, 20, 5, 80, true},               /* 2 * 40 stretches of 5 */
        {{2, 40, 4, 5}, 5, 40, 20, 5, 40, true},               /* the batch is kept as well */
        {{2, 4, 40, 5}, 3, 8, 4, 1, 200, false},               /* a stretch is a whole row */
        {{50, 1, 4, 5}, 3, 50, 1, 1, 20, false},               /* the kept axis is of extent 1 */
        {{50, 4, 5, 1}, 10, 20, 20, 5, 50, true},              /* as is the last */
        {{50, 4, 5, 2}, CLKL_KEEP_NONE, 1, 1, 1, 2000, false}, /* nothing is kept */
    };
    for (size_t i = 0; i < COUNT(several); ++i) {
        clkl_spec spec = {SIZE, .rank = 4, .keep = several[i].keep, .p = {.form = CLKL_MOMENTS}};
        memcpy(spec.shape, several[i].shape, sizeof several[i].shape);
        const struct clkl_problem problem = made(&spec);
        struct clkl_rows rows;
        clkl_rows_make(&problem, &rows);
        cr_expect_eq(rows.rows, several[i].rows, "case %zu: %u rows", i, (unsigned)rows.rows);
        cr_expect_eq(rows.rows_of_sample, several[i].rows_of_sample, "case %zu", i);
        cr_expect_eq(rows.rows_of_value, several[i].rows_of_value, "case %zu", i);
        cr_expect_eq(rows.elements, several[i].elements, "case %zu", i);
        cr_expect_eq(rows.columns, several[i].columns, "case %zu", i);
    }
}

Test(rows, a_side_without_arrays_stays_in_place)
{
    for (uint32_t keep = 1; keep < 8; ++keep) {
        const clkl_spec spec = {CUBE, .p = {.form = CLKL_MOMENTS}, .keep = keep};
        const struct clkl_problem problem = made(&spec);
        struct clkl_rows rows;
        clkl_rows_make(&problem, &rows);
        for (int operand = CLKL_Q_MEAN; operand <= CLKL_Q_SCALE; ++operand) {
            cr_expect_eq(rows.origins[operand], 0);
            for (uint32_t axis = 0; axis < rows.kept.count; ++axis)
                cr_expect_eq(rows.kept.strides[operand][axis], 0);
            for (uint32_t axis = 0; axis < rows.reduced.count; ++axis)
                cr_expect_eq(rows.reduced.strides[operand][axis], 0);
        }
    }
}

/* A batch that has merged with another axis, on either side. */
Test(rows, a_batch_shrinks_within_the_axis_it_has_merged_with)
{
    for (int kept = 0; kept < 2; ++kept) {
        const clkl_spec spec = {BOX, .p = {.form = CLKL_MEAN_VAR}, .keep = kept != 0 ? 3 : 12};
        const struct clkl_problem problem = made(&spec);
        struct clkl_rows rows;
        clkl_rows_make(&problem, &rows);
        clkl_rows_set_batch(&rows, &problem, 1);
        const struct clkl_axes *changed = kept != 0 ? &rows.kept : &rows.reduced;
        const struct clkl_axes *same = kept != 0 ? &rows.reduced : &rows.kept;
        cr_expect_eq(changed->extents[0], 3u);
        cr_expect_eq(same->extents[0], 20u);
        cr_expect_eq(rows.rows, kept != 0 ? 3u : 20u);
        cr_expect_eq(rows.rows_of_sample, kept != 0 ? 3u : 20u);
        cr_expect_eq(rows.elements, kept != 0 ? 20u : 3u);
    }
}
