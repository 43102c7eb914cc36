/*
 * The values of tests/values/diagonal.txt, for the tests.
 *
 *     size_t count;
 *     const struct value *v = values_of(&values, c.name, &count);
 *     for (size_t k = 0; k < count; k++)
 *         check(result[v[k].sample], v[k].value);
 */
#ifndef CLKL_TESTS_VALUES_H
#define CLKL_TESTS_VALUES_H

#include <stddef.h>
#include <stdint.h>

struct value {
    char name[64]; /* of the case */
    uint64_t sample;
    double value; /* the exact one, rounded once */
};

struct values {
    struct value *all; /* in the order of the file: all of a case in a row, samples ascending */
    size_t count;
};

/*
 * Reads the file. Returns 0; or the number of the first line that is no comment and no value; or
 * -1 if the file cannot be read or memory is short. values_free() is due only after 0.
 */
long values_load(const char *path, struct values *out);

/* The values of a case, and their number; NULL and 0 if the file has none. */
const struct value *values_of(const struct values *values, const char *name, size_t *count);

void values_free(struct values *values);

#endif
