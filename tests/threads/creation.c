/* Plans made by all threads at once on one device: what one builds the others use, so that nothing
 * is built twice, and every plan is right. */
#include "threads.h"

struct workshop {
    const struct scene *scene;
    struct work works[WORKS];
    unsigned expected; /* builds of one thread that makes a plan of each work */
    clkl_device *device;
    clkl_plan *plans[THREADS];
};

static void make_plan(void *data, int thread)
{
    struct workshop *shop = data;
    clkl_error error = {.struct_size = sizeof error};
    if (clkl_plan_create(shop->device, &shop->works[thread % WORKS].spec, 0, &shop->plans[thread],
                         &error) != CLKL_OK)
        die("clkl_plan_create: %s", error.message);
}

static void use_plan(void *data, int thread)
{
    struct workshop *shop = data;
    const struct work *work = &shop->works[thread % WORKS];
    struct place place;
    place_make(&place, shop->scene, work, shop->plans[thread], scene_queue(shop->scene, false));
    for (int round = 0; round < 3; ++round)
        place_run(&place, work, shop->plans[thread], thread, round);
    place_free(&place);
}

/* Made, used at once, while others may still be built, and released. */
static void make_and_use(void *data, int thread)
{
    struct workshop *shop = data;
    make_plan(data, thread);
    use_plan(data, thread);
    clkl_plan_release(shop->plans[thread]);
}

static clkl_device *new_device(const struct scene *scene)
{
    clkl_device *device = NULL;
    REQUIRE(clkl_device_create(scene->context, scene->id, &device, NULL));
    return device;
}

/* Makes the works on a device of their own, and counts what it takes to build. */
static void furnish(struct workshop *shop)
{
    clkl_device *device = new_device(shop->scene);
    const unsigned before = builds_so_far();
    for (int kind = 0; kind < WORKS; ++kind)
        work_make(&shop->works[kind], kind, shop->scene, device);
    shop->expected = builds_so_far() - before;
    EXPECT(shop->expected >= WORKS);
    clkl_device_release(device);
}

void run_creation(const struct scene *scene)
{
    static struct workshop shop;
    shop.scene = scene;
    furnish(&shop);
    for (int round = 0; round < scene->rounds; ++round) {
        const unsigned before = builds_so_far();
        shop.device = new_device(scene);
        in_threads(make_and_use, &shop);
        const unsigned built = builds_so_far() - before;
        if (built != shop.expected)
            die("%u programs were built; one thread alone builds %u", built, shop.expected);
        clkl_device_release(shop.device);
    }
    for (int kind = 0; kind < WORKS; ++kind)
        work_free(&shop.works[kind]);
}
