/* A payment provider of a test's own (tests/fakes/payment), as a process. links: test_payment */
#ifndef TESTS_HELPERS_PAYMENT_FAKE_PAYMENT_H
#define TESTS_HELPERS_PAYMENT_FAKE_PAYMENT_H

#include <stdbool.h>
#include <sys/types.h>

struct fake_payment {
    pid_t pid;
    int port;
    char directory[64]; /* its books are ledger.jsonl in it */
    char url[64];       /* "http://127.0.0.1:PORT" */
};

/* End the test program when they cannot. */
void fake_payment_start(struct fake_payment *fake);
void fake_payment_stop(struct fake_payment *fake); /* SIGKILL; its books go, too */

void fake_payment_kill(struct fake_payment *fake);   /* SIGKILL; the books stay */
void fake_payment_revive(struct fake_payment *fake); /* at the same port, from its books */
void fake_payment_freeze(const struct fake_payment *fake, bool frozen);

/* More rules, "slow:capture:100:1:500"; "" clears them all. */
void fake_payment_faults(const struct fake_payment *fake, const char *rules);
/* The body of a GET, until the next call. */
const char *fake_payment_get(const struct fake_payment *fake, const char *path);
/* A member of GET /ledger: "capturedCents". */
long long fake_payment_sum(const struct fake_payment *fake, const char *member);

#endif
