#include "kl_sides.h"

#include "message.h"

#include <stdio.h>
#include <string.h>

enum { SCALES = 7, SIDE_OPTIONS = KL_Q_MOMENTS - KL_MOMENTS };

static const clkl_form scale_forms[SCALES] = {
    CLKL_MEAN_LOGVAR,     CLKL_MEAN_LOGSTD,   CLKL_MEAN_VAR,      CLKL_MEAN_STD,
    CLKL_MEAN_COVARIANCE, CLKL_MEAN_CHOLESKY, CLKL_MEAN_PRECISION};

/* The arguments of one side. */
struct side {
    char letter;              /* 'P' or 'Q' */
    const char *prefix;       /* of its options: "" or "q-" */
    const char *file;         /* P.npy or Q.npy */
    const char *const *given; /* its options, from KL_MOMENTS to KL_STATS */
    bool may_be_point;        /* --deterministic is an option */
    bool may_be_full;         /* those of full covariances are */
};

/* "--logvar, --logstd, --var and --std", and whatever else the command has. */
struct scale_names {
    char text[192];
};

static struct scale_names scale_names(const struct side *side)
{
    const unsigned count = side->may_be_full ? SCALES : KL_STD - KL_LOGVAR + 1;
    struct scale_names names = {""};
    size_t used = 0;
    for (unsigned i = 0; i < count; i++)
        used += (size_t)snprintf(names.text + used, sizeof names.text - used, "%s--%s%s",
                                 i == 0           ? ""
                                 : i + 1 == count ? " and "
                                                  : ", ",
                                 side->prefix, kl_argument_name((enum kl_argument)(KL_LOGVAR + i)));
    return names;
}

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
        return message("%c has %u scales; expected exactly one of %s", side->letter, scales,
                       scale_names(side).text);
    if (mean == NULL)
        return message("--%s%s is given without --%smean; expected both", s,
                       kl_argument_name((enum kl_argument)(KL_LOGVAR + which)), s);
    if (scales == 0)
        return message("--%smean is given without a scale; expected one of %s beside it%s", s,
                       scale_names(side).text, side->may_be_point ? ", or --deterministic" : "");
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

/* The name of an option that gives the side, too; NULL if there is none. */
static const char *find_other(const struct side *side)
{
    for (unsigned i = KL_MOMENTS; i < KL_STATS; i++)
        if (side->given[i] != NULL)
            return kl_argument_name((enum kl_argument)i);
    return NULL;
}

static bool read_statistics(const struct side *side, bool deterministic,
                            struct kl_side_options *options)
{
    const char *path = side->given[KL_STATS], *other = find_other(side);
    if (side->file != NULL)
        return refuse_twice(side, "stats");
    if (other != NULL)
        return message("%c is given twice: --%sstats has mean and covariance, so --%s%s "
                       "contradicts it",
                       side->letter, side->prefix, side->prefix, other);
    if (deterministic)
        return message("--stats contradicts --deterministic: a point mass has no covariance; drop "
                       "one of them");
    if (strcmp(path, "-") == 0)
        return message("--%sstats -: an .npz archive cannot be read from standard input; expected "
                       "the name of a file",
                       side->prefix);
    *options = (struct kl_side_options){
        .form = CLKL_MEAN_COVARIANCE, .archive = true, .mean = path, .scale = path};
    return true;
}

static bool read_side(const struct side *side, bool deterministic, struct kl_side_options *options)
{
    if (side->given[KL_STATS] != NULL)
        return read_statistics(side, deterministic, options);
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
    for (unsigned i = KL_MOMENTS; i <= KL_Q_STATS; i++)
        uses += is_standard_input(arguments->option[i]);
    for (unsigned i = 0; i < sizeof others / sizeof others[0]; i++)
        uses += is_standard_input(arguments->option[others[i]]);
    return uses <= 1 || message("'-' stands for standard input, which %u inputs want; expected one "
                                "at most, and files for the others",
                                uses);
}

bool kl_sides_read(const struct kl_arguments *arguments, struct kl_options *options)
{
    const bool full = kl_argument_is_offered(arguments, KL_STATS);
    const struct side p = {'P',
                           "",
                           arguments->file[0],
                           arguments->option,
                           kl_argument_is_offered(arguments, KL_DETERMINISTIC),
                           full};
    const struct side q = {'Q',   "q-", arguments->file[1], arguments->option + SIDE_OPTIONS,
                           false, full};
    if (!read_side(&p, arguments->option[KL_DETERMINISTIC] != NULL, &options->p) ||
        !read_side(&q, false, &options->q))
        return false;
    if (options->p.mean == NULL)
        return message(
            "P is missing; expected P.npy, --moments FILE, or --mean FILE and one of %s%s",
            scale_names(&p).text, full ? ", or --stats FILE" : "");
    return check_standard_input(arguments);
}
