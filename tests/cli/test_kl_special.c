/* NaN, infinities and scales below 0: the sample is named, the others are right. */
#include "support.h"

#include <math.h>
#include <string.h>

TestSuite(cli_special, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

/* Five samples: NaN in the mean, variance below 0, a good one, an infinite mean, NaN variance. */
static void put_five(void)
{
    F32("m.npy", SHAPE(5, 2), NAN, 1, 1, 1, 1, 2, INFINITY, 0, 0, 0);
    F32("v.npy", SHAPE(5, 2), 1, 1, 1, -1, 1, 1, 1, 1, 1, NAN);
}

#define FIVE "--mean", "m.npy", "--var", "v.npy"

static void expect_sentence(void)
{
    expect_status(1);
    expect_err("clkl: 3 of 5 samples are invalid: NaN in sample 0, 4; a variance or standard "
               "deviation below 0 in sample 1\n");
}

Test(cli_special, summary)
{
    put_five();
    KL(FIVE, "--out", "kl.npy");
    expect_sentence();
    expect_npy("kl.npy", "float32", 1, 5, (const double[]){NAN, NAN, 2.5, INFINITY, NAN});
    expect_out("per sample    mean inf\n                min 2.5 (sample 2), max inf (sample 3)\n");
    expect_out("invalid       3 of 5: sample 0, 1, 4\n");
    expect_out("infinite      1 of 5: sample 3; mean of the finite ones 2.5\n");
}

Test(cli_special, other_reports)
{
    put_five();
    KL(FIVE, "--csv");
    expect_sentence();
    cr_expect_str_eq(run.out, "sample,kl\n0,nan\n1,nan\n2,2.5\n3,inf\n4,nan\n");
    KL(FIVE, "--quiet");
    expect_sentence();
    cr_expect_str_eq(run.out, "");
}

Test(cli_special, json)
{
    put_five();
    KL(FIVE, "--json");
    expect_sentence();
    json_t *root = run_json();
    json_t *expected = json_loads("{\"values\": [null, null, 2.5, null, null],"
                                  " \"infinite\": [3],"
                                  " \"invalid\": [{\"sample\": 0, \"reason\": \"nan\"},"
                                  " {\"sample\": 1, \"reason\": \"negative scale\"},"
                                  " {\"sample\": 4, \"reason\": \"nan\"}]}",
                                  0, NULL);
    const char *key = NULL;
    json_t *value = NULL;
    cr_assert_not_null(expected);
    json_object_foreach(expected, key, value)
        cr_expect(json_equal(json_object_get(root, key), value), "%s: %s", key, run.out);
    cr_expect(json_is_null(json_object_get(json_object_get(root, "samples"), "mean")));
    json_decref(expected);
    json_decref(root);
}

/* Each place for a NaN, with the clamp and without. */
Test(cli_special, nan_in_each_place)
{
    for (unsigned place = 0; place < 8; place++) {
        float p[8] = {0}, q[8] = {0};
        (place < 4 ? p : q)[4 + place % 4] = NAN;
        put_f32("p.npy", p, SHAPE(2, 4));
        put_f32("q.npy", q, SHAPE(2, 4));
        for (unsigned clamp = 0; clamp < 2; clamp++) {
            KL("p.npy", "q.npy", "--out", "kl.npy", clamp ? "--clamp=-30,20" : "--no-clamp");
            expect_status(1);
            cr_expect_str_eq(run.err, "clkl: 1 of 2 samples is invalid: NaN in sample 1\n");
            expect_npy("kl.npy", "float32", 1, 2, (const double[]){0, NAN});
        }
    }
}

/* A negative standard deviation, on Q's side, in an array that many samples share. */
Test(cli_special, negative_scale_of_shared_q)
{
    float p[64] = {0};
    put_f32("p.npy", p, SHAPE(32, 2));
    F32("m.npy", SHAPE(1), 0);
    F32("s.npy", SHAPE(1), -1);
    KL("p.npy", "--q-mean", "m.npy", "--q-std", "s.npy");
    expect_status(1);
    cr_expect_str_eq(run.err,
                     "clkl: 32 of 32 samples are invalid: a variance or standard deviation "
                     "below 0 in sample 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 22 more\n");
    expect_out("per sample    no valid sample\n");
    expect_out("invalid       32 of 32: sample 0, 1, 2, 3, 4, 5, 6, 7, 8, 9 and 22 more\n");
}

/* An infinite divergence is a result. */
Test(cli_special, infinite_is_a_result)
{
    F32("m.npy", SHAPE(2, 1), 1, 1);
    F32("v.npy", SHAPE(2, 1), 0, 1);
    KL("--mean", "m.npy", "--var", "v.npy", "--out", "kl.npy");
    expect_status(0);
    expect_npy("kl.npy", "float32", 1, 2, (const double[]){INFINITY, 0.5});
    cr_expect_str_eq(run.err, "");
}

/* The default device names the same samples. */
Test(cli_special, default_device, .timeout = 300)
{
    put_five();
    RUN("kl", FIVE, "--csv");
    expect_sentence();
    cr_expect_str_eq(run.out, "sample,kl\n0,nan\n1,nan\n2,2.5\n3,inf\n4,nan\n");
}
