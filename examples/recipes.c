/* The KL terms that VAEs and world models are trained with, each a few lines: docs/training.md
 * explains them. P is the posterior, packed moments [B, 2C, L]; Q is a learned prior with mean and
 * log-variance, which all samples share. All have gradients. Arrays are in host memory here; plans
 * for OpenCL buffers take the same specifications.
 *
 *     cc recipes.c $(pkg-config --cflags --libs clkl) -lm
 */
#include "example.h"

#include <math.h>

enum { B = 4, C = 3, L = 5 };

static float moments[B][2 * C][L], moments_gradient[B][2 * C][L];
static float prior[2][C][L], prior_gradient[2][C][L]; /* means, then log-variances */

static clkl_engine *engine;
static clkl_error error = {.struct_size = sizeof error};

/* ---- What they have in common ---- */

static clkl_spec make_spec(void)
{
    /* [spec] */
    clkl_spec spec;
    clkl_spec_moments(&spec, 3, (const size_t[]){B, C, L});
    spec.q.form = CLKL_MEAN_LOGVAR;
    spec.q.layout = CLKL_SHARED;
    spec.gradients = CLKL_GRADIENT_P_MEAN | CLKL_GRADIENT_Q_MEAN | CLKL_GRADIENT_Q_SCALE;
    /* [/spec] */
    return spec;
}

static clkl_host_args make_args(void)
{
    /* [args] */
    clkl_host_args args = {.struct_size = sizeof args};
    args.p_mean = moments;
    args.q_mean = prior[0];
    args.q_scale = prior[1];
    args.p_mean_gradient = moments_gradient; /* packed as the moments are */
    args.q_mean_gradient = prior_gradient[0];
    args.q_scale_gradient = prior_gradient[1];
    /* [/args] */
    return args;
}

/* ---- The recipes; each returns its loss ---- */

/* Higgins et al. 2017. */
static double beta_vae(double beta)
{
    clkl_spec spec = make_spec();
    clkl_host_args args = make_args();
    float kl;
    /* [beta] */
    spec.keep = CLKL_KEEP_NONE; /* one value, averaged over the batch */
    args.result = &kl;
    args.factors = (clkl_upstream_factors){.given = 1, .p = beta, .q = beta};
    must(clkl_engine_run(engine, &spec, &args, &error), &error);
    /* [/beta] */
    return beta * (double)kl;
}

static double beta_of_channels(const float betas[C])
{
    clkl_spec spec = make_spec();
    clkl_host_args args = make_args();
    float kl[C];
    double loss = 0;
    /* [channels] */
    spec.keep = 1u << 1; /* a value for each channel */
    args.result = kl;
    args.upstream = betas; /* the loss is the sum of betas[c] kl[c] */
    must(clkl_engine_run(engine, &spec, &args, &error), &error);
    /* [/channels] */
    for (int c = 0; c < C; ++c)
        loss += (double)betas[c] * (double)kl[c];
    return loss;
}

/* Hafner et al. 2020. */
static double kl_balancing(double alpha)
{
    clkl_spec spec = make_spec();
    clkl_host_args args = make_args();
    float kl;
    /* [balancing] */
    spec.keep = CLKL_KEEP_NONE;
    args.result = &kl; /* alpha of the loss trains the prior, the rest the posterior */
    args.factors = (clkl_upstream_factors){.given = 1, .p = 1 - alpha, .q = alpha};
    must(clkl_engine_run(engine, &spec, &args, &error), &error);
    /* [/balancing] */
    return (double)kl;
}

/* Kingma et al. 2016. */
static double free_bits(double lambda)
{
    clkl_spec spec = make_spec();
    clkl_host_args args = make_args();
    const clkl_host_args with_gradients = args;
    const uint32_t gradients = spec.gradients;
    float kl[C];
    double loss = 0;
    args.p_mean_gradient = args.q_mean_gradient = args.q_scale_gradient = NULL;
    /* [groups] */
    spec.keep = 1u << 1;     /* the groups are the channels, averaged over the minibatch */
    spec.free_nats = lambda; /* kl[c] = max(KL, lambda) */
    spec.gradients = 0;
    args.result = kl;
    must(clkl_engine_run(engine, &spec, &args, &error), &error);

    spec.gradients = gradients; /* a second pass, which is 0 for groups at lambda */
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    args = with_gradients;
    args.values = kl;
    must(clkl_engine_run(engine, &spec, &args, &error), &error);
    /* [/groups] */
    for (int c = 0; c < C; ++c)
        loss += (double)kl[c];
    return loss;
}

/* Hafner et al. 2023. */
static double dreamer(double nats, double dynamics, double representation)
{
    clkl_spec spec = make_spec();
    clkl_host_args args = make_args();
    const clkl_host_args with_gradients = args;
    const uint32_t gradients = spec.gradients;
    float kl[B], mean[B];
    double loss = 0;
    for (int b = 0; b < B; ++b)
        mean[b] = 1.0f / B;
    args.p_mean_gradient = args.q_mean_gradient = args.q_scale_gradient = NULL;
    /* [samples] */
    spec.keep = 1u << 0;   /* a value for each sample */
    spec.free_nats = nats; /* kl[b] = max(KL, nats) */
    spec.gradients = 0;
    args.result = kl;
    must(clkl_engine_run(engine, &spec, &args, &error), &error);

    spec.gradients = gradients;
    spec.outputs = CLKL_OUTPUT_NO_RESULT;
    args = with_gradients;
    args.values = kl;
    args.upstream = mean; /* 1 / B each: the loss is the mean of the samples */
    args.factors = (clkl_upstream_factors){.given = 1, .p = representation, .q = dynamics};
    must(clkl_engine_run(engine, &spec, &args, &error), &error);
    /* [/samples] */
    for (int b = 0; b < B; ++b)
        loss += (dynamics + representation) * (double)kl[b] / B;
    return loss;
}

/* ---- Whether they are right ---- */

static void fill(float *values, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        values[i] = (float)((i * 7919) % 257) / 128 - 1;
}

/* The divergence of an element, and its derivatives by P's and Q's mean and log-variance. */
static double element(int b, int c, int i, double slopes[4])
{
    const double lq = (double)prior[1][c][i], x = (double)moments[b][C + c][i] - lq;
    const double d = (double)moments[b][c][i] - (double)prior[0][c][i];
    slopes[0] = d * exp(-lq);
    slopes[1] = 0.5 * expm1(x);
    slopes[2] = -slopes[0];
    slopes[3] = -0.5 * (expm1(x) + d * d * exp(-lq));
    return 0.5 * (expm1(x) - x + d * d * exp(-lq));
}

static double divergence(int b, int c)
{
    double sum = 0, slopes[4];
    for (int i = 0; i < L; ++i)
        sum += element(b, c, i, slopes);
    return sum;
}

static int is_near(double found, double expected)
{
    return fabs(found - expected) <= 1e-5 * (0.1 + fabs(expected));
}

/* Whether the gradients are those of the sum of p[b][c] KL[b][c] by P, and of q[b][c] by Q. */
static int are_gradients(double p[B][C], double q[B][C])
{
    int right = 1;
    for (int c = 0; c < C; ++c)
        for (int i = 0; i < L; ++i) {
            double sums[2] = {0, 0}, slopes[4];
            for (int b = 0; b < B; ++b) {
                element(b, c, i, slopes);
                right &= is_near(moments_gradient[b][c][i], p[b][c] * slopes[0]);
                right &= is_near(moments_gradient[b][C + c][i], p[b][c] * slopes[1]);
                sums[0] += q[b][c] * slopes[2];
                sums[1] += q[b][c] * slopes[3];
            }
            right &= is_near(prior_gradient[0][c][i], sums[0]);
            right &= is_near(prior_gradient[1][c][i], sums[1]);
        }
    return right;
}

static int check(const char *name, double loss, double expected, double p[B][C], double q[B][C])
{
    const int right = is_near(loss, expected) && are_gradients(p, q);
    printf("%-18s loss %g: %s\n", name, loss, right ? "right" : "wrong");
    return right;
}

/* Channels, or samples, of which some are free. */
static int check_free(const double by_channel[C], const double by_sample[B])
{
    double p[B][C], q[B][C], loss = 0, samples_loss = 0;
    const double lambda = (by_channel[0] + by_channel[1]) / 2;
    const double nats = (by_sample[0] + by_sample[1]) / 2;
    for (int c = 0; c < C; ++c)
        loss += fmax(by_channel[c], lambda);
    for (int b = 0; b < B; ++b)
        for (int c = 0; c < C; ++c)
            p[b][c] = by_channel[c] > lambda ? 1.0 / B : 0;
    int right = check("free bits", free_bits(lambda), loss, p, p);
    for (int b = 0; b < B; ++b) {
        samples_loss += 0.6 * fmax(by_sample[b], nats) / B;
        for (int c = 0; c < C; ++c) {
            p[b][c] = by_sample[b] > nats ? 0.1 / B : 0;
            q[b][c] = by_sample[b] > nats ? 0.5 / B : 0;
        }
    }
    return right & check("free bits, samples", dreamer(nats, 0.5, 0.1), samples_loss, p, q);
}

int main(void)
{
    const float betas[C] = {0.5f, 1, 8};
    double by_channel[C] = {0}, by_sample[B] = {0}, p[B][C], q[B][C], kl = 0, weighted = 0;
    fill(&moments[0][0][0], sizeof moments / sizeof(float));
    fill(&prior[0][0][0], sizeof prior / sizeof(float));
    for (int b = 0; b < B; ++b)
        for (int c = 0; c < C; ++c) {
            by_sample[b] += divergence(b, c);
            by_channel[c] += divergence(b, c) / B;
            kl += divergence(b, c) / B;
            weighted += (double)betas[c] * divergence(b, c) / B;
        }
    must(clkl_engine_create(NULL, &engine, &error), &error);

    for (int i = 0; i < B * C; ++i)
        p[i / C][i % C] = 4.0 / B;
    int right = check("beta", beta_vae(4), 4 * kl, p, p);
    for (int i = 0; i < B * C; ++i)
        p[i / C][i % C] = (double)betas[i % C] / B;
    right &= check("beta of channels", beta_of_channels(betas), weighted, p, p);
    for (int i = 0; i < B * C; ++i) {
        p[i / C][i % C] = 0.2 / B;
        q[i / C][i % C] = 0.8 / B;
    }
    right &= check("KL balancing", kl_balancing(0.8), kl, p, q);
    right &= check_free(by_channel, by_sample);
    clkl_engine_release(engine);
    return right ? 0 : 1;
}
