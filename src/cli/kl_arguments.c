#include "kl_arguments.h"

#include "arguments.h"
#include "message.h"

#include <errno.h>
#include <string.h>

enum {
    FIRST_KEY = 0x100, /* beyond the characters, so that there are no one-letter options */
    HELP_KEY = FIRST_KEY + KL_ARGUMENT_COUNT,
    VERSION_KEY
};

#define KEY(argument) (FIRST_KEY + (argument))

static const struct argp_option table[] = {
    {0, 0, 0, 0,
     "P, the first Gaussian: P.npy or --moments, or --mean and exactly one of --logvar, --logstd, "
     "--var and --std",
     1},
    {"moments", KEY(KL_MOMENTS), "FILE", 0, "packed: means, then log-variances, along one axis", 0},
    {"mean", KEY(KL_MEAN), "FILE", 0, "means", 0},
    {"logvar", KEY(KL_LOGVAR), "FILE", 0, "ln(variance)", 0},
    {"logstd", KEY(KL_LOGSTD), "FILE", 0, "ln(standard deviation)", 0},
    {"var", KEY(KL_VAR), "FILE", 0, "variance", 0},
    {"std", KEY(KL_STD), "FILE", 0, "standard deviation", 0},
    {"deterministic", KEY(KL_DETERMINISTIC), 0, 0,
     "P is a point mass, whose divergence is 0 for every sample by definition; its moments or "
     "means "
     "give the shape",
     0},

    {0, 0, 0, 0,
     "Q, the second, the same way; if it is not given, the standard normal N(0, I). A Q without "
     "the "
     "batch axis, or with a batch of 1, is shared by all samples",
     2},
    {"q-moments", KEY(KL_Q_MOMENTS), "FILE", 0, 0, 0},
    {"q-mean", KEY(KL_Q_MEAN), "FILE", 0, 0, 0},
    {"q-logvar", KEY(KL_Q_LOGVAR), "FILE", 0, 0, 0},
    {"q-logstd", KEY(KL_Q_LOGSTD), "FILE", 0, 0, 0},
    {"q-var", KEY(KL_Q_VAR), "FILE", 0, 0, 0},
    {"q-std", KEY(KL_Q_STD), "FILE", 0, 0, 0},

    {0, 0, 0, 0, "How they are read:", 3},
    {"split-axis", KEY(KL_SPLIT_AXIS), "N", 0,
     "the axis of packed moments whose first half are the means and second half the log-variances, "
     "the batch axis being 0; negative numbers count from the end (default 1)",
     0},
    {"clamp", KEY(KL_CLAMP), "LO,HI", 0,
     "clamp all log-variances to [LO, HI] (default -30,20 for packed moments, none for separate "
     "files)",
     0},
    {"no-clamp", KEY(KL_NO_CLAMP), 0, 0, "take log-variances as they are", 0},

    {0, 0, 0, 0, "What is computed, and where:", 4},
    {"keep", KEY(KL_KEEP), "AXES|all|none", 0,
     "axes of the mean's shape that stay in the result, with commas between them: 0 (the default: "
     "one value per sample), 1, 2,3 or 0,-1, where negative ones count from the end; or all, or "
     "none (one value in all). Without axis 0 the summary draws a bar per index; an index whose "
     "divergence, averaged over the batch, is below 0.01 nats is called a collapsed unit: it says "
     "next to nothing about the input",
     0},
    {"batch", KEY(KL_BATCH), "mean|sum", 0,
     "what to do over a batch axis that is not kept (default mean)", 0},
    {"device", KEY(KL_DEVICE), "cpu|gpu|reference|SEL", 0,
     "where; SEL is an index or part of a name as in `clkl devices` (default: the variable "
     "CLKL_DEVICE, or the best there is)",
     0},
    {"compute", KEY(KL_COMPUTE), "f32|f64", 0,
     "precision of arithmetic and result (default f64 for float64 files, else f32)", 0},

    {0, 0, 0, 0, "What comes out:", 5},
    {"out", KEY(KL_OUT), "FILE", 0,
     "write the values to FILE, as .npy in the shape of the axes that stay", 0},
    {"json", KEY(KL_JSON), 0, 0, "print JSON instead of the summary", 0},
    {"csv", KEY(KL_CSV), 0, 0, "print index and value of each result instead of the summary", 0},
    {"quiet", KEY(KL_QUIET), 0, 0, "print no summary", 0},
    {"help", HELP_KEY, 0, 0, "print this and exit", -1},
    {"version", VERSION_KEY, 0, 0, "print the version and exit", -1},
    {0, 0, 0, 0, 0, 0}};

static error_t parse(int key, char *value, struct argp_state *state);

const struct argp kl_arguments_argp = {
    table,
    parse,
    "P.npy [Q.npy]\n--mean FILE --logvar FILE",
    "Kullback-Leibler divergence KL(P || Q) between diagonal Gaussians, in nats, of arrays in .npy "
    "files whose first axis is the batch.\v"
    "\"-\" as FILE is standard input. The exit status is 0 if all went well, 1 if some samples are "
    "invalid (NaN), 2 if nothing was done.",
    NULL,
    NULL,
    NULL};

const char *kl_argument_name(enum kl_argument argument)
{
    const struct argp_option *option = table;
    while (option->key != KEY((int)argument))
        option++;
    return option->name;
}

static bool take_option(struct kl_arguments *arguments, enum kl_argument argument,
                        const char *value)
{
    if (arguments->option[argument] != NULL)
        return message("option --%s is given twice; expected it once", kl_argument_name(argument));
    if (value != NULL && value[0] == '\0')
        return message("option --%s is given nothing, ''; expected a value",
                       kl_argument_name(argument));
    arguments->option[argument] = value != NULL ? value : "";
    return true;
}

static bool take_file(struct kl_arguments *arguments, const char *path)
{
    if (path[0] == '\0')
        return message("an argument is empty, ''; expected the name of a file");
    for (unsigned i = 0; i < 2; i++) {
        if (arguments->file[i] == NULL) {
            arguments->file[i] = path;
            return true;
        }
    }
    return message(
        "unexpected argument '%s' after P.npy and Q.npy, '%s' and '%s'; expected options "
        "only",
        path, arguments->file[0], arguments->file[1]);
}

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct kl_arguments *arguments = state->input;
    bool good = true;
    if (key == HELP_KEY)
        arguments_help(&kl_arguments_argp, "clkl kl");
    else if (key == VERSION_KEY)
        arguments_version();
    else if (key == ARGP_KEY_ARG)
        good = take_file(arguments, value);
    else if (key >= FIRST_KEY && key < HELP_KEY)
        good = take_option(arguments, (enum kl_argument)(key - FIRST_KEY), value);
    else
        return ARGP_ERR_UNKNOWN;
    return good ? 0 : EINVAL;
}

bool kl_arguments_parse(int count, char **words, struct kl_arguments *arguments)
{
    memset(arguments, 0, sizeof *arguments);
    return arguments_parse(&kl_arguments_argp, "clkl kl", count, words, arguments);
}
