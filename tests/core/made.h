/* The problem of a specification that must be good. */
#ifndef CLKL_TESTS_MADE_H
#define CLKL_TESTS_MADE_H

#include "core/problem.h"

#include <criterion/criterion.h>

static inline struct clkl_problem made(const clkl_spec *spec)
{
    struct clkl_problem problem;
    clkl_error error = {.struct_size = sizeof error};
    const clkl_status status = clkl_problem_make(spec, &problem, &error);
    cr_assert_eq(status, CLKL_OK, "%s", error.message);
    cr_assert_eq(clkl_spec_check(spec, NULL), CLKL_OK);
    return problem;
}

#endif
