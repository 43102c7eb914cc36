#define _POSIX_C_SOURCE 200809L

#include "npz.h"

#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

enum {
    LARGEST_RATIO = 1032, /* deflating saves no more: 258 bytes take two bits at least */
    NAMES_SHOWN = 160     /* bytes of what the members are called, in a message */
};

static const uint64_t largest_member = (uint64_t)1 << 34; /* bytes; a matrix of D = 46000 */

struct npz {
    zip_t *zip;
    uint64_t size; /* bytes of the file */
    char *path;
};

/* ---- Opening ---- */

/* A descriptor of a regular file, and its size; -1 on failure. Does not wait for a pipe's writer.
 */
static int open_regular(const char *path, uint64_t *size, struct io_error *error)
{
    struct stat status;
    const int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (descriptor < 0 || fstat(descriptor, &status) != 0) {
        io_error_set(error, path, "cannot be opened: %s", strerror(errno));
    } else if (!S_ISREG(status.st_mode)) {
        io_error_set(error, path, "this is %s; expected an .npz archive, which is a regular file",
                     S_ISDIR(status.st_mode) ? "a directory" : "a pipe or a device");
    } else {
        *size = (uint64_t)status.st_size;
        return descriptor;
    }
    if (descriptor >= 0)
        close(descriptor);
    return -1;
}

/* Takes the descriptor over. */
static zip_t *open_zip(int descriptor, const char *path, struct io_error *error)
{
    int code = 0;
    zip_error_t reason;
    zip_t *zip = zip_fdopen(descriptor, 0, &code);
    if (zip != NULL)
        return zip;
    close(descriptor);
    zip_error_init_with_code(&reason, code);
    io_error_set(error, path, "%s (%s); expected an .npz archive, as numpy.savez writes it",
                 code == ZIP_ER_NOZIP ? "this is no zip file, or a truncated one"
                                      : "this zip file cannot be read",
                 zip_error_strerror(&reason));
    zip_error_fini(&reason);
    return NULL;
}

struct npz *npz_open(const char *path, struct io_error *error)
{
    struct npz *archive = calloc(1, sizeof *archive);
    if (archive == NULL || (archive->path = strdup(path)) == NULL) {
        io_error_set(error, path, "there is no memory to open it");
        npz_close(archive);
        return NULL;
    }
    const int descriptor = open_regular(path, &archive->size, error);
    if (descriptor >= 0)
        archive->zip = open_zip(descriptor, path, error);
    if (archive->zip != NULL)
        return archive;
    npz_close(archive);
    return NULL;
}

void npz_close(struct npz *archive)
{
    if (archive == NULL)
        return;
    if (archive->zip != NULL)
        zip_discard(archive->zip);
    free(archive->path);
    free(archive);
}

/* ---- Finding a member ---- */

/* Whether a member is called NAME.npy. */
static bool is_called(const char *member, const char *name)
{
    const size_t length = strlen(name);
    return member != NULL && strncmp(member, name, length) == 0 &&
           strcmp(member + length, ".npy") == 0;
}

static bool refuse_missing(const struct npz *archive, const char *name, struct io_error *error)
{
    char names[NAMES_SHOWN + 8] = "";
    const zip_int64_t count = zip_get_num_entries(archive->zip, 0);
    size_t used = 0;
    for (zip_int64_t i = 0; i < count; i++) {
        const char *member = zip_get_name(archive->zip, (zip_uint64_t)i, 0);
        if (member == NULL)
            continue;
        if (used + strlen(member) + 2 > NAMES_SHOWN) {
            strcpy(names + used, used > 0 ? ", ..." : "...");
            break;
        }
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "",
                                 member);
    }
    return io_error_set(error, archive->path, "it has no member %s.npy; found: %s", name,
                        names[0] != '\0' ? names : "nothing");
}

static bool find(const struct npz *archive, const char *name, zip_uint64_t *index,
                 struct io_error *error)
{
    const zip_int64_t count = zip_get_num_entries(archive->zip, 0);
    unsigned found = 0;
    for (zip_int64_t i = 0; i < count; i++) {
        if (!is_called(zip_get_name(archive->zip, (zip_uint64_t)i, 0), name))
            continue;
        *index = (zip_uint64_t)i;
        found++;
    }
    if (found == 0)
        return refuse_missing(archive, name, error);
    return found == 1 || io_error_set(error, archive->path,
                                      "it has %u members %s.npy; expected one", found, name);
}

/* ---- What the archive says of it ---- */

static bool check_sizes(const struct npz *archive, const zip_stat_t *member, const char *name,
                        struct io_error *error)
{
    const uint64_t packed = member->comp_size, size = member->size;
    const bool stored = member->comp_method == ZIP_CM_STORE;
    if (packed > archive->size)
        return io_error_set(error, archive->path,
                            "the member %s.npy claims to be %" PRIu64 " bytes long, but the whole "
                            "file has %" PRIu64 "; it is damaged",
                            name, packed, archive->size);
    if (stored ? size != packed : size / LARGEST_RATIO > packed)
        return io_error_set(error, archive->path,
                            "the member %s.npy claims that %" PRIu64 " bytes in the file hold "
                            "%" PRIu64 ", which %s cannot be; it is damaged",
                            name, packed, size, stored ? "without compression" : "by deflating");
    if (size > largest_member)
        return io_error_set(error, archive->path,
                            "the member %s.npy is %" PRIu64 " bytes long; expected at most "
                            "%" PRIu64,
                            name, size, largest_member);
    return true;
}

static bool examine(const struct npz *archive, zip_uint64_t index, const char *name,
                    zip_stat_t *member, struct io_error *error)
{
    const zip_uint64_t needed =
        ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE | ZIP_STAT_COMP_METHOD | ZIP_STAT_ENCRYPTION_METHOD;
    if (zip_stat_index(archive->zip, index, 0, member) != 0 || (member->valid & needed) != needed)
        return io_error_set(error, archive->path, "the member %s.npy cannot be read: %s", name,
                            zip_strerror(archive->zip));
    if (member->encryption_method != ZIP_EM_NONE)
        return io_error_set(error, archive->path,
                            "the member %s.npy is encrypted; expected an archive as numpy.savez "
                            "writes it",
                            name);
    if (member->comp_method != ZIP_CM_STORE && member->comp_method != ZIP_CM_DEFLATE)
        return io_error_set(error, archive->path,
                            "the member %s.npy is compressed by method %u; expected none (0) or "
                            "deflating (8), as by numpy.savez and numpy.savez_compressed",
                            name, (unsigned)member->comp_method);
    return check_sizes(archive, member, name, error);
}

/* ---- Reading ---- */

static int64_t pull(struct source *source, void *to, size_t size, struct io_error *error)
{
    const zip_int64_t came = zip_fread(source->from, to, size);
    if (came < 0)
        io_error_set(error, source->name, "cannot be read: %s; the archive is damaged",
                     zip_file_strerror(source->from));
    return came;
}

static bool read_member(struct npz *archive, zip_uint64_t index, const char *name, uint64_t size,
                        struct npy *array, struct io_error *error)
{
    zip_file_t *file = zip_fopen_index(archive->zip, index, 0);
    if (file == NULL)
        return io_error_set(error, archive->path, "the member %s.npy cannot be read: %s", name,
                            zip_strerror(archive->zip));
    const size_t room = strlen(archive->path) + strlen(name) + sizeof "(.npy)";
    char *label = malloc(room);
    bool good = false;
    if (label != NULL) {
        snprintf(label, room, "%s(%s.npy)", archive->path, name);
        struct source source = {
            .name = label, .descriptor = -1, .pull = pull, .from = file, .sized = true};
        source.left = size;
        good = npy_read_source(&source, array, error);
    } else {
        io_error_set(error, archive->path, "there is no memory to read it");
    }
    free(label);
    zip_fclose(file);
    return good;
}

bool npz_read(struct npz *archive, const char *name, struct npy *array, struct io_error *error)
{
    zip_uint64_t index = 0;
    zip_stat_t member;
    *array = (struct npy){0};
    return find(archive, name, &index, error) && examine(archive, index, name, &member, error) &&
           read_member(archive, index, name, member.size, array, error);
}
