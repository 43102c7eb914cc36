/*
 * options WHAT: writes what the tool's tables of options say, for manual and completion.
 *
 *     synopsis   a line of the manual for each way to call a command
 *     manual     a subsection of the manual for each command
 *     words      the branches of a `case` in bash: for each command, and for none (''), the words
 *                that may follow; an option that takes a value is --NAME=VALUE, and a command that
 *                takes files has the word FILE
 *
 * Values are written as in the tables: words to be taken literally, and names of things in capital
 * letters, with bars between alternatives.
 */
#include "cli/commands.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_end(const struct argp_option *option)
{
    return option->name == NULL && option->key == 0 && option->doc == NULL;
}

/* Options that every command has are in the last group of each table. */
static bool is_common(const struct argp_option *option)
{
    return option->group == -1;
}

/* ---- The manual ---- */

/* A minus, unlike a hyphen, begins a word or stands before a digit. */
static bool is_minus(const char *text, const char *at)
{
    return at == text || strchr(" ([`-", at[-1]) != NULL || isdigit((unsigned char)at[1]);
}

static bool ends_word(char c)
{
    return !isalnum((unsigned char)c) && c != '-';
}

/* Text for troff: words that begin with "--" or stand in backquotes are bold. */
static void put_text(const char *text, size_t length)
{
    const char *end = text + length;
    bool in_option = false, in_quotes = false;
    if (length > 0 && (*text == '.' || *text == '\''))
        fputs("\\&", stdout);
    for (const char *at = text; at < end; at++) {
        if (in_option && ends_word(*at)) {
            fputs("\\fR", stdout);
            in_option = false;
        }
        if (*at == '`') {
            in_quotes = !in_quotes;
            fputs(in_quotes ? "\\fB" : "\\fR", stdout);
            continue;
        }
        if (!in_quotes && !in_option && strncmp(at, "--", 2) == 0) {
            fputs("\\fB", stdout);
            in_option = true;
        }
        if (*at == '\\')
            fputs("\\e", stdout);
        else if (*at == '-' && (in_option || is_minus(text, at)))
            fputs("\\-", stdout);
        else
            putchar(*at);
    }
    puts(in_option ? "\\fR" : "");
}

/* Alternatives: literal ones bold, names of things italic. */
static void put_value(const char *value)
{
    while (*value != '\0') {
        size_t length = strcspn(value, "|");
        printf("\\f%c%.*s\\fR", isupper((unsigned char)*value) ? 'I' : 'B', (int)length, value);
        value += length;
        if (*value == '|')
            putchar(*value++);
    }
}

static void put_head(const struct argp_option *option)
{
    fputs("\\fB\\-\\-", stdout);
    for (const char *c = option->name; *c != '\0'; c++)
        fputs(*c == '-' ? "\\-" : (char[]){*c, '\0'}, stdout);
    fputs("\\fR", stdout);
    if (option->arg != NULL) {
        putchar('=');
        put_value(option->arg);
    }
    putchar('\n');
}

/* Options without a text of their own share one paragraph with those that follow. */
static void put_options(const struct argp_option *option)
{
    bool open = false;
    for (; !is_end(option); option++) {
        if (option->name == NULL) {
            puts(".PP");
            put_text(option->doc, strlen(option->doc));
            open = false;
            continue;
        }
        puts(open ? ".TQ" : ".TP");
        put_head(option);
        open = option->doc == NULL;
        if (!open)
            put_text(option->doc, strlen(option->doc));
    }
}

static void put_manual(const struct command *command)
{
    const char *doc = command->argp->doc, *after = strchr(doc, '\v');
    printf(".SS clkl %s\n", command->name);
    put_text(doc, strcspn(doc, "\v"));
    put_options(command->argp->options);
    if (after != NULL) {
        puts(".PP");
        put_text(after + 1, strlen(after + 1));
    }
}

static void put_synopsis(const struct command *command)
{
    const char *line = command->argp->args_doc;
    for (;;) {
        size_t length = strcspn(line, "\n");
        printf("\\fBclkl %s\\fR [\\fIOPTION\\fR...]%s", command->name, length > 0 ? " " : "");
        put_text(line, length);
        puts(".br");
        if (line[length] == '\0')
            return;
        line += length + 1;
    }
}

/* ---- The completion ---- */

static void put_words(const struct argp_option *option, bool common_only)
{
    for (; !is_end(option); option++) {
        if (option->name == NULL || (common_only && !is_common(option)))
            continue;
        printf(" '--%s%s%s'", option->name, option->arg != NULL ? "=" : "",
               option->arg != NULL ? option->arg : "");
    }
}

static void put_branch(const struct command *command)
{
    printf("    %s) printf '%%s\\n'", command->name);
    if (command->argp->args_doc[0] != '\0')
        fputs(" FILE", stdout);
    put_words(command->argp->options, false);
    puts(" ;;");
}

static void put_first_branch(void)
{
    fputs("    '') printf '%s\\n'", stdout);
    for (const struct command *command = commands; command->name != NULL; command++)
        printf(" %s", command->name);
    put_words(commands[0].argp->options, true);
    puts(" ;;");
}

int main(int count, char **words)
{
    const char *what = count == 2 ? words[1] : "";
    void (*put)(const struct command *) = strcmp(what, "synopsis") == 0 ? put_synopsis
                                          : strcmp(what, "manual") == 0 ? put_manual
                                          : strcmp(what, "words") == 0  ? put_branch
                                                                        : NULL;
    if (put == NULL) {
        fputs("options: expected synopsis, manual or words\n", stderr);
        return EXIT_FAILURE;
    }
    if (put == put_branch)
        put_first_branch();
    for (const struct command *command = commands; command->name != NULL; command++)
        put(command);
    return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
