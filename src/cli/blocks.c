#include "blocks.h"

#include <stdlib.h>
#include <string.h>

bool blocks_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (unsigned i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value != NULL && value[0] != '\0')
            return strcasestr(value, "UTF-8") != NULL || strcasestr(value, "utf8") != NULL;
    }
    return false;
}

static void draw_blocks(FILE *to, double share, int width)
{
    static const char *const eighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    const int length = (int)(share * width * 8 + 0.5);
    for (int i = 0; i < length / 8; i++)
        fputs("█", to);
    fputs(eighths[length % 8], to);
}

static void draw_hashes(FILE *to, double share, int width)
{
    const int length = (int)(share * width + 0.5);
    for (int i = 0; i < length; i++)
        fputc('#', to);
}

void blocks_draw(FILE *to, double share, int width, bool utf8)
{
    (utf8 ? draw_blocks : draw_hashes)(to, share, width);
}

struct blocks_value blocks_value(double value)
{
    struct blocks_value result;
    snprintf(result.text, sizeof result.text, "%#.4g", value);
    const size_t length = strlen(result.text);
    if (result.text[length - 1] == '.')
        result.text[length - 1] = '\0';
    return result;
}
