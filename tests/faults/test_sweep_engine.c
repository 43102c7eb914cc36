/* The sweep of test_sweep.c over the engine and its list of devices. */
#include "verdict.h"

#include "support/hash.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH = 5, CHANNELS = 2, ELEMENTS = 3000, MOST_CALLS = 1000 };

static const struct faults_fake gpu = {.type = CL_DEVICE_TYPE_GPU, .device_work_group = 32};
static const clkl_engine_options strict = {
    .struct_size = sizeof strict, .device = "", .fallback = CLKL_FALLBACK_FORBIDDEN};

TestSuite(faults_engine, .timeout = 300);

/* ---- Making and listing ---- */

/* What is asked while devices are listed only describes them, or makes one unusable. */
static bool is_of_the_list(const struct faults_failure *failure)
{
    return failure->call == CALL_clGetDeviceIDs || failure->call == CALL_clGetDeviceInfo ||
           failure->call == CALL_clGetPlatformInfo;
}

/* Without its answers the engine goes on, or there is no device for it; everything else is
 * reported. */
static void expect_honest(struct verdict *verdict, unsigned nth, const char *what)
{
    const struct faults_failure failure = faults_failure();
    if (is_of_the_list(&failure) &&
        (verdict->status == CLKL_OK || verdict->status == CLKL_NO_DEVICE))
        return;
    verdict_expect_reported(verdict, nth, what);
}

static void check_create(void)
{
    const struct faults_live live = faults_live();
    struct verdict verdict;
    for (unsigned nth = 1; nth < MOST_CALLS; ++nth) {
        clkl_engine *engine = (clkl_engine *)(uintptr_t)&verdict;
        verdict_begin(&verdict, nth);
        verdict.status = WATCHED(clkl_engine_create(&strict, &engine, &verdict.error));
        const bool over = verdict_is_over(&verdict, nth, 25, "clkl_engine_create");
        if (!over)
            expect_honest(&verdict, nth, "clkl_engine_create");
        cr_expect_eq(engine != NULL, verdict.status == CLKL_OK, "call %u", nth);
        cr_expect_eq(clkl_engine_is_reference(engine), 0, "call %u", nth);
        clkl_engine_release(engine);
        expect_live(&live, "clkl_engine_create, call %u", nth);
        if (over)
            break;
    }
}

Test(faults_engine, create)
{
    faults_open();
    check_create();
}

Test(faults_engine, list)
{
    struct verdict verdict;
    faults_open();
    for (unsigned nth = 1; nth < MOST_CALLS; ++nth) {
        clkl_device_info infos[8] = {{.struct_size = sizeof infos[0]}};
        size_t count = 99;
        verdict_begin(&verdict, nth);
        verdict.status = WATCHED(clkl_devices_list(&strict, 8, infos, &count, &verdict.error));
        if (verdict_is_over(&verdict, nth, 20, "clkl_devices_list"))
            break;
        expect_honest(&verdict, nth, "clkl_devices_list");
        cr_expect_leq(count, 8u);
        for (size_t i = 0; i < count && i < 8; ++i)
            cr_expect(infos[i].reason[0] != '\0', "call %u: no reason", nth);
    }
}

/* ---- Running ---- */

static float moments[BATCH][2 * CHANNELS][ELEMENTS];
static float scales[BATCH][CHANNELS][ELEMENTS];

struct task {
    clkl_spec spec;
    clkl_host_args args;
    struct expected expected;
    struct outcome outcome;
};

static void make_task(struct task *task, uint32_t keep)
{
    float *flat = &moments[0][0][0];
    const size_t shape[] = {BATCH, CHANNELS, ELEMENTS};
    for (size_t i = 0; i < sizeof moments / sizeof(float); ++i)
        flat[i] = hash_uniform_float(3, 0, i, -2.0, 2.0);
    for (size_t i = 0; i < sizeof scales / sizeof(float); ++i)
        (&scales[0][0][0])[i] = hash_uniform_float(3, 1, i, 0.5, 2.0);
    memset(task, 0, sizeof *task);
    clkl_spec_moments(&task->spec, 3, shape);
    task->spec.keep = keep;
    task->spec.q.form = CLKL_MEAN_STD;
    const struct test_inputs inputs = {.arrays = {flat, NULL, flat, scales}};
    expected_make(&task->spec, &inputs, 0, &task->expected);
    task->outcome = outcome_make(&task->expected);
    task->args = (clkl_host_args){.struct_size = sizeof task->args,
                                  .p_mean = flat,
                                  .q_mean = flat,
                                  .q_scale = scales,
                                  .result = task->outcome.values,
                                  .value_status = task->outcome.status};
}

static void expect_right(struct task *task, const char *what)
{
    const struct tolerance tolerance = {.relative = 5e-7, .mixed = 1e-12, .lost = 1.2e-38};
    expect_agreement(&task->expected, &task->outcome, &tolerance, "%s", what);
    memset(task->outcome.values, 0xff, task->expected.count * sizeof(float));
}

/* A run during which one call fails, and one after it. */
static bool run_once(clkl_engine *engine, struct task *task, unsigned nth)
{
    struct verdict verdict;
    verdict_begin(&verdict, nth);
    verdict.status = WATCHED(clkl_engine_run(engine, &task->spec, &task->args, &verdict.error));
    const bool over = verdict_is_over(&verdict, nth, 20, "clkl_engine_run");
    if (over || !verdict_expect_reported(&verdict, nth, "clkl_engine_run"))
        expect_right(task, "a run that a failure did not hurt");
    REQUIRE(clkl_engine_run(engine, &task->spec, &task->args, NULL));
    expect_right(task, "the run after a failure");
    return over;
}

/* With an engine that has built nothing yet at first; references that are left are those of what it
 * keeps. */
static void check_run(uint32_t keep)
{
    const struct faults_live none = faults_live();
    struct task task;
    clkl_engine *engine = NULL;
    make_task(&task, keep);
    REQUIRE(clkl_engine_create(&strict, &engine, NULL));
    run_once(engine, &task, 1);
    const struct faults_live live = faults_live();
    for (unsigned nth = 1; nth < MOST_CALLS; ++nth) {
        const bool over = run_once(engine, &task, nth);
        expect_live(&live, "clkl_engine_run, call %u", nth);
        if (over)
            break;
    }
    clkl_engine_release(engine);
    expect_live(&none, "clkl_engine_run");
    expected_free(&task.expected);
    outcome_free(&task.outcome);
}

Test(faults_engine, run)
{
    faults_open();
    check_run(CLKL_KEEP_NONE);
}

/* A GPU's memory is its own: inputs are copied there. */
Test(faults_engine, run_on_a_gpu)
{
    faults_open();
    faults_fake(&gpu);
    check_run(0);
}
