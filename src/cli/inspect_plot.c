#include "inspect_plot.h"

#include "gnuplot.h"
#include "inspect_panels.h"
#include "message.h"
#include "shape_text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
    WIDTH = 1200, /* of a file's drawing, in pixels */
    HEIGHT = 800,
    MOST_COLUMNS = 400, /* of a terminal */
    LEAST_COLUMNS = 40
};

/* ---- The whole ---- */

static int environment_number(const char *name, int otherwise)
{
    const char *text = getenv(name);
    const long number = text != NULL ? strtol(text, NULL, 10) : 0;
    return number > 0 && number < 10000 ? (int)number : otherwise;
}

static int between(int low, int number, int high)
{
    return number < low ? low : number > high ? high : number;
}

/* Standard output's, or as the environment says, or 80 x 24. */
static void find_terminal(struct plot *plot)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0 || size.ws_row == 0) {
        size.ws_col = (unsigned short)environment_number("COLUMNS", 80);
        size.ws_row = (unsigned short)environment_number("LINES", 24);
    }
    plot->columns = between(LEAST_COLUMNS, size.ws_col - 1, MOST_COLUMNS);
    plot->lines = between(12, size.ws_row - 2, 22);
}

static void set_terminal(const struct plot *plot, enum inspect_plot kind)
{
    fputs("set encoding utf8\n", plot->to);
    if (kind == INSPECT_PLOT_TERMINAL)
        fprintf(plot->to, "set terminal dumb noenhanced mono size %d,%d\n", plot->columns,
                plot->lines);
    else if (kind == INSPECT_PLOT_SVG)
        fprintf(plot->to,
                "set terminal svg noenhanced size %d,%d dynamic font 'sans,%d' "
                "background rgb 'white'\n",
                WIDTH, HEIGHT, plot->font);
    else
        fprintf(plot->to,
                "if (strstrt(GPVAL_TERMINALS, 'pngcairo') > 0) {\n"
                "set terminal pngcairo noenhanced size %d,%d font 'sans,%d' "
                "background rgb 'white'\n"
                "} else {\n"
                "set terminal png noenhanced size %d,%d background rgb 'white'\n"
                "}\n",
                WIDTH, HEIGHT, plot->font, WIDTH, HEIGHT);
}

/* The end of a long name. */
static const char *tail(const char *name)
{
    const size_t length = strlen(name), most = 80;
    if (length > most)
        for (name += length - most; ((unsigned char)*name & 0xC0) == 0x80;)
            name++;
    return name;
}

/* Text as label number `tag`, so far up in the drawing. */
static void put_line(const struct plot *plot, int tag, double height, const char *text, int font)
{
    fprintf(plot->to, "set label %d ", tag);
    gnuplot_put_text(plot->to, text);
    fprintf(plot->to, " at screen 0.02,%g left font ',%d'\n", height, font);
}

/* What was found: the divergence, and how many units are active. */
static void put_result(const struct plot *plot, double height)
{
    const struct inspection *inspection = plot->inspection;
    const struct kl_task *task = inspection->task;
    const uint64_t samples = inspection->samples.count;
    char text[512];
    const int used = snprintf(
        text, sizeof text, "KL(P || %s): mean %.4g nats over %" PRIu64 " sample%s of %s",
        inspection->options->kl.q.mean != NULL ? "Q" : "N(0, I)", inspection->samples.mean, samples,
        samples == 1 ? "" : "s", shape_text(task->spec.shape + 1, task->spec.rank - 1).text);
    if (inspection_knows_activity(inspection))
        snprintf(text + used, sizeof text - (size_t)used,
                 "; %" PRIu64 " of %" PRIu64 " units active", inspection->rows.active_units,
                 inspection->rows.known_units);
    put_line(plot, 2, height, text, plot->font);
}

/* What was left out, and what was clamped. */
static void put_notes(const struct plot *plot, double height)
{
    const struct inspection *inspection = plot->inspection;
    const struct kl_task *task = inspection->task;
    const uint64_t left_out = task->samples - inspection->samples.count;
    char text[512] = "";
    int used = 0;
    if (left_out > 0)
        used = snprintf(text, sizeof text,
                        "%" PRIu64 " of %" PRIu64 " samples left out: NaN or infinite", left_out,
                        task->samples);
    if (task->spec.clamp == CLKL_CLAMP)
        snprintf(text + used, sizeof text - (size_t)used,
                 "%s%" PRIu64 " log-variances clamped to [%g, %g]", used > 0 ? "; " : "",
                 inspection->statistics.clamped_p + inspection->statistics.clamped_q,
                 task->spec.clamp_low, task->spec.clamp_high);
    put_line(plot, 3, height, text, plot->font);
}

/* Above the panels; a plot of nothing, which shows its labels. */
static void put_heading(const struct plot *plot)
{
    fputs("set multiplot\n", plot->to);
    put_line(plot, 1, 0.967, tail(message_file(plot->inspection->options->kl.p.mean)),
             plot->font + 5);
    put_result(plot, 0.927);
    put_notes(plot, 0.9);
    fputs("unset border\nunset tics\nunset key\nset xrange [0:1]\nset yrange [0:1]\nplot 2\n",
          plot->to);
}

/* ---- All panels ---- */

void inspect_plot_write(FILE *commands, const struct inspection *inspection)
{
    static const struct place left = {0.07, 0.56, 0.12, 0.84}, left_top = {0.07, 0.56, 0.53, 0.84},
                              left_bottom = {0.07, 0.56, 0.12, 0.41},
                              right = {0.65, 0.97, 0.15, 0.84},
                              right_top = {0.65, 0.90, 0.57, 0.84},
                              right_bottom = {0.65, 0.97, 0.15, 0.41};
    struct plot plot = {.to = commands, .inspection = inspection};
    const bool known = inspection_knows_activity(inspection);
    const bool map = inspection->position != NULL;
    const bool svg = inspection->options->plot == INSPECT_PLOT_SVG;
    plot.terminal = inspection->options->plot == INSPECT_PLOT_TERMINAL;
    plot.font = svg ? 14 : 11;
    plot.point = svg ? 0.7 : 1.2;
    find_terminal(&plot);
    set_terminal(&plot, inspection->options->plot);
    if (!plot.terminal)
        put_heading(&plot);
    panel_rows_data(&plot);
    panel_divergences(&plot, known ? &left_top : &left);
    if (known)
        panel_variances(&plot, &left_bottom);
    if (map && !plot.terminal)
        panel_positions(&plot, &right_top);
    panel_samples(&plot, map ? &right_bottom : &right);
    if (!plot.terminal)
        fputs("unset multiplot\n", commands);
}
