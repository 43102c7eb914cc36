#include "convert.h"

#include "message.h"

#include <stdio.h>
#include <string.h>

struct command {
    char text[512];
};

/* Whether a name means itself within a shell's double quotes and Python's single quotes, and is
 * short enough to leave room for the rest of the sentence. */
static bool is_plain(const char *path)
{
    return strlen(path) <= 120 && strcmp(path, "-") != 0 && strpbrk(path, "\"'\\$`!\n\r\t") == NULL;
}

/* python3 -c "..." that writes the file anew, with `before` and `after` around its values. */
static struct command python(const char *path, const char *target, const char *before,
                             const char *after)
{
    struct command command;
    snprintf(command.text, sizeof command.text,
             "python3 -c \"import numpy; numpy.save('%s', %snumpy.load('%s')%s)\"", target, before,
             is_plain(path) ? path : "FILE.npy", after);
    return command;
}

static struct command to_float32(const char *path)
{
    return python(path, "f32.npy", "", ".astype('float32')");
}

bool convert_refuse(const char *path, enum npy_type type)
{
    const char *file = message_file(path);
    struct command plain = to_float32(path);
    if (type == NPY_FLOAT16)
        return message("%s: holds float16, which this version does not compute; expected float32. "
                       "The conversion is exact: %s",
                       file, plain.text);
    if (type == NPY_VOID2)
        return message(
            "%s: holds two-byte values without a type, as bfloat16 is saved; expected "
            "float32. If it is bfloat16, the conversion is exact: %s",
            file,
            python(path, "f32.npy", "(", ".view('<u2').astype('<u4') << 16).view('<f4')").text);
    return message("%s: holds %s; expected float32. To convert it: %s", file, npy_type_name(type),
                   plain.text);
}

bool convert_refuse_mixture(const char *mean, enum npy_type mean_type, const char *scale,
                            enum npy_type scale_type)
{
    const char *narrow = mean_type == NPY_FLOAT32 ? mean : scale;
    return message("%s holds %s, but %s holds %s; expected one type for both. To widen the "
                   "narrower one, which is exact: %s",
                   message_file(mean), npy_type_name(mean_type), message_file(scale),
                   npy_type_name(scale_type),
                   python(narrow, "f64.npy", "", ".astype('float64')").text);
}

bool convert_refuse_f64(const char *path, const char *device)
{
    return message("%s: holds float64, which is computed in double precision, and this version "
                   "does not do that on %s; say --device reference, or convert it: %s",
                   message_file(path), device, to_float32(path).text);
}

bool convert_refuse_narrowing(const char *path)
{
    return message("--compute f32: %s holds float64, which this version does not narrow; leave it "
                   "out, or convert the file: %s",
                   message_file(path), to_float32(path).text);
}
