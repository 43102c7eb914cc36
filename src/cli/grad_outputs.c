#include "grad_outputs.h"

#include "message.h"
#include "out_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *path_of(const struct grad_task *task, unsigned i)
{
    const struct grad_options *options = task->options;
    char *path = NULL;
    if (i == task->count)
        return strdup(options->value);
    return asprintf(&path, "%s.%s.npy", options->kl.out, task->array[i].name) >= 0 ? path : NULL;
}

static bool refuse_twice(const struct grad_outputs *outputs, unsigned i)
{
    for (unsigned other = 0; other < i; other++)
        if (strcmp(outputs->path[other], outputs->path[i]) == 0)
            return message("--value %s: a gradient goes there; name another file",
                           outputs->path[i]);
    return true;
}

static bool open_one(const struct grad_task *task, struct grad_outputs *outputs, unsigned i)
{
    outputs->path[i] = path_of(task, i);
    if (outputs->path[i] == NULL)
        return message("there is no memory for the names of files");
    outputs->count = i + 1;
    return refuse_twice(outputs, i) &&
           out_file_open(i < task->count ? "out" : "value", outputs->path[i],
                         task->options->kl.report != KL_REPORT_NONE, &outputs->output[i]);
}

bool grad_outputs_open(const struct grad_task *task, struct grad_outputs *outputs)
{
    const unsigned count = task->count + (task->options->value != NULL);
    *outputs = (struct grad_outputs){.count = 0};
    for (unsigned i = 0; i < count; i++) {
        if (open_one(task, outputs, i))
            continue;
        grad_outputs_free(outputs);
        return false;
    }
    return true;
}

static enum npy_type npy_type_of(clkl_dtype type)
{
    switch (type) {
    case CLKL_F16:
        return NPY_FLOAT16;
    case CLKL_BF16:
        return NPY_VOID2;
    case CLKL_F64:
        return NPY_FLOAT64;
    default:
        return NPY_FLOAT32;
    }
}

static struct npy array_of(const struct grad_task *task, unsigned i)
{
    const bool value = i == task->count;
    struct npy array = {.type = npy_type_of(value ? task->result.type : task->type),
                        .rank = value ? task->kl.kept.rank : task->array[i].of->rank,
                        .data = value ? task->result.kept : task->array[i].data};
    memcpy(array.shape, value ? task->kl.kept.shape : task->array[i].of->shape,
           array.rank * sizeof array.shape[0]);
    return array;
}

bool grad_outputs_write(const struct grad_task *task, struct grad_outputs *outputs)
{
    struct io_error error;
    for (unsigned i = 0; i < outputs->count; i++) {
        const struct npy array = array_of(task, i);
        FILE *stream = output_stream(outputs->output[i]);
        if (!npy_write(stream, outputs->path[i], &array, &error))
            return message("%s", error.text);
        if (fflush(stream) != 0)
            return message("%s: cannot be written: %s", outputs->path[i], strerror(errno));
    }
    return true;
}

bool grad_outputs_commit(struct grad_outputs *outputs)
{
    struct io_error error;
    const bool good = output_commit_all(outputs->output, outputs->count, &error);
    memset(outputs->output, 0, sizeof outputs->output);
    return good || message("%s", error.text);
}

void grad_outputs_free(struct grad_outputs *outputs)
{
    for (unsigned i = 0; i < outputs->count; i++) {
        output_abandon(outputs->output[i]);
        free(outputs->path[i]);
    }
    *outputs = (struct grad_outputs){.count = 0};
}
