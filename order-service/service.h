/* Everything the daemon owns, made and ended in service.c. */
#ifndef ORDER_SERVICE_SERVICE_H
#define ORDER_SERVICE_SERVICE_H

#include "common/base/ctx.h"
#include "order-service/config.h"

struct cache;
struct db_conn;
struct menu_cache;
struct order_batches;
struct order_days;
struct order_queue_cache;
struct order_watch;
struct outbox_relay;
struct payment_provider;
struct rpc_client;
struct service;
struct workflows;

/* NULL, with the reason on the log, when a part cannot be started. Dependencies may be away. */
struct service *service_start(const struct config *config);
void service_stop(struct service *service); /* drains, then frees; NULL is fine */

/* Brings the schema up to date as the owner role; for --migrate. */
bool service_migrate(const struct config *config);

/* One connection of the pool for the rest of this unit of work; give it back early.
 * ST_UNAVAILABLE. */
enum status service_db(struct ctx *ctx, struct service *service, struct db_conn **db) MUST_CHECK;

const struct config *service_config(const struct service *service);
bool service_is_ready(struct service *service);
struct cache *service_cache(struct service *service);
struct menu_cache *service_menu_cache(struct service *service);
struct order_days *service_days(struct service *service);
struct order_batches *service_order_batches(struct service *service);
struct order_watch *service_watch(struct service *service);
struct order_queue_cache *service_queue_cache(struct service *service);
struct outbox_relay *service_outbox(struct service *service);
void service_wake_jobs(struct service *service); /* there are new ones */
struct rpc_client *service_customers(struct service *service);
bool service_has_workflows(struct service *service);
struct payment_provider *service_payment_provider(struct service *service); /* NULL: off */
const uint8_t *service_page_key(const struct service *service);

/* A business time in milliseconds, as TIME_FACTOR has it. */
int64_t service_business_ms(const struct service *service, int seconds);

#endif
