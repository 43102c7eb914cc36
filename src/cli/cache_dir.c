#include "cache_dir.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder to be removed at exit. */
static char temporary[PATH_MAX];

/* Whether this is a folder of ours, no link to one, that we can use and others cannot write to. */
static bool is_private(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0 && S_ISDIR(status.st_mode) && status.st_uid == geteuid() &&
           (status.st_mode & (S_IWGRP | S_IWOTH)) == 0 && access(path, R_OK | W_OK | X_OK) == 0;
}

static bool make(const char *path)
{
    return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/* Makes clkl/pocl in `base`, which is made too, but not what is above it. Both are checked: who can
 * write to the upper one can replace the lower. */
static bool make_private(const char *base, char *path)
{
    char parent[PATH_MAX];
    return base[0] == '/' && snprintf(parent, sizeof parent, "%s/clkl", base) < PATH_MAX &&
           snprintf(path, PATH_MAX, "%s/pocl", parent) < PATH_MAX && make(base) && make(parent) &&
           is_private(parent) && make(path) && is_private(path);
}

/* The user's own cache. */
static bool use_home(char *path)
{
    char base[PATH_MAX];
    const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    if (cache != NULL && cache[0] == '/')
        return make_private(cache, path);
    if (home == NULL || snprintf(base, sizeof base, "%s/.cache", home) >= PATH_MAX)
        return false;
    return make_private(base, path);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    remove(path);
    return 0;
}

static void remove_temporary(void)
{
    nftw(temporary, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static bool use_temporary(char *path)
{
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || parent[0] != '/')
        parent = "/tmp";
    if (snprintf(path, PATH_MAX, "%s/clkl-XXXXXX", parent) >= PATH_MAX || mkdtemp(path) == NULL)
        return false;
    snprintf(temporary, sizeof temporary, "%s", path);
    if (atexit(remove_temporary) == 0)
        return true;
    rmdir(path);
    return false;
}

static bool is_reference(const char *device)
{
    if (device == NULL)
        device = getenv("CLKL_DEVICE");
    return device != NULL && strcasecmp(device, "reference") == 0;
}

void cache_dir_prepare(const char *device)
{
    char path[PATH_MAX];
    if (getenv("POCL_CACHE_DIR") != NULL || is_reference(device))
        return;
    if (use_home(path) || use_temporary(path))
        setenv("POCL_CACHE_DIR", path, 1);
}
