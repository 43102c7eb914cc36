#include "blocks.h"
#include "inspect_report.h"

#include <inttypes.h>
#include <math.h>

enum {
    NUMBERS_WIDE = 7,  /* a map up to this many columns wide, and */
    NUMBERS_HIGH = 16, /* this many lines high, is printed in numbers */
    CELLS = 38,        /* of a larger one in either direction, two columns each */
    PROFILE_LINES = 40
};

static const char shades[] = " .:-=+*#%@";

/* A map whose cells are averages over `step` x `step` positions. */
struct map {
    const double *value;
    uint64_t height, width;
    uint64_t step;
    double low, high; /* of the cells */
};

/* The average over the positions of a cell, of which there may be fewer at the edges. */
static double cell(const struct map *map, uint64_t y, uint64_t x)
{
    double sum = 0;
    uint64_t count = 0;
    for (uint64_t v = y * map->step; v < (y + 1) * map->step && v < map->height; v++) {
        for (uint64_t u = x * map->step; u < (x + 1) * map->step && u < map->width; u++) {
            sum += map->value[v * map->width + u];
            count++;
        }
    }
    return sum / (double)count;
}

static uint64_t cells(uint64_t positions, uint64_t step)
{
    return (positions + step - 1) / step;
}

static void find_range(struct map *map)
{
    map->low = INFINITY;
    map->high = -INFINITY;
    for (uint64_t y = 0; y < cells(map->height, map->step); y++) {
        for (uint64_t x = 0; x < cells(map->width, map->step); x++) {
            map->low = fmin(map->low, cell(map, y, x));
            map->high = fmax(map->high, cell(map, y, x));
        }
    }
}

static void print_numbers(FILE *to, const struct map *map)
{
    for (uint64_t y = 0; y < map->height; y++) {
        for (uint64_t x = 0; x < map->width; x++)
            fprintf(to, "  %*s", BLOCKS_VALUE, blocks_value(cell(map, y, x)).text);
        fputc('\n', to);
    }
}

static char shade(const struct map *map, double value)
{
    const int last = (int)sizeof shades - 2;
    const double share = map->high > map->low ? (value - map->low) / (map->high - map->low) : 0;
    return shades[isfinite(share) ? (int)(share * last + 0.5) : last];
}

static void print_shades(FILE *to, const struct map *map)
{
    for (uint64_t y = 0; y < cells(map->height, map->step); y++) {
        fputs("  ", to);
        for (uint64_t x = 0; x < cells(map->width, map->step); x++) {
            const char c = shade(map, cell(map, y, x));
            fputc(c, to);
            fputc(c, to);
        }
        fputc('\n', to);
    }
    fprintf(to, "  \"%s\" from %s to %s", shades, blocks_value(map->low).text,
            blocks_value(map->high).text);
    if (map->step > 1)
        fprintf(to, "; each cell is the mean of %" PRIu64 " x %" PRIu64 " positions", map->step,
                map->step);
    fputc('\n', to);
}

/* A bar for each position, or for each few. */
static void print_profile(FILE *to, const double *value, uint64_t count)
{
    const uint64_t step = cells(count, PROFILE_LINES);
    struct map map = {.value = value, .height = 1, .width = count, .step = step};
    const bool utf8 = blocks_utf8();
    find_range(&map);
    for (uint64_t i = 0; i < cells(count, step); i++) {
        const uint64_t end = (i + 1) * step < count ? (i + 1) * step : count;
        char range[48];
        snprintf(range, sizeof range, end - i * step > 1 ? "%" PRIu64 "-%" PRIu64 : "%" PRIu64,
                 i * step, end - 1);
        fprintf(to, "  %15s  %*s  ", range, BLOCKS_VALUE, blocks_value(cell(&map, 0, i)).text);
        blocks_draw(to, map.high > 0 ? cell(&map, 0, i) / map.high : 0, 48, utf8);
        fputc('\n', to);
    }
}

void inspect_report_positions(FILE *to, const struct inspection *inspection)
{
    const struct kl_kept *kept = &inspection->axes.positions;
    if (inspection->position == NULL)
        return;
    fprintf(to, "\n%s: nats at each position, the mean over the samples\n",
            kl_kept_names(kept, 0).text);
    if (kept->rank == 1) {
        print_profile(to, inspection->position, inspection->position_count);
        return;
    }
    struct map map = {
        .value = inspection->position, .height = kept->shape[0], .width = kept->shape[1]};
    if (map.width <= NUMBERS_WIDE && map.height <= NUMBERS_HIGH) {
        map.step = 1;
        print_numbers(to, &map);
        return;
    }
    map.step = cells(map.width > map.height ? map.width : map.height, CELLS);
    find_range(&map);
    print_shades(to, &map);
}
