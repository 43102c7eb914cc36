/* Reading whole files: from the disk, from pipes, and what lies about itself. */
#define _XOPEN_SOURCE 700

#include "npy.h"
#include "support.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(npy_read, .init = scratch_make, .fini = scratch_remove, .timeout = 60);

static struct npy array;
static struct io_error error;

static bool read_image(struct image image)
{
    put_file(scratch("f.npy"), image.bytes, image.size);
    free(image.bytes);
    return npy_read(scratch("f.npy"), &array, &error);
}

static void refuse_image(struct image image, const char *says)
{
    cr_expect_not(read_image(image), "expected: %s", says);
    cr_expect_not_null(strstr(error.text, says), "%s\n  not: %s", error.text, says);
    cr_expect_null(array.data);
}

static void refuse_path(const char *path, const char *says)
{
    cr_expect_not(npy_read(path, &array, &error), "expected: %s", says);
    cr_expect_not_null(strstr(error.text, says), "%s\n  not: %s", error.text, says);
}

#define HEADER(code, order, shape) \
    "{'descr': '" code "', 'fortran_order': " order ", 'shape': " shape ", }\n"

Test(npy_read, versions)
{
    const float values[3] = {1.5F, -2.0F, 3e-9F};
    for (unsigned major = 1; major <= 3; major++) {
        struct image image = image_npy(major, HEADER("=f4", "False", "(3,)"));
        image_add(&image, values, sizeof values);
        cr_assert(read_image(image), "%s", error.text);
        cr_expect_eq(array.type, NPY_FLOAT32);
        cr_expect_eq(array.rank, 1);
        cr_expect_eq(array.shape[0], 3);
        cr_expect_eq(array.count, 3);
        cr_expect_not(array.fortran);
        cr_expect_arr_eq(array.data, values, sizeof values);
        npy_free(&array);
        cr_expect_null(array.data);
    }
}

static const char codes[][4] = {
    [NPY_BOOL] = "|b1",   [NPY_INT8] = "|i1",    [NPY_INT16] = "?i2",   [NPY_INT32] = "?i4",
    [NPY_INT64] = "?i8",  [NPY_UINT8] = "|u1",   [NPY_UINT16] = "?u2",  [NPY_UINT32] = "?u4",
    [NPY_UINT64] = "?u8", [NPY_FLOAT16] = "?f2", [NPY_FLOAT32] = "?f4", [NPY_FLOAT64] = "?f8",
    [NPY_VOID2] = "?V2",
};

/* Two elements of counting bytes, in the order that `mark` says. */
static void read_type(enum npy_type type, char mark)
{
    char text[80] = HEADER("....", "False", "(2,)");
    const unsigned char bytes[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    size_t size = npy_type_size(type);
    memcpy(strstr(text, "...."), codes[type], 3);
    memmove(strstr(text, ".'"), strstr(text, ".'") + 1, strlen(strstr(text, ".'")));
    if (strchr(text, '?') != NULL)
        *strchr(text, '?') = mark;
    cr_assert(read_image(image_whole(text, bytes, 2 * size)), "%s", error.text);
    cr_assert_eq(array.type, type);
    bool swapped = mark != npy_native_order();
    for (size_t i = 0; i < 2 * size; i++) {
        size_t from = swapped ? i / size * size + (size - 1 - i % size) : i;
        cr_expect_eq(((unsigned char *)array.data)[i], bytes[from], "%s", text);
    }
    npy_free(&array);
}

Test(npy_read, every_type_in_both_byte_orders)
{
    for (unsigned type = NPY_BOOL; type <= NPY_VOID2; type++) {
        read_type((enum npy_type)type, '<');
        read_type((enum npy_type)type, '>');
    }
}

Test(npy_read, big_endian_values)
{
    const unsigned char one[] = {0x3F, 0xF0, 0, 0, 0, 0, 0, 0, 0xC0, 0x5E, 0xC0, 0, 0, 0, 0, 0};
    const double values[2] = {1.0, -123.0};
    cr_assert(read_image(image_whole(HEADER(">f8", "False", "(2,)"), one, sizeof one)));
    cr_expect_arr_eq(array.data, values, sizeof values);
    npy_free(&array);
}

/* Element i of the file, in C order, holds i; the file is in Fortran order. */
static void read_fortran(const uint64_t *shape, unsigned rank, const char *tuple)
{
    char text[160];
    uint64_t count = 1;
    for (unsigned i = 0; i < rank; i++)
        count *= shape[i];
    uint32_t *values = malloc(count * sizeof *values);
    for (uint64_t at = 0; at < count; at++) {
        uint64_t rest = at, index = 0, stride = count;
        for (unsigned i = 0; i < rank; i++) { /* the first axis moves fastest */
            stride /= shape[i];
            index += rest % shape[i] * stride;
            rest /= shape[i];
        }
        values[at] = (uint32_t)index;
    }
    snprintf(text, sizeof text, HEADER("=u4", "True", "%s"), tuple);
    cr_assert(read_image(image_whole(text, values, count * sizeof *values)), "%s", error.text);
    cr_expect(array.fortran);
    for (uint64_t i = 0; i < count; i++)
        cr_assert_eq(((uint32_t *)array.data)[i], i, "%s at %u", tuple, (unsigned)i);
    free(values);
    npy_free(&array);
}

Test(npy_read, fortran_order)
{
    read_fortran((uint64_t[]){0}, 0, "()");
    read_fortran((uint64_t[]){7}, 1, "(7,)");
    read_fortran((uint64_t[]){3, 4}, 2, "(3, 4)");
    read_fortran((uint64_t[]){1, 9}, 2, "(1, 9)");
    read_fortran((uint64_t[]){257, 131}, 2, "(257, 131)");
    read_fortran((uint64_t[]){2, 3001}, 2, "(2, 3001)");
    read_fortran((uint64_t[]){3001, 2}, 2, "(3001, 2)");
    read_fortran((uint64_t[]){2, 3, 5}, 3, "(2, 3, 5)");
    read_fortran((uint64_t[]){17, 1, 211}, 3, "(17, 1, 211)");
    read_fortran((uint64_t[]){1, 50, 60, 1}, 4, "(1, 50, 60, 1)");
    read_fortran((uint64_t[]){5, 8, 33, 31}, 4, "(5, 8, 33, 31)");
    read_fortran((uint64_t[]){2, 1, 2, 2, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 2}, 16,
                 "(2, 1, 2, 2, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 2)");
}

Test(npy_read, fortran_order_of_other_element_sizes)
{
    static const char *const texts[] = {HEADER("|u1", "True", "(2, 3)"),
                                        HEADER("=u2", "True", "(2, 3)"),
                                        HEADER("=u8", "True", "(2, 3)")};
    static const size_t sizes[] = {1, 2, 8};
    static const unsigned char order[6] = {0, 2, 4, 1, 3, 5}; /* where in the file */
    for (unsigned t = 0; t < 3; t++) {
        unsigned char bytes[48];
        for (unsigned char i = 0; i < 48; i++)
            bytes[i] = i;
        cr_assert(read_image(image_whole(texts[t], bytes, 6 * sizes[t])), "%s", error.text);
        for (unsigned i = 0; i < 6; i++)
            cr_expect_arr_eq((char *)array.data + i * sizes[t], bytes + order[i] * sizes[t],
                             sizes[t], "%s", texts[t]);
        npy_free(&array);
    }
}

Test(npy_read, big_endian_fortran)
{
    const unsigned char bytes[] = {0, 1, 0, 3, 0, 2, 0, 4};
    const uint16_t values[] = {1, 2, 3, 4};
    cr_assert(read_image(image_whole(HEADER(">u2", "True", "(2, 2)"), bytes, sizeof bytes)));
    cr_expect_arr_eq(array.data, values, sizeof values);
    npy_free(&array);
}

Test(npy_read, no_elements)
{
    cr_assert(read_image(image_whole(HEADER("<f4", "True", "(5, 0, 7)"), "", 0)), "%s", error.text);
    cr_expect_eq(array.count, 0);
    cr_expect_eq(array.rank, 3);
    cr_expect_not_null(array.data);
    npy_free(&array);
    refuse_image(image_whole(HEADER("<f4", "False", "(0,)"), "abc", 3),
                 "the header promises 0 float32 values (0 bytes), but 3 bytes follow it; expected "
                 "nothing after the data");
}

Test(npy_read, truncated)
{
    char data[1024] = {0};
    refuse_image(image_whole(HEADER("<f4", "False", "(520, 32)"), data, sizeof data),
                 "f.npy: the header promises 16640 float32 values (66560 bytes), but only 1024 "
                 "bytes follow it; the file is truncated");
    refuse_image(image_whole(HEADER("<f8", "False", "(2,)"), data, 15), "but only 15 bytes follow");
    refuse_image(image_whole(HEADER("<f8", "False", "(2,)"), data, 0), "but only 0 bytes follow");
}

Test(npy_read, trailing)
{
    char data[17] = {0};
    refuse_image(image_whole(HEADER("<f8", "False", "(2,)"), data, 17),
                 "the header promises 2 float64 values (16 bytes), but 17 bytes follow it; "
                 "expected nothing after the data");
}

Test(npy_read, truncated_header)
{
    struct image whole = image_npy(2, HEADER("<f4", "False", "(1,)"));
    for (size_t size = 1; size < whole.size; size++) {
        struct image part = {0};
        image_add(&part, whole.bytes, size);
        refuse_image(part, "truncated");
    }
    free(whole.bytes);
}

/* An allocation by the header's word would fail, and the sentence would be another. */
Test(npy_read, lying_header)
{
    char data[64] = {0};
    refuse_image(image_whole(HEADER("<f4", "False", "(1152921504606846976,)"), data, sizeof data),
                 "(4611686018427387904 bytes), but only 64 bytes follow it; the file is truncated");
    refuse_image(image_whole(HEADER("<f4", "False", "(4294967296, 4294967296)"), data, sizeof data),
                 "the product of the shape is too large");
}

Test(npy_read, lying_header_length)
{
    const unsigned char huge[] = "\x93NUMPY\2\0\xFF\xFF\xFF\xFF{}";
    const unsigned char long_[] = "\x93NUMPY\1\0\xF4\1{}";
    struct image image = {0};
    image_add(&image, huge, sizeof huge - 1);
    refuse_image(image,
                 "the .npy header claims to be 4294967295 bytes long; expected at most 1048576");
    image = (struct image){0};
    image_add(&image, long_, sizeof long_ - 1);
    refuse_image(image, "the .npy header claims to be 500 bytes long, but only 2 bytes follow");
}

Test(npy_read, longest_header)
{
    enum { LIMIT = 1 << 20 };
    char *text = malloc(LIMIT + 2);
    memset(text, ' ', LIMIT + 1);
    memcpy(text, "{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}", 55);
    text[LIMIT] = '\0';
    struct image image = image_npy(3, text);
    image_add(&image, "\7", 1);
    cr_expect(read_image(image), "%s", error.text);
    npy_free(&array);
    text[LIMIT] = ' ';
    text[LIMIT + 1] = '\0';
    refuse_image(image_npy(3, text), "claims to be 1048577 bytes long");
    free(text);
}

Test(npy_read, what_is_no_file)
{
    refuse_path(scratch("none.npy"), "none.npy: cannot be opened: No such file or directory");
    refuse_path(scratch(""), "this is a directory; expected a .npy file");
    refuse_path("/dev/zero", "/dev/zero: this is a device; expected a .npy file or a pipe");
    refuse_path("/dev/null", "/dev/null: this is a device");
    put_file(scratch("empty.npy"), "", 0);
    refuse_path(scratch("empty.npy"), "empty.npy: it is empty; expected a .npy file");
    put_file(scratch("a.npz"), "PK\3\4\0\0\0\0\0\0\0\0", 12);
    refuse_path(scratch("a.npz"), "this is an .npz archive");
    put_file(scratch("a.txt"), "hello", 5);
    refuse_path(scratch("a.txt"), "not a .npy file: it begins with the bytes 68 65 6c 6c 6f");
    put_file(scratch("v9.npy"), "\x93NUMPY\x9\0\1\0 ", 11);
    refuse_path(scratch("v9.npy"), "version 9.0 of the .npy format");
}

Test(npy_read, terminal)
{
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0 || grantpt(terminal) != 0 || unlockpt(terminal) != 0)
        cr_skip_test("this machine lends no terminals");
    refuse_path(ptsname(terminal), "this is a terminal; expected a .npy file or a pipe");
    close(terminal);
}

Test(npy_read, objects_are_not_unpickled)
{
    refuse_image(image_whole(HEADER("|O", "False", "(1,)"), "\x80\4N.", 4), "Python objects");
}

static struct image large(uint64_t count)
{
    char text[80];
    snprintf(text, sizeof text, HEADER("=u4", "False", "(%u,)"), (unsigned)count);
    uint32_t *values = malloc(count * sizeof *values);
    for (uint64_t i = 0; i < count; i++)
        values[i] = (uint32_t)i;
    struct image image = image_whole(text, values, count * sizeof *values);
    free(values);
    return image;
}

static bool read_stdin(const struct image *image, size_t size, size_t piece, unsigned pause_us)
{
    pid_t child = feed_stdin(image->bytes, size, piece, pause_us);
    bool good = npy_read("-", &array, &error);
    int nothing =
        open("/dev/null", O_RDONLY); /* the writer must not wait for a reader that gave up */
    cr_assert_eq(dup2(nothing, STDIN_FILENO), STDIN_FILENO);
    close(nothing);
    cr_assert_eq(waitpid(child, NULL, 0), child);
    return good;
}

/* Sizes around those at which the memory grows. */
Test(npy_read, pipe_in_growing_pieces)
{
    static const uint64_t counts[] = {1, 1 << 18, (1 << 18) + 1, 1 << 19, (1 << 19) + 1, 1500000};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        struct image image = large(counts[c]);
        cr_assert(read_stdin(&image, image.size, 50000, 0), "%s", error.text);
        cr_assert_eq(array.count, counts[c]);
        for (uint64_t i = 0; i < counts[c]; i++)
            cr_assert_eq(((uint32_t *)array.data)[i], i);
        npy_free(&array);
        free(image.bytes);
    }
}

Test(npy_read, pipe_byte_by_byte)
{
    struct image image = large(5);
    cr_expect(read_stdin(&image, image.size, 1, 0), "%s", error.text);
    npy_free(&array);
    free(image.bytes);
}

Test(npy_read, pipe_that_ends_early_or_late)
{
    struct image image = large(400000);
    cr_expect_not(read_stdin(&image, 1200000, 100000, 0));
    cr_expect_not_null(strstr(error.text,
                              "standard input: the header promises 400000 uint32 values "
                              "(1600000 bytes), but only 11999"),
                       "%s", error.text);
    image_add(&image, "x", 1);
    cr_expect_not(read_stdin(&image, image.size, 100000, 0));
    cr_expect_not_null(strstr(error.text, "bytes follow the 400000 uint32 values"), "%s",
                       error.text);
    cr_expect_not(read_stdin(&image, 30, 30, 0));
    cr_expect_not_null(strstr(error.text, "the file ends within the .npy header"), "%s",
                       error.text);
    cr_expect_not(read_stdin(&image, 0, 1, 0));
    cr_expect_not_null(strstr(error.text, "it is empty"), "%s", error.text);
    free(image.bytes);
}

Test(npy_read, pipe_with_a_lying_header)
{
    char data[64] = {0};
    struct image image =
        image_whole(HEADER("<f4", "False", "(1152921504606846976,)"), data, sizeof data);
    cr_expect_not(read_stdin(&image, image.size, 1000, 0));
    cr_expect_not_null(strstr(error.text, "but only 64 bytes follow it"), "%s", error.text);
    free(image.bytes);
}

Test(npy_read, standard_input_from_a_file)
{
    struct image image = large(100);
    put_file(scratch("f"), "before", 6);
    FILE *file = fopen(scratch("f"), "ab");
    cr_assert_eq(fwrite(image.bytes, 1, image.size, file), image.size);
    fclose(file);
    int descriptor = open(scratch("f"), O_RDONLY);
    cr_assert_eq(dup2(descriptor, STDIN_FILENO), STDIN_FILENO);
    cr_assert_eq(lseek(STDIN_FILENO, 6, SEEK_SET), 6); /* another reader was there first */
    cr_expect(npy_read("-", &array, &error), "%s", error.text);
    cr_expect_eq(array.count, 100);
    npy_free(&array);
    cr_expect_eq(fcntl(STDIN_FILENO, F_GETFD), 0, "standard input was closed");
    free(image.bytes);
}

Test(npy_read, fifo)
{
    struct image image = large(100);
    cr_assert_eq(mkfifo(scratch("fifo"), 0600), 0);
    pid_t child = fork();
    if (child == 0) {
        int to = open(scratch("fifo"), O_WRONLY);
        _exit(write(to, image.bytes, image.size) != (ssize_t)image.size);
    }
    cr_expect(npy_read(scratch("fifo"), &array, &error), "%s", error.text);
    cr_expect_eq(array.count, 100);
    waitpid(child, NULL, 0);
    npy_free(&array);
    free(image.bytes);
}

static volatile sig_atomic_t alarms;

static void count_alarm(int number)
{
    (void)number;
    alarms++;
}

Test(npy_read, interrupted_reads)
{
    struct image image = large(20);
    struct sigaction action = {.sa_handler = count_alarm}; /* without SA_RESTART */
    const struct itimerval every = {{0, 2000}, {0, 2000}}, never = {{0, 0}, {0, 0}};
    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    bool good = npy_read(scratch("none"), &array, &error);
    cr_expect_not(good);
    pid_t child = feed_stdin(image.bytes, image.size, 16, 10000);
    good = npy_read("-", &array, &error);
    setitimer(ITIMER_REAL, &never, NULL);
    cr_expect(good, "%s", error.text);
    cr_expect_gt(alarms, 0);
    waitpid(child, NULL, 0);
    npy_free(&array);
    free(image.bytes);
}

Test(npy_read, leaves_no_descriptor_open)
{
    int before = dup(STDIN_FILENO);
    close(before);
    put_file(scratch("junk.npy"), "junk", 4);
    npy_read(scratch("junk.npy"), &array, &error);
    npy_read(scratch(""), &array, &error);
    cr_assert(read_image(image_whole(HEADER("|u1", "False", "(1,)"), "a", 1)));
    npy_free(&array);
    int after = dup(STDIN_FILENO);
    cr_expect_eq(before, after);
    close(after);
}
