/*
 * The cases whose exact values lie in tests/values/diagonal.txt: which distributions, which shape,
 * and the inputs, made on the spot by the integer hash. The generator of the values and the tests
 * share this code, and so see the same bits.
 */
#ifndef CLKL_TESTS_CASES_H
#define CLKL_TESTS_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the scale of a distribution is given; a standard one, N(0, I), has no operands. */
enum scale_kind { SCALE_STANDARD, SCALE_LOGVAR, SCALE_LOGSTD, SCALE_VAR, SCALE_STD };

enum operand { P_MEAN, P_SCALE, Q_MEAN, Q_SCALE };

/*
 * How numbers are drawn: uniformly from lo to hi, or, with DRAW_SIGNED, with a magnitude that is
 * log-uniform from lo to hi (both above 0) and a random sign. Scales are drawn as log-variances
 * and then converted, whatever their kind.
 */
struct draw {
    double lo, hi;
    unsigned flags;
};

enum {
    DRAW_SIGNED = 1,
    DRAW_BESIDE = 2, /* for P: added to what Q has at the same place (0 if Q is standard) */
    DRAW_SIGMAS = 4, /* for means: in units of Q's standard deviation at that place */
};

struct test_case {
    char name[64];
    uint64_t seed;
    enum scale_kind p, q;
    uint64_t batch, elements; /* elements: of one sample */
    bool shared_q;            /* Q has one row, for the whole batch */
    bool wide;                /* the inputs are doubles that no float holds */
    bool constant;            /* all elements of a sample are the same */
    bool clamped;             /* log-variances (not logstd) of both sides to [clamp_lo, clamp_hi] */
    float clamp_lo, clamp_hi;
    struct draw p_mean, p_scale, q_mean, q_scale;
};

/* The number of cases. */
size_t case_count(void);

/* The case with that index; false if there is none. */
bool case_at(size_t index, struct test_case *out);

/* The case with that name; false if there is none. */
bool case_find(const char *name, struct test_case *out);

/* "standard", "logvar", "logstd", "var" or "std". */
const char *scale_kind_name(enum scale_kind kind);

/* One number of an operand, a float unless the case is wide; 0 if the operand belongs to a standard
 * distribution. */
double case_value(const struct test_case *c, enum operand which, uint64_t sample, uint64_t element);

/*
 * Writes samples * elements numbers, row by row. Where Q is shared, each row of its operands is
 * the same one, so that a test that passes it as such asks for one row. Numbers of a wide case are
 * rounded, but for case_fill_wide.
 */
void case_fill(const struct test_case *c, enum operand which, uint64_t first_sample,
               uint64_t samples, float *out);
void case_fill_wide(const struct test_case *c, enum operand which, uint64_t first_sample,
                    uint64_t samples, double *out);

/*
 * The samples whose values are listed: all of them in a batch of at most 64, else 32, from the
 * first to the last. k goes from 0 to case_listed_count() - 1.
 */
uint64_t case_listed_count(const struct test_case *c);
uint64_t case_listed(const struct test_case *c, uint64_t k);

#endif
