/* Writing: the very bytes that numpy.save writes, and back again. */
#define _XOPEN_SOURCE 700

#include "npy.h"
#include "support.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

TestSuite(npy_write, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

static struct io_error error;

static void write_array(const struct npy *array)
{
    FILE *file = fopen(scratch("f.npy"), "wb");
    cr_assert_not_null(file);
    cr_assert(npy_write(file, "f.npy", array, &error), "%s", error.text);
    cr_assert_eq(fclose(file), 0);
}

/* `text` is the dictionary, `padded` the length that numpy gives the header as a whole. */
static void expect_file(const struct npy *array, const char *text, size_t padded)
{
    unsigned char expected[1024], found[1024];
    size_t data = (size_t)array->count * npy_type_size(array->type);
    memset(expected, ' ', sizeof expected);
    memcpy(expected, "\x93NUMPY\1\0", 8);
    expected[8] = (unsigned char)((padded - 10) & 0xFF);
    expected[9] = (unsigned char)((padded - 10) >> 8);
    memcpy(expected + 10, text, strlen(text));
    expected[padded - 1] = '\n';
    memcpy(expected + padded, array->data, data);
    write_array(array);
    cr_assert_eq(get_file(scratch("f.npy"), found, sizeof found), padded + data, "%s", text);
    cr_expect_arr_eq(found, expected, padded + data, "%s", text);
}

Test(npy_write, exact_bytes)
{
    float f[6] = {1, 2, 3, 4, 5, 6};
    double d = 0.1;
    bool little = npy_native_order() == '<';
    expect_file(
        &(struct npy){.type = NPY_FLOAT32, .rank = 2, .shape = {2, 3}, .count = 6, .data = f},
        little ? "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"
               : "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }",
        128);
    expect_file(&(struct npy){.type = NPY_FLOAT32, .rank = 1, .shape = {6}, .count = 6, .data = f},
                little ? "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }"
                       : "{'descr': '>f4', 'fortran_order': False, 'shape': (6,), }",
                128);
    expect_file(&(struct npy){.type = NPY_FLOAT64, .rank = 0, .count = 1, .data = &d},
                little ? "{'descr': '<f8', 'fortran_order': False, 'shape': (), }"
                       : "{'descr': '>f8', 'fortran_order': False, 'shape': (), }",
                128);
    expect_file(&(struct npy){.type = NPY_BOOL, .rank = 1, .shape = {0}, .count = 0, .data = f},
                "{'descr': '|b1', 'fortran_order': False, 'shape': (0,), }", 128);
}

/* The header with its growth room and newline takes 127 bytes of 128 in the one case, all of them
 * in the other; numpy.save never pads by nothing. */
Test(npy_write, padding_of_long_shapes)
{
    float none = 0;
    struct npy array = {.type = NPY_FLOAT32, .rank = 13, .shape = {0}, .count = 0, .data = &none};
    unsigned char found[1024];
    for (unsigned i = 1; i < 13; i++)
        array.shape[i] = 1;
    array.shape[1] = 10000;
    write_array(&array);
    cr_expect_eq(get_file(scratch("f.npy"), found, sizeof found), 128);
    array.shape[1] = 100000;
    write_array(&array);
    cr_expect_eq(get_file(scratch("f.npy"), found, sizeof found), 192);
}

static void round_trip(enum npy_type type, unsigned rank, const uint64_t *shape)
{
    struct npy array = {.type = type, .rank = rank, .count = 1}, back;
    for (unsigned i = 0; i < rank; i++) {
        array.shape[i] = shape[i];
        array.count *= shape[i];
    }
    size_t size = (size_t)array.count * npy_type_size(type);
    unsigned char *data = malloc(size);
    for (size_t i = 0; i < size; i++)
        data[i] = (unsigned char)(i * 37 + 11);
    array.data = data;
    write_array(&array);
    cr_assert(npy_read(scratch("f.npy"), &back, &error), "%s", error.text);
    cr_expect_eq(back.type, type);
    cr_expect_eq(back.rank, rank);
    cr_expect_arr_eq(back.shape, array.shape, sizeof array.shape);
    cr_expect_not(back.fortran);
    cr_assert_eq(back.count, array.count);
    cr_expect_arr_eq(back.data, data, size);
    npy_free(&back);
    free(data);
}

Test(npy_write, round_trips)
{
    for (unsigned type = NPY_BOOL; type <= NPY_VOID2; type++) {
        round_trip((enum npy_type)type, 0, NULL);
        round_trip((enum npy_type)type, 1, (uint64_t[]){5});
        round_trip((enum npy_type)type, 2, (uint64_t[]){3, 4});
        round_trip((enum npy_type)type, 4, (uint64_t[]){3, 1, 50, 7});
        round_trip((enum npy_type)type, 16,
                   (uint64_t[]){1, 2, 1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 1, 1, 3});
    }
}

/* The longest header that can be: nothing of it may be cut. */
Test(npy_write, largest_shape)
{
    float none = 0;
    struct npy array = {.type = NPY_FLOAT32, .rank = NPY_MAX_RANK, .data = &none};
    char found[1024];
    for (unsigned i = 1; i < NPY_MAX_RANK; i++)
        array.shape[i] = UINT64_MAX;
    write_array(&array);
    size_t size = get_file(scratch("f.npy"), found, sizeof found);
    cr_expect_eq(size % 64, 0);
    cr_assert_lt(size, sizeof found);
    cr_expect_eq((unsigned char)found[8] + 256U * (unsigned char)found[9], size - 10);
    found[size] = '\0';
    cr_expect_not_null(strstr(found + 10, "18446744073709551615), }"));
}

Test(npy_write, full_disk)
{
    float values[4] = {0};
    struct npy array = {.type = NPY_FLOAT32, .rank = 1, .shape = {4}, .count = 4, .data = values};
    FILE *full = fopen("/dev/full", "wb");
    cr_assert_not_null(full);
    setvbuf(full, NULL, _IONBF, 0);
    cr_expect_not(npy_write(full, "kl.npy", &array, &error));
    cr_expect_str_eq(error.text, "kl.npy: cannot be written: No space left on device");
    fclose(full);
}

Test(npy_write, disk_that_fills_after_the_header)
{
    const struct rlimit small = {130, RLIM_INFINITY};
    float values[4] = {0};
    struct npy array = {.type = NPY_FLOAT32, .rank = 1, .shape = {4}, .count = 4, .data = values};
    FILE *file = fopen(scratch("f.npy"), "wb");
    cr_assert_not_null(file);
    setvbuf(file, NULL, _IONBF, 0);
    signal(SIGXFSZ, SIG_IGN);
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
    cr_expect_not(npy_write(file, "kl.npy", &array, &error));
    cr_expect_str_eq(error.text, "kl.npy: cannot be written: File too large");
    fclose(file);
}
