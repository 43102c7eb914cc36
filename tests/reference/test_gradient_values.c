/* Gradients of clkl_reference_run against those of 40 digits, to 1e-14 of the sum of the absolute
 * values of their terms. */
#include "support/case_inputs.h"

#include <clkl/clkl.h>
#include <criterion/criterion.h>
#include <criterion/logging.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(gradient_values, .timeout = 120);

#define TOLERANCE 1e-14

/* Below that a double has fewer digits, and nothing is promised. */
#define SMALLEST 2.2250738585072014e-308

/* A line of the file. */
struct line {
    char name[64], operand[16];
    unsigned long long sample, element;
    double gradient, terms;
};

/* The gradients of the case at hand: rows of elements for each listed sample. */
struct outcome {
    struct test_case test_case;
    double *gradients[4];
};

static bool read_line(FILE *file, struct line *line)
{
    char text[256];
    do
        if (fgets(text, sizeof text, file) == NULL)
            return false;
    while (text[0] == '#');
    const int fields = sscanf(text, "%63s %15s %llu %llu %lf %lf", line->name, line->operand,
                              &line->sample, &line->element, &line->gradient, &line->terms);
    cr_assert_eq(fields, 6, "%s", text);
    return true;
}

static void drop(struct outcome *outcome)
{
    for (int which = P_MEAN; which <= Q_SCALE; which++)
        free(outcome->gradients[which]);
    memset(outcome, 0, sizeof *outcome);
}

/* Computes the listed samples of a case. */
static void compute(const char *name, struct outcome *outcome)
{
    void *arrays[4];
    struct test_case *c = &outcome->test_case;
    cr_assert(case_find(name, c), "%s", name);
    clkl_spec spec = case_spec(c, case_listed_count(c));
    spec.compute = CLKL_F64;
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    case_inputs_make(c, CASE_LISTED, CLKL_F32, arrays);
    for (int which = P_MEAN; which <= Q_SCALE; which++) {
        if (arrays[which] == NULL)
            continue;
        spec.gradients |= 1u << which;
        outcome->gradients[which] = calloc(case_listed_count(c) * c->elements, sizeof(double));
        cr_assert_not_null(outcome->gradients[which]);
    }
    const clkl_host_args args = {.struct_size = sizeof args,
                                 .p_mean = arrays[P_MEAN],
                                 .p_scale = arrays[P_SCALE],
                                 .q_mean = arrays[Q_MEAN],
                                 .q_scale = arrays[Q_SCALE],
                                 .p_mean_gradient = outcome->gradients[P_MEAN],
                                 .p_scale_gradient = outcome->gradients[P_SCALE],
                                 .q_mean_gradient = outcome->gradients[Q_MEAN],
                                 .q_scale_gradient = outcome->gradients[Q_SCALE]};
    clkl_error error = {.struct_size = sizeof error};
    cr_assert_eq(clkl_reference_run(&spec, &args, &error), CLKL_OK, "%s: %s", name, error.message);
    case_inputs_free(arrays);
}

/* The part of its tolerance that the error takes; what overflows must be infinite. */
static double part_of(const struct outcome *outcome, const struct line *line)
{
    static const char *const names[] = {"p_mean", "p_scale", "q_mean", "q_scale"};
    int which = P_MEAN;
    while (which < Q_SCALE && strcmp(names[which], line->operand) != 0)
        which++;
    cr_assert_not_null(outcome->gradients[which], "%s: %s", line->name, line->operand);
    const double found =
        outcome->gradients[which][line->sample * outcome->test_case.elements + line->element];
    const double bound = TOLERANCE * line->terms + SMALLEST;
    return found == line->gradient ? 0.0 : fabs(found - line->gradient) / bound;
}

Test(gradient_values, every_small_case)
{
    struct outcome outcome = {.gradients = {NULL}};
    struct line line, worst = {.name = ""};
    double largest = -1.0;
    size_t checked = 0;
    FILE *file = fopen(CLKL_GRADIENTS_FILE, "r");
    cr_assert_not_null(file, "%s", CLKL_GRADIENTS_FILE);
    for (; read_line(file, &line); checked++) {
        if (strcmp(line.name, outcome.test_case.name) != 0) {
            drop(&outcome);
            compute(line.name, &outcome);
        }
        const double part = part_of(&outcome, &line);
        cr_expect_leq(part, 1.0, "%s, %s, sample %llu, element %llu: off by %.3g of the bound",
                      line.name, line.operand, line.sample, line.element, part);
        if (part > largest) {
            largest = part;
            worst = line;
        }
    }
    drop(&outcome);
    fclose(file);
    cr_log_info("%zu gradients; the worst, %s of %s, takes %.3g of its bound", checked,
                worst.operand, worst.name, largest);
    cr_expect_gt(checked, 1000u);
}
