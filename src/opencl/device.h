/* A device of the caller's context, and the programs built for it. */
#ifndef CLKL_OPENCL_DEVICE_H
#define CLKL_OPENCL_DEVICE_H

#include "opencl/facts.h"

#include <pthread.h>
#include <stdatomic.h>

struct clkl_program;

struct clkl_device {
    atomic_uint references;
    cl_context context;
    cl_device_id id;
    struct clkl_facts facts;
    pthread_mutex_t lock; /* guards programs, and is held while one is built */
    struct clkl_program *programs;
};

/* The place in a list of OpenCL's of a device or of one that it is a part of, for PoCL lists the
 * root device where a sub-device was given; `count` if there is none. */
size_t clkl_device_place(cl_device_id id, const cl_device_id *list, size_t count);

void clkl_device_retain(clkl_device *device);

/* The program for a variant, built if this is the first to ask. It belongs to the device. Calls
 * from other threads wait, so that nothing is built twice. */
clkl_status clkl_device_program(clkl_device *device, const struct clkl_variant *variant,
                                cl_program *program, clkl_error *error);

/* The same from the sources of any kind (opencl/sources.h). */
clkl_status clkl_device_program_of(clkl_device *device, int kind, const char *options,
                                   cl_program *program, clkl_error *error);

#endif
