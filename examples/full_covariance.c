/* Full covariances in host memory: three Gaussians of two dimensions, the components of a mixture,
 * say, against one that they share. The third has a singular covariance: its value is NaN, its
 * status names the pivot, and the others are right.
 *
 *     cc full_covariance.c $(pkg-config --cflags --libs clkl) -lm
 */
#include <clkl/clkl.h>

#include <math.h>
#include <stdio.h>

enum { SAMPLES = 3, D = 2 };

static const float means[SAMPLES][D] = {{1, 0}, {0, 0}, {0, 0}};
static const float covariances[SAMPLES][D][D] = {
    {{2, 1}, {1, 2}}, {{4, 0}, {0, 1}}, {{1, 1}, {1, 1}}};
static const float shared_mean[D] = {0, 0};
static const float shared_covariance[D][D] = {{4, 0}, {0, 1}};

int main(void)
{
    float kl[SAMPLES], parts[SAMPLES][2];
    clkl_matrix_status status[SAMPLES];

    const clkl_spec spec = {.struct_size = sizeof spec,
                            .rank = 2,
                            .shape = {SAMPLES, D},
                            .p = {.form = CLKL_MEAN_COVARIANCE},
                            .q = {.form = CLKL_MEAN_COVARIANCE, .layout = CLKL_SHARED},
                            .outputs = CLKL_OUTPUT_PARTS | CLKL_OUTPUT_MATRIX_STATUS};
    const clkl_host_args args = {.struct_size = sizeof args,
                                 .p_mean = means,
                                 .p_scale = covariances,
                                 .q_mean = shared_mean,
                                 .q_scale = shared_covariance,
                                 .result = kl,
                                 .parts = parts,
                                 .matrix_status = status};
    clkl_error error = {.struct_size = sizeof error};
    clkl_engine *engine;
    clkl_status done = clkl_engine_create(NULL, &engine, &error);
    if (done == CLKL_OK)
        done = clkl_engine_run(engine, &spec, &args, &error);
    if (done != CLKL_OK) {
        fprintf(stderr, "%s: %s\n", clkl_status_string(done), error.message);
        clkl_engine_release(engine);
        return 1;
    }
    for (int i = 0; i < SAMPLES; ++i) {
        printf("KL = %g nats: covariances %g, means %g", kl[i], parts[i][0], parts[i][1]);
        if (status[i].p > 0)
            printf("; P's pivot %d is not positive", (int)status[i].p);
        printf("\n");
    }
    printf("computed by %s\n", clkl_engine_backend(engine));
    clkl_engine_release(engine);

    /* By hand: 1/2 [2/4 + 2/1 - 2 + ln(4 / 3)] and 1/2 [1/4]; then the same Gaussian twice. */
    const double covariance = 0.25 + 0.5 * log(4.0 / 3.0), mean = 0.125;
    const int right = fabs(parts[0][0] - covariance) <= 1e-5 * covariance &&
                      fabs(parts[0][1] - mean) <= 1e-5 * mean && kl[1] == 0 && isnan(kl[2]) &&
                      status[0].p == 0 && status[1].p == 0 && status[2].p == 2;
    return right ? 0 : 1;
}
