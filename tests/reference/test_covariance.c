/* Full covariances: identities, shares and parts, reductions, layouts, types. Values of 40 digits
 * are in test_covariance_values.c, matrices that are none in test_covariance_status.c. */
#include "covariance_batch.h"

TestSuite(covariance, .timeout = 60);

/* ---- Values ---- */

static double diagonal_kl(const struct batch *b, size_t sample)
{
    double kl;
    clkl_spec spec = b->spec;
    spec.shape[0] = 1;
    spec.outputs = 0;
    run(&spec, (clkl_host_args){.p_mean = b->p_mean + sample * D,
                                .p_scale = b->p_scale + sample * D,
                                .q_mean = b->q_mean + sample * D,
                                .q_scale = b->q_scale + sample * D,
                                .result = &kl});
    return kl;
}

/* The matrices of a diagonal in another form. */
static void spread(clkl_form form, const double *variances, double *out)
{
    for (size_t i = 0; i < BATCH * SQUARE; i++) {
        const size_t sample = i / SQUARE, row = i / D % D, column = i % D;
        const double v = variances[sample * D + row];
        out[i] = row != column                 ? 0.0
                 : form == CLKL_MEAN_CHOLESKY  ? sqrt(v)
                 : form == CLKL_MEAN_PRECISION ? 1.0 / v
                                               : v;
    }
}

/* A diagonal is the same as a matrix: against the reference of diagonals, a different program. */
Test(covariance, diagonal_matrices_are_diagonals)
{
    const struct batch diagonal = draw(CLKL_MEAN_VAR, CLKL_MEAN_VAR);
    for (size_t p = 3; p < COUNT(forms); p++)
        for (size_t q = 3; q < COUNT(forms); q++) {
            struct batch b = diagonal;
            b.spec.p.form = forms[p];
            b.spec.q.form = forms[q];
            if (!is_matrix(forms[p]) && !is_matrix(forms[q]))
                continue;
            if (is_matrix(forms[p]))
                spread(forms[p], diagonal.p_scale, b.p_scale);
            if (is_matrix(forms[q]))
                spread(forms[q], diagonal.q_scale, b.q_scale);
            for (size_t i = 0; i < BATCH * D; i++) {
                b.p_scale[i] = forms[p] == CLKL_MEAN_STD ? sqrt(b.p_scale[i]) : b.p_scale[i];
                b.q_scale[i] = forms[q] == CLKL_MEAN_STD ? sqrt(b.q_scale[i]) : b.q_scale[i];
            }
            compute(&b);
            struct batch same = diagonal;
            same.spec.outputs = 0;
            for (size_t i = 0; i < BATCH; i++)
                cr_expect_float_eq(b.result[i] / diagonal_kl(&same, i), 1.0, 1e-14, "%d, %d",
                                   (int)forms[p], (int)forms[q]);
        }
}

Test(covariance, logarithms_are_diagonals_too)
{
    for (int form = CLKL_MEAN_LOGVAR; form <= CLKL_MEAN_LOGSTD; form++) {
        struct batch b = draw((clkl_form)form, CLKL_MEAN_COVARIANCE), as_std = b;
        as_std.spec.p.form = CLKL_MEAN_STD;
        for (size_t i = 0; i < BATCH * D; i++)
            as_std.p_scale[i] = exp(form == CLKL_MEAN_LOGVAR ? 0.5 * b.p_scale[i] : b.p_scale[i]);
        compute(&b);
        compute(&as_std);
        for (size_t i = 0; i < BATCH; i++)
            cr_expect_float_eq(b.result[i] / as_std.result[i], 1.0, 1e-14);
    }
}

Test(covariance, packed_moments_stand_beside_a_matrix)
{
    struct batch b = draw(CLKL_MEAN_LOGVAR, CLKL_MEAN_CHOLESKY), packed = b;
    packed.spec.p.form = CLKL_MOMENTS;
    for (size_t i = 0; i < BATCH; i++) { /* means, then log-variances, in the place of scales */
        memcpy(packed.p_scale + i * 2 * D, b.p_mean + i * D, D * sizeof(double));
        memcpy(packed.p_scale + i * 2 * D + D, b.p_scale + i * D, D * sizeof(double));
    }
    compute(&b);
    run(&packed.spec, (clkl_host_args){.p_mean = packed.p_scale,
                                       .q_mean = b.q_mean,
                                       .q_scale = b.q_scale,
                                       .result = packed.result});
    for (size_t i = 0; i < BATCH; i++)
        cr_expect_eq(packed.result[i], b.result[i]);
}

Test(covariance, identical_inputs_give_zero)
{
    for (size_t form = 0; form < COUNT(matrices); form++) {
        struct batch b = draw(matrices[form], matrices[form]);
        memcpy(b.q_mean, b.p_mean, sizeof b.q_mean);
        memcpy(b.q_scale, b.p_scale, sizeof b.q_scale);
        compute(&b);
        for (size_t i = 0; i < BATCH; i++)
            cr_expect(b.result[i] == 0.0 && !signbit(b.result[i]) && b.value_status[i] == 0, "%g",
                      b.result[i]);
    }
}

/* The identity is the standard normal, in every form. */
Test(covariance, identities_give_zero)
{
    for (size_t p = 0; p < COUNT(forms); p++)
        for (size_t q = 0; q < COUNT(forms); q++) {
            struct batch b = draw(forms[p], forms[q]);
            double *const scales[] = {b.p_scale, b.q_scale};
            const clkl_form form[] = {forms[p], forms[q]};
            if (!is_matrix(form[0]) && !is_matrix(form[1]))
                continue;
            memset(b.p_mean, 0, sizeof b.p_mean);
            memset(b.q_mean, 0, sizeof b.q_mean);
            for (size_t side = 0; side < 2; side++)
                for (size_t i = 0; i < BATCH * SQUARE; i++)
                    scales[side][i] = is_matrix(form[side])            ? i / D % D == i % D
                                      : form[side] == CLKL_MEAN_LOGVAR ? 0.0
                                      : form[side] == CLKL_MEAN_LOGSTD ? 0.0
                                                                       : 1.0;
            compute(&b);
            for (size_t i = 0; i < BATCH; i++)
                cr_expect_eq(b.result[i], 0.0, "%d, %d: %g", (int)form[0], (int)form[1],
                             b.result[i]);
        }
}

/* ---- Shares and parts ---- */

/* The divergence of the first k coordinates of a sample. */
static double leading(const struct batch *b, size_t sample, size_t k)
{
    double kl;
    clkl_spec spec = b->spec;
    spec.outputs = 0;
    spec.keep = 0;
    spec.shape[0] = 1;
    spec.shape[1] = k;
    spec.p.layout = spec.q.layout = CLKL_STRIDED;
    spec.p.mean_strides[1] = spec.q.mean_strides[1] = 1;
    spec.p.scale_strides[1] = is_matrix(spec.p.form) ? D : 1;
    spec.q.scale_strides[1] = is_matrix(spec.q.form) ? D : 1;
    spec.p.scale_strides[2] = spec.q.scale_strides[2] = 1;
    run(&spec,
        (clkl_host_args){.p_mean = b->p_mean + sample * D,
                         .p_scale = b->p_scale + sample * (is_matrix(spec.p.form) ? SQUARE : D),
                         .q_mean = b->q_mean + sample * D,
                         .q_scale = b->q_scale + sample * (is_matrix(spec.q.form) ? SQUARE : D),
                         .result = &kl});
    return kl;
}

static void expect_shares(clkl_form p, clkl_form q)
{
    struct batch b = draw(p, q);
    b.spec.keep = 3;
    compute(&b);
    for (size_t i = 0; i < BATCH * D; i++) {
        const size_t k = i % D;
        const double before = k == 0 ? 0.0 : leading(&b, i / D, k);
        const double share = leading(&b, i / D, k + 1) - before;
        cr_expect_float_eq(b.result[i], share, 1e-14 * (1.0 + before), "%d, %d: %g, not %g", (int)p,
                           (int)q, b.result[i], share);
        cr_expect_float_eq(b.parts[2 * i] + b.parts[2 * i + 1], b.result[i],
                           2.0 * DBL_EPSILON * b.result[i]);
    }
}

Test(covariance, shares_are_what_coordinates_add)
{
    for (size_t p = 0; p + 1 < COUNT(forms); p++)
        for (size_t q = 0; q + 1 < COUNT(forms); q++)
            if (is_matrix(forms[p]) || is_matrix(forms[q]))
                expect_shares(forms[p], forms[q]);
}

Test(covariance, shares_from_an_infinite_mean_on_are_infinite)
{
    struct batch b = draw(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE), plain = b;
    plain.spec.keep = b.spec.keep = 3;
    compute(&plain);
    b.p_mean[D + 2] = INFINITY;
    compute(&b);
    for (size_t i = 0; i < BATCH * D; i++)
        cr_expect_eq(b.result[i], i / D == 1 && i % D >= 2 ? INFINITY : plain.result[i], "%zu", i);
}

Test(covariance, the_mean_part_is_that_of_equal_covariances)
{
    struct batch b = draw(CLKL_MEAN_CHOLESKY, CLKL_MEAN_COVARIANCE), equal = b;
    equal.spec.p.form = CLKL_MEAN_COVARIANCE;
    memcpy(equal.p_scale, b.q_scale, sizeof b.q_scale);
    compute(&b);
    compute(&equal);
    for (size_t i = 0; i < BATCH; i++) {
        cr_expect_eq(equal.parts[2 * i], 0.0);
        cr_expect_float_eq(b.parts[2 * i + 1], equal.result[i], 1e-15);
        cr_expect_float_eq(b.parts[2 * i] + b.parts[2 * i + 1], b.result[i], 1e-15 * b.result[i]);
    }
}

/* ---- Reductions, layouts, types ---- */

Test(covariance, the_batch_is_averaged_or_added_up)
{
    struct batch all = draw(CLKL_MEAN_COVARIANCE, CLKL_MEAN_VAR);
    all.spec.keep = 3;
    compute(&all);
    for (int keep = 0; keep < 2; keep++)
        for (int sum = 0; sum < 2; sum++) {
            struct batch b = all;
            b.spec.keep = keep ? 2 : CLKL_KEEP_NONE;
            b.spec.batch_reduction = sum ? CLKL_BATCH_SUM : CLKL_BATCH_MEAN;
            compute(&b);
            for (size_t i = 0; i < (keep ? D : 1); i++) {
                double total = 0.0, means = 0.0;
                for (size_t k = 0; k < BATCH * D; k++) {
                    total += !keep || k % D == i ? all.result[k] : 0.0;
                    means += !keep || k % D == i ? all.parts[2 * k + 1] : 0.0;
                }
                cr_expect_float_eq(b.result[i], sum ? total : total / BATCH, 1e-14);
                cr_expect_float_eq(b.parts[2 * i + 1], sum ? means : means / BATCH, 1e-14);
            }
        }
}

/* The status of matrices is one per sample, whatever the result keeps, and values gather it. */
Test(covariance, statuses_are_per_sample)
{
    static const uint32_t keeps[] = {1, 2, 3, CLKL_KEEP_NONE};
    for (size_t k = 0; k < COUNT(keeps); k++) {
        struct batch b = draw(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE);
        b.spec.keep = keeps[k];
        b.p_scale[2 * SQUARE + D + 1] = -1.0;
        compute(&b);
        for (size_t i = 0; i < BATCH; i++)
            cr_expect_eq(b.status[i].p, i == 2 ? 2 : 0);
        for (size_t i = 0; i < clkl_spec_result_count(&b.spec, 0); i++) {
            const bool bad = keeps[k] == 1 ? i == 2 : keeps[k] == 3 ? i / D == 2 : true;
            cr_expect_eq(isnan(b.result[i]), bad);
            cr_expect_eq(b.value_status[i],
                         bad ? CLKL_VALUE_NAN | CLKL_VALUE_NOT_POSITIVE_DEFINITE : 0u);
        }
    }
}

Test(covariance, layouts)
{
    struct batch b = draw(CLKL_MEAN_COVARIANCE, CLKL_MEAN_CHOLESKY), strided, shared;
    for (size_t i = 1; i < BATCH; i++) {
        memcpy(b.q_mean + i * D, b.q_mean, D * sizeof(double));
        memcpy(b.q_scale + i * SQUARE, b.q_scale, SQUARE * sizeof(double));
    }
    compute(&b);
    shared = b;
    shared.spec.q.layout = CLKL_SHARED;
    for (size_t i = D; i < BATCH * D; i++)
        shared.q_mean[i] = shared.q_scale[i + SQUARE] = NAN;
    compute(&shared);
    cr_expect_arr_eq(shared.result, b.result, BATCH * sizeof(double));

    strided = b; /* column-major, the batch innermost */
    strided.spec.q = (clkl_gaussian){.form = CLKL_MEAN_CHOLESKY,
                                     .dtype = CLKL_F64,
                                     .layout = CLKL_STRIDED,
                                     .mean_strides = {1, BATCH},
                                     .scale_strides = {1, BATCH, BATCH * D}};
    for (size_t i = 0; i < BATCH * D; i++)
        strided.q_mean[i % D * BATCH + i / D] = b.q_mean[i];
    for (size_t i = 0; i < BATCH * SQUARE; i++)
        strided.q_scale[i / SQUARE + BATCH * (i / D % D + D * (i % D))] = b.q_scale[i];
    compute(&strided);
    cr_expect_arr_eq(strided.result, b.result, BATCH * sizeof(double));
}

Test(covariance, a_smaller_batch_than_planned)
{
    struct batch b = draw(CLKL_MEAN_PRECISION, CLKL_MEAN_COVARIANCE);
    compute(&b);
    double two[3] = {0.0, 0.0, -1.0};
    run(&b.spec, (clkl_host_args){.p_mean = b.p_mean,
                                  .p_scale = b.p_scale,
                                  .q_mean = b.q_mean,
                                  .q_scale = b.q_scale,
                                  .result = two,
                                  .batch = 2});
    cr_expect(two[0] == b.result[0] && two[1] == b.result[1] && two[2] == -1.0);
}

Test(covariance, floats_in_and_out)
{
    struct batch b = draw(CLKL_MEAN_COVARIANCE, CLKL_MEAN_PRECISION);
    float arrays[4][BATCH * SQUARE], result[BATCH], parts[2 * BATCH];
    double *const wide[] = {b.p_mean, b.p_scale, b.q_mean, b.q_scale};
    for (size_t k = 0; k < 4; k++)
        for (size_t i = 0; i < BATCH * (k % 2 ? SQUARE : D); i++)
            wide[k][i] = (double)(arrays[k][i] = (float)wide[k][i]);
    compute(&b);
    b.spec.p.dtype = b.spec.q.dtype = b.spec.compute = CLKL_F32;
    run(&b.spec, (clkl_host_args){.p_mean = arrays[0],
                                  .p_scale = arrays[1],
                                  .q_mean = arrays[2],
                                  .q_scale = arrays[3],
                                  .result = result,
                                  .parts = parts});
    for (size_t i = 0; i < BATCH; i++) {
        cr_expect_eq(result[i], (float)b.result[i]);
        cr_expect_eq(parts[2 * i], (float)b.parts[2 * i]);
        cr_expect_eq(parts[2 * i + 1], (float)b.parts[2 * i + 1]);
    }
}

Test(covariance, a_deterministic_p_gives_zero)
{
    struct batch b = draw(CLKL_STANDARD_NORMAL, CLKL_MEAN_COVARIANCE);
    b.spec.p.form = CLKL_DETERMINISTIC;
    b.q_scale[0] = NAN;
    memset(b.status, 'x', sizeof b.status);
    compute(&b);
    for (size_t i = 0; i < BATCH; i++)
        cr_expect(b.result[i] == 0.0 && b.parts[2 * i] == 0.0 && b.parts[2 * i + 1] == 0.0 &&
                  b.value_status[i] == 0 && b.status[i].p == 0 && b.status[i].q == 0);
}
