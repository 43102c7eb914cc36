/* Host memory in, host memory out: two samples of three latents, as packed moments (three means,
 * then three log-variances), against the standard normal. The engine takes the best OpenCL device,
 * or the scalar reference where there is none, and says which.
 *
 *     cc host_memory.c $(pkg-config --cflags --libs clkl) -lm
 */
#include <clkl/clkl.h>

#include <math.h>
#include <stdio.h>

int main(void)
{
    const float ln4 = 1.3862944f;
    const float moments[2][6] = {{0, 0, 0, 0, 0, 0}, {1, -2, 3, 0, 0, ln4}};
    float kl[2];

    clkl_spec spec;
    clkl_spec_moments(&spec, 2, (const size_t[]){2, 3});
    clkl_host_args args = {.struct_size = sizeof args, .p_mean = moments, .result = kl};
    clkl_error error = {.struct_size = sizeof error};
    clkl_engine *engine;
    clkl_status status = clkl_engine_create(NULL, &engine, &error);
    if (status == CLKL_OK)
        status = clkl_engine_run(engine, &spec, &args, &error);
    if (status != CLKL_OK) {
        fprintf(stderr, "%s: %s\n", clkl_status_string(status), error.message);
        clkl_engine_release(engine);
        return 1;
    }
    printf("KL = %g and %g nats, computed by %s\n", kl[0], kl[1], clkl_engine_backend(engine));
    clkl_engine_release(engine);

    /* By hand: nothing differs; then |(1, -2, 3)|^2 / 2, and a standard deviation of 2. */
    const double expected = 7 + 1.5 - log(2.0);
    return kl[0] == 0 && fabs(kl[1] - expected) <= 1e-6 * expected ? 0 : 1;
}
