#include "grad_options.h"

#include "arguments.h"
#include "kl_rows.h"
#include "message.h"

#include <string.h>

static const struct argp_option table[] = {
    KL_ROWS_P,
    KL_ROWS_Q,
    KL_ROWS_READING,
    KL_ROWS_WEIGHTS,

    {0, 0, 0, 0, "What is differentiated, and where it is computed:", 5},
    {"keep", KL_KEY(KL_KEEP), "AXES|all|none", 0,
     "axes of the mean's shape that stay in the result: as for clkl kl, 0 (the default: one value "
     "per sample), others with commas between them, all, or none (one value in all)",
     0},
    {"batch", KL_KEY(KL_BATCH), "mean|sum", 0,
     "what to do over a batch axis that is not kept (default mean, with which the gradient is "
     "divided by the batch, whatever counts)",
     0},
    {"free-nats", KL_KEY(KL_FREE_NATS), "X", 0,
     "free bits, as in Kingma et al. 2016, in nats: values of the result that are not above X have "
     "the gradient 0",
     0},
    {"upstream", KL_KEY(KL_UPSTREAM), "FILE", 0,
     "the gradient of a loss by the result, in the shape of the axes that stay; without it the "
     "loss is the sum of the result. Numbers that the computation's type does not hold are "
     "refused, unless --compute f32 asks for rounding",
     0},
    {"beta", KL_KEY(KL_BETA), "X", 0, "multiplies all gradients (default 1)", 0},
    {"p-factor", KL_KEY(KL_P_FACTOR), "X", 0,
     "multiplies P's gradients, beside --beta: with --q-factor the two rates of KL balancing, as "
     "in Hafner et al. 2020 (default 1)",
     0},
    {"q-factor", KL_KEY(KL_Q_FACTOR), "X", 0, "the same for Q's", 0},
    {"wrt", KL_KEY(KL_WRT), "p|q|both", 0,
     "the side by whose arrays to differentiate (default both, as far as there are arrays)", 0},
    KL_ROWS_WHERE,

    {0, 0, 0, 0, "What comes out:", 6},
    {"out", KL_KEY(KL_OUT), "PREFIX", 0,
     "write the gradients to PREFIX.p_mean.npy, PREFIX.p_logvar.npy (p_logstd, p_var, p_std), "
     "PREFIX.q_mean.npy and so on, or PREFIX.p_moments.npy for packed moments, each in the shape "
     "of the file that it belongs to; for a shared Q it is the sum over the batch. They appear "
     "together, or none does",
     0},
    {"value", KL_KEY(KL_VALUE), "FILE", 0,
     "write the values, too, as clkl kl --out does, from the same pass over the data, which may "
     "differ in their last bits",
     0},
    {"gradient-type", KL_KEY(KL_GRADIENT_TYPE), "f16|bf16|f32|f64", 0,
     "of the gradients (default: that of the computation); bf16 is written as ml_dtypes writes it",
     0},
    {"json", KL_KEY(KL_JSON), 0, 0, "print JSON instead of the summary", 0},
    {"quiet", KL_KEY(KL_QUIET), 0, 0, "print no summary", 0},
    KL_ROWS_COMMON};

const struct argp grad_argp = {
    table,
    kl_arguments_take,
    "P.npy [Q.npy] --out PREFIX\n--mean FILE --logvar FILE --out PREFIX",
    "Gradients of the Kullback-Leibler divergence KL(P || Q) by the numbers in the files of P and "
    "Q, as training needs them. They are 0 where a clamp is active, that is strictly outside its "
    "bounds.\v"
    "\"-\" as FILE is standard input. The exit status is 0 if all went well, 1 if some of the "
    "gradients' numbers are NaN, 2 if nothing was done.",
    NULL,
    NULL,
    NULL};

static bool read_out(const struct kl_arguments *arguments, struct grad_options *options)
{
    const char *prefix = arguments->option[KL_OUT];
    options->value = arguments->option[KL_VALUE];
    if (prefix == NULL)
        return message("--out is missing; expected --out PREFIX, with which the gradients' files "
                       "begin: PREFIX.p_mean.npy and so on");
    if (strcmp(prefix, "-") == 0)
        return message("--out -: expected what the names of several files begin with, which "
                       "standard output cannot hold");
    return options->value == NULL || strcmp(options->value, "-") != 0 ||
           message("--value -: expected the name of a file");
}

static bool read_wrt(const char *text, struct grad_options *options)
{
    const bool q = options->kl.q.form != CLKL_STANDARD_NORMAL;
    const bool only_q = text != NULL && strcmp(text, "q") == 0;
    const bool only_p = text != NULL && strcmp(text, "p") == 0;
    if (text != NULL && !only_q && !only_p && strcmp(text, "both") != 0)
        return message("--wrt '%s': expected p, q or both", text);
    if (text != NULL && !only_p && !q)
        return message("--wrt %s: Q is the standard normal, which has no arrays; expected p", text);
    options->of_p = !only_q;
    options->of_q = q && !only_p;
    return true;
}

/* A factor; 1 if it is not given. */
static bool read_factor(const struct kl_arguments *arguments, enum kl_argument argument,
                        const char *name, double *factor)
{
    const char *text = arguments->option[argument];
    *factor = 1;
    return text == NULL || arguments_number(text, factor) ||
           message("--%s %s: expected a finite number, e.g. 0.5", name, text);
}

/* A factor that multiplies nothing would be passed over: it is refused. */
static bool read_side_factor(const struct kl_arguments *arguments, enum kl_argument argument,
                             const char *name, bool wanted, double *factor)
{
    if (arguments->option[argument] != NULL && !wanted)
        return message("--%s %s: no gradient of %c comes out that it could multiply; leave it out",
                       name, arguments->option[argument], argument == KL_P_FACTOR ? 'P' : 'Q');
    return read_factor(arguments, argument, name, factor);
}

static bool read_factors(const struct kl_arguments *arguments, struct grad_options *options)
{
    double beta = 1, p = 1, q = 1;
    if (!read_factor(arguments, KL_BETA, "beta", &beta) ||
        !read_side_factor(arguments, KL_P_FACTOR, "p-factor", options->of_p, &p) ||
        !read_side_factor(arguments, KL_Q_FACTOR, "q-factor", options->of_q, &q))
        return false;
    options->p_factor = options->of_p ? beta * p : 1;
    options->q_factor = options->of_q ? beta * q : 1;
    return true;
}

static bool read_type(const char *text, struct grad_options *options)
{
    static const struct {
        const char *name;
        clkl_dtype type;
    } types[] = {{"f16", CLKL_F16}, {"bf16", CLKL_BF16}, {"f32", CLKL_F32}, {"f64", CLKL_F64}};
    if (text == NULL)
        return true;
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(text, types[i].name) == 0) {
            options->type = types[i].type;
            return true;
        }
    }
    return message("--gradient-type '%s': expected f16, bf16, f32 or f64", text);
}

bool grad_options_parse(int count, char **words, struct grad_options *options)
{
    struct kl_arguments arguments;
    memset(options, 0, sizeof *options);
    return kl_arguments_parse(&grad_argp, "clkl grad", count, words, &arguments) &&
           read_out(&arguments, options) && kl_options_read(&arguments, &options->kl) &&
           read_wrt(arguments.option[KL_WRT], options) && read_factors(&arguments, options) &&
           read_type(arguments.option[KL_GRADIENT_TYPE], options);
}
