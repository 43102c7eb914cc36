#include "differences.h"

#include "core/problem.h"
#include "run.h"
#include "support/hash.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { P_MEAN, P_SCALE, Q_MEAN, Q_SCALE, N_WEIGHTS = 4096 };

static const clkl_upstream_factors factors = {1, 0, 0.75, -0.3};

/* ---- Arrays ---- */

static double *numbers(uint64_t count, uint64_t stream, double low, double high)
{
    double *array = malloc(count * sizeof *array);
    cr_assert_not_null(array);
    for (uint64_t i = 0; i < count; i++)
        array[i] = hash_uniform(23, stream, i, low, high);
    return array;
}

/* Numbers that serve as means and as scales of every kind. */
static void make_operand(const struct clkl_problem *problem, const struct clkl_side *side,
                         int which, struct operands *operands)
{
    const bool scale = which == P_SCALE || which == Q_SCALE;
    if (side->scale_kind == CLKL_SCALE_UNIT || (scale && side->packed))
        return;
    uint64_t extent = clkl_problem_extent(problem, scale ? &side->scale : &side->mean);
    if (side->packed)
        extent += clkl_problem_extent(problem, &side->scale);
    operands->extents[which] = extent;
    operands->arrays[which] = numbers(extent, (uint64_t)which, 0.5, 1.5);
    operands->gradients[which] = numbers(extent, 9, OPERANDS_MARK, OPERANDS_MARK);
}

void operands_make(clkl_spec *spec, struct operands *operands)
{
    struct clkl_problem problem;
    memset(operands, 0, sizeof *operands);
    spec->p.dtype = spec->q.dtype = spec->compute = CLKL_F64;
    cr_assert_eq(clkl_problem_make(spec, &problem, NULL), CLKL_OK);
    for (int which = P_MEAN; which <= Q_SCALE; which++)
        make_operand(&problem, which < Q_MEAN ? &problem.p : &problem.q, which, operands);
    operands->n_values = clkl_problem_result_count(&problem);
    operands->values = numbers(operands->n_values, 9, 0.0, 0.0);
    operands->upstream = numbers(operands->n_values, 10, -1.5, 2.0);
}

void operands_free(struct operands *operands)
{
    for (int which = P_MEAN; which <= Q_SCALE; which++) {
        free(operands->arrays[which]);
        free(operands->gradients[which]);
    }
    free(operands->upstream);
    free(operands->values);
}

clkl_host_args operands_args(const struct operands *operands)
{
    return (clkl_host_args){.p_mean = operands->arrays[P_MEAN],
                            .p_scale = operands->arrays[P_SCALE],
                            .q_mean = operands->arrays[Q_MEAN],
                            .q_scale = operands->arrays[Q_SCALE],
                            .result = operands->values,
                            .upstream = operands->upstream,
                            .values = operands->values,
                            .p_mean_gradient = operands->gradients[P_MEAN],
                            .p_scale_gradient = operands->gradients[P_SCALE],
                            .q_mean_gradient = operands->gradients[Q_MEAN],
                            .q_scale_gradient = operands->gradients[Q_SCALE]};
}

/* Weights of all kinds from one array: as many bytes, halves or words as there is use for. */
static const void *weights_for(const clkl_spec *spec)
{
    static uint32_t words[N_WEIGHTS];
    static float floats[N_WEIGHTS];
    const bool bytes = spec->weights.kind == CLKL_MASK;
    for (uint32_t i = 0; i < N_WEIGHTS; i++) {
        const uint64_t bits = hash_bits(29, 0, i);
        words[i] = bytes ? (uint32_t)bits & 0x01000101u : (uint32_t)(bits % 4);
        floats[i] = bits % 4 == 0 ? 0.0f : hash_uniform_float(29, 1, i, -1.0, 2.0);
    }
    return spec->weights.kind == CLKL_WEIGHTS ? (const void *)floats : words;
}

/* ---- Differences ---- */

static uint32_t all_gradients(const clkl_spec *spec)
{
    const uint32_t p = CLKL_GRADIENT_P_MEAN | CLKL_GRADIENT_P_SCALE;
    const uint32_t q = CLKL_GRADIENT_Q_MEAN | CLKL_GRADIENT_Q_SCALE;
    return (spec->p.form != CLKL_STANDARD_NORMAL ? p : 0) |
           (spec->q.form != CLKL_STANDARD_NORMAL ? q : 0);
}

static double objective(const clkl_spec *spec, const struct operands *operands)
{
    double total = 0.0;
    clkl_host_args args = operands_args(operands);
    args.p_mean_gradient = args.p_scale_gradient = NULL;
    args.q_mean_gradient = args.q_scale_gradient = NULL;
    args.weights = weights_for(spec);
    run(spec, args);
    for (uint64_t i = 0; i < operands->n_values; i++)
        total += operands->upstream[i] * operands->values[i];
    return total;
}

static double difference(const clkl_spec *spec, const struct operands *operands, double *number)
{
    const double step = 1e-4, middle = *number;
    *number = middle + step;
    const double above = objective(spec, operands);
    *number = middle - step;
    const double below = objective(spec, operands);
    *number = middle;
    return (above - below) / (2.0 * step);
}

static void check_array(const clkl_spec *spec, const struct operands *operands, int which,
                        const char *name)
{
    const double factor = which < Q_MEAN ? factors.p : factors.q;
    uint64_t nonzero = 0;
    for (uint64_t i = 0; i < operands->extents[which]; i++) {
        const double expected = factor * difference(spec, operands, &operands->arrays[which][i]);
        const double found = operands->gradients[which][i];
        if (found == OPERANDS_MARK) { /* between the strides, or behind the last */
            cr_expect_eq(expected, 0.0, "%s: %d[%u] was not written", name, which, (unsigned)i);
            continue;
        }
        nonzero += found != 0.0;
        cr_expect(fabs(found - expected) <= 2e-7 * (1.0 + fabs(expected)),
                  "%s: gradient %d[%u] is %.9g, not %.9g", name, which, (unsigned)i, found,
                  expected);
    }
    cr_expect(operands->extents[which] == 0 || nonzero > 0, "%s: all of %d is 0", name, which);
}

/* Free bits are to be seen at work, and not everywhere. */
static void expect_some_free(const clkl_spec *spec, const struct operands *operands,
                             const char *name)
{
    uint64_t free_values = 0;
    for (uint64_t i = 0; i < operands->n_values; i++)
        free_values += operands->values[i] <= spec->free_nats;
    cr_expect(spec->free_nats == 0.0 || (free_values > 0 && free_values < operands->n_values),
              "%s: %u of %u values are free", name, (unsigned)free_values,
              (unsigned)operands->n_values);
}

void expect_differences(const clkl_spec *given, const char *name)
{
    struct operands operands;
    clkl_spec spec = *given, gradients;
    operands_make(&spec, &operands);
    gradients = spec;
    gradients.gradients = all_gradients(&spec);
    objective(&spec, &operands); /* makes the values */
    expect_some_free(&spec, &operands, name);
    if (spec.free_nats > 0.0)
        gradients.outputs |= CLKL_OUTPUT_NO_RESULT;
    clkl_host_args args = operands_args(&operands);
    args.weights = weights_for(&spec);
    args.factors = factors;
    run(&gradients, args);
    for (int which = P_MEAN; which <= Q_SCALE; which++)
        check_array(&spec, &operands, which, name);
    operands_free(&operands);
}
