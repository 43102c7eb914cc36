/*
 * The header of a .npy file, from bytes in memory to a description. Nothing here reads or
 * allocates.
 *
 *     prefix   magic "\x93NUMPY", version (2 bytes), length of the text (2 bytes in 1.0, else 4)
 *     text     a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
 */
#ifndef CLKL_NPY_HEADER_H
#define CLKL_NPY_HEADER_H

#include "npy.h"

enum {
    NPY_PREFIX_MIN = 10,     /* bytes that every file has */
    NPY_PREFIX_MAX = 12,     /* the longest prefix */
    NPY_TEXT_LIMIT = 1 << 20 /* the longest text that is accepted; real ones have about 100 bytes */
};

struct npy_header {
    enum npy_type type;
    bool swapped; /* the elements are in the other byte order than this machine's */
    bool fortran;
    unsigned rank;
    uint64_t shape[NPY_MAX_RANK];
    uint64_t count; /* elements */
    uint64_t bytes; /* count times the size of the type; fits in an int64_t */
};

/* Whether these bytes begin like a .npy file, or, if they are too few, may begin one. */
bool npy_has_magic(const unsigned char *bytes, size_t size);

/* The whole length of a prefix, 10 or 12, from its first NPY_PREFIX_MIN bytes; 0 for a version that
 * is not known. */
size_t npy_prefix_length(const unsigned char *bytes, const char *file, struct io_error *error);

/* The length of the text that a whole prefix of a known version announces. */
size_t npy_text_length(const unsigned char *prefix);

/* Reads the dictionary. `file` is for messages. */
bool npy_header_parse(const char *text, size_t length, const char *file, struct npy_header *header,
                      struct io_error *error);

#endif
