/* Where a file's bytes come from: a regular file or a member of an archive, whose size is known, or
 * a pipe, whose isn't. */
#ifndef CLKL_SOURCE_H
#define CLKL_SOURCE_H

#include "io_error.h"

#include <stddef.h>
#include <stdint.h>

struct source;

/* Reads at most `size` bytes from what is no file: how many, 0 at the end, -1 with a sentence. */
typedef int64_t source_pull(struct source *source, void *to, size_t size, struct io_error *error);

struct source {
    const char *name; /* for messages; lives as long as the path it was opened with */
    int descriptor;
    source_pull *pull; /* instead of the descriptor, unless NULL */
    void *from;        /* for pull */
    bool sized;        /* `left` is known */
    uint64_t left;     /* bytes not read yet */
};

/* Opens a path for reading, or standard input for "-". Directories and devices are refused. */
bool source_open(struct source *source, const char *path, struct io_error *error);

/* Leaves standard input open. */
void source_close(struct source *source);

/* Reads `size` bytes, or what there is before the end; `got` tells how many. Fails on an error of
 * reading only. */
bool source_read(struct source *source, void *to, size_t size, size_t *got, struct io_error *error);

/*
 * The same into memory of its own, which the caller frees; NULL on failure. Where less than `size`
 * bytes come, the memory was never larger than about twice what came, or 1 MiB. `size` is at most
 * INT64_MAX, and 0 gives an empty allocation, not NULL.
 */
void *source_read_new(struct source *source, uint64_t size, size_t *got, struct io_error *error);

#endif
