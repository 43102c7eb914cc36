/* Every function and struct of the clkl.h of release 0.1. */
#include "caller.h"

#include <stdio.h>

enum { SENTINEL = 0x5a };

/* ---- Small calls, and errors ---- */

static void call_small(void)
{
    check(clkl_version() >=
              CLKL_VERSION_MAJOR * 10000 + CLKL_VERSION_MINOR * 100 + CLKL_VERSION_PATCH,
          "the library is not older than this program");
    for (int status = CLKL_OK; status <= CLKL_BLOB_REFUSED; ++status)
        check(strcmp(clkl_status_string((clkl_status)status), clkl_status_string((clkl_status)-1)),
              "every status has a string of its own");
}

/* What lies behind the struct of this program is not the library's to write. */
static void provoke_error(void)
{
    struct {
        clkl_error error;
        unsigned char behind[256];
    } given;
    clkl_spec spec;
    memset(&given, SENTINEL, sizeof given);
    given.error.struct_size = sizeof given.error;
    memset(&spec, 0, sizeof spec);
    spec.struct_size = sizeof spec;
    check(clkl_spec_check(&spec, &given.error) == CLKL_INVALID_SPEC, "rank 0 is refused");
    check(given.error.struct_size == sizeof given.error &&
              given.error.status == CLKL_INVALID_SPEC && given.error.opencl_code == 0 &&
              given.error.call[0] == '\0' && strlen(given.error.message) > 0 &&
              given.error.build_log[0] == '\0',
          "what the error says");
    for (size_t i = 0; i < sizeof given.behind; ++i)
        check(given.behind[i] == SENTINEL, "nothing is written behind a clkl_error");
}

/* ---- Computing ---- */

static void run(const struct computation *made, clkl_engine *engine)
{
    float values[MAX_VALUES] = {0};
    double wide[MAX_VALUES] = {0};
    uint32_t status[MAX_VALUES] = {0};
    clkl_clamp_count counts[MAX_VALUES] = {{0, 0}};
    clkl_host_args args;
    memset(&args, 0, sizeof args);
    args.struct_size = sizeof args;
    args.p_mean = made->p_mean;
    args.p_scale = made->p_scale;
    args.q_mean = made->q_mean;
    args.q_scale = made->q_scale;
    args.value_status = status;
    args.clamp_counts = (made->spec.outputs & CLKL_OUTPUT_CLAMP_COUNTS) != 0 ? counts : NULL;
    args.batch = made->batch;

    args.result = values;
    TRY(clkl_engine_run(engine, &made->spec, &args, NULL));
    check_floats(made, values, status, counts);

    clkl_spec spec = made->spec;
    spec.compute = CLKL_F64;
    args.result = wide;
    memset(status, 0, sizeof status);
    memset(counts, 0, sizeof counts);
    TRY(clkl_reference_run(&spec, &args, NULL));
    check_values(made, wide, 1e-12, status, counts);
}

void call_host(const struct computation *made)
{
    clkl_engine_options options;
    clkl_engine *engine = NULL;
    memset(&options, 0, sizeof options);
    options.struct_size = sizeof options;
    TRY(clkl_spec_check(&made->spec, NULL));
    check(clkl_spec_result_count(&made->spec, made->batch) == made->values, "result count");

    TRY(clkl_engine_create(&options, &engine, NULL));
    check(strlen(clkl_engine_backend(engine)) > 0, "name of the backend");
    run(made, engine);
    clkl_engine_release(engine);

    options.device = "reference";
    TRY(clkl_engine_create(&options, &engine, NULL));
    check(clkl_engine_is_reference(engine) == 1, "the reference was asked for");
    run(made, engine);
    clkl_engine_release(engine);

    options.device = "no device has this name";
    options.fallback = CLKL_FALLBACK_FORBIDDEN;
    check(clkl_engine_create(&options, &engine, NULL) == CLKL_NO_DEVICE, "no such device");
}

/* ---- Devices ---- */

static void check_info(const clkl_device_info *info)
{
    check(info->struct_size == sizeof *info, "size of a device's entry");
    check(strlen(info->name) > 0 && strlen(info->platform) > 0 && strlen(info->type) > 0 &&
              strncmp(info->version, "OpenCL ", 7) == 0 && strlen(info->driver) > 0 &&
              strlen(info->reason) > 0,
          "strings of a device");
    check(info->compute_units > 0 && info->usable <= 1 && info->fp64 <= 1 && info->chosen <= 1 &&
              info->global_memory >= 1024 * 1024,
          "numbers of a device");
}

static void list_devices(void)
{
    clkl_device_info infos[4];
    size_t count = 0;
    memset(infos, SENTINEL, sizeof infos);
    infos[0].struct_size = sizeof infos[0];
    TRY(clkl_devices_list(NULL, 3, infos, &count, NULL));
    for (size_t i = 0; i < count && i < 3; ++i)
        check_info(&infos[i]);
    check(infos[3].name[0] == SENTINEL, "nothing is written behind the entries");
}

int main(void)
{
    struct computation made;
    call_small();
    provoke_error();
    list_devices();
    make_packed(&made);
    call_host(&made);
    call_device(&made);
    make_pair(&made);
    call_host(&made);
    call_device(&made);
    printf("a program of 0.1 runs with %u\n", (unsigned)clkl_version());
    return 0;
}
