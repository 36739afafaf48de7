/* A collector that is none of ours (tests/fakes/collector): a process of its own, which writes what
 * it gets into a file. It may be ended and come back at the same port. */
#ifndef TESTS_HELPERS_COLLECTOR_COLLECTOR_H
#define TESTS_HELPERS_COLLECTOR_COLLECTOR_H

#include "common/base/arena.h"

#include <stdbool.h>
#include <sys/types.h>

struct collector {
    pid_t pid;
    int port;
    char endpoint[40], folder[40];
};

void collector_init(struct collector *collector); /* it has a port, and does not run yet */
/* Waits until it listens. 'is_silent': it takes calls and never answers. */
void collector_start(struct collector *collector, bool is_silent);
void collector_kill(struct collector *collector);
void collector_finish(struct collector *collector);

/* All that came, a span a line. */
char *collector_got(struct arena *arena, const struct collector *collector);
/* How often a text stands in what came; waits until it does 'least' times. */
int collector_wait(const struct collector *collector, const char *text, int least);

#endif
