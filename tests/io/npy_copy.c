/* npy_copy IN OUT: reads an array and writes it again, for numpy_files.py to look at. */
#include "npy.h"
#include "output.h"

int main(int argc, char **argv)
{
    struct npy array;
    struct io_error error;
    if (argc != 3)
        return 2;
    if (!npy_read(argv[1], &array, &error)) {
        fprintf(stderr, "%s\n", error.text);
        return 1;
    }
    struct output *output = output_open(argv[2], &error);
    bool good = output != NULL && npy_write(output_stream(output), argv[2], &array, &error);
    if (good)
        good = output_commit(output, &error);
    else
        output_abandon(output);
    if (!good)
        fprintf(stderr, "%s\n", error.text);
    npy_free(&array);
    return good ? 0 : 1;
}
