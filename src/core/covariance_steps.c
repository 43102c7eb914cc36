/* The launches that a divergence between full covariances takes. */
#include "core/covariance_schedule.h"

/* ---- Forms ---- */

static bool is_factored(enum clkl_scale scale)
{
    return scale == CLKL_SCALE_COVARIANCE || scale == CLKL_SCALE_PRECISION;
}

/* Whether the factor, or its diagonal, is what was given. */
static bool is_factor(enum clkl_scale scale)
{
    return scale == CLKL_SCALE_CHOLESKY || scale == CLKL_SCALE_STD || scale == CLKL_SCALE_UNIT;
}

bool clkl_covariance_is_mixed(const struct clkl_covariance_variant *variant)
{
    const enum clkl_scale p = variant->p_scale, q = variant->q_scale;
    return (p == CLKL_SCALE_PRECISION) != (q == CLKL_SCALE_PRECISION) && clkl_scale_is_matrix(p) &&
           clkl_scale_is_matrix(q);
}

bool clkl_covariance_x_is_q(const struct clkl_covariance_variant *variant)
{
    return variant->p_scale == CLKL_SCALE_PRECISION ||
           (variant->q_scale == CLKL_SCALE_PRECISION && !clkl_covariance_is_mixed(variant));
}

/* Whether the means are multiplied with a factor instead of solved with one. */
static bool multiplies(const struct clkl_covariance_variant *variant)
{
    return clkl_covariance_is_mixed(variant) ? !clkl_covariance_x_is_q(variant)
                                             : clkl_covariance_x_is_q(variant);
}

static bool can_be_near(const struct clkl_covariance_variant *variant)
{
    return !clkl_covariance_is_mixed(variant) &&
           !(is_factor(variant->p_scale) && is_factor(variant->q_scale));
}

/* ---- The launches ---- */

/* A list in the making, or only its length. */
struct list {
    const struct clkl_covariance_variant *variant;
    uint64_t tiles;
    bool jitter;
    bool prologue;
    struct clkl_covariance_step *steps;
    size_t count;
};

static void append_rows(struct list *list, enum clkl_covariance_kernel kernel, uint64_t tasks,
                        uint64_t begin, uint64_t end, uint32_t pass)
{
    if (list->steps != NULL)
        list->steps[list->count] = (struct clkl_covariance_step){
            kernel, tasks, (uint32_t)begin, (uint32_t)end, pass, list->prologue};
    ++list->count;
}

static void append(struct list *list, enum clkl_covariance_kernel kernel, uint64_t tasks,
                   uint32_t pass)
{
    append_rows(list, kernel, tasks, 0, list->tiles, pass);
}

/* All rows of tiles at once, or one after the other; `tasks` 0 stands for as many as rows. */
static void append_by_rows(struct list *list, enum clkl_covariance_kernel kernel, uint64_t tasks,
                           uint32_t pass)
{
    if (!list->variant->short_launches) {
        append(list, kernel, tasks == 0 ? list->tiles : tasks, pass);
        return;
    }
    for (uint64_t row = 0; row < list->tiles; ++row)
        append_rows(list, kernel, tasks == 0 ? 1 : tasks, row, row + 1, pass);
}

enum { PASS_FIRST, PASS_JITTER, PASS_EXCESS }; /* as kernels/covariance_sample.clh has them */

static void append_factorisation(struct list *list, uint32_t pass)
{
    for (uint64_t k = 0; k < list->tiles; ++k) {
        append_rows(list, CLKL_KERNEL_DIAGONAL, 2, k, list->tiles, pass);
        if (k + 1 < list->tiles)
            append_rows(list, CLKL_KERNEL_PANEL, 2 * (list->tiles - k - 1), k, list->tiles, pass);
    }
}

static void append_factors(struct list *list)
{
    const struct clkl_covariance_variant *variant = list->variant;
    const uint64_t elements = 2 * list->tiles * list->tiles;
    append(list, CLKL_KERNEL_READ, elements + 1, PASS_FIRST);
    if (is_factored(variant->p_scale) || is_factored(variant->q_scale)) {
        append_factorisation(list, PASS_FIRST);
        if (list->jitter) {
            append(list, CLKL_KERNEL_JUDGE_FACTORS, 2, PASS_FIRST);
            append(list, CLKL_KERNEL_READ, elements + 1, PASS_JITTER);
            append_factorisation(list, PASS_JITTER);
        }
    }
    if (clkl_covariance_is_mixed(variant))
        append(list, CLKL_KERNEL_TURN, elements, PASS_FIRST);
}

static void append_refinement(struct list *list)
{
    append(list, CLKL_KERNEL_DIFFERENCE, list->tiles * list->tiles, PASS_FIRST);
    append_by_rows(list, CLKL_KERNEL_CONJUGATE, list->tiles, 0);
    append_by_rows(list, CLKL_KERNEL_CONJUGATE, list->tiles, 1);
    append_factorisation(list, PASS_EXCESS);
    append(list, CLKL_KERNEL_EXCESS, 1, PASS_FIRST);
}

static void append_steps(struct list *list)
{
    const struct clkl_covariance_variant *variant = list->variant;
    append_factors(list);
    append_by_rows(list, CLKL_KERNEL_MEANS, multiplies(variant) ? 0 : 1, PASS_FIRST);
    if (clkl_covariance_is_mixed(variant)) {
        append(list, CLKL_KERNEL_COMPOSE, list->tiles, 0);
        append(list, CLKL_KERNEL_COMPOSE, list->tiles, 1);
    }
    append_by_rows(list, CLKL_KERNEL_SOLVE, list->tiles, PASS_FIRST);
    append(list, CLKL_KERNEL_JUDGE, 1, PASS_FIRST);
    if (can_be_near(variant))
        append_refinement(list);
    if (variant->shares)
        append(list, CLKL_KERNEL_SHARES, list->tiles, PASS_FIRST);
    append(list, CLKL_KERNEL_FINISH, 1, PASS_FIRST);
}

size_t clkl_covariance_steps(const struct clkl_problem *problem,
                             const struct clkl_covariance_variant *variant,
                             const struct clkl_covariance_geometry *geometry,
                             struct clkl_covariance_step *steps)
{
    struct list list = {variant, geometry->tiles, problem->jitter > 0.0, true, steps, 0};
    const bool prologue = geometry->sides != 0;
    if (prologue && variant->way == CLKL_COVARIANCE_GROUP)
        append(&list, CLKL_KERNEL_GROUP_SHARED, 1, PASS_FIRST);
    if (prologue && variant->way == CLKL_COVARIANCE_STEPS)
        append_factors(&list);
    list.prologue = false;
    if (variant->way == CLKL_COVARIANCE_LANES)
        append(&list, CLKL_KERNEL_LANES, 1, PASS_FIRST);
    else if (variant->way == CLKL_COVARIANCE_GROUP)
        append(&list, CLKL_KERNEL_GROUP, 1, PASS_FIRST);
    else
        append_steps(&list);
    return list.count;
}
