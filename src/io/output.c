#define _POSIX_C_SOURCE 200809L

#include "output.h"

#include "output_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct output {
    char *path;      /* as the caller wrote it, for messages */
    char *target;    /* what is replaced */
    char *temporary; /* what is written meanwhile; NULL where the target is written directly */
    FILE *stream;
    char *old;   /* another name of the file that the target was before; NULL: there is none */
    bool is_new; /* the target was no file before */
};

static bool refuse(const struct output *output, struct io_error *error)
{
    return io_error_set(error, output->path, "cannot be written: %s", strerror(errno));
}

/* Gives the new file the owner and the permissions of the old. A group that cannot be kept gets no
 * more rights than everybody. */
static void inherit(int descriptor, const struct stat *old)
{
    mode_t mode = old->st_mode & 0777;
    if (fchown(descriptor, old->st_uid, old->st_gid) != 0 &&
        fchown(descriptor, (uid_t)-1, old->st_gid) != 0)
        mode &= ~(mode_t)070 | (mode & 07) << 3;
    if (fchmod(descriptor, mode) != 0)
        return; /* the file stays as private as it was made */
}

/* `old` is the file to be replaced, or NULL. Returns a descriptor, or -1. */
static int open_beside(struct output *output, const struct stat *old, struct io_error *error)
{
    if (old != NULL && faccessat(AT_FDCWD, output->target, W_OK, AT_EACCESS) != 0) {
        refuse(output, error);
        return -1;
    }
    mode_t mode = old != NULL ? S_IRUSR | S_IWUSR : 0666;
    int descriptor = output_create_beside(output->target, mode, &output->temporary);
    if (descriptor < 0)
        io_error_set(error, output->path,
                     "cannot be written: no file can be made in its directory: %s",
                     strerror(errno));
    else if (old != NULL)
        inherit(descriptor, old);
    return descriptor;
}

static int open_directly(const struct output *output, struct io_error *error)
{
    int inherited = output_inherited_descriptor(output->target);
    int descriptor = -1;
    do
        descriptor = inherited >= 0 ? fcntl(inherited, F_DUPFD_CLOEXEC, 0)
                                    : open(output->target, O_WRONLY | O_CLOEXEC | O_NOCTTY);
    while (descriptor < 0 && errno == EINTR);
    if (descriptor < 0)
        refuse(output, error);
    return descriptor;
}

static int open_target(struct output *output, struct io_error *error)
{
    struct stat status;
    if (output_inherited_descriptor(output->target) >= 0)
        return open_directly(output, error);
    if (stat(output->target, &status) == 0)
        return S_ISREG(status.st_mode) ? open_beside(output, &status, error)
                                       : open_directly(output, error); /* refuses directories */
    size_t length = strlen(output->target);
    if (errno == ENOENT && length > 0 && output->target[length - 1] != '/')
        return open_beside(output, NULL, error);
    refuse(output, error);
    return -1;
}

/* Takes back all that output_open and output_commit have done and not finished. */
static void release(struct output *output)
{
    if (output->stream != NULL)
        fclose(output->stream);
    if (output->temporary != NULL)
        unlink(output->temporary);
    if (output->old != NULL)
        unlink(output->old);
    free(output->old);
    free(output->temporary);
    free(output->target);
    free(output->path);
    free(output);
}

struct output *output_open(const char *path, struct io_error *error)
{
    struct output *output = calloc(1, sizeof *output);
    if (output == NULL) {
        io_error_set(error, path, "cannot be written: %s", strerror(errno));
        return NULL;
    }
    output->path = strdup(path);
    output->target = output_follow_links(path);
    if (output->path == NULL || output->target == NULL) {
        io_error_set(error, path, "cannot be written: %s", strerror(errno));
        release(output);
        return NULL;
    }
    int descriptor = open_target(output, error);
    if (descriptor >= 0 && (output->stream = fdopen(descriptor, "w")) == NULL) {
        refuse(output, error);
        close(descriptor);
    }
    if (output->stream != NULL)
        return output;
    release(output);
    return NULL;
}

FILE *output_stream(struct output *output)
{
    return output->stream;
}

/* Brings everything to the file, and a temporary one to the disk. Some file systems cannot do the
 * latter, and say EINVAL. */
static bool flush(struct output *output)
{
    bool failed_before = ferror(output->stream) != 0;
    errno = EIO;
    if (fflush(output->stream) != 0 || failed_before)
        return false;
    return output->temporary == NULL || fsync(fileno(output->stream)) == 0 || errno == EINVAL;
}

static bool close_stream(struct output *output)
{
    FILE *stream = output->stream;
    output->stream = NULL;
    return fclose(stream) == 0;
}

/* The temporary file takes the place of the target. */
static bool replace(struct output *output)
{
    if (output->temporary == NULL)
        return true;
    if (rename(output->temporary, output->target) != 0)
        return false;
    free(output->temporary);
    output->temporary = NULL;
    return true;
}

/* Keeps the old file by another name, so that it can be put back. Without a temporary file the
 * target has been written to, and nothing can be taken back. */
static void keep_old(struct output *output)
{
    if (output->temporary == NULL)
        return;
    output->old = output_link_beside(output->target);
    output->is_new = output->old == NULL && errno == ENOENT;
}

/* Undoes replace(), if the old file was kept or there was none. */
static void take_back(struct output *output)
{
    if (output->is_new)
        unlink(output->target);
    if (output->old == NULL || rename(output->old, output->target) != 0)
        return;
    free(output->old);
    output->old = NULL;
}

static bool finish_all(struct output *const *outputs, unsigned count, struct io_error *error)
{
    for (unsigned i = 0; i < count; i++)
        if (!flush(outputs[i]) || !close_stream(outputs[i]))
            return refuse(outputs[i], error);
    for (unsigned i = 0; i < count; i++) {
        if (i + 1 < count)
            keep_old(outputs[i]);
        if (replace(outputs[i]))
            continue;
        refuse(outputs[i], error);
        while (i-- > 0)
            take_back(outputs[i]);
        return false;
    }
    return true;
}

bool output_commit_all(struct output *const *outputs, unsigned count, struct io_error *error)
{
    const bool good = finish_all(outputs, count, error);
    for (unsigned i = 0; i < count; i++)
        release(outputs[i]);
    return good;
}

bool output_commit(struct output *output, struct io_error *error)
{
    return output_commit_all(&output, 1, error);
}

void output_abandon(struct output *output)
{
    if (output != NULL)
        release(output);
}
