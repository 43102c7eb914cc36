/* What the tests of gradients have in common: a small specification, its check, the device. */
#ifndef CLKL_TESTS_GRADIENT_SPECS_H
#define CLKL_TESTS_GRADIENT_SPECS_H

#include "support/device_fixture.h"
#include "support/gradient_call.h"

enum {
    PM = CLKL_GRADIENT_P_MEAN,
    PS = CLKL_GRADIENT_P_SCALE,
    QM = CLKL_GRADIENT_Q_MEAN,
    QS = CLKL_GRADIENT_Q_SCALE,
    OF_P = PM | PS,
    OF_Q = QM | QS,
    ALL = OF_P | OF_Q
};

/* Fewer where every new program takes a second to compile. */
static inline size_t at_most(size_t wanted, size_t on_slow)
{
    return device.device->facts.style == CLKL_STYLE_LANES && wanted > on_slow ? on_slow : wanted;
}

#define COUNT(array) (sizeof(array) / sizeof *(array))

static inline clkl_spec make_spec(clkl_form p, clkl_form q)
{
    clkl_spec spec = {.struct_size = sizeof spec, .rank = 3, .shape = {3, 4, 21}};
    spec.p.form = p;
    spec.q.form = q;
    spec.gradients =
        (p != CLKL_STANDARD_NORMAL ? OF_P : 0u) | (q != CLKL_STANDARD_NORMAL ? OF_Q : 0u);
    return spec;
}

static inline void check(const clkl_spec *spec, const char *what)
{
    struct gradient_call call;
    gradient_call_make(&call, spec);
    gradient_call_check(&call, &device, what);
    gradient_call_free(&call);
}

static inline void strides(int64_t *to, int64_t a, int64_t b, int64_t c)
{
    to[0] = a;
    to[1] = b;
    to[2] = c;
}

#endif
