/* Programs as blobs: exported from one device, imported into another of a new context. */
#include "core/blob.h"
#include "device.h"
#include "hash.h"
#include "opencl/program.h"
#include "opencl/sources.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct test_device device;

static void open_device(void)
{
    test_device_open(&device);
}

static void close_device(void)
{
    test_device_close(&device);
}

TestSuite(program_blob, .init = open_device, .fini = close_device, .timeout = 300);

enum { BATCH = 3, LENGTH = 100, LONG = 40000 };

static clkl_spec spec_of(size_t length, clkl_clamp clamp)
{
    clkl_spec spec;
    clkl_spec_moments(&spec, 2, (size_t[]){BATCH, length});
    spec.clamp = clamp;
    spec.clamp_low = -1;
    spec.clamp_high = 1;
    return spec;
}

static clkl_plan *make_plan(struct test_device *on, const clkl_spec *spec)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_plan *plan = NULL;
    cr_assert_eq(clkl_plan_create(on->device, spec, 0, &plan, &error), CLKL_OK, "%s\n%s",
                 error.message, error.build_log);
    return plan;
}

static void build(struct test_device *on, const clkl_spec *spec)
{
    clkl_plan_release(make_plan(on, spec));
}

static size_t count_programs(const struct test_device *on)
{
    size_t count = 0;
    for (const struct clkl_program *entry = on->device->programs; entry != NULL;
         entry = entry->next)
        ++count;
    return count;
}

static unsigned char *export_all(struct test_device *on, size_t *size)
{
    clkl_error error = {.struct_size = sizeof error};
    cr_assert_eq(clkl_device_export_programs(on->device, 0, NULL, size, &error), CLKL_OK, "%s",
                 error.message);
    unsigned char *blob = malloc(*size);
    cr_assert_not_null(blob);
    cr_assert_eq(clkl_device_export_programs(on->device, *size, blob, size, &error), CLKL_OK, "%s",
                 error.message);
    return blob;
}

static clkl_status import_all(struct test_device *on, const void *blob, size_t size,
                              clkl_error *error)
{
    memset(error, 0, sizeof *error);
    error->struct_size = sizeof *error;
    return clkl_device_import_programs(on->device, blob, size, error);
}

/* Results of a specification, from the same numbers each time. */
static void compute(struct test_device *on, const clkl_spec *spec, float result[BATCH])
{
    const size_t count = 2 * BATCH * (size_t)spec->shape[1];
    float *moments = malloc(count * sizeof *moments);
    cr_assert_not_null(moments);
    for (size_t i = 0; i < count; ++i)
        moments[i] = hash_uniform_float(7, 0, i, -2.0, 2.0);
    const struct test_inputs inputs = {.arrays = {moments, NULL, NULL, NULL}};
    test_device_run(on, spec, NULL, &inputs, 0, result, NULL, NULL);
    free(moments);
}

Test(program_blob, plans_build_nothing_that_was_imported)
{
    const clkl_spec specs[] = {spec_of(LENGTH, CLKL_NO_CLAMP), spec_of(LONG, CLKL_NO_CLAMP),
                               spec_of(LENGTH, CLKL_CLAMP)};
    struct test_device other;
    clkl_error error;
    size_t size = 0;
    for (int i = 0; i < 3; ++i)
        build(&device, &specs[i]);
    const size_t programs = count_programs(&device);
    unsigned char *blob = export_all(&device, &size);
    test_device_open(&other);
    cr_assert_eq(import_all(&other, blob, size, &error), CLKL_OK, "%s", error.message);
    free(blob);
    cr_expect_eq(count_programs(&other), programs);
    for (int i = 0; i < 3; ++i) {
        float expected[BATCH], found[BATCH];
        compute(&device, &specs[i], expected);
        compute(&other, &specs[i], found);
        cr_expect_eq(memcmp(expected, found, sizeof found), 0, "specification %d", i);
    }
    cr_expect_eq(count_programs(&other), programs, "a plan built what the blob had");
    const clkl_spec sum = {.struct_size = sizeof sum,
                           .rank = 2,
                           .shape = {BATCH, LENGTH},
                           .p.form = CLKL_MEAN_STD,
                           .q.form = CLKL_MEAN_VAR};
    build(&other, &sum);
    cr_expect_eq(count_programs(&other), programs + 1, "options that the blob does not have");
    test_device_close(&other);
}

Test(program_blob, programs_that_are_there_stay)
{
    const clkl_spec spec = spec_of(LENGTH, CLKL_NO_CLAMP);
    clkl_error error;
    size_t size = 0;
    build(&device, &spec);
    unsigned char *blob = export_all(&device, &size);
    const struct clkl_program *first = device.device->programs;
    for (int i = 0; i < 2; ++i)
        cr_expect_eq(import_all(&device, blob, size, &error), CLKL_OK, "%s", error.message);
    cr_expect_eq(device.device->programs, first);
    cr_expect_null(first->next);
    free(blob);
}

Test(program_blob, a_device_that_built_nothing_has_a_blob)
{
    clkl_error error;
    size_t size = 0;
    unsigned char *blob = export_all(&device, &size);
    cr_expect_eq(import_all(&device, blob, size, &error), CLKL_OK, "%s", error.message);
    cr_expect_null(device.device->programs);
    free(blob);
}

Test(program_blob, too_little_room)
{
    const clkl_spec spec = spec_of(LENGTH, CLKL_NO_CLAMP);
    clkl_error error = {.struct_size = sizeof error};
    unsigned char few[64], untouched[64];
    size_t size = 0;
    memset(few, 0x55, sizeof few);
    memset(untouched, 0x55, sizeof untouched);
    build(&device, &spec);
    cr_expect_eq(clkl_device_export_programs(device.device, sizeof few, few, &size, &error),
                 CLKL_BUFFER_TOO_SMALL);
    cr_expect_gt(size, sizeof few);
    cr_expect_eq(memcmp(few, untouched, sizeof few), 0);
}

Test(program_blob, nulls_are_refused)
{
    clkl_error error;
    size_t size = 1;
    unsigned char byte = 0;
    cr_expect_eq(clkl_device_export_programs(NULL, 0, NULL, &size, NULL), CLKL_INVALID_ARGUMENT);
    cr_expect_eq(clkl_device_export_programs(device.device, 0, NULL, NULL, NULL),
                 CLKL_INVALID_ARGUMENT);
    cr_expect_eq(clkl_device_export_programs(device.device, 1, NULL, &size, NULL),
                 CLKL_INVALID_ARGUMENT);
    cr_expect_eq(clkl_device_import_programs(NULL, &byte, 1, NULL), CLKL_INVALID_ARGUMENT);
    cr_expect_eq(import_all(&device, NULL, 1, &error), CLKL_INVALID_ARGUMENT);
    cr_expect_eq(import_all(&device, &byte, 0, &error), CLKL_BLOB_REFUSED);
}

/* ---- What is refused, and that plans then build from source ---- */

static void expect_refusal(const void *blob, size_t size, const char *words)
{
    const clkl_spec spec = spec_of(LENGTH, CLKL_NO_CLAMP);
    struct test_device other;
    clkl_error error;
    float expected[BATCH], found[BATCH];
    test_device_open(&other);
    cr_expect_eq(import_all(&other, blob, size, &error), CLKL_BLOB_REFUSED);
    cr_expect_not_null(strstr(error.message, words), "expected \"%s\" in \"%s\"", words,
                       error.message);
    cr_expect_null(other.device->programs);
    compute(&device, &spec, expected);
    compute(&other, &spec, found);
    cr_expect_eq(memcmp(expected, found, sizeof found), 0);
    test_device_close(&other);
}

Test(program_blob, a_damaged_one_is_refused)
{
    const clkl_spec spec = spec_of(LENGTH, CLKL_NO_CLAMP);
    size_t size = 0;
    build(&device, &spec);
    unsigned char *blob = export_all(&device, &size);
    expect_refusal(blob, size - 1, "damaged");
    blob[size / 2] ^= 0x10;
    expect_refusal(blob, size, "checksum");
    free(blob);
}

/* The identity that this device's blobs have. */
static void read_identity(struct test_device *on, char *identity, size_t *length)
{
    size_t size = 0;
    unsigned char *blob = export_all(on, &size);
    *length = blob[32] + 256u * blob[33];
    cr_assert(*length < 1024);
    memcpy(identity, blob + 40, *length);
    identity[*length] = '\0';
    free(blob);
}

/* A blob of one program, for a made-up maker. */
static void expect_maker_refused(const char *identity, const char *words)
{
    const struct clkl_blob_entry entry = {"-DA", 3, (const unsigned char *)"x", 1};
    const size_t size = clkl_blob_size(strlen(identity), &entry, 1);
    unsigned char *blob = malloc(size);
    cr_assert_not_null(blob);
    clkl_blob_write(blob, identity, strlen(identity), &entry, 1);
    expect_refusal(blob, size, words);
    free(blob);
}

Test(program_blob, another_version_kernel_platform_device_or_driver_is_refused)
{
    static const char *const lines[] = {"clkl ", "kernels ", "platform ", "device ", "driver "};
    char identity[1024], other[1024];
    size_t length = 0;
    read_identity(&device, identity, &length);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; ++i) {
        memcpy(other, identity, length + 1);
        char *line = strstr(other, lines[i]);
        cr_assert(line != NULL && (line == other || line[-1] == '\n'), "no line \"%s\"", lines[i]);
        char *last = strchr(line, '\n') - 1; /* the end of the line counts, too */
        *last = *last == 'z' ? 'y' : 'z';
        expect_maker_refused(other, lines[i]);
    }
}

Test(program_blob, the_identity_tells_library_kernels_device_and_driver)
{
    static const cl_device_info infos[] = {CL_DEVICE_NAME, CL_DEVICE_VENDOR, CL_DEVICE_VERSION,
                                           CL_DRIVER_VERSION};
    char identity[1024], text[256];
    size_t length = 0;
    uint64_t hash = CLKL_BLOB_HASH_START;
    read_identity(&device, identity, &length);
    for (int i = 0; i < 4; ++i) {
        cr_assert_eq(clGetDeviceInfo(device.id, infos[i], sizeof text, text, NULL), CL_SUCCESS);
        cr_expect_not_null(strstr(identity, text), "\"%s\" is not in \"%s\"", text, identity);
    }
    for (const struct clkl_source *source = clkl_sources; source->name != NULL; ++source)
        hash = clkl_blob_hash(hash, source->text, source->size);
    snprintf(text, sizeof text, "clkl %d.%d.%d\nkernels %016llx\n", CLKL_VERSION_MAJOR,
             CLKL_VERSION_MINOR, CLKL_VERSION_PATCH, (unsigned long long)hash);
    cr_expect_eq(strncmp(identity, text, strlen(text)), 0, "%s", identity);
}

Test(program_blob, options_are_compared_whole)
{
    struct clkl_program *entry = clkl_program_entry("-DA=12", 6);
    cr_assert_not_null(entry);
    cr_expect_eq(clkl_program_find(entry, "-DA=12", 6), entry);
    cr_expect_null(clkl_program_find(entry, "-DA=12", 5));
    cr_expect_null(clkl_program_find(entry, "-DA=123", 7));
    cr_expect_null(clkl_program_find(NULL, "", 0));
    clkl_program_release_all(entry);
}

Test(program_blob, the_driver_has_the_last_word)
{
    static const char garbage[] = "this is no binary of any driver, and long enough to look at";
    const clkl_spec spec = spec_of(LENGTH, CLKL_NO_CLAMP);
    char identity[1024];
    size_t length = 0, size = 0;
    build(&device, &spec);
    read_identity(&device, identity, &length);
    if (strstr(identity, "platform rusticl") != NULL)
        cr_skip_test("rusticl aborts the process on a binary that it does not know");
    unsigned char *good = export_all(&device, &size);
    struct clkl_blob_reader reader;
    struct clkl_blob_entry entries[2];
    cr_assert_eq(clkl_blob_open(good, size, identity, length, &reader, NULL), CLKL_OK);
    cr_assert_eq(clkl_blob_next(&reader, &entries[0]), 1);
    entries[1] =
        (struct clkl_blob_entry){"-DGARBAGE", 9, (const unsigned char *)garbage, sizeof garbage};
    size = clkl_blob_size(length, entries, 2);
    unsigned char *blob = malloc(size);
    cr_assert_not_null(blob);
    clkl_blob_write(blob, identity, length, entries, 2);
    expect_refusal(blob, size, "cl");
    free(blob);
    free(good);
}
