/* One thing to be told to one device, and how that went. */
#ifndef CUSTOMER_SERVICE_NOTIFY_PUSH_H
#define CUSTOMER_SERVICE_NOTIFY_PUSH_H

#include <stdbool.h>
#include <stdint.h>

enum push_kind { PUSH_ALERT, PUSH_BACKGROUND, PUSH_LIVE_ACTIVITY };

enum push_verdict {
    PUSH_RETRY,   /* try again later */
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
};

#endif
