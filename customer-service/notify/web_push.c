/* Each message is sealed under a key and salt of its own. The token that says who we are (RFC
 * 8292) is for one push service and half a day: it is kept, as is until when that service has asked
 * us to wait, for the few services that there are. */
#include "customer-service/notify/web_push.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"
#include "common/crypto/p256.h"
#include "common/crypto/push_seal.h"
#include "customer-service/notify/push_batch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    SERVICES = 16,
    ORIGIN_SIZE = 128,
    TOKEN_SIZE = 640,
    TOKEN_LIFE_MS = 12 * 60 * 60 * 1000,
    TOKEN_KEPT_MS = TOKEN_LIFE_MS / 2,
    CALL_MS = 3000,
    DEFAULT_WAIT_S = 1,
    LONGEST_WAIT_S = 600, /* the notices of that time are still news then */
    TOPIC_BYTES = 24,     /* 32 characters of base64url, all that a topic may have */
};

struct service {
    char origin[ORIGIN_SIZE]; /* "https://push.example.net" */
    char token[TOKEN_SIZE];
    int64_t signed_ms, not_before_ms; /* monotonic; 0: never */
};

struct web_push {
    struct web_push_options options;
    struct p256_key *key;
    struct http_multi *multi;
    pthread_mutex_t lock; /* guards the two below */
    struct service services[SERVICES];
    size_t next;
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
    pthread_mutex_init(&web->lock, NULL);
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
        p256_key_free(web->key);
        pthread_mutex_destroy(&web->lock);
        free(web);
    }
}

const char *web_push_key(struct arena *arena, const struct web_push *web)
{
    uint8_t point[P256_POINT_SIZE];

    p256_public(web->key, point);
    return base64url_encode(arena, point, sizeof(point));
}

/* ---- the push services ---- */

/* False when the endpoint is no https address, or its host too long a name. */
static bool origin_of(const char *endpoint, char origin[ORIGIN_SIZE])
{
    static const char scheme[] = "https://";

    if (!text_starts(endpoint, scheme)) {
        return false;
    }
    size_t length = strlen(scheme) + strcspn(endpoint + strlen(scheme), "/?#");
    if (length >= ORIGIN_SIZE) {
        return false;
    }
    memcpy(origin, endpoint, length);
    origin[length] = '\0';
    return true;
}

/* With the lock held. One that is not known takes the place of the one known longest. */
static struct service *service_of(struct web_push *web, const char *origin)
{
    for (size_t i = 0; i < SERVICES; i++) {
        if (text_equal(web->services[i].origin, origin)) {
            return &web->services[i];
        }
    }
    struct service *service = &web->services[web->next++ % SERVICES];
    *service = (struct service){0};
    text_copy(service->origin, sizeof(service->origin), origin);
    return service;
}

static bool sign_token(struct arena *arena, const struct web_push *web, struct service *service)
{
    static const char head[] = "{\"typ\":\"JWT\",\"alg\":\"ES256\"}";
    struct text claims = text_new(arena, 256);
    uint8_t signature[P256_SIGNATURE_SIZE];

    text_add(&claims, "{\"aud\":");
    text_add_json(&claims, service->origin);
    text_printf(&claims,
                ",\"exp\":%lld,\"sub\":", (long long)((clock_wall_ms() + TOKEN_LIFE_MS) / 1000));
    text_add_json(&claims, web->options.subject);
    text_add_char(&claims, '}');
    const char *input = arena_printf(arena, "%s.%s", base64url_encode(arena, head, strlen(head)),
                                     base64url_encode(arena, claims.data, claims.length));
    if (!p256_sign(web->key, input, strlen(input), signature)) {
        return false;
    }
    service->signed_ms = clock_monotonic_ms();
    return text_copy(
        service->token, sizeof(service->token),
        arena_printf(arena, "%s.%s", input, base64url_encode(arena, signature, sizeof(signature))));
}

/* NULL with push->verdict and reason when nothing may go there now. */
static const char *authorize(struct arena *arena, struct web_push *web, struct push *push)
{
    char origin[ORIGIN_SIZE];
    const char *line = NULL;

    push->verdict = PUSH_REFUSED;
    push->reason = "no such endpoint";
    if (!origin_of(push->address, origin)) {
        return NULL;
    }
    pthread_mutex_lock(&web->lock);
    struct service *service = service_of(web, origin);
    int64_t now_ms = clock_monotonic_ms();
    if (now_ms < service->not_before_ms) {
        push->verdict = PUSH_RETRY;
        push->reason = "the push service asked to wait";
    } else if ((service->signed_ms && now_ms - service->signed_ms < TOKEN_KEPT_MS) ||
               sign_token(arena, web, service)) {
        line = arena_printf(arena, "authorization: vapid t=%s, k=%s", service->token,
                            web_push_key(arena, web));
    }
    pthread_mutex_unlock(&web->lock);
    return line;
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

/* Of the whole service: 429 is about one of its many subscriptions, whose notice has a pause of its
 * own. */
static void heed_retry_after(struct web_push *web, const struct push *push,
                             const struct http_multi_answer *answer)
{
    char origin[ORIGIN_SIZE];
    int64_t wait_s = answer->retry_after_s > 0 ? answer->retry_after_s : DEFAULT_WAIT_S;

    wait_s = wait_s < LONGEST_WAIT_S ? wait_s : LONGEST_WAIT_S;
    if ((answer->code == 503 || answer->timed_out) && origin_of(push->address, origin)) {
        pthread_mutex_lock(&web->lock);
        service_of(web, origin)->not_before_ms = clock_monotonic_ms() + wait_s * 1000;
        pthread_mutex_unlock(&web->lock);
    }
}

static void judge(struct ctx *ctx, void *service, struct push *push,
                  const struct http_multi_answer *answer)
{
    heed_retry_after(service, push, answer);
    push->verdict = PUSH_REFUSED;
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

void web_push_send(struct ctx *ctx, struct web_push *web, struct push *const *pushes, size_t count)
{
    struct push_batch *batch = push_batch_new(ctx, count, judge, web);

    for (size_t i = 0; i < count; i++) {
        const char *authorization = authorize(ctx->arena, web, pushes[i]);
        struct bytes body;

        if (authorization && seal_for(ctx->arena, pushes[i], &body)) {
            fill(ctx->arena, authorization, body, pushes[i], push_batch_add(batch, pushes[i]));
        }
    }
    push_batch_send(batch, web->multi);
}
