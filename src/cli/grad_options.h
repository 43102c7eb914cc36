/* What `clkl grad` was asked for. */
#ifndef CLKL_CLI_GRAD_OPTIONS_H
#define CLKL_CLI_GRAD_OPTIONS_H

#include "kl_options.h"

struct grad_options {
    struct kl_options kl; /* P and Q, weights, axes, device, kind of report; `out` is the prefix */
    const char *value;    /* the file for the values; NULL: none */
    bool of_p, of_q;      /* the sides whose gradients are wanted */
    double p_factor;      /* that multiply the upstream gradient, beta included */
    double q_factor;      /* 1 if no gradient of Q is wanted */
    clkl_dtype type;      /* of the gradients; CLKL_DEFAULT_DTYPE: not asked for */
};

/* The options and the help. */
extern const struct argp grad_argp;

/* Understands the command line; words[0] is the name of the command. */
bool grad_options_parse(int count, char **words, struct grad_options *options);

#endif
