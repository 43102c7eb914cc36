#include "out_file.h"

#include "message.h"
#include "std_streams.h"

bool out_file_open(const char *option, const char *path, bool printing, struct output **output)
{
    struct io_error error;
    *output = NULL;
    if (path == NULL)
        return true;
    if (printing && std_streams_is_output(path))
        return message("--%s %s: this is where standard output goes, and what is printed there "
                       "would mix with it; add --quiet, or name another file",
                       option, path);
    *output = output_open(path, &error);
    return *output != NULL || message("%s", error.text);
}

bool out_file_commit(struct output *output)
{
    struct io_error error;
    return output == NULL || output_commit(output, &error) || message("%s", error.text);
}
