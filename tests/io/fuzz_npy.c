/*
 * For libFuzzer: any bytes as a .npy file, once as a regular file and once through a pipe. The two
 * ways share the parser but not the checks of length; they have to agree.
 */
#define _GNU_SOURCE

#include "npy.h"
#include "npy_header.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

enum { PIPE_ROOM = 65536 };

static void require(bool condition)
{
    if (!condition)
        abort();
}

static bool read_descriptor(int descriptor, struct npy *array)
{
    char path[40];
    struct io_error error = {""};
    snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
    bool good = npy_read(path, array, &error);
    require(good == (error.text[0] == '\0'));
    require(good == (array->data != NULL));
    close(descriptor);
    return good;
}

static bool read_regular(const uint8_t *bytes, size_t size, struct npy *array)
{
    int file = memfd_create("fuzz.npy", 0);
    require(file >= 0 && write(file, bytes, size) == (ssize_t)size);
    return read_descriptor(file, array);
}

static bool read_pipe(const uint8_t *bytes, size_t size, struct npy *array)
{
    int ends[2];
    require(pipe(ends) == 0 && write(ends[1], bytes, size) == (ssize_t)size);
    close(ends[1]);
    return read_descriptor(ends[0], array);
}

static void parse_alone(const uint8_t *bytes, size_t size)
{
    struct npy_header header;
    struct io_error error = {""};
    bool good = npy_header_parse((const char *)bytes, size, "fuzz.npy", &header, &error);
    require(good == (error.text[0] == '\0'));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct npy regular, piped;
    if (size > PIPE_ROOM)
        return 0;
    parse_alone(bytes, size);
    bool good = read_regular(bytes, size, &regular);
    require(good == read_pipe(bytes, size, &piped));
    if (good) {
        require(regular.count == piped.count && regular.type == piped.type);
        size_t data = (size_t)regular.count * npy_type_size(regular.type);
        require(memcmp(regular.data, piped.data, data) == 0);
    }
    npy_free(&regular);
    npy_free(&piped);
    return 0;
}
