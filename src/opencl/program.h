/* Programs, by the options that they were built with. */
#ifndef CLKL_OPENCL_PROGRAM_H
#define CLKL_OPENCL_PROGRAM_H

#include "opencl/cl.h"

struct clkl_program;

/* Looks `options` up in the list; builds and adds the program if it is not there. */
clkl_status clkl_program_find_or_build(struct clkl_program **list, cl_context context,
                                       cl_device_id id, const char *options, cl_program *program,
                                       clkl_error *error);

void clkl_program_release_all(struct clkl_program *list);

#endif
