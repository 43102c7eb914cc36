#include "read_limit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- The loops ---- */

typedef float (*read_loop)(const float *data, size_t count, float *written);

/* A loop over vectors of `width` floats with `accumulators` sums that do not wait for one another;
 * `ahead` floats are prefetched, if not 0. */
#define READ_LOOP(name, width, accumulators, ahead, target_)                            \
    __attribute__((target(target_))) static float name(const float *data, size_t count, \
                                                       float *written)                  \
    {                                                                                   \
        typedef float vector __attribute__((vector_size((width) * sizeof(float))));     \
        vector sums[accumulators];                                                      \
        (void)written;                                                                  \
        memset(sums, 0, sizeof sums);                                                   \
        for (size_t i = 0; i < count; i += (size_t)(width) * (accumulators)) {          \
            const vector *at = (const vector *)(const void *)(data + i);                \
            _Pragma("GCC unroll 32") for (int k = 0; k < (accumulators); ++k)           \
            {                                                                           \
                if ((ahead) != 0)                                                       \
                    __builtin_prefetch(data + i + (ahead) + k * (width), 0, 3);         \
                sums[k] += at[k];                                                       \
            }                                                                           \
        }                                                                               \
        float total = 0.0f;                                                             \
        for (int k = 0; k < (accumulators); ++k)                                        \
            for (int lane = 0; lane < (width); ++lane)                                  \
                total += sums[k][lane];                                                 \
        return total;                                                                   \
    }

/* Writes the sum of each two vectors. */
#define WRITE_LOOP(name, width, ahead, target_)                                         \
    __attribute__((target(target_))) static float name(const float *data, size_t count, \
                                                       float *written)                  \
    {                                                                                   \
        typedef float vector __attribute__((vector_size((width) * sizeof(float))));     \
        for (size_t i = 0; i < count; i += (size_t)(width)*2) {                         \
            const vector *at = (const vector *)(const void *)(data + i);                \
            if ((ahead) != 0) {                                                         \
                __builtin_prefetch(data + i + (ahead), 0, 3);                           \
                __builtin_prefetch(data + i + (ahead) + (width), 0, 3);                 \
            }                                                                           \
            *(vector *)(void *)(written + i / 2) = at[0] + at[1];                       \
        }                                                                               \
        return 0.0f;                                                                    \
    }

#if defined(__x86_64__)
WRITE_LOOP(avx512_write, 16, 0, "avx512f")
WRITE_LOOP(avx512_write_1024, 16, 1024, "avx512f")
WRITE_LOOP(sse_write, 4, 0, "sse2")
READ_LOOP(avx512_4, 16, 4, 0, "avx512f")
READ_LOOP(avx512_8, 16, 8, 0, "avx512f")
READ_LOOP(avx512_16, 16, 16, 0, "avx512f")
READ_LOOP(avx512_8_512, 16, 8, 512, "avx512f")
READ_LOOP(avx512_8_1024, 16, 8, 1024, "avx512f")
READ_LOOP(avx512_16_2048, 16, 16, 2048, "avx512f")
READ_LOOP(avx2_8, 8, 8, 0, "avx2")
READ_LOOP(avx2_16, 8, 16, 0, "avx2")
READ_LOOP(avx2_16_1024, 8, 16, 1024, "avx2")
READ_LOOP(sse_16, 4, 16, 0, "sse2")
#else
WRITE_LOOP(plain_write, 4, 0, "default")
READ_LOOP(plain_8, 4, 8, 0, "default")
READ_LOOP(plain_16, 4, 16, 0, "default")
#endif

enum feature { ANY, AVX2, AVX512 };

static const struct {
    const char *name;
    read_loop run;
    enum feature needs;
    int writes;
} loops[] = {
#if defined(__x86_64__)
    {"sse, 16 accumulators", sse_16, ANY, 0},
    {"sse, and half as much written", sse_write, ANY, 1},
    {"avx2, 8 accumulators", avx2_8, AVX2, 0},
    {"avx2, 16 accumulators", avx2_16, AVX2, 0},
    {"avx2, 16 accumulators, prefetch 4 KiB", avx2_16_1024, AVX2, 0},
    {"avx512, 4 accumulators", avx512_4, AVX512, 0},
    {"avx512, 8 accumulators", avx512_8, AVX512, 0},
    {"avx512, 16 accumulators", avx512_16, AVX512, 0},
    {"avx512, 8 accumulators, prefetch 2 KiB", avx512_8_512, AVX512, 0},
    {"avx512, 8 accumulators, prefetch 4 KiB", avx512_8_1024, AVX512, 0},
    {"avx512, 16 accumulators, prefetch 8 KiB", avx512_16_2048, AVX512, 0},
    {"avx512, and half as much written", avx512_write, AVX512, 1},
    {"the same, prefetch 4 KiB", avx512_write_1024, AVX512, 1},
#else
    {"8 accumulators", plain_8, ANY, 0},
    {"16 accumulators", plain_16, ANY, 0},
    {"and half as much written", plain_write, ANY, 1},
#endif
};

static enum feature cpu_has(void)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f"))
        return AVX512;
    if (__builtin_cpu_supports("avx2"))
        return AVX2;
#endif
    return ANY;
}

size_t read_loop_count(void)
{
    size_t count = 0; /* the table is sorted by need */
    while (count < sizeof loops / sizeof loops[0] && loops[count].needs <= cpu_has())
        ++count;
    return count;
}

const char *read_loop_name(size_t loop)
{
    return loops[loop].name;
}

int read_loop_writes(size_t loop)
{
    return loops[loop].writes;
}

/* ---- The threads ---- */

enum { PIECE = 65536 };

struct read_pool {
    pthread_barrier_t begin, end;
    pthread_t *threads;
    unsigned count; /* beside the caller */
    read_loop run;  /* NULL ends the threads */
    const float *data;
    float *written; /* or NULL */
    size_t pieces;
    atomic_size_t next;
    atomic_uint sink; /* keeps the sums alive */
};

static void take_pieces(struct read_pool *pool)
{
    float sum = 0.0f;
    for (;;) {
        const size_t piece = atomic_fetch_add_explicit(&pool->next, 1, memory_order_relaxed);
        if (piece >= pool->pieces)
            break;
        float *written = pool->written == NULL ? NULL : pool->written + piece * PIECE / 2;
        sum += pool->run(pool->data + piece * PIECE, PIECE, written);
    }
    atomic_fetch_add(&pool->sink, sum > 0.0f);
}

static void *thread_main(void *argument)
{
    struct read_pool *pool = argument;
    for (;;) {
        pthread_barrier_wait(&pool->begin);
        if (pool->run == NULL)
            return NULL;
        take_pieces(pool);
        pthread_barrier_wait(&pool->end);
    }
}

struct read_pool *read_pool_create(unsigned threads)
{
    struct read_pool *pool = calloc(1, sizeof *pool);
    if (pool == NULL)
        return NULL;
    pool->threads = calloc(threads, sizeof *pool->threads);
    if (pool->threads == NULL) {
        free(pool);
        return NULL;
    }
    pthread_barrier_init(&pool->begin, NULL, threads);
    pthread_barrier_init(&pool->end, NULL, threads);
    for (; pool->count + 1 < threads; ++pool->count)
        if (pthread_create(&pool->threads[pool->count], NULL, thread_main, pool) != 0)
            abort(); /* the barriers would wait for ever */
    return pool;
}

void read_pool_destroy(struct read_pool *pool)
{
    pool->run = NULL;
    pthread_barrier_wait(&pool->begin);
    for (unsigned i = 0; i < pool->count; ++i)
        pthread_join(pool->threads[i], NULL);
    pthread_barrier_destroy(&pool->begin);
    pthread_barrier_destroy(&pool->end);
    free(pool->threads);
    free(pool);
}

double read_loop_time(struct read_pool *pool, size_t loop, const float *data, size_t count,
                      float *written)
{
    pool->run = loops[loop].run;
    pool->data = data;
    pool->written = written;
    pool->pieces = count / PIECE;
    atomic_store(&pool->next, 0);
    const double begin = seconds();
    pthread_barrier_wait(&pool->begin);
    take_pieces(pool);
    pthread_barrier_wait(&pool->end);
    return seconds() - begin;
}
