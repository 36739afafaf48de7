/* The provider over HTTP: JSON out and in, a key on every POST, and a breaker in front. */
#include "order-service/payment/payment_provider.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/http/http_client.h"
#include "common/json/members.h"
#include "common/obs/trace.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    FAILURES_TO_BREAK = 4,
    BREAK_MS = 1000,
    FAIR_MS = 1000, /* enough for any answer */
    UP_MS = 300,
    SLOW_MS = 300,
    RETRY_AFTER_S = 2,
    PAGE = 100,
    DECLINED = 402
};

const char *const PROVIDER_ALREADY_CAPTURED = "already_captured";
static const char *const MISMATCH = "idempotency_mismatch";

struct idle { /* a client belongs to one thread at a time: who asks takes one, or makes one */
    struct idle *next;
    struct http_client *client;
};

struct payment_provider {
    char *url;
    int timeout_ms, at_once;
    pthread_mutex_t lock; /* guards all below */
    struct idle *idle;
    int failures;         /* in a row */
    int64_t broken_until; /* monotonic; one probe goes out after it */
    int authorizing;      /* under way */
    int64_t heard_ms;     /* monotonic: when the last was answered, or the first of these asked */
    int64_t took_ms;      /* the last one */
};

struct payment_provider *payment_provider_new(const char *url, int timeout_ms, int at_once)
{
    if (!*url) {
        return NULL;
    }
    struct payment_provider *provider = calloc(1, sizeof(*provider));

    if (!provider || !(provider->url = strdup(url))) {
        abort();
    }
    provider->url[strlen(url) - (url[strlen(url) - 1] == '/' ? 1 : 0)] = '\0';
    provider->timeout_ms = timeout_ms;
    provider->at_once = at_once;
    pthread_mutex_init(&provider->lock, NULL);
    return provider;
}

void payment_provider_free(struct payment_provider *provider)
{
    if (!provider) {
        return;
    }
    while (provider->idle) {
        struct idle *idle = provider->idle;

        provider->idle = idle->next;
        http_client_free(idle->client);
        free(idle);
    }
    pthread_mutex_destroy(&provider->lock);
    free(provider->url);
    free(provider);
}

/* ---- clients and the breaker ---- */

static struct idle *take_client(struct payment_provider *provider)
{
    pthread_mutex_lock(&provider->lock);
    struct idle *idle = provider->idle;
    if (idle) {
        provider->idle = idle->next;
    }
    pthread_mutex_unlock(&provider->lock);
    if (!idle) {
        idle = calloc(1, sizeof(*idle));
        if (!idle) {
            abort();
        }
        idle->client = http_client_new(&(struct http_client_options){
            .connect_timeout_ms = provider->timeout_ms, .timeout_ms = provider->timeout_ms});
    }
    return idle;
}

static void give_client_back(struct payment_provider *provider, struct idle *idle)
{
    pthread_mutex_lock(&provider->lock);
    idle->next = provider->idle;
    provider->idle = idle;
    pthread_mutex_unlock(&provider->lock);
}

static bool may_ask(struct payment_provider *provider)
{
    int64_t now = clock_monotonic_ms();

    pthread_mutex_lock(&provider->lock);
    bool broken = provider->failures >= FAILURES_TO_BREAK;
    bool may = !broken || now >= provider->broken_until;
    if (broken && may) {
        provider->broken_until = now + BREAK_MS + provider->timeout_ms; /* this one is the probe */
    }
    pthread_mutex_unlock(&provider->lock);
    return may;
}

/* Where our own time was nearly over one cannot say that the provider failed. */
static void note_outcome(struct payment_provider *provider, bool good, bool had_time)
{
    pthread_mutex_lock(&provider->lock);
    provider->failures = good ? 0 : provider->failures + (had_time ? 1 : 0);
    provider->broken_until = clock_monotonic_ms() + BREAK_MS;
    pthread_mutex_unlock(&provider->lock);
}

/* Each authorisation holds one of the daemon's workers. A quick provider may have them all, a slow
 * one leaves room for calls that do not need it. */
static bool begin_authorizing(struct payment_provider *provider, int64_t now)
{
    pthread_mutex_lock(&provider->lock);
    if (provider->authorizing == 0) {
        provider->heard_ms = now;
    }
    bool slow = provider->took_ms >= SLOW_MS || now - provider->heard_ms >= SLOW_MS;
    bool may = !slow || provider->authorizing < provider->at_once;
    provider->authorizing += may ? 1 : 0;
    pthread_mutex_unlock(&provider->lock);
    return may;
}

static void end_authorizing(struct payment_provider *provider, int64_t begun)
{
    pthread_mutex_lock(&provider->lock);
    provider->authorizing--;
    provider->heard_ms = clock_monotonic_ms();
    provider->took_ms = provider->heard_ms - begun;
    pthread_mutex_unlock(&provider->lock);
}

static enum status away(struct ctx *ctx, const char *detail)
{
    enum status st =
        fail_with(ctx, ST_UNAVAILABLE,
                  "The payment provider does not answer just now; please try again.", "%s", detail);
    ctx->failure.retry_after_s = RETRY_AFTER_S;
    return st;
}

/* ---- a call ---- */

struct exchange {
    const char *method, *path, *key, *body; /* key and body NULL for a GET */
    struct http_answer answer;
    bool replayed;
};

static enum status call(struct ctx *ctx, struct payment_provider *provider,
                        struct exchange *exchange)
{
    struct idle *idle = take_client(provider);
    char traceparent[TRACEPARENT_SIZE];
    const char *headers[4] = {NULL};
    size_t count = 0;

    trace_traceparent(ctx, traceparent);
    if (*traceparent) {
        headers[count++] = arena_printf(ctx->arena, "traceparent: %s", traceparent);
    }
    if (exchange->key) {
        headers[count++] = arena_printf(ctx->arena, "Idempotency-Key: %s", exchange->key);
        headers[count++] = "Content-Type: application/json";
    }
    const struct http_call wanted = {
        .method = exchange->method,
        .url = arena_printf(ctx->arena, "%s%s", provider->url, exchange->path),
        .headers = headers,
        .body = exchange->body,
        .size = exchange->body ? strlen(exchange->body) : 0,
    };
    enum status st = http_client_call(ctx, idle->client, &wanted, &exchange->answer);
    if (st == ST_OK) {
        const char *replayed = http_client_header(ctx, idle->client, "Idempotent-Replayed");

        exchange->replayed = replayed && strcmp(replayed, "true") == 0;
    }
    give_client_back(provider, idle);
    return st;
}

/* 4xx is an answer; 401, 403 and 429 say nothing of the payment. */
static bool is_answer(int code)
{
    return code >= 200 && code < 500 && code != 401 && code != 403 && code != 408 && code != 429;
}

static enum status exchange_with(struct ctx *ctx, struct payment_provider *provider,
                                 struct exchange *exchange)
{
    if (!may_ask(provider)) {
        return away(ctx, "payment provider: it failed a few times in a row, not asked");
    }
    int64_t given_ms = ctx_left_ms(ctx);
    enum status st = call(ctx, provider, exchange);
    bool good = st == ST_OK && is_answer(exchange->answer.code);
    note_outcome(provider, good, ctx_left_ms(ctx) > 0 || given_ms >= FAIR_MS);
    if (good) {
        return ST_OK;
    }
    const char *detail = st == ST_OK
                             ? arena_printf(ctx->arena, "payment provider: %s %s: %d",
                                            exchange->method, exchange->path, exchange->answer.code)
                             : ctx->failure.detail;
    return away(ctx, detail ? detail : "");
}

/* ---- reading ---- */

static enum status read_hold(struct scan *scan, struct provider_hold *hold)
{
    const char *state = "";
    const struct member members[] = {
        {"id",                     .text = &hold->id},
        {"currency",                        .text = &hold->currency},
        {"state",.text = &state},
        {"amountCents",                  .number = &hold->amount_cents},
        {0                       },
    };

    *hold = (struct provider_hold){.id = "", .currency = ""};
    TRY(members_scan(scan, members));
    hold->is_open = strcmp(state, "authorized") == 0;
    return ST_OK;
}

static enum status read_one(struct ctx *ctx, const struct exchange *exchange,
                            struct provider_hold *hold)
{
    struct scan scan = scan_begin(ctx, exchange->answer.body, exchange->answer.size);

    if (read_hold(&scan, hold) != ST_OK || !*hold->id) {
        return away(ctx, "payment provider: its answer cannot be read");
    }
    return ST_OK;
}

static enum status read_refusal(struct ctx *ctx, const struct exchange *exchange,
                                const char **refusal)
{
    const char *code = "";
    const struct member error[] = {
        {"code", .text = &code},
        {0     }
    };
    const struct member whole[] = {
        {"error", .inner = error},
        {0      }
    };

    if (members_read(ctx, exchange->answer.body, exchange->answer.size, whole) != ST_OK || !*code) {
        return away(ctx, "payment provider: its refusal cannot be read");
    }
    *refusal = code;
    return ST_OK;
}

/* An authorisation was refused, and not because of the customer. Asking again helps but where the
 * key is the trouble. */
static enum status misunderstood(struct ctx *ctx, const struct exchange *exchange, const char *code)
{
    if (strcmp(code, MISMATCH) == 0) {
        return fail_problem(ctx, PROBLEM_IDEMPOTENCY_MISMATCH,
                            "This Idempotency-Key was used for another request; take a new one.");
    }
    return away(ctx, arena_printf(ctx->arena, "payment provider: does not understand us: %d %s",
                                  exchange->answer.code, code));
}

/* ---- what others call ---- */

static const struct {
    const char *path; /* %s: the hold */
    bool has_body;
} acts[] = {
    [PROVIDER_AUTHORIZE] = {"/authorizations",            true },
    [PROVIDER_CAPTURE] = {"/authorizations/%s/capture", false},
    [PROVIDER_VOID] = {"/authorizations/%s/void",    false},
    [PROVIDER_REFUND] = {"/refunds",                   true },
};

static const char *path_of(struct ctx *ctx, const struct provider_request *request)
{
    const char *path = acts[request->act].path, *hold = strstr(path, "%s");

    return hold ? arena_printf(ctx->arena, "%.*s%s%s", (int)(hold - path), path, request->hold_id,
                               hold + 2)
                : path;
}

static const char *body_of(struct ctx *ctx, const struct provider_request *request)
{
    struct text body = text_new(ctx->arena, 128);

    if (!acts[request->act].has_body) {
        return "{}";
    }
    text_printf(&body, "{\"amountCents\":%lld,", (long long)request->amount_cents);
    if (request->act == PROVIDER_REFUND) {
        text_add(&body, "\"authorization\":");
        text_add_json(&body, request->hold_id);
    } else {
        text_add(&body, "\"currency\":");
        text_add_json(&body, request->currency);
        text_add(&body, ",\"customer\":");
        text_add_json(&body, request->customer);
    }
    text_add_char(&body, '}');
    return body.data;
}

static enum status ask(struct ctx *ctx, struct payment_provider *provider,
                       const struct provider_request *request, struct provider_answer *answer)
{
    struct exchange exchange = {.method = "POST",
                                .path = path_of(ctx, request),
                                .key = request->key,
                                .body = body_of(ctx, request)};

    *answer = (struct provider_answer){.refusal = ""};
    TRY(exchange_with(ctx, provider, &exchange));
    answer->replayed = exchange.replayed;
    if (exchange.answer.code < 300) {
        return read_one(ctx, &exchange, &answer->hold);
    }
    TRY(read_refusal(ctx, &exchange, &answer->refusal));
    return request->act == PROVIDER_AUTHORIZE && exchange.answer.code != DECLINED
               ? misunderstood(ctx, &exchange, answer->refusal)
               : ST_OK;
}

enum status payment_provider_ask(struct ctx *ctx, struct payment_provider *provider,
                                 const struct provider_request *request,
                                 struct provider_answer *answer)
{
    int64_t now = clock_monotonic_ms();

    if (request->act != PROVIDER_AUTHORIZE) {
        return ask(ctx, provider, request, answer);
    }
    if (!begin_authorizing(provider, now)) {
        return away(ctx, "payment provider: slow, and enough are waiting for it");
    }
    enum status st = ask(ctx, provider, request, answer);
    end_authorizing(provider, now);
    return st;
}

enum status payment_provider_look(struct ctx *ctx, struct payment_provider *provider,
                                  const char *hold_id, struct provider_hold *hold)
{
    struct exchange exchange = {.method = "GET",
                                .path = arena_printf(ctx->arena, "/authorizations/%s", hold_id)};

    TRY(exchange_with(ctx, provider, &exchange));
    return read_one(ctx, &exchange, hold);
}

struct hold_list {
    struct provider_hold holds[PAGE];
    size_t count;
};

static enum status add_hold(struct scan *scan, void *user)
{
    struct hold_list *list = user;

    if (list->count == PAGE) {
        return scan_skip(scan);
    }
    return read_hold(scan, &list->holds[list->count++]);
}

enum status payment_provider_open_holds(struct ctx *ctx, struct payment_provider *provider,
                                        int64_t before_ms, const char *after,
                                        struct provider_page *page)
{
    struct exchange exchange = {
        .method = "GET",
        .path =
            arena_printf(ctx->arena, "/authorizations?state=authorized&before=%lld&limit=%d%s%s",
                         (long long)before_ms, PAGE, after ? "&after=" : "", after ? after : "")};
    struct hold_list *list = arena_new_struct(ctx->arena, struct hold_list);
    const struct member members[] = {
        {"authorizations", .list = add_hold, .user = list},
        {0   }
    };

    TRY(exchange_with(ctx, provider, &exchange));
    if (exchange.answer.code != 200) {
        return fail_with(ctx, ST_CONFLICT, "", "payment provider: %s: %d", exchange.path,
                         exchange.answer.code);
    }
    if (members_read(ctx, exchange.answer.body, exchange.answer.size, members) != ST_OK) {
        return away(ctx, "payment provider: its list cannot be read");
    }
    *page = (struct provider_page){
        .holds = list->holds, .count = list->count, .more = list->count == PAGE};
    return ST_OK;
}

bool payment_provider_is_up(struct payment_provider *provider)
{
    if (!provider) {
        return true;
    }
    struct ctx *ctx = ctx_new_system("order-service");
    struct exchange exchange = {.method = "GET", .path = "/healthz"};

    ctx->deadline_ms = clock_monotonic_ms() + UP_MS;
    bool up = call(ctx, provider, &exchange) == ST_OK && exchange.answer.code == 200;
    ctx_free(ctx);
    return up;
}
