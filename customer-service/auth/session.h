/* Sessions: made at a sign-in, renewed by refresh tokens, ended for good. For this folder only. */
#ifndef CUSTOMER_SERVICE_AUTH_SESSION_H
#define CUSTOMER_SERVICE_AUTH_SESSION_H

#include "customer-service/auth/auth_store.h"

/* Makes and keeps the refresh token of a generation of who's session; '*refresh' is its text. */
enum status session_add_token(struct ctx *ctx, struct db_conn *tx, const struct caller *who,
                              int64_t generation, const char **refresh) MUST_CHECK;

/* The digest that a refresh token is kept by; false when it cannot be one of ours. */
bool session_token_digest(struct ctx *ctx, const char *refresh, uint8_t digest[SHA256_SIZE]);

/* PROBLEM_TOKEN_REVOKED: it has ended. */
enum status session_refuse(struct ctx *ctx) MUST_CHECK;

/* The answer to a sign-in or renewal. */
enum status session_answer(struct ctx *ctx, struct service *service, const struct caller *who,
                           const char *refresh, const struct customer *customer,
                           struct auth_tokens *tokens) MUST_CHECK;

/* Ends this session of the owner's, or all of theirs but one ('but_session', NULL: all), in the
 * caller's transaction: what was registered in them is told nothing more, nor with all but one what
 * may be of any. 'ended' are those that went on until now. */
enum status session_end(struct ctx *ctx, struct db_conn *tx, const char *session,
                        struct customer_id owner, const char *reason,
                        struct session_ids *ended) MUST_CHECK;
enum status session_end_others(struct ctx *ctx, struct db_conn *tx, struct customer_id owner,
                               const char *but_session, const char *reason,
                               struct session_ids *ended) MUST_CHECK;

/* After the commit that ended them: gateways hear of it, through Valkey. */
void session_deny(struct ctx *ctx, struct service *service, const struct session_ids *ended);

#endif
