/* The file that an option asks for, beside what is printed. */
#ifndef CLKL_CLI_OUT_FILE_H
#define CLKL_CLI_OUT_FILE_H

#include "io/output.h"

#include <stdbool.h>

/* Opens it; `path` NULL is no file, and gives NULL. With `printing`, refuses a file that standard
 * output leads to. `option` is what named it, without dashes. On failure says why. */
bool out_file_open(const char *option, const char *path, bool printing, struct output **output);

/* Finishes it, or says why it cannot; NULL is allowed. Releases it in either case. */
bool out_file_commit(struct output *output);

#endif
