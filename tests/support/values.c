#include "values.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 256 };

static bool parse_name(const char **at, struct value *v)
{
    size_t length = strcspn(*at, " ");
    if (length == 0 || length >= sizeof v->name || (*at)[length] != ' ')
        return false;
    memcpy(v->name, *at, length);
    v->name[length] = '\0';
    *at += length + 1;
    return true;
}

/* Parses "case sample value" and the end of the line. */
static bool parse_line(const char *line, struct value *v)
{
    char *end;
    if (!parse_name(&line, v) || !isdigit((unsigned char)*line))
        return false;
    v->sample = strtoull(line, &end, 10);
    if (*end != ' ')
        return false;
    line = end + 1;
    v->value = strtod(line, &end);
    return end != line && *end == '\n';
}

static bool append(struct values *values, size_t *room, const struct value *v)
{
    if (values->count == *room) {
        size_t more = *room ? 2 * *room : 1024;
        struct value *all = realloc(values->all, more * sizeof *all);
        if (!all)
            return false;
        values->all = all;
        *room = more;
    }
    values->all[values->count++] = *v;
    return true;
}

static long load(FILE *file, struct values *out)
{
    char line[LINE_SIZE];
    struct value v;
    size_t room = 0;
    for (long number = 1; fgets(line, sizeof line, file); number++) {
        if (line[0] == '#')
            continue;
        if (!parse_line(line, &v))
            return number;
        if (!append(out, &room, &v))
            return -1;
    }
    return ferror(file) ? -1 : 0;
}

long values_load(const char *path, struct values *out)
{
    *out = (struct values){NULL, 0};
    FILE *file = fopen(path, "r");
    if (!file)
        return -1;
    long result = load(file, out);
    fclose(file);
    if (result != 0)
        values_free(out);
    return result;
}

const struct value *values_of(const struct values *values, const char *name, size_t *count)
{
    size_t first = 0, end;
    while (first < values->count && strcmp(values->all[first].name, name) != 0)
        first++;
    for (end = first; end < values->count && strcmp(values->all[end].name, name) == 0; end++)
        ;
    *count = end - first;
    return *count ? values->all + first : NULL;
}

void values_free(struct values *values)
{
    free(values->all);
    *values = (struct values){NULL, 0};
}
