/* Status names, the version, and how failures are reported. */
#include "core/arguments.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(status, .timeout = 60);

/* ---- Names ---- */

enum { STATUS_COUNT = 12 };

Test(status, numbers_are_pinned)
{
    static const clkl_status statuses[STATUS_COUNT] = {
        CLKL_OK,
        CLKL_INVALID_ARGUMENT,
        CLKL_INVALID_SPEC,
        CLKL_UNSUPPORTED,
        CLKL_OUT_OF_HOST_MEMORY,
        CLKL_OUT_OF_DEVICE_MEMORY,
        CLKL_BUFFER_TOO_SMALL,
        CLKL_NO_DEVICE,
        CLKL_BUILD_FAILED,
        CLKL_OPENCL_ERROR,
        CLKL_INTERNAL_ERROR,
        CLKL_BLOB_REFUSED,
    };
    for (int i = 0; i < STATUS_COUNT; ++i)
        cr_expect_eq((int)statuses[i], i);
}

Test(status, every_status_has_a_name_of_its_own)
{
    const char *unknown = clkl_status_string((clkl_status)STATUS_COUNT);
    for (int i = 0; i < STATUS_COUNT; ++i) {
        const char *name = clkl_status_string((clkl_status)i);
        cr_assert_not_null(name);
        cr_expect_gt(strlen(name), 6u, "status %d: \"%s\"", i, name);
        cr_expect_str_neq(name, unknown, "status %d has no name", i);
        for (int other = 0; other < i; ++other)
            cr_expect_str_neq(name, clkl_status_string((clkl_status)other), "%d and %d", i, other);
    }
    cr_expect_str_eq(clkl_status_string(CLKL_BUFFER_TOO_SMALL), "buffer too small");
}

Test(status, unknown_values_have_a_name)
{
    static const int values[] = {-1, STATUS_COUNT, 1000, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; ++i)
        cr_expect_str_eq(clkl_status_string((clkl_status)values[i]), "unknown status");
}

Test(status, version_is_that_of_the_header)
{
    const uint32_t version = clkl_version();
    cr_expect_eq(version / 10000, (uint32_t)CLKL_VERSION_MAJOR);
    cr_expect_eq(version / 100 % 100, (uint32_t)CLKL_VERSION_MINOR);
    cr_expect_eq(version % 100, (uint32_t)CLKL_VERSION_PATCH);
}

/* ---- Failures ---- */

/* An error full of what an earlier failure may have left. */
static clkl_error stale_error(size_t struct_size)
{
    clkl_error error;
    memset(&error, 'x', sizeof error);
    error.struct_size = struct_size;
    return error;
}

Test(status, a_failure_fills_the_error)
{
    clkl_error error = stale_error(sizeof error);
    cr_expect_eq(clkl_fail(&error, CLKL_NO_DEVICE, "found %d, expected %s", 7, "eight"),
                 CLKL_NO_DEVICE);
    cr_expect_eq(error.struct_size, sizeof error);
    cr_expect_eq(error.status, CLKL_NO_DEVICE);
    cr_expect_eq(error.opencl_code, 0);
    cr_expect_str_eq(error.call, "");
    cr_expect_str_eq(error.message, "found 7, expected eight");
    cr_expect_str_eq(error.build_log, "");
}

Test(status, a_long_message_is_cut)
{
    char text[1000];
    memset(text, 'm', sizeof text);
    text[sizeof text - 1] = '\0';
    clkl_error error = stale_error(sizeof error);
    clkl_fail(&error, CLKL_INVALID_SPEC, "%s", text);
    cr_expect_eq(strlen(error.message), sizeof error.message - 1);
    cr_expect_str_eq(error.build_log, "");
    clkl_fail_opencl(&error, text, -30);
    cr_expect_eq(strlen(error.call), sizeof error.call - 1);
}

Test(status, without_an_error_only_the_status_comes_back)
{
    const uint64_t reserved[8] = {0, 0, 0, 1};
    cr_expect_eq(clkl_fail(NULL, CLKL_UNSUPPORTED, "%d", 1), CLKL_UNSUPPORTED);
    cr_expect_eq(clkl_fail_opencl(NULL, "clFinish", -5), CLKL_OPENCL_ERROR);
    cr_expect_eq(clkl_check_reserved(reserved, "x", CLKL_INVALID_SPEC, NULL), CLKL_INVALID_SPEC);
}

/* Fails with errors of callers whose clkl_error ends after each byte: nothing beyond is touched,
 * and each field that fits is written. */
static void check_older_caller(size_t size)
{
    const clkl_error before = stale_error(size);
    clkl_error error = before;
    cr_expect_eq(clkl_fail_opencl(&error, "clFlush", -36), CLKL_OPENCL_ERROR);
    cr_expect_eq(memcmp((char *)&error + size, (const char *)&before + size, sizeof error - size),
                 0, "size %zu: written beyond the struct", size);
    cr_expect_eq(error.struct_size, size);
    if (size >= offsetof(clkl_error, opencl_code))
        cr_expect_eq(error.status, CLKL_OPENCL_ERROR, "size %zu", size);
    if (size >= offsetof(clkl_error, call))
        cr_expect_eq(error.opencl_code, -36, "size %zu", size);
    if (size >= offsetof(clkl_error, message))
        cr_expect_str_eq(error.call, "clFlush", "size %zu", size);
    if (size >= offsetof(clkl_error, build_log))
        cr_expect_not_null(strstr(error.message, "CL_INVALID_COMMAND_QUEUE"), "size %zu", size);
}

Test(status, an_older_caller_keeps_what_lies_beyond_its_struct)
{
    for (size_t size = sizeof(size_t); size <= sizeof(clkl_error); ++size)
        check_older_caller(size);
    clkl_error forgotten = stale_error(0);
    clkl_fail(&forgotten, CLKL_NO_DEVICE, "text");
    cr_expect_eq(forgotten.call[0], 'x', "a struct of size 0 has no fields");
    cr_expect_neq(forgotten.status, CLKL_NO_DEVICE);
}

Test(status, a_newer_caller_gets_all_that_is_known)
{
    struct {
        clkl_error error;
        char future[64];
    } newer;
    memset(&newer, 'x', sizeof newer);
    newer.error.struct_size = sizeof newer;
    clkl_fail(&newer.error, CLKL_NO_DEVICE, "text");
    cr_expect_eq(newer.error.status, CLKL_NO_DEVICE);
    cr_expect_str_eq(newer.error.message, "text");
    cr_expect_eq(newer.future[0], 'x');
}

/* ---- OpenCL's codes ---- */

/* Numbers of CL/cl.h, written out: this room sees nothing of it. */
static const struct {
    int32_t code;
    clkl_status status;
    const char *name;
} codes[] = {
    {-4, CLKL_OUT_OF_DEVICE_MEMORY, "CL_MEM_OBJECT_ALLOCATION_FAILURE"},
    {-61, CLKL_OUT_OF_DEVICE_MEMORY, "CL_INVALID_BUFFER_SIZE"},
    {-6, CLKL_OUT_OF_HOST_MEMORY, "CL_OUT_OF_HOST_MEMORY"},
    {-11, CLKL_BUILD_FAILED, "CL_BUILD_PROGRAM_FAILURE"},
    {-1, CLKL_OPENCL_ERROR, "CL_DEVICE_NOT_FOUND"},
    {-2, CLKL_OPENCL_ERROR, "CL_DEVICE_NOT_AVAILABLE"},
    {-3, CLKL_OPENCL_ERROR, "CL_COMPILER_NOT_AVAILABLE"},
    {-5, CLKL_OPENCL_ERROR, "CL_OUT_OF_RESOURCES"},
    {-30, CLKL_OPENCL_ERROR, "CL_INVALID_VALUE"},
    {-33, CLKL_OPENCL_ERROR, "CL_INVALID_DEVICE"},
    {-34, CLKL_OPENCL_ERROR, "CL_INVALID_CONTEXT"},
    {-35, CLKL_OPENCL_ERROR, "CL_INVALID_QUEUE_PROPERTIES"},
    {-36, CLKL_OPENCL_ERROR, "CL_INVALID_COMMAND_QUEUE"},
    {-38, CLKL_OPENCL_ERROR, "CL_INVALID_MEM_OBJECT"},
    {-46, CLKL_OPENCL_ERROR, "CL_INVALID_KERNEL_NAME"},
    {-51, CLKL_OPENCL_ERROR, "CL_INVALID_ARG_SIZE"},
    {-54, CLKL_OPENCL_ERROR, "CL_INVALID_WORK_GROUP_SIZE"},
    {-63, CLKL_OPENCL_ERROR, "CL_INVALID_GLOBAL_WORK_SIZE"},
    {-1001, CLKL_OPENCL_ERROR, "CL_PLATFORM_NOT_FOUND_KHR"},
    {-12345, CLKL_OPENCL_ERROR, "unknown error"},
};

Test(status, opencl_codes_become_statuses)
{
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; ++i) {
        clkl_error error = stale_error(sizeof error);
        char number[16];
        snprintf(number, sizeof number, "(%d)", (int)codes[i].code);
        cr_expect_eq(clkl_fail_opencl(&error, "clSomething", codes[i].code), codes[i].status,
                     "code %d", (int)codes[i].code);
        cr_expect_eq(error.status, codes[i].status);
        cr_expect_eq(error.opencl_code, codes[i].code);
        cr_expect_str_eq(error.call, "clSomething");
        cr_expect_not_null(strstr(error.message, "clSomething"), "%s", error.message);
        cr_expect_not_null(strstr(error.message, codes[i].name), "%s", error.message);
        cr_expect_not_null(strstr(error.message, number), "%s", error.message);
        cr_expect_str_eq(error.build_log, "");
        cr_expect_str_eq(clkl_opencl_code_string(codes[i].code), codes[i].name);
    }
}

/* ---- Reserved words ---- */

Test(status, a_reserved_word_that_is_not_zero_is_named)
{
    uint64_t reserved[8] = {0};
    clkl_error error = stale_error(sizeof error);
    cr_expect_eq(clkl_check_reserved(reserved, "x->reserved", CLKL_INVALID_SPEC, &error), CLKL_OK);
    cr_expect_eq(error.call[0], 'x', "written although nothing failed");
    for (int i = 0; i < 8; ++i) {
        char name[32];
        snprintf(name, sizeof name, "x->reserved[%d]", i);
        reserved[i] = (uint64_t)1 << (8 * i);
        cr_expect_eq(clkl_check_reserved(reserved, "x->reserved", CLKL_INVALID_ARGUMENT, &error),
                     CLKL_INVALID_ARGUMENT, "word %d", i);
        cr_expect_not_null(strstr(error.message, name), "%s", error.message);
        reserved[i] = 0;
    }
}
