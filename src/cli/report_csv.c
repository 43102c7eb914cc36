#include "report.h"

#include <inttypes.h>

void report_csv(FILE *to, const struct report *report)
{
    const struct kl_result *result = report->result;
    const int digits = result->type == CLKL_F64 ? 17 : 9;
    fprintf(to, "%s,kl\n", report->task->kept_axis == 0 ? "sample" : "index");
    for (uint64_t i = 0; i < result->kept_count; i++) {
        double value = kl_result_value(result, result->kept, i);
        if (value != value) /* printf may write -nan */
            fprintf(to, "%" PRIu64 ",nan\n", i);
        else
            fprintf(to, "%" PRIu64 ",%.*g\n", i, digits, value);
    }
}
