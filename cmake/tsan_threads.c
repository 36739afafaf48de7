/* C11 threads as POSIX threads, for the tsan build alone: librdkafka uses C11's, whose beginnings
 * ThreadSanitizer of gcc 12 does not see, and then ends in a segmentation fault. The linker takes
 * these before the C library's. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <threads.h>

struct beginning {
    thrd_start_t function;
    void *argument;
};

static int result_of(int error)
{
    switch (error) {
    case 0:
        return thrd_success;
    case ENOMEM:
        return thrd_nomem;
    case ETIMEDOUT:
        return thrd_timedout;
    case EBUSY:
        return thrd_busy;
    }
    return thrd_error;
}

static void *begin(void *argument)
{
    struct beginning beginning = *(struct beginning *)argument;

    free(argument);
    return (void *)(intptr_t)beginning.function(beginning.argument);
}

int thrd_create(thrd_t *thread, thrd_start_t function, void *argument)
{
    struct beginning *beginning = malloc(sizeof(*beginning));

    if (!beginning) {
        return thrd_nomem;
    }
    *beginning = (struct beginning){.function = function, .argument = argument};
    int error = pthread_create(thread, NULL, begin, beginning);
    if (error != 0) {
        free(beginning);
    }
    return result_of(error);
}

int thrd_join(thrd_t thread, int *result)
{
    void *value = NULL;
    int error = pthread_join(thread, &value);

    if (error == 0 && result) {
        *result = (int)(intptr_t)value;
    }
    return result_of(error);
}

/* glibc's own types are the same memory under another name. */
static pthread_mutex_t *mutex_of(mtx_t *mutex)
{
    return (pthread_mutex_t *)mutex;
}

static pthread_cond_t *cond_of(cnd_t *cond)
{
    return (pthread_cond_t *)cond;
}

int mtx_init(mtx_t *mutex, int type)
{
    pthread_mutexattr_t how;

    pthread_mutexattr_init(&how);
    if (type & mtx_recursive) {
        pthread_mutexattr_settype(&how, PTHREAD_MUTEX_RECURSIVE);
    }
    int error = pthread_mutex_init(mutex_of(mutex), &how);
    pthread_mutexattr_destroy(&how);
    return result_of(error);
}

int mtx_lock(mtx_t *mutex)
{
    return result_of(pthread_mutex_lock(mutex_of(mutex)));
}

int mtx_trylock(mtx_t *mutex)
{
    return result_of(pthread_mutex_trylock(mutex_of(mutex)));
}

int mtx_unlock(mtx_t *mutex)
{
    return result_of(pthread_mutex_unlock(mutex_of(mutex)));
}

void mtx_destroy(mtx_t *mutex)
{
    pthread_mutex_destroy(mutex_of(mutex));
}

int cnd_init(cnd_t *cond)
{
    return result_of(pthread_cond_init(cond_of(cond), NULL));
}

int cnd_signal(cnd_t *cond)
{
    return result_of(pthread_cond_signal(cond_of(cond)));
}

int cnd_broadcast(cnd_t *cond)
{
    return result_of(pthread_cond_broadcast(cond_of(cond)));
}

int cnd_wait(cnd_t *cond, mtx_t *mutex)
{
    return result_of(pthread_cond_wait(cond_of(cond), mutex_of(mutex)));
}

int cnd_timedwait(cnd_t *restrict cond, mtx_t *restrict mutex,
                  const struct timespec *restrict until)
{
    return result_of(pthread_cond_timedwait(cond_of(cond), mutex_of(mutex), until));
}

void cnd_destroy(cnd_t *cond)
{
    pthread_cond_destroy(cond_of(cond));
}
