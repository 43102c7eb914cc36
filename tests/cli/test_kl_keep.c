/* Which axes `clkl kl` keeps: the values of any set of them, and what is reported. */
#include "support.h"

#include "io/npy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(cli_keep, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

enum { RANK = 3, COUNT = 12 };
static const uint64_t extents[RANK] = {2, 3, 2};

#define FILES "--mean", "m.npy", "--var", "v.npy"

/* Twelve different elements [2, 3, 2]; *values are their divergences. */
static void put_elements(double *values)
{
    float means[COUNT], variances[COUNT];
    for (unsigned i = 0; i < COUNT; i++) {
        means[i] = 0.25F * (float)(i * 7 % COUNT) - 1;
        variances[i] = 0.5F + 0.25F * (float)(i * 5 % COUNT);
        values[i] = textbook((double)means[i], (double)variances[i], 0, 1);
    }
    put_f32("m.npy", means, SHAPE(2, 3, 2));
    put_f32("v.npy", variances, SHAPE(2, 3, 2));
}

/* What is left of `values` when the axes of `bits` stay; `shape`, which 0 ends, is its shape.
 * Returns how many there are. */
static unsigned reduce(const double *values, unsigned bits, bool mean, double *kept,
                       uint64_t *shape)
{
    unsigned count = 1, rank = 0;
    for (unsigned axis = 0; axis < RANK; axis++)
        if ((bits >> axis & 1) != 0)
            count *= (unsigned)(shape[rank++] = extents[axis]);
    shape[rank] = 0;
    memset(kept, 0, count * sizeof *kept);
    for (unsigned i = 0; i < COUNT; i++) {
        const unsigned index[RANK] = {i / 6, i / 2 % 3, i % 2};
        unsigned at = 0;
        for (unsigned axis = 0; axis < RANK; axis++)
            if ((bits >> axis & 1) != 0)
                at = at * (unsigned)extents[axis] + index[axis];
        kept[at] += mean ? values[i] / 2 : values[i];
    }
    return count;
}

static void expect_set(const double *values, const char *words, unsigned bits, const char *batch)
{
    double kept[COUNT];
    uint64_t shape[RANK + 1];
    const bool mean = (bits & 1) == 0 && strcmp(batch, "--batch=sum") != 0;
    const unsigned count = reduce(values, bits, mean, kept, shape);
    KL(FILES, "--keep", words, "--out", "kl.npy", batch);
    expect_status(0);
    unsigned rank = 0;
    while (shape[rank] != 0)
        rank++;
    expect_npy("kl.npy", "float32", rank, count, kept);
    expect_shape("kl.npy", shape);
}

/* Every set of three axes, in any order and counted from either end. */
Test(cli_keep, sets)
{
    static const struct {
        const char *words;
        unsigned bits;
    } sets[] = {{"none", 0},  {"0", 1},   {"1", 2},     {"-2", 2},    {"0,1", 3},     {"1,0", 3},
                {"2", 4},     {"2,0", 5}, {"-1,0", 5},  {"0,-1", 5},  {"1,2", 6},     {"2,1", 6},
                {"-2,-1", 6}, {"all", 7}, {"0,1,2", 7}, {"2,0,1", 7}, {"-1,-2,-3", 7}};
    double values[COUNT];
    put_elements(values);
    for (unsigned i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        expect_set(values, sets[i].words, sets[i].bits, "--quiet");
        if ((sets[i].bits & 1) != 0)
            continue;
        expect_set(values, sets[i].words, sets[i].bits, "--batch=sum");
        expect_set(values, sets[i].words, sets[i].bits, "--batch=mean");
    }
}

/* The values of a file, which the caller frees. */
static float *read_values(const char *name, uint64_t count)
{
    struct npy array;
    struct io_error error;
    cr_assert(npy_read(name, &array, &error), "%s\n%s", error.text, run.err);
    cr_assert_eq(array.count, count);
    return array.data;
}

/* Real latents [520, 4, 4, 4]: what is kept adds up to what is not. */
Test(cli_keep, sums)
{
    static double elements[64], rows[520 * 4], map[16];
    KL(PHOTO, "--keep", "all", "--out", "all.npy");
    expect_shape("all.npy", SHAPE(520, 4, 4, 4));
    float *all = read_values("all.npy", 520 * 64);
    for (unsigned i = 0; i < 520 * 64; i++) {
        elements[i % 64] += (double)all[i];
        map[i % 16] += (double)all[i] / 520;
        rows[i / 16] += (double)all[i];
    }
    free(all);
    KL(PHOTO, "--keep", "1,2,3", "--batch", "sum", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 3, 64, elements);
    KL(PHOTO, "--keep", "3,2", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 2, 16, map);
    KL(PHOTO, "--keep", "1,0", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 2, 520 * 4, rows);
}

/* The default device, whichever it is, against the reference. */
Test(cli_keep, default_device_agrees, .timeout = 300)
{
    static const struct {
        const char *words;
        uint64_t count;
    } sets[] = {{"all", 33280}, {"0,1", 2080}, {"3,0", 2080}, {"1,2,3", 64}, {"1,3", 16}};
    for (unsigned k = 0; k < sizeof sets / sizeof sets[0]; k++) {
        KL(PHOTO, "--keep", sets[k].words, "--out", "reference.npy", "--quiet");
        expect_status(0);
        RUN("kl", PHOTO, "--keep", sets[k].words, "--out", "device.npy", "--quiet");
        expect_status(0);
        float *a = read_values("reference.npy", sets[k].count);
        float *b = read_values("device.npy", sets[k].count);
        for (uint64_t i = 0; i < sets[k].count; i++)
            cr_expect(fabsf(a[i] - b[i]) <= 6e-7F * a[i], "--keep %s, value %llu: %.9g, not %.9g",
                      sets[k].words, (unsigned long long)i, (double)b[i], (double)a[i]);
        free(a);
        free(b);
    }
}

/* Elements [2, 2, 3] of variance 1, whose divergences are 2, 8, 18, ..., 288. */
static void put_squares(void)
{
    F32("m.npy", SHAPE(2, 2, 3), 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24);
    F32("v.npy", SHAPE(2, 2, 3), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
}

Test(cli_keep, csv)
{
    put_squares();
    KL(FILES, "--csv", "--keep", "2,0");
    expect_status(0);
    cr_expect_str_eq(run.out,
                     "sample,axis2,kl\n0,0,34\n0,1,58\n0,2,90\n1,0,298\n1,1,370\n1,2,450\n");
    KL(FILES, "--csv", "--keep", "1,2", "--batch", "sum");
    cr_expect_str_eq(run.out,
                     "axis1,axis2,kl\n0,0,100\n0,1,136\n0,2,180\n1,0,232\n1,1,292\n1,2,360\n");
    KL(FILES, "--csv", "--keep", "all");
    cr_expect_str_eq(run.out,
                     "sample,axis1,axis2,kl\n0,0,0,2\n0,0,1,8\n0,0,2,18\n0,1,0,32\n0,1,1,50\n"
                     "0,1,2,72\n1,0,0,98\n1,0,1,128\n1,0,2,162\n1,1,0,200\n1,1,1,242\n1,1,2,288\n");
}

/* Expects these members of the JSON object. */
static void expect_json(const char *members)
{
    json_t *root = run_json(), *expected = json_loads(members, 0, NULL), *value = NULL;
    const char *key = NULL;
    cr_assert_not_null(expected, "%s", members);
    json_object_foreach(expected, key, value)
        cr_expect(json_equal(json_object_get(root, key), value), "%s: %s", key, run.out);
    json_decref(expected);
    json_decref(root);
}

Test(cli_keep, json)
{
    put_squares();
    KL(FILES, "--json", "--keep", "2,0");
    expect_json("{\"keep\": [0, 2], \"shape\": [2, 2, 3], \"values_shape\": [2, 3],"
                " \"values\": [34.0, 58.0, 90.0, 298.0, 370.0, 450.0], \"batch\": null}");
    KL(FILES, "--json", "--keep", "-1,1", "--batch", "sum");
    expect_json("{\"keep\": [1, 2], \"shape\": [2, 2, 3], \"values_shape\": [2, 3],"
                " \"values\": [100.0, 136.0, 180.0, 232.0, 292.0, 360.0], \"batch\": \"sum\"}");
    KL(FILES, "--json");
    expect_json("{\"keep\": [0], \"values_shape\": [2], \"values\": [182.0, 1118.0]}");
    KL(FILES, "--json", "--keep", "none");
    expect_json("{\"keep\": [], \"values_shape\": [], \"values\": [650.0]}");
}

/* With other axes beside the samples: what a value is, and how the values spread. */
Test(cli_keep, summary_of_values)
{
    put_squares();
    KL(FILES, "--keep", "0,2");
    expect_status(0);
    expect_out("per sample    mean 650\n                min 182 (sample 0), max 1118 (sample 1)\n");
    expect_out("  per value     6 of shape [2,3]:\n"
               "                one for each sample and index of axis 2\n"
               "                mean 216.667\n"
               "                min 34 (index 0,0), max 450 (index 1,2)\n");
    cr_expect_null(strstr(run.out, "collapsed"), "%s", run.out);
    KL(FILES, "--keep", "all");
    expect_out("  per value     12 of shape [2,2,3]:\n"
               "                one for each sample and index of axes 1 and 2\n");
    KL(FILES);
    cr_expect_null(strstr(run.out, "per value"), "%s", run.out);
    KL(PHOTO, "--keep", "all");
    expect_out("33280 of shape [520,4,4,4]:\n"
               "                one for each sample and index of axes 1, 2 and 3\n");
    expect_narrow_ascii();
}

/* What is odd in an element is odd in its own value alone. */
Test(cli_keep, odd_values)
{
    F32("m.npy", SHAPE(2, 3), NAN, 2, INFINITY, 4, 0, 2);
    F32("v.npy", SHAPE(2, 3), 1, 1, 1, 1, -1, 1);
    KL(FILES, "--keep", "all", "--out", "kl.npy");
    expect_status(1);
    expect_err("clkl: 2 of 2 samples are invalid: NaN in sample 0; a variance or standard "
               "deviation below 0 in sample 1\n");
    expect_npy("kl.npy", "float32", 2, 6, (const double[]){NAN, 2, INFINITY, 8, NAN, 2});
    expect_out("                mean inf, 2 NaN left out, 1 infinite; mean of the finite ones 4\n"
               "                min 2 (index 0,1), max inf (index 0,2)\n");
    KL(FILES, "--keep", "all", "--csv");
    cr_expect_str_eq(run.out, "sample,axis1,kl\n0,0,nan\n0,1,2\n0,2,inf\n1,0,8\n1,1,nan\n1,2,2\n");
    KL(FILES, "--keep", "1,0", "--json");
    expect_json("{\"values\": [null, 2.0, null, 8.0, null, 2.0]}");
    F32("v.npy", SHAPE(2, 3), -1, -1, -1, -1, -1, -1);
    KL(FILES, "--keep", "all");
    expect_out("index of axis 1\n                no valid value\n  invalid");
}

Test(cli_keep, bars)
{
    setenv("LC_ALL", "C", 1);
    put_squares();
    KL(FILES, "--keep", "1,2");
    expect_status(0);
    expect_out("\naxes 1 and 2, nats per index: mean over the 2 samples\n  0,0      50.00  ####");
    expect_out("\n  1,0      116.0  ");
    expect_out("\n  1,2      180.0  ####################################################\n"
               "0 of 6 units collapsed (below 0.01 nats)\n");
    cr_expect_null(strstr(run.out, "per value"), "%s", run.out);
    KL(PHOTO, "--keep", "1,2,3", "--batch", "sum");
    expect_out("\naxes 1, 2 and 3, nats per index: sum over the 520 samples\n  0,0,0  ");
    expect_out("\n  3,3,3  ");
    expect_out("\n0 of 64 units collapsed");
    cr_expect_null(strstr(run.out, "not shown"), "%s", run.out);
    expect_narrow_ascii();
}

/* 256 units on eight axes, of which unit i has the divergence i * i / 2. */
Test(cli_keep, bars_of_many_units)
{
    float means[256], variances[256];
    for (unsigned i = 0; i < 256; i++) {
        means[i] = (float)i;
        variances[i] = 1;
    }
    setenv("LC_ALL", "C", 1);
    put_f32("m.npy", means, SHAPE(1, 2, 2, 2, 2, 2, 2, 2, 2));
    put_f32("v.npy", variances, SHAPE(1, 2, 2, 2, 2, 2, 2, 2, 2));
    KL(FILES, "--keep", "1,2,3,4,5,6,7,8");
    expect_out("\naxes 1, 2, 3, 4, 5, 6, 7 and 8, nats per index: mean over the 1 sample; the "
               "largest 64\n  1,1,1,1,1,1,1,1  3.251e+04  ####");
    expect_out("\n  1,1,0,0,0,0,0,0  1.843e+04  ");
    cr_expect_null(strstr(run.out, "1,0,1,1,1,1,1,1"), "%s", run.out);
    expect_out("\n192 more, down to 0.000, are not shown; --out and --csv write all\n"
               "1 of 256 units collapsed");
}
