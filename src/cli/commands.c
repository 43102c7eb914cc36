#include "commands.h"

#include "devices.h"
#include "kl.h"
#include "kl_arguments.h"

const struct command commands[] = {{"kl", kl_command, &kl_arguments_argp},
                                   {"devices", devices_command, &devices_argp},
                                   {NULL, NULL, NULL}};
