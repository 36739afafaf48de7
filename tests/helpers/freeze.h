/* Holding up a server that a test has started, as a fault would. */
#ifndef TESTS_HELPERS_FREEZE_H
#define TESTS_HELPERS_FREEZE_H

#include <sys/types.h>

/* None of its threads runs any more when this returns. */
void freeze(pid_t server);
void thaw(pid_t server);

#endif
