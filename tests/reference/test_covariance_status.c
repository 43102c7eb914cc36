/* Full covariances: matrices that are none, means that are not finite, few digits, jitter, and what
 * is refused. */
#include "covariance_batch.h"

TestSuite(covariance_status, .timeout = 60);

/* All samples but one are what they are in `plain`, and that one is NaN with this status. */
static void expect_one_bad(const struct batch *b, const struct batch *plain, size_t sample,
                           int32_t p, int32_t q, const char *what)
{
    for (size_t i = 0; i < BATCH; i++) {
        if (i == sample) {
            cr_expect(isnan(b->result[i]), "%s: %g", what, b->result[i]);
            cr_expect(isnan(b->parts[2 * i]) && isnan(b->parts[2 * i + 1]), "%s", what);
            cr_expect_eq(b->value_status[i], CLKL_VALUE_NAN | CLKL_VALUE_NOT_POSITIVE_DEFINITE,
                         "%s: %u", what, b->value_status[i]);
            cr_expect(b->status[i].p == p && b->status[i].q == q, "%s: status %d and %d", what,
                      (int)b->status[i].p, (int)b->status[i].q);
            continue;
        }
        cr_expect_eq(b->result[i], plain->result[i], "%s: sample %zu", what, i);
        cr_expect(b->status[i].p == 0 && b->status[i].q == 0 && b->value_status[i] == 0, "%s",
                  what);
    }
}

/* ---- Matrices that are none ---- */

/* Makes the pivot of that row what it is not to be, in a factor, a covariance or a precision. */
static void spoil(clkl_form form, double *scale, size_t row, double pivot)
{
    double factor[SQUARE];
    if (form == CLKL_MEAN_CHOLESKY || !is_matrix(form)) {
        scale[is_matrix(form) ? row * D + row : row] = pivot;
        return;
    }
    memset(factor, 0, sizeof factor);
    for (size_t i = 0; i < D; i++)
        for (size_t j = 0; j <= i; j++)
            factor[i * D + j] = i == j ? 1.0 : 0.25;
    square_of(factor, scale);
    scale[row * D + row] += pivot - 1.0;
}

Test(covariance_status, a_bad_pivot_is_named_and_its_neighbours_are_right)
{
    static const double pivots[] = {0.0, -0.5, NAN, INFINITY, -INFINITY};
    for (size_t p = 3; p < COUNT(forms); p++)
        for (size_t q = 3; q < COUNT(forms); q++) {
            if (!is_matrix(forms[p]) && !is_matrix(forms[q]))
                continue;
            struct batch plain = draw(forms[p], forms[q]);
            compute(&plain);
            for (size_t i = 0; i < 2 * BATCH * D * COUNT(pivots); i++) {
                struct batch b = plain;
                const size_t row = i / 2 % D, sample = i / 2 / D % BATCH;
                const bool of_p = i % 2;
                const double pivot = pivots[i / 2 / D / BATCH];
                const clkl_form form = of_p ? forms[p] : forms[q];
                const size_t size = is_matrix(form) ? SQUARE : D;
                /* A precision beside a covariance or factor is taken from its last row. */
                const bool upwards = form == CLKL_MEAN_PRECISION && pivot < 1.0 &&
                                     is_matrix(forms[p]) && is_matrix(forms[q]) &&
                                     forms[p] != forms[q];
                spoil(form, (of_p ? b.p_scale : b.q_scale) + sample * size, row, pivot);
                compute(&b);
                int32_t k = (int32_t)row + 1;
                if (upwards && isfinite(pivot))
                    k = of_p ? b.status[sample].p : b.status[sample].q;
                cr_expect(k >= 1 && k <= (int32_t)row + 1);
                expect_one_bad(&b, &plain, sample, of_p ? k : 0, of_p ? 0 : k, "a bad pivot");
            }
        }
}

/* For every element that is read, on either side: NaN and infinities are bad, in any form. */
Test(covariance_status, an_entry_that_is_not_finite_is_bad)
{
    static const double numbers[] = {NAN, INFINITY, -INFINITY};
    for (size_t p = 0; p < COUNT(matrices); p++)
        for (size_t q = 0; q < COUNT(matrices); q++) {
            struct batch plain = draw(matrices[p], matrices[q]);
            compute(&plain);
            for (size_t i = 0; i < 2 * SQUARE * COUNT(numbers); i++) {
                struct batch b = plain;
                const size_t row = i / 2 / D % D, column = i / 2 % D;
                (i % 2 ? b.p_scale : b.q_scale)[SQUARE + row * D + column] =
                    numbers[i / 2 / SQUARE];
                compute(&b);
                if (column > row) {
                    cr_expect_arr_eq(b.result, plain.result, BATCH * sizeof(double), "not read");
                    continue;
                }
                const clkl_form form = i % 2 ? matrices[p] : matrices[q];
                const bool upwards = form == CLKL_MEAN_PRECISION && p != q;
                const int32_t k = (int32_t)(upwards ? column : row) + 1;
                expect_one_bad(&b, &plain, 1, i % 2 ? k : 0, i % 2 ? 0 : k, "not finite");
            }
        }
}

Test(covariance_status, both_sides_are_reported)
{
    for (size_t p = 0; p < COUNT(matrices); p++)
        for (size_t q = 0; q < COUNT(matrices); q++) {
            struct batch b = draw(matrices[p], matrices[q]);
            b.p_scale[0] = NAN;
            b.q_scale[0] = -1.0;
            compute(&b);
            cr_expect(b.status[0].p == 1 && b.status[0].q == 1, "%d, %d", (int)b.status[0].p,
                      (int)b.status[0].q);
        }
}

/* ---- Means ---- */

Test(covariance_status, means_that_are_not_finite)
{
    static const struct {
        double p, q, kl;
    } cases[] = {{NAN, 0, NAN},
                 {0, NAN, NAN},
                 {INFINITY, 0, INFINITY},
                 {0, -INFINITY, INFINITY},
                 {INFINITY, -INFINITY, INFINITY},
                 {INFINITY, INFINITY, NAN}};
    for (size_t form = 0; form < COUNT(matrices); form++)
        for (size_t i = 0; i < COUNT(cases) * D; i++) {
            struct batch b = draw(matrices[form], CLKL_MEAN_CHOLESKY), plain = b;
            const double kl = cases[i / D].kl;
            compute(&plain);
            b.p_mean[D + i % D] = cases[i / D].p;
            b.q_mean[D + i % D] = cases[i / D].q;
            compute(&b);
            cr_expect(isnan(kl) ? isnan(b.result[1]) : b.result[1] == kl, "%g", b.result[1]);
            cr_expect_eq(b.value_status[1], isnan(kl) ? CLKL_VALUE_NAN : CLKL_VALUE_INFINITE);
            cr_expect_eq(b.parts[2], plain.parts[2], "the covariances' part is left alone");
            cr_expect_eq(b.result[0], plain.result[0]);
            cr_expect_eq(b.result[2], plain.result[2]);
        }
}

/* ---- Range ---- */

Test(covariance_status, a_divergence_beyond_the_range_is_infinite)
{
    for (size_t form = 0; form < COUNT(matrices); form++) {
        struct batch b = draw(matrices[form], matrices[form]);
        const bool inverse = matrices[form] == CLKL_MEAN_PRECISION;
        for (size_t i = 0; i < BATCH * SQUARE; i++) {
            b.p_scale[i] *= inverse ? 1e-300 : 1e300;
            b.q_scale[i] *= inverse ? 1e300 : 1e-300;
        }
        compute(&b);
        for (size_t i = 0; i < BATCH; i++) {
            cr_expect_eq(b.result[i], INFINITY, "%g", b.result[i]);
            cr_expect_eq(b.value_status[i], CLKL_VALUE_INFINITE);
        }
    }
}

/* ---- Few digits, jitter ---- */

/* The identity with one other element in the last place of the diagonal. */
static void set_last(double *scales, double x)
{
    for (size_t i = 0; i < BATCH * SQUARE; i++)
        scales[i] = i / D % D != i % D ? 0.0 : i % SQUARE == SQUARE - 1 ? x : 1.0;
}

Test(covariance_status, few_digits_follow_the_condition_and_the_compute_type)
{
    for (size_t form = 0; form < COUNT(matrices); form++)
        for (int wide = 0; wide < 2; wide++)
            for (int above = 0; above < 2; above++) {
                struct batch b = draw(matrices[form], CLKL_MEAN_COVARIANCE);
                const double epsilon = wide ? DBL_EPSILON : (double)FLT_EPSILON;
                const double condition = (above ? 1.01 : 0.99) * 0.01 / epsilon;
                b.spec.compute = wide ? CLKL_F64 : CLKL_F32;
                set_last(b.p_scale,
                         matrices[form] == CLKL_MEAN_CHOLESKY ? sqrt(condition) : condition);
                compute(&b);
                for (size_t i = 0; i < BATCH; i++) {
                    cr_expect_eq(b.status[i].p, above ? CLKL_MATRIX_FEW_DIGITS : 0);
                    cr_expect_eq(b.status[i].q, 0);
                    cr_expect_eq(b.value_status[i], above ? CLKL_VALUE_FEW_DIGITS : 0u);
                }
            }
}

/* Between close covariances P's factor is never made, and its condition known all the same. */
Test(covariance_status, few_digits_of_both_where_they_are_close)
{
    struct batch b = draw(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE);
    set_last(b.p_scale, 1e-14);
    set_last(b.q_scale, 1.1e-14);
    compute(&b);
    cr_expect_eq(b.status[0].p, CLKL_MATRIX_FEW_DIGITS);
    cr_expect_eq(b.status[0].q, CLKL_MATRIX_FEW_DIGITS);
    cr_expect_float_eq(b.parts[0], 0.5 * (1.0 / 1.1 - 1.0 - log(1.0 / 1.1)), 1e-14);
}

/* The condition is that of P itself, a little beyond the limit where Q's is within. */
Test(covariance_status, few_digits_of_one_of_two_that_are_close)
{
    struct batch b = draw(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE);
    set_last(b.p_scale, 1.1 * 0.01 / DBL_EPSILON);
    set_last(b.q_scale, 0.9 * 0.01 / DBL_EPSILON);
    compute(&b);
    cr_expect_eq(b.status[0].p, CLKL_MATRIX_FEW_DIGITS);
    cr_expect_eq(b.status[0].q, 0);
}

Test(covariance_status, no_condition_of_a_diagonal)
{
    struct batch b = draw(CLKL_MEAN_STD, CLKL_MEAN_CHOLESKY);
    b.p_scale[0] = 1e-30;
    compute(&b);
    cr_expect_eq(b.status[0].p, 0);
}

/* Only the matrix that fails is changed, by jitter times the mean of its diagonal. */
Test(covariance_status, jitter_is_added_where_a_factor_fails)
{
    static const clkl_form jittered[] = {CLKL_MEAN_COVARIANCE, CLKL_MEAN_PRECISION};
    for (size_t form = 0; form < COUNT(jittered); form++)
        for (int of_q = 0; of_q < 2; of_q++) {
            struct batch b = draw(jittered[form], jittered[form]), by_hand = b;
            double *const scale = (of_q ? b.q_scale : b.p_scale) + SQUARE;
            double *const hand = (of_q ? by_hand.q_scale : by_hand.p_scale) + SQUARE;
            for (size_t i = 0; i < SQUARE; i++) { /* of rank 1, with a diagonal of 2 */
                scale[i] = 2.0;
                hand[i] = i / D == i % D ? 2.0 + 0.25 * 2.0 : 2.0;
            }
            compute(&b);
            cr_expect_eq(of_q ? b.status[1].q : b.status[1].p, 2);
            b.spec.jitter = 0.25;
            compute(&b);
            compute(&by_hand);
            cr_expect_arr_eq(b.result, by_hand.result, BATCH * sizeof(double));
            for (size_t i = 0; i < BATCH; i++) {
                const int32_t expected = i == 1 ? CLKL_MATRIX_JITTERED : 0;
                cr_expect_eq(b.status[i].p, of_q ? 0 : expected);
                cr_expect_eq(b.status[i].q, of_q ? expected : 0);
                cr_expect_eq(b.value_status[i], i == 1 ? CLKL_VALUE_JITTERED : 0u);
            }
        }
}

Test(covariance_status, jitter_that_does_not_help_leaves_the_pivot)
{
    struct batch b = draw(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE), plain = b;
    compute(&plain);
    b.spec.jitter = 1e-6;
    b.q_scale[2 * SQUARE + 2 * D + 2] = -5.0;
    compute(&b);
    expect_one_bad(&b, &plain, 2, 0, 3, "jitter");
    b.q_scale[2 * SQUARE + 2 * D + 2] = NAN; /* and so is the diagonal's mean */
    compute(&b);
    expect_one_bad(&b, &plain, 2, 0, 3, "jitter that is NaN");
}

Test(covariance_status, jitter_keeps_identical_singular_matrices_identical)
{
    struct batch b = draw(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE);
    b.spec.jitter = 1e-3;
    for (size_t i = 0; i < BATCH * SQUARE; i++)
        b.p_scale[i] = b.q_scale[i] = 3.0;
    compute(&b);
    for (size_t i = 0; i < BATCH; i++) {
        cr_expect_eq(b.parts[2 * i], 0.0);
        cr_expect(b.status[i].p == CLKL_MATRIX_JITTERED && b.status[i].q == CLKL_MATRIX_JITTERED);
    }
}

/* ---- Refusals ---- */

Test(covariance_status, what_was_not_asked_for_is_refused)
{
    struct batch b = draw(CLKL_MEAN_COVARIANCE, CLKL_MEAN_COVARIANCE);
    clkl_error error = {.struct_size = sizeof error};
    clkl_host_args args = {.struct_size = sizeof args,
                           .p_mean = b.p_mean,
                           .p_scale = b.p_scale,
                           .q_mean = b.q_mean,
                           .q_scale = b.q_scale,
                           .result = b.result,
                           .parts = b.parts};
    b.spec.outputs = CLKL_OUTPUT_MATRIX_STATUS;
    cr_expect_eq(clkl_reference_run(&b.spec, &args, &error), CLKL_INVALID_ARGUMENT);
    cr_expect(strstr(error.message, "args->parts") != NULL, "%s", error.message);
    args.parts = NULL;
    args.matrix_status = b.status;
    cr_expect_eq(clkl_reference_run(&b.spec, &args, &error), CLKL_OK);
    b.spec.outputs = CLKL_OUTPUT_PARTS;
    cr_expect_eq(clkl_reference_run(&b.spec, &args, &error), CLKL_INVALID_ARGUMENT);
    cr_expect(strstr(error.message, "args->matrix_status") != NULL, "%s", error.message);
    args.matrix_status = NULL;
    args.q_scale = NULL;
    cr_expect_eq(clkl_reference_run(&b.spec, &args, &error), CLKL_INVALID_ARGUMENT);
}

/* Two matrices of 2^54 long doubles are more than any machine has. */
Test(covariance_status, memory_that_is_not_there_is_said)
{
    double number = 1.0, result = -1.0;
    clkl_error error = {.struct_size = sizeof error};
    const clkl_spec spec = {.struct_size = sizeof spec,
                            .rank = 2,
                            .shape = {1, (uint64_t)1 << 27},
                            .p = {.form = CLKL_MEAN_COVARIANCE, .dtype = CLKL_F64}};
    const clkl_host_args args = {
        .struct_size = sizeof args, .p_mean = &number, .p_scale = &number, .result = &result};
    cr_expect_eq(clkl_reference_run(&spec, &args, &error), CLKL_OUT_OF_HOST_MEMORY);
    cr_expect(strstr(error.message, "134217728 x 134217728") != NULL, "%s", error.message);
    cr_expect_eq(result, -1.0);
}
