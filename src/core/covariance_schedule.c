#include "core/covariance_schedule.h"

#include "core/arithmetic.h"
#include "core/dtype.h"
#include "core/failure.h"

#include <stdio.h>
#include <string.h>

enum {
    CPU_VECTOR_WIDTH = 16, /* at most */
    CPU_TILE = 64,         /* 16 KiB of floats */
    CPU_LANES_DIMENSION = 48,
    CPU_GROUPS_PER_UNIT = 16,  /* of the way of lanes: enough to share */
    CPU_SAMPLES_PER_UNIT = 4,  /* in flight, of a work-group each */
    CPU_STEPS_DIMENSION = 192, /* below it a step is too short to be shared */
    GPU_WORK_GROUP = 64,
    GPU_TILE = 32,
    GPU_VECTOR_WIDTH = 4,
    GPU_SAMPLES_PER_UNIT = 16,
    GPU_WIDEST_GRID = 65536,
    MOST_GROUPS = 1 << 25, /* of a launch of steps, where a group has several work-items */
    SAMPLE_VECTORS = 7,    /* of kernels/covariance_sample.clh: VECTORS */
    FOUND_SIZE = 16,
    RESULT_CHUNK = 512, /* values that a work-item copies */
    ALIGNMENT = 64
};

static const uint64_t most_matrix_bytes = (uint64_t)256 << 20; /* in flight; but one sample is */
static const uint64_t largest_dimension = (uint64_t)1 << 20;

/* ---- The program ---- */

static enum clkl_covariance_way choose_way(const struct clkl_problem *problem,
                                           const struct clkl_facts *facts)
{
    const uint64_t batch = problem->shape[0], dimension = problem->shape[1];
    if (facts->style != CLKL_STYLE_WIDE_CPU || facts->loop_limit != 0)
        return CLKL_COVARIANCE_STEPS;
    if (dimension <= CPU_LANES_DIMENSION)
        return CLKL_COVARIANCE_LANES;
    if (dimension < CPU_STEPS_DIMENSION)
        return CLKL_COVARIANCE_GROUP;
    return batch >= 2 * (uint64_t)facts->compute_units ? CLKL_COVARIANCE_GROUP
                                                       : CLKL_COVARIANCE_STEPS;
}

static uint32_t choose_max_blocks(uint64_t dimension)
{
    return dimension <= 8 ? 2 : dimension <= 32 ? 8 : 12;
}

/* Tiles that a dimension does not fill cost time and scratch. */
static uint32_t choose_cpu_tile(uint64_t dimension)
{
    return dimension > CPU_TILE && dimension <= 3 * CPU_TILE / 2 ? CPU_TILE / 2 : CPU_TILE;
}

static uint32_t choose_gpu_tile(uint64_t dimension)
{
    if (dimension <= GPU_TILE / 2)
        return dimension <= 4 ? 4 : dimension <= 8 ? 8 : 16;
    return dimension > GPU_TILE && dimension <= 3 * GPU_TILE / 2 ? GPU_TILE / 2 : GPU_TILE;
}

static void choose_widths(const struct clkl_facts *facts, uint64_t dimension,
                          struct clkl_covariance_variant *variant)
{
    const uint64_t most = at_most(facts->native_width, CPU_VECTOR_WIDTH) / (variant->fp64 ? 2 : 1);
    if (facts->style == CLKL_STYLE_WIDE_CPU) {
        variant->vector_width = variant->lanes_at_once = power_of_two_below(most);
        variant->work_group = 1;
        variant->tile_size = choose_cpu_tile(dimension);
        return;
    }
    variant->vector_width = GPU_VECTOR_WIDTH;
    variant->lanes_at_once = 1;
    variant->work_group = power_of_two_below(at_most(GPU_WORK_GROUP, facts->max_work_group));
    variant->tile_size = choose_gpu_tile(dimension);
}

/* Whether rows, columns or elements of a side's vectors lie otherwise than one behind the other. */
static bool is_spread(const struct clkl_problem *problem, const struct clkl_side *side)
{
    const int64_t dimension = (int64_t)problem->shape[1];
    if (side->scale_kind == CLKL_SCALE_UNIT || dimension == 1)
        return false;
    if (side->mean.strides[1] != 1)
        return true;
    return clkl_scale_is_matrix(side->scale_kind)
               ? side->scale.strides[1] != dimension || side->scale.strides[2] != 1
               : side->scale.strides[1] != 1;
}

void clkl_covariance_variant_make(const struct clkl_problem *problem,
                                  const struct clkl_facts *facts, const struct clkl_tuning *tuning,
                                  struct clkl_covariance_variant *variant)
{
    memset(variant, 0, sizeof *variant);
    variant->p_scale = problem->p.scale_kind;
    variant->q_scale = problem->q.scale_kind;
    variant->p_type = variant->q_type = CLKL_F32;
    if (variant->p_scale != CLKL_SCALE_UNIT)
        variant->p_type = problem->p.dtype;
    if (variant->q_scale != CLKL_SCALE_UNIT)
        variant->q_type = problem->q.dtype;
    variant->fp64 = problem->compute == CLKL_F64;
    variant->shares = clkl_problem_keeps(problem, 1);
    variant->pairs = problem->parts || !clkl_problem_keeps(problem, 0);
    variant->spread = is_spread(problem, &problem->p) || is_spread(problem, &problem->q);
    choose_widths(facts, problem->shape[1], variant);
    variant->way = choose_way(problem, facts);
    if (tuning->covariance_way != 0)
        variant->way = (enum clkl_covariance_way)(tuning->covariance_way - 1);
    if (tuning->work_group != 0)
        variant->work_group = tuning->work_group;
    if (tuning->tile != 0)
        variant->tile_size = tuning->tile;
    if (tuning->vector_width != 0)
        variant->vector_width = variant->lanes_at_once = tuning->vector_width;
    if (variant->way == CLKL_COVARIANCE_LANES)
        variant->max_blocks = choose_max_blocks(problem->shape[1]);
}

uint32_t clkl_covariance_teams(const struct clkl_covariance_variant *variant)
{
    return variant->way == CLKL_COVARIANCE_STEPS && variant->tile_size <= GPU_TILE / 2 &&
                   variant->work_group > variant->tile_size
               ? variant->work_group / variant->tile_size
               : 1;
}

void clkl_covariance_options(const struct clkl_covariance_variant *variant,
                             char options[CLKL_OPTIONS_SIZE])
{
    const bool lanes = variant->way == CLKL_COVARIANCE_LANES;
    const uint32_t teams = clkl_covariance_teams(variant);
    const struct {
        const char *name;
        uint32_t value;
    } macros[] = {
        {"WAY", 1 + (uint32_t)variant->way},
        {"P_FORM", (uint32_t)variant->p_scale},
        {"Q_FORM", (uint32_t)variant->q_scale},
        {"P_TYPE", (uint32_t)variant->p_type},
        {"Q_TYPE", (uint32_t)variant->q_type},
        {"FP64", variant->fp64},
        {"PARTS", variant->pairs && !variant->shares},
        {"SHARES", variant->shares},
        {"VW", variant->vector_width},
        {"AW", variant->lanes_at_once},
        {"WG", variant->work_group / teams},
        {"TEAMS", teams},
        {"SPREAD", variant->spread},
        {lanes ? "MAX_BLOCKS" : "TILE_SIZE", lanes ? variant->max_blocks : variant->tile_size},
    };
    size_t length = (size_t)snprintf(options, CLKL_OPTIONS_SIZE, "-cl-std=CL1.2");
    for (size_t i = 0; i < sizeof macros / sizeof macros[0]; ++i)
        length += (size_t)snprintf(options + length, CLKL_OPTIONS_SIZE - length, " -D%s=%u",
                                   macros[i].name, (unsigned)macros[i].value);
}

double clkl_covariance_near(const struct clkl_problem *problem)
{
    const double near = 2e-3 * (double)problem->shape[1];
    return near < 1.0 / 32 ? near : 1.0 / 32;
}

/* ---- The geometry ---- */

static uint64_t take_scratch(struct clkl_covariance_geometry *geometry, uint64_t bytes)
{
    const uint64_t at = geometry->scratch;
    geometry->scratch += divide_up(bytes, ALIGNMENT) * ALIGNMENT;
    return at;
}

/* Bytes of a matrix's upper tiles, of all its tiles, and of a vector. */
struct sizes {
    uint64_t upper, all, vector, found;
};

static struct sizes sizes_of(const struct clkl_covariance_variant *variant, uint64_t tiles)
{
    const uint64_t size = variant->fp64 ? 8 : 4, side = variant->tile_size;
    return (struct sizes){tiles * (tiles + 1) / 2 * side * side * size,
                          tiles * tiles * side * side * size, tiles * side * size,
                          FOUND_SIZE * size};
}

/* shared_size of kernels/covariance_sample.clh, in bytes. */
static uint64_t shared_bytes(const struct clkl_covariance_variant *variant,
                             const struct clkl_covariance_geometry *geometry)
{
    const struct sizes sizes = sizes_of(variant, geometry->tiles);
    return geometry->sides == 0 ? 0 : 2 * sizes.upper + 2 * sizes.vector + sizes.found;
}

/* sample_size, likewise. */
static uint64_t sample_bytes(const struct clkl_covariance_variant *variant,
                             const struct clkl_covariance_geometry *geometry)
{
    const struct sizes sizes = sizes_of(variant, geometry->tiles);
    const bool own_y = (geometry->sides & CLKL_COVARIANCE_SHARES_Y) == 0 ||
                       (clkl_covariance_is_mixed(variant) && clkl_covariance_x_is_q(variant));
    return sizes.all + (own_y ? sizes.upper : 0) + SAMPLE_VECTORS * sizes.vector + sizes.found;
}

/* The sides that are the same for all samples and worth to be factored, or read, but once. */
static uint32_t shared_sides(const struct clkl_problem *problem,
                             const struct clkl_covariance_variant *variant)
{
    const struct clkl_side *x = clkl_covariance_x_is_q(variant) ? &problem->q : &problem->p;
    const struct clkl_side *y = clkl_covariance_x_is_q(variant) ? &problem->p : &problem->q;
    uint32_t sides = 0;
    if (problem->shape[0] == 1)
        return 0;
    if (clkl_scale_is_matrix(x->scale_kind) && x->scale.strides[0] == 0)
        sides |= CLKL_COVARIANCE_SHARES_X;
    if (clkl_scale_is_matrix(y->scale_kind) && y->scale.strides[0] == 0)
        sides |= CLKL_COVARIANCE_SHARES_Y;
    return sides;
}

static void deal_out_lanes(const struct clkl_covariance_variant *variant,
                           const struct clkl_facts *facts, const struct clkl_tuning *tuning,
                           uint64_t batch, struct clkl_covariance_geometry *geometry)
{
    const uint64_t at_once = (uint64_t)variant->vector_width * variant->work_group;
    const uint64_t vectors = divide_up(batch, at_once);
    const uint64_t wanted = at_most((uint64_t)facts->compute_units * CPU_GROUPS_PER_UNIT,
                                    variant->work_group == 1 ? CLKL_WIDEST_GRID : GPU_WIDEST_GRID);
    const uint64_t rounds = divide_up(vectors, at_least(wanted, 1));
    geometry->rounds = tuning->rounds != 0 ? tuning->rounds : (uint32_t)rounds;
    geometry->groups = divide_up(vectors, geometry->rounds);
    geometry->in_flight = batch;
}

/* Of a sample in any launch of the steps, or a few more. */
static uint64_t most_tasks(const struct clkl_covariance_geometry *geometry)
{
    return 8 * geometry->tiles * geometry->tiles + 1;
}

/* Whether the device computes what it is told: some stop long loops without a word. */
static clkl_status check_loops(const struct clkl_problem *problem,
                               const struct clkl_covariance_variant *variant,
                               const struct clkl_facts *facts,
                               const struct clkl_covariance_geometry *geometry, clkl_error *error)
{
    if (variant->way == CLKL_COVARIANCE_STEPS && variant->work_group > 1 &&
        most_tasks(geometry) > MOST_GROUPS)
        return clkl_fail(error, CLKL_UNSUPPORTED,
                         "the covariances have %llu dimensions, more than a launch has groups for",
                         (unsigned long long)problem->shape[1]);
    if (facts->loop_limit == 0 ||
        clkl_covariance_iterations(problem, variant, geometry) <= facts->loop_limit / 2)
        return CLKL_OK;
    return clkl_fail(error, CLKL_UNSUPPORTED,
                     "a batch of %llu with %llu dimensions takes loops that this device would stop "
                     "before their end, after %u iterations; take smaller batches or matrices",
                     (unsigned long long)problem->shape[0], (unsigned long long)problem->shape[1],
                     (unsigned)facts->loop_limit);
}

static void deal_out_matrices(const struct clkl_covariance_variant *variant,
                              const struct clkl_facts *facts, const struct clkl_tuning *tuning,
                              uint64_t batch, struct clkl_covariance_geometry *geometry)
{
    const uint64_t of_sample = sample_bytes(variant, geometry);
    const uint64_t per_unit =
        facts->style == CLKL_STYLE_GPU ? GPU_SAMPLES_PER_UNIT : CPU_SAMPLES_PER_UNIT;
    const uint64_t shared = shared_bytes(variant, geometry);
    const uint64_t half = facts->max_allocation / 2; /* values and statuses lie there as well */
    uint64_t room = most_matrix_bytes;
    if (facts->max_allocation != 0)
        room = at_most(room, half - at_most(half, shared));
    uint64_t most = at_least(room / of_sample, 1);
    if (variant->way == CLKL_COVARIANCE_GROUP)
        most = at_most(most, at_most(facts->compute_units * per_unit, CLKL_WIDEST_GRID));
    else if (variant->work_group > 1)
        most = at_most(most, at_least(MOST_GROUPS / most_tasks(geometry), 1));
    if (tuning->rounds != 0)
        most = tuning->rounds;
    geometry->in_flight = at_most(batch, most);
    geometry->groups = geometry->in_flight;
    geometry->rounds = 1;
    geometry->matrices_at = take_scratch(geometry, shared + geometry->in_flight * of_sample);
}

clkl_status clkl_covariance_geometry_make(const struct clkl_problem *problem,
                                          const struct clkl_covariance_variant *variant,
                                          const struct clkl_facts *facts,
                                          const struct clkl_tuning *tuning,
                                          struct clkl_covariance_geometry *geometry,
                                          clkl_error *error)
{
    const uint64_t batch = problem->shape[0], dimension = problem->shape[1];
    const uint64_t size = variant->fp64 ? 8 : 4;
    memset(geometry, 0, sizeof *geometry);
    if (dimension > largest_dimension)
        return clkl_fail(error, CLKL_UNSUPPORTED,
                         "the covariances have %llu dimensions; on a device at most 2^20",
                         (unsigned long long)dimension);
    geometry->of_sample = variant->shares ? dimension : 1;
    geometry->values_at = take_scratch(geometry, batch * size);
    if (variant->pairs || variant->shares)
        geometry->pairs_at = take_scratch(geometry, 2 * batch * geometry->of_sample * size);
    geometry->status_at = take_scratch(geometry, 2 * batch * sizeof(uint32_t));
    if (variant->way == CLKL_COVARIANCE_LANES) {
        deal_out_lanes(variant, facts, tuning, batch, geometry);
    } else {
        geometry->tiles = divide_up(dimension, variant->tile_size);
        geometry->sides = shared_sides(problem, variant);
        deal_out_matrices(variant, facts, tuning, batch, geometry);
    }
    return check_loops(problem, variant, facts, geometry, error);
}
