/* What `clkl kl` prints: the summary, bars, JSON and CSV. */
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(cli_reports, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

static unsigned count_lines(const char *text)
{
    unsigned lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

Test(cli_reports, summary)
{
    static const char reading[] =
        "520 samples of [4,4,4]; axis 1 split: 0-3 mean, 4-7 log-variance\n"
        "KL(P || N(0, I)), nats\n";
    KL(PHOTO);
    expect_status(0);
    cr_expect_eq(strncmp(run.out, reading, sizeof reading - 1), 0, "%s", run.out);
    expect_out("per sample    mean 260.559\n                min 58.2799 (sample 141), max 564.29 "
               "(sample 59)\n");
    expect_out("per element   mean 4.07123 nats = 5.87354 bits, 64 latent elements a sample\n");
    expect_out("0 of 33280 log-variances lay outside [-30, 20]\n");
    expect_out("invalid       0 of 520\n");
    expect_out("infinite      0 of 520\n");
    expect_out("device        reference");
    cr_expect_leq(count_lines(run.out), 12);
    cr_expect_str_eq(run.err, "");
}

Test(cli_reports, summary_of_two_sides)
{
    F32("m.npy", SHAPE(1, 2), 1, 2);
    F32("v.npy", SHAPE(1, 2), 1, 1);
    KL("--mean", "m.npy", "--std", "v.npy", "--q-mean", "m.npy", "--q-var", "v.npy");
    expect_status(0);
    expect_out("1 sample of [2]; mean from m.npy, standard deviation from v.npy\n"
               "Q for each sample; mean from m.npy, variance from v.npy\n"
               "KL(P || Q), nats\n");
    cr_expect_null(strstr(run.out, "log-variance"), "%s", run.out);
}

Test(cli_reports, bars)
{
    setenv("LC_ALL", "C.UTF-8", 1);
    KL(DIGITS, "--keep", "1");
    expect_status(0);
    expect_out("\n   4     0.9990  █████████████████████████████████████████████████████\n");
    expect_out("\n   0  0.0003573   collapsed\n");
    expect_out("\n12 of 16 units collapsed (below 0.01 nats)\n");
    unsigned collapsed = 0;
    for (const char *at = run.out; (at = strstr(at, " collapsed\n")) != NULL; at++)
        collapsed++;
    cr_expect_eq(collapsed, 12);
}

/* Without UTF-8 there is only ASCII. */
Test(cli_reports, bars_in_ascii)
{
    setenv("LC_ALL", "C", 1);
    KL(DIGITS, "--keep", "1", "--batch", "sum");
    expect_out("\n   4       1795  #####################################################\n");
    expect_out("12 of 16 units collapsed (mean below 0.01 nats)\n");
    expect_narrow_ascii();
}

/* 100 units, of which unit i has the divergence i * i / 2. */
static void put_units(unsigned odd, float value)
{
    float means[100], variances[100];
    for (unsigned i = 0; i < 100; i++) {
        means[i] = i == odd ? value : (float)i;
        variances[i] = 1;
    }
    put_f32("m.npy", means, SHAPE(1, 100));
    put_f32("v.npy", variances, SHAPE(1, 100));
}

Test(cli_reports, bars_of_many_units)
{
    put_units(100, 0);
    KL("--mean", "m.npy", "--var", "v.npy", "--keep", "1");
    expect_out("; the largest 64\n  99       4900  ");
    expect_out("\n  36      648.0  ");
    cr_expect_null(strstr(run.out, "\n  35 "), "%s", run.out);
    expect_out("\n36 more, down to 0.000, are not shown; --out and --csv write all\n"
               "1 of 100 units collapsed");
}

Test(cli_reports, bars_of_odd_values)
{
    put_units(7, INFINITY);
    KL("--mean", "m.npy", "--var", "v.npy", "--keep", "1");
    expect_status(0);
    expect_out("\n   7        inf  ");
    expect_out("\n  99       4900  ");
    put_units(7, NAN);
    KL("--mean", "m.npy", "--var", "v.npy", "--keep", "1");
    expect_status(1);
    expect_out("\n   7        nan\n");
    F32("m.npy", SHAPE(1, 1), 0);
    F32("v.npy", SHAPE(1, 1), 1);
    KL("--mean", "m.npy", "--var", "v.npy", "--keep", "1");
    expect_out("\n  0      0.000   collapsed\n1 of 1 units collapsed");
}

static double real(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);
    cr_expect(json_is_number(value), "%s", key);
    return json_number_value(value);
}

static const char *text(const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    cr_assert_not_null(value, "%s", key);
    return value;
}

static bool equals(const json_t *root, const char *key, const char *expected)
{
    json_t *value = json_loads(expected, JSON_DECODE_ANY, NULL);
    cr_assert_not_null(value, "%s", expected);
    const bool same = json_equal(json_object_get(root, key), value) != 0;
    json_decref(value);
    return same;
}

Test(cli_reports, json)
{
    KL(PHOTO, "--json");
    expect_status(0);
    json_t *root = run_json();
    cr_expect_str_eq(text(root, "schema"), "clkl-kl-1");
    cr_expect_eq(strspn(text(root, "version"), "0123456789."), strlen(text(root, "version")));
    cr_expect_str_eq(text(root, "unit"), "nats");
    cr_expect(equals(root, "p",
                     "{\"form\": \"moments\", \"files\": [\"" PHOTO
                     "\"], \"split_axis\": 1, \"shared\": false}"));
    cr_expect(equals(root, "q",
                     "{\"form\": \"standard normal\", \"files\": [], \"split_axis\": null, "
                     "\"shared\": false}"));
    cr_expect(equals(root, "shape", "[520, 4, 4, 4]"));
    cr_expect_str_eq(text(root, "compute"), "f32");
    cr_expect(equals(root, "keep", "[0]"));
    cr_expect(equals(root, "batch", "null"));
    cr_expect(equals(root, "clamp", "[-30.0, 20.0]"));
    cr_expect_eq(json_array_size(json_object_get(root, "values")), 520);
    const json_t *samples = json_object_get(root, "samples");
    cr_expect(equals(samples, "min_sample", "141"));
    cr_expect(equals(samples, "max_sample", "59"));
    cr_expect(equals(samples, "count", "520"));
    cr_expect(equals(samples, "valid", "520"));
    cr_expect_float_eq(real(samples, "mean"), 260.559, 1e-3);
    cr_expect_float_eq(real(json_object_get(root, "element"), "bits"), 5.87354, 1e-5);
    cr_expect(equals(json_object_get(root, "element"), "elements", "64"));
    cr_expect(equals(root, "clamped", "{\"p\": {\"count\": 0, \"of\": 33280}, \"q\": null}"));
    cr_expect(equals(root, "invalid", "[]"));
    cr_expect(equals(root, "infinite", "[]"));
    cr_expect_str_eq(text(root, "device"), "reference");
    cr_expect_str_eq(text(root, "backend"), "reference");
    cr_expect_geq(real(root, "seconds"), 0);
    json_decref(root);
}

Test(cli_reports, json_of_other_axes)
{
    F32("m.npy", SHAPE(2, 3), 1, 2, 3, 4, 5, 6);
    F32("s.npy", SHAPE(2, 3), 1, 1, 1, 1, 1, 1);
    F32("q.npy", SHAPE(6), 0, 0, 0, 0, 0, 0);
    KL("--mean", "m.npy", "--logstd", "s.npy", "--q-moments", "q.npy", "--keep", "1", "--batch",
       "sum", "--json", "--no-clamp");
    expect_status(0);
    json_t *root = run_json();
    cr_expect(equals(root, "p",
                     "{\"form\": \"mean+logstd\", \"files\": [\"m.npy\", \"s.npy\"], "
                     "\"split_axis\": null, \"shared\": false}"));
    cr_expect(equals(root, "q",
                     "{\"form\": \"moments\", \"files\": [\"q.npy\"], \"split_axis\": 1, "
                     "\"shared\": true}"));
    cr_expect(equals(root, "keep", "[1]"));
    cr_expect_str_eq(text(root, "batch"), "sum");
    cr_expect(equals(root, "clamp", "null"));
    cr_expect(equals(root, "clamped", "{\"p\": null, \"q\": null}"));
    cr_expect_eq(json_array_size(json_object_get(root, "values")), 3);
    json_decref(root);
    KL("--mean", "m.npy", "--logstd", "s.npy", "--keep", "none", "--json");
    root = run_json();
    cr_expect(equals(root, "keep", "[]"));
    cr_expect_str_eq(text(root, "batch"), "mean");
    cr_expect_eq(json_array_size(json_object_get(root, "values")), 1);
    json_decref(root);
}

/* What --out holds, as JSON and CSV write it, is the same to the last bit. */
static void expect_same_digits(const char *precision)
{
    static char csv[sizeof run.out];
    KL("p.npy", "--csv", "--compute", precision, "--split-axis", "1");
    expect_status(0);
    memcpy(csv, run.out, sizeof csv);
    KL("p.npy", "--json", "--compute", precision, "--out", "kl.npy");
    json_t *root = run_json();
    FILE *file = fopen("kl.npy", "rb");
    cr_assert_not_null(file);
    char *line = strchr(csv, '\n') + 1, *comma = NULL;
    const bool wide = strcmp(precision, "f64") == 0;
    cr_assert_eq(fseek(file, wide ? -100 * 8 : -100 * 4, SEEK_END), 0);
    for (unsigned i = 0; i < 100; i++) {
        double expected = 0,
               json = json_real_value(json_array_get(json_object_get(root, "values"), i));
        float narrow = 0;
        cr_assert_eq(fread(wide ? (void *)&expected : (void *)&narrow, wide ? 8 : 4, 1, file), 1);
        cr_expect_eq((unsigned)strtol(line, &comma, 10), i);
        const double read = strtod(comma + 1, &line);
        if (wide)
            cr_expect(json == expected && read == expected, "%.17g %.17g", json, expected);
        else
            cr_expect((float)json == narrow && (float)read == narrow, "%.9g %.9g", json,
                      (double)narrow);
    }
    fclose(file);
    json_decref(root);
}

Test(cli_reports, numbers_read_back)
{
    float packed[200];
    for (unsigned i = 0; i < 200; i++)
        packed[i] = (float)((i * 2654435761u) % 1000003) / 77777.0F * (i % 2 == 0 ? 1 : -1);
    put_f32("p.npy", packed, SHAPE(100, 2));
    expect_same_digits("f32");
    expect_same_digits("f64");
}

Test(cli_reports, csv)
{
    F32("m.npy", SHAPE(3, 2), 1, 2, 0, INFINITY, NAN, 0);
    F32("v.npy", SHAPE(3, 2), 1, 1, 1, 1, 1, 1);
    KL("--mean", "m.npy", "--var", "v.npy", "--csv");
    cr_expect_str_eq(run.out, "sample,kl\n0,2.5\n1,inf\n2,nan\n");
    F32("m.npy", SHAPE(2, 1), INFINITY, -NAN);
    F32("v.npy", SHAPE(2, 1), 1, 1);
    KL("--mean", "m.npy", "--var", "v.npy", "--q-mean", "m.npy", "--q-var", "v.npy", "--csv");
    cr_expect_str_eq(run.out, "sample,kl\n0,nan\n1,nan\n"); /* whichever sign the NaN has */
    F32("m.npy", SHAPE(1, 2), 1, 2);
    F32("v.npy", SHAPE(1, 2), 1, 1);
    KL("--mean", "m.npy", "--var", "v.npy", "--csv", "--keep", "1");
    cr_expect_str_eq(run.out, "index,kl\n0,0.5\n1,2\n");
    KL("--mean", "m.npy", "--var", "v.npy", "--csv", "--keep", "none");
    cr_expect_str_eq(run.out, "index,kl\n0,2.5\n");
}

Test(cli_reports, quiet)
{
    KL(PHOTO, "--quiet", "--out", "kl.npy");
    expect_status(0);
    cr_expect_str_eq(run.out, "");
    cr_expect_str_eq(run.err, "");
    cr_expect_eq(scratch_count(), 1);
}

/* Names that are no UTF-8 are still JSON. */
Test(cli_reports, odd_file_name)
{
    F32("p\xff\x01.npy", SHAPE(1, 2), 1, 0);
    KL("p\xff\x01.npy", "--json");
    expect_status(0);
    json_t *root = run_json();
    const json_t *files = json_object_get(json_object_get(root, "p"), "files");
    cr_expect_str_eq(json_string_value(json_array_get(files, 0)), "p?\x01.npy");
    json_decref(root);
    F32("p\x1b.npy", SHAPE(2), 1, 0);
    KL("p\x1b.npy");
    expect_refusal("p?.npy: shape [2]");
}
