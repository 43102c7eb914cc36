#include "commands.h"

#include "devices.h"
#include "grad.h"
#include "grad_options.h"
#include "inspect.h"
#include "inspect_options.h"
#include "kl.h"
#include "kl_arguments.h"

const struct command commands[] = {{"kl", kl_command, &kl_arguments_argp},
                                   {"grad", grad_command, &grad_argp},
                                   {"inspect", inspect_command, &inspect_argp},
                                   {"devices", devices_command, &devices_argp},
                                   {NULL, NULL, NULL}};
