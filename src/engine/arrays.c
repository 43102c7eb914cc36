#include "engine/arrays.h"

#include "core/dtype.h"

#include <stddef.h>
#include <string.h>

/* An entry of the table: where host and device arguments have one array. */
#define PLACES(field) offsetof(clkl_host_args, field), offsetof(clkl_args, field)

struct list {
    const clkl_host_args *args;
    struct clkl_array *arrays;
    size_t count;
};

/* Appends an array, unless the caller has left it out. */
static void append(struct list *list, size_t host, size_t device, uint64_t bytes, uint64_t step,
                   enum clkl_direction direction)
{
    const void *const *pointer = (const void *const *)((const char *)list->args + host);
    if (*pointer != NULL)
        list->arrays[list->count++] =
            (struct clkl_array){host, device, bytes, step, direction, {NULL, NULL}, 0};
}

/* ---- Arrays of P and Q ---- */

static uint64_t packed_extent(const struct clkl_problem *problem, const struct clkl_side *side)
{
    const uint64_t mean = clkl_problem_extent(problem, &side->mean);
    const uint64_t scale = clkl_problem_extent(problem, &side->scale);
    return side->packed && scale > mean ? scale : mean;
}

/* The arrays of a side, or their gradients: two, or one that holds both packed. */
struct pair {
    const struct clkl_side *side;
    clkl_dtype dtype;
    size_t mean[2], scale[2]; /* PLACES */
};

static void append_inputs(struct list *list, const struct clkl_problem *problem,
                          const struct pair *pair)
{
    const struct clkl_side *side = pair->side;
    const uint64_t size = clkl_dtype_size(pair->dtype);
    append(list, pair->mean[0], pair->mean[1], packed_extent(problem, side) * size,
           (uint64_t)side->mean.strides[0] * size, CLKL_TO_DEVICE);
    if (!side->packed)
        append(list, pair->scale[0], pair->scale[1],
               clkl_problem_scale_extent(problem, side) * size,
               (uint64_t)side->scale.strides[0] * size, CLKL_TO_DEVICE);
}

/* What a gradient's array holds between its elements must not be lost, nor what is added to. */
static void append_gradient(struct list *list, const struct clkl_problem *problem,
                            const struct pair *pair, const size_t places[2], uint64_t extent,
                            const struct clkl_operand *first, const struct clkl_operand *second)
{
    const uint64_t size = clkl_dtype_size(pair->dtype);
    const uint64_t twin = second != NULL ? (uint64_t)(second->origin - first->origin) : 0;
    const bool gapless = clkl_problem_is_gapless(problem, first, twin);
    const bool adds = problem->gradient_update == CLKL_GRADIENT_ADD;
    const size_t before = list->count;
    append(list, places[0], places[1], extent * size, (uint64_t)first->strides[0] * size,
           gapless && !adds ? CLKL_FROM_DEVICE : CLKL_BOTH_WAYS);
    if (list->count == before || gapless)
        return;
    list->arrays[before].parts[0] = first;
    list->arrays[before].parts[1] = second;
    list->arrays[before].size = size;
}

static void append_gradients(struct list *list, const struct clkl_problem *problem,
                             const struct pair *pair)
{
    const struct clkl_side *side = pair->side;
    if (side->packed) {
        append_gradient(list, problem, pair, pair->mean, packed_extent(problem, side), &side->mean,
                        &side->scale);
        return;
    }
    append_gradient(list, problem, pair, pair->mean, clkl_problem_extent(problem, &side->mean),
                    &side->mean, NULL);
    append_gradient(list, problem, pair, pair->scale, clkl_problem_extent(problem, &side->scale),
                    &side->scale, NULL);
}

static void append_sides(struct list *list, const struct clkl_problem *problem)
{
    const clkl_dtype of_gradients = problem->gradient_dtype;
    const struct pair p = {&problem->p, problem->p.dtype, {PLACES(p_mean)}, {PLACES(p_scale)}};
    const struct pair q = {&problem->q, problem->q.dtype, {PLACES(q_mean)}, {PLACES(q_scale)}};
    const struct pair p_gradients = {
        &problem->p, of_gradients, {PLACES(p_mean_gradient)}, {PLACES(p_scale_gradient)}};
    const struct pair q_gradients = {
        &problem->q, of_gradients, {PLACES(q_mean_gradient)}, {PLACES(q_scale_gradient)}};
    if (p.side->scale_kind != CLKL_SCALE_UNIT) {
        append_inputs(list, problem, &p);
        if (problem->gradients != 0)
            append_gradients(list, problem, &p_gradients);
    }
    if (q.side->scale_kind != CLKL_SCALE_UNIT) {
        append_inputs(list, problem, &q);
        if (problem->gradients != 0)
            append_gradients(list, problem, &q_gradients);
    }
}

/* ---- The others ---- */

static void append_weights(struct list *list, const struct clkl_problem *problem)
{
    struct clkl_operand where = problem->weight;
    uint64_t size = 1;
    if (problem->weighting == CLKL_NO_WEIGHTS)
        return;
    if (problem->weighting == CLKL_WEIGHTS)
        size = clkl_dtype_size(problem->weight_dtype);
    if (problem->weighting == CLKL_LENGTHS) {
        size = sizeof(cl_uint);
        where = (struct clkl_operand){.strides = {problem->weight.strides[0]}};
    }
    append(list, PLACES(weights), clkl_problem_extent(problem, &where) * size,
           (uint64_t)where.strides[0] * size, CLKL_TO_DEVICE);
}

static void append_values(struct list *list, const struct clkl_problem *problem)
{
    const uint64_t size = clkl_dtype_size(problem->compute);
    const uint64_t values = clkl_problem_result_count(problem);
    const uint64_t of_sample = clkl_problem_keeps(problem, 0) ? values / problem->shape[0] : 0;
    if (problem->gradients != 0)
        append(list, PLACES(upstream), values * size, of_sample * size, CLKL_TO_DEVICE);
    if (problem->gradients != 0 && problem->free_nats > 0.0)
        append(list, PLACES(values), values * size, of_sample * size, CLKL_TO_DEVICE);
    if (problem->no_result)
        return;
    append(list, PLACES(result), values * size, of_sample * size, CLKL_FROM_DEVICE);
    append(list, PLACES(value_status), values * sizeof(cl_uint), of_sample * sizeof(cl_uint),
           CLKL_FROM_DEVICE);
    append(list, PLACES(clamp_counts), values * sizeof(cl_uint2), of_sample * sizeof(cl_uint2),
           CLKL_FROM_DEVICE);
    append(list, PLACES(parts), 2 * values * size, 2 * of_sample * size, CLKL_FROM_DEVICE);
    append(list, PLACES(matrix_status), problem->shape[0] * sizeof(cl_int2), sizeof(cl_int2),
           CLKL_FROM_DEVICE);
}

size_t clkl_arrays_list(const struct clkl_problem *problem, const clkl_host_args *args,
                        struct clkl_array arrays[CLKL_MOST_ARRAYS])
{
    struct list list = {args, arrays, 0};
    if (!problem->deterministic) {
        append_sides(&list, problem);
        append_weights(&list, problem);
    }
    append_values(&list, problem);
    return list.count;
}

/* ---- Elements among others ---- */

/* The next index of an operand's own elements, the last axis fastest; false behind the last. */
static bool next_own(const struct clkl_problem *problem, const struct clkl_operand *operand,
                     uint64_t *index)
{
    for (uint32_t axis = problem->rank; axis-- > 0;) {
        if (operand->strides[axis] == 0)
            continue;
        if (++index[axis] < problem->shape[axis])
            return true;
        index[axis] = 0;
    }
    return false;
}

void clkl_array_copy_parts(const struct clkl_problem *problem, const struct clkl_array *array,
                           const void *from, void *to)
{
    for (int part = 0; part < 2 && array->parts[part] != NULL; ++part) {
        const struct clkl_operand *operand = array->parts[part];
        uint64_t index[CLKL_MAX_RANK] = {0};
        do {
            uint64_t offset = (uint64_t)operand->origin;
            for (uint32_t axis = 0; axis < problem->rank; ++axis)
                offset += (uint64_t)operand->strides[axis] * index[axis];
            memcpy((char *)to + offset * array->size, (const char *)from + offset * array->size,
                   (size_t)array->size);
        } while (next_own(problem, operand, index));
    }
}
