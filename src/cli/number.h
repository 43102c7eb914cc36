/* Numbers as arrays hold them, in any type that is computed. */
#ifndef CLKL_CLI_NUMBER_H
#define CLKL_CLI_NUMBER_H

#include <clkl/clkl.h>

/* Bytes of a number. */
size_t number_size(clkl_dtype type);

/* Number i of an array, exactly. */
double number_at(const void *data, clkl_dtype type, uint64_t i);

#endif
