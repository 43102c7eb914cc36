/* What `clkl kl` computes: each way to give P and Q, and what is kept. */
#include "support.h"

#include <math.h>

TestSuite(cli_values, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

/* Two samples of three elements; a second such Gaussian; and the second's first sample alone. */
static const double mean[6] = {0.5, -1.25, 2, 0, 3.5, -0.75};
static const double logvar[6] = {0.25, -2, 1.5, -0.5, 0.75, -4};
static const double q_mean[6] = {1, 0.25, -0.5, 1.5, -2, 0.125};
static const double q_logvar[6] = {-1, 0.5, 0.75, -0.25, 2, -3};

enum kind { LOGVAR, LOGSTD, VAR, STD };
static const char *const kinds[] = {"logvar", "logstd", "var", "std"};

/* The scale of this kind, as the file holds it. */
static float scale_of(enum kind kind, double l)
{
    const double values[] = {l, l / 2, exp(l), exp(l / 2)};
    return (float)values[kind];
}

/* The variance that the file's value says. */
static double variance_of(enum kind kind, float scale)
{
    const double s = (double)scale;
    const double values[] = {exp(s), exp(2 * s), s, s * s};
    return values[kind];
}

/* Writes mean and scale apart; *variance is what they say. */
static void put_apart(const char *mean_name, const double *m, const char *scale_name,
                      enum kind kind, const double *l, const uint64_t *shape, unsigned count,
                      double *variance)
{
    float means[6], scales[6];
    for (unsigned i = 0; i < count; i++) {
        means[i] = (float)m[i];
        scales[i] = scale_of(kind, l[i]);
        variance[i] = variance_of(kind, scales[i]);
    }
    put_f32(mean_name, means, shape);
    put_f32(scale_name, scales, shape);
}

/* The divergence per sample; `q_step` 0 where all samples share Q's first. */
static void expect_values(const char *name, const double *v, const double *qm, const double *qv,
                          unsigned q_step)
{
    double expected[2] = {0, 0};
    for (unsigned s = 0; s < 2; s++)
        for (unsigned i = 0; i < 3; i++)
            expected[s] +=
                textbook(mean[3 * s + i], v[3 * s + i], qm != NULL ? qm[q_step * s + i] : 0,
                         qv != NULL ? qv[q_step * s + i] : 1);
    expect_status(0);
    expect_npy(name, "float32", 1, 2, expected);
}

/* Packed moments [2, 6] of m and l. */
static void put_packed(const char *name, const double *m, const double *l, double *variance)
{
    float packed[12];
    for (unsigned i = 0; i < 6; i++) {
        packed[i / 3 * 6 + i % 3] = (float)m[i];
        packed[i / 3 * 6 + 3 + i % 3] = (float)l[i];
        variance[i] = exp(l[i]);
    }
    put_f32(name, packed, SHAPE(2, 6));
}

Test(cli_values, packed)
{
    double v[6], qv[6];
    put_packed("p.npy", mean, logvar, v);
    put_packed("q.npy", q_mean, q_logvar, qv);
    KL("p.npy", "--out", "kl.npy");
    expect_values("kl.npy", v, NULL, NULL, 3);
    KL("--moments", "p.npy", "--out", "kl.npy");
    expect_values("kl.npy", v, NULL, NULL, 3);
    KL("p.npy", "q.npy", "--out", "kl.npy");
    expect_values("kl.npy", v, q_mean, qv, 3);
    KL("--moments", "p.npy", "--q-moments", "q.npy", "--out", "kl.npy");
    expect_values("kl.npy", v, q_mean, qv, 3);
}

/* Every kind of scale on either side. */
Test(cli_values, apart)
{
    double v[6], qv[6];
    char option[16], q_option[16];
    for (enum kind p = LOGVAR; p <= STD; p++) {
        put_apart("m.npy", mean, "s.npy", p, logvar, SHAPE(2, 3), 6, v);
        snprintf(option, sizeof option, "--%s", kinds[p]);
        KL("--mean", "m.npy", option, "s.npy", "--out", "kl.npy");
        expect_values("kl.npy", v, NULL, NULL, 3);
        for (enum kind q = LOGVAR; q <= STD; q++) {
            put_apart("qm.npy", q_mean, "qs.npy", q, q_logvar, SHAPE(2, 3), 6, qv);
            snprintf(q_option, sizeof q_option, "--q-%s", kinds[q]);
            KL("--mean", "m.npy", option, "s.npy", "--q-mean", "qm.npy", q_option, "qs.npy",
               "--out", "kl.npy");
            expect_values("kl.npy", v, q_mean, qv, 3);
        }
    }
}

Test(cli_values, packed_against_apart)
{
    double v[6], qv[6];
    put_packed("p.npy", mean, logvar, v);
    put_apart("qm.npy", q_mean, "qs.npy", VAR, q_logvar, SHAPE(2, 3), 6, qv);
    KL("p.npy", "--q-mean", "qm.npy", "--q-var", "qs.npy", "--out", "kl.npy");
    expect_values("kl.npy", v, q_mean, qv, 3);
    put_apart("qm.npy", q_mean, "qs.npy", LOGVAR, q_logvar, SHAPE(2, 3), 6, qv);
    KL("p.npy", "--q-mean", "qm.npy", "--q-logvar", "qs.npy", "--no-clamp", "--out", "kl.npy");
    expect_values("kl.npy", v, q_mean, qv, 3);
}

/* A Q without the batch axis, or with a batch of 1. */
Test(cli_values, shared)
{
    double v[6], qv[6];
    put_packed("p.npy", mean, logvar, v);
    F32("q.npy", SHAPE(6), 1, 0.25F, -0.5F, -1, 0.5F, 0.75F);
    put_apart("qm.npy", q_mean, "qs.npy", STD, q_logvar, SHAPE(1, 3), 3, qv);
    KL("p.npy", "--q-mean", "qm.npy", "--q-std", "qs.npy", "--out", "kl.npy");
    expect_values("kl.npy", v, q_mean, qv, 0);
    put_apart("qm.npy", q_mean, "qs.npy", LOGSTD, q_logvar, SHAPE(3), 3, qv);
    KL("p.npy", "--q-mean", "qm.npy", "--q-logstd", "qs.npy", "--out", "kl.npy");
    expect_values("kl.npy", v, q_mean, qv, 0);
    expect_out("Q shared by all samples; mean from qm.npy, log standard deviation from qs.npy");
    KL("p.npy", "q.npy", "--out", "kl.npy");
    expect_values("kl.npy", v, q_mean, (const double[]){exp(-1), exp(0.5), exp(0.75)}, 0);
    expect_out("Q shared by all samples; axis 1 split: 0-2 mean, 3-5 log-variance");
}

/* The shape [2, 2, 4] split on its last axis; on the default axis it is another Gaussian. */
Test(cli_values, split_axis)
{
    const double by_last[2] = {textbook(1, exp(-1), 0, 1) + textbook(2, 1, 0, 1) +
                                   textbook(0.5, exp(0.5), 0, 1) + textbook(0.25, exp(-2), 0, 1),
                               textbook(-1, exp(1), 0, 1) + textbook(3, exp(2), 0, 1) +
                                   textbook(0, exp(-0.5), 0, 1) + textbook(0.125, exp(0.25), 0, 1)};
    F32("p.npy", SHAPE(2, 2, 4), 1, 2, -1, 0, 0.5F, 0.25F, 0.5F, -2, /* sample 1: */ -1, 3, 1, 2, 0,
        0.125F, -0.5F, 0.25F);
    KL("p.npy", "--split-axis", "2", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 2, by_last);
    expect_out("2 samples of [2,2]; axis 2 split: 0-1 mean, 2-3 log-variance\n");
    KL("p.npy", "--split-axis", "-1", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 2, by_last);
    KL("p.npy", "--out", "kl.npy");
    expect_out("2 samples of [1,4]; axis 1 split: 0 mean, 1 log-variance\n");
    KL("p.npy", "p.npy", "--split-axis=-1", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 2, (const double[]){0, 0});
}

/* The split axis of a shared Q without the batch axis is counted as in P. */
Test(cli_values, split_axis_of_shared_q)
{
    F32("p.npy", SHAPE(2, 1, 4), 1, 2, 0, 0, 3, 4, 0, 0);
    F32("q.npy", SHAPE(1, 4), 1, 2, 0, 0);
    for (unsigned i = 0; i < 2; i++) {
        KL("p.npy", "q.npy", "--split-axis", i == 0 ? "2" : "-1", "--out", "kl.npy");
        expect_status(0);
        expect_npy("kl.npy", "float32", 1, 2, (const double[]){0, 4});
    }
}

/* Rows of [2, 2, 3]: axis 1 has 2 entries, axis 2 has 3. Variance 1, so that each element is
 * half its mean's square. */
static void put_rows(void)
{
    F32("m.npy", SHAPE(2, 2, 3), 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24);
    F32("v.npy", SHAPE(2, 2, 3), 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1);
}

#define ROWS "--mean", "m.npy", "--var", "v.npy", "--out", "kl.npy"

Test(cli_values, keep)
{
    const double samples[2] = {182, 1118}, axis1[2] = {28 + 388, 154 + 730};
    const double axis2[3] = {34 + 298, 58 + 370, 90 + 450};
    put_rows();
    KL(ROWS);
    expect_npy("kl.npy", "float32", 1, 2, samples);
    KL(ROWS, "--keep", "0");
    expect_npy("kl.npy", "float32", 1, 2, samples);
    KL(ROWS, "--keep", "-3");
    expect_npy("kl.npy", "float32", 1, 2, samples);
    KL(ROWS, "--keep", "1", "--batch", "sum");
    expect_npy("kl.npy", "float32", 1, 2, axis1);
    KL(ROWS, "--keep=-1", "--batch", "sum");
    expect_npy("kl.npy", "float32", 1, 3, axis2);
    KL(ROWS, "--keep", "2");
    expect_npy("kl.npy", "float32", 1, 3, (const double[]){166, 214, 270});
    KL(ROWS, "--keep", "2", "--batch", "mean");
    expect_npy("kl.npy", "float32", 1, 3, (const double[]){166, 214, 270});
    KL(ROWS, "--keep", "none");
    expect_npy("kl.npy", "float32", 0, 1, (const double[]){650});
    expect_out("batch         mean 650\n");
    KL(ROWS, "--keep", "none", "--batch", "sum");
    expect_npy("kl.npy", "float32", 0, 1, (const double[]){1300});
    expect_out("batch         sum 1300\n");
}

/* Log-variances of -50, -30.5 and 40 beside means of 0. */
Test(cli_values, clamp)
{
    const double low = textbook(0, exp(-30), 0, 1), high = textbook(0, exp(20), 0, 1);
    F32("p.npy", SHAPE(2, 4), 0, 0, -50, -30.5F, 0, 0, 40, 0);
    F32("m.npy", SHAPE(2, 2), 0, 0, 0, 0);
    F32("l.npy", SHAPE(2, 2), -50, -30.5F, 40, 0);
    const double free_values[2] = {textbook(0, exp(-50), 0, 1) + textbook(0, exp(-30.5), 0, 1),
                                   textbook(0, exp(40), 0, 1)};
    KL("p.npy", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 2, (const double[]){2 * low, high});
    expect_out("3 of 4 log-variances lay outside [-30, 20]\n");
    KL("p.npy", "--out", "kl.npy", "--no-clamp");
    expect_npy("kl.npy", "float32", 1, 2, free_values);
    expect_out("clamped       none");
    KL("--mean", "m.npy", "--logvar", "l.npy", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 2, free_values);
    KL("--mean", "m.npy", "--logvar", "l.npy", "--clamp", "-30,20", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 2, (const double[]){2 * low, high});
    KL("p.npy", "--clamp=-40,41.5", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 2,
               (const double[]){textbook(0, exp(-40), 0, 1) + textbook(0, exp(-30.5), 0, 1),
                                free_values[1]});
    expect_out("1 of 4 log-variances lay outside [-40, 41.5]\n");
}

/* A shared Q is counted once, not with every sample. */
Test(cli_values, clamp_counts_of_both_sides)
{
    F32("p.npy", SHAPE(3, 4), 0, 0, -50, 0, 0, 0, 0, 0, 0, 0, 50, 60);
    F32("q.npy", SHAPE(4), 0, 0, 0, 99);
    KL("p.npy", "q.npy");
    expect_out("3 of 6 log-variances of P, 1 of 2 of Q lay outside [-30, 20]\n");
    F32("q.npy", SHAPE(3, 4), 0, 0, 0, 99, 0, 0, -99, 0, 0, 0, 99, 99);
    KL("p.npy", "q.npy");
    expect_out("3 of 6 log-variances of P, 4 of 6 of Q lay outside [-30, 20]\n");
}

Test(cli_values, deterministic)
{
    F32("p.npy", SHAPE(3, 4), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12);
    KL("p.npy", "--deterministic", "--out", "kl.npy");
    expect_status(0);
    expect_npy("kl.npy", "float32", 1, 3, (const double[]){0, 0, 0});
    expect_out("3 samples of [2]; axis 1 split: 0-1 mean, 2-3 not used");
    expect_out("P is deterministic: 0 by definition");
    KL("--mean", "p.npy", "--deterministic", "--keep", "1", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 4, (const double[]){0, 0, 0, 0});
    KL("p.npy", "p.npy", "--deterministic", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 3, (const double[]){0, 0, 0});
}

/* Values that float32 would not hold. */
Test(cli_values, double_precision)
{
    const double m = 1.000000000001;
    F64("p.npy", SHAPE(1, 2), 1.000000000001, 0);
    KL("p.npy", "--out", "kl.npy");
    expect_status(0);
    expect_npy("kl.npy", "float64", 1, 1, (const double[]){m * m / 2});
    expect_out("reference (plain C), f64");
    KL("p.npy", "--out", "kl.npy", "--compute", "f64");
    expect_npy("kl.npy", "float64", 1, 1, (const double[]){m * m / 2});
    F32("p32.npy", SHAPE(1, 2), 0.1F, 0);
    KL("p32.npy", "--out", "kl.npy", "--compute", "f64");
    expect_npy("kl.npy", "float64", 1, 1, (const double[]){(double)0.1F * (double)0.1F / 2});
    KL("p32.npy", "--out", "kl.npy", "--compute", "f32");
    expect_npy("kl.npy", "float32", 1, 1, (const double[]){(double)0.1F * (double)0.1F / 2});
    KL("p32.npy", "p.npy", "--out", "kl.npy");
    const double d = (double)0.1F - m;
    expect_npy("kl.npy", "float64", 1, 1, (const double[]){d * d / 2});
}

/* float16 and bfloat16 as they are, on the default device and on the reference. */
Test(cli_values, sixteen_bits, .timeout = 300)
{
    static const uint16_t half[] = {0x3c00, 0xc000, 0, 0};  /* means 1, -2; log-variances 0 */
    static const uint16_t brain[] = {0x3f80, 0xc000, 0, 0}; /* the same */
    const double kl = (1 + 4) / 2.0, none = 0;
    put_code("half.npy", "<f2", "(1, 4)", half, sizeof half);
    put_code("brain.npy", "<V2", "(1, 4)", brain, sizeof brain);
    put_code("bits.npy", "<u2", "(1, 4)", brain, sizeof brain);
    put_code("signed.npy", "<i2", "(1, 4)", brain, sizeof brain);
    F32("single.npy", SHAPE(1, 4), 1, -2, 0, 0);
    for (int reference = 0; reference < 2; reference++) {
        setenv("CLKL_DEVICE", reference ? "reference" : "", 1);
        RUN("kl", "half.npy", "--out", "kl.npy");
        expect_npy("kl.npy", "float32", 1, 1, &kl);
        RUN("kl", "brain.npy", "--out", "kl.npy");
        expect_npy("kl.npy", "float32", 1, 1, &kl);
        RUN("kl", "bits.npy", "signed.npy", "--bf16", "--out", "kl.npy");
        expect_npy("kl.npy", "float32", 1, 1, &none);
        RUN("kl", "half.npy", "brain.npy", "--out", "kl.npy");
        expect_npy("kl.npy", "float32", 1, 1, &none);
        RUN("kl", "single.npy", "half.npy", "--out", "kl.npy");
        expect_npy("kl.npy", "float32", 1, 1, &none);
    }
}

/* float64 is rounded to float32 where that is asked for, and there alone. */
Test(cli_values, narrowed_when_asked)
{
    const double kl = (double)0.1F * (double)0.1F / 2;
    F64("wide.npy", SHAPE(1, 2), 0.1, 0);
    F32("single.npy", SHAPE(1, 2), 0.1F, 0);
    KL("wide.npy", "--compute", "f32", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 1, &kl);
    KL("wide.npy", "single.npy", "--compute", "f32", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 1, (const double[]){0});
    KL("--mean", "wide.npy", "--logvar", "single.npy", "--compute", "f32", "--csv");
    expect_status(0);
}

/* The default device, whichever it is, against the reference. */
Test(cli_values, default_device_agrees, .timeout = 300)
{
    static char reference[sizeof run.out];
    KL(PHOTO, "--csv");
    expect_status(0);
    memcpy(reference, run.out, sizeof reference);
    RUN("kl", PHOTO, "--csv");
    expect_status(0);
    const char *a = strchr(reference, '\n'), *b = strchr(run.out, '\n');
    for (unsigned sample = 0; sample < 520; sample++) {
        double x = 0, y = 1;
        unsigned i = 0, j = 0;
        cr_assert_eq(sscanf(a, "\n%u,%lf", &i, &x), 2);
        cr_assert_eq(sscanf(b, "\n%u,%lf", &j, &y), 2);
        cr_assert_eq(i, sample);
        cr_assert_eq(j, sample);
        cr_expect(fabs(x - y) <= 6e-7 * x, "sample %u: %.9g on the device, %.9g", sample, y, x);
        a = strchr(a + 1, '\n');
        b = strchr(b + 1, '\n');
    }
    cr_expect_str_eq(a, "\n");
    cr_expect_str_eq(b, "\n");
}
