/* The options of full covariances, for the table of `clkl kl`. */
#ifndef CLKL_CLI_KL_COVARIANCE_ROWS_H
#define CLKL_CLI_KL_COVARIANCE_ROWS_H

#include "kl_arguments.h"

#define KL_ROWS_P_FULL                                                                            \
    {0,                                                                                           \
     0,                                                                                           \
     0,                                                                                           \
     0,                                                                                           \
     "P with a full covariance: --mean, of shape [B,D] or [D] (a batch of one), and instead of "  \
     "the scale one of --cov, --tril and --precision-matrix, of shape [B,D,D], or [D,D] for one " \
     "matrix that all means share; or --stats",                                                   \
     1},                                                                                          \
        {"cov", KL_KEY(KL_COV), "FILE", 0, "covariance", 0},                                      \
        {"tril",                                                                                  \
         KL_KEY(KL_TRIL),                                                                         \
         "FILE",                                                                                  \
         0,                                                                                       \
         "lower Cholesky factor L of the covariance, which is L L^T; what is above the diagonal " \
         "is not read",                                                                           \
         0},                                                                                      \
        {"precision-matrix",                                                                      \
         KL_KEY(KL_PRECISION_MATRIX),                                                             \
         "FILE",                                                                                  \
         0,                                                                                       \
         "inverse of the covariance",                                                             \
         0},                                                                                      \
    {                                                                                             \
        "stats", KL_KEY(KL_STATS), "FILE.npz", 0,                                                 \
            "FID statistics: the mean mu, [D], and the covariance sigma, [D,D]", 0                \
    }

#define KL_ROWS_Q_FULL                                                                            \
    {"q-cov", KL_KEY(KL_Q_COV), "FILE", 0, 0, 0}, {"q-tril", KL_KEY(KL_Q_TRIL), "FILE", 0, 0, 0}, \
        {"q-precision-matrix", KL_KEY(KL_Q_PRECISION_MATRIX), "FILE", 0, 0, 0},                   \
    {                                                                                             \
        "q-stats", KL_KEY(KL_Q_STATS), "FILE.npz", 0,                                             \
            "a Q with a full covariance; P and Q may be given in different ways, "                \
            "a diagonal one beside a matrix, too",                                                \
            0                                                                                     \
    }

#define KL_ROW_JITTER                                                                              \
    {                                                                                              \
        "jitter", KL_KEY(KL_JITTER), "X", 0,                                                       \
            "try a covariance or precision that is not positive definite once more, with X times " \
            "the mean of its diagonal added to the diagonal; the summary says which were changed", \
            0                                                                                      \
    }

#endif
