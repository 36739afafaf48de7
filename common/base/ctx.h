/* What one unit of work carries down the call chain: its memory, its
 * correlation ids, its deadline, who asked, and why it failed if it did.
 * First parameter of every function that can fail or allocate. A ctx belongs to
 * one thread at a time. */
#ifndef COMMON_BASE_CTX_H
#define COMMON_BASE_CTX_H

#include "common/base/arena.h"
#include "common/base/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { ID_TEXT_SIZE = 37 }; /* a UUID as text, with its NUL */

/* Roles are bits, so that a route can name several. */
enum role {
    ROLE_NOBODY = 0, /* not signed in */
    ROLE_CUSTOMER = 1 << 0,
    ROLE_BARISTA = 1 << 1,
    ROLE_ADMIN = 1 << 2,
    ROLE_DRIVER = 1 << 3,
    ROLE_SYSTEM = 1 << 4, /* another daemon, on its own behalf */
    ROLE_STAFF = ROLE_BARISTA | ROLE_ADMIN,
    ROLE_ANYONE = 1 << 30, /* in a route: no sign-in needed */
};

const char *role_name(enum role role);  /* "customer"; "nobody" when it is none of them */
enum role role_parse(const char *name); /* ROLE_NOBODY when unknown */

/* Who is asking. Made by the gateway from a verified token, or by a daemon. */
struct caller {
    char subject[ID_TEXT_SIZE]; /* customer id; "" when nobody; a daemon's name for ROLE_SYSTEM */
    enum role role;
    char session[ID_TEXT_SIZE];
    char device[65];
    char methods[48];     /* amr: how they signed in, space separated */
    int64_t signed_in_at; /* auth_time, seconds since 1970 */
};

/* One refused field of the input: "items[0].quantity", "must be from 1 to 50". */
struct field_error {
    struct field_error *next;
    const char *field;
    const char *message;
};

struct failure {
    enum status status;
    enum problem problem;
    const char *message; /* one sentence for the client; NULL: the problem's title will do */
    const char *detail;  /* for the log only */
    const char *where;   /* file:line that failed */
    struct field_error *fields;
    int retry_after_s; /* 0: not said */
};

struct ctx {
    struct arena *arena;
    char trace_id[33];               /* W3C trace context: on every log line, RPC and event */
    char span_id[17], parent_id[17]; /* parent: of whoever asked; "" at a trace's root */
    bool sampled;
    char correlation_id[65]; /* what the client called it, else the trace id */
    struct caller caller;
    char client_address[48];     /* of whoever asked the gateway, as it saw it; "": unknown */
    int64_t deadline_ms;         /* monotonic clock; 0: none */
    const char *idempotency_key; /* NULL: none was sent */
    char request_sha256[65];     /* of the request, where there is a key; else "" */
    char if_match[40];           /* the version that the caller saw and may be changed; "": any */
    struct failure failure;
};

/* How long there is left; a large number without a deadline, never below 0. */
int64_t ctx_left_ms(const struct ctx *ctx);

#define FAIL_STR_(x) #x
#define FAIL_STR(x)  FAIL_STR_(x)
#define FAIL_WHERE   __FILE__ ":" FAIL_STR(__LINE__)

/* Records why and hands the status back: return fail_with(ctx, ST_NOT_FOUND, ...).
 * 'message' must be a string literal, safe for the client; what varies goes into the
 * detail, which only the log shows. */
#define fail_with(ctx, st, message, ...) ctx_fail((ctx), (st), "" message, FAIL_WHERE, __VA_ARGS__)

/* The same with a problem that clients can act on, and a sentence that they may
 * read: name no person, table or library in it. */
#define fail_problem(ctx, problem, ...) ctx_fail_problem((ctx), (problem), FAIL_WHERE, __VA_ARGS__)

/* Adds one refused field; ask ctx_refused() once all have been looked at. */
void refuse_field(struct ctx *ctx, const char *field, const char *message, ...)
    __attribute__((format(printf, 3, 4)));

/* ST_INVALID with PROBLEM_INVALID_FIELDS when any field was refused, else ST_OK. */
#define ctx_refused(ctx) ctx_refused_at((ctx), FAIL_WHERE)

enum status ctx_fail(struct ctx *ctx, enum status st, const char *message, const char *where,
                     const char *detail, ...) __attribute__((format(printf, 5, 6)));
enum status ctx_fail_problem(struct ctx *ctx, enum problem problem, const char *where,
                             const char *message, ...) __attribute__((format(printf, 4, 5)));
enum status ctx_refused_at(struct ctx *ctx, const char *where) MUST_CHECK;

/* What failed in 'from' failed in ctx, too: copied, but for refused fields. */
void ctx_take_failure(struct ctx *ctx, const struct ctx *from);

/* Forgets a failure that its caller has dealt with. */
void ctx_forgive(struct ctx *ctx);

/* A new arena and a ctx in it, for work that nobody asked for: an event, a job, a
 * timer. 'daemon' is who acts: its identity is system:<daemon>. ctx_free() ends both. */
struct ctx *ctx_new_system(const char *daemon);
void ctx_free(struct ctx *ctx); /* NULL is fine */

#endif
