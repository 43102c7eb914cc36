#include "caller.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

void check(int ok, const char *what)
{
    if (!ok) {
        fprintf(stderr, "caller of 0.1: failed: %s\n", what);
        exit(EXIT_FAILURE);
    }
}

static double divergence(double mp, double vp, double mq, double vq)
{
    return 0.5 * (vp / vq - 1 - log(vp / vq) + (mp - mq) * (mp - mq) / vq);
}

static double clamped(double x, double low, double high, uint32_t *count)
{
    if (x >= low && x <= high)
        return x;
    ++*count;
    return x < low ? low : high;
}

void make_packed(struct computation *made)
{
    enum { BATCH = 2, CHANNELS = 3, UNITS = 4, PITCH = 10 };
    const size_t shape[] = {BATCH, CHANNELS, UNITS};
    const int64_t strides[] = {CHANNELS * PITCH, PITCH, 1};
    memset(made, 0, sizeof *made);
    made->name = "packed moments";
    clkl_spec_moments(&made->spec, 3, shape);
    made->spec.p.dtype = CLKL_F32;
    made->spec.p.layout = CLKL_STRIDED;
    made->spec.p.split_axis = 2;
    memcpy(made->spec.p.mean_strides, strides, sizeof strides);
    made->spec.outputs = CLKL_OUTPUT_CLAMP_COUNTS;
    made->spec.clamp = CLKL_CLAMP;
    made->spec.clamp_low = -1.5;
    made->spec.clamp_high = 1.0;
    made->spec.keep = CLKL_KEEP_NONE;
    made->spec.batch_reduction = CLKL_BATCH_MEAN;
    made->values = 1;
    for (int row = 0; row < BATCH * CHANNELS; ++row)
        for (int i = 0; i < UNITS; ++i) {
            float *mean = &made->p_mean[row * PITCH + i], *logvar = mean + UNITS;
            *mean = 0.25f * (float)(row - i);
            *logvar = 0.5f * (float)(i - row);
            const double l = clamped(*logvar, -1.5, 1.0, &made->counts[0].p);
            made->expected[0] += divergence(*mean, exp(l), 0, 1) / BATCH;
        }
}

void make_pair(struct computation *made)
{
    enum { PLANNED = 3, BATCH = 2, UNITS = 4 };
    memset(made, 0, sizeof *made);
    made->name = "mean and scale of both";
    made->spec.struct_size = sizeof made->spec;
    made->spec.rank = 2;
    made->spec.shape[0] = PLANNED;
    made->spec.shape[1] = UNITS;
    made->spec.p.form = CLKL_MEAN_STD;
    made->spec.q.form = CLKL_MEAN_VAR;
    made->spec.q.layout = CLKL_STRIDED;
    made->spec.q.mean_strides[1] = 2;
    made->spec.q.scale_strides[1] = 3;
    made->spec.compute = CLKL_F32;
    made->spec.keep = 1u << 1;
    made->spec.batch_reduction = CLKL_BATCH_SUM;
    made->batch = BATCH;
    made->values = UNITS;
    for (int i = 0; i < UNITS; ++i) {
        made->q_mean[2 * i] = 0.5f - (float)i;
        made->q_scale[3 * i] = i == 2 ? -1.0f : 0.5f + (float)i;
        for (int sample = 0; sample < BATCH; ++sample) {
            const int at = sample * UNITS + i;
            made->p_mean[at] = 0.125f * (float)at;
            made->p_scale[at] = 1.0f + 0.5f * (float)at;
            made->expected[i] += divergence(made->p_mean[at], made->p_scale[at] * made->p_scale[at],
                                            made->q_mean[2 * i], made->q_scale[3 * i]);
        }
    }
    made->status[2] = CLKL_VALUE_NAN | CLKL_VALUE_NEGATIVE_SCALE;
}

void check_values(const struct computation *made, const double *values, double tolerance,
                  const uint32_t *status, const clkl_clamp_count *counts)
{
    for (size_t i = 0; i < made->values; ++i) {
        const double exact = made->expected[i];
        check(status[i] == made->status[i], "status of a value");
        if ((made->status[i] & CLKL_VALUE_NAN) != 0)
            check(isnan(values[i]), "NaN for a negative scale");
        else
            check(fabs(values[i] - exact) <= tolerance * exact, made->name);
        if ((made->spec.outputs & CLKL_OUTPUT_CLAMP_COUNTS) != 0)
            check(counts[i].p == made->counts[i].p && counts[i].q == made->counts[i].q,
                  "clamp counts");
    }
}

void check_floats(const struct computation *made, const float *values, const uint32_t *status,
                  const clkl_clamp_count *counts)
{
    double wide[MAX_VALUES];
    for (size_t i = 0; i < made->values; ++i)
        wide[i] = values[i];
    check_values(made, wide, 2e-6, status, counts);
}
