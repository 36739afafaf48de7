/* Web Push (RFC 8030): to the push service that a browser named, sealed for that browser. */
#ifndef CUSTOMER_SERVICE_NOTIFY_WEB_PUSH_H
#define CUSTOMER_SERVICE_NOTIFY_WEB_PUSH_H

#include "common/base/ctx.h"
#include "customer-service/notify/push.h"

struct web_push;

struct web_push_options {
    const char *key_file; /* who we are to push services (VAPID): a private key on P-256 */
    const char *subject;  /* whom they may write to: "mailto:..." */
    const char *ca_file;  /* "": the system's */
    bool loopback;        /* endpoints on this machine too: for tests */
};

/* NULL: the key file holds no key on P-256. */
struct web_push *web_push_start(const struct web_push_options *options);
void web_push_stop(struct web_push *web); /* NULL is fine */

/* Sends all at once and waits for every verdict, 3 s a hundred. What has no public address is
 * refused by its socket: PUSH_RETRY until the notice has expired. From any thread. */
void web_push_send(struct ctx *ctx, struct web_push *web, struct push *const *pushes, size_t count);

/* What a browser subscribes with: the public key, base64url, in the arena. */
const char *web_push_key(struct arena *arena, const struct web_push *web);

#endif
