/* Kernel objects of one kernel. Setting arguments changes a cl_kernel, so each call in flight
 * between "set" and "enqueue" has one to itself; creating one is slow on some implementations, so
 * they are kept. */
#ifndef CLKL_OPENCL_KERNEL_POOL_H
#define CLKL_OPENCL_KERNEL_POOL_H

#include "opencl/cl.h"

#include <pthread.h>

struct clkl_kernel_pool {
    pthread_mutex_t lock; /* held only to take and to return */
    cl_program program;
    const char *name;
    cl_kernel *idle;
    size_t count;
    size_t capacity;
};

/* `program` must outlive the pool; `name` is kept, not copied. */
void clkl_kernel_pool_init(struct clkl_kernel_pool *pool, cl_program program, const char *name);
void clkl_kernel_pool_destroy(struct clkl_kernel_pool *pool);

/* Takes a kernel, making one if none is idle. */
clkl_status clkl_kernel_pool_take(struct clkl_kernel_pool *pool, cl_kernel *kernel,
                                  clkl_error *error);

/* Lowers *limit to the work-items that the built kernel takes in a work-group; devices may allow it
 * fewer than they promise. */
clkl_status clkl_kernel_pool_limit(struct clkl_kernel_pool *pool, cl_device_id id, uint64_t *limit,
                                   clkl_error *error);

/* Gives it back; NULL does nothing. */
void clkl_kernel_pool_return(struct clkl_kernel_pool *pool, cl_kernel kernel);

#endif
