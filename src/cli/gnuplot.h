/* Gnuplot, a program of its own that draws what it is told through a pipe. */
#ifndef CLKL_CLI_GNUPLOT_H
#define CLKL_CLI_GNUPLOT_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* Zeroed it is one that was not started. */
struct gnuplot {
    FILE *commands; /* what it reads; NULL once it has been told all */
    FILE *drawing;  /* what it wrote to its standard output: a file without a name */
    FILE *words;    /* and to its standard error */
    pid_t process;
};

/*
 * Starts it, without the user's settings; it waits for commands. To be called before OpenCL is
 * initialised: its threads and descriptors are no good for another process. On failure, above all
 * if it is not installed, says so, and leaves nothing to end.
 */
bool gnuplot_start(struct gnuplot *gnuplot);

/* Closes `commands` and waits for it to draw. Says what it complains of if it fails, or has drawn
 * nothing. */
bool gnuplot_finish(struct gnuplot *gnuplot);

/* Copies what it has drawn, after gnuplot_finish; errors show at the stream. As text: without the
 * form feeds before each of its pictures. */
void gnuplot_copy(struct gnuplot *gnuplot, FILE *to);
void gnuplot_copy_text(struct gnuplot *gnuplot, FILE *to);

/* Ends it, whatever it is doing, and releases the files. */
void gnuplot_end(struct gnuplot *gnuplot);

/*
 * Writes text from outside as a string for gnuplot: between single quotes, where it knows no
 * escapes, no variables and no commands; the quote itself is doubled. Control characters, among
 * them the line ends that would end the command, and what is no UTF-8 become '?'.
 */
void gnuplot_put_text(FILE *commands, const char *text);

#endif
