#include "accuracy.h"

#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static struct worst *worst_of(struct report *report, const char *case_name)
{
    size_t length = strcspn(case_name, ".");
    for (size_t i = 0; i < report->families; i++)
        if (strlen(report->worst[i].family) == length &&
            strncmp(report->worst[i].family, case_name, length) == 0)
            return &report->worst[i];
    cr_assert_lt(report->families, REPORT_FAMILIES);
    struct worst *worst = &report->worst[report->families++];
    memset(worst, 0, sizeof *worst);
    worst->part = -1.0;
    memcpy(worst->family, case_name, length);
    return worst;
}

static double bound_of(const struct tolerance *tolerance, const struct test_case *c, double kl)
{
    bool p_log = c->p == SCALE_LOGVAR || c->p == SCALE_LOGSTD;
    bool q_log = c->q == SCALE_LOGVAR || c->q == SCALE_LOGSTD;
    bool mixed = p_log != q_log && c->p != SCALE_STANDARD && c->q != SCALE_STANDARD;
    double elements = (double)c->elements;
    return tolerance->relative * kl + (mixed ? tolerance->mixed * sqrt(elements * kl) : 0.0) +
           tolerance->lost * elements;
}

void report_note(struct report *report, const struct test_case *c, uint64_t sample, double exact,
                 double result)
{
    struct worst *worst = worst_of(report, c->name);
    double error = fabs(result - exact);
    double part = result < 0.0 ? INFINITY : error / bound_of(&report->tolerance, c, exact);
    report->checked++;
    if (isnan(worst->part) || part <= worst->part) /* nothing is worse than NaN */
        return;
    worst->part = part;
    snprintf(worst->text, sizeof worst->text,
             "%s, sample %" PRIu64
             ": %.17g, exactly %.17g; off by %.2e, which is %.3g of the bound",
             c->name, sample, result, exact, error / exact, part);
}

void report_expect(const struct report *report)
{
    for (size_t i = 0; i < report->families; i++) {
        const struct worst *worst = &report->worst[i];
        cr_log_info("%s", worst->text);
        cr_expect(worst->part <= 1.0, "%s", worst->text);
    }
}
