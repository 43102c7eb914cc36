#include "inspect_panels.h"

#include "gnuplot.h"

#include <math.h>

void panel_number(const struct plot *plot, double value)
{
    if (isfinite(value))
        fprintf(plot->to, " %.9g", value);
    else
        fputs(" NaN", plot->to);
}

double panel_step(double extent, int most)
{
    static const double steps[] = {1, 2, 5, 10};
    const double least = extent / most, power = pow(10, floor(log10(least)));
    unsigned i = 0;
    while (i < 3 && steps[i] * power < least)
        i++;
    return steps[i] * power;
}

void panel_height(const struct plot *plot, double largest)
{
    if (isfinite(largest) && largest > 0)
        fprintf(plot->to, "set yrange [0:%.9g]\n", largest * 1.05);
    else
        fputs("set yrange [0:1]\n", plot->to);
}

void panel_begin(const struct plot *plot, const struct place *place, const char *title)
{
    fprintf(plot->to, "reset\nset tics out nomirror\n%s",
            plot->terminal ? "set title " : "set label 1 ");
    gnuplot_put_text(plot->to, title);
    if (plot->terminal) {
        fputs("\nset key bottom outside center horizontal\n", plot->to);
        return;
    }
    fprintf(plot->to,
            " at graph 0,1 left offset 0,1.1 font ',%d'\n"
            "set border 3\n"
            "set lmargin at screen %g\nset rmargin at screen %g\n"
            "set bmargin at screen %g\nset tmargin at screen %g\n"
            "set key at graph 1,1 right bottom horizontal samplen 2.5\n"
            "set grid ytics lc rgb '#D0D0D0' lw 0.5\n",
            plot->font + 1, place->left, place->right, place->bottom, place->top);
}
