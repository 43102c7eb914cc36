/* Standard input, output and error, made safe to use. */
#ifndef CLKL_CLI_STD_STREAMS_H
#define CLKL_CLI_STD_STREAMS_H

#include <stdbool.h>

/*
 * To be called first. A descriptor 0, 1 or 2 that was closed is occupied, so that no file which is
 * opened later takes its number and gets what was meant for a stream: using the stream still fails.
 * Writing to a closed pipe becomes an error instead of a death. At exit, what is left for standard
 * output is written, and if that fails the exit status becomes EXIT_NOTHING_DONE.
 */
void std_streams_prepare(void);

/* Brings everything printed so far to standard output; on failure says so and returns false. */
bool std_streams_flush(void);

/* Whether a path leads to where standard output leads, which then would hold a mixture. */
bool std_streams_is_output(const char *path);

#endif
