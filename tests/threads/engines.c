/* Engines in two threads, each with a device of its own, while the others call the reference. */
#include "threads.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_BATCH = 256 };

struct bureau {
    const struct scene *scene;
    struct work works[WORKS];
};

static clkl_host_args args_of(const struct work *work, float *values, uint32_t *status,
                              clkl_clamp_count *clamped)
{
    return (clkl_host_args){.struct_size = sizeof(clkl_host_args),
                            .p_mean = work->host[0],
                            .p_scale = work->host[1],
                            .q_mean = work->host[2],
                            .q_scale = work->host[3],
                            .result = values,
                            .value_status = status,
                            .clamp_counts = work->problem.clamp_counts ? clamped : NULL};
}

/* A new engine for every round; the kinds of work in another order in each thread. */
static void run_engine(const struct bureau *bureau, int thread)
{
    const clkl_engine_options options = {
        .struct_size = sizeof options, .device = "0", .fallback = CLKL_FALLBACK_FORBIDDEN};
    for (int round = 0; round < bureau->scene->rounds; ++round) {
        clkl_engine *engine = NULL;
        REQUIRE(clkl_engine_create(&options, &engine, NULL));
        EXPECT(!clkl_engine_is_reference(engine));
        for (int i = 0; i < 2 * WORKS; ++i) {
            const struct work *work = &bureau->works[(thread + i) % WORKS];
            const size_t batch = (size_t)work->spec.shape[0];
            float values[LARGEST_BATCH];
            uint32_t status[LARGEST_BATCH];
            clkl_clamp_count clamped[LARGEST_BATCH];
            EXPECT(batch <= LARGEST_BATCH);
            const clkl_host_args args = args_of(work, values, status, clamped);
            REQUIRE(clkl_engine_run(engine, &work->spec, &args, NULL));
            EXPECT(memcmp(values, work->values, batch * sizeof *values) == 0);
            EXPECT(memcmp(status, work->status, batch * sizeof *status) == 0);
            EXPECT(!work->problem.clamp_counts ||
                   memcmp(clamped, work->clamped, batch * sizeof *clamped) == 0);
        }
        clkl_engine_release(engine);
    }
}

/* The same doubles as the first time, every time. */
static void run_reference(const struct bureau *bureau, int thread)
{
    for (int round = 0; round < bureau->scene->rounds; ++round) {
        const struct work *work = &bureau->works[(thread + round) % WORKS];
        clkl_spec wide = work->spec;
        double first[LARGEST_BATCH], again[LARGEST_BATCH];
        uint32_t status[LARGEST_BATCH];
        clkl_clamp_count clamped[LARGEST_BATCH];
        wide.compute = CLKL_F64;
        clkl_host_args args = args_of(work, NULL, status, clamped);
        args.result = first;
        REQUIRE(clkl_reference_run(&wide, &args, NULL));
        args.result = again;
        REQUIRE(clkl_reference_run(&wide, &args, NULL));
        EXPECT(memcmp(first, again, (size_t)work->spec.shape[0] * sizeof *first) == 0);
        EXPECT(memcmp(status, work->status, (size_t)work->spec.shape[0] * sizeof *status) == 0);
    }
}

static void work_in_bureau(void *data, int thread)
{
    if (thread < 2)
        run_engine(data, thread);
    else
        run_reference(data, thread);
}

void run_engines(const struct scene *scene)
{
    static struct bureau bureau;
    clkl_device *device = NULL;
    bureau.scene = scene;
    REQUIRE(clkl_device_create(scene->context, scene->id, &device, NULL));
    for (int kind = 0; kind < WORKS; ++kind)
        work_make(&bureau.works[kind], kind, scene, device);
    clkl_device_release(device);
    in_threads(work_in_bureau, &bureau);
    for (int kind = 0; kind < WORKS; ++kind)
        work_free(&bureau.works[kind]);
}
