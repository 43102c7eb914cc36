#include "threads.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void die(const char *what, ...)
{
    va_list arguments;
    va_start(arguments, what);
    vfprintf(stderr, what, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    _exit(1); /* other threads run on: nothing may be torn down under them */
}

/* ---- The device ---- */

void scene_open(struct scene *scene)
{
    cl_platform_id platforms[16];
    cl_uint count = 0;
    struct clkl_facts facts;
    REQUIRE(clGetPlatformIDs(16, platforms, &count));
    scene->id = NULL;
    for (cl_uint i = 0; i < count && i < 16 && scene->id == NULL; ++i)
        if (clGetDeviceIDs(platforms[i], CL_DEVICE_TYPE_ALL, 1, &scene->id, NULL) != CL_SUCCESS ||
            clkl_facts_read(scene->id, &facts, NULL) != CLKL_OK)
            scene->id = NULL;
    EXPECT(scene->id != NULL);
    cl_int code = CL_SUCCESS;
    scene->context = clCreateContext(NULL, 1, &scene->id, NULL, NULL, &code);
    REQUIRE(code);
}

void scene_close(struct scene *scene)
{
    REQUIRE(clReleaseContext(scene->context));
}

cl_command_queue scene_queue(const struct scene *scene, bool out_of_order)
{
    cl_int code = CL_SUCCESS;
    cl_command_queue queue =
        clCreateCommandQueue(scene->context, scene->id,
                             out_of_order ? CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE : 0u, &code);
    if (out_of_order && code != CL_SUCCESS)
        queue = clCreateCommandQueue(scene->context, scene->id, 0, &code);
    REQUIRE(code);
    return queue;
}

/* ---- Threads ---- */

struct member {
    pthread_t thread;
    pthread_barrier_t *start;
    void (*body)(void *data, int thread);
    void *data;
    int number;
};

static void *member_main(void *data)
{
    const struct member *member = data;
    pthread_barrier_wait(member->start);
    member->body(member->data, member->number);
    return NULL;
}

void in_threads(void (*body)(void *data, int thread), void *data)
{
    struct member members[THREADS];
    pthread_barrier_t start;
    REQUIRE(pthread_barrier_init(&start, NULL, THREADS));
    for (int i = 0; i < THREADS; ++i) {
        members[i] = (struct member){.start = &start, .body = body, .data = data, .number = i};
        REQUIRE(pthread_create(&members[i].thread, NULL, member_main, &members[i]));
    }
    for (int i = 0; i < THREADS; ++i)
        REQUIRE(pthread_join(members[i].thread, NULL));
    pthread_barrier_destroy(&start);
}

/* ---- What the linker counts ----
 *
 * -Wl,--wrap sends the library's calls here. */

cl_int __real_clBuildProgram(cl_program program, cl_uint count, const cl_device_id *ids,
                             const char *options, void(CL_CALLBACK *notify)(cl_program, void *),
                             void *data);
cl_int __wrap_clBuildProgram(cl_program program, cl_uint count, const cl_device_id *ids,
                             const char *options, void(CL_CALLBACK *notify)(cl_program, void *),
                             void *data);
cl_program __real_clCreateProgramWithSource(cl_context context, cl_uint count, const char **texts,
                                            const size_t *sizes, cl_int *code);
cl_program __wrap_clCreateProgramWithSource(cl_context context, cl_uint count, const char **texts,
                                            const size_t *sizes, cl_int *code);

static atomic_uint builds, sources;

cl_int __wrap_clBuildProgram(cl_program program, cl_uint count, const cl_device_id *ids,
                             const char *options, void(CL_CALLBACK *notify)(cl_program, void *),
                             void *data)
{
    atomic_fetch_add(&builds, 1);
    return __real_clBuildProgram(program, count, ids, options, notify, data);
}

cl_program __wrap_clCreateProgramWithSource(cl_context context, cl_uint count, const char **texts,
                                            const size_t *sizes, cl_int *code)
{
    atomic_fetch_add(&sources, 1);
    return __real_clCreateProgramWithSource(context, count, texts, sizes, code);
}

unsigned builds_so_far(void)
{
    return atomic_load(&builds);
}

unsigned sources_so_far(void)
{
    return atomic_load(&sources);
}
