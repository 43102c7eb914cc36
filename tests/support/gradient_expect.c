/* What a call with gradients has to give: the reference's gradients and, element by element, the
 * sum of the absolute values of the terms that each is made of. */
#include "gradient_call.h"

#include "core/dtype.h"
#include "reference/elements.h"
#include "reference/slopes.h"
#include "reference/storage.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct exact {
    struct clkl_problem problem; /* of the batch of the call */
    clkl_host_args args;
    double *wide[CLKL_OPERANDS]; /* upstream and values */
    double *values;
    uint32_t *status;
    clkl_clamp_count *clamped;
    double *gradients[CLKL_ARRAYS];
    double *terms[CLKL_ARRAYS]; /* below 0 where no element has its gradient */
    uint64_t extents[CLKL_ARRAYS];
};

static double *doubles(uint64_t count, double x)
{
    double *numbers = malloc((count + 1) * sizeof *numbers);
    cr_assert_not_null(numbers);
    for (uint64_t i = 0; i < count; ++i)
        numbers[i] = x;
    return numbers;
}

static const struct clkl_side *side_of(const struct clkl_problem *problem, int operand)
{
    return operand < CLKL_Q_MEAN ? &problem->p : &problem->q;
}

static const struct clkl_operand *operand_of(const struct clkl_problem *problem, int operand)
{
    return operand % 2 == 0 ? &side_of(problem, operand)->mean : &side_of(problem, operand)->scale;
}

/* The array that has the gradient: for packed moments that of the mean. */
static int array_of(const struct clkl_problem *problem, int operand)
{
    return side_of(problem, operand)->packed ? operand / 2 * 2 : operand;
}

/* Elements between the beginning of what the device wrote and the array's. */
static size_t lead(const struct gradient_call *call, int array)
{
    return call->shift + (call->one_buffer && array % 2 == 1 ? call->between_gradients : 0);
}

/* What the device wrote into, and what that held. */
static const void *written(const struct gradient_call *call, int array)
{
    return call->gradients[call->one_buffer ? array / 2 * 2 : array];
}

double gradient_before(uint64_t place)
{
    return (double)(place % 29) / 16.0 - 0.75;
}

/* ---- The reference ---- */

static double *widened(const struct gradient_call *call, int operand)
{
    if (call->inputs[operand] == NULL)
        return NULL;
    double *wide = doubles(call->counts[operand], 0.0);
    for (uint64_t i = 0; i < call->counts[operand]; ++i)
        wide[i] = gradient_input(call, operand, i);
    return wide;
}

static void make_gradients(const struct gradient_call *call, struct exact *exact)
{
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        const int array = array_of(&exact->problem, operand);
        if ((exact->problem.gradients >> operand & 1u) == 0 || written(call, array) == NULL ||
            (call->left_out >> array & 1u) != 0)
            continue;
        const uint64_t extent =
            clkl_problem_extent(&call->problem, operand_of(&call->problem, operand));
        if (operand != array && exact->gradients[array] != NULL) {
            free(exact->gradients[array]);
            free(exact->terms[array]);
        }
        exact->extents[array] = extent;
        exact->gradients[array] = doubles(extent, 0.0);
        exact->terms[array] = doubles(extent, -1.0);
        for (uint64_t i = 0; i < extent; ++i)
            exact->gradients[array][i] = gradient_before(lead(call, array) + i) + call->held;
    }
}

static void make_values(struct exact *exact, uint64_t count)
{
    exact->values = doubles(count, NAN);
    exact->status = calloc(count + 1, sizeof *exact->status);
    cr_assert_not_null(exact->status);
    if (exact->problem.clamp_counts)
        exact->clamped = calloc(count + 1, sizeof *exact->clamped);
}

static void run_reference(const struct gradient_call *call, struct exact *exact)
{
    clkl_error error = {.struct_size = sizeof error};
    clkl_spec spec = call->spec;
    spec.compute = CLKL_F64;
    spec.gradient_dtype = CLKL_F64;
    exact->args = (clkl_host_args){
        .struct_size = sizeof exact->args,
        .p_mean = call->inputs[CLKL_P_MEAN],
        .p_scale = call->inputs[CLKL_P_SCALE],
        .q_mean = call->inputs[CLKL_Q_MEAN],
        .q_scale = call->inputs[CLKL_Q_SCALE],
        .weights = call->inputs[CLKL_WEIGHT],
        .upstream = call->no_upstream ? NULL : exact->wide[CLKL_UPSTREAM],
        .values = exact->wide[CLKL_VALUES],
        .batch = call->batch,
        .factors = call->factors,
        .p_mean_gradient = exact->gradients[CLKL_P_MEAN],
        .p_scale_gradient = exact->gradients[CLKL_P_SCALE],
        .q_mean_gradient = exact->gradients[CLKL_Q_MEAN],
        .q_scale_gradient = exact->gradients[CLKL_Q_SCALE],
    };
    if (!exact->problem.no_result) {
        exact->args.result = exact->values;
        exact->args.value_status = exact->status;
        exact->args.clamp_counts = exact->clamped;
    }
    cr_assert(clkl_reference_run(&spec, &exact->args, &error) == CLKL_OK, "%s", error.message);
}

/* ---- Terms ---- */

static bool is_log(enum clkl_scale kind)
{
    return kind == CLKL_SCALE_LOGVAR || kind == CLKL_SCALE_LOGSTD;
}

/* d/dx of the side's logarithm of the variance, halved. */
static double chain(const struct clkl_normal *normal)
{
    switch (normal->scale_kind) {
    case CLKL_SCALE_LOGSTD:
        return 1.0;
    case CLKL_SCALE_VAR:
        return fabs(0.5 / normal->scale);
    case CLKL_SCALE_STD:
        return fabs(1.0 / normal->scale);
    default:
        return 0.5;
    }
}

/* The sum of the absolute values of the terms of one element's gradient, as clkl.h has them; where
 * one side alone is given by a logarithm, vp/vq and 1 are terms. */
static double element_terms(const struct clkl_element *element, int operand)
{
    const struct clkl_slopes all = clkl_normal_slopes(&element->p, &element->q);
    struct clkl_normal beside = element->q;
    beside.mean = element->p.mean;
    const struct clkl_slopes scales = clkl_normal_slopes(&element->p, &beside);
    const enum clkl_scale p = element->p.scale_kind, q = element->q.scale_kind;
    const bool mixed = p != CLKL_SCALE_UNIT && q != CLKL_SCALE_UNIT && is_log(p) != is_log(q);
    if (operand % 2 == 0)
        return fmax(fabs(all.p_mean), fabs(all.q_mean));
    if (operand == CLKL_P_SCALE)
        return fabs(all.p_scale) + (mixed ? 2.0 * chain(&element->p) : 0.0);
    return fabs(scales.q_scale) + fabs(all.q_scale - scales.q_scale) +
           (mixed ? 2.0 * chain(&element->q) : 0.0);
}

static double factor_of(const struct gradient_call *call, const struct exact *exact, int operand,
                        uint64_t position)
{
    const double side = operand < CLKL_Q_MEAN ? call->factors.p : call->factors.q;
    const double upstream =
        exact->args.upstream == NULL ? 1.0 : exact->wide[CLKL_UPSTREAM][position];
    return fabs((call->factors.given ? side : 1.0) * upstream) /
           (double)clkl_problem_divisor(&exact->problem);
}

/* What the numbers that a gradient is added to count for. Doubles keep their digits. */
static double held_terms(const struct clkl_problem *problem)
{
    const bool add = problem->gradient_update == CLKL_GRADIENT_ADD;
    return add && problem->gradient_dtype != CLKL_F64 ? 1.0 : 0.0;
}

/* Adds up the terms of all elements, and notes where there are any. */
static void add_terms(const struct gradient_call *call, struct exact *exact, int operand)
{
    const struct clkl_problem *problem = &exact->problem;
    double *terms = exact->terms[array_of(problem, operand)];
    uint64_t index[CLKL_MAX_RANK] = {0};
    if (terms == NULL || (problem->gradients >> operand & 1u) == 0)
        return;
    do {
        struct clkl_element element;
        const int64_t at = clkl_element_offset(problem, operand_of(problem, operand), index);
        const uint64_t position = clkl_index_position(problem, index);
        if (terms[at] < 0.0)
            terms[at] = held_terms(problem);
        if (clkl_element_load(problem, &exact->args, index, &element)) {
            const double term = factor_of(call, exact, operand, position) * element.weight *
                                element_terms(&element, operand);
            terms[at] += isfinite(term) ? term : 0.0;
        }
    } while (clkl_index_next(problem, (1u << problem->rank) - 1, index));
}

static struct exact make_exact(const struct gradient_call *call)
{
    struct exact exact = {.problem = call->problem};
    cr_assert_eq(clkl_problem_set_batch(&exact.problem, call->batch, NULL), CLKL_OK);
    for (int operand = CLKL_UPSTREAM; operand < CLKL_OPERANDS; ++operand)
        exact.wide[operand] = widened(call, operand);
    make_gradients(call, &exact);
    make_values(&exact, clkl_problem_result_count(&exact.problem));
    run_reference(call, &exact);
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        add_terms(call, &exact, operand);
    return exact;
}

static void free_exact(struct exact *exact)
{
    free(exact->values);
    free(exact->status);
    free(exact->clamped);
    for (int operand = 0; operand < CLKL_OPERANDS; ++operand)
        free(exact->wide[operand]);
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        free(exact->gradients[operand]);
        free(exact->terms[operand]);
    }
}

/* ---- Comparing ---- */

/* What rounding to the nearest number of a type takes. */
static double rounding(clkl_dtype dtype, double x)
{
    switch (dtype) {
    case CLKL_F16:
        return fabs(x) * 0x1p-11 + 0x1p-25;
    case CLKL_BF16:
        return fabs(x) * 0x1p-8 + (double)FLT_MIN;
    case CLKL_F32:
        return fabs(x) * 0x1p-24 + (double)FLT_MIN;
    default:
        return fabs(x) * 0x1p-53 + DBL_MIN;
    }
}

static bool agrees(const struct gradient_call *call, double exact, double terms, double found)
{
    const bool wide = call->problem.compute == CLKL_F64;
    const double bound = (wide ? 2e-14 : 1e-6) * terms +
                         rounding(call->problem.gradient_dtype, exact) +
                         (wide ? 0.0 : (double)FLT_MIN);
    if (isnan(exact) || isinf(exact))
        return isnan(exact) ? isnan(found) : found == exact;
    return fabs(found - exact) <= bound;
}

/* Whether the array's gradient is what the device wrote, with nothing else touched. */
static void expect_array(const struct gradient_call *call, const struct exact *exact, int array,
                         const char *what)
{
    const clkl_dtype dtype = call->problem.gradient_dtype;
    uint64_t wrong = 0;
    char first[160] = "";
    for (uint64_t i = 0; i < exact->extents[array]; ++i) {
        const uint64_t at = lead(call, array) + i;
        const double found = clkl_storage_load(written(call, array), dtype, (int64_t)at);
        const double terms = exact->terms[array][i];
        if (terms < 0.0 || agrees(call, exact->gradients[array][i], terms, found) || wrong++ > 0)
            continue;
        snprintf(first, sizeof first, "element %llu is %.9g; expected %.9g, of terms of %.3g",
                 (unsigned long long)i, found, exact->gradients[array][i], terms);
    }
    cr_expect(wrong == 0, "%s: gradient %d: %llu wrong; %s", what, array, (unsigned long long)wrong,
              first);
}

/* Whether some array has an element at that place of what the device wrote into. */
static bool is_owned(const struct gradient_call *call, const struct exact *exact, int buffer,
                     uint64_t place)
{
    for (int array = buffer; array <= buffer + (call->one_buffer ? 1 : 0); ++array) {
        const uint64_t begin = lead(call, array);
        if (exact->terms[array] != NULL && place >= begin &&
            place - begin < exact->extents[array] && exact->terms[array][place - begin] >= 0.0)
            return true;
    }
    return false;
}

static void expect_untouched(const struct gradient_call *call, const struct exact *exact,
                             int buffer, const char *what)
{
    double stored = 0.0;
    uint64_t touched = 0, first = 0;
    const clkl_dtype dtype = call->problem.gradient_dtype;
    for (uint64_t i = 0; i < call->sizes[buffer] && call->gradients[buffer] != NULL; ++i) {
        clkl_storage_store(&stored, dtype, 0, gradient_before(i) + call->held);
        if (!is_owned(call, exact, buffer, i) &&
            clkl_storage_load(call->gradients[buffer], dtype, (int64_t)i) !=
                clkl_storage_load(&stored, dtype, 0) &&
            touched++ == 0)
            first = i;
    }
    cr_expect(touched == 0, "%s: gradient %d: %llu places that are none of its own, first %llu",
              what, buffer, (unsigned long long)touched, (unsigned long long)first);
}

static bool value_agrees(const struct gradient_call *call, const struct exact *exact, uint64_t i)
{
    const bool wide = call->problem.compute == CLKL_F64;
    const double value = clkl_storage_load(call->result, call->problem.compute, (int64_t)i);
    const double expected = exact->values[i];
    uint64_t elements = 1;
    for (uint32_t axis = 0; axis < exact->problem.rank; ++axis)
        elements *= exact->problem.shape[axis];
    const double mixed = (wide ? 4e-14 : 1e-12) * sqrt((double)elements * fabs(expected));
    if (call->status[i] != exact->status[i] ||
        (exact->clamped != NULL &&
         memcmp(&call->clamped[i], &exact->clamped[i], sizeof *exact->clamped) != 0))
        return false;
    if (isnan(expected) || isinf(expected))
        return isnan(expected) ? isnan(value) : value == expected;
    return fabs(value - expected) <= (wide ? 8e-15 : 5e-7) * fabs(expected) + mixed;
}

static void expect_values(const struct gradient_call *call, const struct exact *exact,
                          const char *what)
{
    const uint64_t count = clkl_problem_result_count(&exact->problem);
    uint64_t wrong = 0;
    char first[160] = "";
    for (uint64_t i = 0; i < count && !exact->problem.no_result; ++i)
        if (!value_agrees(call, exact, i) && wrong++ == 0)
            snprintf(first, sizeof first, "value %llu is %.9g, status %u; expected %.9g, status %u",
                     (unsigned long long)i,
                     clkl_storage_load(call->result, call->problem.compute, (int64_t)i),
                     call->status[i], exact->values[i], exact->status[i]);
    cr_expect(wrong == 0, "%s: %llu wrong; %s", what, (unsigned long long)wrong, first);
}

void gradient_call_expect(const struct gradient_call *call, const char *what, ...)
{
    char name[256];
    va_list arguments;
    va_start(arguments, what);
    vsnprintf(name, sizeof name, what, arguments);
    va_end(arguments);
    struct exact exact = make_exact(call);
    for (int array = 0; array < CLKL_ARRAYS; ++array) {
        expect_untouched(call, &exact, array, name);
        if (exact.gradients[array] != NULL)
            expect_array(call, &exact, array, name);
    }
    expect_values(call, &exact, name);
    free_exact(&exact);
}

void gradient_call_check(struct gradient_call *call, struct test_device *device, const char *what)
{
    gradient_call_run(call, device);
    gradient_call_expect(call, "%s, keep 0x%x of %u axes, gradients 0x%x of type %d, batch %u",
                         what, call->spec.keep, call->spec.rank, call->spec.gradients,
                         (int)call->problem.gradient_dtype, (unsigned)call->batch);
}
