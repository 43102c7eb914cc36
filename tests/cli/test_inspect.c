/* What `clkl inspect` finds: held against plain loops over the same numbers, and against NumPy. */
#include "json_items.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(cli_inspect, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

#define INSPECT(...) RUN("inspect", __VA_ARGS__, "--device", "reference")

enum { B = 30, C = 3, H = 4, W = 5, UNITS = C * H * W };

/* Moments [B, 2C, H, W]; the channels differ in how much their means vary. */
static float packed[B][2][C][H * W];

static void make_moments(void)
{
    static const float scale[C] = {0.05F, 1.5F, 0.5F};
    uint32_t state = 12345;
    for (unsigned i = 0; i < B * 2 * UNITS; i++) {
        state = state * 1664525U + 1013904223U;
        const float x = (float)(state >> 8) / 8388608.0F - 1; /* -1 to 1 */
        const unsigned c = i / (H * W) % C;
        (&packed[0][0][0][0])[i] = i / UNITS % 2 == 0 ? x * scale[c] : x;
    }
}

static double kl_of(unsigned b, unsigned c, unsigned i)
{
    const double mean = packed[b][0][c][i], logvar = packed[b][1][c][i];
    return 0.5 * (exp(logvar) - 1 - logvar + mean * mean);
}

static double variance_of(unsigned c, unsigned i)
{
    double mean = 0, sum = 0;
    for (unsigned b = 0; b < B; b++)
        mean += (double)packed[b][0][c][i] / B;
    for (unsigned b = 0; b < B; b++)
        sum += pow((double)packed[b][0][c][i] - mean, 2) / B;
    return sum;
}

static void expect_near(double found, double expected, const char *what)
{
    cr_expect(fabs(found - expected) <= 1e-6 * fabs(expected), "%s: %.9g, expected %.9g", what,
              found, expected);
}

/* ---- Values ---- */

static void expect_channel(const json_t *row)
{
    const unsigned c = (unsigned)item(at(row, "index"), 0);
    double kl = 0, variance = 0;
    unsigned active = 0;
    for (unsigned i = 0; i < H * W; i++) {
        for (unsigned b = 0; b < B; b++)
            kl += kl_of(b, c, i) / B;
        variance += variance_of(c, i) / (H * W);
        active += variance_of(c, i) > 0.01;
    }
    expect_near(number(row, "kl"), kl, "kl");
    expect_near(number(row, "variance"), variance, "variance");
    cr_expect_eq(json_is_true(at(row, "active")), variance > 0.01);
    cr_expect_eq(number(row, "active_units"), active);
}

static void expect_positions(const json_t *positions)
{
    const json_t *values = at(positions, "values");
    cr_assert_eq(json_array_size(values), H * W);
    cr_expect_eq(item(at(positions, "shape"), 0), H);
    cr_expect_eq(item(at(positions, "shape"), 1), W);
    for (unsigned i = 0; i < H * W; i++) {
        double kl = 0;
        for (unsigned c = 0; c < C; c++)
            for (unsigned b = 0; b < B; b++)
                kl += kl_of(b, c, i) / B;
        expect_near(item(values, i), kl, "position");
    }
}

static int compare(const void *a, const void *b)
{
    return *(const double *)a < *(const double *)b ? -1 : *(const double *)a > *(const double *)b;
}

static double percentile(const double *sorted, double p)
{
    const double place = p * (B - 1);
    const unsigned i = (unsigned)place;
    return sorted[i] + (place - i) * (sorted[i + 1 < B ? i + 1 : i] - sorted[i]);
}

/* Quartiles, fences, outliers and histogram. */
static void expect_samples(const json_t *root)
{
    double kl[B] = {0}, sorted[B];
    for (unsigned b = 0; b < B; b++)
        for (unsigned e = 0; e < UNITS; e++)
            kl[b] += kl_of(b, e / (H * W), e % (H * W));
    memcpy(sorted, kl, sizeof sorted);
    qsort(sorted, B, sizeof *sorted, compare);
    const json_t *samples = at(root, "samples"), *edges = at(at(root, "histogram"), "edges");
    double total = 0;
    for (unsigned i = 0; i < 3; i++)
        expect_near(item(at(samples, "quartiles"), i), percentile(sorted, 0.25 * (i + 1)), "q");
    for (unsigned b = 0; b < B; b++)
        expect_near(item(at(samples, "values"), b), kl[b], "sample");
    expect_near(item(edges, 0), sorted[0], "first edge");
    expect_near(item(edges, json_array_size(edges) - 1), sorted[B - 1], "last edge");
    const double range = percentile(sorted, 0.75) - percentile(sorted, 0.25);
    cr_expect_eq(json_array_size(edges),
                 1 + (size_t)ceil((sorted[B - 1] - sorted[0]) / (2 * range / cbrt(B))));
    for (size_t i = 0; i + 1 < json_array_size(edges); i++)
        total += item(at(at(root, "histogram"), "counts"), i);
    cr_expect_eq(total, B);
}

static void expect_all(void)
{
    expect_status(0);
    json_t *root = run_json();
    const json_t *rows = at(root, "rows");
    cr_expect_str_eq(json_string_value(at(root, "schema")), "clkl-inspect-1");
    cr_expect_str_eq(json_string_value(at(root, "per")), "channel");
    cr_assert_eq(json_array_size(rows), C);
    for (size_t i = 0; i < C; i++) {
        expect_channel(json_array_get(rows, i));
        if (i > 0)
            cr_expect_leq(number(json_array_get(rows, i), "kl"),
                          number(json_array_get(rows, i - 1), "kl"));
    }
    cr_expect_eq(number(at(root, "active"), "rows"), 2);
    cr_expect_eq(number(at(root, "active"), "of_units"), UNITS);
    expect_positions(at(root, "positions"));
    expect_samples(root);
    json_decref(root);
}

/* On the implementation at hand, and by the reference. */
Test(cli_inspect, values)
{
    make_moments();
    put_f32("m.npy", &packed[0][0][0][0], SHAPE(B, 2 * C, H, W));
    RUN("inspect", "m.npy", "--json");
    expect_all();
    INSPECT("m.npy", "--json");
    expect_all();
}

/* The same numbers with the channels last, and as two files, give the same. */
Test(cli_inspect, layouts)
{
    static float last[B][H * W][2 * C], mean[B][H * W][C], logvar[B][H * W][C];
    make_moments();
    for (unsigned e = 0; e < B * UNITS; e++) {
        const unsigned b = e / UNITS, c = e / (H * W) % C, i = e % (H * W);
        last[b][i][c] = mean[b][i][c] = packed[b][0][c][i];
        last[b][i][C + c] = logvar[b][i][c] = packed[b][1][c][i];
    }
    put_f32("last.npy", &last[0][0][0], SHAPE(B, H, W, 2 * C));
    put_f32("mean.npy", &mean[0][0][0], SHAPE(B, H, W, C));
    put_f32("logvar.npy", &logvar[0][0][0], SHAPE(B, H, W, C));
    INSPECT("last.npy", "--split-axis", "-1", "--json");
    expect_all();
    INSPECT("--mean", "mean.npy", "--logvar", "logvar.npy", "--channel-axis", "3", "--json");
    expect_all();
}

/* Each unit for itself. */
Test(cli_inspect, units)
{
    make_moments();
    put_f32("m.npy", &packed[0][0][0][0], SHAPE(B, 2 * C, H, W));
    INSPECT("m.npy", "--per", "unit", "--json");
    expect_status(0);
    json_t *root = run_json();
    cr_assert_eq(json_array_size(at(root, "rows")), UNITS);
    for (size_t i = 0; i < UNITS; i++) {
        const json_t *row = json_array_get(at(root, "rows"), i), *index = at(row, "index");
        const unsigned c = (unsigned)item(index, 0);
        const unsigned p = (unsigned)(item(index, 1) * W + item(index, 2));
        double kl = 0;
        for (unsigned b = 0; b < B; b++)
            kl += kl_of(b, c, p) / B;
        expect_near(number(row, "kl"), kl, "kl");
        expect_near(number(row, "variance"), variance_of(c, p), "variance");
    }
    expect_positions(at(root, "positions"));
    json_decref(root);
    INSPECT("m.npy", "--per", "unit");
    expect_out("  2,3,4  ");
}

/* NumPy 1.24 on the same file, in double precision. */
Test(cli_inspect, digits)
{
    INSPECT(DIGITS, "--json");
    expect_status(0);
    json_t *root = run_json();
    const json_t *samples = at(root, "samples"), *outliers = at(root, "outliers");
    const json_t *second = json_array_get(at(root, "rows"), 1);
    expect_near(number(samples, "mean"), 3.398629818, "mean");
    expect_near(item(at(samples, "quartiles"), 0), 2.82242086, "lower quartile");
    expect_near(item(at(samples, "quartiles"), 1), 3.3057858, "median");
    expect_near(item(at(outliers, "beyond"), 0), 1.2643199903, "low fence");
    expect_near(item(at(outliers, "beyond"), 1), 5.4192556486, "high fence");
    cr_expect_eq(json_array_size(at(outliers, "samples")), 33);
    cr_expect_eq(number(json_array_get(at(outliers, "samples"), 0), "sample"), 982);
    cr_expect_eq(item(at(second, "index"), 0), 2);
    expect_near(number(second, "kl"), 0.928052128, "kl");
    expect_near(number(second, "variance"), 0.860836190, "variance");
    cr_expect_eq(number(at(root, "active"), "rows"), 4);
    cr_expect_eq(json_array_size(at(at(root, "positions"), "values")), 0);
    json_decref(root);
}

/* ---- Settings ---- */

static unsigned count_active(const char *threshold)
{
    INSPECT(DIGITS, "--json", "--threshold", threshold);
    json_t *root = run_json();
    const unsigned active = (unsigned)number(at(root, "active"), "units");
    json_decref(root);
    return active;
}

Test(cli_inspect, threshold)
{
    cr_expect_eq(count_active("0.69"), 4);
    cr_expect_eq(count_active("0.70"), 3);
    cr_expect_eq(count_active("0.001"), 7);
    cr_expect_eq(count_active("0"), 16);
    cr_expect_eq(count_active("10"), 0);
}

/* Outliers on both sides, the farthest first: the quartiles are 4 and 8.5. */
Test(cli_inspect, fence)
{
    float mean[11];
    static const float logvar[11] = {0};
    static const double kl[11] = {30, 1, 2, 4, 5, 6, 7, 8, 4, 9, 15};
    for (unsigned i = 0; i < 11; i++)
        mean[i] = (float)sqrt(2 * kl[i]);
    put_f32("m.npy", mean, SHAPE(11, 1));
    put_f32("l.npy", logvar, SHAPE(11, 1));
    INSPECT("--mean", "m.npy", "--logvar", "l.npy");
    expect_out("outliers      1 of 11, below -2.75 or above 15.25: 1.5 times the\n"
               "                distance of the quartiles beyond them\n"
               "                sample 0\n");
    INSPECT("--mean", "m.npy", "--logvar", "l.npy", "--fence", "0.5");
    expect_out("outliers      3 of 11, below 1.75 or above 10.75: 0.5 times the\n"
               "                distance of the quartiles beyond them\n"
               "                sample 0, 10, 1\n");
}

/* One far outlier does not take the histogram from the others: 4 and 8.5 +- 4 * 4.5. */
Test(cli_inspect, histogram_of_a_far_outlier)
{
    static const float logvar[11] = {0};
    F32("m.npy", SHAPE(11, 1), 1000, 1.4142135F, 2, 2.8284271F, 2.8284271F, 3.1622777F, 3.4641016F,
        3.7416574F, 4, 4.2426407F, 5.4772256F);
    put_f32("l.npy", logvar, SHAPE(11, 1));
    INSPECT("--mean", "m.npy", "--logvar", "l.npy", "--json");
    json_t *root = run_json();
    const json_t *histogram = at(root, "histogram"), *edges = at(histogram, "edges");
    cr_expect_eq(number(histogram, "above"), 1);
    cr_expect_eq(number(histogram, "below"), 0);
    expect_near(item(edges, 0), 1, "first edge");
    expect_near(item(edges, json_array_size(edges) - 1), 26.5, "last edge");
    json_decref(root);
    INSPECT("--mean", "m.npy", "--logvar", "l.npy");
    expect_out("\n         above     26.50         1\n");
}

/* ---- What is odd ---- */

/* Samples that are NaN or infinite are left out: the rest is as if they had not been there. */
Test(cli_inspect, not_finite)
{
    make_moments();
    put_f32("good.npy", &packed[2][0][0][0], SHAPE(B - 2, 2 * C, H, W));
    memmove(packed[0], packed[2], sizeof packed[0]);
    memmove(packed[2], packed[3], sizeof packed[0]); /* rows 1 and 3 are to be the odd ones */
    packed[1][0][2][0] = INFINITY;
    packed[3][1][1][7] = NAN;
    put_f32("odd.npy", &packed[0][0][0][0], SHAPE(B, 2 * C, H, W));
    INSPECT("good.npy", "--json");
    expect_status(0);
    json_t *good = run_json();
    INSPECT("odd.npy", "--json");
    expect_status(1);
    expect_err("clkl: 1 of 30 samples is invalid: NaN in sample 3\n");
    json_t *odd = run_json();
    static const char *const same[] = {"active", "positions", "histogram"};
    for (unsigned i = 0; i < 3; i++)
        cr_expect(json_equal(at(good, same[i]), at(odd, same[i])), "%s", same[i]);
    cr_expect(
        json_equal(at(at(good, "samples"), "quartiles"), at(at(odd, "samples"), "quartiles")));
    cr_expect_eq(number(at(odd, "samples"), "finite"), B - 2);
    cr_expect(json_is_null(json_array_get(at(at(odd, "samples"), "values"), 3)));
    for (size_t i = 0; i < C; i++) {
        const json_t *row = json_array_get(at(odd, "rows"), i);
        const json_t *before = json_array_get(at(good, "rows"), i);
        const unsigned c = (unsigned)item(at(row, "index"), 0);
        cr_expect_eq(number(row, "kl"), number(before, "kl"));
        cr_expect_eq(number(row, "variance"), number(before, "variance"));
        cr_expect_eq(json_is_true(at(row, "invalid")), c == 1);
        cr_expect_eq(json_is_true(at(row, "infinite")), c == 2);
    }
    json_decref(good);
    json_decref(odd);
    INSPECT("odd.npy");
    expect_out("left out      2 of 30 samples, which are not finite");
    expect_out("invalid in channel 1\n                infinite in channel 2\n");
}

Test(cli_inspect, nothing_finite)
{
    F32("m.npy", SHAPE(2, 2), NAN, 0, INFINITY, 0);
    INSPECT("m.npy");
    expect_status(1);
    expect_out("per sample    no finite sample\n");
    expect_out("active        not known");
    INSPECT("m.npy", "--csv");
    expect_out("\nkl,0,nan\n");
    expect_out("\nsample,1,inf\n");
    INSPECT("m.npy", "--json");
    json_t *root = run_json();
    cr_expect(json_is_null(at(at(root, "samples"), "mean")));
    cr_expect_eq(json_array_size(at(at(root, "histogram"), "edges")), 0);
    json_decref(root);
}

/* Of one sample no variance is known. */
Test(cli_inspect, one_sample)
{
    F32("m.npy", SHAPE(1, 4), 1, 2, 0, 0);
    INSPECT("m.npy");
    expect_status(0);
    expect_out("active        not known: the variance of the means takes two samples\n");
    cr_expect_null(strstr(run.out, "collapsed"), "%s", run.out);
    expect_out("\n     1      2.000          -");
    INSPECT("m.npy", "--json");
    json_t *root = run_json();
    const json_t *row = json_array_get(at(root, "rows"), 0);
    cr_expect(json_is_null(at(row, "active")));
    cr_expect(json_is_null(at(row, "variance")));
    cr_expect(json_is_null(at(at(root, "active"), "units")));
    json_decref(root);
}

/* The clamp's counts are those of each unit and, of a Q that is shared, of its file. */
Test(cli_inspect, clamped)
{
    F32("p.npy", SHAPE(3, 4), 0, 0, 5, 0, 0, 0, 9, -9, 0, 0, 5, 0);
    F32("q.npy", SHAPE(4), 0, 0, 0, -5);
    INSPECT("p.npy", "q.npy", "--clamp", "-2,3", "--json");
    expect_status(0);
    json_t *root = run_json();
    for (size_t i = 0; i < 2; i++) {
        const json_t *row = json_array_get(at(root, "rows"), i);
        const bool first = item(at(row, "index"), 0) == 0;
        cr_expect_eq(number(row, "clamped_p"), first ? 3 : 1);
        cr_expect_eq(number(row, "clamped_q"), first ? 0 : 1);
    }
    cr_expect_eq(number(at(at(root, "clamped"), "p"), "count"), 4);
    cr_expect_eq(number(at(at(root, "clamped"), "q"), "count"), 1);
    json_decref(root);
    INSPECT("p.npy", "q.npy", "--clamp", "-2,3");
    expect_out("clamped       4 of 6 log-variances of P, 1 of 2 of Q lay outside [-2, 3]\n");
    INSPECT("p.npy", "--no-clamp", "--json");
    root = run_json();
    cr_expect(json_is_null(at(json_array_get(at(root, "rows"), 0), "clamped_p")));
    json_decref(root);
}

/* float16 and bfloat16 say what the same numbers say in float32. */
Test(cli_inspect, sixteen_bits)
{
    static const float single[] = {1, 0, -2, 0, 0.5F, 0, 3, NAN};
    static const uint16_t half[] = {0x3c00, 0, 0xc000, 0, 0x3800, 0, 0x4200, 0x7e00};
    static const uint16_t brain[] = {0x3f80, 0, 0xc000, 0, 0x3f00, 0, 0x4040, 0x7fc0};
    static char expected[sizeof run.out];
    put_f32("p.npy", single, SHAPE(4, 2));
    put_code("half.npy", "<f2", "(4, 2)", half, sizeof half);
    put_code("brain.npy", "<V2", "(4, 2)", brain, sizeof brain);
    RUN("inspect", "p.npy", "--csv", "--device", "reference");
    expect_status(1);
    memcpy(expected, run.out, sizeof expected);
    expect_out("\nvariance,0,1.72");
    RUN("inspect", "half.npy", "--csv", "--device", "reference");
    cr_expect_str_eq(run.out, expected);
    RUN("inspect", "brain.npy", "--csv", "--device", "reference");
    cr_expect_str_eq(run.out, expected);
}
