/* The computation: engine, runs, and what came back. */
#ifndef CLKL_CLI_KL_RUN_H
#define CLKL_CLI_KL_RUN_H

#include "kl_matrices.h"
#include "kl_task.h"

struct kl_result {
    clkl_dtype type;                /* of the values: CLKL_F32 or CLKL_F64 */
    void *samples;                  /* one value per sample, before free nats */
    uint32_t *status;               /* CLKL_VALUE_... of each sample */
    clkl_clamp_count *clamp_counts; /* of each sample; NULL if not counted */
    void *kept;          /* the result that was asked for: `samples`, or values of its own */
    uint64_t kept_count; /* values in it, row-major in the axes of kl_task.kept */
    struct kl_matrices matrices; /* with full covariances; empty without */
    char device[160];            /* its name, or "reference" */
    bool reference;
    bool fallback;  /* the reference, though nobody asked for it */
    double seconds; /* that the runs took, with the building of kernels */
};

/* An engine on the device that was asked for (NULL: on any). NULL with a sentence on failure; the
 * caller releases it. */
clkl_engine *kl_run_engine(const char *device);

/* What there is to say of an engine. */
void kl_run_describe(const clkl_engine *engine, const struct kl_options *options,
                     struct kl_result *result);

/* Says why the library did not compute a task: the device may have no double precision; then the
 * library names one that has. Returns false. */
bool kl_run_refuse(const struct kl_options *options, const struct kl_files *files,
                   const struct kl_task *task, const clkl_error *error);

/* Computes the task on an engine; `count_clamped` asks for clamp_counts. On failure says why, and
 * leaves nothing to free. */
bool kl_run_on(clkl_engine *engine, const struct kl_options *options, const struct kl_files *files,
               const struct kl_task *task, bool count_clamped, struct kl_result *result);

/* The same on an engine of its own. */
bool kl_run(const struct kl_options *options, const struct kl_files *files,
            const struct kl_task *task, bool count_clamped, struct kl_result *result);

/* Seconds from some moment on. */
double kl_run_clock(void);

void kl_result_free(struct kl_result *result);

/* Value i of an array of the result's type. */
double kl_result_value(const struct kl_result *result, const void *values, uint64_t i);

#endif
