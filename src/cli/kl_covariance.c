#include "kl_covariance.h"

#include "arguments.h"
#include "convert.h"
#include "kl_triangles.h"
#include "message.h"
#include "shape_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define SHAPE(array) shape_text((array)->shape, (array)->rank).text

bool kl_form_is_matrix(clkl_form form)
{
    return form == CLKL_MEAN_COVARIANCE || form == CLKL_MEAN_CHOLESKY ||
           form == CLKL_MEAN_PRECISION;
}

static bool is_full(const struct kl_options *options)
{
    return kl_form_is_matrix(options->p.form) || kl_form_is_matrix(options->q.form);
}

struct kl_file_label kl_covariance_label(const struct kl_side_options *options, bool matrix)
{
    struct kl_file_label label;
    const char *path = message_file(matrix ? options->scale : options->mean);
    const size_t length = strlen(path), room = sizeof label.text - sizeof "...(sigma.npy)";
    snprintf(label.text, sizeof label.text, "%s%s%s", length > room ? "..." : "",
             length > room ? path + length - room : path,
             !options->archive ? ""
             : matrix          ? "(sigma.npy)"
                               : "(mu.npy)");
    return label;
}

/* ---- Options ---- */

static bool read_jitter(const char *text, struct kl_options *options)
{
    if (text == NULL)
        return true;
    if (!arguments_amount(text, &options->jitter))
        return message("--jitter %s: expected a finite number that is not below 0, e.g. 1e-6",
                       text);
    const clkl_form p = options->p.form, q = options->q.form;
    return p == CLKL_MEAN_COVARIANCE || p == CLKL_MEAN_PRECISION || q == CLKL_MEAN_COVARIANCE ||
           q == CLKL_MEAN_PRECISION ||
           message("--jitter %s: it is added to covariances and precisions, but neither side is "
                   "given by one; leave it out",
                   text);
}

/* The default clamp of packed moments is not left out in silence. */
static bool check_clamp(const struct kl_arguments *arguments, const struct kl_options *options)
{
    if (options->clamp == CLKL_NO_CLAMP)
        return true;
    if (arguments->option[KL_CLAMP] != NULL)
        return message("--clamp %s: there are no clamps with full covariances; leave it out",
                       arguments->option[KL_CLAMP]);
    return message("the log-variances of packed moments are clamped to [-30, 20] by default, but "
                   "beside a full covariance they cannot be; say --no-clamp to take them as they "
                   "are");
}

bool kl_covariance_options_read(const struct kl_arguments *arguments, struct kl_options *options)
{
    if (!read_jitter(arguments->option[KL_JITTER], options))
        return false;
    if (!is_full(options))
        return true;
    if (options->weights.kind != CLKL_NO_WEIGHTS)
        return message("--%s: elements of full covariances cannot be left out or weighted; "
                       "leave it out, or select the coordinates in the files",
                       options->weights.option);
    if (arguments->option[KL_FREE_NATS] != NULL)
        return message("--free-nats %s: there are no free nats with full covariances; leave it out",
                       arguments->option[KL_FREE_NATS]);
    if (options->p.form == CLKL_DETERMINISTIC)
        return message(
            "--deterministic: the divergence of a point mass is 0 by definition, whatever "
            "Q is; leave out Q's matrix or --deterministic");
    return check_clamp(arguments, options);
}

/* ---- Files ---- */

struct npy kl_covariance_batch(const struct kl_options *options, const struct npy *mean)
{
    struct npy batch = *mean;
    if (is_full(options) && mean->rank == 1) {
        batch.rank = 2;
        batch.shape[0] = 1;
        batch.shape[1] = mean->shape[0];
    }
    return batch;
}

static bool check_types(const struct kl_side_options *options, const struct kl_side_files *side)
{
    if (options->mean == NULL || side->dtype == CLKL_F32 || side->dtype == CLKL_F64)
        return true;
    return convert_refuse_16_bit(options->mean, side->mean.type);
}

static bool check_mean(const struct kl_side_options *options, const struct npy *mean)
{
    if (options->mean == NULL || mean->rank == 1 || mean->rank == 2)
        return true;
    return message("%s: shape %s has %u axes; expected %s with full covariances, or %s for one "
                   "sample",
                   kl_covariance_label(options, false).text, SHAPE(mean), mean->rank,
                   options->packed ? "[B,2D]" : "[B,D]", options->packed ? "[2D]" : "[D]");
}

/* A matrix for each mean, or one for all. */
static bool check_matrix(const struct kl_side_options *options, const struct npy *mean,
                         const struct npy *matrix)
{
    const uint64_t dimension = mean->shape[mean->rank - 1];
    const uint64_t means = mean->rank == 2 ? mean->shape[0] : 1;
    const bool square = (matrix->rank == 2 || matrix->rank == 3) &&
                        matrix->shape[matrix->rank - 1] == dimension &&
                        matrix->shape[matrix->rank - 2] == dimension;
    const uint64_t matrices = matrix->rank == 3 ? matrix->shape[0] : 1;
    if (square && (matrices == means || matrices == 1))
        return true;
    const uint64_t whole[] = {means, dimension, dimension};
    return message("%s: shape %s does not fit the mean's, %s of %s; expected %s, or %s for one "
                   "matrix that all means share",
                   kl_covariance_label(options, true).text, SHAPE(matrix), SHAPE(mean),
                   kl_covariance_label(options, false).text, shape_text(whole, 3).text,
                   shape_text(whole + 1, 2).text);
}

static bool check_side(const struct kl_side_options *options, const struct kl_side_files *side)
{
    return check_types(options, side) && check_mean(options, &side->mean) &&
           (!kl_form_is_matrix(options->form) ||
            (check_matrix(options, &side->mean, &side->scale) &&
             kl_triangles_check(options, side)));
}

bool kl_covariance_check(const struct kl_options *options, const struct kl_files *files)
{
    return !is_full(options) ||
           (check_side(&options->p, &files->p) && check_side(&options->q, &files->q));
}

/* ---- The specification ---- */

/* One matrix beside several means is a stride of 0. */
static void repeat_matrix(const struct npy *mean, const struct npy *matrix, clkl_gaussian *side)
{
    if (!kl_form_is_matrix(side->form) || side->layout == CLKL_SHARED)
        return;
    const uint64_t means = mean->rank == 2 ? mean->shape[0] : 1;
    const uint64_t matrices = matrix->rank == 3 ? matrix->shape[0] : 1;
    const int64_t dimension = (int64_t)mean->shape[mean->rank - 1];
    if (matrices == means)
        return;
    side->layout = CLKL_STRIDED;
    side->mean_strides[0] = dimension;
    side->mean_strides[1] = 1;
    side->scale_strides[1] = dimension;
    side->scale_strides[2] = 1;
}

bool kl_covariance_repeats(const clkl_gaussian *side)
{
    return kl_form_is_matrix(side->form) && side->layout == CLKL_STRIDED;
}

bool kl_covariance_fill(const struct kl_options *options, const struct kl_files *files,
                        struct kl_task *task)
{
    const bool precision =
        options->p.form == CLKL_MEAN_PRECISION || options->q.form == CLKL_MEAN_PRECISION;
    task->full = is_full(options);
    if (!task->full)
        return true;
    if (precision && (kl_kept_bits(&task->kept) & 1u << 1) != 0)
        return message("--keep %s: with a precision matrix coordinates have no shares; expected 0 "
                       "or none, or covariances or factors instead",
                       options->keep.text);
    task->spec.jitter = options->jitter;
    repeat_matrix(&files->p.mean, &files->p.scale, &task->spec.p);
    repeat_matrix(&files->q.mean, &files->q.scale, &task->spec.q);
    return true;
}
