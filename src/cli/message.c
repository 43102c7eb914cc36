#include "message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

bool message(const char *format, ...)
{
    char text[4096];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    for (char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = '?';
    fprintf(stderr, "clkl: %s\n", text);
    return false;
}

const char *message_file(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}
