/* `clkl inspect` with masks, weights and lengths. */
#include "json_items.h"
#include "support.h"

#include <math.h>

TestSuite(cli_inspect_weights, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

#define INSPECT(...) RUN("inspect", __VA_ARGS__, "--device", "reference")

static void expect_near(double found, double expected, const char *what)
{
    cr_expect(fabs(found - expected) <= 1e-6 * fabs(expected), "%s: %.9g, expected %.9g", what,
              found, expected);
}

/* A row of JSON by the number of its unit or channel. */
static const json_t *row_of(const json_t *root, unsigned index)
{
    const json_t *rows = at(root, "rows");
    for (size_t i = 0; i < json_array_size(rows); i++)
        if (item(at(json_array_get(rows, i), "index"), 0) == index)
            return json_array_get(rows, i);
    cr_assert_fail("there is no row %u", index);
    return NULL;
}

/* Sample 1 is NaN where it counts and is left out, with its length; what does not count is NaN
 * elsewhere. Unit 1 counts in samples 0 and 3, unit 2 in sample 3 alone. */
Test(cli_inspect_weights, lengths)
{
    static const int64_t lengths[] = {2, 3, 1, 3};
    F32("m.npy", SHAPE(4, 3), 1, 2, NAN, NAN, 0, 0, 4, NAN, INFINITY, 1, 4, 7);
    F32("s.npy", SHAPE(4, 3), 1, 1, 1, 1, 1, 1, 1, NAN, -1, 1, 1, 1);
    put_code("n.npy", "<i8", "(4,)", lengths, sizeof lengths);
    INSPECT("--mean", "m.npy", "--std", "s.npy", "--lengths", "n.npy", "--json");
    expect_status(1);
    json_t *root = run_json();
    const json_t *first = row_of(root, 0), *second = row_of(root, 1), *third = row_of(root, 2);
    expect_near(number(first, "variance"), 2, "unit 0");
    expect_near(number(second, "variance"), 1, "unit 1");
    cr_expect(json_is_null(at(third, "variance")) && json_is_null(at(third, "active")));
    expect_near(number(first, "kl"), (1 + 16 + 1) / 6.0, "unit 0");
    expect_near(number(second, "kl"), (4 + 16) / 6.0, "unit 1");
    expect_near(number(third, "kl"), 49 / 6.0, "unit 2");
    cr_expect_eq(number(at(root, "samples"), "finite"), 3);
    cr_expect_eq(number(at(root, "active"), "rows"), 2);
    cr_expect_eq(number(at(root, "active"), "of_rows"), 2);
    cr_expect_eq(number(at(root, "weights"), "count"), 9);
    json_decref(root);
    INSPECT("--mean", "m.npy", "--std", "s.npy", "--lengths", "n.npy");
    expect_out("active        2 of 2 units: Var[mu] above 0.01\n");
    expect_out("lengths       9 of 12 elements count: the first of axis 1, by n.npy\n");
    expect_out("\n     2      8.167          -             ");
}

/* A mask of whole channels, and one of elements, with a Q that is shared and clamped. */
Test(cli_inspect_weights, masks)
{
    static const uint8_t channels[] = {1, 0}, elements[] = {1, 1, 0, 1, 1, 1, 1, 0};
    F32("m.npy", SHAPE(2, 2, 2), 0, 1, NAN, NAN, 2, 3, NAN, NAN);
    F32("l.npy", SHAPE(2, 2, 2), 0, 0, 0, 0, 0, 0, 0, 0);
    put_code("c.npy", "|u1", "(2, 1)", channels, sizeof channels);
    INSPECT("--mean", "m.npy", "--logvar", "l.npy", "--mask", "c.npy", "--json");
    expect_status(0);
    json_t *root = run_json();
    expect_near(number(row_of(root, 0), "variance"), 1, "channel 0");
    expect_near(number(row_of(root, 0), "kl"), 3.5, "channel 0");
    cr_expect_eq(number(row_of(root, 1), "kl"), 0);
    cr_expect(json_is_null(at(row_of(root, 1), "active")));
    cr_expect_eq(number(at(root, "active"), "of_units"), 2);
    json_decref(root);

    F32("p.npy", SHAPE(2, 4), 0, 0, 1, 2, 0, 0, 3, NAN);
    F32("s.npy", SHAPE(2, 4), 0, 0, 0, 0, 0, 0, 0, 0);
    F32("qm.npy", SHAPE(4), 0, 0, 0, 0);
    F32("ql.npy", SHAPE(4), 0, 0, 5, 5);
    put_code("e.npy", "|b1", "(2, 4)", elements, sizeof elements);
    INSPECT("--mean", "p.npy", "--logvar", "s.npy", "--q-mean", "qm.npy", "--q-logvar", "ql.npy",
            "--clamp", "-1,1", "--mask", "e.npy", "--json");
    expect_status(0);
    root = run_json();
    cr_expect_eq(number(row_of(root, 2), "clamped_q"), 1);
    cr_expect_eq(number(row_of(root, 3), "clamped_q"), 1);
    cr_expect_eq(number(at(at(root, "clamped"), "q"), "count"), 2);
    json_decref(root);
}

Test(cli_inspect_weights, weights_below_zero)
{
    F32("m.npy", SHAPE(2, 4), 0, 1, 0, 0, 2, 3, 0, 0);
    F32("w.npy", SHAPE(2), 1, -2);
    INSPECT("m.npy", "--weights", "w.npy");
    expect_refusal("w.npy: holds the weight -2; expected none below 0");
}
