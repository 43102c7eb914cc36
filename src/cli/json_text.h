/* Text from outside, for JSON. */
#ifndef CLKL_CLI_JSON_TEXT_H
#define CLKL_CLI_JSON_TEXT_H

#include <jansson.h>

/* A string. Names of files and devices may not be UTF-8: then every byte that is not ASCII becomes
 * '?'. NULL if there is no memory. */
json_t *json_text(const char *text);

#endif
