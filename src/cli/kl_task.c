#include "kl_task.h"

#include "arguments.h"
#include "kl_covariance.h"
#include "kl_weights.h"
#include "message.h"
#include "shape_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#define SHAPE(array) shape_text((array)->shape, (array)->rank).text

static bool check_rank(const struct npy *array, const char *file)
{
    if (array->rank < 2)
        return message("%s: shape %s has %u %s; expected the batch axis and at least one other. A "
                       "single sample gets its batch axis by: numpy.save('batch.npy', "
                       "numpy.load('FILE.npy')[None])",
                       file, SHAPE(array), array->rank, array->rank == 1 ? "axis" : "axes");
    if (array->rank > CLKL_MAX_RANK)
        return message("%s: shape %s has %u axes; expected at most %d: reshape it", file,
                       SHAPE(array), array->rank, CLKL_MAX_RANK);
    if (array->count == 0)
        return message("%s: shape %s has no elements; expected at least one sample of at least one "
                       "element",
                       file, SHAPE(array));
    return true;
}

static bool find_split_axis(const struct kl_options *options, unsigned rank, struct kl_task *task)
{
    if (arguments_axis(options->split_axis, rank, &task->split_axis) && task->split_axis != 0)
        return true;
    return message("--split-axis %d: P has %u axes, of which 0 is the batch; expected 1 to %u, or "
                   "-1 to -%u",
                   options->split_axis, rank, rank - 1, rank - 1);
}

/* The shape of P's mean. */
static bool find_shape(const struct kl_options *options, const struct npy *p, struct kl_task *task)
{
    const char *file = message_file(options->p.mean);
    if (!check_rank(p, file) || !find_split_axis(options, p->rank, task))
        return false;
    task->spec.rank = p->rank;
    memcpy(task->spec.shape, p->shape, p->rank * sizeof p->shape[0]);
    uint64_t *split = &task->spec.shape[task->split_axis];
    if (options->p.packed && *split % 2 != 0)
        return message("%s: axis %u of shape %s has %" PRIu64 " entries; expected an even number, "
                       "the first half means, the second log-variances (--split-axis N names "
                       "another axis)",
                       file, task->split_axis, SHAPE(p), *split);
    if (options->p.packed)
        *split /= 2;
    task->samples = p->shape[0];
    task->elements = 1;
    for (unsigned axis = 1; axis < p->rank; axis++)
        task->elements *= task->spec.shape[axis];
    return true;
}

static bool same_shape(const struct npy *a, const struct npy *b)
{
    return a->rank == b->rank && memcmp(a->shape, b->shape, a->rank * sizeof a->shape[0]) == 0;
}

/* The two files of one side. */
static bool check_scale(const struct kl_side_options *options, const struct kl_side_files *side)
{
    if (options->scale == NULL || kl_form_is_matrix(options->form) ||
        same_shape(&side->mean, &side->scale))
        return true;
    return message("%s: shape %s differs from the mean's, %s of %s; expected the same",
                   message_file(options->scale), SHAPE(&side->scale), SHAPE(&side->mean),
                   message_file(options->mean));
}

static bool refuse_q(const struct kl_options *options, const struct npy *p, const struct npy *q,
                     const uint64_t *whole, unsigned rank)
{
    return message(
        "%s: Q's shape %s does not fit P's, %s of %s; expected %s, the same with a batch "
        "of 1, or %s for a Q that all samples share",
        message_file(options->q.mean), SHAPE(q), SHAPE(p), message_file(options->p.mean),
        shape_text(whole, rank).text, shape_text(whole + 1, rank - 1).text);
}

/* Whether Q fits P, and whether it is shared. `whole` is what Q's file would be with P's batch. */
static bool match_q(const struct kl_options *options, const struct npy *p, const struct npy *q,
                    struct kl_task *task)
{
    const unsigned rank = task->spec.rank;
    uint64_t whole[CLKL_MAX_RANK];
    memcpy(whole, task->spec.shape, sizeof whole);
    if (options->q.packed)
        whole[task->split_axis] *= 2;
    const unsigned batch_axes = q->rank == rank ? 1 : 0;
    if (q->rank != rank - 1 + batch_axes ||
        memcmp(q->shape + batch_axes, whole + 1, (rank - 1) * sizeof whole[0]) != 0)
        return refuse_q(options, p, q, whole, rank);
    task->q_shared = batch_axes == 0 || (q->shape[0] == 1 && task->samples > 1);
    if (task->q_shared || q->shape[0] == task->samples)
        return true;
    if (task->samples == 1 && q->shape[0] > 1)
        return message("%s: P has a batch of 1, %s, but Q has one of %" PRIu64 ", %s of %s; only Q "
                       "can be shared: repeat P, or swap them if that is what is meant",
                       message_file(options->p.mean), SHAPE(p), q->shape[0], SHAPE(q),
                       message_file(options->q.mean));
    return refuse_q(options, p, q, whole, rank);
}

static bool find_keep(const struct kl_options *options, struct kl_task *task)
{
    if (!kl_keep_find(&options->keep, task->spec.shape, task->spec.rank, &task->kept))
        return false;
    if (options->batch_given && kl_kept_batch(&task->kept))
        return message("--batch %s: it says what to do over the batch axis, which --keep %s keeps; "
                       "say --keep none or other axes than 0, or leave --batch out",
                       options->batch == CLKL_BATCH_SUM ? "sum" : "mean",
                       kl_kept_samples(&task->kept) ? "0, the default," : options->keep.text);
    return true;
}

static clkl_dtype choose_compute(const struct kl_options *options, const struct kl_files *files)
{
    if (options->compute != CLKL_DEFAULT_DTYPE)
        return options->compute;
    return kl_files_find_f64(options, files) != NULL ? CLKL_F64 : CLKL_F32;
}

static bool find_free_nats(const struct kl_options *options, struct kl_task *task)
{
    const bool narrow = task->spec.compute == CLKL_F32;
    task->free_nats = narrow ? (double)(float)options->free_nats : options->free_nats;
    return isfinite(task->free_nats) ||
           message("--free-nats %g: the result is float32, which ends at 3.4e38; expected less, or "
                   "--compute f64",
                   options->free_nats);
}

static clkl_gaussian describe(const struct kl_side_options *options,
                              const struct kl_side_files *side, unsigned split_axis)
{
    return (clkl_gaussian){.form = options->form, .dtype = side->dtype, .split_axis = split_axis};
}

static void fill(const struct kl_options *options, const struct kl_files *files,
                 struct kl_task *task)
{
    clkl_spec *spec = &task->spec;
    spec->struct_size = sizeof *spec;
    spec->p = describe(&options->p, &files->p, task->split_axis);
    spec->q = describe(&options->q, &files->q, task->split_axis);
    spec->q.layout = task->q_shared ? CLKL_SHARED : CLKL_DENSE;
    spec->clamp = options->clamp;
    spec->clamp_low = options->clamp_low;
    spec->clamp_high = options->clamp_high;
    task->args = (clkl_host_args){.struct_size = sizeof task->args,
                                  .p_mean = files->p.mean.data,
                                  .p_scale = files->p.scale.data,
                                  .q_mean = files->q.mean.data,
                                  .q_scale = files->q.scale.data};
    if (spec->p.form == CLKL_DETERMINISTIC)
        task->args.p_mean = NULL;
}

bool kl_task_make(const struct kl_options *options, const struct kl_files *files,
                  struct kl_task *task)
{
    const struct npy p = kl_covariance_batch(options, &files->p.mean);
    memset(task, 0, sizeof *task);
    if (!kl_covariance_check(options, files) || !check_scale(&options->p, &files->p) ||
        !check_scale(&options->q, &files->q) || !find_shape(options, &p, task))
        return false;
    if (options->q.mean != NULL && !match_q(options, &p, &files->q.mean, task))
        return false;
    if (!find_keep(options, task))
        return false;
    task->spec.compute = choose_compute(options, files);
    fill(options, files, task);
    return find_free_nats(options, task) && kl_weights_match(options, files, task) &&
           kl_covariance_fill(options, files, task);
}

clkl_spec kl_task_kept_spec(const struct kl_options *options, const struct kl_task *task)
{
    clkl_spec spec = task->spec;
    spec.outputs = task->full ? CLKL_OUTPUT_PARTS : 0;
    spec.keep = kl_kept_bits(&task->kept);
    spec.batch_reduction = options->batch;
    spec.free_nats = task->free_nats;
    return spec;
}
