/* What the tests with the layer share: a device behind it, and jobs to be computed there. */
#ifndef CLKL_TESTS_FAULTS_SUPPORT_H
#define CLKL_TESTS_FAULTS_SUPPORT_H

#include "layer.h"

#include "support/compare.h"

#include <criterion/criterion.h>

#define REQUIRE(call)                                                        \
    do {                                                                     \
        const int code_ = (int)(call);                                       \
        cr_assert(code_ == 0, "%s: %s returned %d", __func__, #call, code_); \
    } while (0)

/* Names the layer to the loader, which must not have been called yet, and asserts that it is there.
 */
void faults_open(void);

/* faults_open, and the device, as `fake` says (NULL: as it is). */
void faults_open_device(struct test_device *device, const struct faults_fake *fake);

/* The value of `call`, a call of the library's, made while the layer watches. */
#define WATCHED(call) (faults_watch(true), faults_watched(call))
static inline clkl_status faults_watched(clkl_status status)
{
    faults_watch(false);
    return status;
}

/* Expects as many references as there were. */
void expect_live(const struct faults_live *before, const char *what, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- Jobs ---- */

enum job_kind {
    JOB_SHORT_ROWS,  /* one stage */
    JOB_MEDIUM_ROWS, /* one stage, whole vectors: where the device is a GPU, aligned */
    JOB_LONG_ROWS,   /* two stages, Q given */
    JOB_ONE_VALUE,   /* two stages, one row over the whole batch */
    JOB_KEPT_AXIS,   /* a value per channel; P gathers */
    JOB_GATHERS,     /* both sides gather, of different kinds */
    JOB_SHARED_Q,    /* Q without the batch axis */
    JOB_GRADIENTS, /* lengths; gradients beside values in two stages, and in a pass of their own */
    JOB_DETERMINISTIC, /* fills */
    JOB_KINDS
};

/* A computation on buffers of the caller's, with all outputs. */
struct job {
    const char *name;
    struct test_device *device;
    clkl_spec spec;
    float *arrays[CLKL_ARRAYS];
    uint32_t *lengths;             /* NULL without them */
    float *gradients[CLKL_ARRAYS]; /* the reference's; NULL where there is none */
    struct expected expected;
    clkl_plan *plan; /* NULL until job_plan */
    clkl_args args;  /* scratch is NULL until job_plan */
};

/* Inputs, and outputs that hold 0xff; no plan. */
void job_make(struct job *job, struct test_device *device, enum job_kind kind);
void job_free(struct job *job);

/* Makes the plan, with warm-up, and scratch if it needs some. The test fails if there is none. */
void job_plan(struct job *job);

/* Fills the outputs with 0xff, and tells whether they hold that still; both finish the queue. */
void job_spoil(struct job *job);
bool job_is_untouched(struct job *job);

/* Expects the outputs to agree with the reference, after all that is in the device's queue. */
void job_expect_results(struct job *job, const char *what);

/* Enqueues it on the device's queue, unwatched, and expects right results. */
void job_expect_to_run(struct job *job, const char *what);

/* ---- Events ---- */

cl_event user_event(struct test_device *device);
cl_int event_status(cl_event event);
void wait_a_moment(void);

#endif
