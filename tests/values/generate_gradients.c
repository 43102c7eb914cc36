/*
 * Makes gradients.txt: the exact gradients of the cases in tests/support/cases.c that are small,
 * for an upstream gradient of 1, in MPFR arithmetic. With variances vp and vq, d = mp - mq and c =
 * d ln(v)/dx / 2 for the number x that gives a variance v,
 *
 *     by P's mean   d / vq      by P's scale   (vp/vq - 1) c(p)
 *     by Q's mean  -d / vq      by Q's scale  -(vp/vq - 1) c(q) - d^2/vq c(q)
 *
 * Where Q is shared, its gradients are sums over the samples that are listed. The terms of a sum
 * are those that are written out here; vp/vq - 1 is one, unless a side alone is given by
 * logarithms.
 *
 *     generate_gradients > gradients.txt
 */
#include "cases.h"

#include <inttypes.h>
#include <math.h>
#include <mpfr.h>
#include <stdio.h>

enum { BITS = 600, MOST_ELEMENTS = 1000 };

static const char *const header =
    "# Exact gradients of the divergences in diagonal.txt, in nats per unit of the number.\n"
    "# Made by tests/values/generate_gradients.c from the float32 inputs that\n"
    "# tests/support/cases.c makes; read by tests/reference/test_gradient_values.c.\n"
    "# Each line: case, operand, sample, element, gradient to 40 digits, sum of the absolute "
    "values\n"
    "# of its terms.\n";

static const char *const operands[] = {"p_mean", "p_scale", "q_mean", "q_scale"};

struct numbers {
    mpfr_t vp, vq, distance, excess, square, chain, total, terms;
};

static void numbers_init(struct numbers *n)
{
    mpfr_inits2(BITS, n->vp, n->vq, n->distance, n->excess, n->square, n->chain, n->total, n->terms,
                (mpfr_ptr)0);
}

static void numbers_clear(struct numbers *n)
{
    mpfr_clears(n->vp, n->vq, n->distance, n->excess, n->square, n->chain, n->total, n->terms,
                (mpfr_ptr)0);
}

/* ---- One element ---- */

static bool is_log(enum scale_kind kind)
{
    return kind == SCALE_LOGVAR || kind == SCALE_LOGSTD;
}

static bool is_clamped(const struct test_case *c, enum scale_kind kind, double scale)
{
    return c->clamped && kind == SCALE_LOGVAR && (scale < c->clamp_lo || scale > c->clamp_hi);
}

static void set_variance(const struct test_case *c, enum scale_kind kind, double scale, mpfr_t v)
{
    const bool clamps = c->clamped && kind == SCALE_LOGVAR;
    mpfr_set_d(v, clamps ? fmin(fmax(scale, (double)c->clamp_lo), (double)c->clamp_hi) : scale,
               MPFR_RNDN);
    if (kind == SCALE_STANDARD)
        mpfr_set_ui(v, 1, MPFR_RNDN);
    if (kind == SCALE_LOGSTD)
        mpfr_mul_ui(v, v, 2, MPFR_RNDN);
    if (is_log(kind))
        mpfr_exp(v, v, MPFR_RNDN);
    if (kind == SCALE_STD)
        mpfr_sqr(v, v, MPFR_RNDN);
}

/* c of the side: 1/2, 1, 1/(2v) or 1/s. */
static void set_chain(enum scale_kind kind, double scale, mpfr_t chain)
{
    mpfr_set_ui(chain, 1, MPFR_RNDN);
    if (kind == SCALE_VAR || kind == SCALE_STD)
        mpfr_div_d(chain, chain, (double)scale, MPFR_RNDN);
    if (kind == SCALE_LOGVAR || kind == SCALE_VAR)
        mpfr_div_ui(chain, chain, 2, MPFR_RNDN);
}

static void add_term(struct numbers *n, const mpfr_t term, int sign)
{
    if (sign > 0)
        mpfr_add(n->total, n->total, term, MPFR_RNDN);
    else
        mpfr_sub(n->total, n->total, term, MPFR_RNDN);
    if (mpfr_sgn(term) >= 0)
        mpfr_add(n->terms, n->terms, term, MPFR_RNDN);
    else
        mpfr_sub(n->terms, n->terms, term, MPFR_RNDN);
}

/* (vp/vq - 1) chain, whose parts are terms where a side alone is given by logarithms. */
static void add_excess(struct numbers *n, const struct test_case *c, int sign)
{
    const bool both = c->p != SCALE_STANDARD && c->q != SCALE_STANDARD;
    mpfr_div(n->excess, n->vp, n->vq, MPFR_RNDN);
    mpfr_mul(n->excess, n->excess, n->chain, MPFR_RNDN);
    if (both && is_log(c->p) != is_log(c->q)) {
        add_term(n, n->excess, sign);
        add_term(n, n->chain, -sign);
        return;
    }
    mpfr_sub(n->excess, n->excess, n->chain, MPFR_RNDN);
    add_term(n, n->excess, sign);
}

/* Adds the derivative of an element to the total. */
static void add_element(struct numbers *n, const struct test_case *c, enum operand which,
                        uint64_t sample, uint64_t element)
{
    const double p = case_value(c, P_SCALE, sample, element);
    const double q = case_value(c, Q_SCALE, sample, element);
    set_variance(c, c->p, p, n->vp);
    set_variance(c, c->q, q, n->vq);
    mpfr_set_d(n->distance, case_value(c, P_MEAN, sample, element), MPFR_RNDN);
    mpfr_sub_d(n->distance, n->distance, case_value(c, Q_MEAN, sample, element), MPFR_RNDN);
    if (which == P_MEAN || which == Q_MEAN) {
        mpfr_div(n->square, n->distance, n->vq, MPFR_RNDN);
        add_term(n, n->square, which == P_MEAN ? 1 : -1);
        return;
    }
    if (is_clamped(c, which == P_SCALE ? c->p : c->q, which == P_SCALE ? p : q))
        return;
    set_chain(which == P_SCALE ? c->p : c->q, which == P_SCALE ? p : q, n->chain);
    add_excess(n, c, which == P_SCALE ? 1 : -1);
    if (which == P_SCALE)
        return;
    mpfr_sqr(n->square, n->distance, MPFR_RNDN);
    mpfr_div(n->square, n->square, n->vq, MPFR_RNDN);
    mpfr_mul(n->square, n->square, n->chain, MPFR_RNDN);
    add_term(n, n->square, -1);
}

/* ---- The file ---- */

static void put_gradient(struct numbers *n, const struct test_case *c, enum operand which,
                         uint64_t element)
{
    const bool shared = c->shared_q && (which == Q_MEAN || which == Q_SCALE);
    const uint64_t last = case_listed_count(c) - 1;
    mpfr_set_ui(n->total, 0, MPFR_RNDN);
    mpfr_set_ui(n->terms, 0, MPFR_RNDN);
    for (uint64_t k = shared ? 0 : last; k <= last; k++)
        add_element(n, c, which, case_listed(c, k), element);
    mpfr_printf("%s %s %" PRIu64 " %" PRIu64 " %.39Re %.5Re\n", c->name, operands[which],
                shared ? 0 : last, element, n->total, n->terms);
}

static void put_case(struct numbers *n, const struct test_case *c)
{
    for (enum operand which = P_MEAN; which <= Q_SCALE; which++) {
        if ((which < Q_MEAN ? c->p : c->q) != SCALE_STANDARD)
            put_gradient(n, c, which, c->elements - 1);
    }
}

int main(void)
{
    struct test_case c;
    struct numbers numbers;
    numbers_init(&numbers);
    fputs(header, stdout);
    for (size_t i = 0; case_at(i, &c); i++)
        if (c.elements <= MOST_ELEMENTS && !c.constant && !c.wide)
            put_case(&numbers, &c);
    numbers_clear(&numbers);
    mpfr_free_cache();
    return fflush(stdout) == 0 ? 0 : 2;
}
