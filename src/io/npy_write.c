#include "npy.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
    PREFIX = 10,       /* magic, version, length of the text */
    ALIGNMENT = 64,    /* of the data in the file, so that it can be mapped */
    GROWTH_DIGITS = 21 /* numpy's room for the first dimension, to be overwritten by appenders */
};

/* Room for the longest text: each dimension has at most 20 digits, a comma and a space. */
struct header {
    char bytes[1024];
    size_t length;
};

static_assert(PREFIX + 64 + NPY_MAX_RANK * 22 + GROWTH_DIGITS + ALIGNMENT < 1024,
              "the header has room for any shape");

static void append(struct header *header, const char *text)
{
    size_t length = strlen(text);
    memcpy(header->bytes + header->length, text, length);
    header->length += length;
}

static void pad(struct header *header, size_t length)
{
    memset(header->bytes + header->length, ' ', length);
    header->length += length;
}

/* A Python tuple: (), (3,), (3, 4). Returns the number of digits of the first dimension. */
static size_t append_shape(struct header *header, const struct npy *array)
{
    char size[24];
    size_t first = 0;
    append(header, "(");
    for (unsigned i = 0; i < array->rank; i++) {
        int digits = snprintf(size, sizeof size, "%" PRIu64, array->shape[i]);
        if (i == 0)
            first = (size_t)digits;
        else
            append(header, ", ");
        append(header, size);
    }
    append(header, array->rank == 1 ? ",)" : ")");
    return first;
}

static void make_header(struct header *header, const struct npy *array)
{
    size_t element = npy_type_size(array->type);
    char code[] = {element == 1 ? '|' : npy_native_order(), npy_type_letter(array->type),
                   (char)('0' + element), '\0'};
    *header = (struct header){.bytes = "\x93NUMPY\1", .length = PREFIX};
    append(header, "{'descr': '");
    append(header, code);
    append(header, "', 'fortran_order': False, 'shape': ");
    size_t digits = append_shape(header, array);
    append(header, ", }");
    if (array->rank > 0)
        pad(header, GROWTH_DIGITS - digits);
    pad(header, ALIGNMENT - (header->length + 1) % ALIGNMENT);
    append(header, "\n");
    size_t text = header->length - PREFIX;
    header->bytes[8] = (char)(text & 0xFF);
    header->bytes[9] = (char)(text >> 8);
}

bool npy_write(FILE *stream, const char *name, const struct npy *array, struct io_error *error)
{
    struct header header;
    uint64_t count = 1;
    assert(array->rank <= NPY_MAX_RANK);
    for (unsigned i = 0; i < array->rank; i++)
        count *= array->shape[i];
    make_header(&header, array);
    if (fwrite(header.bytes, 1, header.length, stream) == header.length &&
        fwrite(array->data, npy_type_size(array->type), (size_t)count, stream) == count)
        return true;
    return io_error_set(error, name, "cannot be written: %s", strerror(errno));
}
