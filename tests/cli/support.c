#include "support.h"

#include "io/npy.h"
#include "io/output.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define OUT_FILE ".out"
#define ERR_FILE ".err"

struct run run;
const char *run_input, *run_output;
bool run_as_nobody;

enum { NOBODY = 65534 };

static char directory[512];

void scratch_make(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/clkl-cli-XXXXXX", parent != NULL ? parent : "/tmp");
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chdir(directory), 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

void scratch_remove(void)
{
    cr_assert_eq(chdir("/"), 0);
    nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

unsigned scratch_count(void)
{
    static const char *const own[] = {".", "..", OUT_FILE, ERR_FILE};
    unsigned count = 0;
    DIR *listing = opendir(".");
    cr_assert_not_null(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        bool known = false;
        for (unsigned i = 0; i < sizeof own / sizeof own[0]; i++)
            known = known || strcmp(entry->d_name, own[i]) == 0;
        count += !known;
    }
    closedir(listing);
    return count;
}

/* In the child: makes `descriptor` what the name says. */
static void redirect(int descriptor, const char *name, int flags)
{
    int ends[2];
    int from = -1;
    if (strcmp(name, "closed") == 0) {
        close(descriptor);
        return;
    }
    if (strcmp(name, "broken pipe") == 0) {
        if (pipe(ends) != 0 || close(ends[0]) != 0)
            _exit(99);
        from = ends[1];
    } else {
        from = open(name, flags, 0600);
    }
    if (from < 0 || dup2(from, descriptor) != descriptor)
        _exit(99);
}

static void start(const char *const *words)
{
    const char *all[32] = {CLKL_TOOL};
    for (unsigned i = 0; words[i] != NULL; i++)
        all[i + 1] = words[i];
    redirect(STDIN_FILENO, run_input != NULL ? run_input : "/dev/null", O_RDONLY);
    redirect(STDERR_FILENO, ERR_FILE, O_WRONLY | O_CREAT | O_TRUNC);
    redirect(STDOUT_FILENO, run_output != NULL ? run_output : OUT_FILE,
             O_WRONLY | O_CREAT | O_TRUNC);
    if (run_as_nobody && geteuid() == 0 && setuid(NOBODY) != 0)
        _exit(99);
    execv(CLKL_TOOL, (char *const *)all);
    _exit(98);
}

static void read_back(const char *name, char *text, size_t room)
{
    FILE *file = fopen(name, "rb");
    size_t size = file != NULL ? fread(text, 1, room - 1, file) : 0;
    text[size] = '\0';
    if (file != NULL)
        fclose(file);
}

bool nobody_can_run(void)
{
    const bool root = geteuid() == 0;
    if (root && seteuid(NOBODY) != 0)
        return false;
    const bool startable = faccessat(AT_FDCWD, CLKL_TOOL, X_OK, AT_EACCESS) == 0;
    return (!root || seteuid(0) == 0) && startable;
}

void run_words(const char *const *words)
{
    int status = 0;
    remove(OUT_FILE);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0)
        start(words);
    cr_assert_eq(waitpid(child, &status, 0), child);
    run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    cr_assert(run.status < 98, "the tool could not be started: " CLKL_TOOL);
    read_back(OUT_FILE, run.out, sizeof run.out);
    read_back(ERR_FILE, run.err, sizeof run.err);
}

void expect_status(int status)
{
    cr_expect_eq(run.status, status, "status is %d, expected %d; it said: %s%s", run.status, status,
                 run.err, run.out);
}

void expect_out(const char *says)
{
    cr_expect_not_null(strstr(run.out, says), "expected on standard output: %s\nfound: %s%s", says,
                       run.out, run.err);
}

void expect_err(const char *says)
{
    cr_expect_not_null(strstr(run.err, says), "expected on standard error: %s\nfound: %s", says,
                       run.err);
}

void expect_refusal(const char *says)
{
    const char *end = strchr(run.err, '\n');
    expect_status(2);
    expect_err(says);
    cr_expect_eq(strncmp(run.err, "clkl: ", 6), 0, "%s", run.err);
    cr_expect(end != NULL && end[1] == '\0', "expected one line: %s", run.err);
    cr_expect_str_eq(run.out, "");
}

json_t *run_json(void)
{
    json_error_t error;
    json_t *root = json_loads(run.out, 0, &error);
    cr_assert_not_null(root, "%s in: %s%s", error.text, run.out, run.err);
    return root;
}

static void put_npy(const char *name, enum npy_type type, const void *values, size_t size,
                    const uint64_t *shape)
{
    struct npy array = {.type = type, .count = 1};
    struct io_error error;
    for (; shape[array.rank] != 0; array.rank++) {
        array.shape[array.rank] = shape[array.rank];
        array.count *= shape[array.rank];
    }
    array.data = malloc(array.count * size);
    cr_assert_not_null(array.data);
    memcpy(array.data, values, array.count * size);
    struct output *output = output_open(name, &error);
    cr_assert_not_null(output, "%s", error.text);
    cr_assert(npy_write(output_stream(output), name, &array, &error), "%s", error.text);
    cr_assert(output_commit(output, &error), "%s", error.text);
    free(array.data);
}

void put_f32(const char *name, const float *values, const uint64_t *shape)
{
    put_npy(name, NPY_FLOAT32, values, sizeof *values, shape);
}

void put_f64(const char *name, const double *values, const uint64_t *shape)
{
    put_npy(name, NPY_FLOAT64, values, sizeof *values, shape);
}

void put_bytes(const char *name, const void *bytes, size_t size)
{
    FILE *file = fopen(name, "wb");
    cr_assert_not_null(file, "%s", name);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

void put_text(const char *name, const char *text)
{
    put_bytes(name, text, strlen(text));
}

void put_code(const char *name, const char *code, const char *shape, const void *bytes, size_t size)
{
    char file[1024] = "\x93NUMPY\1";
    const int length =
        snprintf(file + 10, sizeof file - 10,
                 "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", code, shape);
    file[8] = (char)length;
    cr_assert_leq(10 + (size_t)length + size, sizeof file);
    if (size > 0)
        memcpy(file + 10 + length, bytes, size);
    put_bytes(name, file, 10 + (size_t)length + size);
}

static bool is_near(double found, double expected, double tolerance)
{
    if (isnan(expected) || isinf(expected))
        return isnan(expected) ? isnan(found) != 0 : found == expected;
    return fabs(found - expected) <= tolerance * fabs(expected);
}

void expect_npy(const char *name, const char *type, unsigned rank, uint64_t count,
                const double *values)
{
    struct npy array;
    struct io_error error;
    cr_assert(npy_read(name, &array, &error), "%s\n%s", error.text, run.err);
    cr_assert_str_eq(npy_type_name(array.type), type);
    cr_assert_eq(array.rank, rank);
    cr_assert_eq(array.count, count);
    for (uint64_t i = 0; i < count; i++) {
        const bool wide = array.type == NPY_FLOAT64;
        double found = wide ? ((double *)array.data)[i] : (double)((float *)array.data)[i];
        cr_expect(is_near(found, values[i], wide ? 4e-15 : 5e-7),
                  "%s[%llu] is %.17g, expected %.17g", name, (unsigned long long)i, found,
                  values[i]);
    }
    npy_free(&array);
}

void expect_shape(const char *name, const uint64_t *shape)
{
    struct npy array;
    struct io_error error;
    unsigned rank = 0;
    cr_assert(npy_read(name, &array, &error), "%s\n%s", error.text, run.err);
    for (; shape[rank] != 0; rank++)
        cr_expect_eq(array.shape[rank], shape[rank], "%s: axis %u has %llu entries, expected %llu",
                     name, rank, (unsigned long long)array.shape[rank],
                     (unsigned long long)shape[rank]);
    cr_expect_eq(array.rank, rank);
    npy_free(&array);
}

void expect_narrow_ascii(void)
{
    unsigned column = 0;
    for (const char *c = run.out; *c != '\0'; c++) {
        cr_assert_geq(*c, 0);
        column = *c == '\n' ? 0 : column + 1;
        cr_expect_leq(column, 80, "%s", run.out);
    }
}

double textbook(double mean, double variance, double q_mean, double q_variance)
{
    const double ratio = variance / q_variance, d = mean - q_mean;
    return 0.5 * (ratio - 1 - log(ratio) + d * d / q_variance);
}
