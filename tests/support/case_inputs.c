#include "case_inputs.h"

#include <criterion/criterion.h>
#include <stdlib.h>

clkl_form scale_kind_form(enum scale_kind kind)
{
    static const clkl_form forms[] = {CLKL_STANDARD_NORMAL, CLKL_MEAN_LOGVAR, CLKL_MEAN_LOGSTD,
                                      CLKL_MEAN_VAR, CLKL_MEAN_STD};
    return forms[kind];
}

clkl_spec case_spec(const struct test_case *c, uint64_t batch)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 2};
    spec.shape[0] = batch;
    spec.shape[1] = c->elements;
    spec.p.form = scale_kind_form(c->p);
    spec.q.form = scale_kind_form(c->q);
    spec.q.layout = c->shared_q ? CLKL_SHARED : CLKL_DENSE;
    if (c->clamped && (c->p == SCALE_LOGVAR || c->q == SCALE_LOGVAR)) {
        spec.clamp = CLKL_CLAMP;
        spec.clamp_low = (double)c->clamp_lo;
        spec.clamp_high = (double)c->clamp_hi;
    }
    return spec;
}

static void *rows_of(const struct test_case *c, enum operand which, enum case_samples samples,
                     clkl_dtype dtype)
{
    bool shared = c->shared_q && (which == Q_MEAN || which == Q_SCALE);
    uint64_t rows = shared ? 1 : samples == CASE_ALL ? c->batch : case_listed_count(c);
    const size_t size = dtype == CLKL_F64 ? sizeof(double) : sizeof(float);
    char *array = malloc(rows * c->elements * size);
    cr_assert_not_null(array);
    for (uint64_t k = 0; k < rows; k++) {
        void *row = array + k * c->elements * size;
        const uint64_t sample = samples == CASE_ALL ? k : case_listed(c, k);
        if (dtype == CLKL_F64)
            case_fill_wide(c, which, sample, 1, row);
        else
            case_fill(c, which, sample, 1, row);
    }
    return array;
}

void case_inputs_make(const struct test_case *c, enum case_samples samples, clkl_dtype dtype,
                      void *arrays[4])
{
    for (int i = 0; i < 4; i++)
        arrays[i] = (i < Q_MEAN ? c->p : c->q) == SCALE_STANDARD
                        ? NULL
                        : rows_of(c, (enum operand)i, samples, dtype);
}

void case_inputs_free(void *arrays[4])
{
    for (int i = 0; i < 4; i++)
        free(arrays[i]);
}
