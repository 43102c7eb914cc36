#include "without_locks.h"

#include "opencl/device.c"
