/* Engines for tests: each Criterion test is a process of its own, and may set its environment up to
 * the first OpenCL call. */
#ifndef CLKL_TESTS_ENGINES_H
#define CLKL_TESTS_ENGINES_H

#include <clkl/clkl.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Nothing in the environment says which device. */
static inline void forget_wish(void)
{
    unsetenv("CLKL_DEVICE");
}

/* Leaves the OpenCL loader, which has not been called yet, without any platform. */
static inline void hide_platforms(void)
{
    char folder[] = "/tmp/clkl-no-platforms-XXXXXX";
    size_t count = 99;
    cr_assert_not_null(mkdtemp(folder));
    unsetenv("OCL_ICD_FILENAMES");
    setenv("OCL_ICD_VENDORS", folder, 1);
    const clkl_status status = clkl_devices_list(NULL, 0, NULL, &count, NULL);
    rmdir(folder);
    cr_assert_eq(status, CLKL_OK, "no platform is no error");
    cr_assert_eq(count, 0u, "%zu devices in an empty folder", count);
}

/* Creates an engine as `device` says (NULL: as the environment does). */
static inline clkl_status create_on(const char *device, clkl_fallback fallback,
                                    clkl_engine **engine, clkl_error *error)
{
    const clkl_engine_options options = {
        .struct_size = sizeof options, .device = device, .fallback = fallback};
    memset(error, 'x', sizeof *error);
    error->struct_size = sizeof *error;
    *engine = (clkl_engine *)error; /* anything but NULL */
    return clkl_engine_create(&options, engine, error);
}

/* The engine that there has to be. */
static inline clkl_engine *engine_on(const char *device)
{
    clkl_engine *engine;
    clkl_error error;
    const clkl_status status = create_on(device, CLKL_FALLBACK_FORBIDDEN, &engine, &error);
    cr_assert_eq(status, CLKL_OK, "%s: %s", device == NULL ? "any device" : device, error.message);
    cr_assert_not_null(engine);
    return engine;
}

/* All devices, as many as `infos` has room for; returns how many there are. */
static inline size_t list_devices(const char *device, clkl_device_info *infos, size_t capacity)
{
    const clkl_engine_options options = {.struct_size = sizeof options, .device = device};
    clkl_error error = {.struct_size = sizeof error};
    size_t count = 0;
    infos[0].struct_size = sizeof infos[0];
    const clkl_status status = clkl_devices_list(&options, capacity, infos, &count, &error);
    cr_assert_eq(status, CLKL_OK, "%s", error.message);
    cr_assert_leq(count, capacity);
    return count;
}

#endif
