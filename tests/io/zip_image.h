/* Zip files by hand, right ones and wrong ones. */
#ifndef CLKL_TESTS_IO_ZIP_IMAGE_H
#define CLKL_TESTS_IO_ZIP_IMAGE_H

#include "support.h"

#include <stdint.h>

enum { ZIP_STORED = 0, ZIP_DEFLATED = 8, ZIP_ENCRYPTED = 1 };

/* A member; what is not given is right. Deflated ones hold their bytes in one block as they are, so
 * they have at most 65535. */
struct zip_member {
    const char *name;
    const void *bytes;
    size_t size;
    unsigned method;       /* ZIP_STORED, ZIP_DEFLATED, or a number that is written all the same */
    unsigned flags;        /* general purpose bits */
    uint32_t spoilt;       /* bits of the checksum that are wrong */
    uint32_t claimed;      /* its size, if not 0 */
    uint32_t claimed_pack; /* its size in the file, if not 0 */
};

struct image image_zip(const struct zip_member *members, unsigned count);

#endif
