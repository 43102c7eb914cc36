/* What the library says while one OpenCL call fails. */
#ifndef CLKL_TESTS_FAULTS_VERDICT_H
#define CLKL_TESTS_FAULTS_VERDICT_H

#include "support.h"

struct verdict {
    clkl_status status;
    clkl_error error;
    struct faults_failure failure;
};

/* Orders the call number `nth` of those that will be watched to fail; 0 orders none. */
void verdict_begin(struct verdict *verdict, unsigned nth);

/* Expects that one call failed and that status and error say so. False if nothing was said because
 * the call can be done without. */
bool verdict_expect_reported(struct verdict *verdict, unsigned nth, const char *what);

/* Whether a sweep is over: no call was left to fail, and all went well. It should have taken more
 * than `least` calls. */
bool verdict_is_over(const struct verdict *verdict, unsigned nth, unsigned least, const char *what);

#endif
