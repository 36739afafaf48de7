/* Where people are told things: their devices, Live Activities, what they want to hear, and which
 * baristas are on shift. */
#ifndef CUSTOMER_SERVICE_NOTIFY_DEVICE_H
#define CUSTOMER_SERVICE_NOTIFY_DEVICE_H

#include "customer-service/customer/customer.h"

enum { DEVICES_MAX = 20 };

struct device_wish {
    const char *channel;         /* "apns", "web" */
    const char *address;         /* the token or the endpoint */
    const char *environment;     /* "production", "sandbox"; "" for the web */
    const char *p256dh, *secret; /* the subscription's keys, base64url; "" for APNs */
};

struct device {
    char id[ID_TEXT_SIZE];
    const char *channel;
    int64_t created_ms;
};

struct device_preferences {
    bool orders, promotions;
};

/* For the caller, as long as their session lasts. Beyond DEVICES_MAX the one seen longest ago goes.
 * PROBLEM_TOKEN_REVOKED: the session has ended. */
enum status device_register(struct ctx *ctx, struct service *service,
                            const struct device_wish *wish, struct device *device) MUST_CHECK;
enum status device_remove(struct ctx *ctx, struct service *service, const char *id) MUST_CHECK;

/* In the transaction that ends these sessions: what was registered in them is told nothing more. */
enum status device_forget_sessions(struct ctx *ctx, struct db_conn *tx, const char *const *sessions,
                                   size_t count) MUST_CHECK;
/* Likewise, where all sessions but one end: what may be of any of them. */
enum status device_forget_early(struct ctx *ctx, struct db_conn *tx,
                                struct customer_id owner) MUST_CHECK;

/* 'order' is NULL for the token that starts activities. ST_NOT_FOUND: no such device of theirs. */
struct live_activity_wish {
    const char *device, *order, *token;
};
enum status device_live_activity(struct ctx *ctx, struct service *service,
                                 const struct live_activity_wish *wish,
                                 char id[ID_TEXT_SIZE]) MUST_CHECK;

/* '*since_ms' is 0 when off. */
enum status device_set_shift(struct ctx *ctx, struct service *service, bool on_shift,
                             int64_t *since_ms) MUST_CHECK;

enum status device_preferences_get(struct ctx *ctx, struct service *service,
                                   struct device_preferences *preferences) MUST_CHECK;
enum status device_preferences_set(struct ctx *ctx, struct service *service,
                                   const struct device_preferences *preferences) MUST_CHECK;

#endif
