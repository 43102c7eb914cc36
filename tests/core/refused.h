/* A specification that must be refused. */
#ifndef CLKL_TESTS_REFUSED_H
#define CLKL_TESTS_REFUSED_H

#include "core/problem.h"

#include <criterion/criterion.h>
#include <string.h>

/* The specification is refused with that status, in words that hold `says`. */
static inline void expect_refused(const clkl_spec *spec, clkl_status status, const char *says)
{
    clkl_error error;
    memset(&error, 'x', sizeof error);
    error.struct_size = sizeof error;
    struct clkl_problem problem;
    cr_expect_eq(clkl_spec_check(spec, &error), status, "expected to be refused: %s", says);
    cr_expect_eq(error.status, status, "%s", says);
    cr_expect_eq(error.opencl_code, 0);
    cr_expect_str_eq(error.call, "");
    cr_expect_str_eq(error.build_log, "");
    cr_expect(strstr(error.message, says) != NULL, "\"%s\" does not say \"%s\"", error.message,
              says);
    cr_expect_eq(clkl_problem_make(spec, &problem, NULL), status);
    cr_expect_eq(clkl_spec_result_count(spec, 0), 0u, "%s", says);
}

#endif
