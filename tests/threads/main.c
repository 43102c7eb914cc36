/* many_threads SCENARIO [ROUNDS]: exits 0 if the scenario went as it must. */
#include "threads.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    void (*run)(const struct scene *scene);
    int rounds;
} scenarios[] = {
    {"plans", run_plans, 40},    {"creation", run_creation, 6}, {"lifetimes", run_lifetimes, 6},
    {"engines", run_engines, 4}, {"blobs", run_blobs, 4},       {"sizes", run_sizes, 4},
};

int main(int argc, char **argv)
{
    for (size_t i = 0; argc > 1 && i < sizeof scenarios / sizeof *scenarios; ++i) {
        if (strcmp(argv[1], scenarios[i].name) != 0)
            continue;
        struct scene scene = {.rounds = argc > 2 ? atoi(argv[2]) : scenarios[i].rounds};
        EXPECT(scene.rounds > 0);
        scene_open(&scene);
        scenarios[i].run(&scene);
        scene_close(&scene);
        printf("%s: as it must be, %d rounds\n", argv[1], scene.rounds);
        return 0;
    }
    fprintf(stderr, "usage: many_threads plans|creation|lifetimes|engines|blobs|sizes [rounds]\n");
    return 2;
}
