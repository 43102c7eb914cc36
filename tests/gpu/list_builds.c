/* list_builds FOLDER: writes the kernels into FOLDER, a self-contained file per program, and
 * prints, for gpucheck.py, the builds in which a GPU gets them: the options come from the library's
 * own schedule.
 */
#include "core/covariance_schedule.h"
#include "core/dtype.h"
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

/* Doubles take two registers each. AMD's compilers for gfx9 hold their constants, too, in
 * registers. */
#define DOUBLES "fp64,clkl_diagonal:waves=4,clkl_diagonal:waves-gfx906=3"

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

/* The same from other element types; zero means fp32. */
struct typed_wish {
    struct wish wish;
    clkl_dtype p, q, compute;
};

static const struct typed_wish typed_wishes[] = {
    {{"moments-f16", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, PLAIN, KEEP_0, CLKL_DENSE},
     CLKL_F16,
     CLKL_F32,
     CLKL_F32},
    {{"moments-bf16", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 1, CLKL_CLAMP, CLKL_OUTPUT_CLAMP_COUNTS,
      "", KEEP_0, CLKL_DENSE},
     CLKL_BF16,
     CLKL_F32,
     CLKL_F32},
    {{"moments-f16-moments-bf16", CLKL_MOMENTS, CLKL_MOMENTS, PLAIN, KEEP_0, CLKL_DENSE},
     CLKL_F16,
     CLKL_BF16,
     CLKL_F32},
    {{"std-f16-std-f32", CLKL_MEAN_STD, CLKL_MEAN_STD, 1, CLKL_NO_CLAMP, 0,
      "clkl_diagonal:waves-gfx906=3", KEEP_0, CLKL_DENSE},
     CLKL_F16,
     CLKL_F32,
     CLKL_F32},
    {{"moments-f16-keep-123", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, PLAIN, KEEP_1 | KEEP_2 | KEEP_3,
      CLKL_DENSE},
     CLKL_F16,
     CLKL_F32,
     CLKL_F32},
    {{"moments-f64", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 1, CLKL_CLAMP, CLKL_OUTPUT_CLAMP_COUNTS,
      DOUBLES, KEEP_0, CLKL_DENSE},
     CLKL_F64,
     CLKL_F32,
     CLKL_F64},
    {{"moments-moments-f64", CLKL_MOMENTS, CLKL_MOMENTS, 1, CLKL_NO_CLAMP, 0, DOUBLES, KEEP_0,
      CLKL_DENSE},
     CLKL_F64,
     CLKL_F64,
     CLKL_F64},
    {{"std-std-f64", CLKL_MEAN_STD, CLKL_MEAN_STD, 1, CLKL_NO_CLAMP, 0, DOUBLES, KEEP_0,
      CLKL_DENSE},
     CLKL_F64,
     CLKL_F64,
     CLKL_F64},
    {{"std-logvar-f64", CLKL_MEAN_STD, CLKL_MEAN_LOGVAR, 1, CLKL_NO_CLAMP, 0, DOUBLES, KEEP_0,
      CLKL_DENSE},
     CLKL_F64,
     CLKL_F64,
     CLKL_F64},
    {{"moments-f64-keep-123", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 1, CLKL_NO_CLAMP, 0, DOUBLES,
      KEEP_1 | KEEP_2 | KEEP_3, CLKL_DENSE},
     CLKL_F64,
     CLKL_F32,
     CLKL_F64},
    {{"moments-f32-compute-f64", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 1, CLKL_NO_CLAMP, 0, DOUBLES,
      KEEP_0, CLKL_DENSE},
     CLKL_F32,
     CLKL_F32,
     CLKL_F64},
};

/* Between two standard deviations, values and gradients at once take a few registers more. */
#define TWO_INVERSES "clkl_diagonal:registers=72,clkl_diagonal:waves=7,clkl_diagonal:waves-gfx906=3"

/* The same with gradients, weights or both. */
struct training_wish {
    struct wish wish;
    uint32_t gradients;
    clkl_weighting weighting;
    clkl_dtype gradient_dtype;
    double free_nats;
};

enum { OF_P = 3, OF_Q = 12, OF_BOTH = 15 };

/* Short for no gradients in a type of their own, and no free bits. */
#define NOTHING_ELSE CLKL_F32, 0.0

static const struct training_wish training_wishes[] = {
    {{"gradient-moments", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, PLAIN, KEEP_0, CLKL_DENSE},
     OF_P,
     CLKL_NO_WEIGHTS,
     NOTHING_ELSE},
    {{"gradient-moments-f16-keep-1", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 1, CLKL_CLAMP, 0, "",
      KEEP_1, CLKL_DENSE},
     OF_P,
     CLKL_NO_WEIGHTS,
     CLKL_F16,
     0.0},
    {{"gradient-moments-moments", CLKL_MOMENTS, CLKL_MOMENTS, PLAIN, KEEP_0, CLKL_DENSE},
     OF_BOTH,
     CLKL_NO_WEIGHTS,
     NOTHING_ELSE},
    {{"gradient-logvar-shared", CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGVAR, PLAIN, KEEP_0, CLKL_SHARED},
     OF_BOTH,
     CLKL_NO_WEIGHTS,
     NOTHING_ELSE},
    {{"gradient-std-prior", CLKL_MEAN_STD, CLKL_MEAN_STD, 1, CLKL_NO_CLAMP, 0, TWO_INVERSES, KEEP_0,
      CLKL_STRIDED},
     OF_BOTH,
     CLKL_NO_WEIGHTS,
     NOTHING_ELSE},
    {{"gradient-free-bits", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, 1, CLKL_NO_CLAMP,
      CLKL_OUTPUT_NO_RESULT, "", KEEP_0, CLKL_DENSE},
     OF_P,
     CLKL_NO_WEIGHTS,
     CLKL_F32,
     1.0},
    {{"gradient-masked", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, PLAIN, KEEP_0, CLKL_DENSE},
     OF_P,
     CLKL_MASK,
     NOTHING_ELSE},
    {{"gradient-keep-123", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, PLAIN, KEEP_1 | KEEP_2 | KEEP_3,
      CLKL_DENSE},
     OF_P,
     CLKL_NO_WEIGHTS,
     NOTHING_ELSE},
    {{"masked-moments", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, PLAIN, KEEP_0, CLKL_DENSE},
     0,
     CLKL_MASK,
     NOTHING_ELSE},
    {{"weighted-moments-moments", CLKL_MOMENTS, CLKL_MOMENTS, PLAIN, KEEP_0, CLKL_DENSE},
     0,
     CLKL_WEIGHTS,
     NOTHING_ELSE},
    {{"lengths-moments", CLKL_MOMENTS, CLKL_STANDARD_NORMAL, PLAIN, KEEP_0, CLKL_DENSE},
     0,
     CLKL_LENGTHS,
     NOTHING_ELSE},
};

static clkl_spec spec_of(const struct wish *wish, const struct typed_wish *types)
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
    if (types != NULL) {
        spec.p.dtype = types->p;
        spec.q.dtype = types->q;
        spec.compute = types->compute;
    }
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

/* Whether every vector is a load of 16 bytes. Of 16-bit elements on both sides there are 4 in a
 * vector, lest there be too few registers for 8. */
static bool is_wide(const struct clkl_variant *variant)
{
    const size_t p = variant->vector_width * clkl_dtype_size(variant->p_type);
    const size_t q = variant->vector_width * clkl_dtype_size(variant->q_type);
    return variant->p_reach != CLKL_SCATTERED && variant->q_reach != CLKL_SCATTERED &&
           (!variant->weighted || variant->weight_reach == CLKL_CONTIGUOUS) &&
           (variant->p_scale == CLKL_SCALE_UNIT || p >= 16) &&
           (variant->q_scale == CLKL_SCALE_UNIT || q >= 16);
}

/* The builds of a pass: the usual one, and that of aligned pointers. */
static void print_pass(const char *name, const char *marks, const struct clkl_pass *pass)
{
    static const struct clkl_tuning automatic;
    struct clkl_rows rows;
    struct clkl_variant variant;
    clkl_rows_make(&pass->problem, &rows);
    clkl_variant_make(pass, &rows, &gpu, &automatic, &variant);
    print_build(name, &variant, marks, "");
    if (!clkl_variant_can_align(&variant, &rows, &gpu))
        return;
    variant.aligned = true;
    print_build(name, &variant, marks, is_wide(&variant) ? " clkl_diagonal:vector-loads" : "");
}

/* The builds of every pass. */
static int print_passes(const struct wish *wish, const clkl_spec *spec)
{
    struct clkl_problem problem;
    struct clkl_pass passes[CLKL_MOST_PASSES];
    if (clkl_problem_make(spec, &problem, NULL) != CLKL_OK)
        return 1;
    const uint32_t count = clkl_passes_make(&problem, passes);
    for (uint32_t i = 0; i < count; ++i) {
        char name[100];
        snprintf(name, sizeof name, i == 0 ? "%s" : "%s-pass%u", wish->name, (unsigned)i + 1);
        print_pass(name, wish->marks, &passes[i]);
    }
    return 0;
}

static int print_training(const struct training_wish *training)
{
    clkl_spec spec = spec_of(&training->wish, NULL);
    spec.gradients = training->gradients;
    spec.gradient_dtype = training->gradient_dtype;
    spec.weights.kind = training->weighting;
    spec.free_nats = training->free_nats;
    return print_passes(&training->wish, &spec);
}

static int print_wish(const struct wish *wish, const struct typed_wish *types)
{
    const clkl_spec spec = spec_of(wish, types);
    return print_passes(wish, &spec);
}

/* ---- Full covariances ---- */

/* Programs, in the order of opencl/sources.h. */
static const char *const files[] = {"clkl.cl", "covariance_lanes.cl", "covariance_group.cl",
                                    "covariance_steps.cl"};

static const struct covariance_wish {
    const char *name;
    clkl_form p, q;
    clkl_dtype dtype;
    uint64_t batch, dimension;
    uint32_t keep;
    const char *marks;
} covariance_wishes[] = {
#define WAVES "waves=4"
    {"covariances", CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, CLKL_F32, 100000, 64, 1, WAVES},
    {"covariances-few-samples", CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, CLKL_F32, 1, 2048, 1,
     WAVES},
    {"covariances-of-4", CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, CLKL_F32, 100000, 4, 1, WAVES},
    {"covariance-var-of-8", CLKL_MEAN_COVARIANCE, CLKL_MEAN_VAR, CLKL_F32, 100000, 8,
     CLKL_KEEP_NONE, WAVES},
    {"factor-covariance-of-16", CLKL_MEAN_CHOLESKY, CLKL_MEAN_COVARIANCE, CLKL_F32, 100000, 16, 1,
     WAVES},
    {"factors-shares", CLKL_MEAN_CHOLESKY, CLKL_MEAN_CHOLESKY, CLKL_F32, 100000, 40, 3, WAVES},
    {"precision-covariance", CLKL_MEAN_PRECISION, CLKL_MEAN_COVARIANCE, CLKL_F32, 4, 512, 1, WAVES},
    {"covariances-fp64", CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, CLKL_F64, 100000, 64, 1,
     "fp64 registers=96 " WAVES},
};

static int print_covariance_build(const struct covariance_wish *wish)
{
    static const struct clkl_tuning automatic;
    const clkl_spec spec = {.struct_size = sizeof spec,
                            .rank = 2,
                            .shape = {wish->batch, wish->dimension},
                            .p = {.form = wish->p, .dtype = wish->dtype},
                            .q = {.form = wish->q, .dtype = wish->dtype},
                            .keep = wish->keep};
    struct clkl_problem problem;
    struct clkl_covariance_variant variant;
    char options[CLKL_OPTIONS_SIZE];
    if (clkl_problem_make(&spec, &problem, NULL) != CLKL_OK)
        return 1;
    clkl_covariance_variant_make(&problem, &gpu, &automatic, &variant);
    clkl_covariance_options(&variant, options);
    printf("%s\t%s\t%s\t%s\n", wish->name, files[CLKL_PROGRAM_COVARIANCE + (int)variant.way],
           options, wish->marks);
    return 0;
}

/* ---- The whole ---- */

static int write_source(const char *folder, int program)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", folder, files[program]) >= (int)sizeof path)
        return 1;
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return 1;
    for (const struct clkl_source *source = clkl_sources; source->name != NULL; ++source)
        if (clkl_source_is_of(source, program))
            fwrite(source->text, 1, source->size, file);
    return fclose(file) != 0;
}

int main(int argc, char **argv)
{
    bool written = argc == 2;
    for (int i = 0; i < (int)(sizeof files / sizeof files[0]); ++i)
        written = written && write_source(argv[1], i) == 0;
    if (!written) {
        fprintf(stderr, "usage: list_builds FOLDER, which must be writable\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof wishes / sizeof wishes[0]; ++i)
        if (print_wish(&wishes[i], NULL) != 0)
            return 2;
    for (size_t i = 0; i < sizeof typed_wishes / sizeof typed_wishes[0]; ++i)
        if (print_wish(&typed_wishes[i].wish, &typed_wishes[i]) != 0)
            return 2;
    for (size_t i = 0; i < sizeof training_wishes / sizeof training_wishes[0]; ++i)
        if (print_training(&training_wishes[i]) != 0)
            return 2;
    for (size_t i = 0; i < sizeof covariance_wishes / sizeof covariance_wishes[0]; ++i)
        if (print_covariance_build(&covariance_wishes[i]) != 0)
            return 2;
    return 0;
}
