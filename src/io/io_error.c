#include "io_error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { NAME_SHOWN = 120 };

/* The last NAME_SHOWN bytes of a name, or a few less: a UTF-8 character is not cut in two. */
static const char *tail(const char *name)
{
    size_t length = strlen(name);
    if (length <= NAME_SHOWN)
        return name;
    name += length - NAME_SHOWN;
    while (((unsigned char)*name & 0xC0) == 0x80)
        name++;
    return name;
}

static void disarm(char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            *text = '?';
}

bool io_error_set(struct io_error *error, const char *file, const char *format, ...)
{
    if (error == NULL)
        return false;
    const char *shown = tail(file);
    int used =
        snprintf(error->text, sizeof error->text, "%s%s: ", shown == file ? "" : "...", shown);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text + used, sizeof error->text - (size_t)used, format, arguments);
    va_end(arguments);
    disarm(error->text);
    return false;
}
