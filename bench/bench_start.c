/* bench_start [ROUNDS]: the time from the start of a process to its first result, with the driver's
 * own cache empty, with it empty but a blob of programs at hand, and with it warm.
 *
 * Every round starts this program anew as `bench_start --once [BLOB]`, which creates a context,
 * makes a plan for packed moments [64, 8, 32, 32], computes and reads the result, then writes to
 * standard output where the time went. The drivers' caches are folders of this benchmark's.
 *
 * Which device: the first one that the environment lets through.
 */
#define CL_TARGET_OPENCL_VERSION 120
#include <clkl/clkl_opencl.h>

#include <ftw.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_ROUNDS = 101, BATCH = 64, CHANNELS = 4, SIDE = 32 };

enum { MOMENTS = BATCH * 2 * CHANNELS * SIDE * SIDE };

extern char **environ;

static void check(int code, const char *call)
{
    if (code != 0) {
        fprintf(stderr, "bench_start: %s returned %d\n", call, code);
        exit(1);
    }
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return 1e3 * (double)time.tv_sec + 1e-6 * (double)time.tv_nsec;
}

/* ---- The process that is timed ---- */

static void *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    check(file == NULL || fseek(file, 0, SEEK_END) != 0, path);
    *size = (size_t)ftell(file);
    rewind(file);
    void *bytes = malloc(*size);
    check(bytes == NULL || fread(bytes, 1, *size, file) != *size, path);
    fclose(file);
    return bytes;
}

static cl_device_id first_device(void)
{
    cl_platform_id platforms[16];
    cl_device_id id = NULL;
    cl_uint count = 0;
    check(clGetPlatformIDs(16, platforms, &count), "clGetPlatformIDs");
    for (cl_uint i = 0; i < count && id == NULL; ++i)
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 1, &id, NULL) != CL_SUCCESS)
            id = NULL;
    check(id == NULL, "no device: clGetDeviceIDs");
    return id;
}

static void compute(cl_context context, cl_device_id id, clkl_plan *plan)
{
    static float moments[MOMENTS], kl[BATCH];
    clkl_args args = {.struct_size = sizeof args};
    cl_int code = CL_SUCCESS;
    cl_command_queue queue = clCreateCommandQueue(context, id, 0, &code);
    check(code, "clCreateCommandQueue");
    for (size_t i = 0; i < MOMENTS; ++i)
        moments[i] = (float)(i % 97) / 97 - 0.5f;
    args.p_mean.mem = clCreateBuffer(context, CL_MEM_READ_ONLY | CL_MEM_COPY_HOST_PTR,
                                     sizeof moments, moments, &code);
    check(code, "clCreateBuffer");
    args.result.mem = clCreateBuffer(context, CL_MEM_WRITE_ONLY, sizeof kl, NULL, &code);
    check(code, "clCreateBuffer");
    check((int)clkl_enqueue(plan, queue, &args, 0, NULL, NULL, NULL), "clkl_enqueue");
    check(clEnqueueReadBuffer(queue, args.result.mem, CL_TRUE, 0, sizeof kl, kl, 0, NULL, NULL),
          "clEnqueueReadBuffer");
    check(!(kl[0] > 0), "a first result that is right: clkl_enqueue");
}

static void save_blob(clkl_device *device, const char *path)
{
    size_t size = 0;
    check((int)clkl_device_export_programs(device, 0, NULL, &size, NULL), "export");
    void *blob = malloc(size);
    check(blob == NULL || clkl_device_export_programs(device, size, blob, &size, NULL) != CLKL_OK,
          "export");
    FILE *file = fopen(path, "wb");
    check(file == NULL || fwrite(blob, 1, size, file) != size || fclose(file) != 0, path);
    free(blob);
}

/* Computes once, with the programs of the blob `in`, and writes those that there are to `out`. */
static int once(const char *in, const char *out)
{
    const double start = now();
    cl_device_id id = first_device();
    cl_int code = CL_SUCCESS;
    cl_context context = clCreateContext(NULL, 1, &id, NULL, NULL, &code);
    check(code, "clCreateContext");
    clkl_device *device = NULL;
    check((int)clkl_device_create(context, id, &device, NULL), "clkl_device_create");
    const double opened = now();
    if (in != NULL) {
        size_t size = 0;
        void *blob = read_file(in, &size);
        check((int)clkl_device_import_programs(device, blob, size, NULL), "import");
        free(blob);
    }
    const double imported = now();
    clkl_spec spec;
    clkl_plan *plan = NULL;
    clkl_spec_moments(&spec, 4, (size_t[]){BATCH, CHANNELS, SIDE, SIDE});
    check((int)clkl_plan_create(device, &spec, 0, &plan, NULL), "clkl_plan_create");
    const double planned = now();
    compute(context, id, plan);
    const double computed = now();
    printf("%.6f %.6f %.6f %.6f\n", opened - start, imported - opened, planned - imported,
           computed - planned);
    fflush(stdout);
    if (out != NULL)
        save_blob(device, out);
    return 0;
}

/* ---- The one that times ---- */

enum part { TOTAL, OPEN, IMPORT, PLAN, COMPUTE, PARTS };

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

static void empty(const char *folder)
{
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    check(mkdir(folder, 0700), folder);
}

static void run(const char *self, const char *in, const char *out, double times[PARTS])
{
    int ends[2];
    pid_t child = 0;
    int status = 0;
    posix_spawn_file_actions_t actions;
    check(pipe(ends), "pipe");
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    char *words[] = {(char *)self, "--once", (char *)(in != NULL ? in : "-"), (char *)out, NULL};
    const double start = now();
    check(posix_spawn(&child, "/proc/self/exe", &actions, NULL, words, environ), "posix_spawn");
    close(ends[1]);
    FILE *answer = fdopen(ends[0], "r");
    check(fscanf(answer, "%lf %lf %lf %lf", &times[OPEN], &times[IMPORT], &times[PLAN],
                 &times[COMPUTE]) != 4,
          "the timed process");
    times[TOTAL] = now() - start;
    check(waitpid(child, &status, 0) != child || status != 0, "the timed process");
    fclose(answer);
    posix_spawn_file_actions_destroy(&actions);
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double times[MAX_ROUNDS][PARTS], size_t rounds, enum part part)
{
    double sorted[MAX_ROUNDS];
    for (size_t i = 0; i < rounds; ++i)
        sorted[i] = times[i][part];
    qsort(sorted, rounds, sizeof *sorted, by_size);
    return sorted[rounds / 2];
}

enum way { COLD, BLOB, WARM, WAYS };

int main(int argc, char **argv)
{
    static const char *const names[WAYS] = {"from source, cache empty", "with a blob, cache empty",
                                            "from source, cache warm"};
    static double times[WAYS][MAX_ROUNDS][PARTS];
    if (argc > 2 && strcmp(argv[1], "--once") == 0)
        return once(strcmp(argv[2], "-") != 0 ? argv[2] : NULL, argc > 3 ? argv[3] : NULL);
    const long asked = argc > 1 ? strtol(argv[1], NULL, 10) : 11;
    const size_t rounds = asked < 1 ? 1 : asked > MAX_ROUNDS ? MAX_ROUNDS : (size_t)asked;

    char top[] = "/tmp/bench_start-XXXXXX", cache[64], blob[64];
    check(mkdtemp(top) == NULL, "mkdtemp");
    snprintf(cache, sizeof cache, "%s/cache", top);
    snprintf(blob, sizeof blob, "%s/blob", top);
    check(setenv("POCL_CACHE_DIR", cache, 1) || setenv("MESA_SHADER_CACHE_DIR", cache, 1),
          "setenv");
    empty(cache);
    run(argv[0], NULL, blob, times[COLD][0]);
    for (size_t i = 0; i < rounds; ++i) {
        empty(cache);
        run(argv[0], blob, NULL, times[BLOB][i]);
        empty(cache);
        run(argv[0], NULL, NULL, times[COLD][i]);
        run(argv[0], NULL, NULL, times[WARM][i]);
    }
    struct stat size;
    check(stat(blob, &size), blob);
    printf("blob of %lld bytes; milliseconds, medians of %zu rounds\n", (long long)size.st_size,
           rounds);
    printf("%-28s%10s%10s%10s%10s%10s\n", "", "to result", "open", "import", "plan", "compute");
    for (int way = 0; way < WAYS; ++way) {
        printf("%-28s", names[way]);
        for (int part = 0; part < PARTS; ++part)
            printf("%10.1f", median(times[way], rounds, (enum part)part));
        putchar('\n');
    }
    nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return 0;
}
