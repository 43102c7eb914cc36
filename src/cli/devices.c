#include "devices.h"

#include "arguments.h"
#include "cache_dir.h"
#include "devices_report.h"
#include "library_error.h"
#include "message.h"
#include "std_streams.h"

#include <errno.h>
#include <stdlib.h>

struct devices_options {
    const char *device;
    bool json;
};

enum { DEVICE_KEY = 0x100, JSON_KEY, HELP_KEY, VERSION_KEY };

static const struct argp_option table[] = {
    {"device", DEVICE_KEY, "cpu|gpu|reference|SEL", 0,
     "which would be used if this were asked for; SEL is an index or part of a name", 0},
    {"json", JSON_KEY, 0, 0, "print JSON instead of a table", 0},
    {"help", HELP_KEY, 0, 0, "print this and exit", -1},
    {"version", VERSION_KEY, 0, 0, "print the version and exit", -1},
    {0, 0, 0, 0, 0, 0}};

static error_t parse(int key, char *value, struct argp_state *state);

const struct argp devices_argp = {
    table,
    parse,
    "",
    "What OpenCL sees on this machine, which device would be used, and why each other one would "
    "not.",
    NULL,
    NULL,
    NULL};

static error_t parse(int key, char *value, struct argp_state *state)
{
    struct devices_options *options = state->input;
    switch (key) {
    case DEVICE_KEY:
        if (options->device != NULL) {
            message("option --device is given twice; expected it once");
            return EINVAL;
        }
        options->device = value;
        return 0;
    case JSON_KEY:
        options->json = true;
        return 0;
    case HELP_KEY:
        arguments_help(&devices_argp, "clkl devices");
    case VERSION_KEY:
        arguments_version();
    case ARGP_KEY_ARG:
        message("unexpected argument '%s'; expected options only", value);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Lists the devices; as many as there are, though they may become more between two calls. NULL with
 * a sentence on failure; the caller frees. */
static clkl_device_info *list(const char *device, size_t *count)
{
    const clkl_engine_options options = {.struct_size = sizeof options, .device = device};
    clkl_error error = {.struct_size = sizeof error};
    clkl_device_info *infos = NULL;
    size_t capacity = 0;
    *count = 16;
    while (*count > capacity) {
        capacity = *count;
        free(infos);
        infos = calloc(capacity, sizeof *infos);
        if (infos == NULL) {
            message("there is no memory for a list of %zu devices", capacity);
            return NULL;
        }
        for (size_t i = 0; i < capacity; i++)
            infos[i].struct_size = sizeof *infos;
        if (clkl_devices_list(&options, capacity, infos, count, &error) != CLKL_OK) {
            library_error(&error, device);
            free(infos);
            return NULL;
        }
    }
    return infos;
}

int devices_command(int count, char **words)
{
    struct devices_options options = {0};
    size_t found = 0;
    if (!arguments_parse(&devices_argp, "clkl devices", count, words, &options))
        return EXIT_NOTHING_DONE;
    cache_dir_prepare(NULL);
    clkl_device_info *infos = list(options.device, &found);
    if (infos == NULL)
        return EXIT_NOTHING_DONE;
    bool good = options.json ? devices_print_json(stdout, infos, found)
                             : devices_print_table(stdout, infos, found);
    free(infos);
    return good && std_streams_flush() ? EXIT_DONE : EXIT_NOTHING_DONE;
}
