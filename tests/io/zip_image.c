#include "zip_image.h"

#include <stdlib.h>
#include <string.h>

/* Bit by bit, as the format defines it (CRC-32, reflected, polynomial 0x04C11DB7). */
static uint32_t checksum(const unsigned char *bytes, size_t size)
{
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        sum ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            sum = sum >> 1 ^ (sum & 1 ? UINT32_C(0xEDB88320) : 0);
    }
    return ~sum;
}

/* A number, the lowest byte first. */
static void add_number(struct image *image, uint32_t number, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        image_add(image, &(unsigned char){(unsigned char)(number >> 8 * i)}, 1);
}

static struct image pack(const struct zip_member *member)
{
    struct image packed = {0};
    if (member->method == ZIP_DEFLATED) {
        add_number(&packed, 1, 1); /* the last block, stored */
        add_number(&packed, (uint32_t)member->size, 2);
        add_number(&packed, ~(uint32_t)member->size, 2);
    }
    image_add(&packed, member->bytes, member->size);
    return packed;
}

/* What the local and the central header have in common: from the version to the length of extras.
 */
static void add_facts(struct image *image, const struct zip_member *member, size_t packed)
{
    add_number(image, 20, 2);
    add_number(image, member->flags, 2);
    add_number(image, member->method, 2);
    add_number(image, 0x00210000, 4); /* the first of January 1980 */
    add_number(image, checksum(member->bytes, member->size) ^ member->spoilt, 4);
    add_number(image, member->claimed_pack != 0 ? member->claimed_pack : (uint32_t)packed, 4);
    add_number(image, member->claimed != 0 ? member->claimed : (uint32_t)member->size, 4);
    add_number(image, (uint32_t)strlen(member->name), 2);
    add_number(image, 0, 2);
}

static void add_central(struct image *central, const struct zip_member *member, size_t packed,
                        size_t offset)
{
    image_add(central, "PK\1\2", 4);
    add_number(central, 20, 2);
    add_facts(central, member, packed);
    add_number(central, 0, 4); /* no comment, first disk */
    add_number(central, 0, 2);
    add_number(central, 0, 4); /* attributes */
    add_number(central, (uint32_t)offset, 4);
    image_add(central, member->name, strlen(member->name));
}

struct image image_zip(const struct zip_member *members, unsigned count)
{
    struct image image = {0}, central = {0};
    for (unsigned i = 0; i < count; i++) {
        struct image packed = pack(&members[i]);
        add_central(&central, &members[i], packed.size, image.size);
        image_add(&image, "PK\3\4", 4);
        add_facts(&image, &members[i], packed.size);
        image_add(&image, members[i].name, strlen(members[i].name));
        image_add(&image, packed.bytes, packed.size);
        free(packed.bytes);
    }
    const size_t offset = image.size;
    image_add(&image, central.bytes, central.size);
    image_add(&image, "PK\5\6\0\0\0\0", 8);
    add_number(&image, count, 2);
    add_number(&image, count, 2);
    add_number(&image, (uint32_t)central.size, 4);
    add_number(&image, (uint32_t)offset, 4);
    add_number(&image, 0, 2);
    free(central.bytes);
    return image;
}
