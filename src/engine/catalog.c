#include "engine/catalog.h"

#include "core/arguments.h"
#include "opencl/facts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Listing ---- */

enum { MAX_PLATFORMS = 64, MAX_DEVICES = 64, PLATFORM_NOT_FOUND = -1001 };

static const char *type_name(cl_device_type type)
{
    return type & CL_DEVICE_TYPE_GPU           ? "gpu"
           : type & CL_DEVICE_TYPE_CPU         ? "cpu"
           : type & CL_DEVICE_TYPE_ACCELERATOR ? "accelerator"
                                               : "custom";
}

static void describe(struct clkl_catalog_entry *entry, cl_platform_id platform)
{
    clkl_device_info *info = &entry->info;
    struct clkl_facts facts = {0};
    clkl_error why = {.struct_size = sizeof why};
    cl_device_fp_config doubles = 0;
    cl_ulong memory = 0;
    cl_uint units = 0;
    info->struct_size = sizeof *info;
    clkl_device_string(entry->id, CL_DEVICE_NAME, info->name, sizeof info->name);
    clkl_device_string(entry->id, CL_DEVICE_VERSION, info->version, sizeof info->version);
    clkl_device_string(entry->id, CL_DRIVER_VERSION, info->driver, sizeof info->driver);
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof info->platform, info->platform, NULL);
    info->platform[sizeof info->platform - 1] = '\0';
    clGetDeviceInfo(entry->id, CL_DEVICE_TYPE, sizeof entry->type, &entry->type, NULL);
    clGetDeviceInfo(entry->id, CL_DEVICE_DOUBLE_FP_CONFIG, sizeof doubles, &doubles, NULL);
    clGetDeviceInfo(entry->id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof memory, &memory, NULL);
    clGetDeviceInfo(entry->id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL);
    snprintf(info->type, sizeof info->type, "%s", type_name(entry->type));
    info->fp64 = doubles != 0;
    info->global_memory = memory;
    info->compute_units = units;
    info->usable = clkl_facts_read(entry->id, &facts, &why) == CLKL_OK;
    if (!info->usable)
        snprintf(info->reason, sizeof info->reason, "%.*s", (int)sizeof info->reason - 1,
                 why.message);
}

static clkl_status add_platform(struct clkl_catalog *catalog, cl_platform_id platform,
                                clkl_error *error)
{
    cl_device_id ids[MAX_DEVICES];
    cl_uint count = 0;
    const cl_int code = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, MAX_DEVICES, ids, &count);
    if (code != CL_SUCCESS)
        return CLKL_OK; /* without devices, or broken: the others may serve */
    if (count > MAX_DEVICES)
        count = MAX_DEVICES;
    struct clkl_catalog_entry *grown =
        realloc(catalog->entries, (catalog->count + count) * sizeof *grown);
    if (grown == NULL)
        return clkl_fail(error, CLKL_OUT_OF_HOST_MEMORY, "no memory for the list of devices");
    catalog->entries = grown;
    for (cl_uint i = 0; i < count; ++i) {
        struct clkl_catalog_entry *entry = &catalog->entries[catalog->count++];
        memset(entry, 0, sizeof *entry);
        entry->id = ids[i];
        describe(entry, platform);
    }
    return CLKL_OK;
}

static clkl_status add_all(struct clkl_catalog *catalog, clkl_error *error)
{
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint count = 0;
    const cl_int code = clGetPlatformIDs(MAX_PLATFORMS, platforms, &count);
    if (code == PLATFORM_NOT_FOUND)
        return CLKL_OK;
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clGetPlatformIDs", code);
    clkl_status status = CLKL_OK;
    for (cl_uint i = 0; i < count && i < MAX_PLATFORMS && status == CLKL_OK; ++i)
        status = add_platform(catalog, platforms[i], error);
    return status;
}

/* ---- Choosing ---- */

static bool contains(const char *text, const char *part)
{
    const size_t length = strlen(part);
    for (; *text != '\0'; ++text) {
        size_t i = 0;
        while (i < length && tolower((unsigned char)text[i]) == tolower((unsigned char)part[i]))
            ++i;
        if (i == length)
            return true;
    }
    return false;
}

static bool equals(const char *a, const char *b)
{
    return strlen(a) == strlen(b) && contains(a, b);
}

static bool is_index(const char *text, size_t *index)
{
    char *end = NULL;
    if (!isdigit((unsigned char)text[0]))
        return false;
    *index = strtoull(text, &end, 10);
    return *end == '\0';
}

static bool matches(const struct clkl_catalog *catalog, size_t i)
{
    const clkl_device_info *info = &catalog->entries[i].info;
    const char *wanted = catalog->wanted;
    size_t index = 0;
    if (wanted[0] == '\0')
        return true;
    if (is_index(wanted, &index))
        return index == i;
    if (equals(wanted, "cpu") || equals(wanted, "gpu"))
        return equals(info->type, wanted);
    return contains(info->name, wanted) || contains(info->platform, wanted);
}

/* GPUs first, then other accelerators, then CPUs. */
static int preference(const clkl_device_info *info)
{
    return strcmp(info->type, "gpu") == 0 ? 3 : strcmp(info->type, "cpu") == 0 ? 1 : 2;
}

static void choose(struct clkl_catalog *catalog)
{
    int best = 0;
    for (size_t i = 0; i < catalog->count; ++i) {
        const clkl_device_info *info = &catalog->entries[i].info;
        if (!catalog->wants_reference && info->usable && matches(catalog, i) &&
            preference(info) > best) {
            best = preference(info);
            catalog->chosen = (int)i;
        }
    }
}

static void give_reasons(struct clkl_catalog *catalog)
{
    for (size_t i = 0; i < catalog->count; ++i) {
        clkl_device_info *info = &catalog->entries[i].info;
        info->chosen = (int)i == catalog->chosen;
        if (!info->usable)
            continue; /* has its reason */
        if (info->chosen)
            snprintf(info->reason, sizeof info->reason, "%s",
                     catalog->wanted[0] != '\0' ? "asked for" : "the first of the preferred type");
        else if (catalog->wants_reference)
            snprintf(info->reason, sizeof info->reason, "the reference was asked for");
        else if (!matches(catalog, i))
            snprintf(info->reason, sizeof info->reason, "does not match \"%.100s\"",
                     catalog->wanted);
        else
            snprintf(info->reason, sizeof info->reason, "device %d comes first", catalog->chosen);
    }
}

/* What the caller asks for, or else the environment. */
static clkl_status read_wish(const clkl_engine_options *given, struct clkl_catalog *catalog,
                             clkl_error *error)
{
    clkl_engine_options options;
    const clkl_status status = clkl_take_engine_options(given, &options, error);
    if (status != CLKL_OK)
        return status;
    if (options.fallback != CLKL_FALLBACK_ALLOWED && options.fallback != CLKL_FALLBACK_FORBIDDEN)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "unknown fallback %d",
                         (int)options.fallback);
    catalog->no_fallback = options.fallback == CLKL_FALLBACK_FORBIDDEN;
    const char *wanted = options.device;
    if (wanted == NULL)
        wanted = getenv("CLKL_DEVICE");
    if (wanted == NULL)
        wanted = "";
    if (strlen(wanted) >= sizeof catalog->wanted)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "the name of the device has %zu characters; expected at most %zu",
                         strlen(wanted), sizeof catalog->wanted - 1);
    strcpy(catalog->wanted, wanted);
    catalog->wants_reference = equals(wanted, "reference");
    return CLKL_OK;
}

clkl_status clkl_catalog_make(const clkl_engine_options *options, bool always_list,
                              struct clkl_catalog *catalog, clkl_error *error)
{
    memset(catalog, 0, sizeof *catalog);
    catalog->chosen = -1;
    clkl_status status = read_wish(options, catalog, error);
    if (status == CLKL_OK && (always_list || !catalog->wants_reference))
        status = add_all(catalog, error);
    if (status != CLKL_OK) {
        clkl_catalog_destroy(catalog);
        return status;
    }
    choose(catalog);
    give_reasons(catalog);
    return CLKL_OK;
}

void clkl_catalog_destroy(struct clkl_catalog *catalog)
{
    free(catalog->entries);
    catalog->entries = NULL;
    catalog->count = 0;
}

/* ---- The public list ---- */

/* Writes what fits into the caller's entry, whose fields beyond ours become 0. */
static void write_info(const clkl_device_info *info, void *entry, size_t size)
{
    memset(entry, 0, size);
    memcpy(entry, info, size < sizeof *info ? size : sizeof *info);
    memcpy(entry, &size, sizeof size);
}

clkl_status clkl_devices_list(const clkl_engine_options *options, size_t capacity,
                              clkl_device_info *infos, size_t *count, clkl_error *error)
{
    if (count == NULL || (capacity > 0 && infos == NULL))
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "infos or count is NULL");
    *count = 0;
    const size_t stride = capacity > 0 ? infos[0].struct_size : 0;
    if (capacity > 0 && (stride < sizeof stride || stride > CLKL_MOST_STRUCT_BYTES))
        return clkl_fail(error, CLKL_INVALID_ARGUMENT,
                         "infos[0].struct_size is %zu; expected sizeof(clkl_device_info)", stride);
    struct clkl_catalog catalog;
    const clkl_status status = clkl_catalog_make(options, true, &catalog, error);
    if (status != CLKL_OK)
        return status;
    *count = catalog.count;
    for (size_t i = 0; i < catalog.count && i < capacity; ++i)
        write_info(&catalog.entries[i].info, (char *)infos + i * stride, stride);
    clkl_catalog_destroy(&catalog);
    return CLKL_OK;
}
