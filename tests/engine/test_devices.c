/* clkl_devices_list: what it says, and that the engine agrees. */
#include "engines.h"

#include <stdint.h>

/* PoCL can be asked for two devices; elsewhere there may be one. */
static void want_two_devices(void)
{
    forget_wish();
    setenv("POCL_DEVICES", "pthread basic", 1);
}

TestSuite(devices, .init = want_two_devices, .timeout = 120);

enum { MANY = 16 };

/* ---- What it says ---- */

static bool is_text(const char *text, size_t size)
{
    const char *end = memchr(text, '\0', size);
    return end != NULL && end != text;
}

static void expect_described(const clkl_device_info *info, size_t i)
{
    static const char *const types[] = {"cpu", "gpu", "accelerator", "custom"};
    bool known = false;
    cr_expect_eq(info->struct_size, sizeof *info);
    cr_expect(is_text(info->name, sizeof info->name), "device %zu has no name", i);
    cr_expect(is_text(info->platform, sizeof info->platform));
    cr_expect(is_text(info->driver, sizeof info->driver));
    cr_expect(is_text(info->reason, sizeof info->reason), "device %zu: no reason", i);
    cr_expect_eq(strncmp(info->version, "OpenCL ", 7), 0, "%s", info->version);
    for (size_t type = 0; type < sizeof types / sizeof types[0]; ++type)
        known = known || strcmp(info->type, types[type]) == 0;
    cr_expect(known, "type \"%.15s\"", info->type);
    cr_expect_gt(info->compute_units, 0u);
    cr_expect_gt(info->global_memory, (uint64_t)1 << 20);
    cr_expect_leq(info->usable, 1u);
    cr_expect_leq(info->fp64, 1u);
    cr_expect_leq(info->chosen, info->usable, "device %zu is chosen, but not usable", i);
}

Test(devices, each_is_described)
{
    clkl_device_info infos[MANY];
    memset(infos, 'x', sizeof infos);
    const size_t count = list_devices(NULL, infos, MANY);
    cr_assert_gt(count, 0u, "these tests need a device");
    for (size_t i = 0; i < count; ++i)
        expect_described(&infos[i], i);
    cr_expect_eq(infos[count].name[0], 'x', "written beyond the last device");
}

/* ---- Room ---- */

Test(devices, as_many_are_written_as_there_is_room_for)
{
    clkl_device_info all[MANY], some[MANY];
    const size_t count = list_devices(NULL, all, MANY);
    for (size_t capacity = 0; capacity <= count + 1; ++capacity) {
        size_t found = 77;
        memset(some, 'x', sizeof some);
        some[0].struct_size = sizeof some[0];
        cr_assert_eq(clkl_devices_list(NULL, capacity, some, &found, NULL), CLKL_OK);
        cr_expect_eq(found, count, "with room for %zu", capacity);
        for (size_t i = 0; i < MANY; ++i)
            if (i < capacity && i < count)
                cr_expect_str_eq(some[i].name, all[i].name);
            else
                cr_expect_eq(some[i].name[0], 'x', "entry %zu, with room for %zu", i, capacity);
    }
    size_t found = 77;
    cr_expect_eq(clkl_devices_list(NULL, 0, NULL, &found, NULL), CLKL_OK);
    cr_expect_eq(found, count);
}

Test(devices, a_newer_caller_finds_zeros_in_what_is_unknown_here)
{
    struct newer {
        clkl_device_info info;
        char future[40];
    } newer[MANY];
    clkl_device_info infos[MANY];
    size_t count = list_devices(NULL, infos, MANY);
    memset(newer, 'x', sizeof newer);
    newer[0].info.struct_size = sizeof newer[0];
    cr_assert_eq(clkl_devices_list(NULL, MANY, &newer[0].info, &count, NULL), CLKL_OK);
    for (size_t i = 0; i < count; ++i) {
        cr_expect_eq(newer[i].info.struct_size, sizeof newer[i]);
        cr_expect_eq(memcmp(newer[i].info.name, infos[i].name,
                            sizeof infos[i] - offsetof(clkl_device_info, name)),
                     0, "device %zu", i);
        for (size_t byte = 0; byte < sizeof newer[i].future; ++byte)
            cr_expect_eq(newer[i].future[byte], 0);
    }
    cr_expect_eq(newer[count].future[0], 'x');
}

Test(devices, an_older_caller_gets_what_it_knows)
{
    struct older {
        size_t struct_size;
        char name[128];
        char platform[128];
    } older[MANY];
    clkl_device_info infos[MANY];
    size_t count = list_devices(NULL, infos, MANY);
    memset(older, 'x', sizeof older);
    older[0].struct_size = sizeof older[0];
    cr_assert_eq(clkl_devices_list(NULL, MANY, (clkl_device_info *)(void *)older, &count, NULL),
                 CLKL_OK);
    for (size_t i = 0; i < count; ++i) {
        cr_expect_eq(older[i].struct_size, sizeof older[i]);
        cr_expect_str_eq(older[i].name, infos[i].name);
        cr_expect_str_eq(older[i].platform, infos[i].platform);
    }
    cr_expect_eq(older[count].name[0], 'x');
}

/* ---- The choice ---- */

static size_t chosen_of(const clkl_device_info *infos, size_t count)
{
    size_t chosen = count;
    for (size_t i = 0; i < count; ++i) {
        if (!infos[i].chosen)
            continue;
        cr_expect_eq(chosen, count, "two devices are chosen");
        chosen = i;
    }
    return chosen;
}

/* The list and an engine with the same wish agree. */
static void compare_with_engine(const char *wish)
{
    clkl_device_info infos[MANY];
    clkl_engine *engine;
    clkl_error error;
    const size_t count = list_devices(wish, infos, MANY);
    const size_t chosen = chosen_of(infos, count);
    const clkl_status status = create_on(wish, CLKL_FALLBACK_FORBIDDEN, &engine, &error);
    for (size_t i = 0; i < count; ++i)
        cr_expect(is_text(infos[i].reason, sizeof infos[i].reason), "%s: device %zu", wish, i);
    if (chosen < count) {
        cr_assert_eq(status, CLKL_OK, "%s: %s", wish, error.message);
        cr_expect_str_eq(clkl_engine_backend(engine), infos[chosen].name);
        cr_expect_not(clkl_engine_is_reference(engine));
    } else if (strcmp(wish, "reference") == 0) {
        cr_expect(clkl_engine_is_reference(engine));
    } else {
        cr_expect_eq(status, CLKL_NO_DEVICE, "%s", wish);
        cr_expect_null(engine);
    }
    clkl_engine_release(engine);
}

Test(devices, the_engine_takes_the_one_that_is_chosen)
{
    static const char *const wishes[] = {"",  "cpu", "gpu", "reference",
                                         "0", "1",   "99",  "no such device"};
    clkl_device_info infos[MANY];
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; ++i)
        compare_with_engine(wishes[i]);
    const size_t count = list_devices(NULL, infos, MANY);
    for (size_t i = 0; i < count; ++i)
        compare_with_engine(infos[i].name);
    compare_with_engine(infos[0].platform);
}

Test(devices, an_index_chooses_that_device)
{
    clkl_device_info infos[MANY];
    size_t count = list_devices(NULL, infos, MANY);
    for (size_t i = 0; i < count; ++i) {
        char index[24];
        snprintf(index, sizeof index, "%zu", i);
        list_devices(index, infos, MANY);
        cr_expect_eq(chosen_of(infos, count), infos[i].usable ? i : count);
        cr_expect_str_eq(infos[i].reason, "asked for");
        if (count > 1)
            cr_expect_not_null(strstr(infos[(i + 1) % count].reason, "does not match"));
    }
}

Test(devices, the_first_of_the_best_type_is_chosen)
{
    clkl_device_info infos[MANY];
    const size_t count = list_devices(NULL, infos, MANY);
    const size_t chosen = chosen_of(infos, count);
    cr_assert_lt(chosen, count, "no device is chosen, though nothing was asked for");
    for (size_t i = 0; i < count; ++i) {
        const bool same = strcmp(infos[i].type, infos[chosen].type) == 0;
        cr_expect(!infos[i].usable || !same || i >= chosen, "device %zu comes before", i);
        cr_expect(!infos[i].usable || strcmp(infos[i].type, "gpu") != 0 || same);
        if (infos[i].usable && i != chosen)
            cr_expect_not_null(strstr(infos[i].reason, "comes first"), "%s", infos[i].reason);
    }
    cr_expect_not_null(strstr(infos[chosen].reason, "preferred"), "%s", infos[chosen].reason);
}

Test(devices, reasons_name_the_wish)
{
    clkl_device_info infos[MANY];
    size_t count = list_devices("no such device", infos, MANY);
    cr_expect_eq(chosen_of(infos, count), count);
    cr_expect_str_eq(infos[0].reason, "does not match \"no such device\"");
    count = list_devices("Reference", infos, MANY);
    cr_expect_eq(chosen_of(infos, count), count);
    cr_expect_not_null(strstr(infos[0].reason, "reference was asked for"));
    setenv("CLKL_DEVICE", "nor this one", 1);
    cr_expect_gt(list_devices(NULL, infos, MANY), 0u);
    cr_expect_str_eq(infos[0].reason, "does not match \"nor this one\"");
}

Test(devices, no_platform_is_no_error)
{
    clkl_device_info info = {.struct_size = sizeof info, .name = "untouched"};
    size_t count = 77;
    hide_platforms();
    cr_expect_eq(clkl_devices_list(NULL, 1, &info, &count, NULL), CLKL_OK);
    cr_expect_eq(count, 0u);
    cr_expect_str_eq(info.name, "untouched");
}

/* ---- Refusals ---- */

static void expect_refused(const clkl_engine_options *options, size_t capacity,
                           clkl_device_info *infos, size_t *count, const char *says)
{
    clkl_error error = {.struct_size = sizeof error};
    cr_expect_eq(clkl_devices_list(options, capacity, infos, count, &error), CLKL_INVALID_ARGUMENT,
                 "%s", says);
    cr_expect_eq(error.status, CLKL_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(error.message, says), "\"%s\" does not say \"%s\"", error.message,
                       says);
    cr_expect_eq(clkl_devices_list(options, capacity, infos, count, NULL), CLKL_INVALID_ARGUMENT);
}

Test(devices, mistakes_are_told)
{
    clkl_device_info infos[2] = {{.struct_size = 0}};
    clkl_engine_options options = {.struct_size = sizeof options - 1};
    size_t count = 0;
    expect_refused(NULL, 0, NULL, NULL, "infos or count is NULL");
    expect_refused(NULL, 2, NULL, &count, "infos or count is NULL");
    expect_refused(NULL, 2, infos, &count, "infos[0].struct_size is 0");
    infos[0].struct_size = sizeof(size_t) - 1;
    expect_refused(NULL, 2, infos, &count, "infos[0].struct_size is");
    infos[0].struct_size = sizeof infos[0];
    expect_refused(&options, 2, infos, &count, "options->struct_size");
    options.struct_size = sizeof options;
    options.reserved[7] = 1;
    expect_refused(&options, 2, infos, &count, "options->reserved[7]");
}
