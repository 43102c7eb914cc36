/* Plans and devices released by one thread while others use what is left. */
#include "threads.h"

#include "support/hash.h"

#include <string.h>

struct house {
    const struct scene *scene;
    struct work works[WORKS];
    clkl_device *device;
    clkl_plan *plans[THREADS];
    struct place places[THREADS];
};

static const struct work *work_of(const struct house *house, int thread)
{
    return &house->works[thread % WORKS];
}

/* Each thread calls its plan some times, one more often than the other, and releases it with a call
 * in flight; the thread that is the last takes the device with it. */
static void use_and_leave(void *data, int thread)
{
    struct house *house = data;
    const struct work *work = work_of(house, thread);
    const struct place *place = &house->places[thread];
    clkl_plan *plan = house->plans[thread];
    for (int round = 0; round < 2 * thread; ++round)
        place_run(place, work, plan, thread, round);
    cl_event event = place_enqueue(place, work, plan, 0, work->spec.shape[0]);
    clkl_plan_release(plan);
    place_check(place, work, event, 0, work->spec.shape[0]);
}

/* Half of the threads use one plan, the others make and release plans of the same programs. */
static void use_or_make(void *data, int thread)
{
    struct house *house = data;
    const struct work *work = work_of(house, 0);
    for (int round = 0; round < 4 * THREADS; ++round) {
        if (thread % 2 == 0) {
            place_run(&house->places[thread], work, house->plans[0], thread, round);
            continue;
        }
        clkl_plan *plan = NULL;
        REQUIRE(clkl_plan_create(house->device, &work->spec, CLKL_PLAN_NO_WARM_UP, &plan, NULL));
        EXPECT(clkl_plan_scratch_size(plan) == clkl_plan_scratch_size(house->plans[0]));
        clkl_plan_release(plan);
    }
}

static void make_plans(struct house *house, bool same)
{
    REQUIRE(clkl_device_create(house->scene->context, house->scene->id, &house->device, NULL));
    for (int i = 0; i < THREADS; ++i) {
        const struct work *work = work_of(house, same ? 0 : i);
        REQUIRE(clkl_plan_create(house->device, &work->spec, CLKL_PLAN_NO_WARM_UP, &house->plans[i],
                                 NULL));
        place_make(&house->places[i], house->scene, work, house->plans[i],
                   scene_queue(house->scene, i % 2 == 1));
    }
}

static void free_places(struct house *house)
{
    for (int i = 0; i < THREADS; ++i)
        place_free(&house->places[i]);
}

/* The creator of the device releases it before any plan is used. */
static void check_leaving(struct house *house)
{
    make_plans(house, false);
    clkl_device_release(house->device);
    in_threads(use_and_leave, house);
    free_places(house);
}

static void check_making_beside(struct house *house)
{
    make_plans(house, true);
    in_threads(use_or_make, house);
    for (int i = 0; i < THREADS; ++i)
        clkl_plan_release(house->plans[i]);
    clkl_device_release(house->device);
    free_places(house);
}

/* References that OpenCL counts for the context. */
static cl_uint references(const struct scene *scene)
{
    cl_uint count = 0;
    REQUIRE(
        clGetContextInfo(scene->context, CL_CONTEXT_REFERENCE_COUNT, sizeof count, &count, NULL));
    return count;
}

void run_lifetimes(const struct scene *scene)
{
    static struct house house;
    clkl_device *device = NULL;
    house.scene = scene;
    REQUIRE(clkl_device_create(scene->context, scene->id, &device, NULL));
    for (int kind = 0; kind < WORKS; ++kind)
        work_make(&house.works[kind], kind, scene, device);
    clkl_device_release(device);
    const cl_uint before = references(scene);
    for (int round = 0; round < scene->rounds; ++round) {
        check_leaving(&house);
        check_making_beside(&house);
    }
    EXPECT(references(scene) == before);
    for (int kind = 0; kind < WORKS; ++kind)
        work_free(&house.works[kind]);
}
