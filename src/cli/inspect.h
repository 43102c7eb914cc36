/* The command `clkl inspect`. */
#ifndef CLKL_CLI_INSPECT_H
#define CLKL_CLI_INSPECT_H

/* words[0] is the name of the command. Returns the exit status. */
int inspect_command(int count, char **words);

#endif
