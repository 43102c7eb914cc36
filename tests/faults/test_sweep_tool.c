/* Every OpenCL call of the tool fails once: it ends with status 2 and one line that says why, or
 * with the right result; an output file is whole or not there; nothing is left behind. The layer is
 * told by the environment what to do, and appends what it has done to a file. */
#include "cli/support.h"

#include "layer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_CALLS = 400 };

#define REPORT ".report"

/* What the layer says after a run. */
struct report {
    unsigned calls, injected;
    char call[64];
    int live;
};

static void make(void)
{
    scratch_make();
    setenv("OPENCL_LAYERS", FAULTS_LAYER, 1);
    setenv("FAULTS_REPORT", REPORT, 1);
    F32("p.npy", SHAPE(2, 4), 1, 0, 0, 0, 2, 0, 0, 0);
}

TestSuite(faults_tool, .init = make, .fini = scratch_remove, .timeout = 600);

/* Runs the tool while the call number `nth` fails, if not 0. */
static struct report run_with(unsigned nth, const char *const *words)
{
    struct report report = {0};
    char number[16];
    snprintf(number, sizeof number, "%u", nth);
    setenv("FAULTS_AT", number, 1);
    remove("kl.npy");
    remove("g.p_moments.npy");
    run_words(words);
    FILE *file = fopen(REPORT, "r");
    cr_assert_not_null(file, "the tool ran without the layer; it said: %s", run.err);
    cr_assert_eq(fscanf(file, "calls %u injected %u into %63s live %d", &report.calls,
                        &report.injected, report.call, &report.live),
                 4);
    fclose(file);
    remove(REPORT);
    return report;
}

/* Nothing done, and one line that says so. */
static void expect_failure(const struct report *report, unsigned nth)
{
    const char *end = strchr(run.err, '\n');
    cr_expect_eq(run.status, 2, "call %u, %s: status %d", nth, report->call, run.status);
    cr_expect(strncmp(run.err, "clkl: ", 6) == 0 && end != NULL && end[1] == '\0',
              "call %u, %s: expected one line: %s", nth, report->call, run.err);
    cr_expect_str_eq(run.out, "", "call %u, %s", nth, report->call);
    cr_expect(access("kl.npy", F_OK) != 0 && access("g.p_moments.npy", F_OK) != 0,
              "call %u, %s: there is a file", nth, report->call);
    cr_expect(strstr(run.err, report->call) != NULL || strstr(run.err, "device") != NULL,
              "call %u, %s: the reason is missing: %s", nth, report->call, run.err);
}

/* Lets one call after the other fail until none is left; `check` looks at what was done if
 * something was. */
static void sweep(const char *const *words, void (*check)(void))
{
    const struct report whole = run_with(0, words);
    unsigned failures = 0;
    expect_status(0);
    check();
    cr_assert_gt(whole.calls, 20u);
    cr_assert_lt(whole.calls, (unsigned)MOST_CALLS);
    for (unsigned nth = 1; nth <= whole.calls; ++nth) {
        const struct report report = run_with(nth, words);
        if (report.injected == 0)
            continue; /* a release: it cannot fail */
        cr_expect_eq(report.live, 0, "call %u, %s: %d references are left", nth, report.call,
                     report.live);
        if (run.status == 0) {
            check();
            continue;
        }
        ++failures;
        expect_failure(&report, nth);
    }
    cr_expect_gt(failures, 0u, "no failure was seen");
}

static void check_values(void)
{
    static const double values[2] = {0.5, 2};
    cr_expect_str_eq(run.out, "sample,kl\n0,0.5\n1,2\n");
    expect_npy("kl.npy", "float32", 1, 2, values);
}

Test(faults_tool, kl)
{
    sweep((const char *const[]){"kl", "p.npy", "--csv", "--out", "kl.npy", NULL}, check_values);
}

static void check_rows(void)
{
    expect_out("\nkl,0,1.25\nvariance,0,0.25\nactive,0,1\n");
    expect_out("\nkl,1,0\n");
}

/* Several runs on one engine. Its calls are those of kl, more often: one implementation will do. */
Test(faults_tool, inspect)
{
    if (getenv("RUSTICL_ENABLE") != NULL)
        cr_skip("on PoCL alone, for the time that it takes");
    sweep((const char *const[]){"inspect", "p.npy", "--csv", NULL}, check_rows);
}

static void check_gradients(void)
{
    static const double values[2] = {0.5, 2}, gradients[8] = {1, 0, 0, 0, 2, 0, 0, 0};
    expect_npy("kl.npy", "float32", 1, 2, values);
    expect_npy("g.p_moments.npy", "float32", 2, 8, gradients);
}

/* Two files, of which there are both or none. */
Test(faults_tool, grad)
{
    if (getenv("RUSTICL_ENABLE") != NULL)
        cr_skip("on PoCL alone, for the time that it takes");
    sweep(
        (const char *const[]){"grad", "p.npy", "--quiet", "--out", "g", "--value", "kl.npy", NULL},
        check_gradients);
}

static void check_list(void)
{
    json_decref(run_json());
}

Test(faults_tool, devices)
{
    sweep((const char *const[]){"devices", "--json", NULL}, check_list);
}
