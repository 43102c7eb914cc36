/* Building programs: the device's list, and what a failing build leaves and tells. */
#include "device.h"
#include "opencl/program.h"
#include "opencl/sources.h"

#include <criterion/criterion.h>
#include <string.h>

static struct test_device device;
static struct clkl_program *list;

static void open_device(void)
{
    test_device_open(&device);
}

static void close_device(void)
{
    clkl_program_release_all(list);
    test_device_close(&device);
}

TestSuite(program, .init = open_device, .fini = close_device, .timeout = 120);

static clkl_status build(const char *options, cl_program *program, clkl_error *error)
{
    return clkl_program_find_or_build(&list, device.context, device.id, CLKL_PROGRAM_DIAGONAL,
                                      options, program, error);
}

/* Options that the kernels' text does not compile with, and a word that the compiler's log has. */
static const char broken[] = "-cl-std=CL1.2 -Dreturn=a_word_to_be_found";
static const char word[] = "a_word_to_be_found";

Test(program, a_failing_build_tells_call_code_and_log)
{
    clkl_error error = {.struct_size = sizeof error};
    cl_program program = NULL;
    cr_assert_eq(build(broken, &program, &error), CLKL_BUILD_FAILED);
    cr_expect_eq(error.status, CLKL_BUILD_FAILED);
    cr_expect_str_eq(error.call, "clBuildProgram");
    cr_expect_eq(error.opencl_code, CL_BUILD_PROGRAM_FAILURE);
    cr_expect_not_null(strstr(error.build_log, word), "the log is \"%s\"", error.build_log);
    cr_expect_null(list);
}

Test(program, a_log_that_is_too_long_keeps_its_beginning)
{
    struct {
        clkl_error error;
        char guard[64];
    } told;
    memset(&told, 'x', sizeof told);
    told.error.struct_size = sizeof told.error;
    cl_program program = NULL;
    cr_assert_eq(build(broken, &program, &told.error), CLKL_BUILD_FAILED);
    cr_expect_lt(strnlen(told.error.build_log, sizeof told.error.build_log),
                 sizeof told.error.build_log);
    cr_expect_eq(told.guard[0], 'x');
}

Test(program, an_older_caller_gets_no_log)
{
    clkl_error error;
    cl_program program = NULL;
    memset(&error, 'x', sizeof error);
    error.struct_size = offsetof(clkl_error, build_log);
    cr_assert_eq(build(broken, &program, &error), CLKL_BUILD_FAILED);
    cr_expect_str_eq(error.call, "clBuildProgram");
    cr_expect_eq(error.build_log[0], 'x');
}

Test(program, one_that_is_there_is_not_built_again)
{
    cl_program first = NULL, second = NULL, other = NULL;
    clkl_error error = {.struct_size = sizeof error};
    cr_assert_eq(build("-cl-std=CL1.2", &first, &error), CLKL_OK, "%s", error.build_log);
    cr_assert_eq(build("-cl-std=CL1.2 -DTILE=4", &other, &error), CLKL_OK, "%s", error.build_log);
    cr_assert_eq(build("-cl-std=CL1.2", &second, &error), CLKL_OK);
    cr_expect_eq(first, second);
    cr_expect_neq(first, other);
    cr_expect_eq(build(broken, &second, &error), CLKL_BUILD_FAILED);
    cr_assert_eq(build("-cl-std=CL1.2", &second, &error), CLKL_OK, "after a failure");
    cr_expect_eq(first, second);
}
