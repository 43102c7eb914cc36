/*
 * From Fortran order to C order: the first axis is contiguous in the one, the last in the other, so
 * that a plain loop touches a new cache line with every element it reads or writes. The array is
 * therefore halved along its longest axis until a box is left that is about as long on every side
 * and fits in the nearest cache. Neighbouring boxes follow each other, which serves the larger
 * caches and the TLB, whatever their size and the rank.
 */
#include "npy_order.h"

#include "npy.h"

#include <string.h>

enum { BOX_ELEMENTS = 4096 };

struct reordering {
    unsigned rank;
    size_t element;
    size_t from[NPY_MAX_RANK], to[NPY_MAX_RANK]; /* bytes from one index of an axis to the next */
};

void npy_swap_bytes(void *data, uint64_t count, size_t element)
{
    unsigned char *at = data;
    for (uint64_t i = 0; i < count; i++, at += element) {
        for (size_t low = 0, high = element - 1; low < high; low++, high--) {
            unsigned char byte = at[low];
            at[low] = at[high];
            at[high] = byte;
        }
    }
}

bool npy_order_matters(const uint64_t *shape, unsigned rank)
{
    unsigned long_axes = 0;
    for (unsigned i = 0; i < rank; i++)
        long_axes += shape[i] > 1;
    return long_axes > 1;
}

/* A copy whose size is known to the compiler is one load and one store. */
static void copy_element(char *to, const char *from, size_t element)
{
    switch (element) {
    case 8:
        memcpy(to, from, 8);
        break;
    case 4:
        memcpy(to, from, 4);
        break;
    case 2:
        memcpy(to, from, 2);
        break;
    default:
        memcpy(to, from, 1);
    }
}

/* Copies what remains from `axis` on. */
static void copy_box(const struct reordering *r, unsigned axis, const char *from, char *to,
                     const uint64_t *extent)
{
    bool last = axis + 1 == r->rank;
    for (uint64_t i = 0; i < extent[axis]; i++, from += r->from[axis], to += r->to[axis]) {
        if (last)
            copy_element(to, from, r->element);
        else
            copy_box(r, axis + 1, from, to, extent);
    }
}

/* `extent` is the box to copy; it is changed on the way and restored. */
static void copy_halved(const struct reordering *r, const char *from, char *to, uint64_t *extent)
{
    unsigned longest = 0;
    uint64_t volume = 1;
    for (unsigned i = 0; i < r->rank; i++) {
        volume *= extent[i];
        if (extent[i] > extent[longest])
            longest = i;
    }
    if (volume <= BOX_ELEMENTS) {
        copy_box(r, 0, from, to, extent);
        return;
    }
    uint64_t whole = extent[longest], half = whole / 2;
    extent[longest] = half;
    copy_halved(r, from, to, extent);
    extent[longest] = whole - half;
    copy_halved(r, from + half * r->from[longest], to + half * r->to[longest], extent);
    extent[longest] = whole;
}

void npy_to_c_order(const void *fortran, void *c, const uint64_t *shape, unsigned rank,
                    size_t element)
{
    struct reordering r = {.rank = 0, .element = element};
    uint64_t extent[NPY_MAX_RANK + 1];
    size_t stride = element;
    for (unsigned i = 0; i < rank; stride *= (size_t)shape[i++]) {
        if (shape[i] == 1)
            continue;
        r.from[r.rank] = stride;
        extent[r.rank++] = shape[i];
    }
    stride = element;
    for (unsigned i = r.rank; i-- > 0; stride *= (size_t)extent[i])
        r.to[i] = stride;
    if (r.rank == 0)
        copy_element(c, fortran, element);
    else
        copy_halved(&r, fortran, c, extent);
}
