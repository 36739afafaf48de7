/* What Apple wants to see in a request, and what its answers mean. A push whose answer was lost is
 * sent again: apns-id and apns-collapse-id make that one notice. */
#include "customer-service/notify/apns.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/crypto/p256.h"
#include "common/http/http2.h"
#include "customer-service/notify/push_batch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Clocks of replicas differ by less than that. */
enum { TOKEN_YOUNG_MS = 20 * 60 * 1000, SKEW_MS = 5 * 60 * 1000, CALL_MS = 10000 };

struct apns {
    struct apns_options options;
    struct p256_key *key;
    struct http2 *live, *sandbox;
    pthread_mutex_t lock; /* guards what is below */
    struct apns_token token;
    bool was_refused;      /* so that a younger one may be made */
    int64_t not_before_ms; /* monotonic: Apple said so */
};

struct apns *apns_start(const struct apns_options *options)
{
    struct p256_key *key = p256_key_load(options->key_file);
    struct apns *apns = key ? calloc(1, sizeof(*apns)) : NULL;

    if (!key) {
        return NULL;
    }
    if (!apns) {
        abort();
    }
    apns->options = *options;
    apns->key = key;
    pthread_mutex_init(&apns->lock, NULL);
    struct http_multi_options calls = {
        .timeout_ms = CALL_MS,
        .ca_file = *options->ca_file ? options->ca_file : NULL,
    };
    apns->live = http2_start(options->url, &calls);
    apns->sandbox = http2_start(options->sandbox_url, &calls);
    return apns;
}

void apns_stop(struct apns *apns)
{
    if (apns) {
        http2_stop(apns->live);
        http2_stop(apns->sandbox);
        p256_key_free(apns->key);
        pthread_mutex_destroy(&apns->lock);
        free(apns);
    }
}

/* ---- the provider token ---- */

static bool sign_token(struct arena *arena, const struct apns *apns, int64_t now_ms,
                       struct apns_token *token)
{
    struct text head = text_new(arena, 128), claims = text_new(arena, 128);
    uint8_t signature[P256_SIGNATURE_SIZE];

    text_add(&head, "{\"alg\":\"ES256\",\"typ\":\"JWT\",\"kid\":");
    text_add_json(&head, apns->options.key_id);
    text_add(&head, "}");
    text_add(&claims, "{\"iss\":");
    text_add_json(&claims, apns->options.team_id);
    text_printf(&claims, ",\"iat\":%lld}", (long long)(now_ms / 1000));
    const char *input =
        arena_printf(arena, "%s.%s", base64url_encode(arena, head.data, head.length),
                     base64url_encode(arena, claims.data, claims.length));
    if (!p256_sign(apns->key, input, strlen(input), signature)) {
        return false;
    }
    text_copy(
        token->text, sizeof(token->text),
        arena_printf(arena, "%s.%s", input, base64url_encode(arena, signature, sizeof(signature))));
    token->signed_ms = now_ms;
    return true;
}

/* A key that was exchanged under its old name is another maker. */
static const char *maker(struct arena *arena, const struct apns *apns)
{
    uint8_t point[P256_POINT_SIZE];

    p256_public(apns->key, point);
    return arena_printf(arena, "%s.%s.%s", apns->options.team_id, apns->options.key_id,
                        base64url_encode(arena, point, sizeof(point)));
}

static bool is_alive(const struct apns_token *token, int64_t now_ms)
{
    return token->signed_ms && now_ms - token->signed_ms < APNS_TOKEN_LIFE_MS &&
           token->signed_ms - now_ms < SKEW_MS;
}

/* Apple answers 429 to who makes tokens more often than every 20 minutes: all replicas send one,
 * and go on with it after a restart. */
static bool renew_token(struct ctx *ctx, struct apns *apns, int64_t now_ms)
{
    const struct apns_options *options = &apns->options;
    int64_t life_ms = apns->was_refused ? TOKEN_YOUNG_MS : APNS_TOKEN_LIFE_MS;
    struct apns_token token;

    if (!sign_token(ctx->arena, apns, now_ms, &token)) {
        return false;
    }
    if (options->share && options->share(ctx, options->share_user, maker(ctx->arena, apns), life_ms,
                                         &token) != ST_OK) {
        return false;
    }
    apns->token = token;
    apns->was_refused = false;
    return true;
}

const char *apns_provider_token(struct ctx *ctx, struct apns *apns)
{
    int64_t now_ms = clock_wall_ms();

    pthread_mutex_lock(&apns->lock);
    bool is_there = is_alive(&apns->token, now_ms) || renew_token(ctx, apns, now_ms);
    const char *token = is_there ? arena_strdup(ctx->arena, apns->token.text) : NULL;
    pthread_mutex_unlock(&apns->lock);
    return token;
}

static void drop_token(struct apns *apns)
{
    pthread_mutex_lock(&apns->lock);
    if (clock_wall_ms() - apns->token.signed_ms >= TOKEN_YOUNG_MS) {
        apns->token.signed_ms = 0;
        apns->was_refused = true;
    }
    pthread_mutex_unlock(&apns->lock);
}

/* ---- answers ---- */

/* clang-format off */
static const struct {
    const char *reason; /* NULL: whatever it is */
    int code;
    enum push_verdict verdict;
} answers[] = {
    {NULL,                     200, PUSH_SENT},
    {"BadDeviceToken",         400, PUSH_GONE},
    {"DeviceTokenNotForTopic", 400, PUSH_GONE},
    {NULL,                     410, PUSH_GONE},
    {"ExpiredProviderToken",   403, PUSH_RETRY},
    {"InvalidProviderToken",   403, PUSH_RETRY},
    {NULL,                     429, PUSH_RETRY},
    {NULL,                     500, PUSH_RETRY},
    {NULL,                     502, PUSH_RETRY},
    {NULL,                     503, PUSH_RETRY},
    {NULL,                     0,   PUSH_RETRY}, /* the connection broke */
};
/* clang-format on */

static enum push_verdict verdict_of(int code, const char *reason)
{
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        if (answers[i].code == code &&
            (!answers[i].reason || text_equal(answers[i].reason, reason))) {
            return answers[i].verdict;
        }
    }
    return PUSH_REFUSED;
}

/* Of {"reason":"Unregistered",...}: Apple's reasons are plain words. */
static const char *reason_in(struct arena *arena, const char *body)
{
    static const char name[] = "\"reason\":";
    const char *at = strstr(body, name);

    if (!at) {
        return "";
    }
    at += strlen(name);
    at += strspn(at, " \"");
    return arena_printf(arena, "%.*s", (int)strcspn(at, "\""), at);
}

/* 503 is of Apple's whole service, and one 429 of ours: how often we make tokens. Any other 429 is
 * of one device, whose next push waits. */
static void heed_retry_after(struct apns *apns, struct push *push,
                             const struct http_multi_answer *answer)
{
    bool is_of_all = answer->code == 503 || text_equal(push->reason, "TooManyProviderTokenUpdates");
    int64_t wait_ms = push_wait_ms(answer->retry_after_s);
    int64_t until_ms = clock_monotonic_ms() + wait_ms;

    push->wait_ms = answer->code == 429 && !is_of_all ? wait_ms : 0;
    if (is_of_all) {
        pthread_mutex_lock(&apns->lock);
        apns->not_before_ms = until_ms > apns->not_before_ms ? until_ms : apns->not_before_ms;
        pthread_mutex_unlock(&apns->lock);
    }
}

static void judge(struct ctx *ctx, void *service, struct push *push,
                  const struct http_multi_answer *answer)
{
    struct apns *apns = service;

    if (answer->code == 403) {
        drop_token(apns);
    }
    push->reason = answer->error ? arena_strdup(ctx->arena, answer->error)
                                 : reason_in(ctx->arena, answer->body);
    push->verdict = verdict_of(answer->code, push->reason);
    heed_retry_after(apns, push, answer);
}

/* ---- requests ---- */

static void fill(struct arena *arena, const struct apns *apns, const char *authorization,
                 const struct push *push, struct http_multi_call *call)
{
    static const char *const types[] = {[PUSH_ALERT] = "apns-push-type: alert",
                                        [PUSH_BACKGROUND] = "apns-push-type: background",
                                        [PUSH_LIVE_ACTIVITY] = "apns-push-type: liveactivity"};
    const char **line = call->headers;

    *line++ = authorization;
    *line++ = types[push->kind];
    *line++ = arena_printf(arena, "apns-topic: %s%s", apns->options.topic,
                           push->kind == PUSH_LIVE_ACTIVITY ? ".push-type.liveactivity" : "");
    if (push->kind == PUSH_BACKGROUND) {
        *line++ = "apns-priority: 5"; /* 10 is what it is when nothing is said */
    }
    call->shared = (int)(line - call->headers);
    *line++ = arena_printf(arena, "apns-expiration: %lld", (long long)(push->expires_ms / 1000));
    *line++ = arena_printf(arena, "apns-id: %s", push->id);
    *line++ = arena_printf(arena, "apns-collapse-id: %.*s", APNS_COLLAPSE_MAX, push->collapse_id);
    *line = NULL;
    call->url = arena_printf(arena, "/3/device/%s", push->address);
    call->body = push->payload;
    call->size = strlen(push->payload);
}

static void post(void *service, const struct push *push, struct http_multi_call *call)
{
    const struct apns *apns = service;

    http2_post(push->sandbox ? apns->sandbox : apns->live, call);
}

static bool must_wait(struct apns *apns)
{
    pthread_mutex_lock(&apns->lock);
    bool waiting = clock_monotonic_ms() < apns->not_before_ms;
    pthread_mutex_unlock(&apns->lock);
    return waiting;
}

static void make_all_wait(struct push *const *pushes, size_t count, const char *why)
{
    for (size_t i = 0; i < count; i++) {
        pushes[i]->verdict = PUSH_LATER;
        pushes[i]->reason = why;
    }
}

void apns_send(struct ctx *ctx, struct apns *apns, struct push *const *pushes, size_t count)
{
    if (must_wait(apns)) {
        make_all_wait(pushes, count, "Apple asked to wait");
        return;
    }
    const char *token = apns_provider_token(ctx, apns);
    if (!token) {
        make_all_wait(pushes, count, "no provider token now");
        return;
    }
    struct push_batch *batch = push_batch_new(ctx, count, judge, apns);
    const char *authorization = arena_printf(ctx->arena, "authorization: bearer %s", token);
    for (size_t i = 0; i < count; i++) {
        pushes[i]->verdict = PUSH_REFUSED;
        pushes[i]->reason = "PayloadTooLarge";
        if (strlen(pushes[i]->payload) <= APNS_PAYLOAD_MAX) {
            fill(ctx->arena, apns, authorization, pushes[i], push_batch_add(batch, pushes[i]));
        }
    }
    push_batch_send(batch, post);
}
