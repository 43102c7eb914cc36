/* The engine: which device it takes, and when the reference. */
#include "engines.h"

#include <ctype.h>

TestSuite(engine, .init = forget_wish, .timeout = 300);

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ---- Choosing a device ---- */

enum { MANY = 16 };

static void expect_device(const char *device, const clkl_device_info *expected)
{
    clkl_engine *engine = engine_on(device);
    cr_expect_str_eq(clkl_engine_backend(engine), expected->name, "\"%s\"", device);
    cr_expect_eq(clkl_engine_is_reference(engine), 0, "\"%s\"", device);
    clkl_engine_release(engine);
}

static void expect_reference(const char *device, clkl_fallback fallback)
{
    clkl_engine *engine;
    clkl_error error;
    cr_assert_eq(create_on(device, fallback, &engine, &error), CLKL_OK, "%s", error.message);
    cr_expect_eq(clkl_engine_is_reference(engine), 1);
    cr_expect_str_eq(clkl_engine_backend(engine), "reference");
    clkl_engine_release(engine);
}

/* No engine for this wish, whether or not the reference may take its place. */
static void expect_no_engine(const char *device, clkl_status status, const char *says)
{
    for (int fallback = CLKL_FALLBACK_ALLOWED; fallback <= CLKL_FALLBACK_FORBIDDEN; ++fallback) {
        clkl_engine *engine;
        clkl_error error;
        cr_expect_eq(create_on(device, (clkl_fallback)fallback, &engine, &error), status,
                     "expected: %s", says);
        cr_expect_null(engine, "%s", says);
        cr_expect_eq(error.status, status);
        cr_expect_not_null(strstr(error.message, says), "\"%s\" does not say \"%s\"", error.message,
                           says);
    }
}

/* The device that is taken when nothing is asked for. */
static clkl_device_info preferred(void)
{
    clkl_device_info infos[MANY];
    const size_t count = list_devices("", infos, MANY);
    size_t chosen = 0;
    while (chosen < count && !infos[chosen].chosen)
        ++chosen;
    cr_assert_lt(chosen, count, "these tests need a device");
    return infos[chosen];
}

Test(engine, takes_the_preferred_device)
{
    const clkl_device_info expected = preferred();
    clkl_engine *engine;
    cr_assert_eq(clkl_engine_create(NULL, &engine, NULL), CLKL_OK);
    cr_expect_str_eq(clkl_engine_backend(engine), expected.name);
    cr_expect_eq(clkl_engine_is_reference(engine), 0);
    clkl_engine_release(engine);
    expect_device(NULL, &expected);
    expect_device("", &expected);
}

Test(engine, takes_the_device_with_that_name)
{
    const clkl_device_info expected = preferred();
    char name[128];
    snprintf(name, sizeof name, "%s", expected.name);
    expect_device(name, &expected);
    for (char *c = name; *c != '\0'; ++c)
        *c = (char)(islower((unsigned char)*c) ? toupper((unsigned char)*c)
                                               : tolower((unsigned char)*c));
    expect_device(name, &expected);
    name[strlen(name) - 1] = '\0';
    expect_device(name + 1, &expected);
    expect_device(expected.platform, &expected);
}

Test(engine, takes_the_device_of_that_type_or_index)
{
    clkl_device_info infos[MANY];
    const size_t count = list_devices("", infos, MANY);
    static const char *const types[] = {"cpu", "gpu", "CPU", "Gpu"};
    for (size_t t = 0; t < COUNT(types); ++t) {
        size_t first = 0;
        while (first < count && (!infos[first].usable ||
                                 tolower((unsigned char)types[t][0]) != infos[first].type[0]))
            ++first;
        if (first < count)
            expect_device(types[t], &infos[first]);
        else
            expect_no_engine(types[t], CLKL_NO_DEVICE, types[t]);
    }
    expect_device("0", &infos[0]);
    expect_no_engine("99", CLKL_NO_DEVICE, "\"99\"");
    expect_no_engine("99999999999999999999999", CLKL_NO_DEVICE, "devices is usable and matches");
}

Test(engine, a_name_without_a_device_gets_no_other)
{
    clkl_engine *engine;
    expect_no_engine("no such device", CLKL_NO_DEVICE, "\"no such device\"");
    expect_no_engine("reference 2", CLKL_NO_DEVICE, "\"reference 2\"");
    expect_no_engine("a cpu", CLKL_NO_DEVICE, "\"a cpu\"");
    setenv("CLKL_DEVICE", "nor this", 1);
    expect_no_engine(NULL, CLKL_NO_DEVICE, "\"nor this\"");
    cr_expect_eq(clkl_engine_create(NULL, &engine, NULL), CLKL_NO_DEVICE);
    cr_expect_null(engine);
}

Test(engine, the_reference_can_be_asked_for)
{
    expect_reference("reference", CLKL_FALLBACK_ALLOWED);
    expect_reference("REFERENCE", CLKL_FALLBACK_FORBIDDEN);
    setenv("CLKL_DEVICE", "reference", 1);
    expect_reference(NULL, CLKL_FALLBACK_FORBIDDEN);
}

Test(engine, the_environment_is_asked_where_the_caller_is_silent)
{
    const clkl_device_info expected = preferred();
    setenv("CLKL_DEVICE", "", 1);
    expect_device(NULL, &expected);
    setenv("CLKL_DEVICE", "reference", 1);
    expect_device("0", &expected);
    expect_device("", &expected);
    setenv("CLKL_DEVICE", "0", 1);
    expect_device(NULL, &expected);
    expect_reference("reference", CLKL_FALLBACK_ALLOWED);
}

Test(engine, names_have_a_length)
{
    char name[200];
    memset(name, 'n', sizeof name);
    name[127] = '\0';
    expect_no_engine(name, CLKL_NO_DEVICE, "nnnn");
    name[127] = 'n';
    name[128] = '\0';
    expect_no_engine(name, CLKL_INVALID_ARGUMENT, "has 128 characters; expected at most 127");
    name[128] = 'n';
    name[199] = '\0';
    setenv("CLKL_DEVICE", name, 1);
    expect_no_engine(NULL, CLKL_INVALID_ARGUMENT, "has 199 characters");
}

Test(engine, without_a_platform_the_reference_takes_over_if_it_may)
{
    clkl_engine *engine;
    clkl_error error;
    hide_platforms();
    cr_assert_eq(clkl_engine_create(NULL, &engine, NULL), CLKL_OK);
    cr_expect_eq(clkl_engine_is_reference(engine), 1);
    clkl_engine_release(engine);
    expect_reference("", CLKL_FALLBACK_ALLOWED);
    expect_reference("reference", CLKL_FALLBACK_FORBIDDEN);
    cr_expect_eq(create_on(NULL, CLKL_FALLBACK_FORBIDDEN, &engine, &error), CLKL_NO_DEVICE);
    cr_expect_null(engine);
    cr_expect_not_null(strstr(error.message, "no OpenCL device"), "%s", error.message);
}

Test(engine, without_a_platform_nothing_takes_the_place_of_what_was_asked_for)
{
    static const char *const wishes[] = {"cpu", "gpu", "0", "pocl", "llvmpipe", "referenc"};
    hide_platforms();
    for (size_t i = 0; i < COUNT(wishes); ++i) {
        unsetenv("CLKL_DEVICE");
        expect_no_engine(wishes[i], CLKL_NO_DEVICE, "no OpenCL device");
        setenv("CLKL_DEVICE", wishes[i], 1);
        expect_no_engine(NULL, CLKL_NO_DEVICE, "no OpenCL device");
    }
}

static void expect_options_refused(const clkl_engine_options *options, const char *says)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_engine *engine = (clkl_engine *)&error;
    cr_expect_eq(clkl_engine_create(options, &engine, &error), CLKL_INVALID_ARGUMENT, "%s", says);
    cr_expect_null(engine, "%s", says);
    cr_expect_eq(error.status, CLKL_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(error.message, says), "\"%s\" does not say \"%s\"", error.message,
                       says);
}

Test(engine, options_are_checked)
{
    clkl_engine_options options = {.struct_size = sizeof options - 1};
    clkl_error error = {.struct_size = sizeof error};
    expect_options_refused(&options, "options->struct_size");
    options.struct_size = sizeof options;
    options.fallback = (clkl_fallback)2;
    expect_options_refused(&options, "unknown fallback 2");
    options.fallback = CLKL_FALLBACK_ALLOWED;
    options.reserved[0] = 1;
    expect_options_refused(&options, "options->reserved[0]");
    cr_expect_eq(clkl_engine_create(NULL, NULL, &error), CLKL_INVALID_ARGUMENT);
    cr_expect_str_eq(error.message, "engine is NULL");
    clkl_engine_release(NULL);
    cr_expect_null(clkl_engine_backend(NULL));
    cr_expect_eq(clkl_engine_is_reference(NULL), 0);
}
