#include "report.h"

#include <inttypes.h>

/* What the columns of the index hold. */
static void print_index_head(FILE *to, const struct kl_kept *kept)
{
    if (kept->rank < 2) {
        fputs(kl_kept_batch(kept) ? "sample," : "index,", to);
        return;
    }
    for (unsigned k = 0; k < kept->rank; k++) {
        if (kept->axis[k] == 0)
            fputs("sample,", to);
        else
            fprintf(to, "axis%u,", kept->axis[k]);
    }
}

static void print_number(FILE *to, const struct kl_result *result, const void *values, uint64_t i)
{
    const double value = kl_result_value(result, values, i);
    if (value != value) /* printf may write -nan */
        fputs(",nan", to);
    else
        fprintf(to, ",%.*g", result->type == CLKL_F64 ? 17 : 9, value);
}

void report_csv(FILE *to, const struct report *report)
{
    const struct kl_result *result = report->result;
    const struct kl_kept *kept = &report->task->kept;
    print_index_head(to, kept);
    fputs(report->task->full ? "kl,covariances,means\n" : "kl\n", to);
    for (uint64_t i = 0; i < result->kept_count; i++) {
        fputs(kept->rank > 0 ? kl_kept_place(kept, i).text : "0", to);
        print_number(to, result, result->kept, i);
        if (report->task->full) {
            print_number(to, result, result->matrices.kept_parts, 2 * i);
            print_number(to, result, result->matrices.kept_parts, 2 * i + 1);
        }
        fputc('\n', to);
    }
}
