/* Programs exported from and imported into a device by some threads, while others make plans on it.
 */
#include "threads.h"

#include <stdlib.h>

struct harbour {
    const struct scene *scene;
    struct work works[WORKS];
    clkl_device *device;
    void *cargo; /* a blob with the programs of all works */
    size_t size;
    void *exported; /* by a thread */
    size_t exported_size;
};

static clkl_device *new_device(const struct scene *scene)
{
    clkl_device *device = NULL;
    REQUIRE(clkl_device_create(scene->context, scene->id, &device, NULL));
    return device;
}

/* A blob of the device, which may get more programs between the two calls: then again. */
static void *export_programs(clkl_device *device, size_t *size)
{
    for (;;) {
        size_t room = 0;
        REQUIRE(clkl_device_export_programs(device, 0, NULL, &room, NULL));
        EXPECT(room > 0);
        void *blob = malloc(room);
        EXPECT(blob != NULL);
        const clkl_status status = clkl_device_export_programs(device, room, blob, size, NULL);
        if (status == CLKL_OK)
            return blob;
        EXPECT(status == CLKL_BUFFER_TOO_SMALL && *size > room);
        free(blob);
    }
}

static void make_and_use(const struct harbour *harbour, int thread)
{
    const struct work *work = &harbour->works[thread % WORKS];
    clkl_plan *plan = NULL;
    struct place place;
    REQUIRE(clkl_plan_create(harbour->device, &work->spec, 0, &plan, NULL));
    place_make(&place, harbour->scene, work, plan, scene_queue(harbour->scene, false));
    for (int round = 0; round < 3; ++round)
        place_run(&place, work, plan, thread, round);
    place_free(&place);
    clkl_plan_release(plan);
}

/* Threads 0 to 3 make plans, one exports, the others import. */
static void trade(void *data, int thread)
{
    struct harbour *harbour = data;
    if (thread < WORKS)
        make_and_use(harbour, thread);
    else if (thread == WORKS)
        harbour->exported = export_programs(harbour->device, &harbour->exported_size);
    else
        REQUIRE(clkl_device_import_programs(harbour->device, harbour->cargo, harbour->size, NULL));
}

/* With the blob imported, plans of all works build nothing from source, and are right. */
static void check_cargo(struct harbour *harbour, const void *blob, size_t size)
{
    harbour->device = new_device(harbour->scene);
    REQUIRE(clkl_device_import_programs(harbour->device, blob, size, NULL));
    const unsigned before = sources_so_far();
    for (int kind = 0; kind < WORKS; ++kind)
        make_and_use(harbour, kind);
    EXPECT(sources_so_far() == before);
    clkl_device_release(harbour->device);
}

static void check_round(struct harbour *harbour)
{
    const unsigned before = sources_so_far();
    harbour->device = new_device(harbour->scene);
    in_threads(trade, harbour);
    EXPECT(sources_so_far() - before <= WORKS);

    /* What was exported meanwhile is whole, and the device has everything now. */
    size_t size = 0;
    void *all = export_programs(harbour->device, &size);
    clkl_device_release(harbour->device);
    check_cargo(harbour, all, size);
    free(all);
    harbour->device = new_device(harbour->scene);
    REQUIRE(clkl_device_import_programs(harbour->device, harbour->exported, harbour->exported_size,
                                        NULL));
    clkl_device_release(harbour->device);
    free(harbour->exported);
}

void run_blobs(const struct scene *scene)
{
    static struct harbour harbour;
    clkl_device *device = new_device(scene);
    harbour.scene = scene;
    for (int kind = 0; kind < WORKS; ++kind)
        work_make(&harbour.works[kind], kind, scene, device);
    harbour.cargo = export_programs(device, &harbour.size);
    clkl_device_release(device);
    for (int round = 0; round < scene->rounds; ++round)
        check_round(&harbour);
    free(harbour.cargo);
    for (int kind = 0; kind < WORKS; ++kind)
        work_free(&harbour.works[kind]);
}
