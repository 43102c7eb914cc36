/*
 * Arrays in .npy files, as the format's document describes them (numpy.lib.format).
 *
 *     struct npy array;
 *     struct io_error error;
 *     if (!npy_read("moments.npy", &array, &error))
 *         ... error.text says what was found and what was expected
 *     ... array.data, array.shape[0 .. array.rank - 1]
 *     npy_free(&array);
 */
#ifndef CLKL_NPY_H
#define CLKL_NPY_H

#include "io_error.h"
#include "npy_type.h"

#include <stdint.h>
#include <stdio.h>

enum { NPY_MAX_RANK = 16 };

struct npy {
    enum npy_type type;
    unsigned rank; /* 0 for a single number */
    uint64_t shape[NPY_MAX_RANK];
    uint64_t count; /* the product of the shape: 1 for rank 0, and 0 where a dimension is 0 */
    bool fortran;   /* how the file was laid out; the data is in C order all the same */
    void *data;     /* in C order and this machine's byte order; never NULL, owned by the struct */
};

/*
 * Reads a whole array from a file, a FIFO, or standard input where the path is "-". The file has to
 * hold that array and nothing after it. What the header promises is held against the size of a
 * regular file before anything of that size is allocated; from a pipe, memory grows as data comes.
 * Bringing Fortran order into C order takes the size of the data once more, for a while.
 * On failure the array is left empty, and npy_free may or may not be called on it.
 */
bool npy_read(const char *path, struct npy *array, struct io_error *error);

struct source;

/* The same from a source (source.h) that is open already; it stays open. */
bool npy_read_source(struct source *source, struct npy *array, struct io_error *error);

/* Frees the data and empties the struct. */
void npy_free(struct npy *array);

/*
 * Writes a version 1.0 file in C order, byte for byte as numpy.save does. `name` is for messages.
 * The caller flushes the stream, and learns there of the errors that buffering has postponed.
 * Reads type, rank, shape and data of the array.
 */
bool npy_write(FILE *stream, const char *name, const struct npy *array, struct io_error *error);

#endif
