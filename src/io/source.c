#define _POSIX_C_SOURCE 200809L

#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    FIRST_PIECE = 1 << 20, /* what is allocated before a pipe has delivered anything */
    LARGEST_READ = 1 << 30 /* some systems refuse to read 2 GiB at once */
};

/* Tells regular files from pipes, and refuses what is neither. */
static bool examine(struct source *source, struct io_error *error)
{
    struct stat status;
    if (fstat(source->descriptor, &status) != 0)
        return io_error_set(error, source->name, "cannot be read: %s", strerror(errno));
    if (S_ISDIR(status.st_mode))
        return io_error_set(error, source->name, "this is a directory; expected a .npy file");
    if (isatty(source->descriptor))
        return io_error_set(error, source->name,
                            "this is a terminal; expected a .npy file or a pipe");
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode))
        return io_error_set(error, source->name,
                            "this is a device; expected a .npy file or a pipe");
    off_t at = S_ISREG(status.st_mode) ? lseek(source->descriptor, 0, SEEK_CUR) : -1;
    source->sized = at >= 0;
    source->left = at >= 0 && at < status.st_size ? (uint64_t)(status.st_size - at) : 0;
    return true;
}

bool source_open(struct source *source, const char *path, struct io_error *error)
{
    bool standard = strcmp(path, "-") == 0;
    *source =
        (struct source){.name = standard ? "standard input" : path, .descriptor = STDIN_FILENO};
    while (!standard) {
        source->descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (source->descriptor >= 0)
            break;
        if (errno != EINTR)
            return io_error_set(error, path, "cannot be opened: %s", strerror(errno));
    }
    if (examine(source, error))
        return true;
    source_close(source);
    return false;
}

void source_close(struct source *source)
{
    if (source->descriptor > STDIN_FILENO)
        close(source->descriptor);
    source->descriptor = -1;
}

/* Some bytes: how many, 0 at the end, -1 with a sentence. */
static int64_t read_some(struct source *source, void *to, size_t size, struct io_error *error)
{
    if (source->pull != NULL)
        return source->pull(source, to, size, error);
    for (;;) {
        const ssize_t came = read(source->descriptor, to, size);
        if (came >= 0)
            return came;
        if (errno != EINTR) {
            io_error_set(error, source->name, "cannot be read: %s", strerror(errno));
            return -1;
        }
    }
}

bool source_read(struct source *source, void *to, size_t size, size_t *got, struct io_error *error)
{
    for (*got = 0; *got < size;) {
        size_t ask = size - *got < LARGEST_READ ? size - *got : LARGEST_READ;
        const int64_t came = read_some(source, (char *)to + *got, ask, error);
        if (came < 0)
            return false;
        if (came == 0)
            break;
        *got += (size_t)came;
    }
    source->left -= *got < source->left ? *got : source->left;
    return true;
}

/* Changes the size of an allocation; on failure nothing is left of it. */
static char *resize(char *data, uint64_t size, const struct source *source, struct io_error *error)
{
    char *resized = size <= SIZE_MAX ? realloc(data, size != 0 ? (size_t)size : 1) : NULL;
    if (resized == NULL) {
        io_error_set(error, source->name, "needs %" PRIu64 " bytes of memory, which are not there",
                     size);
        free(data);
    }
    return resized;
}

void *source_read_new(struct source *source, uint64_t size, size_t *got, struct io_error *error)
{
    bool certain = size <= FIRST_PIECE || (source->sized && size <= source->left);
    uint64_t room = certain ? size : FIRST_PIECE;
    char *data = resize(NULL, room, source, error);
    *got = 0;
    while (data != NULL) {
        size_t came = 0;
        if (!source_read(source, data + *got, (size_t)room - *got, &came, error)) {
            free(data);
            return NULL;
        }
        *got += came;
        if (*got < room || room == size)
            break;
        room = room < size / 2 ? 2 * room : size;
        data = resize(data, room, source, error);
    }
    return data;
}
