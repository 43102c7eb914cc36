#include "shape_text.h"

#include <inttypes.h>
#include <stdio.h>

struct shape_text shape_text(const uint64_t *shape, unsigned rank)
{
    struct shape_text result = {"["};
    int used = 1;
    for (unsigned axis = 0; axis < rank; axis++)
        used += snprintf(result.text + used, sizeof result.text - (unsigned)used, "%s%" PRIu64,
                         axis > 0 ? "," : "", shape[axis]);
    snprintf(result.text + used, sizeof result.text - (unsigned)used, "]");
    return result;
}
