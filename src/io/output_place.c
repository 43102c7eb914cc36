#define _POSIX_C_SOURCE 200809L

#include "output_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    MOST_LINKS = 40, /* as many as Linux follows */
    LONGEST_LINK = 4096,
    BASE_KEPT = 100,    /* of the target's name in a temporary one; names have 255 bytes, often */
    MOST_ATTEMPTS = 100 /* at finding a name that is not taken */
};

/* The length of the path up to its last slash, that slash included. */
static size_t directory_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? (size_t)(slash - path) + 1 : 0;
}

int output_inherited_descriptor(const char *path)
{
    static const char *const folders[] = {"/dev/fd/", "/proc/self/fd/"};
    for (unsigned i = 0; i < sizeof folders / sizeof folders[0]; i++) {
        size_t length = strlen(folders[i]);
        const char *digits = path + length;
        if (strncmp(path, folders[i], length) != 0 || *digits == '\0')
            continue;
        if (strspn(digits, "0123456789") == strlen(digits) && strlen(digits) < 9)
            return atoi(digits);
    }
    return -1;
}

/* The path that a link leads to; takes the link's own path over. */
static char *resolve(char *path, const char *target)
{
    size_t kept = target[0] == '/' ? 0 : directory_length(path);
    char *resolved = malloc(kept + strlen(target) + 1);
    if (resolved != NULL) {
        memcpy(resolved, path, kept);
        strcpy(resolved + kept, target);
    }
    free(path);
    return resolved;
}

char *output_follow_links(const char *start)
{
    char target[LONGEST_LINK];
    char *path = strdup(start);
    for (unsigned links = 0; path != NULL && output_inherited_descriptor(path) < 0; links++) {
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length < 0)
            break; /* no link; if there is another trouble, whoever opens the path will meet it */
        if (links == MOST_LINKS) {
            free(path);
            errno = ELOOP;
            return NULL;
        }
        target[length] = '\0';
        path = resolve(path, target);
    }
    return path;
}

/* How much of a file's name goes into the temporary one: not half a UTF-8 character. */
static int kept_length(const char *base)
{
    size_t length = strlen(base);
    if (length > BASE_KEPT)
        for (length = BASE_KEPT; length > 0 && ((unsigned char)base[length] & 0xC0) == 0x80;)
            length--;
    return (int)length;
}

/* A number that other processes, and this one at other times, are unlikely to come up with. */
static unsigned unlikely_number(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    return (unsigned)now.tv_nsec ^ (unsigned)now.tv_sec << 20 ^ (unsigned)getpid() * 2654435761U;
}

/* Room for the hidden names of a target; NULL with errno set if there is no memory. */
static char *name_room(const char *target, size_t *size)
{
    *size = directory_length(target) + BASE_KEPT + sizeof "..12345678.tmp";
    return malloc(*size);
}

static void write_name(char *name, size_t size, const char *target, unsigned number)
{
    const size_t directory = directory_length(target);
    const char *base = target + directory;
    snprintf(name, size, "%.*s.%.*s.%08x.tmp", (int)directory, target, kept_length(base), base,
             number);
}

char *output_link_beside(const char *target)
{
    size_t size = 0;
    char *name = name_room(target, &size);
    if (name == NULL)
        return NULL;
    const unsigned number = unlikely_number();
    for (unsigned attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        write_name(name, size, target, number + attempt);
        if (link(target, name) == 0)
            return name;
        if (errno != EEXIST)
            break;
    }
    const int reason = errno;
    free(name);
    errno = reason;
    return NULL;
}

int output_create_beside(const char *target, mode_t mode, char **name)
{
    size_t size = 0;
    int descriptor = -1;
    *name = name_room(target, &size);
    if (*name == NULL)
        return -1;
    unsigned number = unlikely_number();
    for (unsigned attempt = 0; attempt < MOST_ATTEMPTS; attempt++) {
        write_name(*name, size, target, number + attempt);
        descriptor = open(*name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
        if (descriptor >= 0 || (errno != EEXIST && errno != EINTR))
            break;
    }
    if (descriptor < 0) {
        int reason = errno;
        free(*name);
        *name = NULL;
        errno = reason;
    }
    return descriptor;
}
