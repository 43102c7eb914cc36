/* The gradient by a number x of an array is
 *
 *     f sum_i g_v(i) w_i dKL_i/dx / B
 *
 * over all elements i that x is part of: one, or several where strides of 0 repeat x. g_v(i) is the
 * upstream gradient of the value v that the element i counts towards, f the side's factor, w_i the
 * element's weight, and B the batch where the value is a mean over it, else 1. An element does not
 * count where its weight is 0, where its value is at most free_nats, and where x was clamped. */
#include "reference/gradients.h"

#include "reference/elements.h"
#include "reference/slopes.h"
#include "reference/storage.h"
#include "reference/sum.h"

#include <string.h>

/* One array to be written, and what it is differentiated by. */
struct gradient {
    uint32_t by; /* one of CLKL_GRADIENT_... */
    const struct clkl_operand *operand;
    void *array;
    double factor; /* of the side, over the batch */
};

/* ---- One element ---- */

/* Whether the value at `position` is one that free bits leave without a gradient. */
static bool is_free(const struct clkl_problem *problem, const clkl_host_args *args,
                    uint64_t position)
{
    return problem->free_nats > 0.0 && clkl_storage_load(args->values, problem->compute,
                                                         (int64_t)position) <= problem->free_nats;
}

static double upstream_at(const struct clkl_problem *problem, const clkl_host_args *args,
                          uint64_t position)
{
    return args->upstream == NULL
               ? 1.0
               : clkl_storage_load(args->upstream, problem->compute, (int64_t)position);
}

static bool is_clamped(const struct clkl_element *element, uint32_t by)
{
    return (by == CLKL_GRADIENT_P_SCALE && element->p_clamped) ||
           (by == CLKL_GRADIENT_Q_SCALE && element->q_clamped);
}

static double slope(const struct clkl_element *element, uint32_t by)
{
    const struct clkl_slopes slopes = clkl_normal_slopes(&element->p, &element->q);
    return by == CLKL_GRADIENT_P_MEAN    ? slopes.p_mean
           : by == CLKL_GRADIENT_P_SCALE ? slopes.p_scale
           : by == CLKL_GRADIENT_Q_MEAN  ? slopes.q_mean
                                         : slopes.q_scale;
}

/* What the element at `index` adds to a gradient. */
static double term_at(const struct clkl_problem *problem, const clkl_host_args *args,
                      const struct gradient *gradient, const uint64_t *index)
{
    const uint64_t position = clkl_index_position(problem, index);
    struct clkl_element element;
    if (is_free(problem, args, position) || !clkl_element_load(problem, args, index, &element) ||
        is_clamped(&element, gradient->by))
        return 0.0;
    return gradient->factor * upstream_at(problem, args, position) * element.weight *
           slope(&element, gradient->by);
}

/* ---- One array ---- */

/* The axes along which an operand has elements of its own, as bits. */
static uint32_t own_axes(const struct clkl_problem *problem, const struct clkl_operand *operand)
{
    uint32_t axes = 0;
    for (uint32_t axis = 0; axis < problem->rank; ++axis)
        if (operand->strides[axis] != 0)
            axes |= 1u << axis;
    return axes;
}

/* Writes the gradient by one number: that at `index`, which is 0 on all repeated axes and is so
 * again afterwards. */
static void write_at(const struct clkl_problem *problem, const clkl_host_args *args,
                     const struct gradient *gradient, uint32_t repeated, uint64_t *index)
{
    const int64_t offset = clkl_element_offset(problem, gradient->operand, index);
    struct clkl_sum total = {0.0, 0.0};
    if (problem->gradient_update == CLKL_GRADIENT_ADD)
        total.sum = clkl_storage_load(gradient->array, problem->gradient_dtype, offset);
    do
        clkl_sum_add(&total, term_at(problem, args, gradient, index));
    while (clkl_index_next(problem, repeated, index));
    clkl_storage_store(gradient->array, problem->gradient_dtype, offset, total.sum + total.lost);
}

static void write_all(const struct clkl_problem *problem, const clkl_host_args *args,
                      const struct gradient *gradient)
{
    const uint32_t own = own_axes(problem, gradient->operand);
    uint64_t index[CLKL_MAX_RANK] = {0};
    if ((problem->gradients & gradient->by) == 0 || gradient->array == NULL)
        return;
    do
        write_at(problem, args, gradient, ~own, index);
    while (clkl_index_next(problem, own, index));
}

void clkl_gradients_compute(const struct clkl_problem *problem, const clkl_host_args *args)
{
    const struct clkl_side *p = &problem->p, *q = &problem->q;
    const double batch = (double)clkl_problem_divisor(problem);
    const double of_p = (args->factors.given != 0 ? args->factors.p : 1.0) / batch;
    const double of_q = (args->factors.given != 0 ? args->factors.q : 1.0) / batch;
    const struct gradient gradients[] = {
        {CLKL_GRADIENT_P_MEAN, &p->mean, args->p_mean_gradient, of_p},
        {CLKL_GRADIENT_P_SCALE, &p->scale,
         p->packed ? args->p_mean_gradient : args->p_scale_gradient, of_p},
        {CLKL_GRADIENT_Q_MEAN, &q->mean, args->q_mean_gradient, of_q},
        {CLKL_GRADIENT_Q_SCALE, &q->scale,
         q->packed ? args->q_mean_gradient : args->q_scale_gradient, of_q},
    };
    for (size_t i = 0; i < sizeof gradients / sizeof gradients[0]; ++i)
        write_all(problem, args, &gradients[i]);
}
