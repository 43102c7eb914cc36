#include "opencl/program.h"

#include "core/failure.h"
#include "opencl/sources.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_SOURCES = 32 };

/* ---- The list ---- */

struct clkl_program *clkl_program_find(struct clkl_program *list, const char *options,
                                       size_t length)
{
    while (list != NULL &&
           (strncmp(list->options, options, length) != 0 || list->options[length] != '\0'))
        list = list->next;
    return list;
}

struct clkl_program *clkl_program_entry(const char *options, size_t length)
{
    struct clkl_program *entry = calloc(1, sizeof *entry + length + 1);
    if (entry != NULL)
        memcpy(entry->options, options, length);
    return entry;
}

void clkl_program_release_all(struct clkl_program *list)
{
    while (list != NULL) {
        struct clkl_program *next = list->next;
        if (list->program != NULL)
            clReleaseProgram(list->program);
        free(list);
        list = next;
    }
}

/* ---- Building from source ---- */

static clkl_status create_from_source(cl_context context, int kind, cl_program *program,
                                      clkl_error *error)
{
    const char *texts[MAX_SOURCES];
    size_t sizes[MAX_SOURCES];
    cl_uint count = 0;
    for (const struct clkl_source *source = clkl_sources; source->name != NULL; ++source) {
        if (!clkl_source_is_of(source, kind) || count == MAX_SOURCES)
            continue;
        texts[count] = source->text;
        sizes[count++] = source->size;
    }
    cl_int code = CL_SUCCESS;
    *program = clCreateProgramWithSource(context, count, texts, sizes, &code);
    return code == CL_SUCCESS ? CLKL_OK
                              : clkl_fail_opencl(error, "clCreateProgramWithSource", code);
}

/* Keeps the beginning of the log, where the first error stands. */
static void copy_log(cl_program program, cl_device_id id, clkl_error *error)
{
    size_t size = 0;
    if (error == NULL ||
        clGetProgramBuildInfo(program, id, CL_PROGRAM_BUILD_LOG, 0, NULL, &size) != CL_SUCCESS)
        return;
    char *log = calloc(1, size + 1);
    if (log == NULL)
        return;
    if (clGetProgramBuildInfo(program, id, CL_PROGRAM_BUILD_LOG, size, log, NULL) == CL_SUCCESS)
        clkl_fail_log(error, log);
    free(log);
}

static clkl_status build(cl_context context, cl_device_id id, int kind, const char *options,
                         cl_program *program, clkl_error *error)
{
    clkl_status status = create_from_source(context, kind, program, error);
    if (status != CLKL_OK)
        return status;
    const cl_int code = clBuildProgram(*program, 1, &id, options, NULL, NULL);
    if (code == CL_SUCCESS)
        return CLKL_OK;
    status = clkl_fail_opencl(error, "clBuildProgram", code);
    copy_log(*program, id, error);
    clReleaseProgram(*program);
    *program = NULL;
    return status;
}

clkl_status clkl_program_find_or_build(struct clkl_program **list, cl_context context,
                                       cl_device_id id, int kind, const char *options,
                                       cl_program *program, clkl_error *error)
{
    struct clkl_program *entry = clkl_program_find(*list, options, strlen(options));
    if (entry != NULL) {
        *program = entry->program;
        return CLKL_OK;
    }
    entry = clkl_program_entry(options, strlen(options));
    if (entry == NULL)
        return clkl_fail(error, CLKL_OUT_OF_HOST_MEMORY, "no memory for a program");
    const clkl_status status = build(context, id, kind, options, &entry->program, error);
    if (status != CLKL_OK) {
        free(entry);
        return status;
    }
    entry->next = *list;
    *list = entry;
    *program = entry->program;
    return CLKL_OK;
}
