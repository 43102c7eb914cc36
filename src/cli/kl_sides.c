#include "kl_sides.h"

#include "message.h"

#include <string.h>

enum { SCALES = 4, SIDE_OPTIONS = KL_Q_MOMENTS - KL_MOMENTS };

static const clkl_form scale_forms[SCALES] = {CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGSTD, CLKL_MEAN_VAR,
                                              CLKL_MEAN_STD};

/* The arguments of one side. */
struct side {
    char letter;              /* 'P' or 'Q' */
    const char *prefix;       /* of its options: "" or "q-" */
    const char *file;         /* P.npy or Q.npy */
    const char *const *given; /* its options, from KL_MOMENTS to KL_STD */
    bool may_be_point;        /* --deterministic is an option */
};

static bool refuse_twice(const struct side *side, const char *option)
{
    const char *hint = side->letter == 'P' ? "; if it is Q, write --q-moments" : "";
    return message("%c is given twice, by --%s%s and by '%s'%s; give it once", side->letter,
                   side->prefix, option, message_file(side->file), hint);
}

/* How many scale options are given; *which is the last. */
static unsigned count_scales(const struct side *side, unsigned *which)
{
    unsigned count = 0;
    for (unsigned i = 0; i < SCALES; i++) {
        if (side->given[KL_LOGVAR + i] != NULL) {
            *which = i;
            count++;
        }
    }
    return count;
}

static bool read_packed(const struct side *side, const char *moments, bool has_mean,
                        unsigned scales, unsigned which, struct kl_side_options *options)
{
    const char *also = has_mean ? "mean" : kl_argument_name((enum kl_argument)(KL_LOGVAR + which));
    if (has_mean || scales > 0)
        return message("%c is given twice: '%s' holds packed moments, which are mean and "
                       "log-variance, so --%s%s contradicts it%s",
                       side->letter, message_file(moments), side->prefix, also,
                       side->letter == 'P' ? "; if the file is Q, write --q-moments" : "");
    *options = (struct kl_side_options){.form = CLKL_MOMENTS, .packed = true, .mean = moments};
    return true;
}

static bool read_separate(const struct side *side, unsigned scales, unsigned which,
                          struct kl_side_options *options)
{
    const char *mean = side->given[KL_MEAN], *s = side->prefix;
    if (scales > 1)
        return message("%c has %u scales; expected exactly one of --%slogvar, --%slogstd, --%svar "
                       "and --%sstd",
                       side->letter, scales, s, s, s, s);
    if (mean == NULL)
        return message("--%s%s is given without --%smean; expected both", s,
                       kl_argument_name((enum kl_argument)(KL_LOGVAR + which)), s);
    if (scales == 0)
        return message("--%smean is given without a scale; expected one of --%slogvar, --%slogstd, "
                       "--%svar and --%sstd beside it%s",
                       s, s, s, s, s, side->may_be_point ? ", or --deterministic" : "");
    *options = (struct kl_side_options){
        .form = scale_forms[which], .mean = mean, .scale = side->given[KL_LOGVAR + which]};
    return true;
}

/* A point mass: the files give only the shape. */
static bool read_deterministic(const struct side *side, const char *moments, unsigned scales,
                               unsigned which, struct kl_side_options *options)
{
    const char *mean = side->given[KL_MEAN];
    if (scales > 0)
        return message("--%s contradicts --deterministic: a point mass has no scale; drop one of "
                       "them",
                       kl_argument_name((enum kl_argument)(KL_LOGVAR + which)));
    if (moments != NULL && mean != NULL)
        return message("P is given twice, by --mean and by '%s'; give it once",
                       message_file(moments));
    if (moments == NULL && mean == NULL)
        return message("--deterministic needs P.npy, --moments FILE or --mean FILE, which give the "
                       "shape");
    *options = (struct kl_side_options){.form = CLKL_DETERMINISTIC,
                                        .packed = moments != NULL,
                                        .mean = moments != NULL ? moments : mean};
    return true;
}

static bool read_side(const struct side *side, bool deterministic, struct kl_side_options *options)
{
    if (side->file != NULL && side->given[KL_MOMENTS] != NULL)
        return refuse_twice(side, "moments");
    const char *moments = side->file != NULL ? side->file : side->given[KL_MOMENTS];
    unsigned which = 0, scales = count_scales(side, &which);
    if (deterministic)
        return read_deterministic(side, moments, scales, which, options);
    if (moments != NULL)
        return read_packed(side, moments, side->given[KL_MEAN] != NULL, scales, which, options);
    if (side->given[KL_MEAN] != NULL || scales > 0)
        return read_separate(side, scales, which, options);
    *options = (struct kl_side_options){.form = CLKL_STANDARD_NORMAL};
    return true;
}

static unsigned is_standard_input(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

/* Standard input can be read once. */
static bool check_standard_input(const struct kl_arguments *arguments)
{
    static const enum kl_argument others[] = {KL_MASK, KL_WEIGHTS, KL_LENGTHS, KL_UPSTREAM};
    unsigned uses = is_standard_input(arguments->file[0]) + is_standard_input(arguments->file[1]);
    for (unsigned i = KL_MOMENTS; i <= KL_Q_STD; i++)
        uses += is_standard_input(arguments->option[i]);
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        uses += is_standard_input(arguments->option[others[i]]);
    return uses <= 1 || message("'-' stands for standard input, which %u inputs want; expected one "
                                "at most, and files for the others",
                                uses);
}

bool kl_sides_read(const struct kl_arguments *arguments, struct kl_options *options)
{
    const struct side p = {'P', "", arguments->file[0], arguments->option,
                           kl_argument_is_offered(arguments, KL_DETERMINISTIC)};
    const struct side q = {'Q', "q-", arguments->file[1], arguments->option + SIDE_OPTIONS, false};
    if (!read_side(&p, arguments->option[KL_DETERMINISTIC] != NULL, &options->p) ||
        !read_side(&q, false, &options->q))
        return false;
    if (options->p.mean == NULL)
        return message("P is missing; expected P.npy, --moments FILE, or --mean FILE and one of "
                       "--logvar, --logstd, --var and --std");
    return check_standard_input(arguments);
}
