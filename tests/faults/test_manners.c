/* What is the caller's is as it was when all is released: reference counts, and the process around
 * them. */
#define _GNU_SOURCE /* environ, NSIG, fegetexcept */
#include "support.h"

#include <dirent.h>
#include <fcntl.h>
#include <fenv.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct test_device device;

static void close_device(void)
{
    test_device_close(&device);
}

TestSuite(faults_manners, .fini = close_device, .timeout = 300);

/* ---- What the library is made to do ---- */

/* Plans and calls for every job, with refusals on the way. Made of what exists already: nothing of
 * the caller's is made or released here, but the events of the calls. */
static void run_jobs(struct job *jobs, clkl_device *on, const cl_event *before)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_plan *plan = NULL;
    for (int kind = 0; kind < JOB_KINDS; ++kind) {
        cl_event event = NULL;
        REQUIRE(clkl_plan_create(on, &jobs[kind].spec, 0, &plan, &error));
        clkl_args args = jobs[kind].args;
        REQUIRE(clkl_enqueue(plan, device.queue, &args, 1, before, &event, &error));
        args.result.offset = SIZE_MAX;
        cr_expect_eq(clkl_enqueue(plan, device.queue, &args, 0, NULL, NULL, &error),
                     CLKL_BUFFER_TOO_SMALL);
        clkl_plan_release(plan);
        REQUIRE(clWaitForEvents(1, &event));
        REQUIRE(clReleaseEvent(event));
    }
    clkl_spec wrong = jobs[0].spec;
    wrong.shape[1] = 0;
    cr_expect_eq(clkl_plan_create(on, &wrong, 0, &plan, &error), CLKL_INVALID_SPEC);
    REQUIRE(clFinish(device.queue));
}

/* A plan that cannot be made because that call fails. */
static void fail_at(const struct job *job, enum faults_call call)
{
    clkl_device *own = NULL;
    clkl_plan *plan = NULL;
    REQUIRE(clkl_device_create(device.context, device.id, &own, NULL));
    faults_reset();
    faults_fail(call, 1, 0);
    cr_expect_neq(WATCHED(clkl_plan_create(own, &job->spec, 0, &plan, NULL)), CLKL_OK);
    cr_expect_eq(faults_failure().count, 1u);
    clkl_device_release(own);
}

static void live_once(struct job *jobs, const cl_event *before)
{
    clkl_device *own = NULL;
    REQUIRE(clkl_device_create(device.context, device.id, &own, NULL));
    run_jobs(jobs, own, before);
    clkl_device_release(own);
    fail_at(&jobs[0], CALL_clBuildProgram);
    fail_at(&jobs[0], CALL_clCreateKernel);
    fail_at(&jobs[0], CALL_clEnqueueNDRangeKernel);
}

static void make_jobs(struct job jobs[JOB_KINDS])
{
    for (enum job_kind kind = 0; kind < JOB_KINDS; ++kind)
        job_make(&jobs[kind], &device, kind);
}

static void free_jobs(struct job jobs[JOB_KINDS])
{
    for (int kind = 0; kind < JOB_KINDS; ++kind)
        job_free(&jobs[kind]);
}

/* ---- Reference counts ---- */

enum { BUFFERS = 12 };

struct references {
    cl_uint context, id, queue, event;
    cl_uint buffers[JOB_KINDS][BUFFERS];
};

static cl_uint buffer_references(cl_mem mem)
{
    cl_uint count = 0;
    if (mem != NULL)
        REQUIRE(clGetMemObjectInfo(mem, CL_MEM_REFERENCE_COUNT, sizeof count, &count, NULL));
    return count;
}

static struct references count_references(const struct job *jobs, cl_event event)
{
    struct references now;
    memset(&now, 0, sizeof now);
    REQUIRE(clGetContextInfo(device.context, CL_CONTEXT_REFERENCE_COUNT, sizeof now.context,
                             &now.context, NULL));
    REQUIRE(clGetDeviceInfo(device.id, CL_DEVICE_REFERENCE_COUNT, sizeof now.id, &now.id, NULL));
    REQUIRE(clGetCommandQueueInfo(device.queue, CL_QUEUE_REFERENCE_COUNT, sizeof now.queue,
                                  &now.queue, NULL));
    REQUIRE(clGetEventInfo(event, CL_EVENT_REFERENCE_COUNT, sizeof now.event, &now.event, NULL));
    for (int kind = 0; kind < JOB_KINDS; ++kind) {
        const clkl_args *args = &jobs[kind].args;
        const cl_mem all[BUFFERS] = {
            args->p_mean.mem,           args->p_scale.mem,         args->q_mean.mem,
            args->q_scale.mem,          args->result.mem,          args->value_status.mem,
            args->clamp_counts.mem,     args->weights.mem,         args->p_mean_gradient.mem,
            args->p_scale_gradient.mem, args->q_mean_gradient.mem, args->q_scale_gradient.mem};
        for (int i = 0; i < BUFFERS; ++i)
            now.buffers[kind][i] = buffer_references(all[i]);
    }
    return now;
}

/* Implementations let go of things a little after they say that they are done. */
static void expect_references(const struct references *before, const struct job *jobs,
                              cl_event event)
{
    struct references now = count_references(jobs, event);
    for (int i = 0; i < 100 && memcmp(&now, before, sizeof now) != 0; ++i) {
        wait_a_moment();
        now = count_references(jobs, event);
    }
    cr_expect_eq(now.context, before->context, "context: %u, was %u", now.context, before->context);
    cr_expect_eq(now.id, before->id, "device: %u, was %u", now.id, before->id);
    cr_expect_eq(now.queue, before->queue, "queue: %u, was %u", now.queue, before->queue);
    cr_expect_eq(now.event, before->event, "event: %u, was %u", now.event, before->event);
    cr_expect_arr_eq(now.buffers, before->buffers, sizeof now.buffers, "buffers");
}

/* Programs of a device like any other, to a blob and back. */
static void check_blob(const struct job *job)
{
    enum { CAPACITY = 8 << 20 };
    clkl_error error = {.struct_size = sizeof error};
    clkl_device *own = NULL;
    clkl_plan *plan = NULL;
    size_t size = 0;
    void *blob = malloc(CAPACITY);
    cr_assert_not_null(blob);
    REQUIRE(clkl_plan_create(device.device, &job->spec, 0, &plan, &error));
    clkl_plan_release(plan);
    REQUIRE(clkl_device_create(device.context, device.id, &own, &error));
    cr_expect_eq(clkl_device_export_programs(device.device, CAPACITY, blob, &size, &error), CLKL_OK,
                 "%s", error.message);
    cr_expect_eq(clkl_device_import_programs(own, blob, size, &error), CLKL_OK, "%s",
                 error.message);
    clkl_device_release(own);
    free(blob);
}

static void check_references(void)
{
    struct job jobs[JOB_KINDS];
    make_jobs(jobs);
    cl_event user = user_event(&device);
    REQUIRE(clSetUserEventStatus(user, CL_COMPLETE));
    live_once(jobs, &user);
    wait_a_moment();
    const struct references before = count_references(jobs, user);
    const struct faults_live live = faults_live();
    live_once(jobs, &user);
    live_once(jobs, &user);
    expect_references(&before, jobs, user);
    expect_live(&live, "after two lives");
    check_blob(&jobs[0]);
    REQUIRE(clReleaseEvent(user));
    free_jobs(jobs);
}

Test(faults_manners, references)
{
    faults_open_device(&device, NULL);
    check_references();
}

/* Whether `id` can be cut into devices of one unit; some implementations must not even be asked to
 * try. */
static bool can_be_cut(cl_device_id id)
{
    cl_uint most = 0;
    cl_device_partition_property ways[8] = {0};
    size_t size = 0;
    REQUIRE(clGetDeviceInfo(id, CL_DEVICE_PARTITION_MAX_SUB_DEVICES, sizeof most, &most, NULL));
    REQUIRE(clGetDeviceInfo(id, CL_DEVICE_PARTITION_PROPERTIES, sizeof ways, ways, &size));
    bool equally = false;
    for (size_t i = 0; i < size / sizeof ways[0]; ++i)
        equally = equally || ways[i] == CL_DEVICE_PARTITION_EQUALLY;
    return most >= 2 && equally;
}

/* A sub-device is counted, unlike a root device. */
Test(faults_manners, references_of_a_sub_device)
{
    const cl_device_partition_property ways[] = {CL_DEVICE_PARTITION_EQUALLY, 1, 0};
    cl_device_id ids[64];
    cl_uint count = 0;
    faults_open_device(&device, NULL);
    if (!can_be_cut(device.id)) {
        cr_log_info("this device has no sub-devices");
        return;
    }
    const cl_device_id root = device.id;
    REQUIRE(clCreateSubDevices(root, ways, 0, NULL, &count));
    cr_assert_leq(count, 64u);
    REQUIRE(clCreateSubDevices(root, ways, count, ids, NULL));
    cl_uint references = 0;
    test_device_close(&device);
    device.id = ids[count - 1];
    device.context = clCreateContext(NULL, 1, &device.id, NULL, NULL, NULL);
    cr_assert_not_null(device.context);
    device.queue = clCreateCommandQueue(device.context, device.id, 0, NULL);
    cr_assert_not_null(device.queue);
    REQUIRE(clkl_device_create(device.context, device.id, &device.device, NULL));
    check_references();
    REQUIRE(clGetDeviceInfo(device.id, CL_DEVICE_REFERENCE_COUNT, sizeof references, &references,
                            NULL));
    cr_expect_gt(references, 1u, "the clkl_device does not hold its device");
    for (cl_uint i = 0; i < count; ++i)
        REQUIRE(clReleaseDevice(ids[i]));
}

/* ---- The process ---- */

enum { TEXT = 1 << 16 };

struct surroundings {
    char locale[512];
    char folder[4096];
    char environment[TEXT];
    struct {
        void *handler;
        int flags;
    } signals[NSIG];
    sigset_t mask;
    int rounding, exceptions;
    mode_t umask;
    unsigned descriptors;
};

static unsigned count_descriptors(void)
{
    unsigned count = 0;
    DIR *listing = opendir("/proc/self/fd");
    cr_assert_not_null(listing);
    while (readdir(listing) != NULL)
        ++count;
    closedir(listing);
    return count;
}

static void look_at_signals(struct surroundings *now)
{
    struct sigaction action;
    for (int number = 1; number < NSIG; ++number) {
        memset(&action, 0, sizeof action);
        if (sigaction(number, NULL, &action) != 0)
            continue;
        now->signals[number].flags = action.sa_flags;
        memcpy(&now->signals[number].handler, &action.sa_handler, sizeof action.sa_handler);
    }
    cr_assert_eq(sigprocmask(SIG_SETMASK, NULL, &now->mask), 0);
}

static void look_around(struct surroundings *now)
{
    size_t length = 0;
    memset(now, 0, sizeof *now);
    now->rounding = fegetround();
    now->exceptions = fegetexcept();
    snprintf(now->locale, sizeof now->locale, "%s", setlocale(LC_ALL, NULL));
    cr_assert_not_null(getcwd(now->folder, sizeof now->folder));
    for (char **entry = environ; *entry != NULL && length < TEXT; ++entry)
        length += (size_t)snprintf(now->environment + length, TEXT - length, "%s\n", *entry);
    cr_assert_lt(length, (size_t)TEXT);
    look_at_signals(now);
    now->umask = umask(0);
    umask(now->umask);
    now->descriptors = count_descriptors();
}

static void expect_same(const struct surroundings *before, const struct surroundings *now)
{
    cr_expect_str_eq(now->locale, before->locale);
    cr_expect_str_eq(now->folder, before->folder);
    cr_expect_str_eq(now->environment, before->environment);
    cr_expect_arr_eq(now->signals, before->signals, sizeof now->signals, "signal handlers");
    cr_expect_arr_eq(&now->mask, &before->mask, sizeof now->mask, "signal mask");
    cr_expect_eq(now->rounding, before->rounding, "rounding %d, was %d", now->rounding,
                 before->rounding);
    cr_expect_eq(now->exceptions, before->exceptions);
    cr_expect_eq(now->umask, before->umask);
    cr_expect_eq(now->descriptors, before->descriptors, "%u descriptors, were %u", now->descriptors,
                 before->descriptors);
}

static void ignore(int number)
{
    (void)number;
}

/* Has everything another way than a process begins with. */
static void arrange_surroundings(void)
{
    static const int numbers[] = {SIGHUP, SIGINT, SIGALRM, SIGPIPE, SIGTERM, SIGUSR1, SIGCHLD};
    const struct sigaction action = {.sa_handler = ignore};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; ++i)
        cr_assert_eq(sigaction(numbers[i], &action, NULL), 0);
    cr_assert_not_null(setlocale(LC_ALL, "C.UTF-8"));
    cr_assert_eq(chdir("/tmp"), 0);
    cr_assert_eq(setenv("CLKL_DEVICE", "something", 1), 0);
    umask(027);
    cr_assert_eq(fesetround(FE_UPWARD), 0);
}

/* The descriptors that the first life opens are the implementation's, which warms up. */
Test(faults_manners, surroundings)
{
    static struct surroundings before, after;
    struct job jobs[JOB_KINDS];
    faults_open_device(&device, NULL);
    make_jobs(jobs);
    cl_event user = user_event(&device);
    REQUIRE(clSetUserEventStatus(user, CL_COMPLETE));
    arrange_surroundings();
    look_around(&before);
    live_once(jobs, &user);
    before.descriptors = count_descriptors();
    live_once(jobs, &user);
    look_around(&after);
    cr_assert_eq(fesetround(FE_TONEAREST), 0);
    expect_same(&before, &after);
    REQUIRE(clReleaseEvent(user));
    free_jobs(jobs);
}

/* ---- Silence ---- */

/* Turns a standard stream into a file; the stream as it was. */
static int divert(int descriptor, FILE *file)
{
    const int saved = dup(descriptor);
    cr_assert_geq(saved, 0);
    cr_assert_eq(dup2(fileno(file), descriptor), descriptor);
    return saved;
}

static void restore(int descriptor, int saved)
{
    cr_assert_eq(dup2(saved, descriptor), descriptor);
    close(saved);
}

static void expect_empty(FILE *file, const char *name)
{
    char text[512] = "";
    rewind(file);
    const size_t size = fread(text, 1, sizeof text - 1, file);
    cr_expect_eq(size, 0u, "on %s: %s", name, text);
    fclose(file);
}

/* Warmed up as well: Mesa warns while it compiles. */
Test(faults_manners, silence)
{
    struct job jobs[JOB_KINDS];
    clkl_engine *engine = NULL;
    FILE *out = tmpfile(), *err = tmpfile();
    cr_assert(out != NULL && err != NULL);
    faults_open_device(&device, NULL);
    make_jobs(jobs);
    cl_event user = user_event(&device);
    REQUIRE(clSetUserEventStatus(user, CL_COMPLETE));
    live_once(jobs, &user);
    fflush(NULL);
    const int saved_out = divert(STDOUT_FILENO, out), saved_err = divert(STDERR_FILENO, err);
    live_once(jobs, &user);
    const clkl_status status = clkl_engine_create(NULL, &engine, NULL);
    clkl_engine_release(engine);
    fflush(NULL);
    restore(STDOUT_FILENO, saved_out);
    restore(STDERR_FILENO, saved_err);
    cr_expect_eq(status, CLKL_OK);
    expect_empty(out, "standard output");
    expect_empty(err, "standard error");
    REQUIRE(clReleaseEvent(user));
    free_jobs(jobs);
}
