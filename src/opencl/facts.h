/* What the schedule needs to know of a device, asked of OpenCL. */
#ifndef CLKL_OPENCL_FACTS_H
#define CLKL_OPENCL_FACTS_H

#include "core/schedule.h"
#include "opencl/cl.h"

/* CLKL_UNSUPPORTED if the device cannot run the kernels; the message says why. */
clkl_status clkl_facts_read(cl_device_id id, struct clkl_facts *facts, clkl_error *error);

/* A string of the device, cut to fit; empty if it cannot be had. */
void clkl_device_string(cl_device_id id, cl_device_info what, char *text, size_t size);

#endif
