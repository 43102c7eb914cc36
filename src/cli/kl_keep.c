#include "kl_keep.h"

#include "arguments.h"
#include "message.h"
#include "shape_text.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A whole number that a comma or the end follows; *at moves to what follows. */
static bool read_axis(const char **at, int *axis)
{
    char *end = NULL;
    errno = 0;
    const long value = strtol(*at, &end, 10);
    if (end == *at || errno != 0 || value < INT_MIN || value > INT_MAX)
        return false;
    *axis = (int)value;
    *at = end;
    return *end == ',' || *end == '\0';
}

static bool read_list(struct kl_keep *keep)
{
    const char *at = keep->text;
    for (;;) {
        int axis = 0;
        if (!read_axis(&at, &axis))
            return message("--keep '%s': expected axes of the mean's shape with commas between "
                           "them, e.g. 0 (one value per sample), -1 or 1,2,3; or all, or none",
                           keep->text);
        if (keep->count == CLKL_MAX_RANK)
            return message("--keep %s: found more than %d axes, which is what a mean has at most; "
                           "expected each axis once",
                           keep->text, CLKL_MAX_RANK);
        keep->axis[keep->count++] = axis;
        if (*at++ == '\0')
            return true;
    }
}

bool kl_keep_read(const char *text, struct kl_keep *keep)
{
    *keep = (struct kl_keep){.text = text != NULL ? text : "0"};
    keep->all = strcmp(keep->text, "all") == 0;
    return keep->all || strcmp(keep->text, "none") == 0 || read_list(keep);
}

/* Which axis each of the list is, as bits. */
static bool find_bits(const struct kl_keep *keep, const uint64_t *shape, unsigned rank,
                      uint32_t *bits)
{
    for (unsigned i = 0; i < keep->count; i++) {
        unsigned axis = 0;
        if (!arguments_axis(keep->axis[i], rank, &axis))
            return message("--keep %s: the mean's shape %s has no axis %d; expected 0 to %u, or -1 "
                           "to -%u",
                           keep->text, shape_text(shape, rank).text, keep->axis[i], rank - 1, rank);
        if ((*bits >> axis & 1u) != 0)
            return message("--keep %s: found axis %u of the mean's shape %s twice; expected each "
                           "axis once, where negative ones count from the end",
                           keep->text, axis, shape_text(shape, rank).text);
        *bits |= 1u << axis;
    }
    return true;
}

bool kl_keep_find(const struct kl_keep *keep, const uint64_t *shape, unsigned rank,
                  struct kl_kept *kept)
{
    uint32_t bits = keep->all ? (1u << rank) - 1 : 0;
    *kept = (struct kl_kept){.rank = 0};
    if (!find_bits(keep, shape, rank, &bits))
        return false;
    for (unsigned axis = 0; axis < rank; axis++) {
        if ((bits >> axis & 1u) == 0)
            continue;
        kept->axis[kept->rank] = axis;
        kept->shape[kept->rank++] = shape[axis];
    }
    return true;
}

uint32_t kl_kept_bits(const struct kl_kept *kept)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < kept->rank; i++)
        bits |= 1u << kept->axis[i];
    return bits != 0 ? bits : CLKL_KEEP_NONE;
}

bool kl_kept_batch(const struct kl_kept *kept)
{
    return kept->rank > 0 && kept->axis[0] == 0;
}

bool kl_kept_samples(const struct kl_kept *kept)
{
    return kl_kept_batch(kept) && kept->rank == 1;
}

struct kl_kept_text kl_kept_names(const struct kl_kept *kept, unsigned first)
{
    struct kl_kept_text names;
    size_t used = (size_t)snprintf(names.text, sizeof names.text, "%s",
                                   kept->rank - first == 1 ? "axis" : "axes");
    for (unsigned k = first; k < kept->rank; k++) {
        const char *before = k == first ? " " : k + 1 == kept->rank ? " and " : ", ";
        used += (size_t)snprintf(names.text + used, sizeof names.text - used, "%s%u", before,
                                 kept->axis[k]);
    }
    return names;
}

struct kl_kept_text kl_kept_place(const struct kl_kept *kept, uint64_t i)
{
    struct kl_kept_text place = {""};
    uint64_t index[CLKL_MAX_RANK];
    size_t used = 0;
    for (unsigned k = kept->rank; k-- > 0; i /= kept->shape[k])
        index[k] = i % kept->shape[k];
    for (unsigned k = 0; k < kept->rank; k++)
        used += (size_t)snprintf(place.text + used, sizeof place.text - used, "%s%" PRIu64,
                                 k > 0 ? "," : "", index[k]);
    return place;
}
