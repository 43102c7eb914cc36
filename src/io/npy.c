#define _POSIX_C_SOURCE 200809L

#include "npy.h"

#include "npy_foreign.h"
#include "npy_header.h"
#include "npy_order.h"
#include "source.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static_assert((int)NPY_PREFIX_MIN >= (int)NPY_SNIFF, "what is read first tells other formats too");

static bool refuse_short(const struct source *source, struct io_error *error)
{
    return io_error_set(error, source->name,
                        "the file ends within the .npy header; the file is truncated");
}

/* Reads the fixed bytes before the text, whose length they tell. */
static bool read_prefix(struct source *source, size_t *text_length, struct io_error *error)
{
    unsigned char prefix[NPY_PREFIX_MAX];
    size_t got = 0, rest = 0;
    if (!source_read(source, prefix, NPY_PREFIX_MIN, &got, error))
        return false;
    if (got == 0)
        return io_error_set(error, source->name, "it is empty; expected a .npy file");
    if (!npy_has_magic(prefix, got))
        return npy_refuse_foreign(source->name, prefix, got, error);
    if (got < NPY_PREFIX_MIN)
        return refuse_short(source, error);
    size_t length = npy_prefix_length(prefix, source->name, error);
    if (length == 0 || !source_read(source, prefix + got, length - got, &rest, error))
        return false;
    if (got + rest < length)
        return refuse_short(source, error);
    *text_length = npy_text_length(prefix);
    return true;
}

static bool read_text(struct source *source, size_t length, struct npy_header *header,
                      struct io_error *error)
{
    if (length > NPY_TEXT_LIMIT)
        return io_error_set(error, source->name,
                            "the .npy header claims to be %zu bytes long; expected at most %d",
                            length, NPY_TEXT_LIMIT);
    if (source->sized && length > source->left)
        return io_error_set(error, source->name,
                            "the .npy header claims to be %zu bytes long, but only %" PRIu64
                            " bytes follow; the file is truncated",
                            length, source->left);
    size_t got = 0;
    char *text = source_read_new(source, length, &got, error);
    if (text == NULL)
        return false;
    bool good = got == length ? npy_header_parse(text, length, source->name, header, error)
                              : refuse_short(source, error);
    free(text);
    return good;
}

/* Says that the data is not as long as promised. */
static bool refuse_length(const struct source *source, const struct npy_header *header,
                          uint64_t found, struct io_error *error)
{
    bool truncated = found < header->bytes;
    return io_error_set(error, source->name,
                        "the header promises %" PRIu64 " %s values (%" PRIu64
                        " bytes), but %s%" PRIu64 " bytes follow it; %s",
                        header->count, npy_type_name(header->type), header->bytes,
                        truncated ? "only " : "", found,
                        truncated ? "the file is truncated" : "expected nothing after the data");
}

static bool expect_end(struct source *source, const struct npy_header *header,
                       struct io_error *error)
{
    char extra;
    size_t got = 0;
    if (!source_read(source, &extra, 1, &got, error))
        return false;
    if (got == 0)
        return true;
    return io_error_set(error, source->name,
                        "bytes follow the %" PRIu64 " %s values that the header promises; expected "
                        "nothing after the data",
                        header->count, npy_type_name(header->type));
}

/* The data as it lies in the file; NULL on failure. */
static void *read_data(struct source *source, const struct npy_header *header,
                       struct io_error *error)
{
    if (source->sized && source->left != header->bytes) {
        refuse_length(source, header, source->left, error);
        return NULL;
    }
    size_t got = 0;
    void *data = source_read_new(source, header->bytes, &got, error);
    if (data == NULL)
        return NULL;
    bool whole = got == header->bytes ? expect_end(source, header, error)
                                      : refuse_length(source, header, got, error);
    if (whole)
        return data;
    free(data);
    return NULL;
}

/* Brings the data into this machine's byte order and C order. Takes it over; NULL on failure. */
static void *arrange(void *data, const struct npy_header *header, const char *name,
                     struct io_error *error)
{
    size_t element = npy_type_size(header->type);
    if (header->swapped)
        npy_swap_bytes(data, header->count, element);
    if (!header->fortran || header->count == 0 || !npy_order_matters(header->shape, header->rank))
        return data;
    void *arranged = malloc((size_t)header->bytes);
    if (arranged != NULL)
        npy_to_c_order(data, arranged, header->shape, header->rank, element);
    else
        io_error_set(error, name,
                     "needs %" PRIu64 " more bytes of memory to bring it into C order, which are "
                     "not there",
                     header->bytes);
    free(data);
    return arranged;
}

bool npy_read_source(struct source *source, struct npy *array, struct io_error *error)
{
    struct npy_header header;
    size_t text_length = 0;
    *array = (struct npy){0};
    if (!read_prefix(source, &text_length, error) ||
        !read_text(source, text_length, &header, error))
        return false;
    void *data = read_data(source, &header, error);
    if (data != NULL)
        data = arrange(data, &header, source->name, error);
    if (data == NULL)
        return false;
    *array = (struct npy){.type = header.type,
                          .rank = header.rank,
                          .count = header.count,
                          .fortran = header.fortran,
                          .data = data};
    memcpy(array->shape, header.shape, sizeof array->shape);
    return true;
}

bool npy_read(const char *path, struct npy *array, struct io_error *error)
{
    struct source source;
    *array = (struct npy){0};
    if (!source_open(&source, path, error))
        return false;
    bool good = npy_read_source(&source, array, error);
    source_close(&source);
    return good;
}

void npy_free(struct npy *array)
{
    free(array->data);
    *array = (struct npy){0};
}
