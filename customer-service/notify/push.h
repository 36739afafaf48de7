/* One thing to be told to one device, and how that went. */
#ifndef CUSTOMER_SERVICE_NOTIFY_PUSH_H
#define CUSTOMER_SERVICE_NOTIFY_PUSH_H

#include <stdbool.h>
#include <stdint.h>

enum push_kind { PUSH_ALERT, PUSH_BACKGROUND, PUSH_LIVE_ACTIVITY };

enum push_verdict {
    PUSH_RETRY,   /* it went wrong: try again later */
    PUSH_LATER,   /* nobody was asked: not its turn, or asked to wait */
    PUSH_SENT,    /* the service has it */
    PUSH_GONE,    /* nobody is there: forget the address */
    PUSH_REFUSED, /* never again */
};

struct push {
    const char *id; /* the notice's: a push that comes twice has the same */
    enum push_kind kind;
    const char *address; /* token or endpoint */
    bool sandbox;
    const char *p256dh, *secret; /* Web Push: the subscription's keys */
    const char *collapse_id;
    const char *payload; /* JSON */
    int64_t expires_ms;  /* wall clock */
    enum push_verdict verdict;
    const char *reason; /* in ctx's arena; "" when it was sent */
    int64_t wait_ms;    /* not before that, it was said of this address; 0: nothing was said */
};

/* What a Retry-After means, or its absence. The notices of the longest wait are still news then. */
enum { PUSH_WAIT_MS = 1000, PUSH_LONGEST_WAIT_MS = 600000 };
static inline int64_t push_wait_ms(int retry_after_s)
{
    int64_t wait_ms = retry_after_s > 0 ? (int64_t)retry_after_s * 1000 : PUSH_WAIT_MS;

    return wait_ms < PUSH_LONGEST_WAIT_MS ? wait_ms : PUSH_LONGEST_WAIT_MS;
}

#endif
