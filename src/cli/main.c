/* The tool `clkl`: picks the command. */
#include "arguments.h"
#include "commands.h"
#include "message.h"
#include "std_streams.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "clkl computes Kullback-Leibler divergences between Gaussians, on OpenCL.\n"
    "  clkl kl P.npy [Q.npy] [options]   KL(P || Q) of real tensors; without a Q, the standard "
    "normal\n"
    "  clkl grad P.npy [Q.npy] --out G   its gradients, as training needs them\n"
    "  clkl inspect P.npy [Q.npy]        what a VAE's latents are worth: active units, map, "
    "outliers\n"
    "  clkl devices [options]            what OpenCL sees, and what would be used\n"
    "  clkl COMMAND --help               all options of a command; clkl --version tells the "
    "version\n"
    "\n"
    "  clkl kl moments.npy                         a VAE's packed moments [B, 2C, ...]: a summary\n"
    "  clkl kl --mean m.npy --logvar l.npy --csv   mean and log-variance apart: a line per sample\n"
    "  clkl kl p.npy q.npy --keep 1 --out kl.npy   against another Gaussian: a value per channel\n";

static int print_usage(void)
{
    fputs(usage, stdout);
    return std_streams_flush() ? EXIT_DONE : EXIT_NOTHING_DONE;
}

static int refuse(const char *word)
{
    size_t length = strlen(word);
    if (length > 4 && strcmp(word + length - 4, ".npy") == 0)
        message("'%s' is no command; expected kl, grad, inspect or devices, e.g. clkl kl %s", word,
                word);
    else
        message("'%s' is no command; expected kl, grad, inspect or devices; clkl --help tells more",
                word);
    return EXIT_NOTHING_DONE;
}

int main(int count, char **words)
{
    std_streams_prepare();
    if (count < 2 || strcmp(words[1], "--help") == 0)
        return print_usage();
    if (strcmp(words[1], "--version") == 0)
        arguments_version();
    for (const struct command *command = commands; command->name != NULL; command++)
        if (strcmp(words[1], command->name) == 0)
            return command->run(count - 1, words + 1);
    return refuse(words[1]);
}
