/* element_slopes of kernels/slopes.clh, run over single elements, against the reference. The
 * program is the library's sources up to that file and a kernel that calls the function. */
#include "device.h"
#include "opencl/sources.h"
#include "reference/slopes.h"
#include "support/hash.h"

#include <criterion/criterion.h>
#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { UNIT = CLKL_SCALE_UNIT, LOGVAR, LOGSTD, VAR, STD, KINDS };
enum { P_MEAN, P_SCALE, Q_MEAN, Q_SCALE, NUMBERS };
enum { SPECIAL = 6 * 12 * 6 * 12, DRAWN = 4096, ELEMENTS = SPECIAL + 3 * DRAWN };

_Static_assert(ELEMENTS % 16 == 0, "whole vectors of every width");

static const char *const kind_name[] = {"unit", "logvar", "logstd", "var", "std"};
static const char *const member_name[] = {"p_mean", "p_scale", "q_mean", "q_scale"};

static struct test_device device;

static void open_device(void)
{
    test_device_open(&device);
}

static void close_device(void)
{
    test_device_close(&device);
}

TestSuite(element_slopes, .init = open_device, .fini = close_device, .timeout = 300);

/* ---- The program ---- */

static const char kernel_text[] =
    "#if AW == 1\n"
    "#define LOAD(x) x[i]\n"
    "#define STORE(x, value) x[i] = value\n"
    "#else\n"
    "#define LOAD(x) CLKL_JOIN(vload, AW)(i, x)\n"
    "#define STORE(x, value) CLKL_JOIN(vstore, AW)(value, i, x)\n"
    "#endif\n"
    "kernel void each_element(global const real *mp, global const real *sp, global const real "
    "*mq,\n"
    "                         global const real *sq, global real *by)\n"
    "{\n"
    "    const size_t i = get_global_id(0), n = get_global_size(0) * AW;\n"
    "    const slopes s = element_slopes(LOAD(mp), LOAD(sp), LOAD(mq), LOAD(sq));\n"
    "    STORE(by, s.p_mean);\n"
    "    STORE((by + n), s.p_scale);\n"
    "    STORE((by + 2 * n), s.q_mean);\n"
    "    STORE((by + 3 * n), s.q_scale);\n"
    "}\n";

static cl_program build(int p_kind, int q_kind, int lanes)
{
    const char *texts[16];
    cl_uint count = 0;
    char options[128], log[4096] = "";
    cl_int code;
    do
        texts[count] = clkl_sources[count].text;
    while (strcmp(clkl_sources[count++].name, "slopes.clh") != 0);
    texts[count++] = kernel_text;
    cl_program program = clCreateProgramWithSource(device.context, count, texts, NULL, &code);
    cr_assert_eq(code, CL_SUCCESS);
    snprintf(options, sizeof options,
             "-cl-std=CL1.2 -Werror -DP_SCALE=%d -DQ_SCALE=%d -DVW=%d -DAW=%d", p_kind, q_kind,
             lanes, lanes);
    code = clBuildProgram(program, 1, &device.id, options, NULL, NULL);
    clGetProgramBuildInfo(program, device.id, CL_PROGRAM_BUILD_LOG, sizeof log, log, NULL);
    cr_assert_eq(code, CL_SUCCESS, "%s: %s", options, log);
    return program;
}

/* ---- The elements ---- */

struct elements {
    float x[NUMBERS][ELEMENTS];
    float by[NUMBERS][ELEMENTS];
};

/* Every number that is special, with every other. (A logarithm of sigma above half of FLT_MAX is
 * taken for half of it.) */
static void fill_special(int p_kind, int q_kind, struct elements *e, size_t i)
{
    static const float means[6] = {0.0f, 1.5f, -FLT_MAX, INFINITY, -INFINITY, NAN};
    static const float logs[12] = {0.0f,  1.0f,   -1e-6f,   88.0f,     -87.0f, 300.0f,
                                   -1e4f, -2e38f, INFINITY, -INFINITY, NAN,    2e38f};
    static const float linears[12] = {0.0f,  1.0f,    FLT_MIN,  1e-20f,    3.0f, -0.0f,
                                      -1.0f, FLT_MAX, INFINITY, -INFINITY, NAN,  1e20f};
    e->x[P_MEAN][i] = p_kind == UNIT ? 0.0f : means[i % 6];
    e->x[P_SCALE][i] = (p_kind >= VAR ? linears : logs)[i / 6 % 12];
    e->x[Q_MEAN][i] = q_kind == UNIT ? 0.0f : means[i / 72 % 6];
    e->x[Q_SCALE][i] = (q_kind >= VAR ? linears : logs)[i / 432];
}

/* The number for a log-variance, rounded. */
static float scale_of(int kind, double log_variance)
{
    switch (kind) {
    case LOGVAR:
        return (float)log_variance;
    case LOGSTD:
        return (float)(0.5 * log_variance);
    case VAR:
        return (float)exp(log_variance);
    case STD:
        return (float)exp(0.5 * log_variance);
    default:
        return 1.0f;
    }
}

/* Log-variances from -`range` to `range` that differ by at most `apart` times that, and means that
 * differ by 2^-20 to 2^4 standard deviations of Q. */
static void fill_drawn(int p_kind, int q_kind, double range, double apart, struct elements *e,
                       size_t first)
{
    const uint64_t seed = hash_text("element_slopes");
    for (size_t i = first; i < first + DRAWN; i++) {
        const double log_p = p_kind == UNIT ? 0.0 : hash_uniform(seed, 0, i, -range, range);
        double log_q = log_p + apart * hash_uniform(seed, 1, i, -range, range) *
                                   exp2(hash_uniform(seed, 2, i, -12.0, 0.0));
        log_q = q_kind == UNIT ? 0.0 : fmax(-range, fmin(log_q, range));
        const double z = hash_sign(seed, 3, i) * exp2(hash_uniform(seed, 3, i, -20.0, 4.0));
        const double p_mean = hash_uniform(seed, 4, i, -1.0, 1.0) * (i % 2 == 0);
        e->x[P_SCALE][i] = scale_of(p_kind, log_p);
        e->x[Q_SCALE][i] = scale_of(q_kind, log_q);
        e->x[P_MEAN][i] = p_kind == UNIT ? 0.0f : q_kind == UNIT ? (float)z : (float)p_mean;
        e->x[Q_MEAN][i] = q_kind == UNIT ? 0.0f : (float)(e->x[P_MEAN][i] - z * exp(0.5 * log_q));
    }
}

static void fill(int p_kind, int q_kind, struct elements *e)
{
    for (size_t i = 0; i < SPECIAL; i++)
        fill_special(p_kind, q_kind, e, i);
    fill_drawn(p_kind, q_kind, 4.0, 1.0, e, SPECIAL);
    fill_drawn(p_kind, q_kind, 20.0, 1e-4, e, SPECIAL + DRAWN);
    fill_drawn(p_kind, q_kind, test_device_keeps_subnormals(&device, CLKL_F32) ? 100.0 : 87.0, 2.0,
               e, SPECIAL + 2 * DRAWN);
}

static void run(cl_program program, int lanes, struct elements *e)
{
    cl_int code;
    cl_kernel kernel = clCreateKernel(program, "each_element", &code);
    cr_assert_eq(code, CL_SUCCESS);
    cl_mem buffers[NUMBERS + 1];
    for (cl_uint k = 0; k <= NUMBERS; k++) {
        buffers[k] = k < NUMBERS ? test_buffer(&device, e->x[k], sizeof e->x[k])
                                 : test_buffer(&device, NULL, sizeof e->by);
        cr_assert_eq(clSetKernelArg(kernel, k, sizeof(cl_mem), &buffers[k]), CL_SUCCESS);
    }
    const size_t items = (size_t)(ELEMENTS / lanes);
    code = clEnqueueNDRangeKernel(device.queue, kernel, 1, NULL, &items, NULL, 0, NULL, NULL);
    cr_assert_eq(code, CL_SUCCESS);
    code = clEnqueueReadBuffer(device.queue, buffers[NUMBERS], CL_TRUE, 0, sizeof e->by, e->by, 0,
                               NULL, NULL);
    cr_assert_eq(code, CL_SUCCESS);
    for (cl_uint k = 0; k <= NUMBERS; k++)
        clReleaseMemObject(buffers[k]);
    clReleaseKernel(kernel);
}

/* ---- What is expected ---- */

static bool is_mixed(int p_kind, int q_kind)
{
    return (p_kind >= VAR && (q_kind == LOGVAR || q_kind == LOGSTD)) ||
           (q_kind >= VAR && (p_kind == LOGVAR || p_kind == LOGSTD));
}

/* The chain rule's factor, and so the size of a term 1. */
static double unit_term(const struct clkl_normal *normal)
{
    const double c =
        normal->scale_kind == CLKL_SCALE_LOGSTD || normal->scale_kind == CLKL_SCALE_STD ? 1.0 : 0.5;
    return normal->scale_kind < CLKL_SCALE_VAR ? c : c / normal->scale;
}

/* What each member may be off by: of q_scale the terms are those of equal means and of equal
 * scales. A difference of logarithms where only one is given has an error of its own. */
static void bounds(const struct clkl_normal *p, const struct clkl_normal *q,
                   const double exact[NUMBERS], double bound[NUMBERS])
{
    const struct clkl_normal centred_p = {p->scale_kind, 0.0, p->scale};
    const struct clkl_normal centred_q = {q->scale_kind, 0.0, q->scale};
    const struct clkl_normal moved_q = {q->scale_kind, p->mean, q->scale};
    const double terms = fabs(clkl_normal_slopes(&centred_p, &centred_q).q_scale) +
                         fabs(clkl_normal_slopes(&moved_q, q).q_scale);
    const bool extreme = clkl_normal_extreme(p) != 0 || clkl_normal_extreme(q) != 0;
    for (int k = 0; k < NUMBERS; k++)
        bound[k] = 5e-7 * fabs(exact[k]) + 8 * (double)FLT_MIN;
    if (!extreme)
        bound[Q_SCALE] += 5e-7 * (terms - fabs(exact[Q_SCALE]));
    if (!extreme && is_mixed((int)p->scale_kind, (int)q->scale_kind)) {
        bound[P_SCALE] += 1e-12 * unit_term(p);
        bound[Q_SCALE] += 1e-12 * unit_term(q);
    }
}

/* Infinite where a float has no room for the exact value, or for it and what it may be off by. */
static bool is_right(double got, double exact, double bound)
{
    if (isnan(exact) || isinf(exact))
        return isnan(exact) ? isnan(got) : got == exact;
    if (fabs(exact) + bound > (double)FLT_MAX && isinf(got))
        return signbit(got) == signbit(exact);
    return fabs(got - exact) <= bound;
}

struct worst {
    double part[NUMBERS];
};

static void check_element(int p_kind, int q_kind, const struct elements *e, size_t i,
                          struct worst *worst, int *wrong)
{
    const struct clkl_normal p = {(enum clkl_scale)p_kind, e->x[P_MEAN][i], e->x[P_SCALE][i]};
    const struct clkl_normal q = {(enum clkl_scale)q_kind, e->x[Q_MEAN][i], e->x[Q_SCALE][i]};
    const struct clkl_slopes s = clkl_normal_slopes(&p, &q);
    const double exact[NUMBERS] = {s.p_mean, s.p_scale, s.q_mean, s.q_scale};
    double bound[NUMBERS];
    bounds(&p, &q, exact, bound);
    for (int k = 0; k < NUMBERS; k++) {
        const double got = (double)e->by[k][i];
        const double part = fabs(got - exact[k]) / bound[k];
        if (isfinite(part))
            worst->part[k] = fmax(worst->part[k], part);
        if (!is_right(got, exact[k], bound[k]) && ++*wrong <= 10)
            cr_expect(false, "%s N(%a, %a), %s N(%a, %a): %s is %g, not %g (%g times the bound)",
                      kind_name[p_kind], p.mean, p.scale, kind_name[q_kind], q.mean, q.scale,
                      member_name[k], got, exact[k], part);
    }
}

static void check_pair(int p_kind, int q_kind, int lanes, struct elements *e)
{
    struct worst worst = {{0}};
    int wrong = 0;
    fill(p_kind, q_kind, e);
    cl_program program = build(p_kind, q_kind, lanes);
    run(program, lanes, e);
    clReleaseProgram(program);
    for (size_t i = 0; i < ELEMENTS; i++)
        check_element(p_kind, q_kind, e, i, &worst, &wrong);
    cr_expect_eq(wrong, 0, "%s, %s, %d lanes: %d wrong of %d", kind_name[p_kind], kind_name[q_kind],
                 lanes, wrong, NUMBERS * ELEMENTS);
    cr_log_info("%s, %s, %d lanes: at most %.2f %.2f %.2f %.2f of the bounds", kind_name[p_kind],
                kind_name[q_kind], lanes, worst.part[0], worst.part[1], worst.part[2],
                worst.part[3]);
}

/* ---- The pairs ---- */

/* A program takes a device that compiles a work-item's lanes one by one a second: it gets a few. */
static bool is_slow(void)
{
    return device.device->facts.style == CLKL_STYLE_LANES;
}

static void check_every_pair(int lanes)
{
    struct elements *e = malloc(sizeof *e);
    cr_assert_not_null(e);
    for (int pair = 1; pair < KINDS * KINDS; pair++)
        check_pair(pair / KINDS, pair % KINDS, lanes, e);
    free(e);
}

Test(element_slopes, every_pair_in_vectors)
{
    if (!is_slow())
        check_every_pair(16);
}

Test(element_slopes, every_pair_one_by_one)
{
    if (!is_slow())
        check_every_pair(1);
}

Test(element_slopes, some_pairs_in_other_vectors)
{
    static const int pairs[][3] = {
        {LOGVAR, UNIT, 1}, {LOGVAR, LOGSTD, 4}, {UNIT, STD, 1}, {STD, LOGVAR, 1}, {VAR, STD, 2},
    };
    struct elements *e = malloc(sizeof *e);
    cr_assert_not_null(e);
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        check_pair(pairs[i][0], pairs[i][1], pairs[i][2], e);
    free(e);
}
