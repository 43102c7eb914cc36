/* Every way of dealing out rows: vector width, tile, size of work-groups and teams, chunks and
 * rounds, over lengths around all of them, against the reference. Clamp counts and negative scales
 * are looked at as well: they take the same ways as the sums. */
#include "support/device_fixture.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(device_geometry, .init = open_device, .fini = close_device, .timeout = 300);

/* ---- What is computed ---- */

static const uint64_t lengths[] = {1,  2,  3,   15,  16,  17,  31,   32,   33,   63,
                                   64, 65, 100, 255, 256, 257, 1000, 1023, 4097, 20000};
enum { LENGTHS = sizeof lengths / sizeof *lengths };

/* Numbers of neighbouring rows around strips of vectors and work-groups. */
static const uint64_t widths[] = {2, 3, 17, 31, 64, 257, 1100};
enum { WIDTHS = sizeof widths / sizeof *widths };

/* Rows of one length, or columns of one height, and what they sum to. */
struct subject {
    clkl_spec spec;
    float *arrays[CLKL_ARRAYS];
    struct test_inputs inputs;
    struct expected expected;
    struct outcome outcome;
};

/* Short rows are so many that they take several work-groups. */
static uint64_t rows_of(uint64_t elements)
{
    return elements <= 33 ? 77 : 3;
}

/* Few columns are so tall that they are cut. */
static uint64_t height_of(uint64_t columns)
{
    return columns <= 31 ? 1030 : 37;
}

/* A mean, or a scale of which the clamp changes some. */
static float number(clkl_form form, int operand, uint64_t place)
{
    const double x = hash_uniform(4, (uint64_t)operand, place, -3.0, 2.0);
    return (float)(operand % 2 == 1 && form == CLKL_MEAN_STD ? exp(x) : x);
}

static float *make_array(const clkl_spec *spec, int operand)
{
    const clkl_form form = operand < 2 ? spec->p.form : spec->q.form;
    const uint64_t count = spec->shape[0] * spec->shape[1];
    if (form == CLKL_STANDARD_NORMAL)
        return NULL;
    float *array = malloc(count * sizeof *array);
    cr_assert_not_null(array);
    for (uint64_t place = 0; place < count; ++place)
        array[place] = number(form, operand, place);
    return array;
}

/* A negative standard deviation in every third row or column, last, first and in the middle by
 * turns. */
static void spoil(struct subject *subject)
{
    const bool columns = subject->spec.keep == 2;
    const uint64_t rows = subject->spec.shape[columns], elements = subject->spec.shape[!columns];
    const uint64_t places[] = {elements - 1, 0, elements / 2};
    for (uint64_t row = 1; row < rows; row += 3) {
        const uint64_t place = places[row / 3 % 3];
        float *scale =
            &subject->arrays[CLKL_P_SCALE][columns ? place * rows + row : row * elements + place];
        *scale = -*scale;
    }
}

static struct subject make_subject(clkl_form p, clkl_form q, uint64_t height, uint64_t width,
                                   uint32_t keep)
{
    struct subject subject = {.spec = {.struct_size = sizeof subject.spec, .rank = 2}};
    clkl_spec *spec = &subject.spec;
    spec->shape[0] = height;
    spec->shape[1] = width;
    spec->keep = keep;
    spec->p.form = p;
    spec->q.form = q;
    spec->outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    spec->clamp = CLKL_CLAMP;
    spec->clamp_low = -2.0;
    spec->clamp_high = 1.5;
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        subject.arrays[operand] = make_array(spec, operand);
    if (p == CLKL_MEAN_STD)
        spoil(&subject);
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        subject.inputs.arrays[operand] = subject.arrays[operand];
    expected_make(spec, &subject.inputs, 0, &subject.expected);
    subject.outcome = outcome_make(&subject.expected);
    return subject;
}

static void free_subject(struct subject *subject)
{
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        free(subject->arrays[operand]);
    expected_free(&subject->expected);
    outcome_free(&subject->outcome);
}

/* One pair of kinds at every length, or every width. */
struct subjects {
    int count;
    struct subject of[LENGTHS];
};

static void make_subjects(struct subjects *subjects, clkl_form p, clkl_form q)
{
    subjects->count = LENGTHS;
    for (int i = 0; i < LENGTHS; ++i)
        subjects->of[i] = make_subject(p, q, rows_of(lengths[i]), lengths[i], 1);
}

static void make_columns(struct subjects *subjects, clkl_form p, clkl_form q)
{
    subjects->count = WIDTHS;
    for (int i = 0; i < WIDTHS; ++i)
        subjects->of[i] = make_subject(p, q, height_of(widths[i]), widths[i], 2);
}

static void free_subjects(struct subjects *subjects)
{
    for (int i = 0; i < subjects->count; ++i)
        free_subject(&subjects->of[i]);
}

/* ---- Ways ---- */

static void check(struct subject *subject, const struct clkl_tuning *tuning)
{
    outcome_run(&subject->outcome, &device, &subject->spec, tuning, &subject->inputs, 0);
    expect_agreement(
        &subject->expected, &subject->outcome, &tolerance,
        "%s of [%llu,%llu], vectors of %u, tiles of %u, work-group %u, team %u, "
        "chunks of %llu, %u rounds",
        subject->spec.keep == 2 ? "columns" : "rows", (unsigned long long)subject->spec.shape[0],
        (unsigned long long)subject->spec.shape[1], tuning->vector_width, tuning->tile,
        tuning->work_group, tuning->team, (unsigned long long)tuning->chunk, tuning->rounds);
}

/* No chunks, and all that cut the row or column. Those of a GPU's rows have to be whole vectors, as
 * the schedule makes them; elsewhere they need not. */
static void check_chunks(struct subject *subject, struct clkl_tuning tuning)
{
    const bool whole = device.device->facts.style == CLKL_STYLE_GPU;
    const uint64_t chunks[] = {0, whole ? 36 : 37, 256, 1000};
    const uint64_t elements = subject->spec.shape[subject->spec.keep == 2 ? 0 : 1];
    for (size_t i = 0; i < sizeof chunks / sizeof *chunks; ++i)
        if (chunks[i] < elements) {
            tuning.chunk = chunks[i];
            check(subject, &tuning);
        }
}

/* One program, that is one vector width, tile and work-group, in every way that it can be used. */
static void check_program(struct subjects *subjects, uint32_t width, uint32_t tile,
                          uint32_t work_group)
{
    struct clkl_tuning tuning = {.vector_width = width, .tile = tile, .work_group = work_group};
    for (int i = 0; i < subjects->count; ++i)
        for (tuning.team = 1; tuning.team <= work_group; tuning.team *= 2)
            for (tuning.rounds = 1; tuning.rounds <= (work_group == 1 ? 3 : 1); tuning.rounds += 2)
                check_chunks(&subjects->of[i], tuning);
}

static bool prefers_vectors(void)
{
    return device.device->facts.style == CLKL_STYLE_WIDE_CPU;
}

/* Compiling is dear: where vectors are not what the device is given, two programs have to do, with
 * a work-group that every implementation takes. */
static void check_few(struct subjects *subjects)
{
    check_program(subjects, 1, 4, 1);
    check_program(subjects, 1, 8, 32);
}

Test(device_geometry, one_side_given)
{
    static struct subjects subjects;
    make_subjects(&subjects, CLKL_MEAN_LOGVAR, CLKL_STANDARD_NORMAL);
    if (prefers_vectors())
        for (uint32_t width = 1; width <= 16; width *= 2) {
            check_program(&subjects, width, 8, 1);
            check_program(&subjects, width, 4, 8);
            if (width == 2 || width == 8)
                continue;
            for (uint32_t work_group = 4; work_group <= 256; work_group *= 4)
                check_program(&subjects, width, 8, work_group);
        }
    else
        check_few(&subjects);
    free_subjects(&subjects);
}

Test(device_geometry, two_sides_given)
{
    static struct subjects subjects;
    make_subjects(&subjects, CLKL_MEAN_STD, CLKL_MEAN_LOGVAR);
    if (prefers_vectors())
        for (uint32_t width = 1; width <= 16; width *= 4) {
            check_program(&subjects, width, 8, 1);
            check_program(&subjects, width, 4, 16);
        }
    else
        check_few(&subjects);
    free_subjects(&subjects);
}

/* Neighbouring rows side by side in memory: those of several work-items take one at a time. */
static void check_columns(struct subjects *subjects)
{
    if (prefers_vectors()) {
        for (uint32_t width = 1; width <= 16; width *= 4)
            check_program(subjects, width, 8, 1);
        check_program(subjects, 8, 4, 1);
        check_program(subjects, 16, 8, 8);
        check_program(subjects, 1, 4, 64);
    } else {
        check_few(subjects);
    }
}

Test(device_geometry, columns_of_one_side)
{
    static struct subjects subjects;
    make_columns(&subjects, CLKL_MEAN_LOGVAR, CLKL_STANDARD_NORMAL);
    check_columns(&subjects);
    free_subjects(&subjects);
}

Test(device_geometry, columns_of_two_sides)
{
    static struct subjects subjects;
    make_columns(&subjects, CLKL_MEAN_STD, CLKL_MEAN_LOGVAR);
    check_columns(&subjects);
    free_subjects(&subjects);
}

Test(device_geometry, columns_on_a_gpu)
{
    static struct subjects subjects;
    const bool many = prefers_vectors();
    test_device_pretend_gpu(&device);
    make_columns(&subjects, CLKL_MEAN_STD, CLKL_MEAN_LOGVAR);
    check_program(&subjects, 1, 1, 32);
    if (many)
        check_program(&subjects, 1, 1, 256);
    free_subjects(&subjects);
}

/* As on a GPU: vectors are read whole, and their lanes computed one after the other. */
Test(device_geometry, one_side_given_on_a_gpu)
{
    static struct subjects subjects;
    const bool many = prefers_vectors();
    test_device_pretend_gpu(&device);
    make_subjects(&subjects, CLKL_MEAN_LOGVAR, CLKL_STANDARD_NORMAL);
    check_program(&subjects, 4, 1, 32);
    if (many) {
        check_program(&subjects, 4, 1, 256);
        check_program(&subjects, 4, 4, 8);
        check_program(&subjects, 2, 1, 64);
        check_program(&subjects, 1, 1, 2);
    }
    free_subjects(&subjects);
}

Test(device_geometry, two_sides_given_on_a_gpu)
{
    static struct subjects subjects;
    const bool many = prefers_vectors();
    test_device_pretend_gpu(&device);
    make_subjects(&subjects, CLKL_MEAN_STD, CLKL_MEAN_LOGVAR);
    check_program(&subjects, 4, 1, 16);
    if (many)
        check_program(&subjects, 2, 1, 128);
    free_subjects(&subjects);
}

/* A work-group that the built kernel may be too large for is made smaller. */
Test(device_geometry, large_work_group)
{
    static struct subjects subjects;
    const struct clkl_tuning tuning = {.vector_width = 1, .work_group = 1024};
    make_subjects(&subjects, CLKL_MEAN_LOGVAR, CLKL_STANDARD_NORMAL);
    for (int i = 0; i < LENGTHS; ++i)
        check(&subjects.of[i], &tuning);
    free_subjects(&subjects);
}
