/* What the JSON of several commands has in common. Whatever lacks the memory is NULL. */
#ifndef CLKL_CLI_JSON_PARTS_H
#define CLKL_CLI_JSON_PARTS_H

#include "report.h"

#include <jansson.h>

/* A number; null for NaN and infinities. */
json_t *json_number(double value);

json_t *json_count(uint64_t value);

/* Appends to *array, which becomes NULL if there is no memory. */
void json_add(json_t **array, json_t *value);

/* How P or Q was given. */
json_t *json_side(const struct kl_side_options *options, unsigned split_axis, bool shared);

json_t *json_shape(const uint64_t *extents, unsigned rank);

/* The axes that are kept. */
json_t *json_keep(const struct kl_task *task);

/* What was done over the batch; null where it is kept. */
json_t *json_batch(const struct report *report);

/* The least value, and how many are no more; null if there is none. */
json_t *json_free_nats(const struct report *report);

/* [low, high], or null. */
json_t *json_clamp(const clkl_spec *spec);

/* What chooses the elements that count, and how many do; null if all do. */
json_t *json_weights(const struct kl_options *options, const struct kl_task *task);

/* How many log-variances the clamp changed, per side. */
json_t *json_clamped(const struct statistics *s);

/* The samples that are NaN, with the reason, and those that are infinite. */
json_t *json_invalid(const struct report *report);
json_t *json_infinite(const struct report *report);

/* Of the library. */
json_t *json_version(void);

/* Prints an object with as many digits as it takes to read values of the type back, and releases
 * it; NULL is an object that there was no memory for, of `count` values. Says what fails. */
bool json_print(FILE *to, json_t *root, clkl_dtype type, uint64_t count);

#endif
