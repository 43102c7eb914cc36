/* list_builds FOLDER: writes the kernels as one self-contained file into FOLDER and prints, for
 * gpucheck.py, the builds in which a GPU gets them: the options come from the library's own
 * schedule.
 */
#include "core/schedule.h"
#include "opencl/sources.h"

#include <stdio.h>
#include <string.h>

/* A GPU as most are: the schedule needs no more of it. */
static const struct clkl_facts gpu = {.style = CLKL_STYLE_GPU,
                                      .native_width = 1,
                                      .compute_units = 64,
                                      .max_work_group = 1024,
                                      .local_memory = 32768};

struct wish {
    const char *name;
    clkl_form p, q;
    uint32_t split_axis; /* of packed moments; the last one makes rows gathered */
    clkl_clamp clamp;
    uint32_t outputs;
    const char *marks; /* what this build is allowed beside the usual limits; see README.md */
};

/* AMD's compilers for gfx9 hold so many of the two-word logarithm's constants and terms in
 * registers that fewer waves fit; holding them to 64 registers made them spill, and cutting the
 * loop in two changed nothing. gfx10 and later take the constants as literals and are not
 * concerned. */
#define TWO_WORD_LOGARITHM "clkl_diagonal:waves=5,clkl_diagonal:waves-gfx906=3"

static const struct wish wishes[] = {
    {"moments", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 1, CLKL_NO_CLAMP, 0, ""},
    {"moments-clamp", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 1, CLKL_CLAMP, CLKL_OUTPUT_CLAMP_COUNTS,
     ""},
    {"moments-last", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 3, CLKL_NO_CLAMP, 0, ""},
    {"logstd", CLKL_MEAN_LOGSTD, CLKL_STANDARD_NORMAL, 1, CLKL_NO_CLAMP, 0, ""},
    {"var", CLKL_MEAN_VAR, CLKL_STANDARD_NORMAL, 1, CLKL_NO_CLAMP, 0, ""},
    {"std", CLKL_MEAN_STD, CLKL_STANDARD_NORMAL, 1, CLKL_NO_CLAMP, 0, ""},
    {"standard-logvar", CLKL_STANDARD_NORMAL, CLKL_MEAN_LOGVAR, 1, CLKL_NO_CLAMP, 0, ""},
    {"moments-moments", CLKL_MOMENTS, CLKL_MOMENTS, 1, CLKL_CLAMP, CLKL_OUTPUT_CLAMP_COUNTS, ""},
    {"moments-moments-last", CLKL_MOMENTS, CLKL_MOMENTS, 3, CLKL_NO_CLAMP, 0, ""},
    {"var-var", CLKL_MEAN_VAR, CLKL_MEAN_VAR, 1, CLKL_NO_CLAMP, 0, ""},
    {"std-std", CLKL_MEAN_STD, CLKL_MEAN_STD, 1, CLKL_NO_CLAMP, 0, ""},
    {"std-logvar", CLKL_MEAN_STD, CLKL_MEAN_LOGVAR, 1, CLKL_NO_CLAMP, 0, TWO_WORD_LOGARITHM},
    {"logstd-var", CLKL_MEAN_LOGSTD, CLKL_MEAN_VAR, 1, CLKL_NO_CLAMP, 0, TWO_WORD_LOGARITHM},
};

static clkl_spec spec_of(const struct wish *wish)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 4, .shape = {64, 16, 128, 128}};
    spec.p.form = wish->p;
    spec.q.form = wish->q;
    spec.p.split_axis = spec.q.split_axis = wish->split_axis;
    spec.clamp = wish->clamp;
    spec.clamp_low = -30.0;
    spec.clamp_high = 20.0;
    spec.outputs = wish->outputs;
    return spec;
}

static void print_build(const char *name, const struct clkl_variant *variant, const char *marks,
                        const char *more_marks)
{
    char options[CLKL_OPTIONS_SIZE];
    clkl_variant_options(variant, options);
    printf("%s%s\tclkl.cl\t%s\t%s%s\n", name, variant->aligned ? "-aligned" : "", options, marks,
           more_marks);
}

static int print_builds(const struct wish *wish)
{
    static const struct clkl_tuning automatic;
    const clkl_spec spec = spec_of(wish);
    struct clkl_problem problem;
    struct clkl_rows rows;
    struct clkl_variant variant;
    if (clkl_problem_make(&spec, &problem, NULL) != CLKL_OK)
        return 1;
    clkl_rows_make(&problem, &rows);
    clkl_variant_make(&problem, &rows, &gpu, &automatic, &variant);
    print_build(wish->name, &variant, wish->marks, "");
    if (variant.p_gather || variant.q_gather || !clkl_variant_can_align(&variant, &rows, &gpu))
        return 0;
    variant.aligned = true;
    print_build(wish->name, &variant, wish->marks, " clkl_diagonal:vector-loads");
    return 0;
}

static int write_source(const char *folder)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/clkl.cl", folder) >= (int)sizeof path)
        return 1;
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return 1;
    for (const struct clkl_source *source = clkl_sources; source->name != NULL; ++source)
        fwrite(source->text, 1, source->size, file);
    return fclose(file) != 0;
}

int main(int argc, char **argv)
{
    if (argc != 2 || write_source(argv[1]) != 0) {
        fprintf(stderr, "usage: list_builds FOLDER, which must be writable\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; ++i)
        if (print_builds(&wishes[i]) != 0)
            return 2;
    return 0;
}
