/* Plans of one program and of many sizes, made and called by all threads at once with batches of
 * many sizes. PoCL 3.1 aborts the process where one kernel is in flight over grids of which the
 * wider is new to it: the library must not let that happen. */
#include "threads.h"

#include <string.h>

enum { PLANS = 4, CALLS = 4 };

struct market {
    const struct scene *scene;
    struct work work;
    clkl_device *device;
    int round;
};

/* Calls in flight on queues of their own, the first for the whole batch, the last for one sample.
 */
static void call_plan(const struct market *market, const struct work *part)
{
    const uint64_t batch = part->spec.shape[0];
    clkl_plan *plan = NULL;
    struct place places[CALLS];
    cl_event events[CALLS];
    REQUIRE(clkl_plan_create(market->device, &part->spec, 0, &plan, NULL));
    for (int i = 0; i < CALLS; ++i)
        place_make(&places[i], market->scene, part, plan, scene_queue(market->scene, false));
    for (uint64_t i = 0; i < CALLS; ++i) {
        events[i] = place_enqueue(&places[i], part, plan, 0, batch - i * (batch - 1) / (CALLS - 1));
        REQUIRE(clFlush(places[i].queue));
    }
    for (uint64_t i = 0; i < CALLS; ++i) {
        place_check(&places[i], part, events[i], 0, batch - i * (batch - 1) / (CALLS - 1));
        place_free(&places[i]);
    }
    clkl_plan_release(plan);
}

/* Plans for more and more of the samples, for one more in each thread. */
static void trade(void *data, int thread)
{
    const struct market *market = data;
    for (int i = 0; i < PLANS; ++i) {
        struct work part = market->work;
        const int step = market->round * PLANS + i;
        part.spec.shape[0] = 1 + (uint64_t)(step * THREADS + thread) % market->work.spec.shape[0];
        part.problem.shape[0] = part.spec.shape[0];
        call_plan(market, &part);
    }
}

void run_sizes(const struct scene *scene)
{
    static struct market market;
    market.scene = scene;
    REQUIRE(clkl_device_create(scene->context, scene->id, &market.device, NULL));
    work_make(&market.work, MANY_ROWS, scene, market.device);
    for (market.round = 0; market.round < scene->rounds; ++market.round)
        in_threads(trade, &market);
    work_free(&market.work);
    clkl_device_release(market.device);
}
