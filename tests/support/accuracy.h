/*
 * How far results may lie from the exact values of the cases, and the worst of every family.
 *
 *     static struct report report = {.tolerance = {.relative = 4e-15, .mixed = 2e-14}};
 *     report_note(&report, &c, sample, exact, result);
 *     report_expect(&report);
 */
#ifndef CLKL_TESTS_ACCURACY_H
#define CLKL_TESTS_ACCURACY_H

#include "cases.h"

struct tolerance {
    double relative; /* of the divergence */
    double mixed; /* of sqrt(elements * divergence), where one side alone is given by logarithms */
    double lost;  /* of each element, where a device flushes subnormal numbers */
};

/* The worst sample of a family, by the part of its tolerance that the error takes. */
struct worst {
    char family[64];
    double part;
    char text[256];
};

enum { REPORT_FAMILIES = 64 };

/* All but the tolerance begins as 0. */
struct report {
    struct tolerance tolerance;
    struct worst worst[REPORT_FAMILIES];
    size_t families;
    size_t checked;
};

/* Notes one result; one below 0 is never within tolerance, nor is NaN. */
void report_note(struct report *report, const struct test_case *c, uint64_t sample, double exact,
                 double result);

/* Expects every family to be within tolerance. One that is not says so once, by its worst sample;
 * the worst of every family is logged, to be seen with --verbose. */
void report_expect(const struct report *report);

#endif
