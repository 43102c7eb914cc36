#include "blocks.h"
#include "inspect_report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_DRAWN = 64, MARK_WIDTH = sizeof "collapsed" - 1 };

static int wider(int a, int b)
{
    return a > b ? a : b;
}

static double share_of(double value, double whole)
{
    return isinf(value) ? 1 : whole > 0 ? value / whole : 0;
}

/* ---- Channels or units ---- */

struct table {
    const struct inspection *inspection;
    int index_width, units_width, bar_width;
    double scale; /* the value of a bar of full width */
    bool utf8;
};

static struct table make_table(const struct inspection *inspection)
{
    const struct inspect_rows *rows = &inspection->rows;
    struct table table = {.inspection = inspection, .utf8 = blocks_utf8()};
    char units[64];
    const struct kl_kept_text last = kl_kept_place(&inspection->axes.rows, rows->count - 1);
    table.index_width =
        wider((int)strlen(last.text), (int)strlen(inspect_axes_row(&inspection->axes)));
    if (inspection->axes.per_channel && inspection_knows_activity(inspection))
        table.units_width = 2 + wider(snprintf(units, sizeof units, "%" PRIu64 "/%" PRIu64,
                                               rows->units, rows->units),
                                      (int)strlen("active"));
    table.bar_width = BLOCKS_LINE - 2 - table.index_width - 2 - BLOCKS_VALUE - 2 - BLOCKS_VALUE -
                      table.units_width - 2 - MARK_WIDTH - 2;
    table.bar_width = wider(table.bar_width, 1);
    for (uint64_t i = 0; i < rows->count; i++)
        if (isfinite(rows->row[i].kl))
            table.scale = fmax(table.scale, rows->row[i].kl);
    return table;
}

static void print_row(FILE *to, const struct table *table, const struct inspect_row *row)
{
    const struct inspection *inspection = table->inspection;
    char units[64];
    fprintf(to, "  %*s  %*s", table->index_width,
            kl_kept_place(&inspection->axes.rows, row->index).text, BLOCKS_VALUE,
            blocks_value(row->kl).text);
    fprintf(to, "  %*s", BLOCKS_VALUE, row->units > 0 ? blocks_value(row->variance).text : "-");
    snprintf(units, sizeof units, "%" PRIu64 "/%" PRIu64, row->active_units, row->units);
    if (table->units_width > 0)
        fprintf(to, "%*s", table->units_width, units);
    fprintf(to, "  %-*s  ", MARK_WIDTH, inspection_mark(row));
    blocks_draw(to, share_of(row->kl, table->scale), table->bar_width, table->utf8);
    fputc('\n', to);
}

static void print_rows(FILE *to, const struct inspection *inspection)
{
    const struct inspect_rows *rows = &inspection->rows;
    const struct table table = make_table(inspection);
    const uint64_t drawn = rows->count < ROWS_DRAWN ? rows->count : ROWS_DRAWN;
    fprintf(to, "\n%s: nats, the mean over %" PRIu64 " sample%s%s\n",
            kl_kept_names(&inspection->axes.rows, 0).text, inspection->samples.count,
            inspection->samples.count == 1 ? "" : "s",
            rows->count > drawn ? "; the largest 64" : "; the largest first");
    fprintf(to, "  %*s  %*s  %*s", table.index_width, inspect_axes_row(&inspection->axes),
            BLOCKS_VALUE, "KL", BLOCKS_VALUE, "Var[mu]");
    fprintf(to, "%*s\n", table.units_width, table.units_width > 0 ? "active" : "");
    for (uint64_t i = 0; i < drawn; i++)
        print_row(to, &table, &rows->row[i]);
    if (rows->count > drawn)
        fprintf(to, "%" PRIu64 " more, down to %s, are not shown; --csv and --json have all\n",
                rows->count - drawn, blocks_value(rows->row[rows->count - 1].kl).text);
}

/* ---- Histogram ---- */

static void print_bin(FILE *to, const struct inspect_samples *s, unsigned i, uint64_t most,
                      bool utf8)
{
    fprintf(to, "  %*s to %*s  %8" PRIu64 "  ", BLOCKS_VALUE,
            blocks_value(inspect_samples_edge(s, i)).text, BLOCKS_VALUE,
            blocks_value(inspect_samples_edge(s, i + 1)).text, s->bin[i]);
    blocks_draw(to, share_of((double)s->bin[i], (double)most), 40, utf8);
    fputc('\n', to);
}

static void print_histogram(FILE *to, const struct inspection *inspection)
{
    const struct inspect_samples *s = &inspection->samples;
    const bool utf8 = blocks_utf8();
    uint64_t most = 0;
    for (unsigned i = 0; i < s->bins; i++)
        most = s->bin[i] > most ? s->bin[i] : most;
    fputs("\nsamples by their divergence, nats\n", to);
    if (s->below > 0)
        fprintf(to, "  %*s %*s  %8" PRIu64 "\n", BLOCKS_VALUE + 3, "below", BLOCKS_VALUE,
                blocks_value(s->low).text, s->below);
    for (unsigned i = 0; i < s->bins; i++)
        print_bin(to, s, i, most, utf8);
    if (s->above > 0)
        fprintf(to, "  %*s %*s  %8" PRIu64 "\n", BLOCKS_VALUE + 3, "above", BLOCKS_VALUE,
                blocks_value(s->high).text, s->above);
}

void inspect_report_charts(FILE *to, const struct inspection *inspection)
{
    if (inspection->samples.count == 0)
        return;
    print_rows(to, inspection);
    inspect_report_positions(to, inspection);
    print_histogram(to, inspection);
}
