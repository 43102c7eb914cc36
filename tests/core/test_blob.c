/* The form of blobs: what is written is read, and what is damaged is refused. */
#include "core/blob.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(blob, .timeout = 60);

enum { SIZE = 1024 };

static const char identity[] = "clkl 1.2.3\nkernels 77\nplatform A\ndevice B\ndriver C\n";

static const struct clkl_blob_entry three[] = {
    {"-DA=1", 5, (const unsigned char *)"\0\1\2\377", 4},
    {"", 0, (const unsigned char *)"x", 1},
    {"-DA=2 -DB", 9, (const unsigned char *)"", 0},
};

static size_t write_three(unsigned char blob[SIZE])
{
    const size_t size = clkl_blob_size(strlen(identity), three, 3);
    cr_assert(size > 0 && size < SIZE);
    memset(blob, 0xaa, SIZE);
    clkl_blob_write(blob, identity, strlen(identity), three, 3);
    for (size_t i = size; i < SIZE; ++i)
        cr_assert_eq(blob[i], 0xaa, "byte %zu beyond the size was written", i);
    return size;
}

static clkl_status open_blob(const unsigned char *blob, size_t size,
                             struct clkl_blob_reader *reader, clkl_error *error)
{
    return clkl_blob_open(blob, size, identity, strlen(identity), reader, error);
}

Test(blob, what_is_written_is_read)
{
    unsigned char blob[SIZE];
    struct clkl_blob_reader reader;
    struct clkl_blob_entry entry;
    const size_t size = write_three(blob);
    cr_assert_eq(open_blob(blob, size, &reader, NULL), CLKL_OK);
    for (int i = 0; i < 3; ++i) {
        cr_assert_eq(clkl_blob_next(&reader, &entry), 1);
        cr_assert_eq(entry.options_length, three[i].options_length);
        cr_expect_eq(memcmp(entry.options, three[i].options, entry.options_length), 0);
        cr_assert_eq(entry.binary_length, three[i].binary_length);
        cr_expect_eq(memcmp(entry.binary, three[i].binary, entry.binary_length), 0);
    }
    cr_expect_eq(clkl_blob_next(&reader, &entry), 0);
}

/* The form is for ever: a blob of this version must look like this to all that read it. */
Test(blob, the_form_is_pinned)
{
    static const unsigned char expected[] = {
        'c', 'l', 'k', 'l', 'b', 'l', 'o', 'b', 1,   0,   0, 0, 1, 0, 0, 0, 67, 0,
        0,   0,   0,   0,   0,   0,   0,   0,   0,   0,   0, 0, 0, 0, /* checksum */
        2,   0,   0,   0,   0,   0,   0,   0,   'i', 'd', 5, 0, 0, 0, 0, 0, 0,  0,
        '-', 'D', 'A', '=', '1', 4,   0,   0,   0,   0,   0, 0, 0, 0, 1, 2, 255};
    unsigned char blob[SIZE];
    cr_assert_eq(sizeof expected, 67);
    cr_assert_eq(clkl_blob_size(2, three, 1), sizeof expected);
    clkl_blob_write(blob, "id", 2, three, 1);
    memset(blob + 24, 0, 8);
    cr_expect_eq(memcmp(blob, expected, sizeof expected), 0);
    cr_expect_eq(clkl_blob_hash(CLKL_BLOB_HASH_START, "foobar", 6), UINT64_C(0x85944171f73967e8),
                 "FNV-1a of \"foobar\", from its authors' test vectors");
}

Test(blob, no_programs)
{
    unsigned char blob[SIZE];
    struct clkl_blob_reader reader;
    struct clkl_blob_entry entry;
    const size_t size = clkl_blob_size(strlen(identity), NULL, 0);
    clkl_blob_write(blob, identity, strlen(identity), NULL, 0);
    cr_assert_eq(open_blob(blob, size, &reader, NULL), CLKL_OK);
    cr_expect_eq(clkl_blob_next(&reader, &entry), 0);
}

Test(blob, every_damaged_bit_is_found)
{
    unsigned char blob[SIZE];
    struct clkl_blob_reader reader;
    const size_t size = write_three(blob);
    for (size_t bit = 0; bit < 8 * size; ++bit) {
        clkl_error error = {.struct_size = sizeof error};
        blob[bit / 8] ^= (unsigned char)(1u << bit % 8);
        cr_expect_eq(open_blob(blob, size, &reader, &error), CLKL_BLOB_REFUSED, "bit %zu", bit);
        cr_expect_neq(error.message[0], '\0');
        blob[bit / 8] ^= (unsigned char)(1u << bit % 8);
    }
    cr_expect_eq(open_blob(blob, size, &reader, NULL), CLKL_OK);
}

Test(blob, every_other_length_is_found)
{
    unsigned char blob[SIZE];
    struct clkl_blob_reader reader;
    const size_t size = write_three(blob);
    for (size_t length = 0; length < SIZE; ++length)
        cr_expect_eq(open_blob(blob, length, &reader, NULL),
                     length == size ? CLKL_OK : CLKL_BLOB_REFUSED, "length %zu", length);
}

Test(blob, another_maker_is_named)
{
    static const char *const others[] = {"clkl 1.2.4\nkernels 77\nplatform A\ndevice B\ndriver C\n",
                                         "clkl 1.2.3\nkernels 77\nplatform A\ndevice B\ndriver D\n",
                                         "clkl 1.2.3\nkernels 77\nplatform A\ndevice B\n", ""};
    static const char *const lines[] = {"\"clkl 1.2.3\"; this is \"clkl 1.2.4\"",
                                        "\"driver C\"; this is \"driver D\"",
                                        "\"driver C\"; this is \"\"", "\"clkl 1.2.3\""};
    unsigned char blob[SIZE];
    struct clkl_blob_reader reader;
    const size_t size = write_three(blob);
    for (int i = 0; i < 4; ++i) {
        clkl_error error = {.struct_size = sizeof error};
        cr_expect_eq(clkl_blob_open(blob, size, others[i], strlen(others[i]), &reader, &error),
                     CLKL_BLOB_REFUSED);
        cr_expect_not_null(strstr(error.message, lines[i]), "%s", error.message);
    }
}

/* Makes the checksum right again, as somebody may who means harm. */
static void sign(unsigned char *blob, size_t size)
{
    uint64_t hash = clkl_blob_hash(CLKL_BLOB_HASH_START, blob, 24);
    hash = clkl_blob_hash(hash, blob + 32, size - 32);
    for (int i = 0; i < 8; ++i)
        blob[24 + i] = (unsigned char)(hash >> (8 * i));
}

/* Reads to the end: 0, or -1 where the reader stops, or 1 if the blob is not opened. */
static int read_all(const unsigned char *blob, size_t size)
{
    struct clkl_blob_reader reader;
    struct clkl_blob_entry entry = {NULL, 0, NULL, 0};
    int more = 1;
    if (open_blob(blob, size, &reader, NULL) != CLKL_OK)
        return 1;
    while (more == 1) {
        more = clkl_blob_next(&reader, &entry);
        if (more == 1) {
            cr_expect((const unsigned char *)entry.options >= blob &&
                      entry.options_length <= size && entry.binary_length <= size &&
                      entry.binary + entry.binary_length <= blob + size);
            cr_expect_null(memchr(entry.options, '\0', entry.options_length));
        }
    }
    return more;
}

Test(blob, contradictions_are_found_where_the_checksum_is_right)
{
    unsigned char blob[SIZE], changed[SIZE];
    const size_t size = write_three(blob);
    const size_t options = 40 + strlen(identity) + 8;
    cr_assert_eq(read_all(blob, size), 0);
    for (size_t at = 12; at < size; ++at) {
        if (at >= 16 && at < 32)
            continue;
        for (int value = 0; value < 256; ++value) {
            memcpy(changed, blob, size);
            changed[at] = (unsigned char)value;
            sign(changed, size);
            const int outcome = read_all(changed, size);
            if (at < 16 && changed[at] != blob[at])
                cr_expect_eq(outcome, -1, "the number of programs, byte %zu is %d", at, value);
        }
    }
    memcpy(changed, blob, size);
    changed[options + 1] = '\0';
    sign(changed, size);
    cr_expect_eq(read_all(changed, size), -1, "a zero within the options");
    memcpy(changed, blob, size);
    changed[8] = CLKL_BLOB_FORM + 1;
    sign(changed, size);
    cr_expect_eq(read_all(changed, size), 1, "a later form");
}

Test(blob, sizes_that_cannot_be_are_0)
{
    const struct clkl_blob_entry large[] = {{"", SIZE_MAX / 2, NULL, SIZE_MAX / 2},
                                            {"", SIZE_MAX / 2, NULL, 8}};
    cr_expect_eq(clkl_blob_size(0, large, 2), 0);
    cr_expect_eq(clkl_blob_size(SIZE_MAX, three, 3), 0);
}
