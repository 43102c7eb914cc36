#define _POSIX_C_SOURCE 200809L

#include "npy_foreign.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum format { UNKNOWN, ZIP, HDF5, SAFETENSORS, TORCH, PICKLE };

/* Python that reads the file named between `before` and `after` and writes x.npy. */
static const struct {
    const char *what, *before, *after;
} formats[] = {
    [ZIP] = {"an .npz archive (one of FID statistics is read by `clkl kl --stats`)",
             "import numpy; numpy.save('x.npy', numpy.load('", "')['NAME'])"},
    [HDF5] = {"an HDF5 file", "import h5py, numpy; numpy.save('x.npy', h5py.File('",
              "', 'r')['NAME'][()])"},
    [SAFETENSORS] = {"a .safetensors file",
                     "from safetensors.numpy import load_file; import numpy; numpy.save('x.npy', "
                     "load_file('",
                     "')['NAME'])"},
    [TORCH] = {"a PyTorch file", "import numpy, torch; numpy.save('x.npy', torch.load('",
               "', map_location='cpu')['NAME'].detach().numpy())"},
    [PICKLE] = {"a Python pickle (which can run any code: load it only if you trust it)",
                "import numpy, pickle; numpy.save('x.npy', pickle.load(open('", "', 'rb')))"},
};

static bool has_extension(const char *file, const char *extension)
{
    size_t length = strlen(file), tail = strlen(extension);
    return length > tail && strcasecmp(file + length - tail, extension) == 0;
}

static bool starts_with(const unsigned char *bytes, size_t size, const char *magic, size_t length)
{
    return size >= length && memcmp(bytes, magic, length) == 0;
}

/* A 64-bit little-endian length, of which real files use the lower four bytes, and JSON. */
static bool looks_like_safetensors(const unsigned char *bytes, size_t size)
{
    return size >= 9 && memcmp(bytes + 4, "\0\0\0\0{", 5) == 0;
}

static bool looks_like_pickle(const unsigned char *bytes, size_t size)
{
    return size >= 2 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5;
}

static enum format recognise(const char *file, const unsigned char *bytes, size_t size)
{
    bool torch = has_extension(file, ".pt") || has_extension(file, ".pth");
    if (starts_with(bytes, size, "PK\3\4", 4))
        return torch ? TORCH : ZIP;
    if (starts_with(bytes, size, "\211HDF\r\n\032\n", 8))
        return HDF5;
    if (looks_like_safetensors(bytes, size) || has_extension(file, ".safetensors"))
        return SAFETENSORS;
    if (looks_like_pickle(bytes, size))
        return torch ? TORCH : PICKLE;
    return UNKNOWN;
}

/* Whether a name means itself in a shell's double quotes and in Python's single quotes inside them,
 * and is short enough to leave room for the rest of the sentence. "standard input" is no name. */
static bool is_plain(const char *file)
{
    return strlen(file) <= 80 && strpbrk(file, " \"'\\$`!\n\r\t") == NULL;
}

static bool refuse_unknown(const char *file, const unsigned char *bytes, size_t size,
                           struct io_error *error)
{
    char hex[3 * NPY_SNIFF + 1] = "";
    for (size_t i = 0; i < size && i < 6; i++)
        snprintf(hex + 3 * i, 4, " %02x", bytes[i]);
    return io_error_set(error, file,
                        "not a .npy file: it begins with the bytes%s; expected 93 4e 55 4d 50 59 "
                        "(\\x93NUMPY)",
                        hex);
}

bool npy_refuse_foreign(const char *file, const unsigned char *bytes, size_t size,
                        struct io_error *error)
{
    enum format format = recognise(file, bytes, size);
    if (format == UNKNOWN)
        return refuse_unknown(file, bytes, size, error);
    return io_error_set(error, file,
                        "this is %s; expected a .npy file. To convert it: python3 -c \"%s%s%s\"",
                        formats[format].what, formats[format].before,
                        is_plain(file) ? file : "FILE", formats[format].after);
}
