#include "reference/triangular.h"

#include <math.h>

static long double dot(size_t n, const long double *a, const long double *b)
{
    long double sum = 0.0L;
    for (size_t k = 0; k < n; ++k)
        sum += a[k] * b[k];
    return sum;
}

static void swap(long double *a, long double *b)
{
    const long double kept = *a;
    *a = *b;
    *b = kept;
}

size_t clkl_cholesky(size_t n, long double *matrix)
{
    for (size_t i = 0; i < n; ++i) {
        long double *row = matrix + i * n;
        for (size_t j = 0; j < i; ++j) {
            const long double *above = matrix + j * n;
            row[j] = (row[j] - dot(j, row, above)) / above[j];
        }
        const long double pivot = row[i] - dot(i, row, row);
        if (!(pivot > 0.0L) || isinf(pivot))
            return i + 1;
        row[i] = sqrtl(pivot);
    }
    return 0;
}

void clkl_cholesky_beside_identity(size_t n, long double *matrix)
{
    for (size_t i = 0; i < n; ++i) {
        long double *row = matrix + i * n;
        for (size_t j = 0; j < i; ++j) {
            const long double *above = matrix + j * n;
            row[j] = (row[j] - dot(j, row, above)) / (1.0L + above[j]);
        }
        const long double s = row[i] - dot(i, row, row);
        row[i] = s / (1.0L + sqrtl(1.0L + s));
    }
}

static void substitute_row(size_t n, const long double *lower, size_t first, size_t i,
                           long double *x)
{
    const long double *row = lower + i * n;
    x[i] = (x[i] - dot(i - first, row + first, x + first)) / row[i];
}

void clkl_substitute(size_t n, const long double *lower, size_t first, size_t end, long double *x)
{
    for (size_t i = first; i < end; ++i)
        substitute_row(n, lower, first, i, x);
}

void clkl_substitute_all(size_t n, const long double *lower, long double *sides)
{
    enum { TOGETHER = 8 }; /* so that a large factor is read from memory so many times less */
    for (size_t begin = 0; begin < n; begin += TOGETHER)
        for (size_t i = 0; i < n; ++i)
            for (size_t r = begin; r < n && r < begin + TOGETHER; ++r)
                substitute_row(n, lower, 0, i, sides + r * n);
}

void clkl_multiply(size_t n, const long double *lower, size_t first, long double *x)
{
    for (size_t i = n; i-- > first;)
        x[i] = dot(i - first + 1, lower + i * n + first, x + first);
}

void clkl_multiply_transposed(size_t n, long double c, const long double *lower, long double *x)
{
    for (size_t i = 0; i < n; ++i) {
        long double sum = c * x[i];
        for (size_t k = i; k < n; ++k)
            sum += lower[k * n + i] * x[k];
        x[i] = sum;
    }
}

void clkl_transpose(size_t n, long double *matrix)
{
    for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j < i; ++j)
            swap(&matrix[i * n + j], &matrix[j * n + i]);
}

void clkl_mirror(size_t n, long double *lower)
{
    for (size_t i = 0; i < n; ++i)
        for (size_t j = 0; j <= i && i + j < n - 1; ++j)
            swap(&lower[i * n + j], &lower[(n - 1 - j) * n + (n - 1 - i)]);
}
