#include "latents.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 1797, PHOTOS = 520, NPY_LENGTH_AT = 8, NPY_HEADER_AT = 10 };

static void die(const char *path)
{
    fprintf(stderr, "%s: cannot be read\n", path);
    exit(2);
}

/* `bytes` bytes of numbers from an .npy file of version 1. */
static void *read_npy(const char *path, size_t bytes)
{
    unsigned char start[NPY_HEADER_AT];
    void *numbers = malloc(bytes);
    FILE *file = fopen(path, "rb");
    if (file == NULL || numbers == NULL || fread(start, 1, sizeof start, file) != sizeof start)
        die(path);
    const long header = start[NPY_LENGTH_AT] + 256L * start[NPY_LENGTH_AT + 1];
    if (fseek(file, NPY_HEADER_AT + header, SEEK_SET) != 0 ||
        fread(numbers, 1, bytes, file) != bytes)
        die(path);
    fclose(file);
    return numbers;
}

/* Of the rows that are taken, the first d of `stride` numbers. */
static void statistics(const float *rows, size_t count, size_t stride, const bool *taken, size_t d,
                       double *mean, double *covariance)
{
    double n = 0.0;
    memset(mean, 0, d * sizeof *mean);
    memset(covariance, 0, d * d * sizeof *covariance);
    for (size_t r = 0; r < count; r++) {
        n += taken[r];
        for (size_t i = 0; i < d && taken[r]; i++)
            mean[i] += (double)rows[r * stride + i];
    }
    for (size_t i = 0; i < d; i++)
        mean[i] /= n;
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < d && taken[r]; i++)
            for (size_t j = 0; j <= i; j++)
                covariance[i * d + j] += ((double)rows[r * stride + i] - mean[i]) *
                                         ((double)rows[r * stride + j] - mean[j]) / (n - 1.0);
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < i; j++)
            covariance[j * d + i] = covariance[i * d + j];
}

void latents_digits(int digit, double *mean, double *covariance)
{
    const size_t stride = 2 * LATENTS_DIGITS;
    bool taken[DIGITS];
    float *rows = read_npy(CLKL_DATA_DIR "/digits_vae_moments.npy", DIGITS * stride * sizeof *rows);
    int32_t *labels = read_npy(CLKL_DATA_DIR "/digits_labels.npy", DIGITS * sizeof *labels);
    for (int r = 0; r < DIGITS; r++)
        taken[r] = labels[r] == digit;
    statistics(rows, DIGITS, stride, taken, LATENTS_DIGITS, mean, covariance);
    free(rows);
    free(labels);
}

void latents_photos(int half, double *mean, double *covariance)
{
    const size_t stride = 2 * LATENTS_PHOTOS;
    bool taken[PHOTOS];
    float *rows = read_npy(CLKL_DATA_DIR "/photo_vae_moments.npy", PHOTOS * stride * sizeof *rows);
    for (int r = 0; r < PHOTOS; r++)
        taken[r] = (r < PHOTOS / 2) == (half == 0);
    statistics(rows, PHOTOS, stride, taken, LATENTS_PHOTOS, mean, covariance);
    free(rows);
}
