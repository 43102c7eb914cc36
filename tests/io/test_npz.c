/* Members of .npz archives: what is read, and what lies about itself. */
#define _XOPEN_SOURCE 700

#include "npz.h"
#include "zip_image.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

TestSuite(npz, .init = scratch_make, .fini = scratch_remove, .timeout = 120);

static struct npy array;
static struct io_error error;

static const double mu[2] = {0.5, -1.25}, sigma[4] = {2, 0.5, 0.5, 1};

#define HEADER(shape) "{'descr': '<f8', 'fortran_order': False, 'shape': " shape ", }\n"

/* mu.npy and sigma.npy. */
static struct image mu_file, sigma_file;

static void make_files(void)
{
    mu_file = image_whole(HEADER("(2,)"), mu, sizeof mu);
    sigma_file = image_whole(HEADER("(2, 2)"), sigma, sizeof sigma);
}

#define MU(...)                                                                     \
    {                                                                               \
        .name = "mu.npy", .bytes = mu_file.bytes, .size = mu_file.size, __VA_ARGS__ \
    }
#define SIGMA(...)                                                                           \
    {                                                                                        \
        .name = "sigma.npy", .bytes = sigma_file.bytes, .size = sigma_file.size, __VA_ARGS__ \
    }

static bool read_member(const char *path, const char *name)
{
    error.text[0] = '\0';
    struct npz *archive = npz_open(path, &error);
    const bool good = archive != NULL && npz_read(archive, name, &array, &error);
    npz_close(archive);
    cr_assert_eq(good, error.text[0] == '\0', "%s", error.text);
    return good;
}

static void put_zip(const struct zip_member *members, unsigned count)
{
    struct image image = image_zip(members, count);
    put_file(scratch("a.npz"), image.bytes, image.size);
    free(image.bytes);
}

/* Whether the array read last is this one; frees it. */
static bool is_array(unsigned rank, const double *values, uint64_t count)
{
    const bool same = array.type == NPY_FLOAT64 && array.rank == rank && array.count == count &&
                      memcmp(array.data, values, count * sizeof *values) == 0;
    npy_free(&array);
    return same;
}

static void refuse(const char *name, const char *says)
{
    cr_expect_not(read_member(scratch("a.npz"), name), "expected: %s", says);
    cr_expect_not_null(strstr(error.text, says), "%s\n  not: %s", error.text, says);
    cr_expect_null(array.data);
}

#define REFUSE(name, says, ...)                               \
    do {                                                      \
        const struct zip_member members[] = {__VA_ARGS__};    \
        put_zip(members, sizeof members / sizeof members[0]); \
        refuse(name, says);                                   \
    } while (0)

Test(npz, members)
{
    make_files();
    for (unsigned method = ZIP_STORED; method <= ZIP_DEFLATED; method += ZIP_DEFLATED) {
        const struct zip_member members[] = {
            {.name = "folder/"},
            MU(.method = method),
            {.name = "mu", .bytes = "other", .size = 5},
            {.name = "xmu.npy", .bytes = "other", .size = 5},
            {.name = "folder/sigma.npy", .bytes = "other", .size = 5},
            SIGMA(.method = method),
        };
        put_zip(members, sizeof members / sizeof members[0]);
        cr_expect(read_member(scratch("a.npz"), "mu"), "%s", error.text);
        cr_expect(is_array(1, mu, 2));
        cr_expect(read_member(scratch("a.npz"), "sigma"), "%s", error.text);
        cr_expect(is_array(2, sigma, 4));
    }
}

Test(npz, one_archive_many_times)
{
    make_files();
    put_zip((const struct zip_member[]){MU(.method = ZIP_DEFLATED), SIGMA(0)}, 2);
    struct npz *archive = npz_open(scratch("a.npz"), &error);
    cr_assert_not_null(archive, "%s", error.text);
    for (int i = 0; i < 3; i++) {
        cr_expect(npz_read(archive, "sigma", &array, &error) && is_array(2, sigma, 4));
        cr_expect_not(npz_read(archive, "nu", &array, &error));
        cr_expect(npz_read(archive, "mu", &array, &error) && is_array(1, mu, 2));
    }
    npz_close(archive);
    npz_close(NULL);
}

Test(npz, names)
{
    char longer[201] = "";
    memset(longer, 'n', sizeof longer - 1);
    make_files();
    REFUSE("sigma", "a.npz: it has no member sigma.npy; found: mu.npy, sigma.npy/, s\?igma.npy",
           MU(0), {.name = "sigma.npy/"}, {.name = "s\nigma.npy"});
    REFUSE("mu", "it has no member mu.npy; found: cov.npy, ...", {.name = "cov.npy"},
           {.name = longer});
    REFUSE("mu", "it has 2 members mu.npy; expected one", MU(0), SIGMA(0), MU(0));
    struct image empty = image_zip(NULL, 0);
    put_file(scratch("a.npz"), empty.bytes, empty.size);
    free(empty.bytes);
    refuse("mu", "it has no member mu.npy; found: nothing");
}

Test(npz, damage)
{
    make_files();
    REFUSE("mu", "a.npz(mu.npy): cannot be read: CRC error; the archive is damaged",
           MU(.spoilt = 1));
    REFUSE("mu", "CRC error", MU(.spoilt = 1, .method = ZIP_DEFLATED));
    REFUSE("mu", "the member mu.npy is encrypted", MU(.flags = ZIP_ENCRYPTED));
    REFUSE("mu", "the member mu.npy is compressed by method 12; expected none (0) or deflating (8)",
           MU(.method = 12));
    REFUSE("mu", "a.npz(mu.npy): not a .npy file: it begins with the bytes 6f 74",
           {.name = "mu.npy", .bytes = "other", .size = 5});
    REFUSE("mu", "a.npz(mu.npy): it is empty", {.name = "mu.npy", .bytes = "", .size = 0});
}

Test(npz, sizes)
{
    make_files();
    REFUSE("mu", "hold 4000000000, which by deflating cannot be",
           MU(.method = ZIP_DEFLATED, .claimed = 4000000000));
    REFUSE("mu", "which without compression cannot be", MU(.claimed = 4000000000));
    REFUSE("mu", "claims to be 4000000000 bytes long, but the whole file has",
           MU(.claimed = 4000000000, .claimed_pack = 4000000000));
    REFUSE("mu", "the file is truncated", MU(.method = ZIP_DEFLATED, .claimed = 60));
    REFUSE("mu", "the file is truncated", MU(.claimed = 60, .claimed_pack = 60));
    REFUSE("mu", "expected nothing after the data", MU(.method = ZIP_DEFLATED, .claimed = 200));
}

/* What is claimed within these bounds is allocated, and found missing. */
Test(npz, claim_within_bounds)
{
    struct image big = image_npy(1, HEADER("(1000,)"));
    const struct zip_member member = {.name = "mu.npy",
                                      .bytes = big.bytes,
                                      .size = big.size,
                                      .method = ZIP_DEFLATED,
                                      .claimed = (uint32_t)big.size + 8000};
    put_zip(&member, 1);
    refuse("mu", "(8000 bytes), but only 0 bytes follow it; the file is truncated");
    free(big.bytes);
}

Test(npz, no_archive)
{
    put_file(scratch("a.npz"), "", 0);
    refuse("mu", "a.npz: this is no zip file");
    put_file(scratch("a.npz"), "\x93NUMPY\1\0v\0{'descr'", 18);
    refuse("mu", "a.npz: this is no zip file, or a truncated one");
    cr_expect_not(read_member(scratch("nowhere.npz"), "mu"));
    cr_expect_not_null(strstr(error.text, "nowhere.npz: cannot be opened: No such file"));
    cr_expect_not(read_member("/", "mu"));
    cr_expect_not_null(strstr(error.text, "this is a directory; expected an .npz archive"));
    cr_assert_eq(mkfifo(scratch("pipe"), 0600), 0);
    cr_expect_not(read_member(scratch("pipe"), "mu"));
    cr_expect_not_null(strstr(error.text, "this is a pipe or a device"));
}

static struct image make_archive(unsigned method)
{
    make_files();
    return image_zip((const struct zip_member[]){MU(.method = method), SIGMA(.method = method)}, 2);
}

/* Either refused, or what it was. */
static void expect_same_or_refused(const struct image *image, size_t size, const char *what,
                                   size_t at)
{
    put_file(scratch("a.npz"), image->bytes, size);
    if (read_member(scratch("a.npz"), "mu"))
        cr_expect(is_array(1, mu, 2), "%s %zu: another mu", what, at);
    if (read_member(scratch("a.npz"), "sigma"))
        cr_expect(is_array(2, sigma, 4), "%s %zu: another sigma", what, at);
}

Test(npz, truncated)
{
    struct image image = make_archive(ZIP_DEFLATED);
    for (size_t size = 0; size < image.size; size++) {
        put_file(scratch("a.npz"), image.bytes, size);
        cr_expect_not(read_member(scratch("a.npz"), "mu"), "%zu of %zu bytes", size, image.size);
    }
    free(image.bytes);
}

Test(npz, every_byte_changed)
{
    static const unsigned char changes[] = {0x01, 0x80, 0xFF};
    for (unsigned method = ZIP_STORED; method <= ZIP_DEFLATED; method += ZIP_DEFLATED) {
        struct image image = make_archive(method);
        for (size_t i = 0; i < image.size; i++) {
            for (unsigned k = 0; k < sizeof changes; k++) {
                image.bytes[i] ^= changes[k];
                expect_same_or_refused(&image, image.size, "byte", i);
                image.bytes[i] ^= changes[k];
            }
        }
        free(image.bytes);
    }
}

/* Several bytes at once, drawn by a fixed generator. */
Test(npz, drawn_damage)
{
    uint32_t state = 1;
    struct image image = make_archive(ZIP_DEFLATED);
    unsigned char *right = malloc(image.size);
    cr_assert_not_null(right);
    memcpy(right, image.bytes, image.size);
    for (size_t round = 0; round < 3000; round++) {
        for (unsigned k = 0; k < 1 + round % 6; k++) {
            state = state * 1664525 + 1013904223;
            image.bytes[(state >> 8) % image.size] = (unsigned char)(state >> 16);
        }
        expect_same_or_refused(&image, image.size, "round", round);
        memcpy(image.bytes, right, image.size);
    }
    free(right);
    free(image.bytes);
}
