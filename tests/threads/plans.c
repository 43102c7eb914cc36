/* One plan, used from all threads at once. Each call is for another part of the batch, with offsets
 * of its own, so that arguments which get into another thread's call show in the bits. */
#include "threads.h"

struct crowd {
    const struct scene *scene;
    const struct work *work;
    clkl_plan *plan;
    struct place places[THREADS];
};

static void call_often(void *data, int thread)
{
    struct crowd *crowd = data;
    for (int round = 0; round < crowd->scene->rounds; ++round)
        place_run(&crowd->places[thread], crowd->work, crowd->plan, thread, round);
}

/* On eight queues, every second of them out of order; the library makes the scratch of one. */
static void check_own_queues(struct crowd *crowd)
{
    for (int i = 0; i < THREADS; ++i)
        place_make(&crowd->places[i], crowd->scene, crowd->work, crowd->plan,
                   scene_queue(crowd->scene, i % 2 == 1));
    if (crowd->places[0].scratch != NULL)
        REQUIRE(clReleaseMemObject(crowd->places[0].scratch));
    crowd->places[0].scratch = NULL;
    in_threads(call_often, crowd);
    for (int i = 0; i < THREADS; ++i)
        place_free(&crowd->places[i]);
}

/* On one queue for all. */
static void check_one_queue(struct crowd *crowd)
{
    cl_command_queue queue = scene_queue(crowd->scene, true);
    for (int i = 0; i < THREADS; ++i) {
        REQUIRE(clRetainCommandQueue(queue));
        place_make(&crowd->places[i], crowd->scene, crowd->work, crowd->plan, queue);
    }
    in_threads(call_often, crowd);
    for (int i = 0; i < THREADS; ++i)
        place_free(&crowd->places[i]);
    REQUIRE(clReleaseCommandQueue(queue));
}

void run_plans(const struct scene *scene)
{
    clkl_device *device = NULL;
    REQUIRE(clkl_device_create(scene->context, scene->id, &device, NULL));
    for (int kind = 0; kind <= GRADIENTS; ++kind) {
        struct work work;
        struct crowd crowd = {.scene = scene, .work = &work};
        if (kind == MANY_ROWS)
            continue;
        work_make(&work, kind, scene, device);
        REQUIRE(clkl_plan_create(device, &work.spec, 0, &crowd.plan, NULL));
        check_own_queues(&crowd);
        check_one_queue(&crowd);
        clkl_plan_release(crowd.plan);
        work_free(&work);
    }
    clkl_device_release(device);
}
