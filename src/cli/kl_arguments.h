/* The words of `clkl kl`, sorted by option and not understood yet. */
#ifndef CLKL_CLI_KL_ARGUMENTS_H
#define CLKL_CLI_KL_ARGUMENTS_H

#include <argp.h>
#include <stdbool.h>

/* The options that say how a side is given come twice, in the same order: for P and for Q. */
enum kl_argument {
    KL_MOMENTS,
    KL_MEAN,
    KL_LOGVAR,
    KL_LOGSTD,
    KL_VAR,
    KL_STD,
    KL_Q_MOMENTS,
    KL_Q_MEAN,
    KL_Q_LOGVAR,
    KL_Q_LOGSTD,
    KL_Q_VAR,
    KL_Q_STD,
    KL_SPLIT_AXIS,
    KL_DETERMINISTIC,
    KL_KEEP,
    KL_BATCH,
    KL_CLAMP,
    KL_NO_CLAMP,
    KL_DEVICE,
    KL_COMPUTE,
    KL_OUT,
    KL_JSON,
    KL_CSV,
    KL_QUIET,
    KL_ARGUMENT_COUNT
};

struct kl_arguments {
    const char *option[KL_ARGUMENT_COUNT]; /* NULL: not given; "" for options without a value */
    const char *file[2];                   /* the words that are no options */
};

/* The options and the help. */
extern const struct argp kl_arguments_argp;

/* Sorts the words; words[0] is the name of the command. Refuses unknown options, options that come
 * twice and a third file. For --help and --version prints and exits. */
bool kl_arguments_parse(int count, char **words, struct kl_arguments *arguments);

/* The name of an option without its dashes, e.g. "q-logvar". */
const char *kl_argument_name(enum kl_argument argument);

#endif
