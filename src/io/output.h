/*
 * Output files that appear whole or not at all.
 *
 *     struct output *output = output_open("kl.npy", &error);
 *     ... fprintf(output_stream(output), ...), npy_write(output_stream(output), ...)
 *     output_commit(output, &error)      the file is there
 *     output_abandon(output)             instead: it is as if nothing had been
 *
 * What is written goes to a file of another name in the same directory, which takes the place of
 * the old file, if there was one, when it is committed. A replaced file's permissions are kept, and
 * its owner and group as far as the system lets us. Other hard links keep the old content. Where
 * the path is a symbolic link, the link stays and its target is replaced.
 *
 * A path that is no regular file (a pipe, a device, /dev/stdout, /dev/fd/3) is written directly:
 * what has gone there has gone, and what is still buffered goes there even when it is abandoned. A
 * process that does not ignore SIGPIPE dies of a closed pipe before it can be told. If it dies of
 * anything, a file .NAME.*.tmp is left behind.
 */
#ifndef CLKL_OUTPUT_H
#define CLKL_OUTPUT_H

#include "io_error.h"

#include <stdio.h>

struct output;

/* NULL on failure. Ask early: this is where missing directories and permissions show. "-" is the
 * name of a file like any other. */
struct output *output_open(const char *path, struct io_error *error);

/* To be written to, and not to be closed. */
FILE *output_stream(struct output *output);

/*
 * Finishes the file. Fails if any write to the stream has failed, whether or not the caller looked,
 * and then leaves things as they were. Releases the output in either case.
 */
bool output_commit(struct output *output, struct io_error *error);

/*
 * Finishes several files: all of them, or none. They are complete before the first appears; a file
 * that has taken the place of another is taken back if a later one cannot appear, as far as the
 * system lets us. Paths that are no regular files have been written to all the same. Releases the
 * outputs in either case.
 */
bool output_commit_all(struct output *const *outputs, unsigned count, struct io_error *error);

/* Drops what was written, and releases the output. NULL is allowed. */
void output_abandon(struct output *output);

#endif
