/* What the scenarios of this folder share: the device, work whose result is known, a queue and
 * buffers for each thread, and threads that start together. Nothing here is Criterion's:
 * ThreadSanitizer works in plain programs alone. */
#ifndef CLKL_TESTS_THREADS_H
#define CLKL_TESTS_THREADS_H

#include "opencl/plan.h"

#include <stddef.h>

enum { THREADS = 8 };

/* Ends the program with status 1 and a line on standard error. From any thread. */
void die(const char *what, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The call must give CL_SUCCESS, CLKL_OK or 0. */
#define REQUIRE(call)                                                       \
    do {                                                                    \
        const int code_ = (int)(call);                                      \
        if (code_ != 0)                                                     \
            die("%s:%d: %s returned %d", __FILE__, __LINE__, #call, code_); \
    } while (0)

#define EXPECT(condition)                                             \
    do {                                                              \
        if (!(condition))                                             \
            die("%s:%d: not so: %s", __FILE__, __LINE__, #condition); \
    } while (0)

/* ---- The device ---- */

struct scene {
    cl_device_id id;
    cl_context context;
    int rounds; /* how often a scenario does what it does */
};

/* The first usable device that the environment lets through. */
void scene_open(struct scene *scene);
void scene_close(struct scene *scene);

/* Out of order if asked for and where the device has such queues. */
cl_command_queue scene_queue(const struct scene *scene, bool out_of_order);

/* ---- Work ---- */

/* Inputs on the device and on the host, and what one thread alone makes of them. The result keeps
 * the batch axis, so that a part of the batch has the bits of the whole. */
struct work {
    clkl_spec spec;
    struct clkl_problem problem;
    float *host[CLKL_ARRAYS]; /* NULL where there is none */
    cl_mem inputs[CLKL_ARRAYS];
    cl_mem lengths; /* NULL without them */
    float *gradients[CLKL_ARRAYS];
    size_t of_sample[CLKL_ARRAYS]; /* numbers of a gradient; 0 where there is none */
    float *values;
    uint32_t *status;
    clkl_clamp_count *clamped;
};

/* How many kinds of work there are; each needs a program of its own. And one kind more, whose rows
 * have a work-group each on PoCL. */
enum { WORKS = 4, MANY_ROWS = WORKS, GRADIENTS /* of two passes, and lengths */ };

/* Work of one kind, computed by the calling thread on `device` and held against the reference. */
void work_make(struct work *work, int kind, const struct scene *scene, clkl_device *device);
void work_free(struct work *work);

/* ---- One thread's place ---- */

/* Outputs and scratch for one call in flight. */
struct place {
    cl_command_queue queue;
    cl_mem result, status, clamped, scratch; /* scratch NULL: the library's own */
    cl_mem gradients[CLKL_ARRAYS];
};

/* For calls of `work` with `plan`; the queue becomes the place's. */
void place_make(struct place *place, const struct scene *scene, const struct work *work,
                const clkl_plan *plan, cl_command_queue queue);
void place_free(struct place *place);

/* Enqueues samples `first` to `first + batch - 1`. */
cl_event place_enqueue(const struct place *place, const struct work *work, clkl_plan *plan,
                       uint64_t first, uint64_t batch);

/* Waits for the event, which it releases, and ends the program unless the outputs are those of
 * these samples, bit by bit. */
void place_check(const struct place *place, const struct work *work, cl_event event, uint64_t first,
                 uint64_t batch);

/* Some part of the batch, another for each thread and round: enqueued, waited for, and checked. */
void place_run(const struct place *place, const struct work *work, clkl_plan *plan, int thread,
               int round);

/* ---- Threads ---- */

/* Calls `body` in THREADS threads that start together, and joins them. */
void in_threads(void (*body)(void *data, int thread), void *data);

/* ---- What the linker counts ---- */

/* Calls of clBuildProgram and clCreateProgramWithSource by the library so far. */
unsigned builds_so_far(void);
unsigned sources_so_far(void);

/* ---- Scenarios ---- */

void run_plans(const struct scene *scene);
void run_creation(const struct scene *scene);
void run_lifetimes(const struct scene *scene);
void run_engines(const struct scene *scene);
void run_blobs(const struct scene *scene);
void run_sizes(const struct scene *scene);

#endif
