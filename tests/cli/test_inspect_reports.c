/* What `clkl inspect` prints: summary, CSV; and what it refuses. */
#include "json_items.h"
#include "support.h"

#include <stdlib.h>
#include <string.h>

TestSuite(cli_inspect_reports, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

#define INSPECT(...) RUN("inspect", __VA_ARGS__, "--device", "reference")

Test(cli_inspect_reports, summary)
{
    setenv("LC_ALL", "C", 1);
    INSPECT(DIGITS);
    expect_status(0);
    cr_expect_str_eq(run.err, "");
    expect_out("1797 samples of [16]; axis 1 split: 0-15 mean, 16-31 log-variance\n");
    expect_out("active        4 of 16 units: Var[mu] above 0.01\n");
    expect_out(
        "\n     4     0.9990     0.9023  active     #######################################\n"
        "     2     0.9281     0.8608  active     ####################################\n");
    expect_out("\n     8  0.0003320  0.0004287  collapsed  \n");
    expect_narrow_ascii();
    INSPECT(PHOTO);
    expect_out("active        64 of 64 units, 4 of 4 channels: Var[mu] above 0.01\n");
    expect_out("\n      13.58      17.67      18.41      12.13\n");
    expect_out("16/16  active     ####");
    expect_narrow_ascii();
    INSPECT(PHOTO, "--quiet");
    cr_expect_str_eq(run.out, "");
}

/* Maps and profiles that are larger than a terminal. */
Test(cli_inspect_reports, large_maps)
{
    static float moments[2][2][2][100][90];
    for (unsigned b = 0; b < 2; b++)
        for (unsigned c = 0; c < 2; c++)
            for (unsigned i = 0; i < 9000; i++)
                moments[b][0][c][i / 90][i % 90] = i / 90 < 50 ? 0 : 1;
    setenv("LC_ALL", "C", 1);
    put_f32("m.npy", &moments[0][0][0][0][0], SHAPE(2, 4, 100, 90));
    INSPECT("m.npy");
    expect_narrow_ascii();
    expect_out("\n  @@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\n");
    expect_out("from 0.000 to 1.000; each cell is the mean of 3 x 3 positions\n");
    put_f32("m.npy", &moments[0][0][0][0][0], SHAPE(2, 4, 9000));
    INSPECT("m.npy");
    expect_narrow_ascii();
    expect_out("        0-224      0.000  \n");
    expect_out("    8775-8999      1.000  ################################################\n");
}

/* CSV has the numbers of JSON. */
Test(cli_inspect_reports, csv)
{
    char line[64];
    INSPECT(PHOTO, "--json");
    json_t *root = run_json();
    INSPECT(PHOTO, "--csv");
    expect_status(0);
    cr_expect_eq(strncmp(run.out, "quantity,index,value\nkl,0,", 26), 0, "%s", run.out);
    snprintf(line, sizeof line, "\nposition,3 2,%.17g\n",
             item(at(at(root, "positions"), "values"), 14));
    expect_out(line);
    snprintf(line, sizeof line, "\nvariance,2,%.17g\n",
             number(json_array_get(at(root, "rows"), 1), "variance"));
    expect_out(line);
    snprintf(line, sizeof line, "\nsample,519,%.17g\n",
             item(at(at(root, "samples"), "values"), 519));
    expect_out(line);
    snprintf(line, sizeof line, "\nquartile,2,%.17g\n",
             item(at(at(root, "samples"), "quartiles"), 1));
    expect_out(line);
    expect_out("\nactive units,1,16\n");
    expect_out("\noutlier,59,");
    expect_out("\nbin edge,17,");
    expect_out("\nbelow bins,,0\nabove bins,,0\n");
    for (const char *at_line = run.out; *at_line != '\0'; at_line = strchr(at_line, '\n') + 1) {
        unsigned commas = 0;
        for (const char *c = at_line; *c != '\n'; c++)
            commas += *c == ',';
        cr_assert_eq(commas, 2);
    }
    json_decref(root);
}

/* Double precision from float64 files. */
Test(cli_inspect_reports, float64)
{
    F64("m.npy", SHAPE(2, 2), 1, 0, 2, 0);
    INSPECT("m.npy", "--json");
    json_t *root = run_json();
    cr_expect_str_eq(json_string_value(at(root, "compute")), "f64");
    const json_t *row = json_array_get(at(root, "rows"), 0);
    cr_expect_eq(number(row, "kl"), 1.25);
    cr_expect_eq(number(row, "variance"), 0.25);
    json_decref(root);
}

/* ---- Refusals ---- */

Test(cli_inspect_reports, refusals)
{
    F32("m.npy", SHAPE(2, 2), 1, 0, 2, 0);
    static const char *const cases[][4] = {
        {"--per", "pixel", "--per 'pixel': expected channel or unit"},
        {"--channel-axis", "x", "--channel-axis x: found no whole number"},
        {"--channel-axis", "0", "--channel-axis 0: the mean has the shape [2,1], whose axis 0"},
        {"--channel-axis", "2", "expected 1 to 1, or -1 to -1"},
        {"--threshold", "-1", "--threshold -1: expected a variance"},
        {"--threshold", "nan", "--threshold nan: expected a variance"},
        {"--threshold", "1e999", "--threshold 1e999: expected a variance"},
        {"--fence", "1,5", "--fence 1,5: expected a finite number"},
        {"--plot", "p.pdf", "--plot p.pdf: expected a name that ends in .png or .svg, or -"},
        {"--plot", ".png", "--plot .png: expected a name"},
        {"--keep", "1", "unknown option --keep; clkl inspect --help"},
        {"--out", "m.npy", "unknown option --out"},
        {"--batch", "sum", "unknown option --batch"}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        INSPECT("m.npy", cases[i][0], cases[i][1]);
        expect_refusal(cases[i][2]);
    }
    INSPECT("m.npy", "--deterministic");
    expect_refusal("unknown option --deterministic");
    INSPECT("--mean", "m.npy");
    expect_refusal("--mean is given without a scale");
    cr_expect_null(strstr(run.err, "deterministic"), "%s", run.err);
    INSPECT("m.npy", "--json", "--csv");
    expect_refusal("--json and --csv both want standard output");
    INSPECT("m.npy", "--json", "--plot", "-");
    expect_refusal("--plot - and --json both want standard output");
    RUN("inspect");
    expect_refusal("P is missing");
    INSPECT("missing.npy");
    expect_refusal("missing.npy: ");
}
