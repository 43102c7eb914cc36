#include "kl_triangles.h"

#include "kl_covariance.h"
#include "message.h"

#include <inttypes.h>
#include <math.h>

static const double tolerance = 0.01;

/* The matrices of a file, one after the other. */
struct matrices {
    const void *data;
    bool wide;          /* float64, or float32 */
    uint64_t dimension; /* rows and columns */
    uint64_t count;
};

/* An entry below the diagonal. */
struct place {
    uint64_t matrix, row, column;
};

static double entry(const struct matrices *all, uint64_t matrix, uint64_t row, uint64_t column)
{
    const uint64_t i = (matrix * all->dimension + row) * all->dimension + column;
    return all->wide ? ((const double *)all->data)[i] : (double)((const float *)all->data)[i];
}

/* Whether the entry differs from the one that mirrors it, as if that were not meant. */
static bool differs(const struct matrices *all, const struct place *at)
{
    const double lower = entry(all, at->matrix, at->row, at->column);
    const double upper = entry(all, at->matrix, at->column, at->row);
    const double difference = fabs(lower - upper);
    if (!(difference > tolerance * fmax(fabs(lower), fabs(upper))) || isinf(difference))
        return false;
    const double scale = sqrt(fabs(entry(all, at->matrix, at->row, at->row))) *
                         sqrt(fabs(entry(all, at->matrix, at->column, at->column)));
    return scale > 0 && difference > tolerance * scale;
}

/* The first entry below a diagonal that `is_so`. */
static bool find(const struct matrices *all,
                 bool (*is_so)(const struct matrices *all, const struct place *at),
                 struct place *at)
{
    for (at->matrix = 0; at->matrix < all->count; at->matrix++)
        for (at->row = 1; at->row < all->dimension; at->row++)
            for (at->column = 0; at->column < at->row; at->column++)
                if (is_so(all, at))
                    return true;
    return false;
}

static bool is_below(const struct matrices *all, const struct place *at)
{
    return entry(all, at->matrix, at->row, at->column) != 0;
}

static bool is_above(const struct matrices *all, const struct place *at)
{
    return entry(all, at->matrix, at->column, at->row) != 0;
}

static bool check_factors(const struct kl_side_options *options, const struct matrices *all)
{
    struct place at;
    if (find(all, is_below, &at) || !find(all, is_above, &at))
        return true;
    return message("%s: matrix %" PRIu64 " has %g at row %" PRIu64 ", column %" PRIu64
                   ", but everything below the diagonals is 0; expected lower Cholesky factors: "
                   "transpose upper ones by numpy.swapaxes(x, -1, -2), or clear what is not meant "
                   "by numpy.tril(x)",
                   kl_covariance_label(options, true).text, at.matrix,
                   entry(all, at.matrix, at.column, at.row), at.column, at.row);
}

static bool check_symmetric(const struct kl_side_options *options, const struct matrices *all)
{
    struct place at;
    if (!find(all, differs, &at))
        return true;
    const char *what = options->form == CLKL_MEAN_PRECISION ? "precision matrix" : "covariance";
    return message("%s: matrix %" PRIu64 " is not symmetric: %g at row %" PRIu64 ", column %" PRIu64
                   ", but %g across the diagonal; expected a %s, of which the lower triangle is "
                   "read: average it with its transpose if it is one, by (x + "
                   "numpy.swapaxes(x, -1, -2)) / 2%s",
                   kl_covariance_label(options, true).text, at.matrix,
                   entry(all, at.matrix, at.row, at.column), at.row, at.column,
                   entry(all, at.matrix, at.column, at.row), what,
                   options->archive ? ""
                                    : ", or say --tril or --q-tril if it is a Cholesky factor");
}

bool kl_triangles_check(const struct kl_side_options *options, const struct kl_side_files *side)
{
    const struct npy *matrix = &side->scale;
    const struct matrices all = {.data = matrix->data,
                                 .wide = matrix->type == NPY_FLOAT64,
                                 .dimension = matrix->shape[matrix->rank - 1],
                                 .count = matrix->rank == 3 ? matrix->shape[0] : 1};
    return options->form == CLKL_MEAN_CHOLESKY ? check_factors(options, &all)
                                               : check_symmetric(options, &all);
}
