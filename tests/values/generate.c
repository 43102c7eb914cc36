/*
 * Makes diagonal.txt: the exact divergences of the cases in tests/support/cases.c, by the textbook
 * formula
 *
 *     KL = 1/2 sum_i [ vp/vq - 1 - ln(vp/vq) + (mp - mq)^2 / vq ]
 *
 * in MPFR arithmetic. This form cancels as P and Q meet, so each sample is evaluated again with
 * twice the bits until what the cancellation left is enough for 40 digits. The logarithms of
 * variances that are given as such are taken together, as the logarithm of their product.
 *
 *     generate                        writes the file to standard output
 *     generate --check FILE           computes everything again, and exits with 1 if FILE differs
 *     generate --check FILE --quick   the same, without samples above a million elements
 *     generate --dump CASE SAMPLE     prints a sample's inputs, as hexadecimal floats
 *     generate --list                 prints the cases with their shapes
 */
#include "cases.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FIRST_BITS = 300,
    LAST_BITS = 20000,
    SPARE_BITS = 150, /* 40 digits are 133 bits */
    QUICK_ELEMENTS = 1000000,
    LINE_SIZE = 256,
};

static const char *const header[] = {
    "# Exact Kullback-Leibler divergences KL(P||Q) between diagonal Gaussians, in nats per sample.",
    "# Made by tests/values/generate.c (the textbook formula in MPFR, 300 bits and more) from the",
    "# inputs that tests/support/cases.c makes, float32 but in the families whose names begin with",
    "# wide, which are float64; read by tests/support/values.c.",
    "# To make it again: generate > diagonal.txt. To check it: generate --check diagonal.txt.",
    "# Each line: case, sample, value to 40 digits.",
};

/* One distribution's part of a sum. */
struct side {
    enum scale_kind kind;
    mpfr_t variance; /* of the element at hand */
    mpfr_t logs;     /* sum of the log-variances that are given as logarithms */
    mpfr_t product;  /* of the variances that are given as such */
};

struct sum {
    struct side p, q;
    mpfr_t traces;    /* of vp/vq - 1 */
    mpfr_t distances; /* of (mp - mq)^2 / vq */
    mpfr_t ratio, shift;
    double magnitude; /* bounds the sum of the absolute values of what may cancel */
};

static void side_init(struct side *s, enum scale_kind kind, mpfr_prec_t bits)
{
    s->kind = kind;
    mpfr_inits2(bits, s->variance, s->logs, s->product, (mpfr_ptr)0);
    mpfr_set_ui(s->variance, 1, MPFR_RNDN);
    mpfr_set_ui(s->logs, 0, MPFR_RNDN);
    mpfr_set_ui(s->product, 1, MPFR_RNDN);
}

static void side_clear(struct side *s)
{
    mpfr_clears(s->variance, s->logs, s->product, (mpfr_ptr)0);
}

static void sum_init(struct sum *s, const struct test_case *c, mpfr_prec_t bits)
{
    side_init(&s->p, c->p, bits);
    side_init(&s->q, c->q, bits);
    mpfr_inits2(bits, s->traces, s->distances, s->ratio, s->shift, (mpfr_ptr)0);
    mpfr_set_ui(s->traces, 0, MPFR_RNDN);
    mpfr_set_ui(s->distances, 0, MPFR_RNDN);
    s->magnitude = 0.0;
}

static void sum_clear(struct sum *s)
{
    side_clear(&s->p);
    side_clear(&s->q);
    mpfr_clears(s->traces, s->distances, s->ratio, s->shift, (mpfr_ptr)0);
}

static double clamped(const struct test_case *c, double logvar)
{
    if (!c->clamped)
        return logvar;
    return fmin(fmax(logvar, (double)c->clamp_lo), (double)c->clamp_hi);
}

/* Takes in one scale: sets the variance, and adds its logarithm to those of the side. */
static void side_add(struct side *s, const struct test_case *c, double scale)
{
    switch (s->kind) {
    case SCALE_STANDARD:
        return;
    case SCALE_LOGVAR:
        mpfr_set_d(s->variance, clamped(c, scale), MPFR_RNDN);
        break;
    case SCALE_LOGSTD:
        mpfr_set_d(s->variance, scale, MPFR_RNDN);
        mpfr_mul_ui(s->variance, s->variance, 2, MPFR_RNDN);
        break;
    case SCALE_VAR:
        mpfr_set_d(s->variance, scale, MPFR_RNDN);
        break;
    case SCALE_STD:
        mpfr_set_d(s->variance, scale, MPFR_RNDN);
        mpfr_sqr(s->variance, s->variance, MPFR_RNDN);
        break;
    }
    if (s->kind == SCALE_VAR || s->kind == SCALE_STD) {
        mpfr_mul(s->product, s->product, s->variance, MPFR_RNDN);
    } else {
        mpfr_add(s->logs, s->logs, s->variance, MPFR_RNDN);
        mpfr_exp(s->variance, s->variance, MPFR_RNDN);
    }
}

/* An upper bound of |ln variance|. */
static double side_log_bound(const struct side *s)
{
    return fabs((double)mpfr_get_exp(s->variance)) + 1.0;
}

static void sum_add(struct sum *s, const struct test_case *c, uint64_t sample, uint64_t element)
{
    side_add(&s->p, c, case_value(c, P_SCALE, sample, element));
    side_add(&s->q, c, case_value(c, Q_SCALE, sample, element));
    mpfr_div(s->ratio, s->p.variance, s->q.variance, MPFR_RNDN);
    s->magnitude += mpfr_get_d(s->ratio, MPFR_RNDU) + 1.0;
    s->magnitude += side_log_bound(&s->p) + side_log_bound(&s->q);
    mpfr_sub_ui(s->ratio, s->ratio, 1, MPFR_RNDN);
    mpfr_add(s->traces, s->traces, s->ratio, MPFR_RNDN);

    mpfr_set_d(s->shift, case_value(c, P_MEAN, sample, element), MPFR_RNDN);
    mpfr_set_d(s->ratio, case_value(c, Q_MEAN, sample, element), MPFR_RNDN);
    mpfr_sub(s->shift, s->shift, s->ratio, MPFR_RNDN);
    mpfr_sqr(s->shift, s->shift, MPFR_RNDN);
    mpfr_div(s->shift, s->shift, s->q.variance, MPFR_RNDN);
    mpfr_add(s->distances, s->distances, s->shift, MPFR_RNDN);
}

/* 1/2 [ traces - (logs_p - logs_q) - ln(product_p / product_q) + distances ] */
static void sum_total(struct sum *s, mpfr_t kl)
{
    mpfr_div(s->ratio, s->p.product, s->q.product, MPFR_RNDN);
    mpfr_log(s->ratio, s->ratio, MPFR_RNDN);
    mpfr_sub(kl, s->traces, s->ratio, MPFR_RNDN);
    mpfr_sub(s->ratio, s->p.logs, s->q.logs, MPFR_RNDN);
    mpfr_sub(kl, kl, s->ratio, MPFR_RNDN);
    mpfr_add(kl, kl, s->distances, MPFR_RNDN);
    mpfr_div_ui(kl, kl, 2, MPFR_RNDN);
}

/* Whether the rounding errors of that many bits leave SPARE_BITS right digits. */
static bool precise_enough(const mpfr_t kl, double magnitude, uint64_t elements, mpfr_prec_t bits)
{
    if (mpfr_sgn(kl) <= 0)
        return false;
    double lost = log2(magnitude) + log2((double)elements);
    return (double)(mpfr_get_exp(kl) - 1 + bits - SPARE_BITS) > lost + 4.0;
}

/* Evaluates a sample with that many bits; false if they are too few. */
static bool evaluate_with(const struct test_case *c, uint64_t sample, mpfr_prec_t bits, mpfr_t kl)
{
    struct sum sum;
    uint64_t elements = c->constant ? 1 : c->elements;
    mpfr_set_prec(kl, bits);
    sum_init(&sum, c, bits);
    for (uint64_t i = 0; i < elements; i++)
        sum_add(&sum, c, sample, i);
    sum_total(&sum, kl);
    bool enough = precise_enough(kl, sum.magnitude, elements, bits);
    sum_clear(&sum);
    if (c->constant)
        mpfr_mul_ui(kl, kl, (unsigned long)c->elements, MPFR_RNDN);
    return enough;
}

static void die(const struct test_case *c, uint64_t sample, const char *what)
{
    fprintf(stderr, "generate: %s, sample %" PRIu64 ": %s\n", c->name, sample, what);
    exit(2);
}

/* What a test can ask for: neither below the normal numbers nor above the largest. */
static bool representable(const struct test_case *c, const mpfr_t kl)
{
    return mpfr_cmp_d(kl, c->wide ? 1e-307 : 1e-37) >= 0 &&
           mpfr_cmp_d(kl, c->wide ? DBL_MAX : (double)FLT_MAX) <= 0;
}

static void evaluate(const struct test_case *c, uint64_t sample, mpfr_t kl)
{
    mpfr_prec_t bits = FIRST_BITS;
    while (!evaluate_with(c, sample, bits, kl)) {
        bits *= 2;
        if (bits > LAST_BITS)
            die(c, sample, "the divergence is 0, or as good as 0");
    }
    if (!representable(c, kl))
        die(c, sample, "the divergence is outside the normal numbers");
}

/* Where the lines go: to standard output, or to a comparison with those of a file. */
struct sink {
    FILE *expected;
    unsigned long line;
};

static bool read_line(struct sink *s, char line[LINE_SIZE])
{
    s->line++;
    if (!fgets(line, LINE_SIZE, s->expected))
        line[0] = '\0';
    size_t length = strcspn(line, "\n");
    bool whole = line[length] == '\n';
    line[length] = '\0';
    return whole;
}

static bool put_line(struct sink *s, const char *text)
{
    char line[LINE_SIZE];
    if (!s->expected)
        return puts(text) >= 0;
    if (read_line(s, line) && strcmp(line, text) == 0)
        return true;
    fprintf(stderr, "generate: line %lu differs:\n  found    %s\n  computed %s\n", s->line, line,
            text);
    return false;
}

static bool put_value(struct sink *s, const struct test_case *c, uint64_t sample)
{
    char line[LINE_SIZE];
    mpfr_t kl;
    mpfr_init2(kl, FIRST_BITS);
    evaluate(c, sample, kl);
    mpfr_snprintf(line, sizeof line, "%s %" PRIu64 " %.39Re", c->name, sample, kl);
    mpfr_clear(kl);
    return put_line(s, line);
}

/* Passes over a value that is not computed again; its case and sample are checked all the same. */
static bool skip_value(struct sink *s, const struct test_case *c, uint64_t sample)
{
    char start[LINE_SIZE], line[LINE_SIZE];
    snprintf(start, sizeof start, "%s %" PRIu64 " ", c->name, sample);
    if (read_line(s, line) && strncmp(line, start, strlen(start)) == 0)
        return true;
    fprintf(stderr, "generate: line %lu differs:\n  found    %s\n  expected %s...\n", s->line, line,
            start);
    return false;
}

static bool put_case(struct sink *s, const struct test_case *c, bool quick)
{
    bool skip = quick && c->elements > QUICK_ELEMENTS;
    for (uint64_t k = 0; k < case_listed_count(c); k++) {
        uint64_t sample = case_listed(c, k);
        if (!(skip ? skip_value(s, c, sample) : put_value(s, c, sample)))
            return false;
    }
    return true;
}

static bool put_file(struct sink *s, bool quick)
{
    struct test_case c;
    for (size_t i = 0; i < sizeof header / sizeof *header; i++)
        if (!put_line(s, header[i]))
            return false;
    for (size_t i = 0; case_at(i, &c); i++)
        if (!put_case(s, &c, quick))
            return false;
    if (s->expected && fgetc(s->expected) != EOF) {
        fprintf(stderr, "generate: lines after the last value\n");
        return false;
    }
    return true;
}

static int write_file(void)
{
    struct sink sink = {NULL, 0};
    return put_file(&sink, false) && fflush(stdout) == 0 ? 0 : 2;
}

static int check_file(const char *path, bool quick)
{
    struct sink sink = {fopen(path, "r"), 0};
    if (!sink.expected) {
        perror(path);
        return 2;
    }
    bool same = put_file(&sink, quick);
    fclose(sink.expected);
    return same ? 0 : 1;
}

static void print_case(const struct test_case *c)
{
    printf("%s: batch %" PRIu64 ", elements %" PRIu64, c->name, c->batch, c->elements);
    printf("%s%s", c->shared_q ? ", shared Q" : "", c->constant ? ", constant" : "");
    printf("%s", c->wide ? ", float64" : "");
    if (c->clamped)
        printf(", clamped to [%g, %g]", (double)c->clamp_lo, (double)c->clamp_hi);
    printf("\n");
}

static int list_cases(void)
{
    struct test_case c;
    for (size_t i = 0; case_at(i, &c); i++)
        print_case(&c);
    return 0;
}

static int dump_sample(const char *name, const char *sample_text)
{
    struct test_case c;
    char *end;
    uint64_t sample = strtoull(sample_text, &end, 10);
    if (!case_find(name, &c) || *end || sample >= c.batch) {
        fprintf(stderr, "generate: no sample %s of a case %s\n", sample_text, name);
        return 2;
    }
    print_case(&c);
    printf("P.mean P.%s Q.mean Q.%s\n", scale_kind_name(c.p), scale_kind_name(c.q));
    for (uint64_t i = 0; i < c.elements; i++)
        printf("%a %a %a %a\n", case_value(&c, P_MEAN, sample, i),
               case_value(&c, P_SCALE, sample, i), case_value(&c, Q_MEAN, sample, i),
               case_value(&c, Q_SCALE, sample, i));
    return 0;
}

static int usage(void)
{
    fprintf(stderr, "usage: generate [--check FILE [--quick] | --dump CASE SAMPLE | --list]\n");
    return 2;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return write_file();
    if (argc == 3 && strcmp(argv[1], "--check") == 0)
        return check_file(argv[2], false);
    if (argc == 4 && strcmp(argv[1], "--check") == 0 && strcmp(argv[3], "--quick") == 0)
        return check_file(argv[2], true);
    if (argc == 4 && strcmp(argv[1], "--dump") == 0)
        return dump_sample(argv[2], argv[3]);
    if (argc == 2 && strcmp(argv[1], "--list") == 0)
        return list_cases();
    return usage();
}
