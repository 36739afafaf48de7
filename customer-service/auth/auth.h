/* Who you are: signing up, signing in, staying signed in, and ending it. The only folder that
 * sees a password or signs a token. */
#ifndef CUSTOMER_SERVICE_AUTH_AUTH_H
#define CUSTOMER_SERVICE_AUTH_AUTH_H

#include "customer-service/customer/customer.h"

enum { SESSION_LIFE_S = 30 * 24 * 3600, REFRESH_GRACE_S = 30, RENEWALS_PER_MINUTE = 10 };

struct auth_sign_up {
    const char *handle, *email, *name, *password;
};

/* What a sign-in or a renewal answers. */
struct auth_tokens {
    const char *access, *refresh;
    struct customer customer;
};

struct auth_session {
    char id[ID_TEXT_SIZE];
    const char *device_id;
    int64_t signed_in_ms, last_seen_ms;
};

/* PROBLEM_HANDLE_TAKEN, PROBLEM_ALREADY_EXISTS, PROBLEM_WEAK_PASSWORD, PROBLEM_OVERLOADED. */
enum status auth_sign_up(struct ctx *ctx, struct service *service,
                         const struct auth_sign_up *request, struct customer *made) MUST_CHECK;

/* 'login' is a handle or an e-mail address. PROBLEM_BAD_CREDENTIALS, and after five of them
 * PROBLEM_TOO_MANY_REQUESTS. */
enum status auth_login(struct ctx *ctx, struct service *service, const char *login,
                       const char *password, const char *device_id,
                       struct auth_tokens *tokens) MUST_CHECK;

/* A refresh token is used once; again only by the same device (which says so, where it did at
 * sign-in), within REFRESH_GRACE_S and while its successor is unused. Anything else is
 * PROBLEM_TOKEN_REVOKED and ends the session. PROBLEM_TOO_MANY_REQUESTS: the session was renewed
 * RENEWALS_PER_MINUTE times in a minute, and the token is as good as it was. */
enum status auth_refresh(struct ctx *ctx, struct service *service, const char *refresh_token,
                         const char *device_id, struct auth_tokens *tokens) MUST_CHECK;

/* Ends the session that the token belongs to; ST_OK also when it belongs to none. */
enum status auth_logout(struct ctx *ctx, struct service *service,
                        const char *refresh_token) MUST_CHECK;

/* Ends all other sessions of the caller. PROBLEM_BAD_CREDENTIALS, PROBLEM_WEAK_PASSWORD. */
enum status auth_change_password(struct ctx *ctx, struct service *service, const char *current,
                                 const char *wanted) MUST_CHECK;

/* The caller's, newest first. */
enum status auth_sessions(struct ctx *ctx, struct service *service,
                          const struct auth_session **sessions, size_t *count) MUST_CHECK;
/* ST_NOT_FOUND unless it is the caller's. */
enum status auth_revoke(struct ctx *ctx, struct service *service, const char *session) MUST_CHECK;

/* So that an end of the caller's session waits until this transaction is over, and finds what was
 * made in it. PROBLEM_TOKEN_REVOKED: it has ended. ST_OK for who has none. */
enum status auth_hold_session(struct ctx *ctx, struct db_conn *tx) MUST_CHECK;

/* Audited; ends the person's sessions, whose tokens name the old role. PROBLEM_CONFLICT for one's
 * own. */
enum status auth_set_role(struct ctx *ctx, struct service *service, struct customer_id id,
                          enum role role, struct customer *changed) MUST_CHECK;
/* The first admin of a fresh installation, from the command line. */
enum status auth_make_admin(struct ctx *ctx, struct service *service,
                            const char *handle) MUST_CHECK;

/* Sessions that ended less than an access token's life ago, for gateways. */
enum status auth_denied(struct ctx *ctx, struct service *service, const char *const **sessions,
                        size_t *count) MUST_CHECK;
/* Tells Valkey of all of them again: it was away, or did not hear of one. */
enum status auth_publish_denied(struct ctx *ctx, struct service *service) MUST_CHECK;
/* The same, but only if Valkey forgot that it was told: it was emptied. Costs one look. */
enum status auth_remind_denied(struct ctx *ctx, struct service *service) MUST_CHECK;

/* Forget what ran out. */
struct db_conn;
enum status auth_purge_sessions(struct ctx *ctx, struct db_conn *db) MUST_CHECK;
enum status auth_purge_denied(struct ctx *ctx, struct db_conn *db) MUST_CHECK;
enum status auth_purge_failures(struct ctx *ctx, struct db_conn *db) MUST_CHECK;

/* Accounts for demonstrations (docs/DEMO.md); those that are there stay as they are. */
enum status auth_seed_demo(struct ctx *ctx, struct service *service) MUST_CHECK;

#endif
