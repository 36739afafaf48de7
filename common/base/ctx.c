/* One unit of work: how it fails, what it may still take, who asked for it. */
#include "common/base/ctx.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"

#include <stdio.h>
#include <string.h>

static const struct {
    enum role role;
    const char *name;
} roles[] = {
    {ROLE_CUSTOMER, "customer"},
    {ROLE_BARISTA,  "barista" },
    {ROLE_ADMIN,    "admin"   },
    {ROLE_DRIVER,   "driver"  },
    {ROLE_SYSTEM,   "system"  },
    {ROLE_ANYONE,   "anyone"  },
};

const char *role_name(enum role role)
{
    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        if (roles[i].role == role) {
            return roles[i].name;
        }
    }
    return "nobody";
}

enum role role_parse(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        if (strcmp(roles[i].name, name) == 0 && roles[i].role != ROLE_ANYONE) {
            return roles[i].role; /* "anyone" describes a route: it is nobody's role */
        }
    }
    return ROLE_NOBODY;
}

int64_t ctx_left_ms(const struct ctx *ctx)
{
    if (!ctx->deadline_ms) {
        return INT32_MAX;
    }
    int64_t left = ctx->deadline_ms - clock_monotonic_ms();
    return left > 0 ? left : 0;
}

enum status ctx_fail(struct ctx *ctx, enum status st, const char *message, const char *where,
                     const char *detail, ...)
{
    va_list ap;
    va_start(ap, detail);
    ctx->failure = (struct failure){
        .status = st,
        .problem = status_problem(st),
        .message = *message ? message : NULL,
        .detail = arena_vprintf(ctx->arena, detail, ap),
        .where = where,
    };
    va_end(ap);
    return st;
}

enum status ctx_fail_problem(struct ctx *ctx, enum problem problem, const char *where,
                             const char *message, ...)
{
    struct field_error *fields = ctx->failure.fields;
    va_list ap;
    va_start(ap, message);
    ctx->failure = (struct failure){
        .status = problem_status(problem),
        .problem = problem,
        .message = arena_vprintf(ctx->arena, message, ap),
        .where = where,
        .fields = fields,
    };
    va_end(ap);
    return ctx->failure.status;
}

void refuse_field(struct ctx *ctx, const char *field, const char *message, ...)
{
    struct field_error **last = &ctx->failure.fields;
    struct field_error *refused = arena_new_struct(ctx->arena, struct field_error);
    va_list ap;

    va_start(ap, message);
    refused->field = arena_strdup(ctx->arena, field);
    refused->message = arena_vprintf(ctx->arena, message, ap);
    va_end(ap);
    while (*last) {
        last = &(*last)->next;
    }
    *last = refused;
}

enum status ctx_refused_at(struct ctx *ctx, const char *where)
{
    const struct field_error *first = ctx->failure.fields;

    if (!first) {
        return ST_OK;
    }
    return ctx_fail_problem(ctx, PROBLEM_INVALID_FIELDS, where, "%s %s", first->field,
                            first->message);
}

static const char *copy_text(struct ctx *ctx, const char *text)
{
    return text ? arena_strdup(ctx->arena, text) : NULL;
}

void ctx_take_failure(struct ctx *ctx, const struct ctx *from)
{
    ctx->failure = from->failure;
    ctx->failure.message = copy_text(ctx, from->failure.message);
    ctx->failure.detail = copy_text(ctx, from->failure.detail);
    ctx->failure.where = copy_text(ctx, from->failure.where);
    ctx->failure.fields = NULL;
}

void ctx_forgive(struct ctx *ctx)
{
    ctx->failure = (struct failure){0};
}

struct ctx *ctx_new_system(const char *daemon)
{
    struct arena *arena = arena_new(4096);
    struct ctx *ctx = arena_new_struct(arena, struct ctx);

    ctx->arena = arena;
    ctx->caller.role = ROLE_SYSTEM;
    text_copy(ctx->caller.subject, sizeof(ctx->caller.subject), daemon);
    return ctx;
}

void ctx_free(struct ctx *ctx)
{
    if (ctx) {
        arena_free(ctx->arena);
    }
}
