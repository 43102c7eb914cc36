#include "opencl/covariance_launch.h"

#include "core/arithmetic.h"
#include "core/dtype.h"
#include "core/failure.h"

#include <stdlib.h>

enum {
    RESULT_CHUNK = 512, /* values that a work-group of one work-item copies, or more */
    GPU_WIDEST_GRID = 65536
};

/* ---- What is the same for all launches ---- */

static cl_ulong stride_of(const struct clkl_side *side, const struct clkl_operand *operand)
{
    return side->scale_kind == CLKL_SCALE_UNIT ? 0 : (cl_ulong)operand->strides[0];
}

static void fill_results(const struct clkl_problem *problem, struct clkl_covariance_call *call)
{
    const struct clkl_covariance_geometry *geometry = &call->geometry;
    struct clkl_covariance_results *results = &call->results;
    const uint64_t count = problem->shape[0] * geometry->of_sample;
    results->samples = problem->shape[0];
    results->of_sample = geometry->of_sample;
    results->raw_values = call->launch.values_origin;
    results->raw_pairs = call->launch.parts_origin;
    results->raw_status = call->launch.status_origin;
    results->divisor =
        clkl_real_bits((double)clkl_problem_divisor(problem), problem->compute == CLKL_F64);
    results->chunk = at_least(RESULT_CHUNK, divide_up(2 * count, CLKL_WIDEST_GRID));
}

void clkl_covariance_fill(const struct clkl_plan *plan, const struct clkl_problem *problem,
                          const struct clkl_launch *common, struct clkl_covariance_call *call)
{
    const struct clkl_covariance_geometry *geometry = &call->geometry;
    struct clkl_covariance_launch *launch = &call->launch;
    const struct clkl_operand *operands[CLKL_ARRAYS] = {&problem->p.mean, &problem->p.scale,
                                                        &problem->q.mean, &problem->q.scale};
    const bool fp64 = plan->covariance.variant.fp64;
    const uint64_t scratch = common->scratch_origin, size = fp64 ? 8 : 4;
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand) {
        const struct clkl_side *side = operand < CLKL_Q_MEAN ? &problem->p : &problem->q;
        launch->origins[operand] = common->origins[operand];
        const bool matrix = operand % 2 == 1 && clkl_scale_is_matrix(side->scale_kind);
        launch->strides[operand] = stride_of(side, operands[operand]);
        launch->rows[operand] = matrix ? (cl_ulong)operands[operand]->strides[1] : 0;
        launch->columns[operand] = (cl_ulong)operands[operand]->strides[matrix ? 2 : 1];
    }
    launch->samples = problem->shape[0];
    launch->scratch_origin = scratch + geometry->matrices_at;
    launch->values_origin = (scratch + geometry->values_at) / size;
    launch->parts_origin = launch->shares_origin = (scratch + geometry->pairs_at) / size;
    launch->status_origin = (scratch + geometry->status_at) / sizeof(cl_uint);
    launch->jitter = clkl_real_bits(problem->jitter, fp64);
    launch->near = clkl_real_bits(clkl_covariance_near(problem), fp64);
    launch->dimension = (cl_uint)problem->shape[1];
    launch->rounds = geometry->rounds;
    launch->sides = geometry->sides;
    fill_results(problem, call);
}

/* ---- One launch ---- */

/* What a kernel takes, letter by letter: the means and scales of P and Q, the struct, the scratch.
 */
static const char *parameters_of(enum clkl_covariance_kernel kernel)
{
    switch (kernel) {
    case CLKL_KERNEL_LANES:
        return "mpnqLSSSS";
    case CLKL_KERNEL_GROUP:
        return "mpnqLSSSSS";
    case CLKL_KERNEL_GROUP_SHARED:
    case CLKL_KERNEL_READ:
    case CLKL_KERNEL_JUDGE_FACTORS:
    case CLKL_KERNEL_JUDGE:
        return "mpnqLS";
    case CLKL_KERNEL_DIFFERENCE:
        return "pqLS";
    case CLKL_KERNEL_SHARES:
        return "LSS";
    case CLKL_KERNEL_FINISH:
        return "LSSSS";
    case CLKL_KERNEL_VALUES:
    case CLKL_KERNEL_SUMS:
        return "RSvtw";
    case CLKL_KERNEL_STATUSES:
        return "RSx";
    default:
        return "LS";
    }
}

enum { MOST_ARGUMENTS = 10 };

/* Everything that parameters can stand for. */
struct sources {
    const struct clkl_covariance_launch *launch;
    const struct clkl_covariance_results *results;
    const struct clkl_launch_buffers *buffers;
};

static struct clkl_argument argument_of(char parameter, const struct sources *from)
{
    const struct clkl_launch_buffers *buffers = from->buffers;
    const cl_mem *mem = &buffers->scratch;
    switch (parameter) {
    case 'L':
        return (struct clkl_argument){sizeof *from->launch, from->launch};
    case 'R':
        return (struct clkl_argument){sizeof *from->results, from->results};
    case 'm':
        mem = &buffers->inputs[CLKL_P_MEAN];
        break;
    case 'p':
        mem = &buffers->inputs[CLKL_P_SCALE];
        break;
    case 'n':
        mem = &buffers->inputs[CLKL_Q_MEAN];
        break;
    case 'q':
        mem = &buffers->inputs[CLKL_Q_SCALE];
        break;
    case 'v':
        mem = &buffers->result;
        break;
    case 't':
        mem = &buffers->parts;
        break;
    case 'w':
        mem = &buffers->value_status;
        break;
    case 'x':
        mem = &buffers->matrix_status;
        break;
    default:
        break;
    }
    return (struct clkl_argument){sizeof *mem, mem};
}

/* Makes a launch of so many work-groups ready. */
static clkl_status make_stage(struct clkl_prepared_covariance *prepared,
                              enum clkl_covariance_kernel kernel, uint64_t groups,
                              const struct sources *from, struct clkl_stage *stage,
                              clkl_error *error)
{
    struct clkl_argument arguments[MOST_ARGUMENTS];
    const char *parameters = parameters_of(kernel);
    cl_uint count = 0;
    for (; parameters[count] != '\0'; ++count)
        arguments[count] = argument_of(parameters[count], from);
    stage->local = prepared->variant.work_group;
    stage->global = (size_t)at_least(groups, 1) * stage->local;
    return clkl_stage_make(&prepared->pools[kernel], arguments, count, stage, error);
}

static uint64_t widest(const struct clkl_prepared_covariance *prepared)
{
    return prepared->variant.work_group == 1 ? CLKL_WIDEST_GRID : GPU_WIDEST_GRID;
}

/* ---- All launches ---- */

/* A list of stages in the making. */
struct making {
    struct clkl_prepared_covariance *prepared;
    const struct clkl_problem *problem;
    const struct clkl_covariance_call *call;
    const struct clkl_launch_buffers *buffers;
    struct clkl_stage *stages;
    size_t *count;
};

static clkl_status add(struct making *making, enum clkl_covariance_kernel kernel, uint64_t groups,
                       const struct clkl_covariance_launch *launch, clkl_error *error)
{
    const struct sources from = {launch, &making->call->results, making->buffers};
    const clkl_status status =
        make_stage(making->prepared, kernel, groups, &from, &making->stages[*making->count], error);
    *making->count += status == CLKL_OK;
    return status;
}

/* One step, for the samples from `first` on. */
static clkl_status add_step(struct making *making, const struct clkl_covariance_step *step,
                            uint64_t first, clkl_error *error)
{
    const struct clkl_covariance_geometry *geometry = &making->call->geometry;
    const bool steps = making->prepared->variant.way == CLKL_COVARIANCE_STEPS;
    struct clkl_covariance_launch launch = making->call->launch;
    launch.first = first;
    launch.begin = step->begin;
    launch.end = step->end;
    launch.pass = step->pass;
    if (steps)
        launch.samples = at_most(geometry->in_flight, making->problem->shape[0] - first);
    if (step->prologue) {
        launch.samples = 1;
        launch.sides |= CLKL_COVARIANCE_PROLOGUE;
    }
    const bool whole = steps && making->prepared->variant.work_group > 1; /* a task per group */
    const uint64_t teams = clkl_covariance_teams(&making->prepared->variant);
    const uint64_t groups =
        steps || step->prologue ? step->tasks * divide_up(launch.samples, teams) : geometry->groups;
    return add(making, step->kernel, whole ? groups : at_most(groups, widest(making->prepared)),
               &launch, error);
}

static clkl_status add_results(struct making *making, clkl_error *error)
{
    const struct clkl_covariance_results *results = &making->call->results;
    const uint64_t values = results->samples * results->of_sample, most = widest(making->prepared);
    const uint64_t each = making->prepared->variant.work_group == 1
                              ? results->chunk
                              : making->prepared->variant.work_group;
    clkl_status status =
        clkl_problem_keeps(making->problem, 0)
            ? add(making, CLKL_KERNEL_VALUES, at_most(divide_up(values, each), most), NULL, error)
            : add(making, CLKL_KERNEL_SUMS, at_most(results->of_sample, most), NULL, error);
    if (status == CLKL_OK && making->buffers->matrix_status != NULL)
        status = add(making, CLKL_KERNEL_STATUSES,
                     at_most(divide_up(2 * results->samples, each), most), NULL, error);
    return status;
}

/* How often the steps are taken. */
static uint64_t turns(const struct clkl_plan *plan, const struct clkl_problem *problem,
                      const struct clkl_covariance_call *call)
{
    return plan->covariance.variant.way == CLKL_COVARIANCE_STEPS
               ? divide_up(problem->shape[0], call->geometry.in_flight)
               : 1;
}

/* The steps of the first turn, which begins with the prologue; to be freed. */
static clkl_status list_steps(const struct clkl_plan *plan, const struct clkl_problem *problem,
                              const struct clkl_covariance_geometry *geometry,
                              struct clkl_covariance_step **steps, size_t *count, clkl_error *error)
{
    const struct clkl_covariance_variant *variant = &plan->covariance.variant;
    *count = clkl_covariance_steps(problem, variant, geometry, NULL);
    *steps = calloc(*count, sizeof **steps);
    if (*steps == NULL)
        return clkl_fail(error, CLKL_OUT_OF_HOST_MEMORY, "no memory for %zu launches", *count);
    clkl_covariance_steps(problem, variant, geometry, *steps);
    return CLKL_OK;
}

size_t clkl_covariance_count_stages(const struct clkl_plan *plan,
                                    const struct clkl_problem *problem,
                                    const struct clkl_covariance_call *call)
{
    const size_t steps =
        clkl_covariance_steps(problem, &plan->covariance.variant, &call->geometry, NULL);
    return (size_t)turns(plan, problem, call) * steps + 2;
}

clkl_status clkl_covariance_make_stages(struct clkl_plan *plan, const struct clkl_problem *problem,
                                        const struct clkl_covariance_call *call,
                                        const struct clkl_launch_buffers *buffers,
                                        struct clkl_stage *stages, size_t *count, clkl_error *error)
{
    struct making making = {&plan->covariance, problem, call, buffers, stages, count};
    struct clkl_covariance_step *steps = NULL;
    size_t n_steps = 0;
    clkl_status status = list_steps(plan, problem, &call->geometry, &steps, &n_steps, error);
    if (status != CLKL_OK)
        return status;
    const uint64_t end = turns(plan, problem, call);
    for (uint64_t turn = 0; turn < end && status == CLKL_OK; ++turn)
        for (size_t i = 0; i < n_steps && status == CLKL_OK; ++i)
            if (turn == 0 || !steps[i].prologue)
                status = add_step(&making, &steps[i], turn * call->geometry.in_flight, error);
    free(steps);
    return status == CLKL_OK ? add_results(&making, error) : status;
}

/* ---- Warming up ---- */

/* The first step that a kernel is launched for; false if there is none. */
static bool find_step(const struct clkl_covariance_step *steps, size_t count, int kernel,
                      struct clkl_covariance_step *step)
{
    for (size_t i = 0; i < count; ++i)
        if ((int)steps[i].kernel == kernel) {
            *step = steps[i];
            return true;
        }
    return false;
}

static clkl_status launch_once(struct clkl_prepared_covariance *prepared, int kernel,
                               const struct sources *from, cl_command_queue queue,
                               clkl_error *error)
{
    const struct clkl_order order = {queue, 0, NULL, NULL};
    struct clkl_stage stage;
    clkl_status status =
        make_stage(prepared, (enum clkl_covariance_kernel)kernel,
                   prepared->variant.work_group == 1 ? CLKL_WIDEST_GRID : 1, from, &stage, error);
    if (status != CLKL_OK)
        return status;
    status = clkl_stage_enqueue(&stage, &order, error);
    clkl_stage_release(&stage);
    return status;
}

clkl_status clkl_covariance_warm_up(struct clkl_plan *plan, cl_command_queue queue, cl_mem nothing,
                                    clkl_error *error)
{
    struct clkl_prepared_covariance *prepared = &plan->covariance;
    struct clkl_covariance_call call = {.geometry = prepared->geometry};
    const struct clkl_launch common = {.scratch_origin = 0};
    struct clkl_launch_buffers buffers = {.result = nothing,
                                          .value_status = nothing,
                                          .scratch = nothing,
                                          .parts = nothing,
                                          .matrix_status = nothing};
    struct clkl_covariance_step *steps = NULL;
    size_t count = 0;
    clkl_status status = list_steps(plan, &plan->problem, &call.geometry, &steps, &count, error);
    if (status != CLKL_OK)
        return status;
    clkl_covariance_fill(plan, &plan->problem, &common, &call);
    call.launch.samples = call.results.samples = 0;
    for (int operand = 0; operand < CLKL_ARRAYS; ++operand)
        buffers.inputs[operand] = nothing;
    for (int kernel = 0; kernel < CLKL_COVARIANCE_KERNELS && status == CLKL_OK; ++kernel) {
        struct clkl_covariance_step step = {.end = 0};
        if (prepared->pools[kernel].program == NULL)
            continue;
        find_step(steps, count, kernel, &step);
        call.launch.begin = step.begin;
        call.launch.end = step.end;
        call.launch.pass = step.pass;
        const struct sources from = {&call.launch, &call.results, &buffers};
        status = launch_once(prepared, kernel, &from, queue, error);
    }
    free(steps);
    return status;
}
