/* The OpenCL device that a test runs on: the first usable one that the environment lets through. */
#ifndef CLKL_TESTS_DEVICE_H
#define CLKL_TESTS_DEVICE_H

#include "opencl/plan.h"

struct test_device {
    cl_device_id id;
    cl_context context;
    cl_command_queue queue;
    clkl_device *device;
};

/* Opens it; the test fails if there is none. */
void test_device_open(struct test_device *device);
void test_device_close(struct test_device *device);

/* Makes the library take it for a GPU, so that a CPU runs what GPUs get. */
void test_device_pretend_gpu(struct test_device *device);

/* Whether it has double precision. */
bool test_device_has_fp64(const struct test_device *device);

/* Whether it computes with subnormal numbers (CL_FP_DENORM) of a compute type instead of flushing
 * them to 0. */
bool test_device_keeps_subnormals(const struct test_device *device, clkl_dtype compute);

/* Input arrays on the host; NULL where there is none. Extents are computed from the problem. */
struct test_inputs {
    const void *arrays[CLKL_ARRAYS];
    const void *weights; /* for expected_make alone */
};

/* Computes `spec` on the device into `result`, of its compute type (and, where not NULL, status and
 * clamp counts), with `tuning` or automatically if NULL. The test fails if anything does. */
void test_device_run(struct test_device *device, const clkl_spec *spec,
                     const struct clkl_tuning *tuning, const struct test_inputs *inputs,
                     uint64_t batch, void *result, uint32_t *status, clkl_clamp_count *counts);

/* A buffer with a copy of `bytes` bytes; the test fails if it cannot be had. */
cl_mem test_buffer(struct test_device *device, const void *data, size_t bytes);

#endif
