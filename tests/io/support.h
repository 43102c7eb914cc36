/* Help for the tests of this folder: a directory to make files in, and .npy files by hand. */
#ifndef CLKL_TESTS_IO_SUPPORT_H
#define CLKL_TESTS_IO_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Fixtures: a directory for the running test, and its removal. */
void scratch_make(void);
void scratch_remove(void);

/* The path of a file in it. Four such paths live at a time. */
const char *scratch(const char *name);

/* How many files are in it. */
unsigned scratch_count(void);

void put_file(const char *path, const void *bytes, size_t size);

/* Reads at most `room` bytes. */
size_t get_file(const char *path, void *bytes, size_t room);

/* Whether a file holds exactly this text. */
bool file_is(const char *path, const char *text);

/* A growing piece of memory, to make a file in. */
struct image {
    unsigned char *bytes;
    size_t size;
};

void image_add(struct image *image, const void *bytes, size_t size);

/* Prefix of this version and header text, unpadded. */
struct image image_npy(unsigned major, const char *text);

/* A header of version 1.0 and `size` bytes of data. */
struct image image_whole(const char *text, const void *data, size_t size);

/* Makes standard input a pipe into which a child process writes `size` bytes, `piece` at a time,
 * with a pause of `pause_us` before each. Returns the child. */
pid_t feed_stdin(const void *bytes, size_t size, size_t piece, unsigned pause_us);

#endif
