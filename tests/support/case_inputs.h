/* A case as the library is given it: a specification and input arrays. */
#ifndef CLKL_TESTS_CASE_INPUTS_H
#define CLKL_TESTS_CASE_INPUTS_H

#include "cases.h"

#include <clkl/clkl.h>

/* The form that has a mean and a scale of that kind. */
clkl_form scale_kind_form(enum scale_kind kind);

/* The specification of `batch` samples of the case. */
clkl_spec case_spec(const struct test_case *c, uint64_t batch);

/* Which samples: every one, or those whose exact values are listed. */
enum case_samples { CASE_ALL, CASE_LISTED };

/* Makes the array of every operand, of CLKL_F32 or CLKL_F64: NULL for one that the case has not,
 * one row for a shared Q. The test fails if memory is short. */
void case_inputs_make(const struct test_case *c, enum case_samples samples, clkl_dtype dtype,
                      void *arrays[4]);
void case_inputs_free(void *arrays[4]);

#endif
