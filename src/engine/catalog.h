/* The OpenCL devices of this machine, and which of them to use. */
#ifndef CLKL_ENGINE_CATALOG_H
#define CLKL_ENGINE_CATALOG_H

#include "opencl/cl.h"

#include <stdbool.h>

struct clkl_catalog_entry {
    cl_device_id id;
    cl_device_type type;
    clkl_device_info info;
};

struct clkl_catalog {
    struct clkl_catalog_entry *entries;
    size_t count;
    char wanted[128]; /* what was asked for; empty for any device */
    bool wants_reference;
    bool no_fallback;
    int chosen; /* an index, or -1 */
};

/* Lists all devices and chooses one as clkl_engine_options says; if they ask for the reference,
 * OpenCL is left alone unless `always_list`. No device, or none that fits, is no error here. */
clkl_status clkl_catalog_make(const clkl_engine_options *options, bool always_list,
                              struct clkl_catalog *catalog, clkl_error *error);
void clkl_catalog_destroy(struct clkl_catalog *catalog);

#endif
