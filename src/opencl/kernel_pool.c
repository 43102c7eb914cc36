#include "opencl/kernel_pool.h"

#include "core/failure.h"

#include <stdlib.h>

void clkl_kernel_pool_init(struct clkl_kernel_pool *pool, cl_program program, const char *name)
{
    pthread_mutex_init(&pool->lock, NULL);
    pool->program = program;
    pool->name = name;
    pool->idle = NULL;
    pool->count = pool->capacity = 0;
}

void clkl_kernel_pool_destroy(struct clkl_kernel_pool *pool)
{
    for (size_t i = 0; i < pool->count; ++i)
        clReleaseKernel(pool->idle[i]);
    free(pool->idle);
    pthread_mutex_destroy(&pool->lock);
}

clkl_status clkl_kernel_pool_take(struct clkl_kernel_pool *pool, cl_kernel *kernel,
                                  clkl_error *error)
{
    *kernel = NULL;
    pthread_mutex_lock(&pool->lock);
    if (pool->count > 0)
        *kernel = pool->idle[--pool->count];
    pthread_mutex_unlock(&pool->lock);
    if (*kernel != NULL)
        return CLKL_OK;
    cl_int code = CL_SUCCESS;
    *kernel = clCreateKernel(pool->program, pool->name, &code);
    return code == CL_SUCCESS ? CLKL_OK : clkl_fail_opencl(error, "clCreateKernel", code);
}

void clkl_kernel_pool_return(struct clkl_kernel_pool *pool, cl_kernel kernel)
{
    if (kernel == NULL)
        return;
    pthread_mutex_lock(&pool->lock);
    if (pool->count == pool->capacity) {
        const size_t capacity = pool->capacity == 0 ? 4 : 2 * pool->capacity;
        cl_kernel *grown = realloc(pool->idle, capacity * sizeof *grown);
        if (grown != NULL) {
            pool->idle = grown;
            pool->capacity = capacity;
        }
    }
    const int kept = pool->count < pool->capacity;
    if (kept)
        pool->idle[pool->count++] = kernel;
    pthread_mutex_unlock(&pool->lock);
    if (!kept)
        clReleaseKernel(kernel);
}

clkl_status clkl_kernel_pool_limit(struct clkl_kernel_pool *pool, cl_device_id id, uint64_t *limit,
                                   clkl_error *error)
{
    cl_kernel kernel = NULL;
    const clkl_status status = clkl_kernel_pool_take(pool, &kernel, error);
    if (status != CLKL_OK)
        return status;
    size_t size = 0;
    const cl_int code =
        clGetKernelWorkGroupInfo(kernel, id, CL_KERNEL_WORK_GROUP_SIZE, sizeof size, &size, NULL);
    clkl_kernel_pool_return(pool, kernel);
    if (code != CL_SUCCESS)
        return clkl_fail_opencl(error, "clGetKernelWorkGroupInfo", code);
    if (size < *limit)
        *limit = size == 0 ? 1 : size;
    return CLKL_OK;
}
