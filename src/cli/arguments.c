#include "arguments.h"

#include "message.h"

#include <clkl/clkl.h>

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The long option that a word names, in full or by its beginning. NULL if none does or more than
 * one; *matches tells which. */
static const struct argp_option *find(const struct argp_option *table, const char *word,
                                      unsigned *matches)
{
    const struct argp_option *found = NULL;
    size_t length = strcspn(word, "=");
    *matches = 0;
    for (; table->name != NULL || table->key != 0 || table->doc != NULL; table++) {
        if (table->name == NULL || strncmp(table->name, word, length) != 0)
            continue;
        found = table;
        ++*matches;
        if (strlen(table->name) == length) {
            *matches = 1;
            break;
        }
    }
    return *matches == 1 ? found : NULL;
}

/* Says why argp stopped at a word that begins with '-'. */
static bool refuse_option(const struct argp_option *table, const char *name, const char *word)
{
    unsigned matches = 0;
    const struct argp_option *option =
        strncmp(word, "--", 2) == 0 ? find(table, word + 2, &matches) : NULL;
    int length = (int)strcspn(word, "=");
    if (matches > 1)
        return message("option %.*s is the beginning of several; write it out", length, word);
    if (option == NULL)
        return message("unknown option %.*s; %s --help lists those that there are", length, word,
                       name);
    if (option->arg == NULL)
        return message("option --%s takes no value; write it without '='", option->name);
    return message("option --%s is followed by nothing; expected --%s %s", option->name,
                   option->name, option->arg);
}

/* What a parse is about: argp passes it through to `relay`. */
struct parse {
    const struct argp *argp;
    const char *name;
    void *input;
    bool refused; /* the command's parser has said why */
};

/* Stands before the command's own parser, to see where argp stops. */
static error_t relay(int key, char *value, struct argp_state *state)
{
    struct parse *parse = state->input;
    if (key == ARGP_KEY_ERROR) {
        const char *word = state->next > 1 ? state->argv[state->next - 1] : "";
        bool cluster = word[0] != '-' && state->next < state->argc;
        if (!parse->refused)
            refuse_option(parse->argp->options, parse->name,
                          cluster ? state->argv[state->next] : word);
        return 0;
    }
    state->input = parse->input;
    error_t error = parse->argp->parser(key, value, state);
    state->input = parse;
    parse->refused = parse->refused || (error != 0 && error != ARGP_ERR_UNKNOWN);
    return error;
}

bool arguments_parse(const struct argp *argp, const char *name, int count, char **words,
                     void *input)
{
    struct parse parse = {.argp = argp, .name = name, .input = input};
    struct argp relaying = *argp;
    relaying.parser = relay;
    return argp_parse(&relaying, count, words, ARGP_NO_ERRS | ARGP_NO_EXIT | ARGP_NO_HELP, NULL,
                      &parse) == 0;
}

void arguments_help(const struct argp *argp, const char *name)
{
    char writable[32];
    snprintf(writable, sizeof writable, "%s", name);
    argp_help(argp, stdout, ARGP_HELP_SHORT_USAGE | ARGP_HELP_DOC | ARGP_HELP_LONG, writable);
    exit(EXIT_DONE);
}

void arguments_version(void)
{
    uint32_t version = clkl_version();
    printf("clkl %u.%u.%u\n", version / 10000, version / 100 % 100, version % 100);
    exit(EXIT_DONE);
}

bool arguments_integer(const char *text, int *number)
{
    char *end = NULL;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || *end != '\0' || errno != 0 || value < INT_MIN || value > INT_MAX)
        return false;
    *number = (int)value;
    return true;
}

bool arguments_number(const char *text, double *number)
{
    char *end = NULL;
    *number = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*number);
}

bool arguments_amount(const char *text, double *amount)
{
    return arguments_number(text, amount) && *amount >= 0;
}

bool arguments_axis(int given, unsigned rank, unsigned *axis)
{
    const int resolved = given < 0 ? given + (int)rank : given;
    *axis = (unsigned)resolved;
    return resolved >= 0 && resolved < (int)rank;
}

bool arguments_bounds(const char *text, double *low, double *high)
{
    char *comma = NULL, *end = NULL;
    *low = strtod(text, &comma);
    if (comma == text || *comma != ',')
        return false;
    *high = strtod(comma + 1, &end);
    return end != comma + 1 && *end == '\0' && isfinite(*low) && isfinite(*high) && *low <= *high;
}
