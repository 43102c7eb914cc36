/* The element types of .npy files. */
#ifndef CLKL_NPY_TYPE_H
#define CLKL_NPY_TYPE_H

#include <stdbool.h>
#include <stddef.h>

enum npy_type {
    NPY_BOOL,
    NPY_INT8,
    NPY_INT16,
    NPY_INT32,
    NPY_INT64,
    NPY_UINT8,
    NPY_UINT16,
    NPY_UINT32,
    NPY_UINT64,
    NPY_FLOAT16,
    NPY_FLOAT32,
    NPY_FLOAT64,
    NPY_VOID2 /* two bytes that numpy has no name for: how ml_dtypes saves bfloat16 */
};

/* As numpy calls it, for messages: "float32". */
const char *npy_type_name(enum npy_type type);

/* Bytes per element: 1, 2, 4 or 8. */
size_t npy_type_size(enum npy_type type);

/* The letter of numpy's type codes: the f of "<f4". */
char npy_type_letter(enum npy_type type);

/* The byte order of this machine, as the mark of numpy's type codes: '<' or '>'. */
char npy_native_order(void);

/*
 * Reads a type code such as "<f4". `swapped` tells whether the elements lie in the other byte order
 * than this machine's. Returns NULL, or, for what is not read, a few words on what the code means.
 */
const char *npy_type_parse(const char *code, size_t length, enum npy_type *type, bool *swapped);

#endif
