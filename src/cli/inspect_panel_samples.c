#include "inspect_panels.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Two of the colours of Okabe and Ito 2008. */
#define OUTLIER_COLOUR "#D55E00"
#define SAMPLES_COLOUR "#56B4E9"

/* The middle of each bin, and how many samples it holds. */
static void put_histogram(const struct plot *plot)
{
    const struct inspect_samples *s = &plot->inspection->samples;
    fputs("$bins << END\n", plot->to);
    for (unsigned i = 0; i < s->bins; i++)
        fprintf(plot->to, "%.9g %" PRIu64 "\n",
                (inspect_samples_edge(s, i) + inspect_samples_edge(s, i + 1)) / 2, s->bin[i]);
    fputs("END\n$outliers << END\n", plot->to);
    for (uint64_t i = 0; i < s->outliers; i++)
        if (s->outlier[i].kl >= s->low && s->outlier[i].kl <= s->high)
            fprintf(plot->to, "%.9g\n", s->outlier[i].kl);
    fputs("END\n", plot->to);
}

/* Below the axis: which samples are outliers, as many as there is room for, and what lies outside
 * the picture. */
static void put_outliers(const struct plot *plot)
{
    const struct inspect_samples *s = &plot->inspection->samples;
    char text[128] = "beyond the fence: sample ";
    size_t used = strlen(text);
    const size_t room = plot->terminal ? (size_t)plot->columns - 18 : 42;
    uint64_t named = 0;
    for (; named < s->outliers && used + 5 < room; named++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%" PRIu64,
                                 named > 0 ? ", " : "", s->outlier[named].index);
    if (s->outliers > named)
        snprintf(text + used, sizeof text - used, " and %" PRIu64 " more", s->outliers - named);
    fprintf(plot->to, "set ylabel 'samples'\nset xlabel \"nats%s%s", named > 0 ? "\\n" : "",
            named > 0 ? text : "");
    if (s->below + s->above > 0)
        fprintf(plot->to, "\\nnot shown: %" PRIu64 " below, %" PRIu64 " above, up to %.4g",
                s->below, s->above, s->sorted[s->count - 1].kl);
    fputs("\"\n", plot->to);
}

static void put_fence(const struct plot *plot, double at)
{
    const struct inspect_samples *s = &plot->inspection->samples;
    if (at >= s->low && at <= s->high && s->low < s->high)
        fprintf(plot->to,
                "set arrow from first %.9g, graph 0 to first %.9g, graph 1 nohead "
                "dashtype 2 linewidth 1.5\n",
                at, at);
}

void panel_samples(const struct plot *plot, const struct place *place)
{
    const struct inspect_samples *s = &plot->inspection->samples;
    const double range = s->high - s->low;
    const double width = range > 0 ? range / s->bins : s->low > 0 ? s->low / 10 : 1;
    uint64_t most = 0;
    for (unsigned i = 0; i < s->bins; i++)
        most = s->bin[i] > most ? s->bin[i] : most;
    panel_begin(plot, place, "KL per sample, nats");
    put_histogram(plot);
    put_outliers(plot);
    panel_height(plot, (double)most);
    put_fence(plot, s->low_fence);
    put_fence(plot, s->high_fence);
    fprintf(plot->to,
            "set xrange [%.9g:%.9g]\nset xtics %.9g\nset ytics %g\nset format x '%%g'\nset "
            "boxwidth %.9g\n"
            "set style fill solid border rgb 'white'\n"
            "plot $bins using 1:2 with boxes fillcolor rgb '" SAMPLES_COLOUR "' notitle",
            s->low - width, s->high + width, panel_step(s->high - s->low + 2 * width, 6),
            fmax(1, panel_step((double)most, 8)), width);
    if (s->outliers > 0)
        fprintf(plot->to,
                ", $outliers using 1:(0) with points pointtype 9 pointsize %g linecolor rgb "
                "'" OUTLIER_COLOUR "' title 'outliers: %" PRIu64 "'",
                plot->point, s->outliers);
    fputc('\n', plot->to);
}
