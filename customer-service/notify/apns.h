/* Apple's push service: one HTTP/2 connection, many streams, a provider token. */
#ifndef CUSTOMER_SERVICE_NOTIFY_APNS_H
#define CUSTOMER_SERVICE_NOTIFY_APNS_H

#include "common/base/ctx.h"
#include "customer-service/notify/push.h"

struct apns;

enum {
    APNS_PAYLOAD_MAX = 4096,
    APNS_COLLAPSE_MAX = 64,
    APNS_TOKEN_SIZE = 512,
    APNS_TOKEN_LIFE_MS = 50 * 60 * 1000,
};

struct apns_token {
    char text[APNS_TOKEN_SIZE]; /* a JWT */
    int64_t signed_ms;          /* wall clock; 0: none */
};

/* Offers 'token', just made by 'maker', and gets the one that all who have that key send: another
 * that is younger than life_ms, else this one. */
typedef enum status apns_share(struct ctx *ctx, void *user, const char *maker, int64_t life_ms,
                               struct apns_token *token);

struct apns_options {
    const char *url, *sandbox_url; /* "https://api.push.apple.com" */
    const char *key_file, *key_id, *team_id, *topic;
    const char *ca_file; /* "": the system's */
    apns_share *share;   /* NULL: nobody else has the key */
    void *share_user;
};

/* NULL: the key file holds no key on P-256. */
struct apns *apns_start(const struct apns_options *options);
void apns_stop(struct apns *apns); /* NULL is fine */

/* Sends all at once and waits for every verdict, 25 s at most. While Apple has asked us to wait
 * nothing goes out, and all are PUSH_LATER. From any thread. */
void apns_send(struct ctx *ctx, struct apns *apns, struct push *const *pushes, size_t count);

/* The provider token, in ctx's arena; NULL: there is none now. For the sender and for its test. */
const char *apns_provider_token(struct ctx *ctx, struct apns *apns);

#endif
