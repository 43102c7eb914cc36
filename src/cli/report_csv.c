#include "report.h"

#include <inttypes.h>

/* What the columns of the index hold. */
static void print_head(FILE *to, const struct kl_kept *kept)
{
    if (kept->rank < 2) {
        fputs(kl_kept_batch(kept) ? "sample,kl\n" : "index,kl\n", to);
        return;
    }
    for (unsigned k = 0; k < kept->rank; k++) {
        if (kept->axis[k] == 0)
            fputs("sample,", to);
        else
            fprintf(to, "axis%u,", kept->axis[k]);
    }
    fputs("kl\n", to);
}

void report_csv(FILE *to, const struct report *report)
{
    const struct kl_result *result = report->result;
    const struct kl_kept *kept = &report->task->kept;
    const int digits = result->type == CLKL_F64 ? 17 : 9;
    print_head(to, kept);
    for (uint64_t i = 0; i < result->kept_count; i++) {
        const double value = kl_result_value(result, result->kept, i);
        fputs(kept->rank > 0 ? kl_kept_place(kept, i).text : "0", to);
        if (value != value) /* printf may write -nan */
            fputs(",nan\n", to);
        else
            fprintf(to, ",%.*g\n", digits, value);
    }
}
