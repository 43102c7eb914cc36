#include "kl_arguments.h"

#include "arguments.h"
#include "kl_covariance_rows.h"
#include "kl_rows.h"
#include "message.h"

#include <errno.h>

static const struct argp_option table[] = {
    KL_ROWS_P,
    KL_ROWS_P_FULL,
    {"deterministic", KL_KEY(KL_DETERMINISTIC), 0, 0,
     "P is a point mass, whose divergence is 0 for every sample by definition; its moments or "
     "means "
     "give the shape",
     0},
    KL_ROWS_Q,
    KL_ROWS_Q_FULL,
    KL_ROWS_READING,
    KL_ROWS_WEIGHTS,

    {0, 0, 0, 0, "What is computed, and where:", 5},
    {"keep", KL_KEY(KL_KEEP), "AXES|all|none", 0,
     "axes of the mean's shape that stay in the result, with commas between them: 0 (the default: "
     "one value per sample), 1, 2,3 or 0,-1, where negative ones count from the end; or all, or "
     "none (one value in all). Without axis 0 the summary draws a bar per index; an index whose "
     "divergence, averaged over the batch, is below 0.01 nats is called a collapsed unit: it says "
     "next to nothing about the input",
     0},
    {"batch", KL_KEY(KL_BATCH), "mean|sum", 0,
     "what to do over a batch axis that is not kept (default mean); it divides by the batch, "
     "whatever counts",
     0},
    {"free-nats", KL_KEY(KL_FREE_NATS), "X", 0,
     "free bits, as in Kingma et al. 2016, in nats: values of the result that are below X become X",
     0},
    KL_ROW_JITTER,
    KL_ROWS_WHERE,

    {0, 0, 0, 0, "What comes out:", 6},
    {"out", KL_KEY(KL_OUT), "FILE", 0,
     "write the values to FILE, as .npy in the shape of the axes that stay", 0},
    {"json", KL_KEY(KL_JSON), 0, 0, "print JSON instead of the summary", 0},
    {"csv", KL_KEY(KL_CSV), 0, 0, "print index and value of each result instead of the summary", 0},
    {"quiet", KL_KEY(KL_QUIET), 0, 0, "print no summary", 0},
    KL_ROWS_COMMON};

const struct argp kl_arguments_argp = {
    table,
    kl_arguments_take,
    "P.npy [Q.npy]\n--mean FILE --logvar FILE\n--mean FILE --cov FILE\n--stats FILE.npz",
    "Kullback-Leibler divergence KL(P || Q) between Gaussians, diagonal or with full covariances, "
    "in "
    "nats, of arrays in .npy files whose first axis is the batch.\v"
    "\"-\" as FILE is standard input. The exit status is 0 if all went well, 1 if some samples are "
    "invalid (NaN), 2 if nothing was done.",
    NULL,
    NULL,
    NULL};

/* The row of an option; NULL if the table has none. */
static const struct argp_option *find(const struct argp_option *row, enum kl_argument argument)
{
    while (row->key != 0 || row->doc != NULL) {
        if (row->key == KL_KEY((int)argument))
            return row;
        row++;
    }
    return NULL;
}

const char *kl_argument_name(enum kl_argument argument)
{
    return find(table, argument)->name;
}

bool kl_argument_is_offered(const struct kl_arguments *arguments, enum kl_argument argument)
{
    return find(arguments->argp->options, argument) != NULL;
}

static bool take_option(struct kl_arguments *arguments, enum kl_argument argument,
                        const char *value)
{
    const char *name = find(arguments->argp->options, argument)->name;
    if (arguments->option[argument] != NULL)
        return message("option --%s is given twice; expected it once", name);
    if (value != NULL && value[0] == '\0')
        return message("option --%s is given nothing, ''; expected a value", name);
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

error_t kl_arguments_take(int key, char *value, struct argp_state *state)
{
    struct kl_arguments *arguments = state->input;
    bool good = true;
    if (key == KL_HELP_KEY)
        arguments_help(arguments->argp, arguments->name);
    else if (key == KL_VERSION_KEY)
        arguments_version();
    else if (key == ARGP_KEY_ARG)
        good = take_file(arguments, value);
    else if (key >= KL_FIRST_KEY && key < KL_HELP_KEY)
        good = take_option(arguments, (enum kl_argument)(key - KL_FIRST_KEY), value);
    else
        return ARGP_ERR_UNKNOWN;
    return good ? 0 : EINVAL;
}

bool kl_arguments_parse(const struct argp *argp, const char *name, int count, char **words,
                        struct kl_arguments *arguments)
{
    *arguments = (struct kl_arguments){.argp = argp, .name = name};
    return arguments_parse(argp, name, count, words, arguments);
}
