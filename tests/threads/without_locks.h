/* Included before a source of the library, it takes away the locks of that source: to see whether
 * ThreadSanitizer notices, whatever is suppressed. */
#ifndef CLKL_TESTS_WITHOUT_LOCKS_H
#define CLKL_TESTS_WITHOUT_LOCKS_H

#include <pthread.h>

static int no_lock(pthread_mutex_t *lock)
{
    (void)lock;
    return 0;
}

#define pthread_mutex_lock   no_lock
#define pthread_mutex_unlock no_lock

#endif
