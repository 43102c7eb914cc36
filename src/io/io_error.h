/* What went wrong with a file, as a sentence for the person at the terminal. */
#ifndef CLKL_IO_ERROR_H
#define CLKL_IO_ERROR_H

#include <stdbool.h>

struct io_error {
    char text[512];
};

#if defined(__GNUC__)
#define IO_FORMAT_CHECKED __attribute__((format(printf, 3, 4)))
#else
#define IO_FORMAT_CHECKED
#endif

/*
 * Sets the text to "FILE: SENTENCE". Always returns false, so that a function which fails can end
 * with `return io_error_set(...)`. A long file name loses its beginning, never the sentence its
 * end, and control characters become '?': names and headers come from strangers, and the text goes
 * to a terminal. `error` may be NULL.
 */
bool io_error_set(struct io_error *error, const char *file, const char *format,
                  ...) IO_FORMAT_CHECKED;

#endif
