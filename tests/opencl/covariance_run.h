/* Full covariances on the device: one call with all its outputs. */
#ifndef CLKL_TESTS_COVARIANCE_RUN_H
#define CLKL_TESTS_COVARIANCE_RUN_H

#include "support/device.h"

/* What comes back, as doubles whatever the compute type; to be freed. */
struct covariance_outcome {
    uint64_t values; /* of the result */
    double *result;
    double *parts; /* two of each value; NULL if the specification does not ask for them */
    uint32_t *value_status;
    clkl_matrix_status *status; /* of each sample; NULL likewise */
};

/* Everything that a call may have beside the usual. */
struct covariance_call {
    const struct clkl_tuning *tuning; /* NULL: automatic */
    uint64_t batch;                   /* 0: as planned */
    size_t offset;                    /* elements before the first of every array */
    uint32_t flags;                   /* of the plan */
};

/* Computes; arrays are those of clkl_host_args, NULL where there are none. The outputs are filled
 * with garbage before, and nothing around them may change. */
void covariance_run(struct test_device *device, const clkl_spec *spec,
                    const struct test_inputs *inputs, const struct covariance_call *call,
                    struct covariance_outcome *outcome);
void covariance_outcome_free(struct covariance_outcome *outcome);

/* The same by the reference. */
void covariance_reference(const clkl_spec *spec, const struct test_inputs *inputs, uint64_t batch,
                          struct covariance_outcome *outcome);

/* Whether all bits are the same. */
bool covariance_outcome_equal(const struct covariance_outcome *a,
                              const struct covariance_outcome *b, const clkl_spec *spec,
                              uint64_t batch);

#endif
