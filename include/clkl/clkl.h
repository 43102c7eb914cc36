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
 * (natural logarithms). A *sample* is one index of the batch axis. The result has one value per
 * sample, or keeps the axes that are asked for. Divergences add up over the axes that it does not
 * keep, but over the batch they are averaged unless a sum is asked for.
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
 * Full covariances, since 0.2. With the Cholesky factors S_p = L_p L_p^T and S_q = L_q L_q^T, the
 * lower triangle E of L_q E = L_p - L_q, and y of L_q y = mu_p - mu_q,
 *
 *     KL = sum_i psi(E_ii) + 1/2 sum_{i >= j} E_ij^2 + 1/2 sum_i y_i^2
 *
 * which equals 1/2 [tr(S_q^-1 S_p) - D + ln(det S_q / det S_p) + (mu_p - mu_q)^T S_q^-1 (mu_p -
 * mu_q)] and cancels nowhere. docs/full_covariance.md derives it, and what takes its place where
 * two covariances are closer to each other than their factors can tell.
 *
 * Special values. A NaN in an element gives NaN for the values of the result that the element is
 * part of, and no others. A variance of 0 or infinity gives +inf, on P's side or Q's, except that
 * an element whose two sides are equal in mean and scale contributes 0. An infinite mean gives
 * +inf, two equal infinite ones NaN. A variance or standard deviation below 0 gives NaN and is
 * reported in the status of the value.
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
/** Second number: grows with new calls and fields. */
#define CLKL_VERSION_MINOR 2
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
    CLKL_DETERMINISTIC = 6,   /**< P only: a point mass, whose divergence is 0 by definition */
    CLKL_MEAN_COVARIANCE = 7, /**< mean [B, D], covariance [B, D, D]; since 0.2 */
    CLKL_MEAN_CHOLESKY = 8,   /**< mean, lower factor L of the covariance L L^T; since 0.2 */
    CLKL_MEAN_PRECISION = 9   /**< mean, inverse of the covariance; since 0.2 */
} clkl_form;

/* A specification in which at least one side is a matrix (one of the last three forms) is one of
 * full covariances:
 *
 * - rank is 2, shape {B, D}. The mean is [B, D], the matrix [B, D, D]; with CLKL_SHARED they are
 *   [D] and [D, D]; with CLKL_STRIDED scale_strides[0..2] are those of batch, row and column.
 *   Types are CLKL_F32 and CLKL_F64. The other side may be a matrix, too, or diagonal in any form.
 * - Of every matrix only the lower triangle is read (row >= column). Covariances and precisions are
 *   symmetric; the upper triangle of a factor may hold anything.
 * - The result keeps the batch (a value per sample), nothing, or axis 1: then it is the share of
 *   each coordinate, which is what coordinate i adds to the divergence of those before it (row i of
 *   E and y in the formula). Precisions have no such shares: CLKL_INVALID_SPEC.
 * - There are no gradients, weights, clamps and free nats: CLKL_UNSUPPORTED.
 * - A matrix whose factorisation meets a pivot that is not a positive finite number makes every
 *   value of its sample NaN, and so does a factor with such a diagonal, a diagonal side with such
 *   a variance, or an entry that is NaN or infinite; the other samples are right. So a singular
 *   covariance is NaN here, where a variance of 0 between two diagonals gives +inf. An infinite
 *   mean gives +inf, from its coordinate on where shares are kept; two equal infinite ones, and
 *   NaN, give NaN. */

/** Element types. Zero means CLKL_F32. */
typedef enum clkl_dtype {
    CLKL_DEFAULT_DTYPE = 0, /**< as each field says */
    CLKL_F32 = 1,           /**< IEEE 754 binary32 */
    CLKL_F64 = 2,           /**< IEEE 754 binary64; CLKL_UNSUPPORTED on devices without fp64 */
    CLKL_F16 = 3,           /**< IEEE 754 binary16: storage, computed in fp32; since 0.2 */
    CLKL_BF16 = 4           /**< the upper half of a binary32: storage, likewise; since 0.2 */
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
    /** The same for the scale; for a matrix batch, row, column. */
    int64_t scale_strides[CLKL_MAX_RANK];
    uint64_t reserved[8]; /**< 0 */
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
/** The result is left out, with status and clamp counts: gradients alone, which there have to be.
 * Since 0.2. */
#define CLKL_OUTPUT_NO_RESULT     2u
#define CLKL_OUTPUT_PARTS         4u /**< what covariances and means contribute; since 0.2 */
#define CLKL_OUTPUT_MATRIX_STATUS 8u /**< how each matrix was factored; since 0.2 */

/* Bits of clkl_spec.gradients: the arrays by which the result is differentiated, of sides that have
 * arrays; a deterministic P has no gradients, nor has Q beside it. Either bit of a side with packed
 * moments asks for both halves, in one packed array. Since 0.2. */
#define CLKL_GRADIENT_P_MEAN  1u /**< by P's means */
#define CLKL_GRADIENT_P_SCALE 2u /**< by the numbers in P's scale array: log-variances, say */
#define CLKL_GRADIENT_Q_MEAN  4u /**< by Q's means */
#define CLKL_GRADIENT_Q_SCALE 8u /**< by the numbers in Q's scale array */

/** What becomes of the numbers that a gradient's array held. Since 0.2. */
typedef enum clkl_gradient_update {
    CLKL_GRADIENT_SET = 0, /**< they are overwritten */
    CLKL_GRADIENT_ADD = 1  /**< the gradient is added to them, and the sum rounded once */
} clkl_gradient_update;

/** What chooses the elements that count. Since 0.2. */
typedef enum clkl_weighting {
    CLKL_NO_WEIGHTS = 0, /**< all elements count */
    CLKL_MASK = 1,       /**< an array of uint8: elements where it is not 0 count */
    CLKL_WEIGHTS = 2,    /**< an array of numbers that multiply the elements' contributions */
    /** An array of uint32, one per sample: how many indices of an axis count, from the first on; a
     * length beyond the extent is all of it, 0 nothing. */
    CLKL_LENGTHS = 3
} clkl_weighting;

/** Weights of the elements. One of weight 0 contributes exactly nothing, whatever it holds, NaN
 * too: nothing to values, to gradients (which are 0 there), to clamp counts, to the status. Other
 * weights are factors like any: no value is negative if no weight is, and NaN or an infinity
 * spreads as in any product. Means over the batch divide by the batch, weighted or not. Since 0.2.
 */
typedef struct clkl_weights {
    clkl_weighting kind; /**< what the array holds */
    clkl_dtype dtype;    /**< for CLKL_WEIGHTS, zero means CLKL_F32; 0 for masks and lengths */
    /** Of a mask or of weights, as for a Gaussian. Of lengths: CLKL_DENSE, one after the other;
     * CLKL_SHARED, one for all; or CLKL_STRIDED, where strides[0] counts. */
    clkl_layout layout;
    uint32_t length_axis; /**< for CLKL_LENGTHS: the axis that is ragged. 0 means axis 1 */
    /** For CLKL_STRIDED: elements from one index to the next, per axis of the mean. A stride of 0
     * repeats the axis: strides of {1, 0, 0, 0} weigh samples, {0, 1, 0, 0} channels. */
    int64_t strides[CLKL_MAX_RANK];
    uint64_t reserved[8]; /**< 0 */
} clkl_weights;

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
    /** Precision of arithmetic and result: CLKL_F32 or CLKL_F64. Zero means CLKL_F64 if an input
     * (or the weights) are CLKL_F64, else CLKL_F32. On devices CLKL_F32 rounds inputs of CLKL_F64
     * to fp32 as they are read. */
    clkl_dtype compute;
    /** The clamp applies to log-variances (CLKL_MOMENTS, CLKL_MEAN_LOGVAR) of both sides, and is
     * ignored if P is deterministic; a clamp where neither side has any is CLKL_INVALID_SPEC.
     * Bounds are rounded to fp32 unless all clamped sides and the compute type are CLKL_F64. */
    clkl_clamp clamp;
    double clamp_low;  /**< the lower bound */
    double clamp_high; /**< the upper bound, not below the lower */
    /** Axes that stay in the result, as bits, any set of them: 1u << 2 | 1u << 3 keeps axes 2
     * and 3. 0 means one value per sample, as 1u << 0 does; CLKL_KEEP_NONE, on its own, one value
     * in all. The values are row-major in the kept axes, which keep the order of `shape`. */
    uint32_t keep;
    clkl_batch_reduction batch_reduction; /**< for a result without the batch axis */
    uint64_t reserved[8];                 /**< 0 */
    /* Since 0.2: */
    clkl_weights weights; /**< zeroed: all elements count alike */
    /** CLKL_GRADIENT_...: by which arrays the result is differentiated; 0 for none. With g the
     * upstream gradient of the value that an element is part of, w its weight, and KL the value
     * before free_nats, d/dx of an element is g w dKL/dx:
     *
     *     dKL/dmp = (mp - mq) exp(-lq)    dKL/dlp = 1/2 expm1(lp - lq)
     *     dKL/dmq = -dKL/dmp              dKL/dlq = -1/2 [expm1(lp - lq) + (mp - mq)^2 exp(-lq)]
     *
     * and by the chain rule for other scales; divided by the batch where the result is a mean over
     * it. 0 where a clamp is active (strictly outside its bounds). NaN in an element gives NaN for
     * its own gradients; an upstream gradient of 0 is a factor like others and hides no NaN. At
     * variances of 0 or infinity, and at infinite means, derivatives are the limits of the
     * formulas, infinite ones too, and NaN where there is none; where both sides are equal there,
     * those by the scales are 0. The result of a specification with gradients may differ in its
     * last bits from that without: its order of summation is another.
     *
     * The errors of gradients are told in shares of their terms: of expm1(lp - lq), and of (mp -
     * mq)^2 exp(-lq); where one side alone is given by logarithms, exp(lp - lq) and 1 are two
     * terms.
     *
     * Strides of an array that has a gradient are those of a slice, in any order of axes: each that
     * is not 0 is longer than all shorter ones reach together (the halves of packed moments count
     * as an axis), or else CLKL_INVALID_SPEC, for an element might be visited twice. */
    uint32_t gradients;
    clkl_dtype gradient_dtype;            /**< of all gradients; zero means the compute type */
    clkl_gradient_update gradient_update; /**< of all gradients */
    /** Free bits (Kingma et al. 2016), in nats, finite and at least 0, rounded to the compute type:
     * values of the result are at least this, max(KL, free_nats), after batch averaging if there is
     * any, and NaN if KL is; 0 leaves them as they are. Where gradients are asked for they take the
     * values from clkl_args.values, and are 0 where those are at most free_nats; such a
     * specification needs CLKL_OUTPUT_NO_RESULT, because the values come from an earlier call. */
    double free_nats;
    /** For full covariances. A covariance or precision whose factorisation fails is tried once more
     * with jitter * (mean of its diagonal), if that is a positive number, added to each element of
     * the diagonal; the divergence is then that of the matrix so changed, and the status says so.
     * Finite, at least 0; 0 for none;
     * CLKL_INVALID_SPEC above 0 where neither side is such a matrix. */
    double jitter;
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
 * Returns CLKL_OK, CLKL_INVALID_ARGUMENT, CLKL_INVALID_SPEC or CLKL_UNSUPPORTED (a field of a later
 * version is set). May be called from any thread. */
CLKL_API CLKL_WARN_UNUSED clkl_status clkl_spec_check(const clkl_spec *spec, clkl_error *error);

/** The number of values in the result of a valid specification, which is the product of the kept
 * extents, for a batch of `batch` samples (0: the planned one); 0 if the specification is invalid
 * or `batch` is larger than planned. */
CLKL_API uint64_t clkl_spec_result_count(const clkl_spec *spec, uint64_t batch);

/* ---- What comes back beside the result ---- */

/* Status of one value of the result, as bits. */
#define CLKL_VALUE_NAN            1u /**< the value is NaN */
#define CLKL_VALUE_INFINITE       2u /**< the value is +inf */
#define CLKL_VALUE_NEGATIVE_SCALE 4u /**< NaN: a variance or standard deviation is below 0 */
/** NaN: a side of full covariances has a pivot that is not positive; see clkl_matrix_status. Since
 * 0.2, as the next two; on a value of several samples if one of them is so. */
#define CLKL_VALUE_NOT_POSITIVE_DEFINITE 8u
#define CLKL_VALUE_FEW_DIGITS            16u /**< a matrix is CLKL_MATRIX_FEW_DIGITS */
#define CLKL_VALUE_JITTERED              32u /**< a matrix is CLKL_MATRIX_JITTERED */

/** How many log-variances the clamp changed (were strictly outside its bounds) in one value. Counts
 * end at UINT32_MAX. This struct never changes. */
typedef struct clkl_clamp_count {
    uint32_t p; /**< of P's */
    uint32_t q; /**< of Q's */
} clkl_clamp_count;

/** How the two sides of one sample were factored: 0 if nothing is to be said; k > 0 for the first
 * pivot, counted from 1, that is not a positive finite number (LAPACK's info; NaN and infinity
 * count as such); or one of the negative numbers below. For a Cholesky factor k is the first row
 * whose diagonal is no such number or that has an entry which is not finite, for a diagonal the
 * first such variance. A precision beside a covariance or a factor is factored from its last row
 * upwards: there k is the greatest row with such a pivot. This struct never changes. Since 0.2. */
typedef struct clkl_matrix_status {
    int32_t p; /**< of P's */
    int32_t q; /**< of Q's */
} clkl_matrix_status;

/** The condition of a covariance, estimated as (largest / smallest)^2 of the diagonal of its
 * Cholesky factor, which is never more than the condition, is above 0.01 / epsilon of the compute
 * type (2^-23 or 2^-52): few digits of the value can be right. For given factors and precisions
 * likewise; never for a diagonal. */
#define CLKL_MATRIX_FEW_DIGITS (-1)
/** The factorisation failed, and succeeded with clkl_spec.jitter. Prevails over few digits. */
#define CLKL_MATRIX_JITTERED (-2)

/** Numbers that the upstream gradient is multiplied with, for each side by its own: beta of a
 * beta-VAE, the two rates of KL balancing (Hafner et al. 2020). This struct never changes.
 * Since 0.2. */
typedef struct clkl_upstream_factors {
    uint32_t given; /**< 0: both are 1, whatever stands below; 1: as they stand */
    uint32_t zero;  /**< 0 */
    double p;       /**< for the gradients of P's arrays */
    double q;       /**< for the gradients of Q's arrays */
} clkl_upstream_factors;

/** Arrays in host memory for one computation. Inputs have the shape, type and strides of the
 * specification; the pointer is that of index (0, 0, ...). All belong to the caller and are not
 * kept. Outputs overlap nothing. */
typedef struct clkl_host_args {
    size_t struct_size;  /**< of this struct, set by the caller */
    const void *p_mean;  /**< or the packed moments; NULL if P has no arrays */
    const void *p_scale; /**< logvar, logstd, var, std or the matrix; NULL for packed moments */
    const void *q_mean;  /**< the same for Q */
    const void *q_scale; /**< the same for Q */
    /** clkl_spec_result_count values of the compute type; not used with CLKL_OUTPUT_NO_RESULT */
    void *result;
    uint32_t *value_status;         /**< NULL, or one CLKL_VALUE_... word per value of the result */
    clkl_clamp_count *clamp_counts; /**< NULL, or one per value; needs CLKL_OUTPUT_CLAMP_COUNTS */
    uint64_t batch;                 /**< samples in this call, at most shape[0]; 0 means shape[0] */
    uint64_t reserved[8];           /**< 0 */
    /* Since 0.2: */
    const void *weights;  /**< mask, weights or lengths; ignored without clkl_spec.weights */
    const void *upstream; /**< one per value, of the compute type; NULL: all are 1 */
    /** Results of an earlier call, of the compute type; ignored but for gradients with free_nats */
    const void *values;
    /** The gradients: each lies as the array that it belongs to does (same shape, same strides,
     * packed if that is packed; elements between strides are left alone), has the gradient type,
     * and holds the sum over every axis that the array repeats (stride 0). NULL leaves one out that
     * clkl_spec.gradients asks for; one that it does not ask for is CLKL_INVALID_ARGUMENT. */
    void *p_mean_gradient;
    void *p_scale_gradient;        /**< NULL for packed moments */
    void *q_mean_gradient;         /**< the same for Q */
    void *q_scale_gradient;        /**< NULL for packed moments */
    clkl_upstream_factors factors; /**< numbers that multiply the upstream gradient */
    /** NULL, or two numbers of the compute type per value of the result, which is their sum: what
     * the covariances contribute and what the means do; needs CLKL_OUTPUT_PARTS. */
    void *parts;
    /** NULL, or one per sample, whatever the result keeps; needs CLKL_OUTPUT_MATRIX_STATUS. */
    clkl_matrix_status *matrix_status;
} clkl_host_args;

/* ---- The reference ---- */

/** Computes on the calling thread with the scalar reference, in double precision whatever the
 * compute type, which decides the type of the result alone. It is the yardstick of the tests:
 * plain, slow and exact to about 4e-15 relative (gradients: 1e-14 of the sum of the absolute values
 * of their terms). May be called from any thread.
 *
 * Full covariances are computed in long double, and so lose less than fp64 to the condition of a
 * matrix where that is wider than double (64 bits on x86, 113 on 64-bit ARM with Linux); there the
 * compute type also decides when a matrix has few digits. They need room for two matrices of long
 * doubles, which is allocated for the call; nothing else is.
 *
 * Returns CLKL_OK, what clkl_spec_check returns, CLKL_INVALID_ARGUMENT for args, or
 * CLKL_OUT_OF_HOST_MEMORY (full covariances alone); on failure no output is written. */
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
