/* OpenCL built-ins on NVIDIA's own libdevice, included before every source that is compiled for
 * NVIDIA: with libclc's versions the instruction counts would not resemble those of NVIDIA's
 * driver. What is not listed here comes from libclc. */
#pragma OPENCL EXTENSION cl_khr_fp64 : enable

#define BUILTIN __attribute__((overloadable, always_inline))

#define SCALAR(function, type, device) \
    type device(type);                 \
    type BUILTIN function(type x)      \
    {                                  \
        return device(x);              \
    }

#define HALVES(function, type)                         \
    type BUILTIN function(type x)                      \
    {                                                  \
        return (type)(function(x.lo), function(x.hi)); \
    }

#define VECTORS(function, type) \
    HALVES(function, type##2)   \
    HALVES(function, type##4)   \
    HALVES(function, type##8)   \
    HALVES(function, type##16)

#define FLOATS(function, device)    \
    SCALAR(function, float, device) \
    VECTORS(function, float)

#define FLOATS_AND_DOUBLES(function)          \
    FLOATS(function, __nv_##function##f)      \
    SCALAR(function, double, __nv_##function) \
    VECTORS(function, double)

FLOATS_AND_DOUBLES(exp)
FLOATS_AND_DOUBLES(expm1)
FLOATS_AND_DOUBLES(log)
FLOATS_AND_DOUBLES(log1p)
FLOATS_AND_DOUBLES(sqrt)
FLOATS_AND_DOUBLES(rint)
FLOATS(native_exp, __nv_fast_expf)
FLOATS(native_log, __nv_fast_logf)

/* Nothing of these short names may reach the source that follows. */
#undef FLOATS_AND_DOUBLES
#undef FLOATS
#undef VECTORS
#undef HALVES
#undef SCALAR
#undef BUILTIN
