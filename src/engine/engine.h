/* The engine: a device with a context and a queue of its own, or the reference. */
#ifndef CLKL_ENGINE_ENGINE_H
#define CLKL_ENGINE_ENGINE_H

#include "opencl/cl.h"

#include <stdbool.h>

struct clkl_engine {
    bool reference;
    char backend[128];
    cl_context context;
    cl_command_queue queue;
    clkl_device *device;
    bool shares_memory; /* the device reads host memory in place */
    cl_ulong memory;
};

/* Computes one piece of the batch, which must fit: `args` holds the piece's arrays, `spec` its
 * batch. */
clkl_status clkl_engine_run_piece(clkl_engine *engine, const clkl_spec *spec,
                                  const clkl_host_args *args, clkl_error *error);

#endif
