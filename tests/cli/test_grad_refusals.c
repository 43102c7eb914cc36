/* What `clkl grad` refuses, with exit status 2 and no file; and files that appear together. */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void make(void)
{
    scratch_make();
    setenv("CLKL_DEVICE", "reference", 1); /* Mesa's compiler has warnings of its own */
    F32("p.npy", SHAPE(2, 4), 1, 2, 0, 0, 3, 4, 0, 0);
    F32("m.npy", SHAPE(2, 2), 1, 2, 3, 4);
    F32("l.npy", SHAPE(2, 2), 0, 0, 0, 0);
}

TestSuite(cli_grad_refusals, .init = make, .fini = scratch_remove, .timeout = 60);

Test(cli_grad_refusals, options_and_shapes)
{
    static const struct {
        const char *words[8];
        const char *says;
    } refusals[] = {
        {{"p.npy"}, "--out is missing; expected --out PREFIX"},
        {{"p.npy", "--out", "-"}, "--out -: expected what the names of several files begin with"},
        {{"--out", "g"}, "P is missing"},
        {{"p.npy", "--out", "g", "--value", "-"}, "--value -: expected the name of a file"},
        {{"p.npy", "--out", "g", "--csv"}, "unknown option --csv; clkl grad --help"},
        {{"p.npy", "--out", "g", "--deterministic"}, "unknown option --deterministic"},
        {{"p.npy", "--out", "g", "--wrt", "x"}, "--wrt 'x': expected p, q or both"},
        {{"p.npy", "--out", "g", "--wrt", "q"}, "--wrt q: Q is the standard normal"},
        {{"p.npy", "--out", "g", "--wrt", "both"}, "--wrt both: Q is the standard normal"},
        {{"p.npy", "--out", "g", "--q-factor", "2"}, "--q-factor 2: no gradient of Q comes out"},
        {{"p.npy", "p.npy", "--out", "g", "--wrt=q", "--p-factor=2"}, "no gradient of P comes out"},
        {{"p.npy", "--out", "g", "--beta", "nan"}, "--beta nan: expected a finite number"},
        {{"p.npy", "--out", "g", "--p-factor", "1x"}, "--p-factor 1x: expected a finite number"},
        {{"p.npy", "--out", "g", "--gradient-type", "f8"}, "--gradient-type 'f8': expected f16"},
        {{"p.npy", "--out", "g", "--upstream", "m.npy"},
         "m.npy: the upstream gradient has the shape [2,2]; expected the result's, [2] (--keep 0)"},
        {{"p.npy", "--out", "g", "--upstream", "m.npy", "--keep", "none"},
         "expected the result's, [] (--keep none)"},
        {{"p.npy", "--out", "g", "--upstream", "i.npy"}, "i.npy: holds int8; expected float16"},
        {{"-", "--out", "g", "--upstream", "-"}, "'-' stands for standard input, which 2 inputs"},
        {{"p.npy", "--out", "none/g"}, "none/g.p_moments.npy: cannot be written"},
        {{"p.npy", "--out", "g", "--value", "none/v.npy"}, "none/v.npy: cannot be written"},
        {{"p.npy", "--out", "g", "--value", "g.p_moments.npy"},
         "--value g.p_moments.npy: a gradient goes there"},
        {{"p.npy", "--out", "g", "--device", "no such thing"}, "no such thing"},
    };
    put_code("i.npy", "|i1", "(2,)", "\1\1", 2);
    for (unsigned i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const char *words[16] = {"grad"};
        const unsigned before = scratch_count();
        memcpy(words + 1, refusals[i].words, sizeof refusals[i].words);
        run_words(words);
        expect_refusal(refusals[i].says);
        cr_expect_eq(scratch_count(), before, "a file appeared: %s", refusals[i].says);
    }
}

/* Old files stay as they were where the last one cannot be written. */
Test(cli_grad_refusals, all_files_or_none)
{
    static const char *const words[] = {"grad",      "--mean",  "m.npy",     "--logvar",
                                        "l.npy",     "--out",   "g",         "--device",
                                        "reference", "--value", "/dev/full", NULL};
    put_text("g.p_mean.npy", "old");
    run_words(words);
    expect_refusal("/dev/full: cannot be written");
    cr_expect_eq(scratch_count(), 4, "p.npy, m.npy, l.npy and the old file");
    struct stat status;
    cr_assert_eq(stat("g.p_mean.npy", &status), 0);
    cr_expect_eq(status.st_size, 3);
    cr_assert_eq(mkdir("g.p_logvar.npy", 0700), 0);
    RUN("grad", "--mean", "m.npy", "--logvar", "l.npy", "--out", "g", "--device", "reference");
    expect_refusal("g.p_logvar.npy: cannot be written");
    cr_assert_eq(stat("g.p_mean.npy", &status), 0);
    cr_expect_eq(status.st_size, 3);
    cr_expect_eq(scratch_count(), 5);
}

/* The summary must not mix with a file. */
Test(cli_grad_refusals, standard_output_is_taken)
{
    run_output = "taken.txt";
    RUN("grad", "p.npy", "--out", "g", "--value", "/dev/stdout", "--device", "reference");
    expect_status(2);
    expect_err("--value /dev/stdout: this is where standard output goes");
    RUN("grad", "p.npy", "--out", "g", "--value", "/dev/stdout", "--quiet", "--device",
        "reference");
    expect_status(0);
    expect_npy("taken.txt", "float32", 1, 2, (const double[]){2.5, 12.5});
}
