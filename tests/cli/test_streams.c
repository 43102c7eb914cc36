/* Standard streams and output files: pipes, full disks, closed descriptors, things in the way. */
#include "support.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void make(void)
{
    scratch_make();
    F32("p.npy", SHAPE(2, 2), 1, 0, 2, 0);
}

TestSuite(cli_streams, .init = make, .fini = scratch_remove, .timeout = 60);

static const double values[2] = {0.5, 2};

Test(cli_streams, standard_input)
{
    run_input = "p.npy";
    KL("-", "--csv");
    cr_expect_str_eq(run.out, "sample,kl\n0,0.5\n1,2\n");
    KL("p.npy", "--q-moments", "-", "--csv");
    cr_expect_str_eq(run.out, "sample,kl\n0,0\n1,0\n");
    run_input = "closed";
    KL("-");
    expect_refusal("standard input: cannot be read");
}

/* A pipe as standard input. */
Test(cli_streams, piped_input)
{
    cr_assert_eq(mkfifo("pipe", 0600), 0);
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", "cat p.npy > pipe", (char *)NULL);
        _exit(99);
    }
    run_input = "pipe";
    KL("-", "--csv");
    cr_expect_str_eq(run.out, "sample,kl\n0,0.5\n1,2\n");
    cr_assert_eq(waitpid(child, NULL, 0), child);
}

/* Each report to a place that cannot take it: and then there is no --out file either. */
static void expect_unwritable(const char *says)
{
    static const char *const reports[] = {"--json", "--csv", "--keep=0"};
    for (unsigned i = 0; i < 3; i++) {
        KL("p.npy", reports[i], "--out", "kl.npy");
        expect_refusal(says);
        cr_expect_eq(scratch_count(), 1, "a file appeared");
    }
}

Test(cli_streams, full_disk)
{
    run_output = "/dev/full";
    expect_unwritable("standard output: cannot be written: No space left on device");
    RUN("devices");
    expect_refusal("standard output: cannot be written: No space left on device");
    RUN("kl", "--help");
    expect_refusal("standard output: cannot be written: No space left on device");
    RUN("--version");
    expect_refusal("standard output: cannot be written: No space left on device");
    RUN("--help");
    expect_refusal("standard output: cannot be written: No space left on device");
}

Test(cli_streams, broken_pipe)
{
    run_output = "broken pipe";
    expect_unwritable("standard output: cannot be written: Broken pipe");
}

/* The output file must not become descriptor 1. */
Test(cli_streams, closed_output)
{
    run_output = "closed";
    expect_unwritable("standard output: cannot be written: Bad file descriptor");
    KL("p.npy", "--quiet", "--out", "kl.npy");
    expect_status(0);
    expect_npy("kl.npy", "float32", 1, 2, values);
}

/* What is long fails while it is being written, not only at the end. */
Test(cli_streams, long_output)
{
    run_output = "/dev/full";
    KL(PHOTO, "--csv");
    expect_refusal("standard output: cannot be written: No space left on device");
    KL(PHOTO, "--json");
    expect_refusal("standard output: cannot be written: No space left on device");
}

Test(cli_streams, out_on_a_full_disk)
{
    KL("p.npy", "--out", "/dev/full");
    expect_refusal("/dev/full: cannot be written: No space left on device");
    KL("p.npy", "--out", "/dev/full", "--json");
    expect_refusal("/dev/full: cannot be written: No space left on device");
}

Test(cli_streams, out_in_the_way)
{
    cr_assert_eq(mkdir("folder", 0700), 0);
    KL("p.npy", "--out", "folder");
    expect_refusal("folder: cannot be written: Is a directory");
    KL("p.npy", "--out", "missing/kl.npy");
    expect_refusal("missing/kl.npy: cannot be written: ");
    KL("p.npy", "--out", "-");
    expect_refusal("--out -: expected the name of a file; standard output is /dev/stdout");
    cr_expect_eq(scratch_count(), 2);
}

/* A file that is there stays as it is when something fails, and is replaced when nothing does. */
Test(cli_streams, out_replaces)
{
    put_text("kl.npy", "old");
    KL("p.npy", "missing.npy", "--out", "kl.npy");
    expect_status(2);
    run_input = "kl.npy";
    KL("-", "--out", "kl.npy");
    expect_refusal("standard input: not a .npy file");
    run_input = NULL;
    KL("p.npy", "--out", "kl.npy");
    expect_npy("kl.npy", "float32", 1, 2, values);
    KL("p.npy", "--out", "p.npy");
    expect_npy("p.npy", "float32", 1, 2, values);
    cr_expect_eq(scratch_count(), 2);
}

/* Standard output itself, as a file and as a pipe, alone and where a report would mix in. */
Test(cli_streams, out_to_standard_output)
{
    run_output = "copy.npy";
    KL("p.npy", "--quiet", "--out", "/dev/stdout");
    expect_status(0);
    expect_npy("copy.npy", "float32", 1, 2, values);
    KL("p.npy", "--out", "/dev/stdout");
    expect_refusal("--out /dev/stdout: this is where standard output goes");
    KL("p.npy", "--csv", "--out", "copy.npy");
    expect_refusal("--out copy.npy: this is where standard output goes");
    run_output = "/dev/null";
    KL("p.npy", "--out", "/dev/null");
    expect_status(0);
}

Test(cli_streams, out_to_a_pipe)
{
    cr_assert_eq(mkfifo("pipe", 0600), 0);
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", "cat pipe > copy.npy", (char *)NULL);
        _exit(99);
    }
    KL("p.npy", "--out", "pipe");
    expect_status(0);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    expect_npy("copy.npy", "float32", 1, 2, values);
    struct stat status;
    cr_assert_eq(stat("pipe", &status), 0);
    cr_expect(S_ISFIFO(status.st_mode), "the pipe was replaced");
}

/* Somebody without the rights. */
Test(cli_streams, out_without_rights)
{
    cr_assert_eq(mkdir("locked", 0500), 0);
    cr_assert_eq(chmod(".", 0755), 0);
    cr_assert_eq(chmod("p.npy", 0644), 0);
    if (!nobody_can_run())
        cr_skip("only root can run the tool here");
    run_as_nobody = true;
    KL("p.npy", "--out", "locked/kl.npy");
    expect_refusal("locked/kl.npy: cannot be written: ");
}
