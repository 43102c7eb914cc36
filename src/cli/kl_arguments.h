/* The words of `clkl kl` and of commands that take P and Q as it does, sorted by option and not
 * understood yet. */
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
    KL_COV,
    KL_TRIL,
    KL_PRECISION_MATRIX,
    KL_STATS,
    KL_Q_MOMENTS,
    KL_Q_MEAN,
    KL_Q_LOGVAR,
    KL_Q_LOGSTD,
    KL_Q_VAR,
    KL_Q_STD,
    KL_Q_COV,
    KL_Q_TRIL,
    KL_Q_PRECISION_MATRIX,
    KL_Q_STATS,
    KL_SPLIT_AXIS,
    KL_DETERMINISTIC,
    KL_KEEP,
    KL_BATCH,
    KL_CLAMP,
    KL_NO_CLAMP,
    KL_BF16,
    KL_MASK,
    KL_WEIGHTS,
    KL_LENGTHS,
    KL_LENGTH_AXIS,
    KL_FREE_NATS,
    KL_JITTER,
    KL_DEVICE,
    KL_COMPUTE,
    KL_OUT,
    KL_JSON,
    KL_CSV,
    KL_QUIET,
    KL_PER,
    KL_CHANNEL_AXIS,
    KL_THRESHOLD,
    KL_FENCE,
    KL_PLOT,
    KL_UPSTREAM,
    KL_BETA,
    KL_P_FACTOR,
    KL_Q_FACTOR,
    KL_WRT,
    KL_GRADIENT_TYPE,
    KL_VALUE,
    KL_ARGUMENT_COUNT
};

/* What they are called in tables of options: beyond the characters, so that there are no one-letter
 * options. */
enum { KL_FIRST_KEY = 0x100, KL_HELP_KEY = KL_FIRST_KEY + KL_ARGUMENT_COUNT, KL_VERSION_KEY };

#define KL_KEY(argument) (KL_FIRST_KEY + (argument))

struct kl_arguments {
    const struct argp *argp;               /* the command's */
    const char *name;                      /* of the command, e.g. "clkl kl" */
    const char *option[KL_ARGUMENT_COUNT]; /* NULL: not given; "" for options without a value */
    const char *file[2];                   /* the words that are no options */
};

/* The options and the help of `clkl kl`. */
extern const struct argp kl_arguments_argp;

/* The parser of the argp of all these commands. */
error_t kl_arguments_take(int key, char *value, struct argp_state *state);

/* Sorts the words; words[0] is the name of the command. Refuses unknown options, options that come
 * twice and a third file. For --help and --version prints and exits. */
bool kl_arguments_parse(const struct argp *argp, const char *name, int count, char **words,
                        struct kl_arguments *arguments);

/* The name of an option of `clkl kl` without its dashes, e.g. "q-logvar". */
const char *kl_argument_name(enum kl_argument argument);

/* Whether the command has this option. */
bool kl_argument_is_offered(const struct kl_arguments *arguments, enum kl_argument argument);

#endif
