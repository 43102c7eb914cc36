/* The command `clkl kl`. */
#ifndef CLKL_CLI_KL_H
#define CLKL_CLI_KL_H

/* words[0] is the name of the command. Returns the exit status. */
int kl_command(int count, char **words);

#endif
