#include "json_text.h"

#include <stdlib.h>
#include <string.h>

json_t *json_text(const char *text)
{
    json_t *result = json_string(text);
    char *ascii = result == NULL ? strdup(text) : NULL;
    if (ascii == NULL)
        return result;
    for (char *c = ascii; *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    result = json_string(ascii);
    free(ascii);
    return result;
}
