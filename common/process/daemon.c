/* Signals: blocked in every thread, waited for in one. What libraries are told by environment. */
#include "common/process/daemon.h"

#include "common/base/clock.h"
#include "common/obs/log.h"

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

enum { LARGE_BYTES = 256 * 1024 };

static sigset_t stop_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    return set;
}

void daemon_block_signals(void)
{
    sigset_t set = stop_signals();

    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* librdkafka starts Cyrus SASL, which loads each mechanism it finds, one over Berkeley DB.
 * They are for Kerberos; PLAIN and SCRAM are librdkafka's own. Who wants them sets the path.
 * And malloc, left to itself, learns from one photo that passes by to keep as much for ever. */
void daemon_spare_memory(void)
{
    setenv("SASL_PATH", "/nonexistent", 0);
    mallopt(M_MMAP_THRESHOLD, LARGE_BYTES);
}

int daemon_wait_for_signal(void)
{
    sigset_t set = stop_signals();
    int signal_number = 0;

    while (sigwait(&set, &signal_number) != 0) {
        /* interrupted: wait again */
    }
    return signal_number;
}

/* Who reads our log may be what hangs: a full pipe would keep the last line, and us with it. */
static bool log_is_read(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return poll(&out, 1, 0) == 1 && out.revents & POLLOUT;
}

static void *end_late(void *ms)
{
    clock_pause_ms((int)(intptr_t)ms);
    if (log_is_read()) {
        log_error(NULL, "not all came to an end in time: what is left comes again");
    }
    _exit(EXIT_SUCCESS);
}

void daemon_end_within(int ms)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, end_late, (void *)(intptr_t)ms) != 0) {
        abort();
    }
    pthread_detach(thread);
}
