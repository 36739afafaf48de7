/* Condition variables that wait by the monotonic clock: a wall clock that is set stalls nobody. */
#ifndef COMMON_BASE_COND_H
#define COMMON_BASE_COND_H

#include <pthread.h>
#include <stdint.h>
#include <time.h>

/* Ended by pthread_cond_destroy(). */
void cond_init(pthread_cond_t *cond);

/* 'ms' from now, as pthread_cond_timedwait() on such a variable takes it. */
struct timespec cond_limit(int64_t ms);

#endif
