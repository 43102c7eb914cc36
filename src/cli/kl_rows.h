/* Rows of the options' tables that several commands have. */
#ifndef CLKL_CLI_KL_ROWS_H
#define CLKL_CLI_KL_ROWS_H

#include "kl_arguments.h"

#define KL_ROWS_P                                                                         \
    {0,                                                                                   \
     0,                                                                                   \
     0,                                                                                   \
     0,                                                                                   \
     "P, the first Gaussian: P.npy or --moments, or --mean and exactly one of --logvar, " \
     "--logstd, --var and --std",                                                         \
     1},                                                                                  \
        {"moments",                                                                       \
         KL_KEY(KL_MOMENTS),                                                              \
         "FILE",                                                                          \
         0,                                                                               \
         "packed: means, then log-variances, along one axis",                             \
         0},                                                                              \
        {"mean", KL_KEY(KL_MEAN), "FILE", 0, "means", 0},                                 \
        {"logvar", KL_KEY(KL_LOGVAR), "FILE", 0, "ln(variance)", 0},                      \
        {"logstd", KL_KEY(KL_LOGSTD), "FILE", 0, "ln(standard deviation)", 0},            \
        {"var", KL_KEY(KL_VAR), "FILE", 0, "variance", 0},                                \
    {                                                                                     \
        "std", KL_KEY(KL_STD), "FILE", 0, "standard deviation", 0                         \
    }

#define KL_ROWS_Q                                                                                 \
    {0,                                                                                           \
     0,                                                                                           \
     0,                                                                                           \
     0,                                                                                           \
     "Q, the second, the same way; if it is not given, the standard normal N(0, I). A Q without " \
     "the batch axis, or with a batch of 1, is shared by all samples",                            \
     2},                                                                                          \
        {"q-moments", KL_KEY(KL_Q_MOMENTS), "FILE", 0, 0, 0},                                     \
        {"q-mean", KL_KEY(KL_Q_MEAN), "FILE", 0, 0, 0},                                           \
        {"q-logvar", KL_KEY(KL_Q_LOGVAR), "FILE", 0, 0, 0},                                       \
        {"q-logstd", KL_KEY(KL_Q_LOGSTD), "FILE", 0, 0, 0},                                       \
        {"q-var", KL_KEY(KL_Q_VAR), "FILE", 0, 0, 0},                                             \
    {                                                                                             \
        "q-std", KL_KEY(KL_Q_STD), "FILE", 0, 0, 0                                                \
    }

#define KL_ROWS_READING                                                                            \
    {0, 0, 0, 0, "How they are read:", 3},                                                         \
        {"split-axis",                                                                             \
         KL_KEY(KL_SPLIT_AXIS),                                                                    \
         "N",                                                                                      \
         0,                                                                                        \
         "the axis of packed moments whose first half are the means and second half the "          \
         "log-variances, the batch axis being 0; negative numbers count from the end (default 1)", \
         0},                                                                                       \
        {"clamp",                                                                                  \
         KL_KEY(KL_CLAMP),                                                                         \
         "LO,HI",                                                                                  \
         0,                                                                                        \
         "clamp all log-variances to [LO, HI] (default -30,20 for packed moments, none for "       \
         "separate files)",                                                                        \
         0},                                                                                       \
        {"no-clamp", KL_KEY(KL_NO_CLAMP), 0, 0, "take log-variances as they are", 0},              \
    {                                                                                              \
        "bf16", KL_KEY(KL_BF16), 0, 0,                                                             \
            "take uint16 and int16 for bfloat16, as whose bits they are often saved", 0            \
    }

#define KL_ROWS_WEIGHTS                                                                            \
    {0, 0, 0, 0, "What counts (one of --mask, --weights and --lengths):", 4},                      \
        {"mask",                                                                                   \
         KL_KEY(KL_MASK),                                                                          \
         "FILE",                                                                                   \
         0,                                                                                        \
         "of bool or uint8: elements where it is 0 do not count, whatever P and Q hold there. "    \
         "Its "                                                                                    \
         "shape is held against the mean's from the last axis backwards, as NumPy broadcasts: "    \
         "each "                                                                                   \
         "axis has the mean's extent or 1, and those that are missing in front are repeated: "     \
         "[B,1,1] "                                                                                \
         "chooses samples of [B,C,L], [C,1] channels",                                             \
         0},                                                                                       \
        {"weights",                                                                                \
         KL_KEY(KL_WEIGHTS),                                                                       \
         "FILE",                                                                                   \
         0,                                                                                        \
         "numbers that multiply what the elements contribute, in a shape as for --mask; elements " \
         "of "                                                                                     \
         "weight 0 do not count",                                                                  \
         0},                                                                                       \
        {"lengths",                                                                                \
         KL_KEY(KL_LENGTHS),                                                                       \
         "FILE",                                                                                   \
         0,                                                                                        \
         "whole numbers, one for each sample (shape [B]), or one for all: how many indices of an " \
         "axis "                                                                                   \
         "count, from the first on",                                                               \
         0},                                                                                       \
    {                                                                                              \
        "length-axis", KL_KEY(KL_LENGTH_AXIS), "N", 0,                                             \
            "the axis of the mean's shape that --lengths are of; negative numbers count from the " \
            "end "                                                                                 \
            "(default 1)",                                                                         \
            0                                                                                      \
    }

#define KL_ROWS_WHERE                                                                            \
    {"device",                                                                                   \
     KL_KEY(KL_DEVICE),                                                                          \
     "cpu|gpu|reference|SEL",                                                                    \
     0,                                                                                          \
     "where; SEL is an index or part of a name as in `clkl devices` (default: the variable "     \
     "CLKL_DEVICE, or the best there is)",                                                       \
     0},                                                                                         \
    {                                                                                            \
        "compute", KL_KEY(KL_COMPUTE), "f32|f64", 0,                                             \
            "precision of arithmetic and result (default f64 for float64 files, else f32); f32 " \
            "rounds "                                                                            \
            "float64 files to float32 first",                                                    \
            0                                                                                    \
    }

/* The last of each table. */
#define KL_ROWS_COMMON                                                       \
    {"help", KL_HELP_KEY, 0, 0, "print this and exit", -1},                  \
        {"version", KL_VERSION_KEY, 0, 0, "print the version and exit", -1}, \
    {                                                                        \
        0, 0, 0, 0, 0, 0                                                     \
    }

#endif
