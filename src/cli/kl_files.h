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
};

/* Reads all of them. On failure says why, and leaves nothing to free. */
bool kl_files_read(const struct kl_options *options, struct kl_files *files);

void kl_files_free(struct kl_files *files);

/* The path of the first of the files that holds float64; NULL if none does. */
const char *kl_files_find_f64(const struct kl_options *options, const struct kl_files *files);

#endif
