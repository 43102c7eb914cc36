/* Outputs appear whole or not at all. */
#define _XOPEN_SOURCE 700

#include "output.h"
#include "support.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(output, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

static struct io_error error;

static struct output *open_and_write(const char *path, const char *text)
{
    struct output *output = output_open(path, &error);
    cr_assert_not_null(output, "%s", error.text);
    cr_assert_geq(fputs(text, output_stream(output)), 0);
    return output;
}

static void write_output(const char *path, const char *text)
{
    cr_assert(output_commit(open_and_write(path, text), &error), "%s", error.text);
}

static void refuse_output(const char *path, const char *says)
{
    cr_expect_null(output_open(path, &error), "expected: %s", says);
    cr_expect_not_null(strstr(error.text, says), "%s\n  not: %s", error.text, says);
}

static mode_t mode_of(const char *path)
{
    struct stat status;
    cr_assert_eq(stat(path, &status), 0, "%s", path);
    return status.st_mode & 07777;
}

/* Root may do anything, so that nothing of permissions can be seen. */
static void give_up_root(void)
{
    if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
        _exit(77);
}

Test(output, new_file_appears_at_the_end)
{
    struct output *output = open_and_write(scratch("kl.npy"), "whole");
    fflush(output_stream(output));
    cr_expect_neq(access(scratch("kl.npy"), F_OK), 0);
    cr_expect(output_commit(output, &error));
    cr_expect(file_is(scratch("kl.npy"), "whole"));
    cr_expect_eq(scratch_count(), 1);
}

Test(output, old_file_stays_until_the_end)
{
    put_file(scratch("kl.npy"), "old and longer", 14);
    struct output *output = open_and_write(scratch("kl.npy"), "new");
    fflush(output_stream(output));
    cr_expect(file_is(scratch("kl.npy"), "old and longer"));
    cr_expect(output_commit(output, &error));
    cr_expect(file_is(scratch("kl.npy"), "new"));
    cr_expect_eq(scratch_count(), 1);
}

Test(output, abandoned)
{
    output_abandon(NULL);
    output_abandon(open_and_write(scratch("new"), "text"));
    cr_expect_eq(scratch_count(), 0);
    put_file(scratch("old"), "old", 3);
    output_abandon(open_and_write(scratch("old"), "text"));
    cr_expect(file_is(scratch("old"), "old"));
    cr_expect_eq(scratch_count(), 1);
}

Test(output, relative_path)
{
    cr_assert_eq(chdir(scratch("")), 0);
    write_output("kl.npy", "text");
    write_output("-", "a file of that name");
    cr_expect(file_is(scratch("kl.npy"), "text"));
    cr_expect(file_is(scratch("-"), "a file of that name"));
    cr_expect_eq(scratch_count(), 2);
}

Test(output, permissions)
{
    umask(027);
    write_output(scratch("new"), "text");
    cr_expect_eq(mode_of(scratch("new")), 0640);
    put_file(scratch("old"), "old", 3);
    chmod(scratch("old"), 0606);
    write_output(scratch("old"), "text");
    cr_expect_eq(mode_of(scratch("old")), 0606);
}

Test(output, two_at_a_time)
{
    struct output *a = open_and_write(scratch("f"), "a"), *b = open_and_write(scratch("f"), "b");
    cr_expect(output_commit(b, &error));
    cr_expect(output_commit(a, &error));
    cr_expect(file_is(scratch("f"), "a"));
    cr_expect_eq(scratch_count(), 1);
}

static bool is_link(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

Test(output, links_stay_and_their_targets_are_replaced)
{
    cr_assert_eq(mkdir(scratch("sub"), 0777), 0);
    put_file(scratch("sub/target"), "old", 3);
    cr_assert_eq(symlink("target", scratch("sub/relative")), 0);
    cr_assert_eq(symlink(scratch("sub/relative"), scratch("absolute")), 0);
    write_output(scratch("absolute"), "new");
    cr_expect(is_link(scratch("absolute")));
    cr_expect(is_link(scratch("sub/relative")));
    cr_expect_not(is_link(scratch("sub/target")));
    cr_expect(file_is(scratch("sub/target"), "new"));
}

Test(output, dangling_link_gets_its_target)
{
    cr_assert_eq(mkdir(scratch("sub"), 0777), 0);
    cr_assert_eq(symlink("sub/target", scratch("link")), 0);
    write_output(scratch("link"), "new");
    cr_expect(is_link(scratch("link")));
    cr_expect(file_is(scratch("sub/target"), "new"));
}

Test(output, bad_links)
{
    cr_assert_eq(symlink("b", scratch("a")), 0);
    cr_assert_eq(symlink("a", scratch("b")), 0);
    refuse_output(scratch("a"), "cannot be written: Too many levels of symbolic links");
    cr_assert_eq(symlink(".", scratch("here")), 0);
    refuse_output(scratch("here"), "cannot be written: Is a directory");
    cr_assert_eq(symlink("none/file", scratch("nowhere")), 0);
    refuse_output(scratch("nowhere"), "No such file or directory");
}

Test(output, places_where_no_file_can_be)
{
    refuse_output(scratch(""), "cannot be written: Is a directory");
    refuse_output(scratch("none/kl.npy"),
                  "cannot be written: no file can be made in its directory: No such file");
    refuse_output(scratch("none/"), "cannot be written: No such file or directory");
    refuse_output("", "cannot be written: No such file or directory");
    put_file(scratch("file"), "x", 1);
    refuse_output(scratch("file/kl.npy"), "cannot be written: Not a directory");
    cr_expect_eq(scratch_count(), 1);
}

static bool is_refused(const char *path, const char *says)
{
    return output_open(path, &error) == NULL && strstr(error.text, says) != NULL;
}

/* In a child, since the fixture has to remove the files with all its rights. */
Test(output, forbidden_places)
{
    int status = -1;
    cr_assert_eq(mkdir(scratch("closed"), 0777), 0);
    put_file(scratch("closed/old"), "old", 3);
    put_file(scratch("read-only"), "old", 3);
    chmod(scratch("closed/old"), 0666);
    chmod(scratch("read-only"), 0444);
    chmod(scratch("closed"), 0555);
    pid_t child = fork();
    if (child == 0) {
        give_up_root();
        if (!is_refused(scratch("closed/new"), "no file can be made in its directory: Permission"))
            _exit(1);
        if (!is_refused(scratch("closed/old"), "no file can be made in its directory: Permission"))
            _exit(2);
        if (!is_refused(scratch("read-only"), "read-only: cannot be written: Permission denied"))
            _exit(3);
        _exit(0);
    }
    waitpid(child, &status, 0);
    cr_expect_eq(status, 0, "case %d", WEXITSTATUS(status));
    chmod(scratch("closed"), 0777);
    cr_expect(file_is(scratch("closed/old"), "old"));
    cr_expect(file_is(scratch("read-only"), "old"));
}

Test(output, longest_name)
{
    char name[NAME_MAX + 2];
    memset(name, 'n', sizeof name);
    name[NAME_MAX] = '\0';
    write_output(scratch(name), "text");
    cr_expect(file_is(scratch(name), "text"));
    strcpy(name + NAME_MAX, "n");
    refuse_output(scratch(name), "cannot be written: File name too long");
}

Test(output, failed_write_leaves_the_old_file)
{
    const struct rlimit small = {1000, RLIM_INFINITY};
    char text[4001];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    put_file(scratch("kl.npy"), "old", 3);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    struct output *output = open_and_write(scratch("kl.npy"), text);
    cr_expect_not(output_commit(output, &error));
    cr_expect_not_null(strstr(error.text, "kl.npy: cannot be written: File too large"), "%s",
                       error.text);
    cr_expect(file_is(scratch("kl.npy"), "old"));
    cr_expect_eq(scratch_count(), 1);
}

/* The caller has not looked, and what follows can be written. */
Test(output, earlier_failure_is_not_forgotten)
{
    const struct rlimit small = {1000, RLIM_INFINITY}, large = {1000000, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    struct output *output = output_open(scratch("kl.npy"), &error);
    cr_assert_not_null(output);
    setvbuf(output_stream(output), NULL, _IONBF, 0);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    for (unsigned i = 0; i < 2000; i++)
        putc('x', output_stream(output));
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &large), 0);
    putc('x', output_stream(output));
    cr_expect_not(output_commit(output, &error));
    cr_expect_not_null(strstr(error.text, "cannot be written: Input/output error"), "%s",
                       error.text);
    cr_expect_eq(scratch_count(), 0);
}

Test(output, target_that_becomes_a_directory)
{
    struct output *output = open_and_write(scratch("kl.npy"), "text");
    cr_assert_eq(mkdir(scratch("kl.npy"), 0777), 0);
    cr_expect_not(output_commit(output, &error));
    cr_expect_not_null(strstr(error.text, "cannot be written: Is a directory"), "%s", error.text);
    cr_expect_eq(scratch_count(), 1);
}

/* Without root's rights, lest a broken program replace the device. */
Test(output, full_device)
{
    bool root = geteuid() == 0;
    cr_assert(!root || seteuid(65534) == 0);
    struct output *output = open_and_write("/dev/full", "text");
    cr_expect_not(output_commit(output, &error));
    cr_expect_str_eq(error.text, "/dev/full: cannot be written: No space left on device");
    cr_assert(!root || seteuid(0) == 0); /* the fixture needs them */
}

Test(output, fifo)
{
    int status = -1;
    cr_assert_eq(mkfifo(scratch("fifo"), 0600), 0);
    pid_t child = fork();
    if (child == 0)
        _exit(!file_is(scratch("fifo"), "through"));
    write_output(scratch("fifo"), "through");
    waitpid(child, &status, 0);
    cr_expect_eq(status, 0);
    cr_expect_eq(scratch_count(), 1);
}

Test(output, closed_pipe)
{
    int ends[2];
    char path[32];
    signal(SIGPIPE, SIG_IGN);
    cr_assert_eq(pipe(ends), 0);
    snprintf(path, sizeof path, "/dev/fd/%d", ends[1]);
    close(ends[0]);
    cr_expect_not(output_commit(open_and_write(path, "text"), &error));
    cr_expect_not_null(strstr(error.text, "cannot be written: Broken pipe"), "%s", error.text);
}

/* As in `{ echo before; clkl --out /dev/stdout; echo after; } > file`. */
Test(output, inherited_descriptor_of_a_file)
{
    char path[32];
    int file = open(scratch("f"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(write(file, "before ", 7), 7);
    snprintf(path, sizeof path, "/dev/fd/%d", file);
    write_output(path, "text");
    cr_assert_eq(write(file, " after", 6), 6);
    cr_expect(file_is(scratch("f"), "before text after"));
    cr_assert_eq(symlink(path, scratch("link")), 0);
    write_output(scratch("link"), ", by a link");
    cr_expect(file_is(scratch("f"), "before text after, by a link"));
    close(file);
    refuse_output(path, "cannot be written: Bad file descriptor");
}

/* By a link of the test's own that is what /dev/stdout is: a broken program run by root would put a
 * file in the place of the real one. */
Test(output, standard_output)
{
    int file = open(scratch("f"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
    cr_assert_eq(dup2(file, STDOUT_FILENO), STDOUT_FILENO);
    cr_assert_eq(symlink("/proc/self/fd/1", scratch("stdout")), 0);
    cr_assert_eq(write(STDOUT_FILENO, "a", 1), 1);
    write_output(scratch("stdout"), "b");
    cr_assert_eq(write(STDOUT_FILENO, "c", 1), 1);
    cr_expect(file_is(scratch("f"), "abc"));
    cr_expect_eq(scratch_count(), 2);
}

/* ---- Several at once ---- */

/* Opens and fills first, second and third, of which the second is there already. */
static void open_three(struct output **outputs)
{
    put_file(scratch("second"), "old", 3);
    outputs[0] = open_and_write(scratch("first"), "1");
    outputs[1] = open_and_write(scratch("second"), "2");
    outputs[2] = open_and_write(scratch("third"), "3");
}

Test(output, several_appear)
{
    struct output *outputs[3];
    open_three(outputs);
    cr_expect(output_commit_all(outputs, 3, &error), "%s", error.text);
    cr_expect(file_is(scratch("first"), "1"));
    cr_expect(file_is(scratch("second"), "2"));
    cr_expect(file_is(scratch("third"), "3"));
    cr_expect_eq(scratch_count(), 3);
}

/* The last one meets a directory by the time that it is to appear. */
Test(output, several_are_taken_back)
{
    struct output *outputs[3];
    open_three(outputs);
    cr_assert_eq(mkdir(scratch("third"), 0700), 0);
    cr_expect_not(output_commit_all(outputs, 3, &error));
    cr_expect_not_null(strstr(error.text, "third: cannot be written"), "%s", error.text);
    cr_expect_neq(access(scratch("first"), F_OK), 0);
    cr_expect(file_is(scratch("second"), "old"));
    cr_expect_eq(scratch_count(), 2);
}

/* None appears before all are complete. */
Test(output, several_wait_for_a_full_disk)
{
    struct output *outputs[3];
    open_three(outputs);
    output_abandon(outputs[2]);
    outputs[2] = open_and_write("/dev/full", "3");
    cr_expect_not(output_commit_all(outputs, 3, &error));
    cr_expect_neq(access(scratch("first"), F_OK), 0);
    cr_expect(file_is(scratch("second"), "old"));
    cr_expect_eq(scratch_count(), 1);
}

Test(output, leaves_no_descriptor_open)
{
    int before = dup(STDIN_FILENO);
    close(before);
    write_output(scratch("f"), "text");
    cr_assert_eq(symlink("/proc/self/fd/2", scratch("stderr")), 0);
    write_output(scratch("stderr"), "");
    output_abandon(open_and_write(scratch("g"), "text"));
    output_open(scratch(""), &error);
    output_open(scratch("none/f"), &error);
    int after = dup(STDIN_FILENO);
    cr_expect_eq(before, after);
    close(after);
}
