/* Full covariances in `clkl kl`: how they are read, what is reported, and which samples are named.
 * covariance.py holds the values of every pairing against NumPy. */
#include "json_items.h"
#include "support.h"

#include <math.h>
#include <string.h>

TestSuite(cli_covariance, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

/* Three samples of D = 2; sample 1 of `bad` is indefinite at its second pivot. */
static void put_inputs(void)
{
    F64("mean.npy", SHAPE(3, 2), 1, 0, 0, 2, -1, 1);
    F64("cov.npy", SHAPE(3, 2, 2), 2, 0.5, 0.5, 1, 1, 0, 0, 3, 0.5, 0.1, 0.1, 0.25);
    F64("bad.npy", SHAPE(3, 2, 2), 2, 0.5, 0.5, 1, 1, 2, 2, 3, 0.5, 0.1, 0.1, 0.25);
    F64("one-mean.npy", SHAPE(2), 0.5, -0.5);
    F64("one.npy", SHAPE(2, 2), 1.5, 0.25, 0.25, 2);
}

/* KL of N((m0, m1), [a b; b c]) from N(0, I): covariances and means. */
static double of_covariance(double a, double b, double c)
{
    return 0.5 * (a + c - 2 - log(a * c - b * b));
}

static double of_means(double m0, double m1)
{
    return 0.5 * (m0 * m0 + m1 * m1);
}

static void expect_near(double found, double expected)
{
    cr_expect_float_eq(found, expected, 1e-14 + 1e-14 * fabs(expected), "%.17g, expected %.17g",
                       found, expected);
}

Test(cli_covariance, values_and_parts)
{
    put_inputs();
    KL("--mean", "mean.npy", "--cov", "cov.npy", "--json", "--out", "kl.npy");
    expect_status(0);
    const double covariances[] = {of_covariance(2, 0.5, 1), of_covariance(1, 0, 3),
                                  of_covariance(0.5, 0.1, 0.25)};
    const double means[] = {of_means(1, 0), of_means(0, 2), of_means(-1, 1)};
    double sums[3];
    json_t *root = run_json();
    const json_t *full = at(root, "full_covariance");
    for (unsigned i = 0; i < 3; i++) {
        sums[i] = covariances[i] + means[i];
        expect_near(item(at(full, "covariances"), i), covariances[i]);
        expect_near(item(at(full, "means"), i), means[i]);
    }
    expect_npy("kl.npy", "float64", 1, 3, sums);
    cr_expect_str_eq(json_string_value(at(at(root, "p"), "form")), "mean+covariance");
    cr_expect_eq(json_array_size(at(full, "matrices")), 0);
    cr_expect_eq(number(full, "jitter"), 0);
    json_decref(root);
}

Test(cli_covariance, one_sample)
{
    put_inputs();
    KL("--mean", "one-mean.npy", "--cov", "one.npy", "--q-mean", "one-mean.npy", "--q-cov",
       "one.npy", "--out", "kl.npy");
    expect_status(0);
    expect_out("1 sample of D = 2; mean from one-mean.npy, covariance from one.npy");
    expect_npy("kl.npy", "float64", 1, 1, (const double[]){0});
    KL("--mean", "one-mean.npy", "--cov", "one.npy", "--out", "kl.npy");
    expect_npy("kl.npy", "float64", 1, 1,
               (const double[]){of_covariance(1.5, 0.25, 2) + of_means(0.5, 0.5)});
}

/* One matrix beside several means, of P and of Q. */
Test(cli_covariance, shared_matrix)
{
    put_inputs();
    const double part = of_covariance(1.5, 0.25, 2);
    KL("--mean", "mean.npy", "--cov", "one.npy", "--out", "kl.npy");
    expect_out("one covariance from one.npy for all means");
    expect_npy(
        "kl.npy", "float64", 1, 3,
        (const double[]){part + of_means(1, 0), part + of_means(0, 2), part + of_means(1, 1)});
    F64("unit.npy", SHAPE(1, 2, 2), 1, 0, 0, 1);
    F64("ones.npy", SHAPE(3, 2), 1, 1, 1, 1, 1, 1);
    KL("--mean", "mean.npy", "--cov", "one.npy", "--q-mean", "ones.npy", "--q-tril", "unit.npy",
       "--out", "kl.npy");
    expect_out("Q for each sample; mean from ones.npy, one lower Cholesky factor from unit.npy");
    expect_npy(
        "kl.npy", "float64", 1, 3,
        (const double[]){part + of_means(0, 1), part + of_means(1, 1), part + of_means(2, 0)});
}

Test(cli_covariance, upper_triangle_of_factors_is_not_read)
{
    put_inputs();
    F64("l.npy", SHAPE(2, 2), 2, 7, 0.5, 3);
    KL("--mean", "one-mean.npy", "--tril", "l.npy", "--out", "kl.npy");
    expect_status(0);
    expect_npy("kl.npy", "float64", 1, 1,
               (const double[]){of_covariance(4, 1, 9.25) + of_means(0.5, 0.5)});
}

Test(cli_covariance, packed_moments_beside_a_matrix)
{
    put_inputs();
    F64("moments.npy", SHAPE(3, 4), 1, 0, 0, log(3), 0, 2, 0, log(3), -1, 1, 0, log(3));
    F64("diagonal.npy", SHAPE(2, 2), 1, 0, 0, 3);
    F64("origin.npy", SHAPE(2), 0, 0);
    KL("moments.npy", "--q-mean", "origin.npy", "--q-cov", "diagonal.npy", "--no-clamp", "--out",
       "kl.npy");
    expect_status(0);
    expect_npy("kl.npy", "float64", 1, 3, (const double[]){0.5, 0.5 * 4 / 3, 0.5 + 0.5 / 3});
}

/* ---- Precision ---- */

/* Beside 1, 2^-30 is lost in fp32 and kept in fp64. */
Test(cli_covariance, compute_f64_from_float32)
{
    F32("mean.npy", SHAPE(1, 2), 0, 0);
    F32("tril.npy", SHAPE(1, 2, 2), 1, 0, 0x1p-15F, 1);
    F32("q.npy", SHAPE(1, 2, 2), 1, 0, 0, 1);
    KL("--mean", "mean.npy", "--tril", "tril.npy", "--q-mean", "mean.npy", "--q-tril", "q.npy",
       "--compute", "f64", "--out", "kl.npy");
    expect_npy("kl.npy", "float64", 1, 1, (const double[]){0x1p-31});
    KL("--mean", "mean.npy", "--tril", "tril.npy", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 1, (const double[]){0x1p-31});
}

Test(cli_covariance, compute_f32_from_float64)
{
    put_inputs();
    KL("--mean", "mean.npy", "--cov", "cov.npy", "--compute", "f32", "--out", "kl.npy");
    expect_out("reference (plain C), f32");
    const double last = of_covariance(0.5, (double)0.1F, 0.25) + of_means(1, 1);
    expect_npy("kl.npy", "float32", 1, 3,
               (const double[]){of_covariance(2, 0.5, 1) + of_means(1, 0),
                                of_covariance(1, 0, 3) + of_means(0, 2), last});
}

/* ---- Samples that are named ---- */

static void expect_neighbours(void)
{
    expect_npy("kl.npy", "float64", 1, 3,
               (const double[]){of_covariance(2, 0.5, 1) + of_means(1, 0), NAN,
                                of_covariance(0.5, 0.1, 0.25) + of_means(1, 1)});
}

Test(cli_covariance, indefinite)
{
    put_inputs();
    KL("--mean", "mean.npy", "--cov", "bad.npy", "--out", "kl.npy");
    expect_status(1);
    expect_err(
        "1 of 3 samples is invalid: P is not positive definite in sample 1 (pivot 2 of 2)\n");
    expect_out("  invalid       1 of 3: sample 1\n");
    expect_out("  not definite  P in sample 1 (pivot 2 of 2)\n");
    expect_neighbours();
    KL("--mean", "mean.npy", "--cov", "bad.npy", "--quiet");
    expect_status(1);
}

Test(cli_covariance, indefinite_in_json)
{
    put_inputs();
    F64("mean.npy", SHAPE(3, 2), 1, 0, 0, 2, -1, NAN);
    KL("--mean", "mean.npy", "--cov", "cov.npy", "--q-mean", "mean.npy", "--q-cov", "bad.npy",
       "--json");
    expect_status(1);
    expect_err("2 of 3 samples are invalid: Q is not positive definite in sample 1 (pivot 2 of 2); "
               "NaN in sample 2\n");
    json_t *root = run_json();
    const json_t *invalid = at(root, "invalid");
    const json_t *matrix = json_array_get(at(at(root, "full_covariance"), "matrices"), 0);
    cr_expect_eq(json_array_size(at(at(root, "full_covariance"), "matrices")), 1);
    cr_expect_str_eq(json_string_value(at(json_array_get(invalid, 0), "reason")),
                     "not positive definite");
    cr_expect_str_eq(json_string_value(at(json_array_get(invalid, 1), "reason")), "nan");
    cr_expect_str_eq(json_string_value(at(matrix, "side")), "q");
    cr_expect_str_eq(json_string_value(at(matrix, "status")), "not positive definite");
    cr_expect_eq(number(matrix, "sample"), 1);
    cr_expect_eq(number(matrix, "pivot"), 2);
    cr_expect(json_is_null(json_array_get(at(root, "values"), 1)));
    json_decref(root);
}

/* A Q that all samples share is named once. */
Test(cli_covariance, indefinite_for_all)
{
    put_inputs();
    F64("zero.npy", SHAPE(2, 2), 0, 0, 0, 1);
    KL("--mean", "mean.npy", "--cov", "cov.npy", "--q-mean", "one-mean.npy", "--q-cov", "zero.npy");
    expect_status(1);
    expect_out("  not definite  Q of all samples (pivot 1 of 2)\n");
    expect_out("no valid sample");
    KL("--mean", "mean.npy", "--cov", "cov.npy", "--q-mean", "one-mean.npy", "--q-cov", "zero.npy",
       "--json");
    json_t *root = run_json();
    const json_t *matrices = at(at(root, "full_covariance"), "matrices");
    cr_expect_eq(json_array_size(matrices), 1);
    cr_expect(json_is_null(at(json_array_get(matrices, 0), "sample")));
    json_decref(root);
}

Test(cli_covariance, many_are_counted)
{
    static double means[20 * 2], matrices[20 * 4];
    for (unsigned i = 0; i < 20; i++)
        memcpy(matrices + (size_t)4 * i, (const double[]){i < 3, 0, 0, i < 3}, 4 * sizeof(double));
    put_f64("mean.npy", means, SHAPE(20, 2));
    put_f64("cov.npy", matrices, SHAPE(20, 2, 2));
    KL("--mean", "mean.npy", "--cov", "cov.npy");
    expect_status(1);
    expect_out("P in sample 3 (pivot 1 of 2), 4 (pivot 1 of 2), ");
    expect_out(", 12 (pivot 1 of 2) and 7 more\n");
}

Test(cli_covariance, jitter)
{
    put_inputs();
    KL("--mean", "mean.npy", "--cov", "bad.npy", "--jitter", "1", "--out", "kl.npy");
    expect_status(0);
    expect_out("jitter        1 of the mean of the diagonal, added where there was no factor:\n"
               "                P in sample 1\n");
    expect_npy("kl.npy", "float64", 1, 3,
               (const double[]){of_covariance(2, 0.5, 1) + of_means(1, 0),
                                of_covariance(3, 2, 5) + of_means(0, 2),
                                of_covariance(0.5, 0.1, 0.25) + of_means(1, 1)});
    KL("--mean", "mean.npy", "--cov", "cov.npy", "--jitter", "1");
    expect_out("jitter        1 of the mean of the diagonal: no matrix needed it\n");
    KL("--mean", "mean.npy", "--cov", "bad.npy", "--jitter", "1", "--json");
    json_t *root = run_json();
    const json_t *full = at(root, "full_covariance");
    cr_expect_eq(number(full, "jitter"), 1);
    cr_expect_str_eq(json_string_value(at(json_array_get(at(full, "matrices"), 0), "status")),
                     "jittered");
    json_decref(root);
}

Test(cli_covariance, few_digits)
{
    F32("mean.npy", SHAPE(2, 2), 0, 0, 0, 0);
    F32("cov.npy", SHAPE(2, 2, 2), 1, 0, 0, 1, 1, 0, 0, 1e-6F);
    KL("--mean", "mean.npy", "--cov", "cov.npy");
    expect_status(0);
    expect_out("  few digits    P in sample 1\n"
               "                ill-conditioned for f32: --compute f64 has more digits\n");
    KL("--mean", "mean.npy", "--cov", "cov.npy", "--compute", "f64");
    cr_expect_null(strstr(run.out, "few digits"), "%s", run.out);
}

/* ---- Axes and reports ---- */

Test(cli_covariance, shares)
{
    put_inputs();
    KL("--mean", "mean.npy", "--cov", "cov.npy", "--keep", "all", "--out", "kl.npy", "--csv");
    expect_status(0);
    expect_shape("kl.npy", SHAPE(3, 2));
    expect_out("sample,axis1,kl,covariances,means\n");
    expect_out("\n0,0,0.6534264097200273,0.15342640972002736,0.5\n");
    KL("--mean", "mean.npy", "--cov", "cov.npy", "--keep", "1");
    expect_out("what each coordinate adds to the divergence of those before it");
    cr_expect_null(strstr(run.out, "collapsed"), "%s", run.out);
    KL("--mean", "mean.npy", "--cov", "cov.npy", "--keep", "none", "--batch", "sum", "--csv");
    expect_out("index,kl,covariances,means\n0,");
}

Test(cli_covariance, summary)
{
    put_inputs();
    KL("--mean", "mean.npy", "--cov", "cov.npy", "--q-mean", "one-mean.npy", "--q-precision-matrix",
       "one.npy");
    expect_out("3 samples of D = 2; mean from mean.npy, covariance from cov.npy\n"
               "Q shared by all samples; mean from one-mean.npy, precision matrix from one.npy\n"
               "KL(P || Q), nats\n");
    expect_out("of the mean, covariances contribute ");
    expect_out("  per dimension mean ");
    expect_out(" bits, D = 2\n");
    expect_narrow_ascii();
}

Test(cli_covariance, absent_without_a_matrix)
{
    put_inputs();
    KL("--mean", "mean.npy", "--logvar", "mean.npy", "--json");
    json_t *root = run_json();
    cr_expect(json_is_null(at(root, "full_covariance")));
    json_decref(root);
    KL("--mean", "mean.npy", "--logvar", "mean.npy", "--csv");
    expect_out("sample,kl\n");
}
