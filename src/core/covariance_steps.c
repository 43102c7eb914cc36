/* The launches that a divergence between full covariances takes, and how long their loops are. */
#include "core/covariance_schedule.h"

#include "core/arithmetic.h"

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

static bool is_given_factor(const struct clkl_covariance_variant *variant)
{
    return variant->p_scale == CLKL_SCALE_CHOLESKY || variant->q_scale == CLKL_SCALE_CHOLESKY;
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
    uint64_t dimension;
    bool jitter;
    bool prologue;
    struct clkl_covariance_step *steps;
    size_t count;
    uint64_t iterations; /* of the longest loops so far */
};

enum { PIECES = 8 }; /* of kernels/covariance_steps.cl */

/* Loop iterations of one work-item in one launch, if a work-group has several: an upper bound that
 * is the sum over all its loops, nested ones included, of kernels/covariance_steps.cl. */
static uint64_t iterations_of(const struct list *list, enum clkl_covariance_kernel kernel,
                              uint64_t begin, uint64_t end)
{
    const uint64_t side = list->variant->tile_size;
    const uint64_t group = list->variant->work_group / clkl_covariance_teams(list->variant);
    const uint64_t tiles = list->tiles, lines = divide_up(side, group);
    const uint64_t elements = divide_up(side * side, group), length = tiles * lines;
    const uint64_t product = divide_up(side * side / 16, group) * (side + 1); /* of two tiles */
    const uint64_t squares = divide_up(elements, 8) + 24;                     /* of a tile */
    const uint64_t within = lines * side * side / 4 + 4 * elements + 2 * side + 64; /* a tile */
    switch (kernel) {
    case CLKL_KERNEL_DIAGONAL:
    case CLKL_KERNEL_PANEL:
        return within + (begin + 1) * product;
    case CLKL_KERNEL_CONJUGATE:
        return within + (end + 1) * product;
    case CLKL_KERNEL_SOLVE:
        return within + at_least((end + 1) * product, tiles * squares);
    case CLKL_KERNEL_COMPOSE:
        return within + (tiles + 1) * at_least(product, elements + 1);
    case CLKL_KERNEL_MEANS:
        return within + lines * tiles * (side + 1);
    case CLKL_KERNEL_DIFFERENCE:
        return within + (is_given_factor(list->variant)
                             ? divide_up(side * side / PIECES, group) * list->dimension
                             : 0);
    case CLKL_KERNEL_JUDGE:
        return within + 8 * length + (is_given_factor(list->variant) ? lines * list->dimension : 0);
    case CLKL_KERNEL_EXCESS:
        return within + tiles * squares + 2 * length;
    case CLKL_KERNEL_SHARES:
        return lines * (tiles * (side + 1) + 1);
    default:
        return within + 8 * length;
    }
}

static void append_rows(struct list *list, enum clkl_covariance_kernel kernel, uint64_t tasks,
                        uint64_t begin, uint64_t end, uint32_t pass)
{
    list->iterations = at_least(list->iterations, iterations_of(list, kernel, begin, end));
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

/* All rows of tiles at once, or, where a work-group has several work-items, one after the other. */
static void append_by_rows(struct list *list, enum clkl_covariance_kernel kernel, uint64_t tasks,
                           uint32_t pass)
{
    if (list->variant->work_group == 1) {
        append(list, kernel, tasks, pass);
        return;
    }
    for (uint64_t row = 0; row < list->tiles; ++row)
        append_rows(list, kernel, tasks, row, row + 1, pass);
}

static void append_columns(struct list *list, enum clkl_covariance_kernel kernel)
{
    if (list->variant->work_group == 1) {
        append(list, kernel, list->tiles, 0);
        return;
    }
    for (uint64_t column = list->tiles; column-- > 0;)
        append_rows(list, kernel, list->tiles, column, column + 1, 0);
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
    const bool pieces = list->variant->work_group > 1 && is_given_factor(list->variant);
    append(list, CLKL_KERNEL_DIFFERENCE, list->tiles * list->tiles * (pieces ? PIECES : 1),
           PASS_FIRST);
    append_by_rows(list, CLKL_KERNEL_CONJUGATE, list->tiles, 0);
    append_by_rows(list, CLKL_KERNEL_CONJUGATE, list->tiles, 1);
    append_factorisation(list, PASS_EXCESS);
    append(list, CLKL_KERNEL_EXCESS, list->tiles, 0);
    append(list, CLKL_KERNEL_EXCESS, 1, 1);
}

static void append_steps(struct list *list)
{
    const struct clkl_covariance_variant *variant = list->variant;
    append_factors(list);
    if (multiplies(variant))
        append(list, CLKL_KERNEL_MEANS, list->tiles, PASS_FIRST);
    else
        append_by_rows(list, CLKL_KERNEL_MEANS, 1, PASS_FIRST);
    if (clkl_covariance_is_mixed(variant)) {
        append_columns(list, CLKL_KERNEL_COMPOSE);
        append(list, CLKL_KERNEL_COMPOSE, list->tiles, 1);
    }
    append_by_rows(list, CLKL_KERNEL_SOLVE, list->tiles, PASS_FIRST);
    if (is_given_factor(variant))
        append_by_rows(list, CLKL_KERNEL_JUDGE, 1, PASS_FIRST);
    else
        append(list, CLKL_KERNEL_JUDGE, 1, PASS_FIRST);
    if (can_be_near(variant))
        append_refinement(list);
    if (variant->shares)
        append(list, CLKL_KERNEL_SHARES, list->tiles, PASS_FIRST);
    append(list, CLKL_KERNEL_FINISH, 1, PASS_FIRST);
}

/* The list of all launches; `steps` may be NULL. */
static struct list make_list(const struct clkl_problem *problem,
                             const struct clkl_covariance_variant *variant,
                             const struct clkl_covariance_geometry *geometry,
                             struct clkl_covariance_step *steps)
{
    struct list list = {
        variant, geometry->tiles, problem->shape[1], problem->jitter > 0.0, true, steps, 0, 0};
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
    return list;
}

size_t clkl_covariance_steps(const struct clkl_problem *problem,
                             const struct clkl_covariance_variant *variant,
                             const struct clkl_covariance_geometry *geometry,
                             struct clkl_covariance_step *steps)
{
    return make_list(problem, variant, geometry, steps).count;
}

enum { SUMMED_AT_ONCE = 8 }; /* of kernels/covariance_results.cl */

uint64_t clkl_covariance_iterations(const struct clkl_problem *problem,
                                    const struct clkl_covariance_variant *variant,
                                    const struct clkl_covariance_geometry *geometry)
{
    const uint64_t chain = SUMMED_AT_ONCE * (uint64_t)variant->work_group;
    const uint64_t sums =
        clkl_problem_keeps(problem, 0) ? 0 : divide_up(problem->shape[0], chain) + 64;
    return at_least(make_list(problem, variant, geometry, NULL).iterations, sums);
}
