/** @file
 * clkl: Kullback-Leibler divergences between Gaussians.
 *
 * This header describes what is to be computed and computes it on arrays in host memory. It needs
 * no OpenCL header. Callers with an OpenCL context, queue and buffers of their own continue with
 * clkl_opencl.h, which takes the same description.
 *
 * The usual case, the divergence of a VAE's latents from the standard normal, one value per sample:
 *
 *     const size_t shape[] = {520, 4, 4, 4};              // batch first; shape of the mean
 *     clkl_spec spec;
 *     clkl_spec_moments(&spec, 4, shape);                 // packed moments [520, 8, 4, 4]
 *
 *     clkl_engine *engine;
 *     clkl_status status = clkl_engine_create(NULL, &engine, NULL);
 *     clkl_host_args args = {.struct_size = sizeof args, .p_mean = moments, .result = kl};
 *     status = clkl_engine_run(engine, &spec, &args, NULL);
 *     clkl_engine_release(engine);
 *
 * Symbols: P = N(mu_p, S_p) comes first, Q = N(mu_q, S_q) second; the result is KL(P||Q) in nats
 * (natural logarithms). A *sample* is one index of the batch axis. Divergences add up within a
 * sample; over the batch they are averaged unless a sum is asked for.
 *
 * Formulas (Kullback and Leibler 1951; the special case of a standard normal Q is that of Kingma
 * and Welling 2014, appendix B), written so that no term can cancel, for every element i:
 *
 *     KL = 1/2 sum_i [ phi(lp_i - lq_i) + (mp_i - mq_i)^2 exp(-lq_i) ]     l = log-variance
 *     KL = 1/2 sum_i [ psi(vp_i/vq_i - 1) + (mp_i - mq_i)^2 / vq_i ]       v = variance
 *
 * with phi(x) = exp(x) - 1 - x and psi(x) = x - log1p(x). The result is never negative, and exactly
 * 0 for identical parameters.
 *
 * Special values. A NaN anywhere in a sample gives NaN for that sample and no other. A variance of
 * 0 or infinity gives +inf, on P's side or Q's, except that an element whose two sides are equal in
 * mean and scale contributes 0. An infinite mean gives +inf, two equal infinite ones NaN. A
 * variance or standard deviation below 0 gives NaN and is reported in the status of the sample.
 *
 * Conventions. Every struct that a call is given begins with its size, which the caller sets
 * (struct_size = sizeof x); every other field may be left 0. Functions return a clkl_status and, if
 * `error` is not NULL, describe a failure there. Handles belong to the caller until released;
 * releasing NULL does nothing. The library has no global state, never prints and never exits.
 */
#ifndef CLKL_CLKL_H
#define CLKL_CLKL_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** First number of this header's version: grows where callers may have to change. */
#define CLKL_VERSION_MAJOR 0
/** Second number: grows with new calls and fields, and before 1.0 in place of the first. */
#define CLKL_VERSION_MINOR 1
/** Third number: grows with corrections. */
#define CLKL_VERSION_PATCH 0

/** @def CLKL_API
 * Marks what the library exports. Programs that use it as a DLL on Windows define CLKL_DLL. */
#if defined(_WIN32) && defined(CLKL_DLL)
#if defined(CLKL_BUILDING)
#define CLKL_API __declspec(dllexport)
#else
#define CLKL_API __declspec(dllimport)
#endif
#elif defined(__GNUC__) && defined(CLKL_BUILDING) && !defined(_WIN32)
#define CLKL_API __attribute__((visibility("default")))
#else
#define CLKL_API
#endif

/** @def CLKL_WARN_UNUSED
 * Marks calls whose status must not be ignored. */
#if defined(__GNUC__)
#define CLKL_WARN_UNUSED __attribute__((warn_unused_result))
#else
#define CLKL_WARN_UNUSED
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** The version of the library that is running, as MAJOR * 10000 + MINOR * 100 + PATCH.
 * May be called from any thread. */
CLKL_API uint32_t clkl_version(void);

/* ---- Status and errors ---- */

/** What became of a call. The values never change; new ones are added at the end. */
typedef enum clkl_status {
    CLKL_OK = 0,               /**< done */
    CLKL_INVALID_ARGUMENT = 1, /**< NULL where forbidden, or a value outside its range */
    CLKL_INVALID_SPEC = 2,     /**< the specification contradicts itself */
    CLKL_UNSUPPORTED = 3,      /**< meaningful, but not available here, e.g. fp64 on this device */
    CLKL_OUT_OF_HOST_MEMORY = 4,   /**< malloc failed */
    CLKL_OUT_OF_DEVICE_MEMORY = 5, /**< the device refused an allocation, or would have to */
    CLKL_BUFFER_TOO_SMALL = 6,     /**< a buffer ends before the last element that would be used */
    CLKL_NO_DEVICE = 7,            /**< no usable OpenCL device, and no fallback allowed */
    CLKL_BUILD_FAILED = 8,         /**< the device's compiler refused a kernel; see the build log */
    CLKL_OPENCL_ERROR = 9,         /**< another OpenCL call failed; see call and opencl_code */
    CLKL_INTERNAL_ERROR = 10,      /**< a broken promise inside the library: please report it */
    CLKL_BLOB_REFUSED = 11         /**< programs of another device, driver or version, or damaged */
} clkl_status;

/** The name and meaning of a status in a few English words, e.g. "buffer too small"; never NULL,
 * also for unknown values. The string is static. May be called from any thread. */
CLKL_API const char *clkl_status_string(clkl_status status);

/** Details of a failure. Owned by the caller, who sets struct_size; written only when a call that
 * was given it fails. All strings are terminated and empty where there is nothing to say. */
typedef struct clkl_error {
    size_t struct_size;   /**< of this struct, set by the caller */
    clkl_status status;   /**< what the call returned */
    int32_t opencl_code;  /**< CL_... of the failing call, or 0 */
    char call[48];        /**< the OpenCL function that failed, e.g. "clBuildProgram" */
    char message[400];    /**< what was found, and what was expected */
    char build_log[4096]; /**< the compiler's words, cut to fit, for CLKL_BUILD_FAILED */
} clkl_error;

/* ---- What is to be computed ---- */

#define CLKL_MAX_RANK 9 /**< the batch axis and up to 8 others */

/** How one of the two Gaussians is given. */
typedef enum clkl_form {
    CLKL_STANDARD_NORMAL = 0, /**< N(0, I): no arrays */
    CLKL_MOMENTS = 1,         /**< one array: mean and log-variance, halves of the split axis */
    CLKL_MEAN_LOGVAR = 2,     /**< two arrays: mean, ln(variance) */
    CLKL_MEAN_LOGSTD = 3,     /**< two arrays: mean, ln(standard deviation) */
    CLKL_MEAN_VAR = 4,        /**< two arrays: mean, variance */
    CLKL_MEAN_STD = 5,        /**< two arrays: mean, standard deviation */
    CLKL_DETERMINISTIC = 6    /**< P only: a point mass, whose divergence is 0 by definition */
} clkl_form;

/** Element types. Zero means CLKL_F32. */
typedef enum clkl_dtype {
    CLKL_DEFAULT_DTYPE = 0, /**< as each field says */
    CLKL_F32 = 1,           /**< IEEE 754 binary32 */
    CLKL_F64 = 2            /**< IEEE 754 binary64: the reference computes it, devices do not yet */
} clkl_dtype;

/** How the elements of one Gaussian lie in its arrays. */
typedef enum clkl_layout {
    CLKL_DENSE = 0,  /**< row-major, with the batch axis */
    CLKL_SHARED = 1, /**< row-major, without the batch axis: the same for every sample */
    CLKL_STRIDED = 2 /**< as `strides` says */
} clkl_layout;

/** One of the two Gaussians. */
typedef struct clkl_gaussian {
    clkl_form form;     /**< which arrays there are, and what they hold */
    clkl_dtype dtype;   /**< of both arrays */
    clkl_layout layout; /**< of both arrays */
    /** For CLKL_MOMENTS: the axis, counted with the batch axis as 0, along which the array has
     * twice the extent: first the means, then the log-variances. 0 means axis 1. */
    uint32_t split_axis;
    /** For CLKL_STRIDED: elements from one index to the next, per axis, in the mean (for
     * CLKL_MOMENTS: in the packed array). A stride of 0 repeats the axis. */
    int64_t mean_strides[CLKL_MAX_RANK];
    int64_t scale_strides[CLKL_MAX_RANK]; /**< the same for the scale */
    uint64_t reserved[8];                 /**< 0 */
} clkl_gaussian;

/** What to do with the batch axis where the result does not keep it. */
typedef enum clkl_batch_reduction {
    CLKL_BATCH_MEAN = 0, /**< divide by the batch, after summing: in fp32 the sum ends at 6.8e38 */
    CLKL_BATCH_SUM = 1   /**< add up */
} clkl_batch_reduction;

/** Whether log-variances are clamped: off in a zeroed specification. */
typedef enum clkl_clamp {
    CLKL_NO_CLAMP = 0, /**< log-variances are taken as they are */
    CLKL_CLAMP = 1     /**< to [clamp_low, clamp_high]; NaN stays NaN, infinities become bounds */
} clkl_clamp;

/* Bits of clkl_spec.outputs: what can be asked for beside the result. */
#define CLKL_OUTPUT_CLAMP_COUNTS 1u /**< how many log-variances the clamp changed in each value */

/** The specification: everything that decides which kernels run. */
typedef struct clkl_spec {
    size_t struct_size; /**< of this struct, set by the caller */
    /** Axes of the mean, the batch first: 2 to CLKL_MAX_RANK of them. */
    uint32_t rank;
    uint32_t outputs; /**< CLKL_OUTPUT_... */
    /** Of the mean, no axis empty. shape[0] is the largest batch that will come. */
    uint64_t shape[CLKL_MAX_RANK];
    clkl_gaussian p; /**< the first Gaussian of KL(P||Q) */
    clkl_gaussian q; /**< the second; zeroed it is the standard normal */
    /** Precision of arithmetic and result. Zero means CLKL_F64 if an input is CLKL_F64, else
     * CLKL_F32. */
    clkl_dtype compute;
    /** The clamp applies to log-variances (CLKL_MOMENTS, CLKL_MEAN_LOGVAR) of both sides, and is
     * ignored if P is deterministic; a clamp where neither side has any is CLKL_INVALID_SPEC.
     * Bounds are rounded to fp32 if a clamped side is fp32. */
    clkl_clamp clamp;
    double clamp_low;  /**< the lower bound */
    double clamp_high; /**< the upper bound, not below the lower */
    /** Axes that stay in the result, as bits: 1u << axis. 0 means one value per sample, as 1u << 0.
     * CLKL_KEEP_NONE gives one value in all. This version keeps at most one axis. */
    uint32_t keep;
    clkl_batch_reduction batch_reduction; /**< for a result without the batch axis */
    uint64_t reserved[8];                 /**< 0 */
} clkl_spec;

#define CLKL_KEEP_NONE 0x80000000u /**< clkl_spec.keep: no axis stays */

/** Fills *spec for packed moments of fp32 against the standard normal, one value per sample: the
 * array is [shape[0], 2 * shape[1], shape[2], ...]. `shape` is that of the mean, `rank` long.
 * A NULL shape or a rank out of range is found when the specification is used; a NULL spec is left
 * alone. Compiled into the caller, whose clkl_spec may be older than the library's. */
static inline void clkl_spec_moments(clkl_spec *spec, uint32_t rank, const size_t *shape)
{
    uint32_t axis;
    if (spec == NULL)
        return;
    memset(spec, 0, sizeof *spec);
    spec->struct_size = sizeof *spec;
    spec->p.form = CLKL_MOMENTS;
    if (shape == NULL || rank > CLKL_MAX_RANK)
        return; /* rank stays 0, which no check accepts */
    spec->rank = rank;
    for (axis = 0; axis < rank; ++axis)
        spec->shape[axis] = shape[axis];
}

/** Checks a specification without using it, on no device.
 * Returns CLKL_OK, CLKL_INVALID_ARGUMENT, CLKL_INVALID_SPEC or CLKL_UNSUPPORTED (more than one kept
 * axis). May be called from any thread. */
CLKL_API CLKL_WARN_UNUSED clkl_status clkl_spec_check(const clkl_spec *spec, clkl_error *error);

/** The number of values in the result of a valid specification, for a batch of `batch` samples
 * (0: the planned one); 0 if the specification is invalid. */
CLKL_API uint64_t clkl_spec_result_count(const clkl_spec *spec, uint64_t batch);

/* ---- What comes back beside the result ---- */

/* Status of one value of the result, as bits. */
#define CLKL_VALUE_NAN            1u /**< the value is NaN */
#define CLKL_VALUE_INFINITE       2u /**< the value is +inf */
#define CLKL_VALUE_NEGATIVE_SCALE 4u /**< NaN: a variance or standard deviation is below 0 */

/** How many log-variances the clamp changed (were strictly outside its bounds) in one value. Counts
 * end at UINT32_MAX. This struct never changes. */
typedef struct clkl_clamp_count {
    uint32_t p; /**< of P's */
    uint32_t q; /**< of Q's */
} clkl_clamp_count;

/** Arrays in host memory for one computation. Inputs have the shape, type and strides of the
 * specification; the pointer is that of index (0, 0, ...). All belong to the caller and are not
 * kept. Outputs overlap nothing. */
typedef struct clkl_host_args {
    size_t struct_size;             /**< of this struct, set by the caller */
    const void *p_mean;             /**< or the packed moments; NULL if P has no arrays */
    const void *p_scale;            /**< logvar, logstd, var or std; NULL for packed moments */
    const void *q_mean;             /**< the same for Q */
    const void *q_scale;            /**< the same for Q */
    void *result;                   /**< clkl_spec_result_count values of the compute type */
    uint32_t *value_status;         /**< NULL, or one CLKL_VALUE_... word per value of the result */
    clkl_clamp_count *clamp_counts; /**< NULL, or one per value; needs CLKL_OUTPUT_CLAMP_COUNTS */
    uint64_t batch;                 /**< samples in this call, at most shape[0]; 0 means shape[0] */
    uint64_t reserved[8];           /**< 0 */
} clkl_host_args;

/* ---- The reference ---- */

/** Computes on the calling thread with the scalar reference, in double precision whatever the
 * compute type, which decides the type of the result alone. It is the yardstick of the tests:
 * plain, slow and exact to about 4e-15 relative. Allocates nothing. May be called from any thread.
 *
 * Returns CLKL_OK or what clkl_spec_check returns; on failure no output is written. */
CLKL_API CLKL_WARN_UNUSED clkl_status clkl_reference_run(const clkl_spec *spec,
                                                         const clkl_host_args *args,
                                                         clkl_error *error);

/* ---- The engine: host memory in and out, computed where it is fastest ---- */

/** A device that was chosen, with the kernels built for it; or the reference. */
typedef struct clkl_engine clkl_engine;

/** Whether the reference may compute where no device can. */
typedef enum clkl_fallback {
    CLKL_FALLBACK_ALLOWED = 0,  /**< without a usable device the reference computes */
    CLKL_FALLBACK_FORBIDDEN = 1 /**< without a usable device there is no engine */
} clkl_fallback;

/** What an engine is asked for. */
typedef struct clkl_engine_options {
    size_t struct_size; /**< of this struct, set by the caller */
    /** Which device: an index as `clkl devices` counts them, part of a name (without regard to
     * case), "cpu", "gpu", or "reference". NULL takes the variable CLKL_DEVICE from the
     * environment, and if that is unset or empty the first GPU, then any other accelerator, then a
     * CPU. "" is any, whatever the environment says. A device that was asked for by name is never
     * replaced by another or by the reference. */
    const char *device;
    clkl_fallback fallback; /**< used only where no device was asked for */
    uint64_t reserved[8];   /**< 0 */
} clkl_engine_options;

/** Chooses a device and prepares it; `options` may be NULL. The reference takes its place only if
 * no usable device exists now, none was asked for, and the options allow it: a later failure is an
 * error. On success *engine is the caller's, to be released with clkl_engine_release; on failure it
 * is NULL. Reads the environment, so no other thread may change that meanwhile.
 *
 * Returns CLKL_OK, CLKL_INVALID_ARGUMENT, CLKL_NO_DEVICE, CLKL_UNSUPPORTED,
 * CLKL_OUT_OF_HOST_MEMORY or CLKL_OPENCL_ERROR. */
CLKL_API CLKL_WARN_UNUSED clkl_status clkl_engine_create(const clkl_engine_options *options,
                                                         clkl_engine **engine, clkl_error *error);

/** Releases an engine; no call may be running on it. NULL does nothing. */
CLKL_API void clkl_engine_release(clkl_engine *engine);

/** Computes, and returns when the outputs are written. Kernels that an earlier call on this engine
 * built are used again. A batch that does not fit the device is computed in pieces where the result
 * keeps the batch axis, and the pieces give the bits of the whole; where it does not, an array that
 * is larger than the device's largest buffer is CLKL_OUT_OF_DEVICE_MEMORY. One thread at a time per
 * engine.
 *
 * Returns CLKL_OK or any other status; after a failure the outputs are undefined. */
CLKL_API CLKL_WARN_UNUSED clkl_status clkl_engine_run(clkl_engine *engine, const clkl_spec *spec,
                                                      const clkl_host_args *args,
                                                      clkl_error *error);

/** Which backend the engine uses: the device's name, or "reference". The string lives as long as
 * the engine; NULL for NULL. */
CLKL_API const char *clkl_engine_backend(const clkl_engine *engine);

/** 1 if the engine computes with the reference, 0 if on a device or for NULL. */
CLKL_API int clkl_engine_is_reference(const clkl_engine *engine);

/* ---- Devices, as the engine sees them ---- */

/** One OpenCL device, and what the engine thinks of it. */
typedef struct clkl_device_info {
    size_t struct_size;     /**< of this struct, set by the caller */
    char name[128];         /**< CL_DEVICE_NAME */
    char platform[128];     /**< CL_PLATFORM_NAME */
    char type[16];          /**< "cpu", "gpu", "accelerator", "custom" */
    char version[64];       /**< CL_DEVICE_VERSION */
    char driver[64];        /**< CL_DRIVER_VERSION */
    uint32_t compute_units; /**< CL_DEVICE_MAX_COMPUTE_UNITS */
    uint32_t usable;        /**< 1 if the kernels run on it, else 0 */
    uint32_t fp64;          /**< 1 if it has double precision, else 0 */
    uint32_t chosen;        /**< 1 for the one that an engine with the given options would take */
    uint64_t global_memory; /**< bytes */
    char reason[160];       /**< why it is chosen, or why not */
} clkl_device_info;

/** Lists the OpenCL devices of this machine in the order of the index that options->device takes.
 * Writes at most `capacity` entries to `infos`, whose element size is infos[0].struct_size, and the
 * number that exists to *count (each entry's struct_size is set, fields that this library does not
 * know become 0); `infos` may be NULL if capacity is 0. No platform at all is not an error: *count
 * is 0. Reads the environment as clkl_engine_create does.
 *
 * Returns CLKL_OK, CLKL_INVALID_ARGUMENT, CLKL_OUT_OF_HOST_MEMORY or CLKL_OPENCL_ERROR. */
CLKL_API CLKL_WARN_UNUSED clkl_status clkl_devices_list(const clkl_engine_options *options,
                                                        size_t capacity, clkl_device_info *infos,
                                                        size_t *count, clkl_error *error);

#ifdef __cplusplus
}
#endif

#endif
