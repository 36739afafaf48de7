/* Everything the daemon owns, made and ended in service.c. */
#ifndef CUSTOMER_SERVICE_SERVICE_H
#define CUSTOMER_SERVICE_SERVICE_H

#include "common/base/ctx.h"
#include "customer-service/config.h"

struct cache;
struct cache_aside;
struct db_conn;
struct password_queue;
struct notify_senders;
struct rpc_client;
struct service;
struct token_signer;

/* NULL, with the reason on the log, when a part cannot be started. Servers that are away are no
 * such reason: they may come later. */
struct service *service_start(const struct config *config);
void service_stop(struct service *service); /* drains, then frees; NULL is fine */

/* Only what a use case needs: keys, database and Valkey. For a command, or a test. */
struct service *service_open(const struct config *config);

/* The other two things that this program does. */
bool service_migrate(const struct config *config);
bool service_make_admin(const struct config *config, const char *handle);

/* One connection of the pool, until db_give_back() or the arena's end. */
enum status service_db(struct ctx *ctx, struct service *service, struct db_conn **db) MUST_CHECK;

/* After a commit that wrote outbox rows. */
void service_wake_outbox(struct service *service);

/* From any thread: Valkey did not hear of a denied session. */
void service_tell_denied_again(struct service *service);

/* After a commit that enqueued a job. */
void service_wake_jobs(struct service *service);
/* Part of service_start(); a test of jobs calls it after service_open(). */
void service_start_jobs(struct service *service);

bool service_is_ready(struct service *service);
struct cache *service_cache(struct service *service);
struct cache_aside *service_profiles(struct service *service);   /* customer:profile:{id} */
struct cache_aside *service_favourites(struct service *service); /* customer:fav:{id} */
struct password_queue *service_passwords(struct service *service);
struct rpc_client *service_orders(struct service *service); /* order-service */
const struct notify_senders *service_senders(const struct service *service);
const struct token_signer *service_signer(const struct service *service);

#endif
