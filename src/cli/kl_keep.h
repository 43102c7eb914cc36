/* The axes that stay in the result. */
#ifndef CLKL_CLI_KL_KEEP_H
#define CLKL_CLI_KL_KEEP_H

#include <clkl/clkl.h>

#include <stdbool.h>
#include <stddef.h>

/* What --keep says, before the shape is known. */
struct kl_keep {
    const char *text; /* as given; "0", the default, if it was not */
    bool all;         /* every axis; otherwise those listed, of which there may be none */
    unsigned count;
    int axis[CLKL_MAX_RANK]; /* as given: in any order, negative ones from the end */
};

/* The axes themselves, in the order of the mean's shape, which is that of the result's. */
struct kl_kept {
    unsigned rank; /* how many; 0 for one value in all */
    unsigned axis[CLKL_MAX_RANK];
    uint64_t shape[CLKL_MAX_RANK];
};

/* Understands --keep (NULL: not given), or says what is wrong with it. */
bool kl_keep_read(const char *text, struct kl_keep *keep);

/* Finds the axes in the mean's shape, or says which it has not, or which is named twice. */
bool kl_keep_find(const struct kl_keep *keep, const uint64_t *shape, unsigned rank,
                  struct kl_kept *kept);

/* clkl_spec.keep for them. */
uint32_t kl_kept_bits(const struct kl_kept *kept);

/* Whether the batch axis is one of them, and whether it is the only one. */
bool kl_kept_batch(const struct kl_kept *kept);
bool kl_kept_samples(const struct kl_kept *kept);

struct kl_kept_text {
    char text[256];
};

/* "axis 1", "axes 1 and 2", "axes 1, 2 and 3"; those from number `first` on. */
struct kl_kept_text kl_kept_names(const struct kl_kept *kept, unsigned first);

/* The index of value i of the result along each of them: "7", "1,0,7"; "" for one value in all. */
struct kl_kept_text kl_kept_place(const struct kl_kept *kept, uint64_t i);

#endif
