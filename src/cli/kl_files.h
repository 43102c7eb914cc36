/* The input files of `clkl kl`: read, and of a type that is computed. */
#ifndef CLKL_CLI_KL_FILES_H
#define CLKL_CLI_KL_FILES_H

#include "io/npy.h"
#include "kl_options.h"

struct kl_side_files {
    struct npy mean;  /* or the packed moments; empty for a standard normal */
    struct npy scale; /* empty if there is none */
    clkl_dtype dtype; /* of both */
};

struct kl_files {
    struct kl_side_files p, q;
    struct npy weights;       /* mask, weights, or lengths as uint32; empty if all elements count */
    clkl_dtype weights_dtype; /* of weights */
    struct npy upstream;      /* the upstream gradient; empty if there is none */
    clkl_dtype upstream_dtype;
};

/* Reads all of them, and rounds float64 to float32 where --compute f32 asks for it. On failure says
 * why, and leaves nothing to free. */
bool kl_files_read(const struct kl_options *options, struct kl_files *files);

void kl_files_free(struct kl_files *files);

/* Reads a file of numbers of any type that is computed, as those of P and Q are read. */
bool kl_files_read_numbers(const struct kl_options *options, const char *path, struct npy *array,
                           clkl_dtype *dtype);

/* What is done to an array of numbers that has been read: rounded if --compute f32 asks for it, and
 * refused if its type is not computed. */
bool kl_files_take_numbers(const struct kl_options *options, const char *path, struct npy *array,
                           clkl_dtype *dtype);

/* The path of the first file of P, Q and weights that holds float64; NULL if none does. */
const char *kl_files_find_f64(const struct kl_options *options, const struct kl_files *files);

#endif
