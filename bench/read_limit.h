/* How fast this machine's cores can read memory, and read and write it: explicit loops with
 * independent vector accumulators, in several widths, unrollings and prefetch distances, shared out
 * to threads as a device would. */
#ifndef CLKL_BENCH_READ_LIMIT_H
#define CLKL_BENCH_READ_LIMIT_H

#include <stddef.h>

struct read_pool;

/* Threads that wait for work, the caller being one of them; NULL if they cannot be had. */
struct read_pool *read_pool_create(unsigned threads);
void read_pool_destroy(struct read_pool *pool);

/* The loops that this CPU can run. */
size_t read_loop_count(void);
const char *read_loop_name(size_t loop);
int read_loop_writes(size_t loop); /* half as many floats as it reads */

/* Seconds to read `count` floats, a multiple of 65536, at a multiple of 64 bytes; a loop that
 * writes puts count / 2 of them to `written`, likewise aligned. */
double read_loop_time(struct read_pool *pool, size_t loop, const float *data, size_t count,
                      float *written);

/* Seconds of a steady clock. */
double seconds(void);

#endif
