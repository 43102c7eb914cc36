/* Gradients of clkl_reference_run, for every form, layout and way to reduce, against differences of
 * its values. */
#include "differences.h"

#include <criterion/criterion.h>

TestSuite(gradients, .timeout = 120);

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SIZE         .struct_size = sizeof(clkl_spec)
#define SMALL        SIZE, .rank = 3, .shape = {3, 4, 2}
#define PACKED       .p = {.form = CLKL_MOMENTS}
#define PAIR         .p = {.form = CLKL_MOMENTS}, .q = {.form = CLKL_MEAN_VAR}

Test(gradients, every_pair_of_forms)
{
    for (int p = CLKL_STANDARD_NORMAL; p < CLKL_DETERMINISTIC; p++)
        for (int q = CLKL_STANDARD_NORMAL; q < CLKL_DETERMINISTIC; q++) {
            const clkl_spec spec = {SMALL, .p = {.form = (clkl_form)p},
                                    .q = {.form = (clkl_form)q}};
            char name[] = "form 0 against form 0";
            name[5] = (char)('0' + p);
            name[20] = (char)('0' + q);
            if (p != CLKL_STANDARD_NORMAL || q != CLKL_STANDARD_NORMAL)
                expect_differences(&spec, name);
        }
}

static const struct {
    const char *name;
    clkl_spec spec;
} cases[] = {
    /* axes */
    {"one value", {SMALL, PAIR, .keep = CLKL_KEEP_NONE}},
    {"one sum", {SMALL, PAIR, .keep = CLKL_KEEP_NONE, .batch_reduction = CLKL_BATCH_SUM}},
    {"channels", {SMALL, PAIR, .keep = 2}},
    {"sums of channels", {SMALL, PAIR, .keep = 2, .batch_reduction = CLKL_BATCH_SUM}},
    {"units", {SMALL, PAIR, .keep = 6}},
    {"samples and positions", {SMALL, PAIR, .keep = 5}},
    {"elements", {SMALL, PAIR, .keep = 7}},
    {"nine axes",
     {SIZE, .rank = 9, .shape = {2, 1, 2, 1, 2, 1, 1, 2, 1}, PAIR, .keep = 1u << 4 | 1u << 7}},
    /* layouts */
    {"a shared Q", {SMALL, PACKED, .q = {.form = CLKL_MEAN_LOGVAR, .layout = CLKL_SHARED}}},
    {"a shared and packed Q",
     {SMALL, PACKED, .q = {.form = CLKL_MOMENTS, .split_axis = 2, .layout = CLKL_SHARED}}},
    {"a shared P, batch averaged",
     {SMALL, .p = {.form = CLKL_MEAN_STD, .layout = CLKL_SHARED}, .q = {.form = CLKL_MOMENTS},
      .keep = CLKL_KEEP_NONE}},
    {"a prior for each channel",
     {SMALL, PACKED,
      .q = {.form = CLKL_MEAN_LOGSTD,
            .layout = CLKL_STRIDED,
            .mean_strides = {0, 1, 0},
            .scale_strides = {0, 1, 0}}}},
    {"a packed prior for each channel",
     {SMALL, PACKED,
      .q = {.form = CLKL_MOMENTS, .layout = CLKL_STRIDED, .mean_strides = {0, 1, 0}}}},
    {"one prior, kept apart by position",
     {SMALL, PACKED, .keep = 4, .q = {.form = CLKL_MEAN_VAR, .layout = CLKL_STRIDED}}},
    {"mean and scale repeated differently",
     {SMALL,
      .p = {.form = CLKL_MEAN_STD,
            .layout = CLKL_STRIDED,
            .mean_strides = {8, 2, 1},
            .scale_strides = {0, 0, 1}},
      .q = {.form = CLKL_MEAN_VAR,
            .layout = CLKL_STRIDED,
            .mean_strides = {1, 0, 0},
            .scale_strides = {0, 3, 12}}}},
    {"slices",
     {SMALL, .p = {.form = CLKL_MOMENTS, .layout = CLKL_STRIDED, .mean_strides = {50, 5, 2}}}},
    {"transposed",
     {SMALL, .p = {.form = CLKL_MOMENTS, .layout = CLKL_STRIDED, .mean_strides = {1, 3, 24}}}},
    /* weights */
    {"a mask", {SMALL, PAIR, .weights = {.kind = CLKL_MASK}}},
    {"a shared mask",
     {SMALL, PAIR, .keep = 2, .weights = {.kind = CLKL_MASK, .layout = CLKL_SHARED}}},
    {"weights", {SMALL, PAIR, .keep = CLKL_KEEP_NONE, .weights = {.kind = CLKL_WEIGHTS}}},
    {"weights of channels",
     {SMALL, PAIR,
      .weights = {.kind = CLKL_WEIGHTS, .layout = CLKL_STRIDED, .strides = {0, 1, 0}}}},
    {"lengths", {SMALL, PAIR, .weights = {.kind = CLKL_LENGTHS}}},
    {"lengths of the last axis and a shared Q",
     {SMALL, PACKED, .q = {.form = CLKL_MEAN_STD, .layout = CLKL_SHARED}, .keep = 2,
      .weights = {.kind = CLKL_LENGTHS, .length_axis = 2}}},
    /* clamp: inputs lie in [0.5, 1.5] */
    {"a clamp",
     {SMALL, .p = {.form = CLKL_MOMENTS}, .q = {.form = CLKL_MEAN_LOGVAR, .layout = CLKL_SHARED},
      .clamp = CLKL_CLAMP, .clamp_low = 0.8, .clamp_high = 1.3}},
    {"a clamp of one side",
     {SMALL, PAIR, .clamp = CLKL_CLAMP, .clamp_low = 0.8, .clamp_high = 1.3}},
    /* free bits */
    {"free bits of samples", {SMALL, PAIR, .free_nats = 4.9}},
    {"free bits of channels", {SMALL, PAIR, .keep = 2, .free_nats = 1.12}},
    {"free bits of elements and a shared Q",
     {SMALL, PACKED, .q = {.form = CLKL_MEAN_STD, .layout = CLKL_SHARED}, .keep = 7,
      .free_nats = 0.2}},
};

Test(gradients, axes_layouts_weights_clamp_and_free_bits)
{
    for (size_t i = 0; i < COUNT(cases); i++)
        expect_differences(&cases[i].spec, cases[i].name);
}
