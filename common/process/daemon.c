/* Signals: blocked in every thread, waited for in one. What libraries are told by environment. */
#include "common/process/daemon.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>

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
 * They are for Kerberos; PLAIN and SCRAM are librdkafka's own. Who wants them sets the path. */
void daemon_spare_memory(void)
{
    setenv("SASL_PATH", "/nonexistent", 0);
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
