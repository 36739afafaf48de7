/* Who watches which order in this process. Views come in from the live bus; a thread compares what
 * was sent with the database every few seconds, so a message that Valkey lost is found. */
#ifndef ORDER_SERVICE_ORDER_ORDER_WATCH_H
#define ORDER_SERVICE_ORDER_ORDER_WATCH_H

#include "order-service/order/order.h"

struct order_watch;
struct order_watcher;

/* A view that is newer than what this watcher had. Must not block; not called after
 * order_watch_leave(). */
typedef void order_seen(void *user, const char *view, enum order_status status);

struct order_watch *order_watch_new(struct service *service);
void order_watch_free(struct order_watch *watch); /* nobody may watch any more */

/* From 'seq' on, not including it. */
struct order_watcher *order_watch_join(struct order_watch *watch, struct order_id id, int64_t seq,
                                       order_seen *seen, void *user);
void order_watch_leave(struct order_watch *watch, struct order_watcher *watcher);

/* One message of the live bus. */
void order_watch_message(struct order_watch *watch, const char *view);

#endif
