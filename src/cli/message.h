/* Sentences for the person at the terminal. */
#ifndef CLKL_CLI_MESSAGE_H
#define CLKL_CLI_MESSAGE_H

#include <stdbool.h>

#if defined(__GNUC__)
#define MESSAGE_FORMAT __attribute__((format(printf, 1, 2)))
#else
#define MESSAGE_FORMAT
#endif

/* Exit statuses of the tool. */
enum {
    EXIT_DONE = 0,
    EXIT_INVALID_SAMPLES = 1, /* done, but some samples are NaN */
    EXIT_NOTHING_DONE = 2     /* bad usage or input, no device, output that cannot be written */
};

/* Writes "clkl: SENTENCE" and a line end to standard error, control characters as '?': names of
 * files come from strangers. Always returns false, so that a function that fails can end with
 * `return message(...)`. */
bool message(const char *format, ...) MESSAGE_FORMAT;

/* How a file is called in messages: "-" is standard input. */
const char *message_file(const char *path);

#endif
