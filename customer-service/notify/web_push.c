/* Each message is sealed under a key and salt of its own. Where it may go now, and in whose name,
 * push_services.c says. */
#include "customer-service/notify/web_push.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/crypto/p256.h"
#include "common/crypto/push_seal.h"
#include "customer-service/notify/push_batch.h"
#include "customer-service/notify/push_services.h"

#include <stdlib.h>
#include <string.h>

enum {
    CALL_MS = 3000,
    TOPIC_BYTES = 24, /* 32 characters of base64url, all that a topic may have */
};

struct web_push {
    struct web_push_options options;
    struct p256_key *key;
    struct push_services *services;
    struct http_multi *multi;
};

/* One call of web_push_send(). */
struct sending {
    struct web_push *web;
    struct push_visit visit;
};

struct web_push *web_push_start(const struct web_push_options *options)
{
    struct p256_key *key = p256_key_load(options->key_file);
    struct web_push *web = key ? calloc(1, sizeof(*web)) : NULL;

    if (!key) {
        return NULL;
    }
    if (!web) {
        abort();
    }
    web->options = *options;
    web->key = key;
    web->services = push_services_new(key, web->options.subject);
    web->multi = http_multi_start(&(struct http_multi_options){
        .timeout_ms = CALL_MS,
        .ca_file = *options->ca_file ? options->ca_file : NULL,
        .reach = options->loopback ? HTTP_PUBLIC_OR_LOOPBACK : HTTP_PUBLIC,
    });
    return web;
}

void web_push_stop(struct web_push *web)
{
    if (web) {
        http_multi_stop(web->multi);
        push_services_free(web->services);
        p256_key_free(web->key);
        free(web);
    }
}

const char *web_push_key(struct arena *arena, const struct web_push *web)
{
    uint8_t point[P256_POINT_SIZE];

    p256_public(web->key, point);
    return base64url_encode(arena, point, sizeof(point));
}

/* ---- answers ---- */

/* clang-format off */
static const struct {
    int from, to;
    enum push_verdict verdict;
} answers[] = {
    {200, 299, PUSH_SENT },
    {404, 404, PUSH_GONE },
    {410, 410, PUSH_GONE },
    {429, 429, PUSH_RETRY},
    {500, 599, PUSH_RETRY},
    {0,   0,   PUSH_RETRY}, /* the connection broke, or led where it may not */
};
/* clang-format on */

static void judge(struct ctx *ctx, void *user, struct push *push,
                  const struct http_multi_answer *answer)
{
    const struct sending *sending = user;

    bool again = push_services_heard(sending->web->services, &sending->visit, push, answer);
    push->wait_ms = answer->code == 429 ? push_wait_ms(answer->retry_after_s) : 0;
    push->verdict = again ? PUSH_RETRY : PUSH_REFUSED;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        if (answer->code >= answers[i].from && answer->code <= answers[i].to) {
            push->verdict = answers[i].verdict;
        }
    }
    push->reason = push->verdict == PUSH_SENT ? ""
                   : answer->error            ? arena_strdup(ctx->arena, answer->error)
                                              : arena_printf(ctx->arena, "status %d", answer->code);
}

/* ---- requests ---- */

static bool read_receiver(struct arena *arena, const struct push *push, struct push_receiver *to)
{
    size_t point_size = 0, secret_size = 0;
    const uint8_t *point = base64url_decode(arena, push->p256dh, strlen(push->p256dh), &point_size);
    const uint8_t *secret =
        base64url_decode(arena, push->secret, strlen(push->secret), &secret_size);

    if (!point || point_size != sizeof(to->point) || !secret || secret_size != sizeof(to->secret)) {
        return false;
    }
    memcpy(to->point, point, sizeof(to->point));
    memcpy(to->secret, secret, sizeof(to->secret));
    return true;
}

/* False with push->verdict and reason. */
static bool seal_for(struct arena *arena, struct push *push, struct bytes *sealed)
{
    AUTO(p256_key) struct p256_key *sender = p256_key_make();
    struct bytes plain = {push->payload, strlen(push->payload)};
    uint8_t salt[PUSH_SALT_SIZE], *body = arena_alloc(arena, plain.size + PUSH_SEAL_SIZE);
    struct push_receiver to;

    random_bytes(salt, sizeof(salt));
    push->verdict = PUSH_REFUSED;
    push->reason = "its keys are none";
    if (!sender || !read_receiver(arena, push, &to) || !push_seal(sender, salt, &to, plain, body)) {
        return false;
    }
    *sealed = (struct bytes){body, plain.size + PUSH_SEAL_SIZE};
    return true;
}

/* One message replaces the other with the same topic, while the browser is away. */
static const char *topic_of(struct arena *arena, const char *collapse_id)
{
    uint8_t digest[SHA256_SIZE];

    sha256(collapse_id, strlen(collapse_id), digest);
    return base64url_encode(arena, digest, TOPIC_BYTES);
}

static void fill(struct arena *arena, const char *authorization, struct bytes body,
                 const struct push *push, struct http_multi_call *call)
{
    int64_t left_s = (push->expires_ms - clock_wall_ms()) / 1000;
    const char **line = call->headers;

    *line++ = authorization;
    *line++ = arena_printf(arena, "ttl: %lld", (long long)(left_s > 0 ? left_s : 0));
    *line++ = "urgency: high";
    *line++ = arena_printf(arena, "topic: %s", topic_of(arena, push->collapse_id));
    *line++ = "content-encoding: aes128gcm";
    *line++ = "content-type: application/octet-stream";
    *line = NULL;
    call->url = push->address;
    call->body = body.data;
    call->size = body.size;
}

static void post(void *user, const struct push *push, struct http_multi_call *call)
{
    const struct sending *sending = user;

    (void)push;
    http_multi_post(sending->web->multi, call);
}

void web_push_send(struct ctx *ctx, struct web_push *web, struct push *const *pushes, size_t count)
{
    struct sending sending = {.web = web};
    struct push_batch *batch = push_batch_new(ctx, count, judge, &sending);

    for (size_t i = 0; i < count; i++) {
        const char *authorization =
            push_services_enter(ctx->arena, web->services, &sending.visit, pushes[i]);
        struct bytes body;

        if (authorization && seal_for(ctx->arena, pushes[i], &body)) {
            fill(ctx->arena, authorization, body, pushes[i], push_batch_add(batch, pushes[i]));
        }
    }
    sending.visit.from_ms = clock_monotonic_ms();
    push_batch_send(batch, post);
    push_services_leave(web->services, &sending.visit);
}
