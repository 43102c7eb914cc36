/* Programs as blobs: clkl_device_export_programs and clkl_device_import_programs. */
#include "core/blob.h"
#include "core/failure.h"
#include "opencl/device.h"
#include "opencl/program.h"
#include "opencl/sources.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Identity: what must be the same where programs are made and where they are used ---- */

enum { IDENTITY_SIZE = 4096 };

static uint64_t hash_sources(void)
{
    uint64_t hash = CLKL_BLOB_HASH_START;
    for (const struct clkl_source *source = clkl_sources; source->name != NULL; ++source)
        hash = clkl_blob_hash(hash, source->text, source->size);
    return hash;
}

/* Ends what is there; CL_INVALID_VALUE says that a text does not fit. */
static clkl_status told(const char *call, cl_int code, char *text, size_t size, clkl_error *error)
{
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, call, code);
    text[size - 1] = '\0';
    return CLKL_OK;
}

enum { LINE_SIZE = 512 };

static clkl_status device_string(cl_device_id id, cl_device_info what, char text[LINE_SIZE],
                                 clkl_error *error)
{
    const cl_int code = clGetDeviceInfo(id, what, LINE_SIZE, text, NULL);
    return told("clGetDeviceInfo", code, text, LINE_SIZE, error);
}

static clkl_status platform_string(cl_device_id id, cl_platform_info what, char text[LINE_SIZE],
                                   clkl_error *error)
{
    cl_platform_id platform = NULL;
    cl_int code = clGetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clGetDeviceInfo", code);
    code = clGetPlatformInfo(platform, what, LINE_SIZE, text, NULL);
    return told("clGetPlatformInfo", code, text, LINE_SIZE, error);
}

/* Lines of text, and their length. A question that gets no answer is a failure: the identity would
 * be another one. */
static clkl_status write_identity(cl_device_id id, char text[IDENTITY_SIZE], size_t *length,
                                  clkl_error *error)
{
    static const cl_device_info questions[] = {CL_DEVICE_VENDOR, CL_DEVICE_NAME, CL_DEVICE_VERSION,
                                               CL_DRIVER_VERSION};
    char of_device[4][LINE_SIZE], platform[LINE_SIZE], platform_version[LINE_SIZE];
    cl_uint bits = 0;
    const cl_int code = clGetDeviceInfo(id, CL_DEVICE_ADDRESS_BITS, sizeof bits, &bits, NULL);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clGetDeviceInfo", code);
    clkl_status status = platform_string(id, CL_PLATFORM_NAME, platform, error);
    if (status == CLKL_OK)
        status = platform_string(id, CL_PLATFORM_VERSION, platform_version, error);
    for (int i = 0; i < 4 && status == CLKL_OK; ++i)
        status = device_string(id, questions[i], of_device[i], error);
    if (status != CLKL_OK)
        return status;
    *length = (size_t)snprintf(
        text, IDENTITY_SIZE,
        "clkl %d.%d.%d\nkernels %016llx\nplatform %s, %s\ndevice %s, %s, %s, %u bits\ndriver %s\n",
        CLKL_VERSION_MAJOR, CLKL_VERSION_MINOR, CLKL_VERSION_PATCH,
        (unsigned long long)hash_sources(), platform, platform_version, of_device[0], of_device[1],
        of_device[2], (unsigned)bits, of_device[3]);
    return CLKL_OK;
}

/* ---- Export ---- */

enum { MOST_DEVICES = 64 }; /* of a context */

/* How many devices a program is for, and which of them `id` is. */
static cl_int find_device(cl_program program, cl_device_id id, cl_uint *count, cl_uint *place)
{
    cl_device_id devices[MOST_DEVICES];
    cl_int code = clGetProgramInfo(program, CL_PROGRAM_NUM_DEVICES, sizeof *count, count, NULL);
    if (code == CL_SUCCESS && *count > MOST_DEVICES)
        code = CL_OUT_OF_RESOURCES;
    if (code == CL_SUCCESS)
        code =
            clGetProgramInfo(program, CL_PROGRAM_DEVICES, *count * sizeof *devices, devices, NULL);
    if (code != CL_SUCCESS)
        return code;
    *place = (cl_uint)clkl_device_place(id, devices, *count);
    return *place < *count ? CL_SUCCESS : CL_INVALID_DEVICE;
}

/* Copies the binary of a program for `id` into `*binary`, which the caller frees also on failure.
 */
static clkl_status fetch_binary(cl_program program, cl_device_id id, unsigned char **binary,
                                size_t *length, clkl_error *error)
{
    size_t sizes[MOST_DEVICES] = {0};
    unsigned char *binaries[MOST_DEVICES] = {NULL}; /* NULL: not wanted */
    cl_uint count = 0, place = 0;
    cl_int code = find_device(program, id, &count, &place);
    if (code == CL_SUCCESS)
        code =
            clGetProgramInfo(program, CL_PROGRAM_BINARY_SIZES, count * sizeof *sizes, sizes, NULL);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clGetProgramInfo", code);
    if (sizes[place] == 0)
        return clkl_fail(error, CLKL_UNSUPPORTED, "the device gives no binaries of its programs");
    *length = sizes[place];
    *binary = binaries[place] = malloc(*length);
    if (*binary == NULL)
        return clkl_fail(error, CLKL_OUT_OF_HOST_MEMORY, "no memory for a binary");
    code = clGetProgramInfo(program, CL_PROGRAM_BINARIES, count * sizeof *binaries, binaries, NULL);
    return code == CL_SUCCESS ? CLKL_OK : clkl_fail_opencl(error, "clGetProgramInfo", code);
}

/* The programs of a list, with copies of their binaries. */
struct collection {
    struct clkl_blob_entry *entries;
    size_t count;
};

static void collection_free(struct collection *collection)
{
    for (size_t i = 0; i < collection->count; ++i)
        free((void *)(uintptr_t)collection->entries[i].binary);
    free(collection->entries);
}

static clkl_status collect(const struct clkl_program *list, cl_device_id id,
                           struct collection *collection, clkl_error *error)
{
    size_t count = 0;
    for (const struct clkl_program *program = list; program != NULL; program = program->next)
        ++count;
    collection->entries = calloc(count + 1, sizeof *collection->entries);
    if (collection->entries == NULL)
        return clkl_fail(error, CLKL_OUT_OF_HOST_MEMORY, "no memory for %zu programs", count);
    clkl_status status = CLKL_OK;
    for (; list != NULL && status == CLKL_OK; list = list->next) {
        struct clkl_blob_entry *entry = &collection->entries[collection->count++];
        unsigned char *binary = NULL;
        status = fetch_binary(list->program, id, &binary, &entry->binary_length, error);
        entry->binary = binary;
        entry->options = list->options;
        entry->options_length = strlen(list->options);
    }
    return status;
}

clkl_status clkl_device_export_programs(clkl_device *device, size_t capacity, void *blob,
                                        size_t *size, clkl_error *error)
{
    if (device == NULL || size == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "device or size is NULL");
    *size = 0;
    if (blob == NULL && capacity != 0)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "blob is NULL, but capacity is %zu",
                         capacity);
    char identity[IDENTITY_SIZE];
    size_t identity_length = 0;
    clkl_status status = write_identity(device->id, identity, &identity_length, error);
    if (status != CLKL_OK)
        return status;
    struct collection collection = {NULL, 0};
    pthread_mutex_lock(&device->lock);
    status = collect(device->programs, device->id, &collection, error);
    if (status == CLKL_OK)
        *size = clkl_blob_size(identity_length, collection.entries, collection.count);
    if (*size != 0 && *size <= capacity)
        clkl_blob_write(blob, identity, identity_length, collection.entries, collection.count);
    else if (blob != NULL && status == CLKL_OK)
        status = clkl_fail(error, CLKL_BUFFER_TOO_SMALL, "blob has %zu bytes; expected %zu",
                           capacity, *size);
    pthread_mutex_unlock(&device->lock);
    collection_free(&collection);
    return status;
}

/* ---- Import ---- */

static clkl_status load(const clkl_device *device, const struct clkl_blob_entry *entry,
                        struct clkl_program *program, clkl_error *error)
{
    cl_int code = CL_SUCCESS, loaded = CL_SUCCESS;
    program->program = clCreateProgramWithBinary(
        device->context, 1, &device->id, &entry->binary_length,
        (const unsigned char **)(uintptr_t)&entry->binary, &loaded, &code);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl_as(error, CLKL_BLOB_REFUSED, "clCreateProgramWithBinary", code);
    code = clBuildProgram(program->program, 1, &device->id, program->options, NULL, NULL);
    return code == CL_SUCCESS
               ? CLKL_OK
               : clkl_fail_opencl_as(error, CLKL_BLOB_REFUSED, "clBuildProgram", code);
}

/* Puts the programs that the device does not have before its list; after a failure those that were
 * loaded stand there, too. */
static clkl_status load_all(const clkl_device *device, struct clkl_blob_reader *reader,
                            struct clkl_program **list, clkl_error *error)
{
    struct clkl_blob_entry entry;
    clkl_status status = CLKL_OK;
    int more = 0;
    while (status == CLKL_OK && (more = clkl_blob_next(reader, &entry)) == 1) {
        if (clkl_program_find(*list, entry.options, entry.options_length) != NULL)
            continue;
        struct clkl_program *program = clkl_program_entry(entry.options, entry.options_length);
        if (program == NULL)
            return clkl_fail(error, CLKL_OUT_OF_HOST_MEMORY, "no memory for a program");
        program->next = *list;
        *list = program;
        status = load(device, &entry, program, error);
    }
    if (status == CLKL_OK && more < 0)
        status = clkl_fail(error, CLKL_BLOB_REFUSED, "the blob contradicts itself");
    return status;
}

/* Releases what stands before `end`. */
static void release_before(struct clkl_program *list, const struct clkl_program *end)
{
    struct clkl_program **link = &list;
    while (*link != end)
        link = &(*link)->next;
    *link = NULL;
    clkl_program_release_all(list);
}

clkl_status clkl_device_import_programs(clkl_device *device, const void *blob, size_t size,
                                        clkl_error *error)
{
    if (device == NULL || blob == NULL)
        return clkl_fail(error, CLKL_INVALID_ARGUMENT, "device or blob is NULL");
    char identity[IDENTITY_SIZE];
    size_t identity_length = 0;
    clkl_status status = write_identity(device->id, identity, &identity_length, error);
    if (status != CLKL_OK)
        return status;
    struct clkl_blob_reader reader;
    status = clkl_blob_open(blob, size, identity, identity_length, &reader, error);
    if (status != CLKL_OK)
        return status;
    pthread_mutex_lock(&device->lock);
    struct clkl_program *list = device->programs;
    status = load_all(device, &reader, &list, error);
    if (status == CLKL_OK)
        device->programs = list;
    else
        release_before(list, device->programs);
    pthread_mutex_unlock(&device->lock);
    return status;
}
