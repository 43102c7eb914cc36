#include "inspect_panels.h"

#include <math.h>

#define PROFILE_COLOUR "#0072B2"

/* Some of cividis (Nuñez, Anderton and Renslow 2018), which is as good in grey. */
#define MAP_COLOURS \
    "0 '#00224E', 1 '#2A3F6D', 2 '#575D6D', 3 '#7D7C78', 4 '#A69D75', 5 '#D3C164', 6 '#FEE838'"

/* A map of so many is drawn by rectangles, as viewers smooth an image that is enlarged. */
enum { DRAWN_POSITIONS = 4096 };

static void put_map(const struct plot *plot, const struct kl_kept *kept)
{
    const uint64_t width = kept->shape[kept->rank - 1];
    fputs("$map << END\n", plot->to);
    for (uint64_t i = 0; i < plot->inspection->position_count; i++) {
        panel_number(plot, plot->inspection->position[i]);
        if ((i + 1) % width == 0 || kept->rank == 1)
            fputc('\n', plot->to);
    }
    fputs("END\n", plot->to);
}

static void plot_profile(const struct plot *plot, const struct place *place,
                         const struct kl_kept *kept)
{
    panel_begin(plot, place, "KL at each position, nats");
    fprintf(plot->to,
            "set xrange [-0.6:%g]\nset yrange [0:*]\nset style fill solid\n"
            "set boxwidth 1\nset xlabel 'axis %u'\n"
            "plot $map using 0:1 with boxes linecolor rgb '" PROFILE_COLOUR "' notitle\n",
            (double)kept->shape[0] - 0.4, kept->axis[0]);
}

static void plot_map(const struct plot *plot, const struct place *place, const struct kl_kept *kept)
{
    const double height = (double)kept->shape[0], width = (double)kept->shape[1];
    panel_begin(plot, place, "KL at each position, nats");
    fprintf(plot->to,
            "unset grid\nset border 15\n"
            "set palette defined (" MAP_COLOURS ")\n"
            "set xrange [-0.5:%g]\nset yrange [%g:-0.5]\n%s"
            "set xlabel 'axis %u'\nset ylabel 'axis %u'\nset xtics 0,%g\nset ytics 0,%g\n"
            "plot $map matrix with image%s notitle\n",
            width - 0.5, height - 0.5,
            height < 5 * width && width < 5 * height ? "set size ratio -1\n" : "", kept->axis[1],
            kept->axis[0], fmax(1, panel_step(width, 8)), fmax(1, panel_step(height, 8)),
            width * height <= DRAWN_POSITIONS ? " pixels" : "");
}

void panel_positions(const struct plot *plot, const struct place *place)
{
    const struct kl_kept *kept = &plot->inspection->axes.positions;
    put_map(plot, kept);
    (kept->rank == 1 ? plot_profile : plot_map)(plot, place, kept);
}
