/* `clkl grad`: its numbers, against the formulas and the reference; types, factors, reports. */
#include "json_items.h"
#include "support.h"

#include "io/npy.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

TestSuite(cli_grad, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

enum { B = 2, N = 3, ALL = B * N };

/* P, and a Q that all samples share. */
static const float mean[ALL] = {0.5F, -1.25F, 2, 0, 3.5F, -0.75F};
static const float logvar[ALL] = {0.25F, -2, 1.5F, -0.5F, 0.75F, -4};
static const float q_mean[N] = {1, 0.25F, -0.5F}, q_logvar[N] = {-1, 0.5F, 0.75F};

/* Runs on the reference. */
#define GRAD(...) RUN("grad", __VA_ARGS__, "--device", "reference")

/* The derivatives of an element's divergence by its four numbers. */
struct slopes {
    double p_mean, p_logvar, q_mean, q_logvar;
};

static struct slopes slopes_at(unsigned i, bool standard)
{
    const double mq = standard ? 0 : (double)q_mean[i % N];
    const double lq = standard ? 0 : (double)q_logvar[i % N];
    const double d = (double)mean[i] - mq, x = (double)logvar[i] - lq;
    return (struct slopes){d * exp(-lq), 0.5 * expm1(x), -d * exp(-lq),
                           -0.5 * (expm1(x) + d * d * exp(-lq))};
}

/* Writes P as m.npy and s.npy, a scale of this kind. */
static void put_p(const char *scale)
{
    float values[ALL];
    for (unsigned i = 0; i < ALL; i++) {
        const double l = (double)logvar[i];
        values[i] = (float)(strcmp(scale, "logvar") == 0   ? l
                            : strcmp(scale, "logstd") == 0 ? l / 2
                            : strcmp(scale, "var") == 0    ? exp(l)
                                                           : exp(l / 2));
    }
    put_f32("m.npy", mean, SHAPE(B, N));
    put_f32("s.npy", values, SHAPE(B, N));
}

static void put_q(void)
{
    put_f32("qm.npy", q_mean, SHAPE(1, N));
    put_f32("ql.npy", q_logvar, SHAPE(1, N));
}

static void put_packed(const char *name)
{
    float packed[2 * ALL];
    for (unsigned i = 0; i < ALL; i++) {
        packed[i / N * 2 * N + i % N] = mean[i];
        packed[i / N * 2 * N + N + i % N] = logvar[i];
    }
    put_f32(name, packed, SHAPE(B, 2 * N));
}

/* Expects numbers to 1e-6 of the largest. */
static void expect_numbers(const char *name, const char *type, uint64_t count,
                           const double *expected)
{
    struct npy array;
    struct io_error error;
    double largest = 0;
    cr_assert(npy_read(name, &array, &error), "%s\n%s", error.text, run.err);
    cr_expect_str_eq(npy_type_name(array.type), type);
    cr_assert_eq(array.count, count, "%s", name);
    for (uint64_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(expected[i]));
    for (uint64_t i = 0; i < count; i++) {
        const double found = array.type == NPY_FLOAT64 ? ((double *)array.data)[i]
                                                       : (double)((float *)array.data)[i];
        cr_expect(fabs(found - expected[i]) <= 1e-6 * largest, "%s[%u] is %.9g, expected %.9g",
                  name, (unsigned)i, found, expected[i]);
    }
    npy_free(&array);
}

/* ---- Numbers ---- */

Test(cli_grad, packed)
{
    double expected[2 * ALL];
    put_packed("p.npy");
    for (unsigned i = 0; i < ALL; i++) {
        expected[i / N * 2 * N + i % N] = slopes_at(i, true).p_mean;
        expected[i / N * 2 * N + N + i % N] = slopes_at(i, true).p_logvar;
    }
    GRAD("p.npy", "--out", "g");
    expect_status(0);
    expect_numbers("g.p_moments.npy", "float32", 2 * ALL, expected);
    expect_shape("g.p_moments.npy", SHAPE(B, 2 * N));
    cr_expect_eq(scratch_count(), 2, "p.npy and the gradient alone");
    expect_out("gradient of   the sum of 2 values, axis 0 kept\n");
    expect_out("float32 [2,6] in g.p_moments.npy\n");
    GRAD("p.npy", "--out", "g", "--keep", "none", "--beta", "-4", "--quiet");
    for (unsigned i = 0; i < 2 * ALL; i++)
        expected[i] *= -4.0 / B;
    expect_numbers("g.p_moments.npy", "float32", 2 * ALL, expected);
    cr_expect_str_eq(run.out, "");
    GRAD("p.npy", "--out", "g", "--keep", "none", "--batch", "sum", "--compute", "f64");
    for (unsigned i = 0; i < 2 * ALL; i++)
        expected[i] *= B / -4.0;
    expect_numbers("g.p_moments.npy", "float64", 2 * ALL, expected);
    expect_out("gradient of   the sum over the batch\n");
}

/* Every scale, by the chain rule, with a Q of its own form that has the sum over the batch. */
Test(cli_grad, scales)
{
    static const char *const options[] = {"--logvar", "--logstd", "--var", "--std"};
    put_q();
    for (unsigned kind = 0; kind < 4; kind++) {
        double by_mean[ALL], by_scale[ALL], by_q_mean[N] = {0}, by_q_logvar[N] = {0};
        char name[32];
        put_p(options[kind] + 2);
        for (unsigned i = 0; i < ALL; i++) {
            const struct slopes slopes = slopes_at(i, false);
            const double l = (double)logvar[i];
            const double chain[] = {1, 2, exp(-l), 2 * exp(-l / 2)};
            by_mean[i] = slopes.p_mean;
            by_scale[i] = slopes.p_logvar * chain[kind];
            by_q_mean[i % N] += slopes.q_mean;
            by_q_logvar[i % N] += slopes.q_logvar;
        }
        GRAD("--mean", "m.npy", options[kind], "s.npy", "--q-mean", "qm.npy", "--q-logvar",
             "ql.npy", "--out", "g");
        expect_status(0);
        snprintf(name, sizeof name, "g.p_%s.npy", options[kind] + 2);
        expect_numbers("g.p_mean.npy", "float32", ALL, by_mean);
        expect_numbers(name, "float32", ALL, by_scale);
        expect_numbers("g.q_mean.npy", "float32", N, by_q_mean);
        expect_numbers("g.q_logvar.npy", "float32", N, by_q_logvar);
        expect_shape("g.q_mean.npy", SHAPE(1, N));
    }
}

Test(cli_grad, sides_and_factors)
{
    double by_p[ALL], by_q[N] = {0};
    put_p("logvar");
    put_q();
    for (unsigned i = 0; i < ALL; i++) {
        by_p[i] = 0.5 * slopes_at(i, false).p_mean;
        by_q[i % N] += -2 * slopes_at(i, false).q_mean;
    }
    const char *const words[] = {"grad",     "--mean",     "m.npy",      "--logvar",   "s.npy",
                                 "--q-mean", "qm.npy",     "--q-logvar", "ql.npy",     "--out",
                                 "g",        "--p-factor", "0.25",       "--q-factor", "-1",
                                 "--beta",   "2",          "--device",   "reference",  NULL};
    run_words(words);
    expect_status(0);
    expect_numbers("g.p_mean.npy", "float32", ALL, by_p);
    expect_numbers("g.q_mean.npy", "float32", N, by_q);
    expect_out("  factor        0.5 for P's, -2 for Q's\n");
    GRAD("--mean", "m.npy", "--logvar", "s.npy", "--q-mean", "qm.npy", "--q-logvar", "ql.npy",
         "--out", "only", "--wrt", "q");
    expect_status(0);
    cr_expect_eq(scratch_count(), 4 + 4 + 2);
    cr_expect_eq(access("only.q_logvar.npy", F_OK), 0);
    GRAD("--mean", "m.npy", "--logvar", "s.npy", "--q-mean", "qm.npy", "--q-logvar", "ql.npy",
         "--out", "p", "--wrt", "p", "--beta", "0.5");
    expect_numbers("p.p_mean.npy", "float32", ALL, by_p);
    cr_expect_eq(scratch_count(), 4 + 4 + 2 + 2);
}

/* Of every type that holds the numbers exactly, and rounded where that is asked for. */
Test(cli_grad, upstream)
{
    static const uint16_t half[] = {0x3800, 0xc000};
    double expected[ALL], tenth[ALL];
    put_p("logvar");
    for (unsigned i = 0; i < ALL; i++) {
        expected[i] = slopes_at(i, true).p_mean * (i < N ? 0.5 : -2);
        tenth[i] = slopes_at(i, true).p_mean * (i < N ? 0.1 : -2);
    }
    F32("single.npy", SHAPE(B), 0.5F, -2);
    F64("wide.npy", SHAPE(B), 0.5, -2);
    F64("tenth.npy", SHAPE(B), 0.1, -2);
    put_code("half.npy", "<f2", "(2,)", half, sizeof half);
    static const char *const files[] = {"single.npy", "wide.npy", "half.npy"};
    for (unsigned i = 0; i < 3; i++) {
        GRAD("--mean", "m.npy", "--logvar", "s.npy", "--upstream", files[i], "--out", "g");
        expect_status(0);
        expect_numbers("g.p_mean.npy", "float32", ALL, expected);
    }
    expect_out("axis 0 kept, times half.npy\n");
    GRAD("--mean", "m.npy", "--logvar", "s.npy", "--upstream", "tenth.npy", "--out", "g",
         "--compute", "f64");
    expect_numbers("g.p_mean.npy", "float64", ALL, tenth);
    GRAD("--mean", "m.npy", "--logvar", "s.npy", "--upstream", "tenth.npy", "--out", "g",
         "--compute", "f32");
    expect_numbers("g.p_mean.npy", "float32", ALL, tenth);
    GRAD("--mean", "m.npy", "--logvar", "s.npy", "--upstream", "tenth.npy", "--out", "no");
    expect_refusal("tenth.npy: holds 0.10000000000000001 in float64, which float32 would round");
    F32("one.npy", SHAPE(1), 3);
    GRAD("--mean", "m.npy", "--logvar", "s.npy", "--upstream", "one.npy", "--out", "g", "--keep",
         "none");
    expect_status(0);
    for (unsigned i = 0; i < ALL; i++)
        expected[i] = slopes_at(i, true).p_mean * 3 / B;
    expect_numbers("g.p_mean.npy", "float32", ALL, expected);
}

/* 0 where a clamp is active, where the mask is 0, and where the value is free. */
Test(cli_grad, zeros)
{
    static const uint8_t channel[] = {1, 0, 1};
    double expected[ALL];
    put_p("logvar");
    put_code("mask.npy", "|b1", "(3,)", channel, 3);
    for (unsigned i = 0; i < ALL; i++)
        expected[i] = logvar[i] < -1 || logvar[i] > 1 ? 0 : slopes_at(i, true).p_logvar;
    GRAD("--mean", "m.npy", "--logvar", "s.npy", "--clamp", "-1,1", "--out", "g");
    expect_numbers("g.p_logvar.npy", "float32", ALL, expected);
    expect_out("outside [-1, 1] log-variances have gradients of 0\n");
    for (unsigned i = 0; i < ALL; i++)
        expected[i] = channel[i % N] ? slopes_at(i, true).p_logvar : 0;
    GRAD("--mean", "m.npy", "--logvar", "s.npy", "--mask", "mask.npy", "--out", "g");
    expect_numbers("g.p_logvar.npy", "float32", ALL, expected);
    expect_out("mask          4 of 6 elements count, by mask.npy\n");
    double kl[B] = {0};
    for (unsigned i = 0; i < ALL; i++)
        kl[i / N] += textbook((double)mean[i], exp((double)logvar[i]), 0, 1);
    cr_assert(kl[0] < 5 && kl[1] > 5);
    for (unsigned i = 0; i < ALL; i++)
        expected[i] = i < N ? 0 : slopes_at(i, true).p_logvar;
    GRAD("--mean", "m.npy", "--logvar", "s.npy", "--free-nats", "5", "--out", "g", "--value",
         "v.npy");
    expect_numbers("g.p_logvar.npy", "float32", ALL, expected);
    expect_npy("v.npy", "float32", 1, B, (const double[]){5, kl[1]});
    expect_out("free nats     5: 1 of 2 values are no more, and have gradients of 0\n");
}

/* ---- Types, values and reports ---- */

Test(cli_grad, types)
{
    static const char *const types[][2] = {{"f16", "<f2"}, {"bf16", "<V2"}, {"f64", "<f8"}};
    F32("p.npy", SHAPE(1, 2), 1.5F, 0);
    for (unsigned i = 0; i < 3; i++) {
        char bytes[256] = "";
        GRAD("p.npy", "--out", "g", "--gradient-type", types[i][0]);
        expect_status(0);
        FILE *file = fopen("g.p_moments.npy", "rb");
        cr_assert_not_null(file);
        const size_t size = fread(bytes, 1, sizeof bytes, file);
        fclose(file);
        cr_expect_not_null(strstr(bytes + 10, types[i][1]), "%s", bytes + 10);
        cr_assert_eq(size, 128 + 2 * (i == 2 ? 8u : 2u));
        const double wide = 1.5;
        const uint16_t narrow = i == 0 ? 0x3e00 : 0x3fc0;
        cr_expect_eq(memcmp(bytes + 128, i == 2 ? (const void *)&wide : &narrow, i == 2 ? 8 : 2),
                     0);
    }
}

Test(cli_grad, value_and_json)
{
    put_packed("p.npy");
    KL("p.npy", "--keep", "1", "--out", "kl.npy");
    GRAD("p.npy", "--keep", "1", "--out", "g", "--value", "v.npy", "--json");
    expect_status(0);
    double kl[N] = {0};
    for (unsigned i = 0; i < ALL; i++)
        kl[i % N] += textbook((double)mean[i], exp((double)logvar[i]), 0, 1) / B;
    expect_npy("v.npy", "float32", 1, N, kl);
    json_t *root = run_json();
    const json_t *gradient = json_array_get(at(root, "gradients"), 0);
    cr_expect_str_eq(json_string_value(at(root, "schema")), "clkl-grad-1");
    cr_expect_str_eq(json_string_value(at(root, "value")), "v.npy");
    cr_expect_str_eq(json_string_value(at(gradient, "file")), "g.p_moments.npy");
    double squares = 0;
    for (unsigned i = 0; i < ALL; i++)
        squares += pow(slopes_at(i, true).p_mean, 2) + pow(slopes_at(i, true).p_logvar, 2);
    cr_expect_float_eq(number(gradient, "norm"), sqrt(squares) / B, 1e-6);
    cr_expect_eq(number(gradient, "zeros"), 1, "a mean is 0");
    json_decref(root);
}

Test(cli_grad, nan_is_named)
{
    F32("p.npy", SHAPE(2, 4), 1, 2, 0, 0, 1, NAN, 0, 0);
    GRAD("p.npy", "--out", "g", "--quiet");
    expect_status(1);
    expect_err("g.p_moments.npy: 2 of 8 numbers are NaN, the first at index [1,1]\n");
    cr_expect_eq(access("g.p_moments.npy", F_OK), 0);
}

/* The default device, whichever it is, against the reference. */
Test(cli_grad, default_device_agrees, .timeout = 300)
{
    struct npy here, there;
    struct io_error error;
    GRAD(PHOTO, "--out", "there", "--keep", "1", "--beta", "3");
    expect_status(0);
    RUN("grad", PHOTO, "--out", "here", "--keep", "1", "--beta", "3");
    expect_status(0);
    cr_assert(npy_read("here.p_moments.npy", &here, &error), "%s", error.text);
    cr_assert(npy_read("there.p_moments.npy", &there, &error), "%s", error.text);
    cr_assert_eq(here.count, 520 * 8 * 16);
    for (uint64_t i = 0; i < here.count; i++) {
        const double x = (double)((float *)there.data)[i], y = (double)((float *)here.data)[i];
        cr_expect(fabs(x - y) <= 1e-6 * fabs(x), "number %u: %.9g on the device, %.9g", (unsigned)i,
                  y, x);
    }
    npy_free(&here);
    npy_free(&there);
}
