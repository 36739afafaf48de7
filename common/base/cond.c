/* The two things POSIX makes long: a condition variable of another clock, and a time from now. */
#include "common/base/cond.h"

enum { NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

void cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t monotonic;

    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(cond, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

struct timespec cond_limit(int64_t ms)
{
    struct timespec at;

    clock_gettime(CLOCK_MONOTONIC, &at);
    ms = ms > 0 ? ms : 0;
    at.tv_sec += ms / 1000;
    at.tv_nsec += ms % 1000 * NS_PER_MS;
    if (at.tv_nsec >= NS_PER_S) {
        at.tv_sec++;
        at.tv_nsec -= NS_PER_S;
    }
    return at;
}
