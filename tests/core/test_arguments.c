/* Structs that begin with their size, from callers that are older or younger than the library. */
#include "core/arguments.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(arguments, .timeout = 60);

/* A struct whose first release ended with `b`. */
struct grown {
    size_t struct_size;
    uint64_t a, b;
    uint64_t c, d; /* later */
};

enum { FIRST = CLKL_SIZE_UP_TO(struct grown, b) };

static const struct clkl_struct_kind kind = {"args", "grown", sizeof(struct grown), FIRST};

/* What a caller holds: the struct, and what lies behind it. */
struct caller {
    struct grown grown;
    unsigned char behind[16];
};

static struct caller make_caller(size_t struct_size)
{
    struct caller caller;
    memset(&caller, 0, sizeof caller);
    caller.grown = (struct grown){struct_size, 1, 2, 3, 4};
    return caller;
}

static clkl_status take(const void *given, struct grown *taken, clkl_error *error)
{
    memset(taken, 0x77, sizeof *taken);
    error->struct_size = sizeof *error;
    return clkl_take_struct(&kind, given, taken, error);
}

Test(arguments, the_same_version)
{
    const struct caller caller = make_caller(sizeof caller.grown);
    struct grown taken;
    clkl_error error;
    cr_assert_eq(take(&caller, &taken, &error), CLKL_OK);
    cr_expect_eq(memcmp(&taken, &caller.grown, sizeof taken), 0);
}

Test(arguments, what_an_older_caller_does_not_have_is_0)
{
    clkl_error error;
    struct grown taken;
    const struct caller first = make_caller(FIRST);
    cr_assert_eq(take(&first, &taken, &error), CLKL_OK);
    cr_expect(taken.a == 1 && taken.b == 2 && taken.c == 0 && taken.d == 0);
    cr_expect_eq(taken.struct_size, sizeof taken, "later checks see a whole struct");
    const struct caller second = make_caller(CLKL_SIZE_UP_TO(struct grown, c));
    cr_assert_eq(take(&second, &taken, &error), CLKL_OK);
    cr_expect(taken.a == 1 && taken.b == 2 && taken.c == 3 && taken.d == 0);
}

Test(arguments, less_than_the_first_version_is_refused)
{
    clkl_error error;
    struct grown taken;
    for (size_t size = 0; size < FIRST; ++size) {
        const struct caller caller = make_caller(size);
        cr_expect_eq(take(&caller, &taken, &error), CLKL_INVALID_ARGUMENT, "size %zu", size);
        cr_expect_not_null(strstr(error.message, "args->struct_size"), "%s", error.message);
    }
}

Test(arguments, a_size_that_was_never_set_is_refused)
{
    clkl_error error;
    struct grown taken;
    const struct caller caller = make_caller((size_t)CLKL_MOST_STRUCT_BYTES + 1);
    cr_expect_eq(take(&caller, &taken, &error), CLKL_INVALID_ARGUMENT);
}

Test(arguments, what_a_younger_caller_sets_must_be_0)
{
    clkl_error error;
    struct {
        struct caller caller;
        unsigned char guard;
    } whole = {make_caller(sizeof(struct caller)), 0};
    struct grown taken[2];
    memset(taken, 0x77, sizeof taken);
    cr_expect_eq(take(&whole, &taken[0], &error), CLKL_OK);
    cr_expect_eq(taken[0].d, 4);
    cr_expect_eq(taken[0].struct_size, sizeof taken[0]);
    cr_expect_eq(((unsigned char *)&taken[1])[0], 0x77, "nothing is written beyond our struct");
    for (size_t i = 0; i < sizeof whole.caller.behind; ++i) {
        whole.caller.behind[i] = 1;
        cr_expect_eq(take(&whole, &taken[0], &error), CLKL_UNSUPPORTED, "byte %zu", i);
        whole.caller.behind[i] = 0;
    }
    whole.guard = 1; /* beyond the struct's own size */
    cr_expect_eq(take(&whole, &taken[0], &error), CLKL_OK);
}

Test(arguments, null_is_refused)
{
    clkl_error error;
    struct grown taken;
    cr_expect_eq(take(NULL, &taken, &error), CLKL_INVALID_ARGUMENT);
    cr_expect_not_null(strstr(error.message, "args is NULL"));
}

/* Every public struct: one byte short of the first release is refused, by the call that takes it.
 */
Test(arguments, public_structs_have_their_first_size)
{
    clkl_spec spec, taken_spec;
    clkl_host_args args = {.struct_size = sizeof args}, taken_args;
    clkl_engine_options options = {.struct_size = sizeof options}, taken_options;
    clkl_spec_moments(&spec, 2, (size_t[]){1, 1});
    cr_expect_eq(clkl_take_spec(&spec, &taken_spec, NULL), CLKL_OK);
    cr_expect_eq(clkl_take_host_args(&args, &taken_args, NULL), CLKL_OK);
    cr_expect_eq(clkl_take_engine_options(&options, &taken_options, NULL), CLKL_OK);
    cr_expect_eq(clkl_take_engine_options(NULL, &taken_options, NULL), CLKL_OK);
    cr_expect_null(taken_options.device);
    spec.struct_size = CLKL_SIZE_UP_TO(clkl_spec, reserved) - 1;
    args.struct_size = CLKL_SIZE_UP_TO(clkl_host_args, reserved) - 1;
    options.struct_size = CLKL_SIZE_UP_TO(clkl_engine_options, reserved) - 1;
    cr_expect_eq(clkl_take_spec(&spec, &taken_spec, NULL), CLKL_INVALID_ARGUMENT);
    cr_expect_eq(clkl_take_host_args(&args, &taken_args, NULL), CLKL_INVALID_ARGUMENT);
    cr_expect_eq(clkl_take_engine_options(&options, &taken_options, NULL), CLKL_INVALID_ARGUMENT);
}
