/* Full covariances through clkl_engine_run: the default device against the reference, whole and in
 * pieces. */
#include "engines.h"

#include "engine/engine.h"
#include "opencl/covariance_batch.h"

#include <math.h>

TestSuite(engine_covariance, .timeout = 120, .init = forget_wish);

enum { SAMPLES = 9, DIMENSION = 6 };

/* Everything that comes back. */
struct outputs {
    float result[SAMPLES * DIMENSION], parts[2 * SAMPLES * DIMENSION];
    uint32_t value_status[SAMPLES * DIMENSION];
    clkl_matrix_status status[SAMPLES];
};

static void run_on(clkl_engine *engine, const struct covariance_batch *batch,
                   struct outputs *outputs)
{
    clkl_error error = {.struct_size = sizeof error};
    const clkl_host_args args = {.struct_size = sizeof args,
                                 .p_mean = batch->inputs.arrays[CLKL_P_MEAN],
                                 .p_scale = batch->inputs.arrays[CLKL_P_SCALE],
                                 .q_mean = batch->inputs.arrays[CLKL_Q_MEAN],
                                 .q_scale = batch->inputs.arrays[CLKL_Q_SCALE],
                                 .result = outputs->result,
                                 .value_status = outputs->value_status,
                                 .parts = outputs->parts,
                                 .matrix_status = outputs->status};
    memset(outputs, 0, sizeof *outputs);
    cr_assert_eq(clkl_engine_run(engine, &batch->spec, &args, &error), CLKL_OK, "%s",
                 error.message);
}

static bool near_enough(float found, float exact)
{
    return isnan(exact) ? isnan(found) : fabsf(found - exact) <= 2e-5f * exact + 1e-9f;
}

static void compare(const struct outputs *found, const struct outputs *expected)
{
    for (size_t i = 0; i < SAMPLES * DIMENSION; ++i) {
        cr_expect(near_enough(found->result[i], expected->result[i]), "value %zu: %g, not %g", i,
                  (double)found->result[i], (double)expected->result[i]);
        cr_expect_eq(found->value_status[i], expected->value_status[i], "%zu", i);
    }
    for (size_t i = 0; i < 2 * SAMPLES * DIMENSION; ++i)
        cr_expect(near_enough(found->parts[i], expected->parts[i]), "part %zu: %g, not %g", i,
                  (double)found->parts[i], (double)expected->parts[i]);
    cr_expect_eq(memcmp(found->status, expected->status, sizeof found->status), 0);
}

/* The device against the reference; where `cut`, in pieces of a few samples and bit for bit. */
static void check(uint32_t keep, clkl_layout q_layout, bool cut)
{
    struct covariance_batch batch = covariance_batch_make(
        CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE, SAMPLES, DIMENSION, CLKL_F32, 0.3);
    clkl_engine *engine = engine_on(NULL), *reference = engine_on("reference");
    struct outputs found, expected, pieces;
    batch.spec.keep = keep;
    batch.spec.q.layout = q_layout;
    covariance_batch_set(&batch, CLKL_P_SCALE, 4 * DIMENSION * DIMENSION, -1.0);
    run_on(engine, &batch, &found);
    run_on(reference, &batch, &expected);
    compare(&found, &expected);
    if (cut) {
        engine->shares_memory = false;
        engine->memory = (cl_ulong)16 * DIMENSION * DIMENSION * sizeof(float);
        run_on(engine, &batch, &pieces);
        cr_expect_eq(memcmp(&pieces, &found, sizeof found), 0);
    }
    clkl_engine_release(engine);
    clkl_engine_release(reference);
    covariance_batch_free(&batch);
}

Test(engine_covariance, a_value_per_sample)
{
    check(0, CLKL_DENSE, true);
    check(0, CLKL_SHARED, true);
}

Test(engine_covariance, shares)
{
    check(3, CLKL_DENSE, true);
}

Test(engine_covariance, over_the_batch)
{
    check(CLKL_KEEP_NONE, CLKL_DENSE, false);
    check(2, CLKL_SHARED, false);
}
