/** @file
 * clkl on the caller's OpenCL context, queue and buffers. Read clkl.h first: it holds the
 * specification, the formulas and the conventions.
 *
 *     clkl_device *device;                                  // once per context and device
 *     clkl_device_create(context, cl_device, &device, NULL);
 *     clkl_plan *plan;                                      // once per shape
 *     clkl_plan_create(device, &spec, 0, &plan, NULL);
 *
 *     clkl_args args = {.struct_size = sizeof args};        // at every call
 *     args.p_mean.mem = moments;
 *     args.result.mem = kl;
 *     args.scratch.mem = scratch;                           // clkl_plan_scratch_size(plan) bytes
 *     clkl_enqueue(plan, queue, &args, n_wait, wait_list, &event, NULL);
 *
 * Everything that can fail early fails in clkl_plan_create; everything that compiles, compiles
 * there. Nothing here enumerates platforms, prints, or changes anything of the caller's.
 *
 * The caller chooses the OpenCL version (CL_TARGET_OPENCL_VERSION) before including this file;
 * 1.2 is enough.
 */
#ifndef CLKL_CLKL_OPENCL_H
#define CLKL_CLKL_OPENCL_H

#include <clkl/clkl.h>

#ifdef __APPLE__
#include <OpenCL/cl.h>
#else
#include <CL/cl.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Devices ---- */

/** What is known of one device in one context, and the programs built for it so far. */
typedef struct clkl_device clkl_device;

/** Reads the facts of `id` and retains `context`, which must contain it; builds nothing.
 * On success *device is the caller's, to be released with clkl_device_release; on failure NULL.
 * The handle may be used by several threads at once.
 *
 * Returns CLKL_OK, CLKL_INVALID_ARGUMENT, CLKL_UNSUPPORTED (the device cannot run the kernels, e.g.
 * it has no compiler), CLKL_OUT_OF_HOST_MEMORY or CLKL_OPENCL_ERROR. */
CLKL_API CLKL_WARN_UNUSED clkl_status clkl_device_create(cl_context context, cl_device_id id,
                                                         clkl_device **device, clkl_error *error);

/** Gives up the caller's hold. Plans made from it keep it alive. NULL does nothing. */
CLKL_API void clkl_device_release(clkl_device *device);

/* ---- Programs as blobs ---- */

/** Writes every program that the device has built into `blob`, for a later process to import. *size
 * becomes the size of the blob, also if it is more than `capacity`; `blob` may be NULL if that is
 * 0, to ask for the size (with CLKL_OK). Another thread may build more between two calls: then the
 * size has grown. The blob is bytes without alignment, to be kept anywhere; nothing here touches
 * the disk. May compile: PoCL completes a program when it is asked for its binary.
 *
 * Returns CLKL_OK, CLKL_INVALID_ARGUMENT, CLKL_BUFFER_TOO_SMALL (nothing was written),
 * CLKL_UNSUPPORTED (the device has no binaries), CLKL_OUT_OF_HOST_MEMORY or CLKL_OPENCL_ERROR. */
CLKL_API CLKL_WARN_UNUSED clkl_status clkl_device_export_programs(clkl_device *device,
                                                                  size_t capacity, void *blob,
                                                                  size_t *size, clkl_error *error);

/** Takes over the programs of a blob, so that plans build nothing that is in it. The blob is
 * refused whole, and the device left as it was, unless it is undamaged and was made by the same
 * version of this library, from the same kernels, for the same platform, device and driver; plans
 * then build from source as without it. Damage is found by a checksum, which is no protection
 * against malice: a blob holds code that the device runs, so keep it where only you can write.
 * Programs that are there already stay. `blob` is not kept.
 *
 * Returns CLKL_OK, CLKL_INVALID_ARGUMENT, CLKL_BLOB_REFUSED (also if the driver refuses a program;
 * the message says why), CLKL_OUT_OF_HOST_MEMORY or CLKL_OPENCL_ERROR. */
CLKL_API CLKL_WARN_UNUSED clkl_status clkl_device_import_programs(clkl_device *device,
                                                                  const void *blob, size_t size,
                                                                  clkl_error *error);

/* ---- Plans ---- */

/** One specification, made ready for one device. */
typedef struct clkl_plan clkl_plan;

/** Flag of clkl_plan_create. A plan launches each of its kernels once, with no rows and on a queue
 * of its own, because some implementations compile again at the first launch; this omits that. */
#define CLKL_PLAN_NO_WARM_UP 1u

/** Checks `spec`, chooses kernels and geometry, and builds what `device` has not built yet.
 * `spec` is copied. On success *plan is the caller's, to be released with clkl_plan_release; on
 * failure NULL. May block for as long as the device's compiler takes. May be called from several
 * threads at once, also on one device: what one builds the others use.
 *
 * Returns CLKL_OK, CLKL_INVALID_ARGUMENT, CLKL_INVALID_SPEC, CLKL_UNSUPPORTED (also where a value
 * has so many elements that Mesa's llvmpipe would stop the loops over them), CLKL_BUILD_FAILED,
 * CLKL_OUT_OF_HOST_MEMORY, CLKL_OUT_OF_DEVICE_MEMORY or CLKL_OPENCL_ERROR. */
CLKL_API CLKL_WARN_UNUSED clkl_status clkl_plan_create(clkl_device *device, const clkl_spec *spec,
                                                       uint32_t flags, clkl_plan **plan,
                                                       clkl_error *error);

/** Gives up the plan; commands that were enqueued with it run on. NULL does nothing. */
CLKL_API void clkl_plan_release(clkl_plan *plan);

/** Bytes of scratch that one call in flight needs, for the planned batch; may be 0. */
CLKL_API size_t clkl_plan_scratch_size(const clkl_plan *plan);

/* ---- Enqueueing ---- */

/** A buffer, and the element at which index (0, 0, ...) lies. Elements are those of the buffer's
 * type; for scratch they are bytes. This struct never changes. */
typedef struct clkl_buffer {
    cl_mem mem;    /**< NULL: no buffer */
    size_t offset; /**< in elements */
} clkl_buffer;

/** What belongs to one call. */
typedef struct clkl_args {
    size_t struct_size;  /**< of this struct, set by the caller */
    clkl_buffer p_mean;  /**< or the packed moments; ignored if P has no arrays */
    clkl_buffer p_scale; /**< ignored for packed moments */
    clkl_buffer q_mean;  /**< the same for Q */
    clkl_buffer q_scale; /**< the same for Q */
    /** clkl_spec_result_count values of the compute type; not used with CLKL_OUTPUT_NO_RESULT */
    clkl_buffer result;
    clkl_buffer value_status; /**< mem NULL, or a cl_uint of CLKL_VALUE_... per value */
    clkl_buffer clamp_counts; /**< mem NULL, or a cl_uint2 (p, q) per value: clkl_spec.outputs */
    /** At least clkl_plan_scratch_size bytes from an offset that is a multiple of 16, not used by
     * any other call in flight. If mem is NULL and scratch is needed, the call creates a buffer,
     * which OpenCL frees when the commands have completed (on implementations whose kernels hold
     * their last arguments, as rusticl's do, with the next call or the plan). */
    clkl_buffer scratch;
    uint64_t batch; /**< samples in this call, at most the planned batch; 0 means that */
    /* Since 0.2; see clkl_host_args: */
    clkl_buffer weights;           /**< mask, weights or lengths; ignored without them */
    clkl_buffer upstream;          /**< mem NULL: all are 1 */
    clkl_buffer values;            /**< results of an earlier call: free_nats with gradients */
    clkl_buffer p_mean_gradient;   /**< mem NULL leaves a gradient out */
    clkl_buffer p_scale_gradient;  /**< ignored for packed moments */
    clkl_buffer q_mean_gradient;   /**< the same for Q */
    clkl_buffer q_scale_gradient;  /**< ignored for packed moments */
    clkl_upstream_factors factors; /**< numbers that multiply the upstream gradient */
    clkl_buffer parts;             /**< mem NULL, or two numbers per value: CLKL_OUTPUT_PARTS */
    clkl_buffer matrix_status;     /**< mem NULL, or a cl_int2 (p, q) per sample */
} clkl_args;

/** Enqueues the computation. Waits on the device for the `n_wait` events of `wait_list`; if `event`
 * is not NULL it receives an event, the caller's to release, that completes when every output is
 * there. Never compiles, flushes, finishes, maps or blocks; with scratch given (or not needed) it
 * allocates no device memory. In-order and out-of-order queues are both right.
 *
 * Inputs and outputs keep to the specification. Outputs and scratch overlap nothing: where they
 * overlap each other or an input without gaps, also through sub-buffers, that is found and refused;
 * the gaps of a strided input are the caller's to look after. Buffers must stay
 * untouched until the event completes. May be called from several threads at once on one plan, with
 * scratch of its own for each call in flight.
 *
 * Returns CLKL_OK, CLKL_INVALID_ARGUMENT, CLKL_BUFFER_TOO_SMALL, CLKL_OUT_OF_HOST_MEMORY,
 * CLKL_OUT_OF_DEVICE_MEMORY or CLKL_OPENCL_ERROR. Errors of the first kinds are found before
 * anything is enqueued and set *event to NULL. If a later command of the operation cannot be
 * enqueued, the outputs are undefined and *event covers what was enqueued already (NULL if
 * nothing): inputs and scratch are in use until it completes. A caller that asked for no event then
 * finishes the queue before it touches them. */
CLKL_API CLKL_WARN_UNUSED clkl_status clkl_enqueue(clkl_plan *plan, cl_command_queue queue,
                                                   const clkl_args *args, cl_uint n_wait,
                                                   const cl_event *wait_list, cl_event *event,
                                                   clkl_error *error);

#ifdef __cplusplus
}
#endif

#endif
