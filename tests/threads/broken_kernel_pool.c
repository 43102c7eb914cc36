#include "without_locks.h"

#include "opencl/kernel_pool.c"
