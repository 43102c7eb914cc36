/* What the values have in common. */
#ifndef CLKL_CLI_STATISTICS_H
#define CLKL_CLI_STATISTICS_H

#include "kl_run.h"

struct spread {
    uint64_t invalid;   /* values that are NaN */
    uint64_t infinite;  /* values that are +inf */
    uint64_t valid;     /* values that are not NaN */
    double mean;        /* over the valid ones; NaN if there are none */
    double finite_mean; /* over those that are not infinite either; NaN if there are none */
    double min, max;    /* over the valid ones */
    uint64_t min_at, max_at;
};

struct statistics {
    struct spread samples;             /* of the values per sample */
    struct spread kept;                /* of the values that were asked for */
    uint64_t free;                     /* of these, how many are no more than the free nats */
    uint64_t clamped_p, clamped_q;     /* log-variances that the clamp changed */
    uint64_t clampable_p, clampable_q; /* log-variances that the clamp saw; 0 if it saw none */
};

struct statistics statistics_gather(const struct kl_task *task, const struct kl_result *result);

/* How many of the values that were asked for are no more than the free nats; 0 if there are none.
 */
uint64_t statistics_count_free(const struct kl_task *task, const struct kl_result *result);

enum { SAMPLE_LIST_NAMED = 10 };

/* Samples as text, "3, 17, 20", of which SAMPLE_LIST_NAMED are named: "... and 12 more". */
struct sample_list {
    char text[24 * (SAMPLE_LIST_NAMED + 2)];
    uint64_t count;
};

/* The samples whose status has a bit of `with` and none of `without`. */
struct sample_list sample_list(const struct kl_task *task, const struct kl_result *result,
                               uint32_t with, uint32_t without);

#endif
