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

/* The same for bfloat16 in 16 bits, which become `type`. */
static struct command widen_bf16(const char *path, const char *target, const char *type)
{
    char after[96];
    snprintf(after, sizeof after, ".view('<u2').astype('<u4') << 16).view('<f4').astype('%s')",
             type);
    return python(path, target, "(", after);
}

bool convert_refuse(const char *path, enum npy_type type)
{
    const char *file = message_file(path);
    if (type == NPY_UINT16 || type == NPY_INT16)
        return message("%s: holds %s; if these are the bits of bfloat16, say --bf16. Else expected "
                       "float16, float32, float64 or bfloat16",
                       file, npy_type_name(type));
    return message("%s: holds %s; expected float16, float32, float64 or bfloat16. To convert it: "
                   "%s",
                   file, npy_type_name(type),
                   python(path, "f32.npy", "", ".astype('float32')").text);
}

bool convert_refuse_16_bit(const char *path, enum npy_type type)
{
    return message("%s: holds %s; with full covariances expected float32 or float64. To widen it, "
                   "which is exact: %s",
                   message_file(path), type == NPY_FLOAT16 ? "float16" : "bfloat16",
                   type == NPY_FLOAT16 ? python(path, "f32.npy", "", ".astype('float32')").text
                                       : widen_bf16(path, "f32.npy", "float32").text);
}

bool convert_refuse_mask(const char *path, enum npy_type type)
{
    return message("%s: holds %s; expected a mask of bool or uint8 (--weights takes "
                   "floating-point numbers). To convert it: %s",
                   message_file(path), npy_type_name(type),
                   python(path, "mask.npy", "", " != 0").text);
}

bool convert_refuse_lengths(const char *path, enum npy_type type)
{
    return message("%s: holds %s; expected lengths of int8 to int64 or uint8 to uint64. To convert "
                   "them: %s",
                   message_file(path), npy_type_name(type),
                   python(path, "lengths.npy", "", ".astype('int64')").text);
}

bool convert_refuse_mixture(const char *mean, enum npy_type mean_type, const char *scale,
                            enum npy_type scale_type)
{
    const bool mean_is_wider = npy_type_size(mean_type) > npy_type_size(scale_type);
    const char *path = mean_is_wider ? scale : mean;
    const enum npy_type from = mean_is_wider ? scale_type : mean_type;
    const enum npy_type other = mean_is_wider ? mean_type : scale_type;
    const bool to_f64 = other == NPY_FLOAT64;
    const char *target = to_f64 ? "f64.npy" : "f32.npy", *type = to_f64 ? "float64" : "float32";
    char after[32];
    snprintf(after, sizeof after, ".astype('%s')", type);
    const bool plain = from == NPY_FLOAT16 || from == NPY_FLOAT32;
    const bool both = npy_type_size(from) == npy_type_size(other);
    return message(
        "%s holds %s, but %s holds %s; expected one type for both. To widen %s, which is "
        "exact: %s",
        message_file(mean), npy_type_name(mean_type), message_file(scale),
        npy_type_name(scale_type), both ? "them, the first" : "the narrower one",
        plain ? python(path, target, "", after).text : widen_bf16(path, target, type).text);
}

bool convert_refuse_f64(const char *path, const char *why)
{
    return message("%s: holds float64, which is computed in double precision; %s (see --device). "
                   "--compute f32 "
                   "rounds it to float32",
                   message_file(path), why);
}
