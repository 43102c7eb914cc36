#include "bars.h"

#include "blocks.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BARS_DRAWN = 64, MARK_WIDTH = sizeof "collapsed" /* and a space before it */ };

/* A unit whose mean divergence is below this many nats says next to nothing about the input. */
static const double collapse_limit = 0.01;

struct bar {
    uint64_t index;
    double value; /* nats, reduced over the batch as was asked for */
    double mean;  /* over the batch */
};

/* Whether indices are units. With full covariances they are coordinates, which share the
 * divergence in their order: none of them has collapsed by itself. */
static bool are_units(const struct report *report)
{
    return !report->task->full;
}

static bool is_collapsed(const struct bar *bar)
{
    return bar->mean < collapse_limit;
}

/* What all bars have in common. */
struct chart {
    const struct kl_kept *kept;
    int place_width; /* of the widest index: at most 34, as there are no more than 2^63 values */
    double scale;    /* the value of a bar of full width */
    bool utf8;
    bool units;
};

static void draw_bar(FILE *to, const struct chart *chart, const struct bar *bar)
{
    const struct kl_kept_text place = kl_kept_place(chart->kept, bar->index);
    const int width = BLOCKS_LINE - 2 - chart->place_width - 2 - BLOCKS_VALUE - 2 - MARK_WIDTH;
    const double share = isinf(bar->value) ? 1 : chart->scale > 0 ? bar->value / chart->scale : 0;
    fprintf(to, "  %*s  %*s", chart->place_width, place.text, BLOCKS_VALUE,
            isnan(bar->value) ? "nan" : blocks_value(bar->value).text);
    if (!isnan(bar->value)) {
        fputs("  ", to);
        blocks_draw(to, share, width, chart->utf8);
        fputs(chart->units && is_collapsed(bar) ? " collapsed" : "", to);
    }
    fputc('\n', to);
}

/* NaN first, then the largest; equal values in the order of their index. */
static int compare(const void *left, const void *right)
{
    const struct bar *a = left, *b = right;
    if (isnan(a->value) || isnan(b->value)) {
        if (isnan(a->value) != isnan(b->value))
            return isnan(a->value) ? -1 : 1;
    } else if (a->value != b->value) {
        return a->value > b->value ? -1 : 1;
    }
    return a->index < b->index ? -1 : a->index > b->index;
}

static struct bar *make_bars(const struct report *report)
{
    const struct kl_result *result = report->result;
    const bool sum = report->options->batch == CLKL_BATCH_SUM;
    struct bar *bars = malloc((size_t)result->kept_count * sizeof *bars);
    for (uint64_t i = 0; bars != NULL && i < result->kept_count; i++) {
        const double value = kl_result_value(result, result->kept, i);
        bars[i] = (struct bar){i, value, sum ? value / (double)report->task->samples : value};
    }
    return bars;
}

static uint64_t count_collapsed(const struct bar *bars, uint64_t count)
{
    uint64_t collapsed = 0;
    for (uint64_t i = 0; i < count; i++)
        collapsed += is_collapsed(&bars[i]);
    return collapsed;
}

static void draw_all(FILE *to, const struct report *report, const struct bar *bars, uint64_t drawn)
{
    const struct kl_kept *kept = &report->task->kept;
    const uint64_t count = report->result->kept_count;
    struct chart chart = {.kept = kept, .utf8 = blocks_utf8(), .units = are_units(report)};
    chart.place_width = (int)strlen(kl_kept_place(kept, count - 1).text);
    for (uint64_t i = 0; i < drawn; i++)
        if (isfinite(bars[i].value) && bars[i].value > chart.scale)
            chart.scale = bars[i].value;
    for (uint64_t i = 0; i < drawn; i++)
        draw_bar(to, &chart, &bars[i]);
}

void bars_draw(FILE *to, const struct report *report)
{
    const struct kl_kept *kept = &report->task->kept;
    const uint64_t count = report->result->kept_count;
    const uint64_t drawn = count < BARS_DRAWN ? count : BARS_DRAWN;
    struct bar *bars = make_bars(report);
    if (bars == NULL) {
        fputs("\nno bars: there is no memory for them\n", to);
        return;
    }
    fprintf(to, "\n%s, nats per index: %s over the %" PRIu64 " sample%s%s\n",
            kl_kept_names(kept, 0).text, report->options->batch == CLKL_BATCH_SUM ? "sum" : "mean",
            report->task->samples, report->task->samples == 1 ? "" : "s",
            count > drawn ? "; the largest 64" : "");
    if (count > drawn)
        qsort(bars, (size_t)count, sizeof *bars, compare);
    draw_all(to, report, bars, drawn);
    if (count > drawn)
        fprintf(to, "%" PRIu64 " more, down to %s, are not shown; --out and --csv write all\n",
                count - drawn, blocks_value(bars[count - 1].value).text);
    if (are_units(report))
        fprintf(to, "%" PRIu64 " of %" PRIu64 " units collapsed (%sbelow 0.01 nats)\n",
                count_collapsed(bars, count), count,
                report->options->batch == CLKL_BATCH_SUM ? "mean " : "");
    else
        fputs("what each coordinate adds to the divergence of those before it\n", to);
    free(bars);
}
