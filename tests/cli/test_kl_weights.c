/* `clkl kl` where not all elements count alike (--mask, --weights, --lengths), and with
 * --free-nats. */
#include "json_items.h"
#include "support.h"

#include <math.h>
#include <string.h>

/* Two samples of three elements. */
static const float mean[6] = {0.5F, -1.25F, 2, 0, 3.5F, -0.75F};
static const float logvar[6] = {0.25F, -2, 1.5F, -0.5F, 0.75F, -4};

static double element(unsigned i)
{
    return textbook((double)mean[i], exp((double)logvar[i]), 0, 1);
}

/* Writes them packed, with another mean in sample 0, element 1. */
static void put_moments(const char *name, float odd)
{
    float packed[12];
    for (unsigned i = 0; i < 6; i++) {
        packed[i / 3 * 6 + i % 3] = i == 1 ? odd : mean[i];
        packed[i / 3 * 6 + 3 + i % 3] = logvar[i];
    }
    put_f32(name, packed, SHAPE(2, 6));
}

static void make(void)
{
    scratch_make();
    put_moments("p.npy", mean[1]);
    put_moments("nan.npy", NAN);
}

TestSuite(cli_weights, .init = make, .fini = scratch_remove, .timeout = 60);

/* Expects the values that these weights give. */
static void expect_weighted(const char *type, const double *weights)
{
    double values[2] = {0, 0};
    for (unsigned i = 0; i < 6; i++)
        values[i / 3] += weights[i] != 0 ? weights[i] * element(i) : 0;
    expect_status(0);
    expect_npy("kl.npy", type, 1, 2, values);
}

/* ---- Masks ---- */

/* Shapes broadcast as NumPy's do; where the mask is 0 there may be NaN. */
Test(cli_weights, masks)
{
    static const uint8_t channel[] = {1, 0, 1}, sample[] = {0, 7}, whole[] = {255, 0, 1, 0, 0, 2};
    put_code("channel.npy", "|b1", "(3,)", channel, 3);
    put_code("row.npy", "|u1", "(1, 3)", channel, 3);
    put_code("sample.npy", "|u1", "(2, 1)", sample, 2);
    put_code("whole.npy", "|u1", "(2, 3)", whole, 6);
    put_code("yes.npy", "|b1", "()", channel, 1);
    KL("nan.npy", "--mask", "channel.npy", "--out", "kl.npy");
    expect_weighted("float32", (const double[]){1, 0, 1, 1, 0, 1});
    expect_out("\n  mask          4 of 6 elements count, by channel.npy\n");
    expect_out("2 latent elements a sample count\n");
    expect_out("0 of 4 log-variances lay outside");
    KL("nan.npy", "--mask", "row.npy", "--out", "kl.npy");
    expect_weighted("float32", (const double[]){1, 0, 1, 1, 0, 1});
    KL("nan.npy", "--mask", "sample.npy", "--out", "kl.npy");
    expect_weighted("float32", (const double[]){0, 0, 0, 1, 1, 1});
    expect_out("1.5 latent elements a sample count\n");
    KL("nan.npy", "--mask", "whole.npy", "--out", "kl.npy");
    expect_weighted("float32", (const double[]){1, 0, 1, 0, 0, 1});
    KL("p.npy", "--mask", "yes.npy", "--out", "kl.npy");
    expect_weighted("float32", (const double[]){1, 1, 1, 1, 1, 1});
    KL("nan.npy", "--mask", "channel.npy", "--keep", "1", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 3,
               (const double[]){(element(0) + element(3)) / 2, 0, (element(2) + element(5)) / 2});
    KL("nan.npy", "--mask", "channel.npy", "--deterministic", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 2, (const double[]){0, 0});
}

Test(cli_weights, nothing_counts)
{
    put_code("no.npy", "|b1", "(1,)", "", 1);
    KL("nan.npy", "--mask", "no.npy", "--out", "kl.npy");
    expect_weighted("float32", (const double[6]){0});
    expect_out("per element   no element counts\n");
    F32("m.npy", SHAPE(1, 2), 1, 2);
    KL("m.npy", "--mask", "no.npy");
    expect_out("clamped       0 of 0 log-variances lay outside [-30, 20]\n");
    KL("nan.npy", "--mask", "no.npy", "--json");
    expect_status(0);
    json_t *root = run_json();
    cr_expect(json_is_null(at(at(root, "element"), "nats")));
    json_decref(root);
}

/* A shared Q is counted once, or with every sample where other elements of it count in each. */
Test(cli_weights, clamp_counts)
{
    static const uint8_t channel[] = {1, 0, 1}, whole[] = {0, 1, 1, 0, 0, 1};
    float p[12] = {0}, q[6] = {0};
    p[3] = p[4] = p[9] = -99;
    q[4] = q[5] = 99;
    put_f32("p.npy", p, SHAPE(2, 6));
    put_f32("q.npy", q, SHAPE(6));
    put_code("channel.npy", "|b1", "(3,)", channel, 3);
    put_code("whole.npy", "|b1", "(2, 3)", whole, 6);
    KL("p.npy", "q.npy", "--mask", "channel.npy");
    expect_out("2 of 4 log-variances of P, 1 of 2 of Q lay outside");
    KL("p.npy", "q.npy", "--mask", "whole.npy");
    expect_out("1 of 3 log-variances of P, 3 of 3 of Q lay outside");
}

/* ---- Weights ---- */

Test(cli_weights, weights)
{
    static const float single[] = {0.5F, 0, 2};
    static const double wide[] = {0.1, 0, -3};
    static const uint16_t half[] = {0x3800, 0x8000, 0x4000}, brain[] = {0x3f00, 0x8000, 0x4000};
    put_f32("single.npy", single, SHAPE(3));
    put_f64("wide.npy", wide, SHAPE(1, 3));
    put_code("half.npy", "<f2", "(3,)", half, sizeof half);
    put_code("brain.npy", "<V2", "(3,)", brain, sizeof brain);
    put_code("bits.npy", "<u2", "(3,)", brain, sizeof brain);
    static const char *const narrow[] = {"single.npy", "half.npy", "brain.npy"};
    for (unsigned i = 0; i < 3; i++) {
        KL("nan.npy", "--weights", narrow[i], "--out", "kl.npy");
        expect_weighted("float32", (const double[]){0.5, 0, 2, 0.5, 0, 2});
        expect_out("\n  weights       4 of 6 elements count, by ");
    }
    KL("nan.npy", "--weights", "bits.npy", "--bf16", "--out", "kl.npy");
    expect_weighted("float32", (const double[]){0.5, 0, 2, 0.5, 0, 2});
    KL("nan.npy", "--weights", "wide.npy", "--out", "kl.npy");
    expect_weighted("float64", (const double[]){0.1, 0, -3, 0.1, 0, -3});
    KL("nan.npy", "--weights", "wide.npy", "--compute", "f32", "--out", "kl.npy");
    const double tenth = (double)0.1F;
    expect_weighted("float32", (const double[]){tenth, 0, -3, tenth, 0, -3});
}

/* ---- Lengths ---- */

Test(cli_weights, lengths)
{
    static const int8_t bytes[] = {1, 3};
    static const uint8_t big[] = {0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 3};
    static const uint32_t none[] = {0};
    put_code("bytes.npy", "|i1", "(2,)", bytes, 2);
    put_code("big.npy", ">i8", "(2,)", big, 16);
    put_code("unsigned.npy", ">u8", "(2,)", big, 16);
    put_code("none.npy", "<u4", "()", none, 4);
    static const char *const files[] = {"bytes.npy", "big.npy", "unsigned.npy"};
    for (unsigned i = 0; i < 3; i++) {
        KL("nan.npy", "--lengths", files[i], "--out", "kl.npy");
        expect_weighted("float32", (const double[]){1, 0, 0, 1, 1, 1});
        expect_out("\n  lengths       4 of 6 elements count: the first of axis 1, by ");
    }
    KL("nan.npy", "--lengths", "none.npy", "--out", "kl.npy");
    expect_weighted("float32", (const double[6]){0});
}

Test(cli_weights, length_axis)
{
    static const uint16_t lengths[] = {1, 0};
    float zeros[16] = {0}, means[16];
    for (unsigned i = 0; i < 16; i++)
        means[i] = (float)(1u << i % 8);
    put_f32("m.npy", means, SHAPE(2, 4, 2));
    put_f32("l.npy", zeros, SHAPE(2, 4, 2));
    put_code("lengths.npy", "<u2", "(2,)", lengths, 4);
    KL("--mean", "m.npy", "--logvar", "l.npy", "--lengths", "lengths.npy", "--length-axis", "-1",
       "--out", "kl.npy");
    expect_status(0);
    expect_npy("kl.npy", "float32", 1, 2, (const double[]){(1 + 16 + 256 + 4096) / 2.0, 0});
    expect_out("4 of 16 elements count: the first of axis 2, by lengths.npy\n");
}

/* ---- Free nats ---- */

/* The result has the free nats, the summary of the samples the divergences. */
Test(cli_weights, free_nats)
{
    const double a = element(0) + element(1) + element(2), b = element(3) + element(4) + element(5);
    const double limit = (a + b) / 2;
    char text[32];
    snprintf(text, sizeof text, "%.17g", limit);
    cr_assert_lt(a, b);
    KL("p.npy", "--free-nats", text, "--out", "kl.npy", "--json");
    expect_status(0);
    expect_npy("kl.npy", "float32", 1, 2, (const double[]){(double)(float)limit, b});
    json_t *root = run_json();
    cr_expect_float_eq(number(at(root, "free_nats"), "nats"), limit, 1e-6);
    cr_expect_eq(number(at(root, "free_nats"), "count"), 1);
    cr_expect_eq(number(at(root, "free_nats"), "of"), 2);
    cr_expect_float_eq(number(at(root, "samples"), "min"), a, 1e-6);
    cr_expect_float_eq(item(at(root, "values"), 0), limit, 1e-6);
    json_decref(root);
    KL("nan.npy", "--free-nats", "9", "--csv");
    expect_status(1);
    cr_expect_str_eq(run.out, "sample,kl\n0,nan\n1,9\n");
    KL("p.npy", "--free-nats", "1", "--keep", "1", "--out", "kl.npy");
    double channels[3];
    for (unsigned i = 0; i < 3; i++)
        channels[i] = fmax((element(i) + element(i + 3)) / 2, 1);
    expect_npy("kl.npy", "float32", 1, 3, channels);
    expect_out("  free nats     1: the divergence is no more in ");
}

/* ---- The default device, whichever it is, against the reference ---- */

Test(cli_weights, default_device_agrees, .timeout = 300)
{
    static char reference[sizeof run.out];
    uint8_t lengths[520];
    for (unsigned i = 0; i < 520; i++)
        lengths[i] = (uint8_t)(i % 5);
    put_code("lengths.npy", "|u1", "(520,)", lengths, sizeof lengths);
    const char *words[] = {"kl",          PHOTO, "--lengths", "lengths.npy", "--length-axis", "2",
                           "--free-nats", "100", "--csv",     "--device",    "reference",     NULL};
    run_words(words);
    expect_status(0);
    memcpy(reference, run.out, sizeof reference);
    words[9] = NULL;
    run_words(words);
    expect_status(0);
    const char *a = reference, *b = run.out;
    for (unsigned sample = 0; sample < 520; sample++) {
        double x = 0, y = 1;
        a = strchr(a + 1, '\n');
        b = strchr(b + 1, '\n');
        cr_assert_eq(sscanf(a, "\n%*u,%lf", &x), 1);
        cr_assert_eq(sscanf(b, "\n%*u,%lf", &y), 1);
        cr_expect(fabs(x - y) <= 6e-7 * x, "sample %u: %.9g on the device, %.9g", sample, y, x);
    }
}

/* ---- Refusals ---- */

Test(cli_weights, refusals)
{
    static const struct {
        const char *words[7];
        const char *says;
    } refusals[] = {
        {{"--mask", "m.npy", "--lengths", "i.npy"}, "--mask and --lengths both say which"},
        {{"--length-axis", "1"}, "--length-axis 1: there are no lengths"},
        {{"--lengths", "i.npy", "--length-axis", "x"}, "--length-axis x: found no whole number"},
        {{"--lengths", "i.npy", "--length-axis", "0"}, "--length-axis 0: axis 0 is the batch"},
        {{"--lengths", "i.npy", "--length-axis", "2"}, "--length-axis 2: the mean's shape [2,3]"},
        {{"--lengths", "f.npy"}, "f.npy: holds float32; expected lengths of int8"},
        {{"--lengths", "minus.npy"}, "minus.npy: length 1 is -128; expected no length below 0"},
        {{"--lengths", "long.npy"},
         "long.npy: length 0 is 4, but axis 1 of the mean's shape [2,3]"},
        {{"--lengths", "huge.npy"}, "length 0 is 4294967295 or more, but axis 1"},
        {{"--lengths", "three.npy"}, "three.npy: lengths of shape [3]; expected one for each of"},
        {{"--mask", "f.npy"}, "f.npy: holds float32; expected a mask of bool or uint8"},
        {{"--mask", "two.npy"},
         "two.npy: the shape of --mask, [2], does not broadcast to the mean's, [2,3]; expected "
         "that extent or 1 for each axis, from the last one backwards. One for each sample has"},
        {{"--mask", "deep.npy"}, "the shape of --mask, [1,1,1], does not broadcast"},
        {{"--mask", "none.npy"}, "the shape of --mask, [0], does not broadcast"},
        {{"--weights", "i.npy"}, "i.npy: holds int8; expected float16"},
        {{"--mask", "absent.npy"}, "absent.npy: cannot be opened"},
        {{"--weights", "absent.npy"}, "absent.npy: cannot be opened"},
        {{"--lengths", "absent.npy"}, "absent.npy: cannot be opened"},
        {{"--q-moments", "-", "--mask", "-"}, "'-' stands for standard input, which 2 inputs"},
        {{"--mask", "two.npy", "--bf16"}, "--bf16: no file holds uint16 or int16"},
        {{"--free-nats", "-1"}, "--free-nats -1: expected a finite number of nats"},
        {{"--free-nats", "inf"}, "--free-nats inf: expected a finite number"},
        {{"--free-nats", "1e39"}, "--free-nats 1e+39: the result is float32"},
    };
    static const uint8_t bytes[] = {1, 128, 1}, many[] = {4, 0, 0, 0, 1, 0, 0, 0, 0};
    F32("f.npy", SHAPE(2), 1, 1);
    put_code("i.npy", "|i1", "(2,)", "\1\1", 2);
    put_code("minus.npy", "|i1", "(2,)", bytes, 2);
    put_code("long.npy", "|u1", "(2,)", many, 2);
    put_code("huge.npy", "<i8", "()", many, 8);
    put_code("three.npy", "|u1", "(3,)", bytes, 3);
    put_code("two.npy", "|u1", "(2,)", bytes, 2);
    put_code("deep.npy", "|u1", "(1, 1, 1)", bytes, 1);
    put_code("none.npy", "|u1", "(0,)", NULL, 0);
    for (unsigned i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const char *words[16] = {"kl", "p.npy", "--out", "must-not-appear.npy"};
        memcpy(words + 4, refusals[i].words, sizeof refusals[i].words);
        const unsigned before = scratch_count();
        run_words(words);
        expect_refusal(refusals[i].says);
        cr_expect_eq(scratch_count(), before, "a file appeared: %s", refusals[i].says);
    }
}
