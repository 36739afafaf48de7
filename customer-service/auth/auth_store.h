/* Statements of auth.sql. Only this folder includes this. */
#ifndef CUSTOMER_SERVICE_AUTH_AUTH_STORE_H
#define CUSTOMER_SERVICE_AUTH_AUTH_STORE_H

#include "common/crypto/crypto.h"
#include "common/db/db.h"
#include "customer-service/auth/auth.h"

struct refresh_token_row {
    char session[ID_TEXT_SIZE];
    struct customer_id customer;
    const char *device_id, *methods;
    int64_t signed_in_ms;
    int64_t generation, used_generation, used_ago_s;
    int64_t minute_renewals, minute_left_s; /* 0 or less: that minute is over */
    bool is_over;
};

struct session_ids {
    const char *const *ids;
    size_t count;
};

struct denied_session {
    const char *id;
    int64_t left_s;
};

enum status auth_store_add_password(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                                    const char *hash, bool once) MUST_CHECK;
/* ST_NOT_FOUND when this person has none. */
enum status auth_store_password(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                const char **hash) MUST_CHECK;
/* ST_CONFLICT when it is no longer 'old_hash'. */
enum status auth_store_change_password(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                                       const char *old_hash, const char *new_hash) MUST_CHECK;

/* For the caller that 'who' will be; ST_CONFLICT when 'hash' is no longer the password's. Sets
 * who->signed_in_at. */
enum status auth_store_add_session(struct ctx *ctx, struct db_conn *tx, const char *hash,
                                   struct caller *who) MUST_CHECK;
enum status auth_store_add_token(struct ctx *ctx, struct db_conn *tx,
                                 const uint8_t digest[SHA256_SIZE], const char *session,
                                 int64_t generation) MUST_CHECK;
enum status auth_store_find_token(struct ctx *ctx, struct db_conn *tx,
                                  const uint8_t digest[SHA256_SIZE],
                                  struct refresh_token_row *found) MUST_CHECK;
enum status auth_store_use_session(struct ctx *ctx, struct db_conn *tx, const char *session,
                                   int64_t generation) MUST_CHECK;
enum status auth_store_sessions(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                const struct auth_session **sessions, size_t *count) MUST_CHECK;

/* ST_NOT_FOUND when it is over, or not this person's. */
enum status auth_store_hold_session(struct ctx *ctx, struct db_conn *tx, const char *session,
                                    struct customer_id id) MUST_CHECK;

/* Those that were ended by this call. */
enum status auth_store_end_session(struct ctx *ctx, struct db_conn *tx, const char *session,
                                   struct customer_id id, const char *reason,
                                   struct session_ids *ended) MUST_CHECK;
enum status auth_store_end_sessions(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                                    const char *but_session, const char *reason,
                                    struct session_ids *ended) MUST_CHECK;
enum status auth_store_denied(struct ctx *ctx, struct db_conn *db,
                              const struct denied_session **denied, size_t *count) MUST_CHECK;

enum status auth_store_count_failure(struct ctx *ctx, struct db_conn *db, const char *who,
                                     int window_s, int64_t *failures) MUST_CHECK;
enum status auth_store_block(struct ctx *ctx, struct db_conn *db, const char *who,
                             int pause_s) MUST_CHECK;
enum status auth_store_block_left(struct ctx *ctx, struct db_conn *db, const char *who,
                                  int64_t *left_s) MUST_CHECK;
enum status auth_store_forget_failures(struct ctx *ctx, struct db_conn *db,
                                       const char *who) MUST_CHECK;

/* For the test that prepares every statement. */
const struct sql *const *auth_store_sql(size_t *count);

#endif
