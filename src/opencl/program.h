/* Programs, by the options that they were built with. */
#ifndef CLKL_OPENCL_PROGRAM_H
#define CLKL_OPENCL_PROGRAM_H

#include "opencl/cl.h"

/* One of a device's list. */
struct clkl_program {
    struct clkl_program *next;
    cl_program program;
    char options[]; /* the key */
};

/* The entry with these options, `length` characters without a zero; NULL if there is none. */
struct clkl_program *clkl_program_find(struct clkl_program *list, const char *options,
                                       size_t length);

/* A new entry, without a program and in no list; NULL if there is no memory. */
struct clkl_program *clkl_program_entry(const char *options, size_t length);

/* Looks `options` up in the list; builds and adds the program if it is not there, from the sources
 * of `kind` (opencl/sources.h). Options of different kinds differ. */
clkl_status clkl_program_find_or_build(struct clkl_program **list, cl_context context,
                                       cl_device_id id, int kind, const char *options,
                                       cl_program *program, clkl_error *error);

void clkl_program_release_all(struct clkl_program *list);
#endif
