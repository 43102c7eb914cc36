/* Element types. */
#ifndef CLKL_CORE_DTYPE_H
#define CLKL_CORE_DTYPE_H

#include <clkl/clkl.h>

/* Bytes of an element; 0 for CLKL_DEFAULT_DTYPE and unknown types. */
static inline size_t clkl_dtype_size(clkl_dtype dtype)
{
    switch (dtype) {
    case CLKL_F32:
        return 4;
    case CLKL_F64:
        return 8;
    case CLKL_F16:
    case CLKL_BF16:
        return 2;
    case CLKL_DEFAULT_DTYPE:
        break;
    }
    return 0;
}

#endif
