/* The commands of the tool. */
#ifndef CLKL_CLI_COMMANDS_H
#define CLKL_CLI_COMMANDS_H

#include <argp.h>

struct command {
    const char *name;
    int (*run)(int count, char **words); /* words[0] is the name; returns the exit status */
    const struct argp *argp;             /* the options; manual and completion are made of them */
};

/* All of them; the last has no name. */
extern const struct command commands[];

#endif
