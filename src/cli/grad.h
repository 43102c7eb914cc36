/* `clkl grad`: gradients of divergences of real tensors. */
#ifndef CLKL_CLI_GRAD_H
#define CLKL_CLI_GRAD_H

/* Returns the exit status; words[0] is the name of the command. */
int grad_command(int count, char **words);

#endif
