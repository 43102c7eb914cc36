/*
 * Makes covariance.txt: the exact divergences of the cases in tests/support/covariance_cases.c, by
 * the textbook formula
 *
 *     KL = 1/2 [ tr(S_q^-1 S_p) - D + ln(det S_q / det S_p) + (mp - mq)^T S_q^-1 (mp - mq) ]
 *
 * with matrices that are inverted outright, in MPFR arithmetic. It cancels as P and Q meet, so each
 * case is evaluated with more and more bits until twice the bits change no digit.
 *
 *     generate_covariance                        writes the file to standard output
 *     generate_covariance --check FILE           computes all again; exits with 1 if FILE differs
 *     generate_covariance --check FILE --quick   the same up to 16 dimensions
 */
#include "covariance_cases.h"

#include <math.h>
#include <mpfr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BITS = 256, LAST_BITS = 8192, QUICK_SIZE = 16, TEXT_SIZE = 96, LINE_SIZE = 192 };

static const char *const header[] = {
    "# Exact Kullback-Leibler divergences KL(P||Q) between Gaussians with full covariances, in "
    "nats.",
    "# Made by tests/values/generate_covariance.c (the textbook formula in MPFR, 256 bits and "
    "more)",
    "# from the inputs that tests/support/covariance_cases.c makes; read by "
    "tests/support/values.c.",
    "# Each line: case, 0, value to 40 digits. NAME.mean is what the means contribute to NAME, and",
    "# NAME.condition the larger condition number of the two covariances, a little from below.",
};

/* ---- Matrices ---- */

struct matrix {
    size_t d;
    mpfr_t *at;
};

static void *allocate(size_t bytes)
{
    void *memory = malloc(bytes);
    if (memory == NULL) {
        fprintf(stderr, "generate_covariance: no memory\n");
        exit(2);
    }
    return memory;
}

static struct matrix matrix_make(size_t d, mpfr_prec_t bits)
{
    struct matrix m = {d, allocate(d * d * sizeof(mpfr_t))};
    for (size_t i = 0; i < d * d; i++) {
        mpfr_init2(m.at[i], bits);
        mpfr_set_zero(m.at[i], 1);
    }
    return m;
}

static void matrix_free(struct matrix *m)
{
    for (size_t i = 0; i < m->d * m->d; i++)
        mpfr_clear(m->at[i]);
    free(m->at);
}

/* *x -= a b */
static void subtract_product(mpfr_t x, const mpfr_t a, const mpfr_t b)
{
    mpfr_fms(x, a, b, x, MPFR_RNDN);
    mpfr_neg(x, x, MPFR_RNDN);
}

/* The Cholesky factor, in place; false if there is none. */
static bool factor(struct matrix *m)
{
    const size_t d = m->d;
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++) {
            mpfr_ptr x = m->at[i * d + j];
            for (size_t k = 0; k < j; k++)
                subtract_product(x, m->at[i * d + k], m->at[j * d + k]);
            if (i == j && mpfr_sgn(x) <= 0)
                return false;
            if (i == j)
                mpfr_sqrt(x, x, MPFR_RNDN);
            else
                mpfr_div(x, x, m->at[j * d + j], MPFR_RNDN);
        }
    return true;
}

/* out = L L^T */
static void square(const struct matrix *lower, struct matrix *out)
{
    const size_t d = lower->d;
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j <= i; j++) {
            mpfr_ptr x = out->at[i * d + j];
            mpfr_set_zero(x, 1);
            for (size_t k = 0; k <= j; k++)
                mpfr_fma(x, lower->at[i * d + k], lower->at[j * d + k], x, MPFR_RNDN);
            mpfr_set(out->at[j * d + i], x, MPFR_RNDN);
        }
}

/* out = (L L^T)^-1: column by column, L z = e_j, L^T x = z. */
static void invert(const struct matrix *lower, struct matrix *out)
{
    const size_t d = lower->d;
    for (size_t j = 0; j < d; j++) {
        mpfr_t *x = out->at + j * d; /* a row, as the inverse is symmetric */
        for (size_t i = 0; i < d; i++) {
            mpfr_set_si(x[i], i == j, MPFR_RNDN);
            for (size_t k = j; k < i; k++)
                subtract_product(x[i], lower->at[i * d + k], x[k]);
            mpfr_div(x[i], x[i], lower->at[i * d + i], MPFR_RNDN);
        }
        for (size_t i = d; i-- > 0;) {
            for (size_t k = i + 1; k < d; k++)
                subtract_product(x[i], lower->at[k * d + i], x[k]);
            mpfr_div(x[i], x[i], lower->at[i * d + i], MPFR_RNDN);
        }
    }
}

/* ---- Sides ---- */

/* A covariance, its inverse, and the logarithm of its determinant. */
struct side {
    struct matrix covariance, precision;
    mpfr_t log_det;
};

/* The lower triangle that a factor, or a matrix that has one, is told by. */
static void load_lower(const struct covariance_case *c, clkl_form form, const double *scale,
                       struct matrix *lower)
{
    for (size_t i = 0; i < c->d; i++) {
        mpfr_ptr diagonal = lower->at[i * c->d + i];
        for (size_t j = 0; j <= i && form >= CLKL_MEAN_COVARIANCE; j++)
            mpfr_set_d(lower->at[i * c->d + j], scale[i * c->d + j], MPFR_RNDN);
        if (form == CLKL_STANDARD_NORMAL)
            mpfr_set_ui(diagonal, 1, MPFR_RNDN);
        else if (form < CLKL_MEAN_COVARIANCE)
            mpfr_set_d(diagonal, scale[i], MPFR_RNDN);
        if (form == CLKL_MEAN_VAR)
            mpfr_sqrt(diagonal, diagonal, MPFR_RNDN);
        if (form == CLKL_MEAN_LOGVAR) {
            mpfr_div_ui(diagonal, diagonal, 2, MPFR_RNDN);
            mpfr_exp(diagonal, diagonal, MPFR_RNDN);
        }
    }
}

static void sum_logs(const struct matrix *lower, mpfr_t out)
{
    mpfr_set_ui(out, 1, MPFR_RNDN);
    for (size_t i = 0; i < lower->d; i++)
        mpfr_mul(out, out, lower->at[i * lower->d + i], MPFR_RNDN);
    mpfr_log(out, out, MPFR_RNDN);
    mpfr_mul_ui(out, out, 2, MPFR_RNDN);
}

static struct side side_make(const struct covariance_case *c, clkl_form form, const double *scale,
                             mpfr_prec_t bits)
{
    struct side s = {matrix_make(c->d, bits), matrix_make(c->d, bits), {{0}}};
    struct matrix lower = matrix_make(c->d, bits);
    const bool inverse = form == CLKL_MEAN_PRECISION;
    load_lower(c, form, scale, &lower);
    if ((inverse || form == CLKL_MEAN_COVARIANCE) && !factor(&lower)) {
        fprintf(stderr, "generate_covariance: %s: not positive definite\n", c->name);
        exit(2);
    }
    mpfr_init2(s.log_det, bits);
    sum_logs(&lower, s.log_det);
    if (inverse)
        mpfr_neg(s.log_det, s.log_det, MPFR_RNDN);
    square(&lower, inverse ? &s.precision : &s.covariance);
    invert(&lower, inverse ? &s.covariance : &s.precision);
    matrix_free(&lower);
    return s;
}

static void side_free(struct side *s)
{
    matrix_free(&s->covariance);
    matrix_free(&s->precision);
    mpfr_clear(s->log_det);
}

/* ---- Values ---- */

static void mean_part(const struct covariance_case *c, const struct covariance_inputs *p,
                      const struct covariance_inputs *q, const struct matrix *precision, mpfr_t out)
{
    mpfr_t row, distance;
    mpfr_inits2(mpfr_get_prec(out), row, distance, (mpfr_ptr)0);
    mpfr_set_zero(out, 1);
    for (size_t i = 0; i < c->d; i++) {
        mpfr_set_zero(row, 1);
        for (size_t j = 0; j < c->d; j++) {
            mpfr_set_d(distance, p->mean[j], MPFR_RNDN);
            mpfr_sub_d(distance, distance, q->mean[j], MPFR_RNDN);
            mpfr_fma(row, precision->at[i * c->d + j], distance, row, MPFR_RNDN);
        }
        mpfr_set_d(distance, p->mean[i], MPFR_RNDN);
        mpfr_sub_d(distance, distance, q->mean[i], MPFR_RNDN);
        mpfr_fma(out, row, distance, out, MPFR_RNDN);
    }
    mpfr_div_ui(out, out, 2, MPFR_RNDN);
    mpfr_clears(row, distance, (mpfr_ptr)0);
}

/* 1/2 [ tr(S_q^-1 S_p) - D + ln(det S_q / det S_p) ] */
static void covariance_part(const struct side *p, const struct side *q, mpfr_t out)
{
    const size_t d = p->covariance.d;
    mpfr_sub(out, q->log_det, p->log_det, MPFR_RNDN);
    for (size_t i = 0; i < d * d; i++)
        mpfr_fma(out, q->precision.at[i], p->covariance.at[i], out, MPFR_RNDN);
    mpfr_sub_ui(out, out, d, MPFR_RNDN);
    mpfr_div_ui(out, out, 2, MPFR_RNDN);
}

/* The largest eigenvalue of a symmetric matrix, by the power method. */
static double largest_eigenvalue(const struct matrix *m)
{
    const size_t d = m->d;
    double *numbers = allocate((d * d + 2 * d) * sizeof *numbers);
    double *x = numbers + d * d, *next = x + d, length = 1.0;
    for (size_t i = 0; i < d * d; i++)
        numbers[i] = mpfr_get_d(m->at[i], MPFR_RNDN);
    for (size_t i = 0; i < d; i++)
        x[i] = 1.0 / (double)(i + 1);
    for (int step = 0; step < 200; step++) {
        double squares = 0.0;
        for (size_t i = 0; i < d; i++) {
            next[i] = 0.0;
            for (size_t j = 0; j < d; j++)
                next[i] += numbers[i * d + j] * x[j];
            squares += next[i] * next[i];
        }
        length = sqrt(squares);
        for (size_t i = 0; i < d; i++)
            x[i] = next[i] / length;
    }
    free(numbers);
    return length;
}

static double condition(const struct side *s)
{
    return largest_eigenvalue(&s->covariance) * largest_eigenvalue(&s->precision);
}

/* What is printed of a case. */
struct texts {
    char total[TEXT_SIZE], mean[TEXT_SIZE], condition[TEXT_SIZE];
};

static void evaluate_with(const struct covariance_case *c, const struct covariance_inputs *p,
                          const struct covariance_inputs *q, mpfr_prec_t bits, struct texts *out)
{
    struct side of_p = side_make(c, c->p, p->scale, bits);
    struct side of_q = side_make(c, c->q, q->scale, bits);
    mpfr_t covariance, mean;
    mpfr_inits2(bits, covariance, mean, (mpfr_ptr)0);
    covariance_part(&of_p, &of_q, covariance);
    mean_part(c, p, q, &of_q.precision, mean);
    mpfr_add(covariance, covariance, mean, MPFR_RNDN);
    mpfr_snprintf(out->total, TEXT_SIZE, "%.39Re", covariance);
    mpfr_snprintf(out->mean, TEXT_SIZE, "%.39Re", mean);
    snprintf(out->condition, TEXT_SIZE, "%.2e", fmax(condition(&of_p), condition(&of_q)));
    mpfr_clears(covariance, mean, (mpfr_ptr)0);
    side_free(&of_p);
    side_free(&of_q);
}

static void evaluate(const struct covariance_case *c, struct texts *out)
{
    struct covariance_inputs p, q;
    struct texts before = {"", "", ""};
    mpfr_prec_t bits = FIRST_BITS;
    covariance_inputs_make(c, &p, &q);
    evaluate_with(c, &p, &q, bits, out);
    while (strcmp(before.total, out->total) != 0 || strcmp(before.mean, out->mean) != 0) {
        before = *out;
        bits *= 2;
        if (bits > LAST_BITS) {
            fprintf(stderr, "generate_covariance: %s: the digits do not settle\n", c->name);
            exit(2);
        }
        evaluate_with(c, &p, &q, bits, out);
    }
    covariance_inputs_free(&p);
    covariance_inputs_free(&q);
}

/* ---- The file ---- */

/* Writes the line, or compares it with that of `expected`. With `start` it is the beginning alone
 * that is compared. */
static bool put(FILE *expected, const char *text, bool start)
{
    char line[LINE_SIZE] = "";
    if (expected == NULL)
        return puts(text) >= 0;
    if (fgets(line, sizeof line, expected) != NULL)
        line[strcspn(line, "\n")] = '\0';
    if (start ? strncmp(line, text, strlen(text)) == 0 : strcmp(line, text) == 0)
        return true;
    fprintf(stderr, "generate_covariance:\n  found    %s\n  expected %s%s\n", line, text,
            start ? "..." : "");
    return false;
}

static bool put_case(FILE *expected, const struct covariance_case *c, bool skip)
{
    struct texts texts = {"", "", ""};
    char line[LINE_SIZE];
    if (!skip)
        evaluate(c, &texts);
    snprintf(line, sizeof line, "%s 0 %s", c->name, texts.total);
    bool same = put(expected, line, skip);
    snprintf(line, sizeof line, "%s.mean 0 %s", c->name, texts.mean);
    same = put(expected, line, skip) && same;
    snprintf(line, sizeof line, "%s.condition 0 %s", c->name, texts.condition);
    return put(expected, line, skip) && same;
}

static bool put_file(FILE *expected, bool quick)
{
    struct covariance_case c;
    for (size_t i = 0; i < sizeof header / sizeof *header; i++)
        if (!put(expected, header[i], false))
            return false;
    for (size_t i = 0; covariance_case_at(i, &c); i++)
        if (!put_case(expected, &c, quick && c.d > QUICK_SIZE))
            return false;
    return expected == NULL || fgetc(expected) == EOF;
}

int main(int argc, char **argv)
{
    if (argc == 1)
        return put_file(NULL, false) && fflush(stdout) == 0 ? 0 : 2;
    if (argc < 3 || argc > 4 || strcmp(argv[1], "--check") != 0 ||
        (argc == 4 && strcmp(argv[3], "--quick") != 0)) {
        fprintf(stderr, "usage: generate_covariance [--check FILE [--quick]]\n");
        return 2;
    }
    FILE *expected = fopen(argv[2], "r");
    if (expected == NULL) {
        perror(argv[2]);
        return 2;
    }
    const bool same = put_file(expected, argc == 4);
    fclose(expected);
    return same ? 0 : 1;
}
