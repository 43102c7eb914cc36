/* What `clkl inspect --plot` tells gnuplot, and what comes of it. Programs of that name in ./bin
 * take its place where its commands are looked at, or where it fails. */
#include "support.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(cli_plot, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

#define INSPECT(...) RUN("inspect", __VA_ARGS__, "--device", "reference")

/* A script in the place of gnuplot. */
static void replace_gnuplot(const char *body)
{
    char path[8192], here[2048];
    cr_assert_not_null(getcwd(here, sizeof here));
    mkdir("bin", 0700);
    FILE *file = fopen("bin/gnuplot", "w");
    cr_assert_not_null(file);
    fprintf(file, "#!/bin/sh\n%s\n", body);
    cr_assert_eq(fclose(file), 0);
    cr_assert_eq(chmod("bin/gnuplot", 0700), 0);
    snprintf(path, sizeof path, "%s/bin:/usr/bin:/bin", here);
    setenv("PATH", path, 1);
}

#define KEEP_COMMANDS "cat >commands; echo \"$@\" >words; echo drawn"

static char content[1 << 16];

static const char *read_file(const char *name)
{
    FILE *file = fopen(name, "rb");
    cr_assert_not_null(file, "%s is missing; it said: %s", name, run.err);
    content[fread(content, 1, sizeof content - 1, file)] = '\0';
    fclose(file);
    return content;
}

static void expect_command(const char *says)
{
    cr_expect_not_null(strstr(read_file("commands"), says), "expected: %s\nfound: %s", says,
                       content);
}

static void need_gnuplot(void)
{
    if (system("gnuplot --version >/dev/null 2>&1") != 0) /* NOLINT: a fixed command */
        cr_skip("gnuplot is not installed");
}

/* ---- Commands ---- */

Test(cli_plot, commands)
{
    replace_gnuplot(KEEP_COMMANDS);
    INSPECT(PHOTO, "--plot", "p.PNG", "--quiet");
    expect_status(0);
    cr_expect_str_eq(run.out, "");
    cr_expect_str_eq(read_file("p.PNG"), "drawn\n");
    cr_expect_str_eq(read_file("words"), "--default-settings\n");
    expect_command("set terminal pngcairo noenhanced");
    expect_command("\n0 87.5502");
    expect_command("set xtics ('0' 0, '2' 1, '3' 2, '1' 3)");
    expect_command("title 'active: 4'");
    expect_command("0.01 with lines");
    expect_command("$map matrix with image");
    expect_command("64 of 64 units active");
    cr_expect_null(strstr(content, "title 'collapsed"), "%s", content);
    INSPECT(DIGITS, "--plot", "p.svg", "--threshold", "0.7");
    expect_out("active        3 of 16 units");
    expect_command("set terminal svg noenhanced");
    expect_command("title 'active: 3'");
    expect_command("title 'collapsed: 13'");
    expect_command("0.7 with lines");
    expect_command("from first 2.5, graph 0 to first 15.5, graph 1");
    expect_command("beyond the fence: sample 982, 609, ");
    cr_expect_null(strstr(content, "$map"), "%s", content);
}

/* What counts nowhere is neither active nor collapsed, and has no point. */
Test(cli_plot, masked_units)
{
    static const uint8_t mask[] = {1, 0, 1};
    F32("m.npy", SHAPE(2, 3), 0, 1, 0, 2, 3, 0);
    F32("l.npy", SHAPE(2, 3), 0, 0, 0, 0, 0, 0);
    put_code("w.npy", "|u1", "(3,)", mask, sizeof mask);
    replace_gnuplot(KEEP_COMMANDS);
    INSPECT("--mean", "m.npy", "--logvar", "l.npy", "--mask", "w.npy", "--plot", "p.png",
            "--quiet");
    expect_status(0);
    expect_command("\n0 1 1 1\n1 0 NaN 2\n2 0 ");
    expect_command("title 'active: 1'");
    expect_command("title 'collapsed: 1'");
    expect_command("title 'not known: 1'");
    expect_command("from first 1.5, graph 0 to first 2.5, graph 1");
    expect_command("1 of 2 units active");
}

/* Hundreds of units are numbered by their rank. */
Test(cli_plot, many_units)
{
    static float mean[2][300], logvar[2][300];
    for (unsigned i = 0; i < 300; i++)
        mean[1][i] = 0.002F * (float)i;
    put_f32("m.npy", mean[0], SHAPE(2, 300));
    put_f32("l.npy", logvar[0], SHAPE(2, 300));
    replace_gnuplot(KEEP_COMMANDS);
    INSPECT("--mean", "m.npy", "--logvar", "l.npy", "--plot", "p.png", "--quiet");
    expect_status(0);
    expect_command("set xlabel 'rank of the unit (axis 1), the largest divergence first'");
    cr_expect_null(strstr(content, "set xtics ("), "%s", content);
    expect_command("\n299 0 "); /* the variance is 0, which no logarithm shows */
    expect_command("set logscale y");
}

/* ---- Names are text and nothing else ---- */

static const char *const names[] = {"a'; system('touch evil'); '.npy",
                                    "b`touch evil`.npy",
                                    "c\nsystem('touch evil')\n.npy",
                                    "d$(touch evil)\".npy",
                                    "e\\",
                                    "f\\'`touch evil`\\",
                                    "g'.system('touch evil').'",
                                    "h\n!touch evil\n",
                                    "i\r!touch evil",
                                    "@j{:Bold x}_1^2&amp;<b>%d%s",
                                    "k\x80\xff\xc3(\xed\xa0\x80",
                                    "l\xc3\xa9\xe2\x82\xac"};

/* By the lines that gnuplot gets. */
Test(cli_plot, escaped_names)
{
    static const char *const expected[] = {"'a''; system(''touch evil''); ''.npy'",
                                           "'b`touch evil`.npy'",
                                           "'c?system(''touch evil'')?.npy'",
                                           "'d$(touch evil)\".npy'",
                                           "'e\\'",
                                           "'f\\''`touch evil`\\'",
                                           "'g''.system(''touch evil'').'''",
                                           "'h?!touch evil?'",
                                           "'i?!touch evil'",
                                           "'@j{:Bold x}_1^2&amp;<b>%d%s'",
                                           "'k\?\?\?(\?\?\?'",
                                           "'l\xc3\xa9\xe2\x82\xac'"};
    replace_gnuplot(KEEP_COMMANDS);
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        char line[128];
        F32(names[i], SHAPE(2, 2), 1, 0, 2, 0);
        INSPECT(names[i], "--plot", "p.png", "--quiet");
        expect_status(0);
        snprintf(line, sizeof line, "\nset label 1 %s at screen", expected[i]);
        expect_command(line);
    }
}

/* By what gnuplot does. */
Test(cli_plot, harmless_names)
{
    static const char *const plots[] = {"p.png", "p.svg", "-"};
    need_gnuplot();
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        F32(names[i], SHAPE(2, 2), 1, 0, 2, 0);
        for (unsigned k = 0; k < 3; k++) {
            INSPECT(names[i], "--plot", plots[k], "--quiet");
            expect_status(0);
            cr_expect_str_eq(run.err, "");
            cr_expect_neq(access("evil", F_OK), 0, "%s", names[i]);
        }
    }
}

/* ---- Drawings ---- */

Test(cli_plot, files)
{
    need_gnuplot();
    INSPECT(PHOTO, "--plot", "p.png", "--json");
    expect_status(0);
    json_decref(run_json());
    cr_expect_eq(memcmp(read_file("p.png"), "\x89PNG\r\n\x1a\n", 8), 0);
    INSPECT(DIGITS, "--plot", "p.svg", "--csv");
    expect_out("quantity,index,value\n");
    cr_expect_eq(strncmp(read_file("p.svg"), "<?xml", 5), 0);
    cr_expect_not_null(strstr(content, ">active: 4<"));
    cr_expect_eq(scratch_count(), 2);
}

/* Every shape, and what is odd, is drawn without a word. */
static void expect_drawn(void)
{
    static const char *const plots[] = {"p.png", "p.svg", "-"};
    for (unsigned i = 0; i < 3; i++) {
        INSPECT("m.npy", "--no-clamp", "--plot", plots[i], "--quiet");
        expect_status(0);
        cr_expect_str_eq(run.err, "");
    }
}

Test(cli_plot, odd_shapes)
{
    static float zero[2 * 200 * 4 * 3], mixed[2 * 200 * 4 * 3];
    for (unsigned i = 0; i < sizeof mixed / sizeof mixed[0]; i++)
        mixed[i] = (float)(i * 2654435761U >> 8) / 16777216.0F * (i % 7 == 0 ? 20 : 1e-3F);
    need_gnuplot();
    F32("m.npy", SHAPE(1, 2), 1, 0);
    expect_drawn();
    put_f32("m.npy", zero, SHAPE(4, 4, 5, 3)); /* all divergences are 0 */
    expect_drawn();
    put_f32("m.npy", mixed, SHAPE(2, 1200));
    expect_drawn();
    put_f32("m.npy", mixed, SHAPE(4, 2, 1, 150));
    expect_drawn();
    put_f32("m.npy", mixed, SHAPE(4, 2, 150));
    expect_drawn();
    put_f32("m.npy", mixed, SHAPE(2, 2, 3, 2, 2, 50));
    expect_drawn();
}

static unsigned widest_line(void)
{
    unsigned column = 0, widest = 0;
    for (const char *c = run.out; *c != '\0'; c++) {
        cr_assert_geq(*c, 0, "%s", run.out);
        column = *c == '\n' ? 0 : column + 1;
        widest = column > widest ? column : widest;
    }
    return widest;
}

/* As wide as the terminal, and not wider. */
Test(cli_plot, terminal)
{
    static const unsigned widths[] = {50, 80, 132};
    need_gnuplot();
    setenv("LC_ALL", "C", 1);
    for (unsigned i = 0; i < 3; i++) {
        char text[8];
        snprintf(text, sizeof text, "%u", widths[i]);
        setenv("COLUMNS", text, 1);
        INSPECT(DIGITS, "--plot", "-", "--quiet");
        expect_status(0);
        expect_out("KL per unit, nats");
        expect_out("Var[mu] over the batch");
        expect_out("active: 4");
        expect_out("KL per sample, nats");
        expect_out("  4    ");
        cr_expect_eq(widest_line(), widths[i] - 1, "%u: %s", widest_line(), run.out);
    }
    setenv("COLUMNS", "80", 1);
    INSPECT(PHOTO, "--plot", "-");
    expect_out("active        64 of 64 units");
    expect_out("\n      13.58      17.67      18.41      12.13\n");
    cr_expect_null(strstr(run.out, "samples by their divergence"), "it is drawn twice");
    expect_narrow_ascii();
}

/* ---- What can go wrong ---- */

/* Said at once: the file to be read is not looked at. */
Test(cli_plot, not_installed)
{
    setenv("PATH", "/nonexistent", 1);
    INSPECT("missing.npy", "--plot", "p.png");
    expect_refusal("--plot: gnuplot is not installed; apt-get install gnuplot-nox installs it");
    cr_expect_eq(scratch_count(), 0);
    F32("m.npy", SHAPE(2, 2), 1, 0, 2, 0);
    INSPECT("m.npy");
    expect_status(0);
}

/* Whatever gnuplot does, there is a drawing or a sentence, and no half of a file. */
Test(cli_plot, failures)
{
    F32("m.npy", SHAPE(2, 2), 1, 0, 2, 0);
    static const char *const bodies[][2] = {
        {"cat >/dev/null; printf half; printf '\\nplot x\\n     ^\\nline 3: no such thing\\n' >&2; "
         "exit 1",
         "gnuplot could not draw it: line 3: no such thing"},
        {"exit 3", "gnuplot could not draw it: it does not say why"},
        {"cat >/dev/null", "gnuplot could not draw it: it does not say why"},
        {"cat >/dev/null; echo half; kill -9 $$", "gnuplot could not draw it"}};
    for (unsigned i = 0; i < sizeof bodies / sizeof bodies[0]; i++) {
        replace_gnuplot(bodies[i][0]);
        put_text("p.png", "old");
        INSPECT("m.npy", "--plot", "p.png");
        expect_refusal(bodies[i][1]);
        cr_expect_str_eq(read_file("p.png"), "old");
        INSPECT("m.npy", "--plot", "-");
        expect_refusal(bodies[i][1]);
        cr_expect_eq(scratch_count(), 3);
    }
    cr_assert_eq(chmod("bin/gnuplot", 0600), 0);
    setenv("PATH", "bin", 1);
    INSPECT("m.npy", "--plot", "p.png");
    expect_refusal("--plot: gnuplot cannot be started: ");
}

/* One that reads nothing meets a pipe that is full. */
Test(cli_plot, deaf_gnuplot)
{
    static float mean[2][20000], logvar[2][20000];
    put_f32("m.npy", mean[0], SHAPE(2, 20000));
    put_f32("l.npy", logvar[0], SHAPE(2, 20000));
    replace_gnuplot("exit 0");
    INSPECT("--mean", "m.npy", "--logvar", "l.npy", "--plot", "p.png");
    expect_refusal("gnuplot could not draw it");
}

/* A run that fails later leaves no file, and no gnuplot that waits. */
Test(cli_plot, nothing_to_draw)
{
    replace_gnuplot("cat >/dev/null; touch ended");
    INSPECT("missing.npy", "--plot", "p.png");
    expect_refusal("missing.npy: ");
    F32("m.npy", SHAPE(1, 2), NAN, 0);
    INSPECT("m.npy", "--plot", "p.png");
    expect_refusal("--plot: each of the 1 samples is invalid or infinite, so there is nothing");
    cr_expect_neq(access("p.png", F_OK), 0);
}

Test(cli_plot, unwritable)
{
    replace_gnuplot(KEEP_COMMANDS);
    F32("m.npy", SHAPE(2, 2), 1, 0, 2, 0);
    INSPECT("m.npy", "--plot", "missing/p.png");
    expect_refusal("missing/p.png: cannot be written: ");
    cr_assert_eq(symlink("/dev/full", "full.png"), 0);
    INSPECT("m.npy", "--plot", "full.png");
    expect_refusal("full.png: cannot be written: No space left on device");
    cr_assert_eq(symlink("/dev/stdout", "stdout.png"), 0);
    run_output = "out.txt";
    INSPECT("m.npy", "--plot", "stdout.png");
    run_output = NULL;
    expect_err("--plot stdout.png: this is where standard output goes");
    run_output = "/dev/full";
    INSPECT("m.npy", "--plot", "p.png");
    expect_refusal("standard output: cannot be written: No space left on device");
    cr_expect_neq(access("p.png", F_OK), 0);
}

/* The drawing comes from a device's values as from the reference's. */
Test(cli_plot, on_a_device)
{
    replace_gnuplot(KEEP_COMMANDS);
    RUN("inspect", PHOTO, "--plot", "p.png", "--quiet");
    expect_status(0);
    expect_command("\n0 87.550");
    expect_command("64 of 64 units active");
}
