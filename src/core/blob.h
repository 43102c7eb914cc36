/* The form in which programs are kept outside the library: a header, the identity of what made
 * them, and for each program its build options and its binary. All numbers are little-endian.
 *
 *     "clklblob"  u32 form  u32 programs  u64 size of the whole  u64 checksum of all other bytes
 *     u64 length  identity
 *     u64 length  options   u64 length  binary      for each program
 */
#ifndef CLKL_CORE_BLOB_H
#define CLKL_CORE_BLOB_H

#include <clkl/clkl.h>

/* One program; the texts and bytes belong to somebody else. */
struct clkl_blob_entry {
    const char *options; /* without a zero, also at its end where it lies in a blob */
    size_t options_length;
    const unsigned char *binary;
    size_t binary_length;
};

/* The size of the blob of these programs; 0 if it cannot be counted. */
size_t clkl_blob_size(size_t identity_length, const struct clkl_blob_entry *entries, size_t count);

/* Writes it; `blob` holds as many bytes as clkl_blob_size says. */
void clkl_blob_write(unsigned char *blob, const char *identity, size_t identity_length,
                     const struct clkl_blob_entry *entries, size_t count);

/* Reads along a blob. */
struct clkl_blob_reader {
    const unsigned char *at;
    const unsigned char *end;
    uint32_t left; /* programs */
};

/* Checks that the blob is whole and of this identity, lines of text of which the first that differs
 * is named; CLKL_BLOB_REFUSED with the reason if not. */
clkl_status clkl_blob_open(const unsigned char *blob, size_t size, const char *identity,
                           size_t identity_length, struct clkl_blob_reader *reader,
                           clkl_error *error);

/* The next program: 1, or 0 after the last, or -1 where the blob contradicts itself. */
int clkl_blob_next(struct clkl_blob_reader *reader, struct clkl_blob_entry *entry);

/* FNV-1a (Fowler, Noll, Vo), going on from `hash`. Every step maps its states one to one, so bytes
 * that differ in one place have different hashes for certain. */
uint64_t clkl_blob_hash(uint64_t hash, const void *bytes, size_t size);
enum { CLKL_BLOB_FORM = 1 };
#define CLKL_BLOB_HASH_START UINT64_C(0xcbf29ce484222325)

#endif
