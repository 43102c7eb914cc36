/* The parser of headers: what numpy and others write is taken, all else is refused with a reason.
 */
#include "npy_foreign.h"
#include "npy_header.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* Parses a copy with nothing around it, so that a sanitizer sees a read beyond the end. */
static bool parse_bytes(const char *text, size_t length, struct npy_header *header,
                        struct io_error *error)
{
    char *copy = malloc(length + (length == 0));
    memcpy(copy, text, length);
    memset(error, 0, sizeof *error);
    bool good = npy_header_parse(copy, length, "f.npy", header, error);
    free(copy);
    return good;
}

static bool parse(const char *text, struct npy_header *header, struct io_error *error)
{
    return parse_bytes(text, strlen(text), header, error);
}

static const struct {
    const char *text;
    enum npy_type type;
    bool fortran;
    unsigned rank;
    uint64_t shape[3];
    uint64_t count;
} accepted[] = {
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }          \n",
     NPY_FLOAT32,
     false,
     2,
     {3, 4},
     12},
    {"{'descr': '<f8', 'fortran_order': True, 'shape': (), }\n", NPY_FLOAT64, true, 0, {0}, 1},
    {"{'descr': '<f2', 'fortran_order': False, 'shape': (7,)}", NPY_FLOAT16, false, 1, {7}, 7},
    {"{'shape': (2, 3, 5), 'fortran_order': False, 'descr': '|u1'}",
     NPY_UINT8,
     false,
     3,
     {2, 3, 5},
     30},
    {"{\"descr\": \"<V2\", \"fortran_order\": False, \"shape\": (1,)}",
     NPY_VOID2,
     false,
     1,
     {1},
     1},
    {"{'descr': \"|b1\", \"fortran_order\": False, 'shape': (9,)}", NPY_BOOL, false, 1, {9}, 9},
    {"{'descr':'=i8','fortran_order':True,'shape':(2,2)}", NPY_INT64, true, 2, {2, 2}, 4},
    {" \t\n{ 'descr' :\n'<u2' , 'fortran_order' : False , 'shape' : ( 3 , 4 , ) , } \r\n",
     NPY_UINT16,
     false,
     2,
     {3, 4},
     12},
    {"{'descr': '<i4', 'fortran_order': False, 'shape': (3L, 4L), }",
     NPY_INT32,
     false,
     2,
     {3, 4},
     12},
    {"{'descr': '<i2', 'fortran_order': False, 'shape': (3L,)}", NPY_INT16, false, 1, {3}, 3},
    {"{'descr': '|V2', 'fortran_order': False, 'shape': (0,)}", NPY_VOID2, false, 1, {0}, 0},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (5, 0, 7)}",
     NPY_FLOAT32,
     false,
     3,
     {5, 0, 7},
     0},
    {"{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846975,)}",
     NPY_FLOAT64,
     false,
     1,
     {1152921504606846975},
     1152921504606846975},
    {"{'descr': '|i1', 'fortran_order': False, 'shape': (9223372036854775807,)}",
     NPY_INT8,
     false,
     1,
     {INT64_MAX},
     INT64_MAX},
};

Test(npy_header, accepts)
{
    for (size_t i = 0; i < sizeof accepted / sizeof accepted[0]; i++) {
        struct npy_header header;
        struct io_error error;
        cr_assert(parse(accepted[i].text, &header, &error), "%s: %s", accepted[i].text, error.text);
        cr_expect_eq(header.type, accepted[i].type, "%s", accepted[i].text);
        cr_expect_eq(header.fortran, accepted[i].fortran, "%s", accepted[i].text);
        cr_expect_eq(header.rank, accepted[i].rank, "%s", accepted[i].text);
        for (unsigned axis = 0; axis < accepted[i].rank; axis++)
            cr_expect_eq(header.shape[axis], accepted[i].shape[axis], "%s", accepted[i].text);
        cr_expect_eq(header.count, accepted[i].count, "%s", accepted[i].text);
        cr_expect_eq(header.bytes, accepted[i].count * npy_type_size(header.type));
    }
}

#define DESCR(code)  "{'descr': " code ", 'fortran_order': False, 'shape': (3,)}"
#define ORDER(order) "{'descr': '<f4', 'fortran_order': " order ", 'shape': (3,)}"
#define SHAPE(shape) "{'descr': '<f4', 'fortran_order': False, 'shape': " shape "}"

static const struct {
    const char *text, *reason;
} refused[] = {
    /* not a dictionary */
    {"", "expected '{', but it ends"},
    {"    \n", "expected '{', but it ends"},
    {"['descr']", "expected '{' at byte 0 of the dictionary, found '['"},
    {"{", "expected a key or '}', but it ends"},
    {"{}", "'descr' is missing"},
    {"{,}", "expected a key or '}' at byte 1"},
    {"{'descr", "expected a closing quote, but it ends"},
    {"{'descr\": '<f4'}", "unknown key 'descr\": '"},
    {"{'de\\x73cr': '<f4'}", "expected a closing quote at byte 4"},
    {"{'descr'}", "expected ':'"},
    {"{'descr' '<f4'}", "expected ':'"},
    {"{'descr':", "expected a type code such as '<f4', but it ends"},
    {"{'descr': '<f4' 'shape': (3,)}", "expected ',' or '}'"},
    {"{'descr': '<f4',, 'shape': (3,)}", "expected a key or '}'"},
    {"{descr: '<f4'}", "expected a key or '}' at byte 1 of the dictionary, found 'd'"},
    {SHAPE("(3,)") "x", "expected nothing but white space after '}'"},
    {SHAPE("(3,)") "{}", "expected nothing but white space after '}'"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,)", "expected ',' or '}', but it ends"},
    {"{\x1b[31m", "found '?'"},
    /* keys */
    {"{'descr': '<f4', 'fortran_order': False}", "'shape' is missing"},
    {"{'descr': '<f4', 'shape': (3,)}", "'fortran_order' is missing"},
    {"{'fortran_order': False, 'shape': (3,)}", "'descr' is missing"},
    {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (3,)}",
     "'descr' is there twice"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'shape': (3,)}",
     "'shape' is there twice"},
    {"{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'order': 'C'}",
     "unknown key 'order'; expected descr, fortran_order, shape"},
    {"{'Descr': '<f4', 'fortran_order': False, 'shape': (3,)}", "unknown key 'Descr'"},
    {"{'': 1}", "unknown key ''"},
    {"{'desc': '<f4'}", "unknown key 'desc'"},
    {"{'descr\\': '<f4'}", "expected a closing quote"},
    {"{'a\x1b[2J\xc2\x9b"
     "31mb': 1}",
     "unknown key 'a?[2J??31mb'"},
    {"{'0123456789012345678901234567890123456789': 1}",
     "unknown key '012345678901234567890123456789012345...'"},
    /* types */
    {DESCR("'|O'"), "it holds Python objects (type code '|O'); expected real numbers"},
    {DESCR("'|S10'"), "it holds strings (type code '|S10')"},
    {DESCR("'<U5'"), "it holds strings"},
    {DESCR("'<c8'"), "it holds complex numbers"},
    {DESCR("'<c16'"), "it holds complex numbers"},
    {DESCR("'<M8[ns]'"), "it holds dates or time spans"},
    {DESCR("'<m8[s]'"), "it holds dates or time spans"},
    {DESCR("'|V1'"), "it holds raw bytes or records"},
    {DESCR("'|V16'"), "it holds raw bytes or records"},
    {DESCR("'<f16'"), "it holds floating-point numbers of an unusual size"},
    {DESCR("'<i3'"), "it holds values of an unknown type"},
    {DESCR("'<b2'"), "it holds values of an unknown type"},
    {DESCR("''"), "it holds values of an unknown type (type code '')"},
    {DESCR("'<'"), "it holds values of an unknown type"},
    {DESCR("'f4'"), "it holds values of an unknown type"},
    {DESCR("'float32'"), "it holds values of an unknown type"},
    {DESCR("'<f4 '"), "it holds floating-point numbers of an unusual size"},
    {DESCR("'!f4'"), "it holds values of an unknown type"},
    {DESCR("[('x', '<f4'), ('y', '<f4')]"), "the array is structured"},
    {DESCR("('<f4', (2,))"), "the array is structured"},
    {DESCR("4"), "expected a type code such as '<f4'"},
    {DESCR("None"), "expected a type code such as '<f4'"},
    /* order */
    {ORDER("0"), "expected True or False"},
    {ORDER("true"), "expected True or False"},
    {ORDER("'True'"), "expected True or False"},
    {ORDER("Truer"), "expected ',' or '}'"},
    {"{'fortran_order': Fals", "expected True or False"},
    /* shapes */
    {SHAPE("3"), "expected a tuple of sizes"},
    {SHAPE("[3]"), "expected a tuple of sizes"},
    {SHAPE("(3)"), "the shape is a number in brackets; expected a tuple such as (3,)"},
    {SHAPE("(,)"), "expected a size"},
    {SHAPE("(3,,4)"), "expected a size"},
    {SHAPE("(3 4)"), "expected ',' or ')'"},
    {SHAPE("(3, 4"), "expected ',' or ')'"},
    {SHAPE("(-1,)"), "the shape has a negative size"},
    {SHAPE("(3, -4)"), "the shape has a negative size"},
    {SHAPE("(+3,)"), "expected a size"},
    {SHAPE("(3.0,)"), "expected ',' or ')'"},
    {SHAPE("(1e3,)"), "expected ',' or ')'"},
    {SHAPE("(0x10,)"), "expected ',' or ')'"},
    {SHAPE("(03,)"), "expected a size without leading zeros"},
    {SHAPE("(3LL,)"), "expected ',' or ')'"},
    {SHAPE("(L,)"), "expected a size"},
    {SHAPE("('3',)"), "expected a size"},
    {SHAPE("(None,)"), "expected a size"},
    {SHAPE("((3,),)"), "expected a size"},
    {SHAPE("(1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17)"), "it has more than 16 dimensions"},
    {SHAPE("(9223372036854775808,)"), "a size above 2^63 - 1"},
    {SHAPE("(18446744073709551617,)"), "a size above 2^63 - 1"},
    {SHAPE("(99999999999999999999999999,)"), "a size above 2^63 - 1"},
    {SHAPE("(2305843009213693952,)"), "the product of the shape is too large"},
    {SHAPE("(4294967296, 4294967296)"), "the product of the shape is too large"},
    {SHAPE("(4294967297, 4294967295, 4)"), "the product of the shape is too large"},
    {SHAPE("(0, 4294967296, 4294967296)"), "the product of the shape is too large"},
};

Test(npy_header, refuses)
{
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct npy_header header;
        struct io_error error;
        cr_expect_not(parse(refused[i].text, &header, &error), "%s", refused[i].text);
        cr_expect_not_null(strstr(error.text, refused[i].reason), "%s\n  says: %s\n  not:  %s",
                           refused[i].text, error.text, refused[i].reason);
        cr_expect_eq(strncmp(error.text, "f.npy: ", 7), 0, "%s", error.text);
    }
}

Test(npy_header, refuses_every_beginning_of_a_header)
{
    const char *text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 4), }";
    for (size_t length = 0; length < strlen(text); length++) {
        struct npy_header header;
        struct io_error error;
        cr_expect_not(parse_bytes(text, length, &header, &error), "%.*s", (int)length, text);
        cr_expect_neq(error.text[0], '\0');
    }
}

Test(npy_header, refuses_null_bytes)
{
    const char text[] = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}\0";
    struct npy_header header;
    struct io_error error;
    cr_expect(parse_bytes(text, sizeof text - 2, &header, &error), "%s", error.text);
    cr_expect_not(parse_bytes(text, sizeof text - 1, &header, &error));
    cr_expect_not(parse_bytes("\0{}", 3, &header, &error));
}

Test(npy_header, tells_the_byte_order)
{
    char other[] = DESCR("'?f4'");
    struct npy_header header;
    struct io_error error;
    for (const char *mark = "<>=|"; *mark != '\0'; mark++) {
        *strchr(other, '?') = *mark;
        cr_assert(parse(other, &header, &error), "%s", error.text);
        bool swapped = (*mark == '<' || *mark == '>') && *mark != npy_native_order();
        cr_expect_eq(header.swapped, swapped, "%c", *mark);
        *strchr(other, *mark) = '?';
    }
}

Test(npy_header, error_may_be_null)
{
    struct npy_header header;
    cr_expect_not(npy_header_parse("{", 1, "f.npy", &header, NULL));
}

Test(npy_header, prefix)
{
    const unsigned char v1[] = "\x93NUMPY\1\0\x76\1", v2[] = "\x93NUMPY\2\0\1\2\3\4";
    struct io_error error;
    cr_expect(npy_has_magic(v1, 10));
    cr_expect(npy_has_magic(v1, 3));
    cr_expect_not(npy_has_magic((const unsigned char *)"\x93NUMPx", 6));
    cr_expect_eq(npy_prefix_length(v1, "f.npy", &error), 10);
    cr_expect_eq(npy_text_length(v1), 0x176);
    cr_expect_eq(npy_prefix_length(v2, "f.npy", &error), 12);
    cr_expect_eq(npy_text_length(v2), 0x04030201);
}

Test(npy_header, unknown_versions)
{
    static const unsigned char versions[][2] = {{0, 0}, {4, 0}, {1, 1}, {3, 1}, {255, 255}};
    for (size_t i = 0; i < sizeof versions / sizeof versions[0]; i++) {
        unsigned char prefix[10] = "\x93NUMPY";
        struct io_error error;
        memcpy(prefix + 6, versions[i], 2);
        cr_expect_eq(npy_prefix_length(prefix, "f.npy", &error), 0);
        cr_expect_not_null(strstr(error.text, "expected 1.0, 2.0 or 3.0"));
    }
}

static const struct {
    const char *file, *bytes;
    size_t size;
    const char *says;
} foreign[] = {
    {"a.npz", "PK\3\4\24\0\0\0\0\0", 10,
     "a.npz: this is an .npz archive (one of FID statistics is read by `clkl kl --stats`); "
     "expected a .npy file. To convert it: python3 -c \"import "
     "numpy; numpy.save('x.npy', numpy.load('a.npz')['NAME'])\""},
    {"a.npy", "PK\3\4\24\0\0\0\0\0", 10, "numpy.load('a.npy')"},
    {"a.pt", "PK\3\4\24\0\0\0\0\0", 10,
     "python3 -c \"import numpy, torch; numpy.save('x.npy', torch.load('a.pt', "
     "map_location='cpu')['NAME'].detach().numpy())\""},
    {"a.PTH", "PK\3\4\24\0\0\0\0\0", 10, "torch.load('a.PTH'"},
    {"a.pth", "\x80\2\x8a\nl\xfc\x9c\x46\xf9 ", 10, "torch.load('a.pth'"},
    {"a.h5", "\211HDF\r\n\032\n\0\0", 10,
     "python3 -c \"import h5py, numpy; numpy.save('x.npy', h5py.File('a.h5', 'r')['NAME'][()])\""},
    {"a.safetensors", "\x40\0\0\0\0\0\0\0{\"", 10,
     "python3 -c \"from safetensors.numpy import load_file; import numpy; numpy.save('x.npy', "
     "load_file('a.safetensors')['NAME'])\""},
    {"a.bin", "\x40\1\0\0\0\0\0\0{\"", 10, "load_file('a.bin')"},
    {"a.safetensors", "junk", 4, "this is a .safetensors file"},
    {"a.pkl", "\x80\4\x95", 3,
     "python3 -c \"import numpy, pickle; numpy.save('x.npy', pickle.load(open('a.pkl', 'rb')))\""},
    {"a.pkl", "\x80\5", 2, "pickle.load"},
    {"standard input", "PK\3\4\24\0\0\0\0\0", 10, "numpy.load('FILE')"},
    {"$(date).npz", "PK\3\4\24\0\0\0\0\0", 10, "numpy.load('FILE')"},
    {"it's.npz", "PK\3\4\24\0\0\0\0\0", 10, "numpy.load('FILE')"},
    {"a.npy", "\x80\6ab", 4, "not a .npy file: it begins with the bytes 80 06 61 62; expected 93"},
    {"a.csv", "1,2,3\n4,5,6\n", 10, "it begins with the bytes 31 2c 32 2c 33 0a; expected 93 4e"},
    {"a.npy", "P", 1, "it begins with the bytes 50; expected"},
};

Test(npy_header, foreign_formats)
{
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++) {
        struct io_error error;
        unsigned char *copy = malloc(foreign[i].size);
        memcpy(copy, foreign[i].bytes, foreign[i].size);
        cr_expect_not(npy_refuse_foreign(foreign[i].file, copy, foreign[i].size, &error));
        cr_expect_not_null(strstr(error.text, foreign[i].says), "%s\n  not: %s", error.text,
                           foreign[i].says);
        free(copy);
    }
}

Test(npy_header, sentences_of_long_names_keep_their_end)
{
    static const char *const starts[] = {"PK\3\4\24\0\0\0\0\0", "\211HDF\r\n\032\n\0\0",
                                         "\x40\1\0\0\0\0\0\0{\"", "\x80\2\0\0\0\0\0\0\0\0"};
    static const size_t lengths[] = {80, 81, 120, 200, 2999}; /* some are shown, some are not */
    for (size_t i = 0; i < 20; i++) {
        char name[3000];
        struct io_error error;
        size_t length = lengths[i / 4];
        memset(name, 'n', length);
        strcpy(name + length - 3, ".pt");
        npy_refuse_foreign(name, (const unsigned char *)starts[i % 4], 10, &error);
        cr_expect_str_eq(error.text + strlen(error.text) - 2, ")\"", "%s", error.text);
    }
}

Test(npy_header, names_are_shortened_and_disarmed)
{
    struct io_error error;
    char name[200] = "";
    for (unsigned i = 0; i < 60; i++)
        strcat(name, "\xe2\x82\xac"); /* the euro sign, 3 bytes: 120 is a multiple, 121 is none */
    cr_expect_not(io_error_set(&error, name, "bad"));
    cr_expect_eq(strncmp(error.text, "...\xe2\x82\xac", 6), 0);
    strcat(name, "x");
    io_error_set(&error, name, "bad");
    cr_expect_eq(strncmp(error.text, "...\xe2\x82\xac", 6), 0, "a character was cut in two");
    io_error_set(&error, "a\x1b[31m\n.npy", "bad");
    cr_expect_str_eq(error.text, "a?[31m?.npy: bad");
}
