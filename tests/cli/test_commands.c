/* The commands themselves: usage, help, version, devices, and PoCL's cache. */
#include "support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(cli_commands, .init = scratch_make, .fini = scratch_remove, .timeout = 300);

Test(cli_commands, usage)
{
    static char bare[sizeof run.out];
    run_words((const char *const[]){NULL});
    expect_status(0);
    expect_out("clkl kl P.npy [Q.npy]");
    expect_out("clkl inspect P.npy [Q.npy]");
    expect_out("clkl devices");
    unsigned lines = 0;
    for (const char *c = run.out; *c != '\0'; c++)
        lines += *c == '\n';
    cr_expect_leq(lines, 10);
    memcpy(bare, run.out, sizeof bare);
    RUN("--help");
    cr_expect_str_eq(run.out, bare);
}

Test(cli_commands, unknown)
{
    RUN("kl2");
    expect_refusal("'kl2' is no command; expected kl, grad, inspect or devices");
    RUN("moments.npy");
    expect_refusal(
        "'moments.npy' is no command; expected kl, grad, inspect or devices, e.g. clkl kl "
        "moments.npy");
    RUN("--bogus");
    expect_refusal("'--bogus' is no command");
    RUN("devices", "3");
    expect_refusal("unexpected argument '3'");
    RUN("devices", "--all");
    expect_refusal("unknown option --all; clkl devices --help");
    RUN("devices", "--device", "cpu", "--device", "gpu");
    expect_refusal("option --device is given twice");
}

Test(cli_commands, help_and_version)
{
    static const char *const options[] = {
        "--moments",   "--mean",       "--logvar",   "--logstd",   "--var",           "--std",
        "--q-moments", "--q-mean",     "--q-logvar", "--q-logstd", "--q-var",         "--q-std",
        "--keep",      "--batch",      "--clamp",    "--no-clamp", "--deterministic", "--device",
        "--compute",   "--out",        "--json",     "--csv",      "--quiet",         "--version",
        "--help",      "--split-axis", "--bf16"};
    RUN("kl", "--help");
    expect_status(0);
    for (unsigned i = 0; i < sizeof options / sizeof options[0]; i++)
        expect_out(options[i]);
    expect_out("Usage: clkl kl [OPTION...] P.npy [Q.npy]");
    expect_out("below 0.01 nats");
    RUN("inspect", "--help");
    expect_out("Usage: clkl inspect [OPTION...] P.npy [Q.npy]");
    static const char *const own[] = {"--per", "--channel-axis", "--threshold", "--fence",
                                      "--plot"};
    for (unsigned i = 0; i < sizeof own / sizeof own[0]; i++)
        expect_out(own[i]);
    cr_expect_null(strstr(run.out, "--deterministic"));
    RUN("devices", "--help");
    expect_out("Usage: clkl devices [OPTION...]");
    static const char *const places[][2] = {{"--version", NULL},
                                            {"kl", "--version"},
                                            {"inspect", "--version"},
                                            {"devices", "--version"}};
    for (unsigned i = 0; i < sizeof places / sizeof places[0]; i++) {
        RUN(places[i][0], places[i][1]);
        expect_status(0);
        unsigned part = 0;
        char end = 0;
        cr_expect_eq(sscanf(run.out, "clkl %u.%u.%u%c", &part, &part, &part, &end), 4, "%s",
                     run.out);
        cr_expect_eq(end, '\n');
    }
}

/* The table and the JSON tell the same; one device is chosen, the one that kl says it used. */
Test(cli_commands, devices)
{
    RUN("devices", "--json");
    expect_status(0);
    json_t *root = run_json();
    cr_expect_str_eq(json_string_value(json_object_get(root, "schema")), "clkl-devices-1");
    json_t *devices = json_object_get(root, "devices");
    if (json_array_size(devices) == 0)
        cr_skip("there is no OpenCL device");
    RUN("devices");
    expect_status(0);
    size_t i = 0, chosen = 0;
    json_t *device = NULL;
    json_array_foreach(devices, i, device)
    {
        const char *name = NULL, *platform = NULL, *type = NULL, *reason = NULL, *version = NULL;
        int is_chosen = 0, usable = 0, fp64 = 0;
        json_int_t index = -1, units = 0, memory = 0;
        cr_assert_eq(json_unpack(device, "{s:I, s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:b, s:b, s:b}",
                                 "index", &index, "name", &name, "platform", &platform, "type",
                                 &type, "version", &version, "reason", &reason, "compute_units",
                                 &units, "global_memory", &memory, "fp64", &fp64, "usable", &usable,
                                 "chosen", &is_chosen),
                     0);
        cr_expect_eq(index, (json_int_t)i);
        cr_expect_gt(memory, 0);
        cr_expect(strlen(reason) > 0, "%s is given no reason", name);
        expect_out(name);
        expect_out(platform);
        expect_out(reason);
        chosen += (size_t)is_chosen;
    }
    cr_expect_leq(chosen, 1);
    expect_out(chosen == 1 ? "* would be used" : "none of them would be used");
    json_decref(root);
    RUN("devices", "--device", "no such device");
    expect_status(0);
    expect_out("does not match \"no such device\"");
    expect_out("none of them would be used");
}

/* No platform at all is no error: it says how to get one, and kl computes all the same. */
Test(cli_commands, no_platform)
{
    cr_assert_eq(mkdir("vendors", 0700), 0);
    setenv("OCL_ICD_VENDORS", "vendors", 1);
    unsetenv("CLKL_DEVICE");
    RUN("devices");
    expect_status(0);
    expect_out("apt-get install pocl-opencl-icd");
    RUN("devices", "--json");
    expect_status(0);
    json_t *root = run_json();
    cr_expect_eq(json_array_size(json_object_get(root, "devices")), 0);
    json_decref(root);
    F32("p.npy", SHAPE(1, 2), 1, 0);
    RUN("kl", "p.npy", "--csv");
    expect_status(0);
    cr_expect_str_eq(run.out, "sample,kl\n0,0.5\n");
    RUN("kl", "p.npy");
    expect_out(
        "device        reference (plain C: no OpenCL device is usable, see clkl devices), f32");
    RUN("kl", "p.npy", "--device", "cpu", "--csv");
    expect_refusal("--device cpu: ");
    expect_err("apt-get install pocl-opencl-icd");
}

static bool is_private_folder(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && (status.st_mode & 0777) == 0700;
}

/* Homes that are not there are not used; PoCL's folder is made private where there is one. */
static void use_home(const char *cache, const char *home)
{
    char path[4096], here[2048];
    cr_assert_not_null(getcwd(here, sizeof here));
    unsetenv("POCL_CACHE_DIR");
    unsetenv("CLKL_DEVICE");
    unsetenv("XDG_CACHE_HOME");
    unsetenv("HOME");
    setenv("TMPDIR", here, 1);
    snprintf(path, sizeof path, "%s/%s", here, cache != NULL ? cache : "");
    if (cache != NULL)
        setenv("XDG_CACHE_HOME", path, 1);
    snprintf(path, sizeof path, "%s/%s", here, home != NULL ? home : "");
    if (home != NULL)
        setenv("HOME", path, 1);
}

Test(cli_commands, cache_in_home)
{
    cr_assert_eq(mkdir("home", 0700), 0);
    use_home(NULL, "home");
    RUN("devices");
    expect_status(0);
    cr_expect(is_private_folder("home/.cache/clkl/pocl"));
    use_home("xdg", "home");
    RUN("devices");
    cr_expect(is_private_folder("xdg/clkl/pocl"));
    cr_expect_eq(scratch_count(), 2);
}

/* Without a home, or with a folder that others can write to: one of its own that is gone after. */
Test(cli_commands, cache_elsewhere)
{
    use_home(NULL, NULL);
    RUN("devices");
    expect_status(0);
    cr_expect_eq(scratch_count(), 0);
    cr_assert_eq(mkdir("xdg", 0700), 0);
    cr_assert_eq(mkdir("xdg/clkl", 0700), 0);
    cr_assert_eq(chmod("xdg/clkl", 0777), 0);
    use_home("xdg", NULL);
    RUN("devices");
    cr_expect_neq(access("xdg/clkl/pocl", F_OK), 0);
}

/* A link in the place of the folder leads who knows where: PoCL, which makes a file at once, is not
 * sent there. */
Test(cli_commands, cache_behind_a_link)
{
    cr_assert_eq(mkdir("xdg", 0700), 0);
    cr_assert_eq(mkdir("xdg/clkl", 0700), 0);
    cr_assert_eq(mkdir("elsewhere", 0700), 0);
    cr_assert_eq(symlink("../../elsewhere", "xdg/clkl/pocl"), 0);
    use_home("xdg", NULL);
    RUN("devices");
    expect_status(0);
    cr_expect_eq(rmdir("elsewhere"), 0, "something was written there");
    cr_expect_eq(scratch_count(), 1);
}

/* The reference touches no cache. */
Test(cli_commands, cache_of_the_reference)
{
    cr_assert_eq(mkdir("home", 0700), 0);
    use_home(NULL, "home");
    F32("p.npy", SHAPE(1, 2), 1, 0);
    KL("p.npy");
    expect_status(0);
    cr_expect_neq(access("home/.cache", F_OK), 0);
}

/* A POCL_CACHE_DIR of the user's stays. */
Test(cli_commands, cache_of_the_user)
{
    cr_assert_eq(mkdir("home", 0700), 0);
    use_home(NULL, "home");
    setenv("POCL_CACHE_DIR", "mine", 1);
    RUN("devices");
    expect_status(0);
    cr_expect_neq(access("home/.cache", F_OK), 0);
}
