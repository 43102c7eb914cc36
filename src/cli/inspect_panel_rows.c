#include "inspect_panels.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Colours of Okabe and Ito 2008, which differ in lightness as well, and to eyes that see no red or
 * no green. */
#define ACTIVE_COLOUR    "#0072B2"
#define COLLAPSED_COLOUR "#E69F00"
#define SHADE_COLOUR     "#EBEBEB"

enum {
    LABELLED_ROWS = 32, /* more of them are numbered by their rank */
    BOXED_ROWS = 128    /* more of them touch each other */
};

/* What a logarithmic axis shows of the variances: from below the threshold and the smallest
 * variance, but not more than ten powers of ten. */
static void find_variances(const struct inspection *inspection, double *low, double *high)
{
    const double threshold = inspection->options->threshold;
    *low = *high = threshold > 0 ? threshold : NAN;
    for (uint64_t i = 0; i < inspection->rows.count; i++) {
        const double variance = inspection->rows.row[i].variance;
        if (variance > 0) {
            *low = fmin(*low, variance);
            *high = fmax(*high, variance);
        }
    }
    if (isnan(*high))
        *low = *high = 1;
    *low = fmax(*low / 3, *high * 1e-10);
    *high *= 3;
}

/* Rank, divergence, variance (at least what the axis shows), and whether the row is active: 1, or
 * 0, or 2 where that is not known. */
void panel_rows_data(const struct plot *plot)
{
    const struct inspect_rows *rows = &plot->inspection->rows;
    double low = 0, high = 0;
    find_variances(plot->inspection, &low, &high);
    fputs("$rows << END\n", plot->to);
    for (uint64_t i = 0; i < rows->count; i++) {
        const struct inspect_row *row = &rows->row[i];
        fprintf(plot->to, "%" PRIu64, i);
        panel_number(plot, row->kl);
        panel_number(plot, row->units > 0 ? fmax(row->variance, low) : NAN);
        fprintf(plot->to, " %d\n", row->units > 0 ? row->active : 2);
    }
    fputs("END\n", plot->to);
}

/* Grey behind the collapsed ones: a rectangle for each run of them. */
static void shade_collapsed(const struct plot *plot)
{
    const struct inspect_rows *rows = &plot->inspection->rows;
    uint64_t begin = 0;
    if (plot->terminal || !inspection_knows_activity(plot->inspection))
        return;
    for (uint64_t i = 0; i <= rows->count; i++) {
        if (i < rows->count && rows->row[i].units > 0 && !rows->row[i].active)
            continue;
        if (i > begin)
            fprintf(plot->to,
                    "set object rectangle from first %g, graph 0 to first %g, graph 1 behind "
                    "fillcolor rgb '" SHADE_COLOUR "' fillstyle solid noborder\n",
                    (double)begin - 0.5, (double)i - 0.5);
        begin = i + 1;
    }
}

/* Whether there is room for a label below each row. */
static bool is_labelled(const struct plot *plot)
{
    const struct inspect_rows *rows = &plot->inspection->rows;
    const uint64_t widest =
        strlen(kl_kept_place(&plot->inspection->axes.rows, rows->count - 1).text);
    if (plot->terminal)
        return rows->count * (widest + 1) < (uint64_t)plot->columns - 15;
    return rows->count <= LABELLED_ROWS;
}

static void put_row_axis(const struct plot *plot)
{
    const struct inspection *inspection = plot->inspection;
    const struct inspect_rows *rows = &inspection->rows;
    const struct kl_kept *kept = &inspection->axes.rows;
    const bool labelled = is_labelled(plot);
    const char *row = inspect_axes_row(&inspection->axes);
    fprintf(plot->to, "set xrange [-0.6:%g]\n", (double)rows->count - 0.4);
    if (labelled) {
        fputs("set xtics (", plot->to);
        for (uint64_t i = 0; i < rows->count; i++)
            fprintf(plot->to, "%s'%s' %" PRIu64, i > 0 ? ", " : "",
                    kl_kept_place(kept, rows->row[i].index).text, i);
        fprintf(plot->to, ")%s\n",
                !plot->terminal && kept->rank > 1 && rows->count > 8 ? " rotate by 90 right" : "");
    }
    fprintf(plot->to, "set xlabel '%s%s (%s), the largest divergence first'\n",
            labelled ? "" : "rank of the ", row, kl_kept_names(kept, 0).text);
}

/* Every kind of rows, of which there may be none; `column` is a number of $rows. */
static void plot_rows(const struct plot *plot, int column, const char *active_style,
                      const char *collapsed_style)
{
    const struct inspect_rows *rows = &plot->inspection->rows;
    const bool in_key = plot->terminal || column == 2;
    if (!inspection_knows_activity(plot->inspection)) {
        fprintf(plot->to, "plot $rows using 1:%d %s notitle\n", column, active_style);
        return;
    }
    fputs("plot", plot->to);
    if (rows->active > 0)
        fprintf(plot->to, " $rows using 1:($4 == 1 ? $%d : NaN) %s %s 'active: %" PRIu64 "',",
                column, active_style, in_key ? "title" : "notitle", rows->active);
    if (rows->active < rows->known)
        fprintf(plot->to, " $rows using 1:($4 == 0 ? $%d : NaN) %s %s 'collapsed: %" PRIu64 "',",
                column, collapsed_style, in_key ? "title" : "notitle", rows->known - rows->active);
    if (rows->known < rows->count && column == 2)
        fprintf(plot->to,
                " $rows using 1:($4 == 2 ? $2 : NaN) with %s title 'not known: %" PRIu64 "',",
                plot->terminal ? "impulses linetype 3" : "boxes linecolor rgb 'grey60'",
                rows->count - rows->known);
    if (column == 3 && plot->inspection->options->threshold > 0)
        fprintf(plot->to,
                " %g with lines dashtype 2 linewidth 1.5 linecolor rgb 'black' "
                "title 'threshold: %g'",
                plot->inspection->options->threshold, plot->inspection->options->threshold);
    fputc('\n', plot->to);
}

void panel_divergences(const struct plot *plot, const struct place *place)
{
    const bool many = plot->inspection->rows.count > BOXED_ROWS;
    const bool boxes = plot->inspection->rows.count * 4 < (uint64_t)plot->columns;
    char title[64];
    snprintf(title, sizeof title, "KL per %s, nats", inspect_axes_row(&plot->inspection->axes));
    panel_begin(plot, place, title);
    shade_collapsed(plot);
    put_row_axis(plot);
    if (!plot->terminal && inspection_knows_activity(plot->inspection))
        fputs("unset xlabel\n", plot->to);
    panel_height(plot, plot->inspection->rows.row[0].kl);
    fprintf(plot->to, "set boxwidth %s\nset style fill solid\n", many ? "1" : "0.8");
    if (plot->terminal)
        plot_rows(plot, 2, boxes ? "with boxes linetype 1" : "with impulses linetype 1",
                  boxes ? "with boxes linetype 2" : "with impulses linetype 2");
    else
        plot_rows(plot, 2, "with boxes linecolor rgb '" ACTIVE_COLOUR "'",
                  "with boxes linecolor rgb '" COLLAPSED_COLOUR "'");
}

void panel_variances(const struct plot *plot, const struct place *place)
{
    const bool many = plot->inspection->rows.count > BOXED_ROWS;
    char active[128], collapsed[128], title[64];
    double low = 0, high = 0;
    find_variances(plot->inspection, &low, &high);
    snprintf(title, sizeof title, "Var[%s] over the batch%s", plot->terminal ? "mu" : "μ",
             plot->inspection->axes.per_channel ? ", mean of the positions" : "");
    panel_begin(plot, place, title);
    shade_collapsed(plot);
    put_row_axis(plot);
    fprintf(plot->to, "set logscale y\nset format y '%%g'\nset yrange [%g:%g]\n", low, high);
    snprintf(active, sizeof active,
             "with points pointtype 7 pointsize %g linecolor rgb '" ACTIVE_COLOUR "'",
             plot->point * (many ? 0.4 : 1));
    snprintf(collapsed, sizeof collapsed,
             "with points pointtype 6 pointsize %g linewidth 2 linecolor rgb '" COLLAPSED_COLOUR
             "'",
             plot->point * (many ? 0.4 : 1));
    if (plot->terminal)
        plot_rows(plot, 3, "with points pointtype 1", "with points pointtype 3");
    else
        plot_rows(plot, 3, active, collapsed);
}
