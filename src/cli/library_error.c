#include "library_error.h"

#include "message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char library_install_hint[] =
    "apt-get install pocl-opencl-icd installs one that runs on the CPU";

static const char *what(const clkl_error *error)
{
    return error->message[0] != '\0' ? error->message : clkl_status_string(error->status);
}

static bool no_device(const clkl_error *error, const char *device)
{
    const char *variable = getenv("CLKL_DEVICE");
    if (device != NULL)
        message("--device %s: %s; `clkl devices` lists those that there are, and %s", device,
                what(error), library_install_hint);
    else if (variable != NULL && variable[0] != '\0')
        message("the variable CLKL_DEVICE is %s: %s; `clkl devices` lists those that there are, "
                "and %s",
                variable, what(error), library_install_hint);
    else
        message("%s; %s", what(error), library_install_hint);
    return false;
}

bool library_error(const clkl_error *error, const char *device)
{
    if (error->status == CLKL_NO_DEVICE)
        return no_device(error, device);
    if (error->call[0] != '\0' && strstr(what(error), error->call) == NULL)
        message("%s (%s returned %d)", what(error), error->call, (int)error->opencl_code);
    else
        message("%s", what(error));
    if (error->build_log[0] != '\0')
        fprintf(stderr, "%s\n", error->build_log);
    return false;
}
