#include "core/failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Fields of a clkl_error that lie beyond the caller's struct_size are left alone. */
#define HAS_FIELD(error, field) \
    ((error)->struct_size >= offsetof(clkl_error, field) + sizeof(error)->field)

static void clear(clkl_error *error, clkl_status status)
{
    if (HAS_FIELD(error, status))
        error->status = status;
    if (HAS_FIELD(error, opencl_code))
        error->opencl_code = 0;
    if (HAS_FIELD(error, call))
        error->call[0] = '\0';
    if (HAS_FIELD(error, message))
        error->message[0] = '\0';
    if (HAS_FIELD(error, build_log))
        error->build_log[0] = '\0';
}

clkl_status clkl_fail(clkl_error *error, clkl_status status, const char *format, ...)
{
    if (error == NULL)
        return status;
    clear(error, status);
    if (HAS_FIELD(error, message)) {
        va_list args;
        va_start(args, format);
        vsnprintf(error->message, sizeof error->message, format, args);
        va_end(args);
    }
    return status;
}

/* This room includes nothing of OpenCL. */
enum {
    MEM_OBJECT_ALLOCATION_FAILURE = -4,
    OUT_OF_HOST_MEMORY = -6,
    BUILD_PROGRAM_FAILURE = -11,
    INVALID_BUFFER_SIZE = -61
};

clkl_status clkl_fail_opencl(clkl_error *error, const char *call, int32_t code)
{
    const clkl_status status = code == MEM_OBJECT_ALLOCATION_FAILURE || code == INVALID_BUFFER_SIZE
                                   ? CLKL_OUT_OF_DEVICE_MEMORY
                               : code == BUILD_PROGRAM_FAILURE ? CLKL_BUILD_FAILED
                                                               : CLKL_OPENCL_ERROR;
    return clkl_fail_opencl_as(error, status, call, code);
}

clkl_status clkl_fail_opencl_as(clkl_error *error, clkl_status status, const char *call,
                                int32_t code)
{
    if (code == OUT_OF_HOST_MEMORY)
        status = CLKL_OUT_OF_HOST_MEMORY;
    clkl_fail(error, status, "%s returned %s (%d)", call, clkl_opencl_code_string(code), (int)code);
    if (error != NULL && HAS_FIELD(error, opencl_code))
        error->opencl_code = code;
    if (error != NULL && HAS_FIELD(error, call))
        snprintf(error->call, sizeof error->call, "%s", call);
    return status;
}

void clkl_fail_log(clkl_error *error, const char *log)
{
    if (error != NULL && HAS_FIELD(error, build_log))
        snprintf(error->build_log, sizeof error->build_log, "%s", log);
}

const char *clkl_opencl_code_string(int32_t code)
{
    static const struct {
        int32_t code;
        const char *name;
    } names[] = {
        {-1, "CL_DEVICE_NOT_FOUND"},
        {-2, "CL_DEVICE_NOT_AVAILABLE"},
        {-3, "CL_COMPILER_NOT_AVAILABLE"},
        {-4, "CL_MEM_OBJECT_ALLOCATION_FAILURE"},
        {-5, "CL_OUT_OF_RESOURCES"},
        {-6, "CL_OUT_OF_HOST_MEMORY"},
        {-11, "CL_BUILD_PROGRAM_FAILURE"},
        {-12, "CL_MAP_FAILURE"},
        {-14, "CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST"},
        {-30, "CL_INVALID_VALUE"},
        {-32, "CL_INVALID_PLATFORM"},
        {-33, "CL_INVALID_DEVICE"},
        {-34, "CL_INVALID_CONTEXT"},
        {-35, "CL_INVALID_QUEUE_PROPERTIES"},
        {-36, "CL_INVALID_COMMAND_QUEUE"},
        {-38, "CL_INVALID_MEM_OBJECT"},
        {-42, "CL_INVALID_BINARY"},
        {-43, "CL_INVALID_BUILD_OPTIONS"},
        {-44, "CL_INVALID_PROGRAM"},
        {-45, "CL_INVALID_PROGRAM_EXECUTABLE"},
        {-46, "CL_INVALID_KERNEL_NAME"},
        {-48, "CL_INVALID_KERNEL"},
        {-49, "CL_INVALID_ARG_INDEX"},
        {-50, "CL_INVALID_ARG_VALUE"},
        {-51, "CL_INVALID_ARG_SIZE"},
        {-52, "CL_INVALID_KERNEL_ARGS"},
        {-54, "CL_INVALID_WORK_GROUP_SIZE"},
        {-55, "CL_INVALID_WORK_ITEM_SIZE"},
        {-57, "CL_INVALID_EVENT_WAIT_LIST"},
        {-58, "CL_INVALID_EVENT"},
        {-59, "CL_INVALID_OPERATION"},
        {-61, "CL_INVALID_BUFFER_SIZE"},
        {-63, "CL_INVALID_GLOBAL_WORK_SIZE"},
        {-1001, "CL_PLATFORM_NOT_FOUND_KHR"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; ++i)
        if (names[i].code == code)
            return names[i].name;
    return "unknown error";
}
