#include "core/blob.h"

#include "core/checked.h"
#include "core/failure.h"

#include <string.h>

static const char magic[8] = {'c', 'l', 'k', 'l', 'b', 'l', 'o', 'b'};

enum { AT_FORM = 8, AT_COUNT = 12, AT_SIZE = 16, AT_CHECKSUM = 24, HEADER = 32 };

uint64_t clkl_blob_hash(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; ++i)
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static uint64_t checksum(const unsigned char *blob, size_t size)
{
    const uint64_t hash = clkl_blob_hash(CLKL_BLOB_HASH_START, blob, AT_CHECKSUM);
    return clkl_blob_hash(hash, blob + HEADER, size - HEADER);
}

/* ---- Writing ---- */

static unsigned char *put(unsigned char *at, uint64_t number, int bytes)
{
    for (int i = 0; i < bytes; ++i)
        *at++ = (unsigned char)(number >> (8 * i));
    return at;
}

static unsigned char *put_bytes(unsigned char *at, const void *bytes, size_t length)
{
    at = put(at, length, 8);
    memcpy(at, bytes, length);
    return at + length;
}

size_t clkl_blob_size(size_t identity_length, const struct clkl_blob_entry *entries, size_t count)
{
    uint64_t size = HEADER + 8;
    bool fits = count <= UINT32_MAX && clkl_checked_add(size, identity_length, &size);
    for (size_t i = 0; i < count && fits; ++i)
        fits = clkl_checked_add(size, 16, &size) &&
               clkl_checked_add(size, entries[i].options_length, &size) &&
               clkl_checked_add(size, entries[i].binary_length, &size);
    return fits && size <= SIZE_MAX ? (size_t)size : 0;
}

void clkl_blob_write(unsigned char *blob, const char *identity, size_t identity_length,
                     const struct clkl_blob_entry *entries, size_t count)
{
    const size_t size = clkl_blob_size(identity_length, entries, count);
    memcpy(blob, magic, sizeof magic);
    put(blob + AT_FORM, CLKL_BLOB_FORM, 4);
    put(blob + AT_COUNT, count, 4);
    put(blob + AT_SIZE, size, 8);
    unsigned char *at = put_bytes(blob + HEADER, identity, identity_length);
    for (size_t i = 0; i < count; ++i) {
        at = put_bytes(at, entries[i].options, entries[i].options_length);
        at = put_bytes(at, entries[i].binary, entries[i].binary_length);
    }
    put(blob + AT_CHECKSUM, checksum(blob, size), 8);
}

/* ---- Reading ---- */

static uint64_t get(const unsigned char *at, int bytes)
{
    uint64_t number = 0;
    for (int i = 0; i < bytes; ++i)
        number |= (uint64_t)at[i] << (8 * i);
    return number;
}

static bool get_bytes(struct clkl_blob_reader *reader, const unsigned char **bytes, size_t *length)
{
    if (reader->end - reader->at < 8)
        return false;
    const uint64_t told = get(reader->at, 8);
    reader->at += 8;
    if (told > (uint64_t)(reader->end - reader->at))
        return false;
    *bytes = reader->at;
    *length = (size_t)told;
    reader->at += told;
    return true;
}

static clkl_status refuse(clkl_error *error, const char *reason)
{
    return clkl_fail(error, CLKL_BLOB_REFUSED, "the blob %s", reason);
}

static int line_length(const char *line, size_t left)
{
    enum { LONGEST = 150 };
    const char *end = memchr(line, '\n', left < LONGEST ? left : LONGEST);
    return (int)(end != NULL ? end - line : left < LONGEST ? (ptrdiff_t)left : LONGEST);
}

/* Names the first line in which two identities differ. */
static clkl_status refuse_maker(clkl_error *error, const char *maker, size_t maker_length,
                                const char *identity, size_t length)
{
    size_t line = 0;
    for (size_t i = 0; i < maker_length && i < length && maker[i] == identity[i]; ++i)
        if (maker[i] == '\n')
            line = i + 1;
    return clkl_fail(error, CLKL_BLOB_REFUSED, "the blob is of another \"%.*s\"; this is \"%.*s\"",
                     line_length(maker + line, maker_length - line), maker + line,
                     line_length(identity + line, length - line), identity + line);
}

clkl_status clkl_blob_open(const unsigned char *blob, size_t size, const char *identity,
                           size_t identity_length, struct clkl_blob_reader *reader,
                           clkl_error *error)
{
    if (size < HEADER || memcmp(blob, magic, sizeof magic) != 0)
        return refuse(error, "is none of this library's");
    if (get(blob + AT_FORM, 4) != CLKL_BLOB_FORM)
        return refuse(error, "has the form of another version of this library");
    if (get(blob + AT_SIZE, 8) != size)
        return refuse(error, "is damaged: it has another size than it says");
    if (get(blob + AT_CHECKSUM, 8) != checksum(blob, size))
        return refuse(error, "is damaged: its checksum does not match");
    reader->at = blob + HEADER;
    reader->end = blob + size;
    reader->left = (uint32_t)get(blob + AT_COUNT, 4);
    const unsigned char *maker = NULL;
    size_t length = 0;
    if (!get_bytes(reader, &maker, &length))
        return refuse(error, "contradicts itself");
    if (length != identity_length || memcmp(maker, identity, length) != 0)
        return refuse_maker(error, (const char *)maker, length, identity, identity_length);
    return CLKL_OK;
}

int clkl_blob_next(struct clkl_blob_reader *reader, struct clkl_blob_entry *entry)
{
    const unsigned char *options = NULL;
    if (reader->left == 0)
        return reader->at == reader->end ? 0 : -1;
    --reader->left;
    if (!get_bytes(reader, &options, &entry->options_length) ||
        !get_bytes(reader, &entry->binary, &entry->binary_length) ||
        memchr(options, '\0', entry->options_length) != NULL)
        return -1;
    entry->options = (const char *)options;
    return 1;
}
