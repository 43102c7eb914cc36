/* Arrays of one computation by an engine, drawn for a specification; outputs have one more entry
 * than they should, with a mark in it. */
#ifndef CLKL_TESTS_ENGINE_WORK_H
#define CLKL_TESTS_ENGINE_WORK_H

#include <clkl/clkl.h>

struct work {
    clkl_spec spec;
    uint64_t batch;
    float *arrays[4]; /* p mean, p scale, q mean, q scale; NULL where there is none */
    uint64_t values;
    float *result;
    uint32_t *status;
    clkl_clamp_count *counts; /* NULL where not asked for */
};

enum { WORK_MARK = 0x5a5a5a5a };

struct work work_for(const clkl_spec *spec, uint64_t batch);
void work_free(struct work *work);

clkl_host_args work_args(const struct work *work);

/* Marks everywhere in the outputs. */
void work_clear_outputs(struct work *work);

void *work_allocated(uint64_t count, size_t size);

/* Computes; fails the test if that fails or writes beyond an output. `name` says what is tried. */
void work_run(clkl_engine *engine, struct work *work, const char *name);
void work_expect_marks(const struct work *work, const char *name);

/* Computes, and expects what the reference gives. */
void work_compare_with_reference(clkl_engine *engine, struct work *work, const char *name);

/* The reference's outputs for the same arrays, and how they are freed. */
struct work work_reference(const struct work *work);
void work_drop_reference(struct work *expected);

/* How the tests write specifications. */
#define SIZE    .struct_size = sizeof(clkl_spec)
#define CLAMPED .clamp = CLKL_CLAMP, .clamp_low = -2.0, .clamp_high = 1.5
#define COUNTED .outputs = CLKL_OUTPUT_CLAMP_COUNTS
#define NINE    .rank = 4, .shape = {9, 4, 6, 7}

#endif
