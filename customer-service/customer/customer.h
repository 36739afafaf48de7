/* A person: who they are to the shop. How they prove it is customer-service/auth's business. */
#ifndef CUSTOMER_SERVICE_CUSTOMER_CUSTOMER_H
#define CUSTOMER_SERVICE_CUSTOMER_CUSTOMER_H

#include "common/base/ctx.h"

struct db_conn;
struct service;

struct customer_id {
    char text[ID_TEXT_SIZE];
};

struct customer {
    struct customer_id id;
    const char *handle, *name, *email;
    enum role role;
};

/* NULL: stays as it is. */
struct customer_change {
    const char *name, *email;
};

/* Whose data the caller may see: their own. */
struct customer_id customer_caller(const struct ctx *ctx);

/* In the caller's transaction. PROBLEM_HANDLE_TAKEN, PROBLEM_ALREADY_EXISTS for the e-mail. */
enum status customer_create(struct ctx *ctx, struct db_conn *tx,
                            const struct customer *customer) MUST_CHECK;
/* Keeps who is there already: for demonstration accounts. */
enum status customer_create_once(struct ctx *ctx, struct db_conn *tx,
                                 const struct customer *customer) MUST_CHECK;

enum status customer_get(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                         struct customer *found) MUST_CHECK;
/* By handle or e-mail, in any case. ST_NOT_FOUND. */
enum status customer_by_login(struct ctx *ctx, struct db_conn *db, const char *login,
                              struct customer *found) MUST_CHECK;
/* As customer_get(), and the role stays as it is until the transaction ends. */
enum status customer_hold(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                          struct customer *found) MUST_CHECK;

/* Also what Valkey has of it goes, soon; for who wants it now: customer_drop_cached(). */
enum status customer_set_role(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                              enum role role, struct customer *changed) MUST_CHECK;

/* Changes the profile and drops what Valkey has of it. PROBLEM_ALREADY_EXISTS for the e-mail. */
enum status customer_update(struct ctx *ctx, struct service *service, struct customer_id id,
                            const struct customer_change *change,
                            struct customer *changed) MUST_CHECK;

/* After a commit that changed the row, so that who changed it reads the change: what Valkey has of
 * it goes now, if Valkey is there. */
void customer_drop_cached(struct ctx *ctx, struct service *service, struct customer_id id);

/* "customer:profile:{id}", in the arena. */
const char *customer_cache_key(struct ctx *ctx, struct customer_id id);

#endif
