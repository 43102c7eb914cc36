#include "npy_type.h"

#include <stdint.h>
#include <string.h>

static const struct {
    const char *name;
    char letter;
    unsigned char size;
} types[] = {
    [NPY_BOOL] = {"bool", 'b', 1},           [NPY_INT8] = {"int8", 'i', 1},
    [NPY_INT16] = {"int16", 'i', 2},         [NPY_INT32] = {"int32", 'i', 4},
    [NPY_INT64] = {"int64", 'i', 8},         [NPY_UINT8] = {"uint8", 'u', 1},
    [NPY_UINT16] = {"uint16", 'u', 2},       [NPY_UINT32] = {"uint32", 'u', 4},
    [NPY_UINT64] = {"uint64", 'u', 8},       [NPY_FLOAT16] = {"float16", 'f', 2},
    [NPY_FLOAT32] = {"float32", 'f', 4},     [NPY_FLOAT64] = {"float64", 'f', 8},
    [NPY_VOID2] = {"two-byte void", 'V', 2},
};

enum { TYPE_COUNT = sizeof types / sizeof types[0] };

const char *npy_type_name(enum npy_type type)
{
    return types[type].name;
}

size_t npy_type_size(enum npy_type type)
{
    return types[type].size;
}

char npy_type_letter(enum npy_type type)
{
    return types[type].letter;
}

char npy_native_order(void)
{
    const uint16_t one = 1;
    unsigned char first;
    memcpy(&first, &one, 1);
    return first == 1 ? '<' : '>';
}

/* What a type code that is not in the table says. */
static const char *describe_foreign(char letter)
{
    switch (letter) {
    case 'O':
        return "Python objects";
    case 'S':
    case 'a':
    case 'U':
        return "strings";
    case 'c':
        return "complex numbers";
    case 'M':
    case 'm':
        return "dates or time spans";
    case 'V':
        return "raw bytes or records";
    case 'f':
        return "floating-point numbers of an unusual size";
    default:
        return "values of an unknown type";
    }
}

const char *npy_type_parse(const char *code, size_t length, enum npy_type *type, bool *swapped)
{
    if (length < 2 || memchr("<>|=", code[0], 4) == NULL)
        return describe_foreign('\0');
    for (unsigned t = 0; length == 3 && t < TYPE_COUNT; t++) {
        if (code[1] == types[t].letter && code[2] == '0' + types[t].size) {
            *type = (enum npy_type)t;
            *swapped = (code[0] == '<' || code[0] == '>') && code[0] != npy_native_order();
            return NULL;
        }
    }
    return describe_foreign(code[1]);
}
