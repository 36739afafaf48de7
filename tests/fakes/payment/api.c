/* From a request to an act or a look at the books, and what faults make of the answer. */
#include "tests/fakes/payment/api.h"

#include "common/crypto/crypto.h"
#include "common/json/members.h"
#include "tests/fakes/payment/faults.h"
#include "tests/fakes/payment/later.h"
#include "tests/fakes/payment/ledger.h"

#include <stdlib.h>
#include <string.h>

enum { NEVER_MS = 600000, PAGE_MOST = 100, KEY_MOST = 255 };

struct route {
    const char *method, *prefix, *suffix; /* between the two: an id without a slash */
    bool has_id;
    void (*handle)(struct ctx *ctx, struct http_request *request, struct provider *provider,
                   const char *id);
};

static void reply(struct http_request *request, int code, const char *body)
{
    http_reply(request,
               &(struct http_reply){
                   .code = code, .type = "application/json", .body = body, .size = strlen(body)});
}

static void refuse(struct ctx *ctx, struct http_request *request, int code, const char *why)
{
    reply(request, code, arena_printf(ctx->arena, "{\"error\":{\"code\":\"%s\"}}", why));
}

/* ---- acts ---- */

static const char *digest_of(struct ctx *ctx, const struct http_request *request)
{
    uint8_t digest[SHA256_SIZE];
    char *hex = arena_alloc(ctx->arena, 2 * sizeof(digest) + 1);
    size_t size;
    const char *body = http_body(request, &size);
    struct text all = text_new(ctx->arena, 256);

    text_printf(&all, "%s\n", http_path(request));
    text_add_bytes(&all, body ? body : "", size);
    sha256(all.data, all.length, digest);
    hex_encode(digest, sizeof(digest), hex);
    return hex;
}

/* What the fault leaves of the answer. */
static void answer_through(struct http_request *request, struct provider *provider,
                           const struct ledger_answer *answer, const struct fault_rule *rule)
{
    bool silent = rule->fault == FAULT_SILENT;

    if (answer->replayed) {
        http_reply_header(request, "Idempotent-Replayed", "true");
    }
    if (rule->fault == FAULT_CUT) {
        http_hang_up(request);
    } else if (rule->fault == FAULT_ERROR) {
        reply(request, 500, "{\"error\":{\"code\":\"internal\"}}");
    } else if (silent || rule->fault == FAULT_SLOW) {
        later_reply(provider->later, request, silent ? NEVER_MS : rule->delay_ms,
                    silent ? 0 : answer->http, answer->body);
    } else {
        reply(request, answer->http, answer->body);
    }
}

static void act(struct ctx *ctx, struct http_request *request, struct provider *provider,
                struct ledger_request *wanted)
{
    struct fault_rule rule = faults_roll(provider->faults, wanted->act);
    struct ledger_answer answer;

    wanted->key = http_header(request, "Idempotency-Key");
    if (!wanted->key || !*wanted->key || strlen(wanted->key) > KEY_MOST) {
        refuse(ctx, request, 400, "idempotency_key");
    } else if (rule.fault == FAULT_AWAY) {
        http_hang_up(request);
    } else if (rule.fault == FAULT_UNAVAILABLE) {
        refuse(ctx, request, 503, "unavailable");
    } else {
        wanted->digest = digest_of(ctx, request);
        wanted->decline = rule.fault == FAULT_DECLINE;
        ledger_do(ctx, provider->ledger, wanted, &answer);
        answer_through(request, provider, &answer, &rule);
    }
}

static bool read_body(struct ctx *ctx, struct http_request *request, const struct member *members)
{
    size_t size;
    const char *body = http_body(request, &size);

    if (members_read(ctx, body ? body : "", size, members) == ST_OK) {
        return true;
    }
    refuse(ctx, request, 400, "not_json");
    return false;
}

static void authorize(struct ctx *ctx, struct http_request *request, struct provider *provider,
                      const char *id)
{
    struct ledger_request wanted = {
        .act = ACT_AUTHORIZE, .hold_id = "", .currency = "", .customer = "", .cents = -1};
    const struct member members[] = {
        {"amountCents",             .number = &wanted.cents},
        {"currency",                         .text = &wanted.currency},
        {"customer",.text = &wanted.customer},
        {0               }
    };

    (void)id;
    if (!read_body(ctx, request, members)) {
        return;
    }
    if (strlen(wanted.currency) != 3) {
        refuse(ctx, request, 422, "currency");
        return;
    }
    act(ctx, request, provider, &wanted);
}

static void refund(struct ctx *ctx, struct http_request *request, struct provider *provider,
                   const char *id)
{
    struct ledger_request wanted = {
        .act = ACT_REFUND, .hold_id = "", .currency = "", .customer = "", .cents = -1};
    const struct member members[] = {
        {"authorization",          .text = &wanted.hold_id},
        {"amountCents",                        .number = &wanted.cents},
        {0}
    };

    (void)id;
    if (read_body(ctx, request, members)) {
        act(ctx, request, provider, &wanted);
    }
}

static void act_on(struct ctx *ctx, struct http_request *request, struct provider *provider,
                   enum act what, const char *id)
{
    act(ctx, request, provider,
        &(struct ledger_request){.act = what, .hold_id = id, .currency = "", .customer = ""});
}

static void capture(struct ctx *ctx, struct http_request *request, struct provider *provider,
                    const char *id)
{
    act_on(ctx, request, provider, ACT_CAPTURE, id);
}

static void void_hold(struct ctx *ctx, struct http_request *request, struct provider *provider,
                      const char *id)
{
    act_on(ctx, request, provider, ACT_VOID, id);
}

/* ---- looking ---- */

static void show(struct ctx *ctx, struct http_request *request, struct provider *provider,
                 const char *id)
{
    struct text out = text_new(ctx->arena, 256);

    if (ledger_show(provider->ledger, id, &out)) {
        reply(request, 200, out.data);
    } else {
        refuse(ctx, request, 404, "no_such_hold");
    }
}

struct listing {
    struct ctx *ctx;
    struct ledger_filter filter;
    int64_t limit;
    bool good;
};

static bool read_parameter(const char *name, const char *value, void *user)
{
    struct listing *listing = user;
    char *copy = arena_strdup(listing->ctx->arena, value);

    if (strcmp(name, "state") == 0) {
        listing->filter.state = copy;
    } else if (strcmp(name, "after") == 0) {
        listing->filter.after = copy;
    } else if (strcmp(name, "before") == 0) {
        listing->good = text_parse_int(value, 1, INT64_MAX, &listing->filter.before_ms);
    } else if (strcmp(name, "limit") == 0) {
        listing->good = text_parse_int(value, 1, PAGE_MOST, &listing->limit);
    } else {
        listing->good = false;
    }
    return listing->good;
}

static void list(struct ctx *ctx, struct http_request *request, struct provider *provider,
                 const char *id)
{
    struct listing listing = {.ctx = ctx, .limit = PAGE_MOST, .good = true};
    struct text out = text_new(ctx->arena, 4096);

    (void)id;
    http_query(request, read_parameter, &listing);
    if (!listing.good) {
        refuse(ctx, request, 400, "parameter");
        return;
    }
    listing.filter.limit = (size_t)listing.limit;
    ledger_list(provider->ledger, &listing.filter, &out);
    reply(request, 200, out.data);
}

static void sum(struct ctx *ctx, struct http_request *request, struct provider *provider,
                const char *id)
{
    struct text out = text_new(ctx->arena, 256);

    (void)id;
    ledger_sum(provider->ledger, &out);
    reply(request, 200, out.data);
}

static void health(struct ctx *ctx, struct http_request *request, struct provider *provider,
                   const char *id)
{
    (void)ctx;
    (void)provider;
    (void)id;
    reply(request, 200, "{\"status\":\"ok\"}");
}

static void set_faults(struct ctx *ctx, struct http_request *request, struct provider *provider,
                       const char *id)
{
    const char *rules = "";
    int64_t clear = 0;
    const struct member members[] = {
        {"rules",           .text = &rules},
        {"clear",                 .number = &clear},
        {0}
    };

    (void)id;
    if (!read_body(ctx, request, members)) {
        return;
    }
    if (clear) {
        faults_clear(provider->faults);
    }
    if (faults_add_all(provider->faults, rules)) {
        http_reply(request, &(struct http_reply){.code = 204});
    } else {
        refuse(ctx, request, 422, "rules");
    }
}

/* ---- routes ---- */

static const struct route routes[] = {
    {"POST", "/authorizations",  "",         false, authorize },
    {"POST", "/authorizations/", "/capture", true,  capture   },
    {"POST", "/authorizations/", "/void",    true,  void_hold },
    {"POST", "/refunds",         "",         false, refund    },
    {"GET",  "/authorizations",  "",         false, list      },
    {"GET",  "/authorizations/", "",         true,  show      },
    {"GET",  "/ledger",          "",         false, sum       },
    {"GET",  "/healthz",         "",         false, health    },
    {"POST", "/faults",          "",         false, set_faults},
};

static bool fits(struct ctx *ctx, const struct route *route, const char *path, const char **id)
{
    size_t before = strlen(route->prefix), after = strlen(route->suffix), length = strlen(path);

    if (length < before + after || strncmp(path, route->prefix, before) != 0 ||
        strcmp(path + length - after, route->suffix) != 0) {
        return false;
    }
    char *between = arena_strdup(ctx->arena, path + before);
    between[length - before - after] = '\0';
    *id = between;
    return route->has_id ? *between && !strchr(between, '/') : !*between;
}

void api_handle(struct ctx *ctx, struct http_request *request, void *user)
{
    if (http_refused(request) != PROBLEM_NONE) {
        refuse(ctx, request, 400, "not_http");
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        const char *id;

        if (strcmp(routes[i].method, http_method(request)) == 0 &&
            fits(ctx, &routes[i], http_path(request), &id)) {
            routes[i].handle(ctx, request, user, id);
            return;
        }
    }
    refuse(ctx, request, 404, "no_such_route");
}
