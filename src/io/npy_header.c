/*
 * A parser for the few Python literals that a header may consist of: strings without escapes, True
 * and False, tuples of integers. It takes any order of keys, either kind of quotes, white space
 * between tokens, a comma before a closing bracket, and the integers of Python 2 (3L).
 */
#include "npy_header.h"

#include <string.h>

struct parser {
    const char *at, *end;
    const char *text; /* where it all began */
    const char *file;
    struct io_error *error;
    struct npy_header *header;
};

static const char magic[6] = {'\x93', 'N', 'U', 'M', 'P', 'Y'};

bool npy_has_magic(const unsigned char *bytes, size_t size)
{
    return memcmp(bytes, magic, size < sizeof magic ? size : sizeof magic) == 0;
}

size_t npy_prefix_length(const unsigned char *bytes, const char *file, struct io_error *error)
{
    unsigned major = bytes[6], minor = bytes[7];
    if (minor == 0 && major >= 1 && major <= 3)
        return major == 1 ? NPY_PREFIX_MIN : NPY_PREFIX_MAX;
    io_error_set(error, file, "version %u.%u of the .npy format; expected 1.0, 2.0 or 3.0", major,
                 minor);
    return 0;
}

size_t npy_text_length(const unsigned char *prefix)
{
    size_t length = (size_t)prefix[8] | (size_t)prefix[9] << 8;
    if (prefix[6] > 1)
        length |= (size_t)prefix[10] << 16 | (size_t)prefix[11] << 24;
    return length;
}

/* Moves past white space and tells the next character; 0 at the end. */
static char peek(struct parser *p)
{
    while (p->at < p->end && memchr(" \t\r\n", *p->at, 4) != NULL)
        p->at++;
    return p->at < p->end ? *p->at : '\0';
}

static bool skip(struct parser *p, char wanted)
{
    if (peek(p) != wanted || p->at == p->end)
        return false;
    p->at++;
    return true;
}

/* A piece of the header, in ASCII and not too long: a stranger wrote it. */
struct excerpt {
    char text[40];
};

static struct excerpt quote(const char *from, size_t length)
{
    enum { MOST = sizeof(struct excerpt) - sizeof "..." };
    struct excerpt excerpt = {""};
    size_t kept = length < MOST ? length : MOST;
    for (size_t i = 0; i < kept; i++)
        excerpt.text[i] = from[i] >= ' ' && from[i] <= '~' ? from[i] : '?';
    if (kept < length)
        strcpy(excerpt.text + kept, "...");
    return excerpt;
}

static bool refuse(struct parser *p, const char *expected)
{
    peek(p);
    if (p->at == p->end)
        return io_error_set(p->error, p->file, "bad .npy header: expected %s, but it ends",
                            expected);
    return io_error_set(p->error, p->file,
                        "bad .npy header: expected %s at byte %zu of the dictionary, found '%s'",
                        expected, (size_t)(p->at - p->text), quote(p->at, 1).text);
}

/* Returns the content, which is not terminated; NULL if there is no string. */
static const char *take_string(struct parser *p, size_t *length, const char *expected)
{
    char mark = peek(p);
    if (mark != '\'' && mark != '"') {
        refuse(p, expected);
        return NULL;
    }
    const char *content = ++p->at;
    while (p->at < p->end && *p->at != mark && *p->at != '\\' && *p->at != '\n')
        p->at++;
    if (p->at == p->end || *p->at != mark) {
        refuse(p, "a closing quote");
        return NULL;
    }
    *length = (size_t)(p->at++ - content);
    return content;
}

static bool take_descr(struct parser *p)
{
    if (peek(p) == '[' || peek(p) == '(')
        return io_error_set(p->error, p->file,
                            "the array is structured (it has named fields or sub-arrays); expected "
                            "plain numbers, so save one field");
    size_t length = 0;
    const char *code = take_string(p, &length, "a type code such as '<f4'");
    if (code == NULL)
        return false;
    const char *foreign = npy_type_parse(code, length, &p->header->type, &p->header->swapped);
    if (foreign == NULL)
        return true;
    return io_error_set(p->error, p->file, "it holds %s (type code '%s'); expected real numbers",
                        foreign, quote(code, length).text);
}

static bool take_order(struct parser *p)
{
    static const char words[2][6] = {"False", "True"};
    peek(p);
    for (unsigned i = 0; i < 2; i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(p->end - p->at) >= length && memcmp(p->at, words[i], length) == 0) {
            p->header->fortran = i == 1;
            p->at += length;
            return true;
        }
    }
    return refuse(p, "True or False");
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool take_dimension(struct parser *p, uint64_t *value)
{
    if (peek(p) == '-')
        return io_error_set(p->error, p->file, "bad .npy header: the shape has a negative size");
    if (!is_digit(peek(p)))
        return refuse(p, "a size");
    *value = 0;
    for (const char *first = p->at; p->at < p->end && is_digit(*p->at); p->at++) {
        unsigned digit = (unsigned)(*p->at - '0');
        if (p->at > first && *value == 0)
            return refuse(p, "a size without leading zeros");
        if (*value > ((uint64_t)INT64_MAX - digit) / 10)
            return io_error_set(p->error, p->file,
                                "bad .npy header: the shape has a size above 2^63 - 1");
        *value = *value * 10 + digit;
    }
    if (p->at < p->end && *p->at == 'L')
        p->at++;
    return true;
}

static bool take_shape(struct parser *p)
{
    bool comma = true; /* the last token was one, or nothing came before */
    unsigned rank = 0;
    if (!skip(p, '('))
        return refuse(p, "a tuple of sizes");
    while (!skip(p, ')')) {
        if (!comma)
            return refuse(p, "',' or ')'");
        if (rank == NPY_MAX_RANK)
            return io_error_set(p->error, p->file, "it has more than %d dimensions", NPY_MAX_RANK);
        if (!take_dimension(p, &p->header->shape[rank++]))
            return false;
        comma = skip(p, ',');
    }
    p->header->rank = rank;
    if (rank == 1 && !comma)
        return io_error_set(p->error, p->file,
                            "bad .npy header: the shape is a number in brackets; expected a tuple "
                            "such as (3,)");
    return true;
}

static const struct {
    const char *name;
    bool (*take)(struct parser *);
} keys[] = {{"descr", take_descr}, {"fortran_order", take_order}, {"shape", take_shape}};

enum { KEY_COUNT = sizeof keys / sizeof keys[0] };

/* Takes "'key': value". `seen` has a bit for each key that was there already. */
static bool take_entry(struct parser *p, unsigned *seen)
{
    size_t length = 0;
    const char *name = take_string(p, &length, "a key or '}'");
    if (name == NULL)
        return false;
    for (unsigned k = 0; k < KEY_COUNT; k++) {
        if (length != strlen(keys[k].name) || memcmp(name, keys[k].name, length) != 0)
            continue;
        if (*seen & 1U << k)
            return io_error_set(p->error, p->file, "bad .npy header: '%s' is there twice",
                                keys[k].name);
        *seen |= 1U << k;
        return skip(p, ':') ? keys[k].take(p) : refuse(p, "':'");
    }
    return io_error_set(p->error, p->file,
                        "bad .npy header: unknown key '%s'; expected descr, fortran_order, shape",
                        quote(name, length).text);
}

static bool take_dictionary(struct parser *p)
{
    unsigned seen = 0;
    bool comma = true;
    if (!skip(p, '{'))
        return refuse(p, "'{'");
    while (!skip(p, '}')) {
        if (!comma)
            return refuse(p, "',' or '}'");
        if (!take_entry(p, &seen))
            return false;
        comma = skip(p, ',');
    }
    peek(p);
    if (p->at < p->end)
        return refuse(p, "nothing but white space after '}'");
    for (unsigned k = 0; k < KEY_COUNT; k++)
        if (!(seen & 1U << k))
            return io_error_set(p->error, p->file, "bad .npy header: '%s' is missing",
                                keys[k].name);
    return true;
}

/*
 * Sets count and bytes. As in numpy, the product of the sizes has to fit even where one of them
 * is 0: whoever multiplies a part of the shape later needs no check of their own.
 */
static bool count_elements(struct npy_header *header, const char *file, struct io_error *error)
{
    uint64_t bytes = npy_type_size(header->type);
    bool empty = false;
    for (unsigned i = 0; i < header->rank; i++) {
        uint64_t size = header->shape[i];
        empty |= size == 0;
        if (size != 0 && bytes > INT64_MAX / size)
            return io_error_set(error, file,
                                "bad .npy header: the product of the shape is too large to be true "
                                "(2^63 bytes or more)");
        bytes *= size != 0 ? size : 1;
    }
    header->bytes = empty ? 0 : bytes;
    header->count = header->bytes / npy_type_size(header->type);
    return true;
}

bool npy_header_parse(const char *text, size_t length, const char *file, struct npy_header *header,
                      struct io_error *error)
{
    *header = (struct npy_header){0};
    struct parser parser = {text, text + length, text, file, error, header};
    return take_dictionary(&parser) && count_elements(header, file, error);
}
