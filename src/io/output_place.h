/* Where an output goes: what a path stands for, and a place beside it to write to meanwhile. */
#ifndef CLKL_OUTPUT_PLACE_H
#define CLKL_OUTPUT_PLACE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * The path at the end of the chain of symbolic links that begins at `path`, whether or not there is
 * something; the caller frees it. The links /dev/fd/N and /proc/self/fd/N are ends: they stand for
 * an open file, which need not be what the path that the system shows for them leads to. NULL, with
 * errno set, if links go in circles or there is no memory.
 */
char *output_follow_links(const char *path);

/* The N of /dev/fd/N and /proc/self/fd/N; -1 for other paths. */
int output_inherited_descriptor(const char *path);

/*
 * Creates a hidden file in the target's directory, with permissions `mode` less the umask, and
 * returns its descriptor and, in `name`, its path, which the caller frees. -1 with errno set.
 */
int output_create_beside(const char *target, mode_t mode, char **name);

/*
 * Gives the file `target` a second, hidden name in its directory, by which it stays when something
 * else takes the first. Returns that path, which the caller frees; NULL, with errno set, if there
 * is no such file or the file system knows no second names.
 */
char *output_link_beside(const char *target);

#endif
