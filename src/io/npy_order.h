/* The order of bytes within elements, and of elements within arrays. */
#ifndef CLKL_NPY_ORDER_H
#define CLKL_NPY_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reverses the bytes of each of `count` elements of 1, 2, 4 or 8 bytes. */
void npy_swap_bytes(void *data, uint64_t count, size_t element);

/* Whether C order and Fortran order of this shape differ. */
bool npy_order_matters(const uint64_t *shape, unsigned rank);

/*
 * Copies an array from Fortran order to C order. The product of the shape must not be 0, source and
 * target must not overlap, and the rank is at most NPY_MAX_RANK.
 */
void npy_to_c_order(const void *fortran, void *c, const uint64_t *shape, unsigned rank,
                    size_t element);

#endif
