/*
 * One call with gradients, weights, free bits, of any types, on the device and on the reference.
 *
 *     struct gradient_call call;
 *     gradient_call_make(&call, &spec);
 *     ... change what is in its arrays, or how it is run ...
 *     gradient_call_check(&call, &device, "what is tried here");
 *     gradient_call_free(&call);
 */
#ifndef CLKL_TESTS_GRADIENT_CALL_H
#define CLKL_TESTS_GRADIENT_CALL_H

#include "device.h"

enum { GRADIENT_ROOM = 16 }; /* elements that stay as they are on either side of a gradient */

struct gradient_call {
    clkl_spec spec;
    struct clkl_problem problem; /* of the planned batch */
    void *inputs[CLKL_OPERANDS]; /* NULL where there is none */
    uint64_t counts[CLKL_OPERANDS];
    clkl_dtype types[CLKL_OPERANDS]; /* 0: bytes */

    /* How it is run; all of it begins as 0. */
    const struct clkl_tuning *tuning;
    uint64_t batch;
    clkl_upstream_factors factors;
    bool no_upstream;
    uint32_t left_out; /* gradients whose buffer is NULL, as CLKL_GRADIENT_... */
    size_t shift;      /* elements before the first in every buffer, at most GRADIENT_ROOM */
    bool one_buffer;   /* the gradients of P, and those of Q, lie in one buffer each; the scale's
                          begins between_gradients elements behind the mean's */
    size_t between_gradients;
    double held; /* what gradients' buffers hold before the call, beside gradient_before */
    cl_command_queue queue; /* NULL: the device's */

    /* What came out: gradients with their room, of the gradient type. */
    void *result;
    uint32_t *status;
    clkl_clamp_count *clamped;
    void *gradients[CLKL_ARRAYS];
    uint64_t sizes[CLKL_ARRAYS]; /* elements, room included */
};

/* Inputs drawn for the kinds, types and layouts of a specification: scales around 1, weights of
 * which some are 0, lengths of which some are 0 and some too long. */
void gradient_call_make(struct gradient_call *call, const clkl_spec *spec);
void gradient_call_free(struct gradient_call *call);

/* Numbers of an input. */
double gradient_input(const struct gradient_call *call, int operand, uint64_t place);
void gradient_input_set(struct gradient_call *call, int operand, uint64_t place, double x);

/* The device's gradient at a place of its array. */
double gradient_at(const struct gradient_call *call, int operand, uint64_t place);

/* What the buffer of a gradient holds at a place before the call: a number of every type. */
double gradient_before(uint64_t place);

/* Runs it on the device. The test fails if anything does. */
void gradient_call_run(struct gradient_call *call, struct test_device *device);

/* Expects what came out to agree with the reference: gradients to 1e-6 of the sum of the absolute
 * values of their terms (fp64: 2e-14, as the reference has its errors too) and the rounding of
 * their type, what lies around and between them untouched, and values to 5e-7 (8e-15). */
void gradient_call_expect(const struct gradient_call *call, const char *what, ...)
    __attribute__((format(printf, 2, 3)));

/* Both. */
void gradient_call_check(struct gradient_call *call, struct test_device *device, const char *what);

#endif
