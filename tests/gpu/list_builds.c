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
    uint32_t split_axis; /* of packed moments; the last one cuts rows into runs */
    clkl_clamp clamp;
    uint32_t outputs;
    const char *marks;    /* what this build is allowed beside the usual limits; see README.md */
    uint32_t keep;        /* axes, as clkl_spec.keep */
    clkl_layout q_layout; /* strides are 0: a prior of one value */
};

/* AMD's compilers for gfx9 hold so many of the two-word logarithm's constants and terms in
 * registers that fewer waves fit; holding them to 64 registers made them spill, and cutting the
 * loop in two changed nothing. gfx10 and later take the constants as literals and are not
 * concerned. */
#define TWO_WORD_LOGARITHM "clkl_diagonal:waves=5,clkl_diagonal:waves-gfx906=3"

/* Short for those without a clamp, without counts and without marks. */
#define PLAIN 1, CLKL_NO_CLAMP, 0, ""

enum { KEEP_0 = 1, KEEP_1 = 2, KEEP_2 = 4, KEEP_3 = 8, KEEP_ALL = 15 };

static const struct wish wishes[] = {
    {"moments", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 1, CLKL_NO_CLAMP, 0, "", KEEP_0, CLKL_DENSE},
    {"moments-clamp", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 1, CLKL_CLAMP, CLKL_OUTPUT_CLAMP_COUNTS,
     "", KEEP_0, CLKL_DENSE},
    {"moments-last", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 3, CLKL_NO_CLAMP, 0, "", KEEP_0,
     CLKL_DENSE},
    {"logstd", CLKL_MEAN_LOGSTD, CLKL_STANDARD_NORMAL, 1, CLKL_NO_CLAMP, 0, "", KEEP_0, CLKL_DENSE},
    {"var", CLKL_MEAN_VAR, CLKL_STANDARD_NORMAL, 1, CLKL_NO_CLAMP, 0, "", KEEP_0, CLKL_DENSE},
    {"std", CLKL_MEAN_STD, CLKL_STANDARD_NORMAL, 1, CLKL_NO_CLAMP, 0, "", KEEP_0, CLKL_DENSE},
    {"standard-logvar", CLKL_STANDARD_NORMAL, CLKL_MEAN_LOGVAR, 1, CLKL_NO_CLAMP, 0, "", KEEP_0,
     CLKL_DENSE},
    {"moments-moments", CLKL_MOMENTS, CLKL_MOMENTS, 1, CLKL_CLAMP, CLKL_OUTPUT_CLAMP_COUNTS, "",
     KEEP_0, CLKL_DENSE},
    {"moments-moments-last", CLKL_MOMENTS, CLKL_MOMENTS, 3, CLKL_NO_CLAMP, 0, "", KEEP_0,
     CLKL_DENSE},
    {"var-var", CLKL_MEAN_VAR, CLKL_MEAN_VAR, 1, CLKL_NO_CLAMP, 0, "", KEEP_0, CLKL_DENSE},
    {"std-std", CLKL_MEAN_STD, CLKL_MEAN_STD, 1, CLKL_NO_CLAMP, 0, "", KEEP_0, CLKL_DENSE},
    {"std-logvar", CLKL_MEAN_STD, CLKL_MEAN_LOGVAR, 1, CLKL_NO_CLAMP, 0, TWO_WORD_LOGARITHM, KEEP_0,
     CLKL_DENSE},
    {"logstd-var", CLKL_MEAN_LOGSTD, CLKL_MEAN_VAR, 1, CLKL_NO_CLAMP, 0, TWO_WORD_LOGARITHM, KEEP_0,
     CLKL_DENSE},
    /* rows: several kept axes, runs, and lanes that are read one by one */
    {"moments-keep-01", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, PLAIN, KEEP_0 | KEEP_1, CLKL_DENSE},
    {"moments-keep-1", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, PLAIN, KEEP_1, CLKL_DENSE},
    {"moments-keep-02", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, PLAIN, KEEP_0 | KEEP_2, CLKL_DENSE},
    {"std-std-keep-1", CLKL_MEAN_STD, CLKL_MEAN_STD, PLAIN, KEEP_1, CLKL_SHARED},
    {"moments-logvar-prior", CLKL_MOMENTS, CLKL_MEAN_LOGVAR, PLAIN, KEEP_0, CLKL_STRIDED},
    /* columns: over the batch, over channels, over nothing; keep-2 has values of several rows */
    {"moments-keep-123", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 1, CLKL_CLAMP,
     CLKL_OUTPUT_CLAMP_COUNTS, "", KEEP_1 | KEEP_2 | KEEP_3, CLKL_DENSE},
    {"std-std-keep-123", CLKL_MEAN_STD, CLKL_MEAN_STD, PLAIN, KEEP_1 | KEEP_2 | KEEP_3, CLKL_DENSE},
    {"moments-keep-023", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, PLAIN, KEEP_0 | KEEP_2 | KEEP_3,
     CLKL_DENSE},
    {"moments-keep-3", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, PLAIN, KEEP_3, CLKL_DENSE},
    {"moments-keep-2", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, PLAIN, KEEP_2, CLKL_DENSE},
    {"moments-keep-all", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, PLAIN, KEEP_ALL, CLKL_DENSE},
    {"moments-moments-shared-keep-123", CLKL_MOMENTS, CLKL_MOMENTS, PLAIN, KEEP_1 | KEEP_2 | KEEP_3,
     CLKL_SHARED},
    {"std-logvar-shared-keep-123", CLKL_MEAN_STD, CLKL_MEAN_LOGVAR, 1, CLKL_NO_CLAMP, 0,
     "clkl_diagonal:waves=6", KEEP_1 | KEEP_2 | KEEP_3, CLKL_SHARED},
    {"moments-moments-shared-keep-all", CLKL_MOMENTS, CLKL_MOMENTS, PLAIN, KEEP_ALL, CLKL_SHARED},
};

static clkl_spec spec_of(const struct wish *wish)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 4, .shape = {64, 12, 128, 128}};
    spec.p.form = wish->p;
    spec.q.form = wish->q;
    spec.p.split_axis = spec.q.split_axis = wish->split_axis;
    spec.clamp = wish->clamp;
    spec.clamp_low = -30.0;
    spec.clamp_high = 20.0;
    spec.outputs = wish->outputs;
    spec.keep = wish->keep;
    spec.q.layout = wish->q_layout;
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
    if (!clkl_variant_can_align(&variant, &rows, &gpu))
        return 0;
    variant.aligned = true;
    const bool straight = variant.p_reach != CLKL_SCATTERED && variant.q_reach != CLKL_SCATTERED;
    print_build(wish->name, &variant, wish->marks, straight ? " clkl_diagonal:vector-loads" : "");
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
