/* What `clkl kl` refuses of full covariances: with exit status 2, one sentence, and no output. */
#include "support.h"

#include <math.h>
#include <string.h>

TestSuite(cli_covariance_refusals, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

struct refusal {
    const char *words[12];
    const char *says;
};

static void expect_all(const struct refusal *refusals, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *words[20] = {"kl", "--device", "reference", "--out", "must-not-appear.npy"};
        memcpy(words + 5, refusals[i].words, sizeof refusals[i].words);
        const unsigned before = scratch_count();
        run_words(words);
        expect_refusal(refusals[i].says);
        cr_expect_eq(scratch_count(), before, "a file appeared: %s", refusals[i].says);
    }
}

#define EXPECT_ALL(refusals) expect_all(refusals, sizeof refusals / sizeof refusals[0])

static void put_inputs(void)
{
    F64("m.npy", SHAPE(3, 2), 0, 0, 0, 0, 0, 0);
    F64("c.npy", SHAPE(3, 2, 2), 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1);
    F64("c2.npy", SHAPE(2, 2, 2), 1, 0, 0, 1, 1, 0, 0, 1);
    F64("one.npy", SHAPE(2, 2), 1, 0, 0, 1);
    F64("three.npy", SHAPE(3, 3), 1, 0, 0, 0, 1, 0, 0, 0, 1);
    F64("flat.npy", SHAPE(3, 2, 1), 1, 1, 1, 1, 1, 1);
    F64("row.npy", SHAPE(2), 1, 1);
    F64("deep.npy", SHAPE(1, 2, 2), 1, 1, 1, 1);
}

Test(cli_covariance_refusals, options)
{
    static const struct refusal refusals[] = {
        {{"--cov", "c.npy"}, "--cov is given without --mean; expected both"},
        {{"--mean", "m.npy", "--cov", "c.npy", "--var", "v.npy"},
         "P has 2 scales; expected exactly one of --logvar, --logstd, --var, --std, --cov, --tril "
         "and --precision-matrix"},
        {{"--mean", "m.npy"},
         "--mean is given without a scale; expected one of --logvar, --logstd, --var, --std, "
         "--cov, "
         "--tril and --precision-matrix beside it, or --deterministic"},
        {{"p.npy", "--cov", "c.npy"}, "'p.npy' holds packed moments"},
        {{"--stats", "a.npz", "--mean", "m.npy"},
         "P is given twice: --stats has mean and covariance, so --mean contradicts it"},
        {{"p.npy", "--stats", "a.npz"}, "P is given twice, by --stats and by 'p.npy'"},
        {{"p.npy", "--q-stats", "a.npz", "--q-cov", "c.npy"},
         "Q is given twice: --q-stats has mean and covariance, so --q-cov contradicts it"},
        {{"--stats", "-"}, "--stats -: an .npz archive cannot be read from standard input"},
        {{"--stats", "a.npz", "--deterministic"}, "--stats contradicts --deterministic"},
        {{"--mean", "m.npy", "--deterministic", "--q-stats", "a.npz"}, "--deterministic: the"},
        {{"--q-stats", "a.npz"},
         "P is missing; expected P.npy, --moments FILE, or --mean FILE and "
         "one of --logvar, --logstd, --var, --std, --cov, --tril and "
         "--precision-matrix, or --stats FILE"},
        {{"--mean", "-", "--cov", "-"}, "'-' stands for standard input, which 2 inputs want"},
        {{"--stats", "a.npz", "--jitter", "-1"}, "--jitter -1: expected a finite number"},
        {{"--stats", "a.npz", "--jitter", "inf"}, "--jitter inf: expected a finite number"},
        {{"p.npy", "--jitter", "1"}, "--jitter 1: it is added to covariances and precisions"},
        {{"--mean", "m.npy", "--tril", "c.npy", "--jitter", "1"},
         "--jitter 1: it is added to covariances and precisions, but neither side is given by one"},
        {{"--stats", "a.npz", "--mask", "k.npy"}, "--mask: elements of full covariances cannot"},
        {{"--stats", "a.npz", "--lengths", "k.npy"}, "--lengths: elements of full covariances"},
        {{"--stats", "a.npz", "--free-nats", "1"}, "--free-nats 1: there are no free nats"},
        {{"p.npy", "--q-stats", "a.npz"},
         "beside a full covariance they cannot be; say --no-clamp"},
        {{"p.npy", "--q-stats", "a.npz", "--clamp", "-1,1"}, "--clamp -1,1: there are no clamps"},
        {{"--stats", "a.npz", "--clamp", "-1,1"}, "--clamp -1,1: it applies to log-variances"},
    };
    EXPECT_ALL(refusals);
}

/* Other commands do not have them. */
Test(cli_covariance_refusals, other_commands)
{
    RUN("inspect", "--stats", "a.npz");
    expect_refusal("unknown option --stats");
    RUN("inspect", "--mean", "m.npy");
    expect_refusal("expected one of --logvar, --logstd, --var and --std beside it\n");
}

Test(cli_covariance_refusals, shapes)
{
    static const struct refusal refusals[] = {
        {{"--mean", "m.npy", "--cov", "flat.npy"},
         "flat.npy: shape [3,2,1] does not fit the mean's, [3,2] of m.npy; expected [3,2,2], or "
         "[2,2] for one matrix that all means share"},
        {{"--mean", "m.npy", "--tril", "three.npy"}, "three.npy: shape [3,3] does not fit"},
        {{"--mean", "m.npy", "--precision-matrix", "c2.npy"}, "c2.npy: shape [2,2,2] does not fit"},
        {{"--mean", "m.npy", "--cov", "row.npy"}, "row.npy: shape [2] does not fit"},
        {{"--mean", "row.npy", "--cov", "c2.npy"},
         "c2.npy: shape [2,2,2] does not fit the mean's, [2] of row.npy; expected [1,2,2], or "
         "[2,2]"},
        {{"--mean", "deep.npy", "--cov", "one.npy"},
         "deep.npy: shape [1,2,2] has 3 axes; expected [B,D] with full covariances, or [D] for one "
         "sample"},
        {{"--moments", "deep.npy", "--q-mean", "row.npy", "--q-cov", "one.npy", "--no-clamp"},
         "deep.npy: shape [1,2,2] has 3 axes; expected [B,2D]"},
        {{"--mean", "m.npy", "--cov", "c.npy", "--q-mean", "m.npy", "--q-var", "row.npy"},
         "row.npy: shape [2] differs from the mean's"},
        {{"--mean", "m.npy", "--cov", "c.npy", "--q-mean", "c.npy", "--q-cov", "c.npy"},
         "c.npy: shape [3,2,2] has 3 axes"},
        {{"--mean", "row.npy", "--cov", "one.npy", "--q-mean", "m.npy", "--q-cov", "c.npy"},
         "P has a batch of 1, [1,2], but Q has one of 3"},
        {{"--mean", "m.npy", "--precision-matrix", "c.npy", "--keep", "1"},
         "--keep 1: with a precision matrix coordinates have no shares; expected 0 or none"},
        {{"--mean", "m.npy", "--cov", "c.npy", "--q-mean", "m.npy", "--q-precision-matrix", "c.npy",
          "--keep", "all"},
         "--keep all: with a precision matrix"},
        {{"--mean", "m.npy", "--cov", "c.npy", "--keep", "2"}, "--keep 2: the mean's shape [3,2]"},
    };
    put_inputs();
    EXPECT_ALL(refusals);
}

Test(cli_covariance_refusals, types)
{
    static const struct refusal refusals[] = {
        {{"--mean", "m32.npy", "--cov", "c.npy"}, "m32.npy holds float32, but c.npy holds float64"},
        {{"--mean", "m16.npy", "--cov", "c16.npy"},
         "m16.npy: holds float16; with full covariances expected float32 or float64. To widen it, "
         "which is exact: python3 -c"},
        {{"--mean", "m.npy", "--cov", "c.npy", "--q-mean", "bf.npy", "--q-var", "bf.npy"},
         "bf.npy: holds bfloat16; with full covariances expected float32 or float64"},
        {{"--mean", "m.npy", "--cov", "int.npy"}, "int.npy: holds int64; expected float16"},
    };
    put_inputs();
    F32("m32.npy", SHAPE(3, 2), 0, 0, 0, 0, 0, 0);
    put_code("m16.npy", "<f2", "(1, 1)", "\0\x3C", 2);
    put_code("c16.npy", "<f2", "(1, 1, 1)", "\0\x3C", 2);
    put_code("bf.npy", "<V2", "(3, 2)", "\x80\x3F\x80\x3F\x80\x3F\x80\x3F\x80\x3F\x80\x3F", 12);
    put_code("int.npy", "<i8", "(1,)", "\1\0\0\0\0\0\0\0", 8);
    EXPECT_ALL(refusals);
}

Test(cli_covariance_refusals, triangles)
{
    static const struct refusal refusals[] = {
        {{"--mean", "m.npy", "--cov", "l.npy"},
         "l.npy: matrix 1 is not symmetric: 0.5 at row 1, column 0, but 0 across the diagonal; "
         "expected a covariance"},
        {{"--mean", "m.npy", "--precision-matrix", "l.npy"},
         "expected a precision matrix, of which"},
        {{"--mean", "m.npy", "--tril", "u.npy"},
         "u.npy: matrix 0 has 0.5 at row 0, column 1, but everything below the diagonals is 0; "
         "expected lower Cholesky factors"},
        {{"--mean", "m.npy", "--cov", "c.npy", "--q-mean", "m.npy", "--q-cov", "l.npy"},
         "l.npy: matrix 1 is not symmetric"},
    };
    put_inputs();
    F64("l.npy", SHAPE(3, 2, 2), 1, 0, 0, 1, 1, 0, 0.5, 1, 1, 0, 0, 1);
    F64("u.npy", SHAPE(3, 2, 2), 1, 0.5, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1);
    EXPECT_ALL(refusals);
}

/* What rounding leaves, and NaN, are no reason. */
Test(cli_covariance_refusals, nearly_symmetric)
{
    put_inputs();
    F64("n.npy", SHAPE(3, 2, 2), 1, 0.5, 0.501, 1, 1e6, 2e-4, 1e-4, 1e-2, 1, NAN, 0, 1);
    KL("--mean", "m.npy", "--cov", "n.npy");
    expect_status(0);
}

Test(cli_covariance_refusals, archives)
{
    static const struct refusal refusals[] = {
        {{"--stats", "nowhere.npz"}, "nowhere.npz: cannot be opened"},
        {{"--stats", "m.npy"}, "m.npy: this is no zip file, or a truncated one"},
        {{"--stats", "empty.npz"}, "empty.npz: it has no member mu.npy; found: nothing"},
        {{"e.npz"},
         "e.npz: this is an .npz archive (one of FID statistics is read by `clkl kl "
         "--stats`)"},
    };
    put_inputs();
    put_bytes("empty.npz", "PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);
    put_bytes("e.npz", "PK\3\4\24\0\0\0\0\0", 10);
    EXPECT_ALL(refusals);
}
