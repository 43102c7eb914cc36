/* What the commands' argument parsers share. */
#ifndef CLKL_CLI_ARGUMENTS_H
#define CLKL_CLI_ARGUMENTS_H

#include <argp.h>
#include <stdbool.h>

/*
 * Parses the arguments of a command with argp, which neither prints nor exits: where it stops at an
 * option that it cannot make sense of, a sentence says why. `name` is what usage and help call the
 * command, e.g. "clkl kl". The parser says itself what else is wrong, and returns EINVAL.
 */
bool arguments_parse(const struct argp *argp, const char *name, int count, char **words,
                     void *input);

/* Prints the help of a command to standard output and exits. */
_Noreturn void arguments_help(const struct argp *argp, const char *name);

/* Prints the name and version of the program and exits. */
_Noreturn void arguments_version(void);

/* A whole number, and nothing else, that fits an int. */
bool arguments_integer(const char *text, int *number);

/* A finite number, and nothing else. */
bool arguments_number(const char *text, double *number);

/* A finite number that is not below 0, and nothing else. */
bool arguments_amount(const char *text, double *amount);

/* Counts a negative axis from the end. False if it is none of `rank` axes. */
bool arguments_axis(int given, unsigned rank, unsigned *axis);

/* "LO,HI": two finite numbers, the first not above the second. */
bool arguments_bounds(const char *text, double *low, double *high);

#endif
