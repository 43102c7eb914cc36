#define _XOPEN_SOURCE 700

#include "support.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char directory[512];

void scratch_make(void)
{
    const char *parent = getenv("TMPDIR");
    snprintf(directory, sizeof directory, "%s/clkl-io-XXXXXX", parent != NULL ? parent : "/tmp");
    cr_assert_not_null(mkdtemp(directory));
    cr_assert_eq(chmod(directory, 0777), 0); /* for the tests that give up root's rights */
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status, (void)kind, (void)walk;
    return remove(path);
}

void scratch_remove(void)
{
    nftw(directory, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *scratch(const char *name)
{
    static char paths[4][1024];
    static unsigned next;
    char *path = paths[next++ % 4];
    snprintf(path, sizeof paths[0], "%s/%s", directory, name);
    return path;
}

unsigned scratch_count(void)
{
    unsigned count = 0;
    DIR *listing = opendir(directory);
    cr_assert_not_null(listing);
    for (struct dirent *entry; (entry = readdir(listing)) != NULL;)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(listing);
    return count;
}

void put_file(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");
    cr_assert_not_null(file, "%s", path);
    cr_assert_eq(fwrite(bytes, 1, size, file), size);
    cr_assert_eq(fclose(file), 0);
}

size_t get_file(const char *path, void *bytes, size_t room)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file, "%s", path);
    size_t size = fread(bytes, 1, room, file);
    fclose(file);
    return size;
}

bool file_is(const char *path, const char *text)
{
    char found[256];
    size_t size = get_file(path, found, sizeof found);
    return size == strlen(text) && memcmp(found, text, size) == 0;
}

void image_add(struct image *image, const void *bytes, size_t size)
{
    if (size == 0)
        return;
    image->bytes = realloc(image->bytes, image->size + size);
    cr_assert_not_null(image->bytes);
    memcpy(image->bytes + image->size, bytes, size);
    image->size += size;
}

struct image image_npy(unsigned major, const char *text)
{
    struct image image = {0};
    size_t length = strlen(text);
    unsigned char prefix[12] = {0x93, 'N', 'U', 'M', 'P', 'Y', (unsigned char)major, 0};
    for (unsigned i = 0; i < 4; i++)
        prefix[8 + i] = (unsigned char)(length >> 8 * i);
    image_add(&image, prefix, major == 1 ? 10 : 12);
    image_add(&image, text, length);
    return image;
}

struct image image_whole(const char *text, const void *data, size_t size)
{
    struct image image = image_npy(1, text);
    image_add(&image, data, size);
    return image;
}

static void write_pieces(int to, const char *bytes, size_t size, size_t piece, unsigned pause_us)
{
    const struct timespec pause = {.tv_nsec = (long)pause_us * 1000};
    for (size_t done = 0; done < size;) {
        nanosleep(&pause, NULL);
        ssize_t went = write(to, bytes + done, size - done < piece ? size - done : piece);
        if (went < 0)
            _exit(1);
        done += (size_t)went;
    }
}

pid_t feed_stdin(const void *bytes, size_t size, size_t piece, unsigned pause_us)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        close(ends[0]);
        write_pieces(ends[1], bytes, size, piece, pause_us);
        _exit(0);
    }
    close(ends[1]);
    cr_assert_eq(dup2(ends[0], STDIN_FILENO), STDIN_FILENO);
    close(ends[0]);
    return child;
}
