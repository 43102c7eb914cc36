#include "report_covariance.h"

#include "kl_covariance.h"
#include "message.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

void report_covariance_reading(FILE *to, const struct kl_side_options *side,
                               const clkl_gaussian *gaussian)
{
    const char *what = side->form == CLKL_MEAN_COVARIANCE ? "covariance"
                       : side->form == CLKL_MEAN_CHOLESKY ? "lower Cholesky factor"
                                                          : "precision matrix";
    const bool repeats = kl_covariance_repeats(gaussian);
    fprintf(to, "mean from %s, %s%s from %s%s", kl_covariance_label(side, false).text,
            repeats ? "one " : "", what, kl_covariance_label(side, true).text,
            repeats ? " for all means" : "");
}

/* ---- Parts ---- */

/* The mean of one of the two parts over the valid samples. */
static double mean_part(const struct report *report, unsigned part)
{
    const struct kl_result *result = report->result;
    double sum = 0;
    for (uint64_t i = 0; i < report->task->samples; i++)
        if ((result->status[i] & CLKL_VALUE_NAN) == 0)
            sum += kl_result_value(result, result->matrices.parts, 2 * i + part);
    return sum / (double)report->statistics->samples.valid;
}

void report_covariance_parts(FILE *to, const struct report *report)
{
    const uint64_t dimension = report->task->elements;
    const double nats = report->statistics->samples.mean / (double)dimension;
    fprintf(to, "                of the mean, covariances contribute %.6g, means %.6g\n",
            mean_part(report, 0), mean_part(report, 1));
    fprintf(to, "  per dimension mean %.6g nats = %.6g bits, D = %" PRIu64 "\n", nats,
            nats / log(2), dimension);
}

/* ---- Matrices ---- */

/* What can be said of a matrix. */
enum kind { NOT_DEFINITE, FEW_DIGITS, JITTERED };

static bool is_kind(int32_t status, enum kind kind)
{
    switch (kind) {
    case NOT_DEFINITE:
        return status > 0;
    case FEW_DIGITS:
        return status == CLKL_MATRIX_FEW_DIGITS;
    default:
        return status == CLKL_MATRIX_JITTERED;
    }
}

static int32_t status_of(const struct report *report, char side, uint64_t sample)
{
    const clkl_matrix_status *status = &report->result->matrices.status[sample];
    return side == 'P' ? status->p : status->q;
}

/* How many samples the side has of its own: a shared Q is looked at once. */
static uint64_t rows_of(const struct report *report, char side)
{
    return side == 'Q' && report->task->q_shared ? 1 : report->task->samples;
}

/* "sample 3 (pivot 2 of 4), 17 (pivot 1 of 4) and 5 more", or "all samples (...)" of a shared Q. */
struct matrix_list {
    char text[48 * (SAMPLE_LIST_NAMED + 1)];
    uint64_t count;
};

static size_t name_one(const struct report *report, char side, uint64_t sample, char *text,
                       size_t room)
{
    const int32_t status = status_of(report, side, sample);
    size_t used = rows_of(report, side) == report->task->samples
                      ? (size_t)snprintf(text, room, "%" PRIu64, sample)
                      : (size_t)snprintf(text, room, "of all samples");
    if (status > 0)
        used += (size_t)snprintf(text + used, room - used, " (pivot %" PRId32 " of %" PRIu64 ")",
                                 status, report->task->elements);
    return used;
}

static struct matrix_list list_matrices(const struct report *report, char side, enum kind kind)
{
    struct matrix_list list = {.count = 0};
    const uint64_t rows = rows_of(report, side);
    size_t used = 0;
    for (uint64_t i = 0; i < rows; i++) {
        if (!is_kind(status_of(report, side, i), kind) || list.count++ >= SAMPLE_LIST_NAMED)
            continue;
        const char *before = list.count > 1                 ? ", "
                             : rows < report->task->samples ? ""
                                                            : "in sample ";
        used += (size_t)snprintf(list.text + used, sizeof list.text - used, "%s", before);
        used += name_one(report, side, i, list.text + used, sizeof list.text - used);
    }
    if (list.count > SAMPLE_LIST_NAMED)
        snprintf(list.text + used, sizeof list.text - used, " and %" PRIu64 " more",
                 list.count - SAMPLE_LIST_NAMED);
    return list;
}

static void print_kind(FILE *to, const struct report *report, enum kind kind, const char *label)
{
    for (const char *side = "PQ"; *side != '\0'; side++) {
        const struct matrix_list list = list_matrices(report, *side, kind);
        if (list.count > 0)
            fprintf(to, "  %-12s  %c %s\n", label, *side, list.text);
    }
}

static bool any(const struct report *report, enum kind kind)
{
    return list_matrices(report, 'P', kind).count + list_matrices(report, 'Q', kind).count > 0;
}

void report_covariance_matrices(FILE *to, const struct report *report)
{
    print_kind(to, report, NOT_DEFINITE, "not definite");
    print_kind(to, report, FEW_DIGITS, "few digits");
    if (any(report, FEW_DIGITS))
        fprintf(to, "                ill-conditioned for %s\n",
                report->result->type == CLKL_F64 ? "f64" : "f32: --compute f64 has more digits");
    if (report->options->jitter > 0) {
        fprintf(to, "  jitter        %.6g of the mean of the diagonal%s\n", report->options->jitter,
                any(report, JITTERED) ? ", added where there was no factor:"
                                      : ": no matrix needed it");
        print_kind(to, report, JITTERED, "");
    }
}

/* ---- Verdict ---- */

/* Samples that are NaN though their matrices are positive definite. */
static struct sample_list other_invalid(const struct report *report)
{
    return sample_list(report->task, report->result, CLKL_VALUE_NAN,
                       CLKL_VALUE_NOT_POSITIVE_DEFINITE);
}

int report_covariance_verdict(const struct report *report)
{
    const struct matrix_list p = list_matrices(report, 'P', NOT_DEFINITE);
    const struct matrix_list q = list_matrices(report, 'Q', NOT_DEFINITE);
    const struct sample_list nan = other_invalid(report);
    const uint64_t invalid = report->statistics->samples.invalid;
    if (invalid == 0)
        return EXIT_DONE;
    message("%" PRIu64 " of %" PRIu64 " samples %s invalid:%s%s%s%s%s%s%s%s", invalid,
            report->task->samples, invalid == 1 ? "is" : "are",
            p.count > 0 ? " P is not positive definite " : "", p.text,
            p.count > 0 && q.count > 0 ? ";" : "",
            q.count > 0 ? " Q is not positive definite " : "", q.text,
            (p.count > 0 || q.count > 0) && nan.count > 0 ? ";" : "",
            nan.count > 0 ? " NaN in sample " : "", nan.text);
    return EXIT_INVALID_SAMPLES;
}
