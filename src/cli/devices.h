/* The command `clkl devices`. */
#ifndef CLKL_CLI_DEVICES_H
#define CLKL_CLI_DEVICES_H

#include <argp.h>

/* The options and the help. */
extern const struct argp devices_argp;

/* words[0] is the name of the command. Returns the exit status. */
int devices_command(int count, char **words);

#endif
