/* A program of the time of release 0.1: two computations that between them set every field of a
 * specification, and what both must give. */
#ifndef CLKL_ABI_CALLER_H
#define CLKL_ABI_CALLER_H

#define CL_TARGET_OPENCL_VERSION 120
#include <clkl/clkl_opencl.h>

enum { MAX_FLOATS = 128, MAX_VALUES = 8 };

struct computation {
    const char *name;
    clkl_spec spec;
    float p_mean[MAX_FLOATS]; /* or the moments */
    float p_scale[MAX_FLOATS];
    float q_mean[MAX_FLOATS];
    float q_scale[MAX_FLOATS];
    uint64_t batch; /* of the call */
    size_t values;
    double expected[MAX_VALUES];
    uint32_t status[MAX_VALUES];
    clkl_clamp_count counts[MAX_VALUES];
};

/* Packed moments with a stride and a clamp, one value in all, averaged over the batch. */
void make_packed(struct computation *made);

/* Mean and standard deviation against a Q of mean and variance that is repeated over the batch and
 * strided, a smaller batch than planned, one value for each unit, added up over the batch. One
 * variance is negative. */
void make_pair(struct computation *made);

/* Ends the program with a message if `ok` is 0. */
void check(int ok, const char *what);
#define TRY(call) check((call) == 0, #call)

/* Holds what a call wrote against what the computation expects. */
void check_values(const struct computation *made, const double *values, double tolerance,
                  const uint32_t *status, const clkl_clamp_count *counts);
void check_floats(const struct computation *made, const float *values, const uint32_t *status,
                  const clkl_clamp_count *counts);

void call_host(const struct computation *made);
void call_device(const struct computation *made);

#endif
