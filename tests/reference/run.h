/* Runs the reference on arguments that it has to take. */
#ifndef CLKL_TESTS_RUN_H
#define CLKL_TESTS_RUN_H

#include <clkl/clkl.h>
#include <criterion/criterion.h>

static inline void run(const clkl_spec *spec, clkl_host_args args)
{
    clkl_error error = {.struct_size = sizeof error};
    args.struct_size = sizeof args;
    cr_assert_eq(clkl_reference_run(spec, &args, &error), CLKL_OK, "%s", error.message);
}

#endif
