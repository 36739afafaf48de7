/* The token (RFC 8292) is for one push service and half a day: it is kept, for the few services
 * that there are. Whoever has just answered at once may be asked by everybody; the others by a
 * few, so that a slow one holds up its own pushes only. */
#include "customer-service/notify/push_services.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/crypto/crypto.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    ORIGIN_SIZE = 128,
    TOKEN_SIZE = 640,
    TOKEN_LIFE_MS = 12 * 60 * 60 * 1000,
    TOKEN_KEPT_MS = TOKEN_LIFE_MS / 2,
    TOKEN_YOUNG_MS = 60 * 1000,
    QUICK_MS = 500,
};

struct service {
    char origin[ORIGIN_SIZE]; /* "https://push.example.net" */
    char token[TOKEN_SIZE];
    int64_t signed_ms;     /* wall clock, as the token's own time; 0: there is none */
    int64_t not_before_ms; /* monotonic, as what follows; 0: never */
    int calls;             /* that wait for it: such a one keeps its place */
    bool was_quick;        /* with its last answer */
    int64_t quick_ms;      /* when, or since when it is asked at all */
    int64_t used_ms;
};

struct push_services {
    const struct p256_key *key;
    const char *subject;
    pthread_mutex_t lock; /* guards what follows */
    struct service list[PUSH_SERVICES];
    int slow_calls;
};

struct push_services *push_services_new(const struct p256_key *key, const char *subject)
{
    struct push_services *services = calloc(1, sizeof(*services));

    if (!services) {
        abort();
    }
    services->key = key;
    services->subject = subject;
    pthread_mutex_init(&services->lock, NULL);
    return services;
}

void push_services_free(struct push_services *services)
{
    if (services) {
        pthread_mutex_destroy(&services->lock);
        free(services);
    }
}

/* ---- which one: with the lock held ---- */

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

static struct service *find(struct push_services *services, const char *endpoint)
{
    char origin[ORIGIN_SIZE];

    for (size_t i = 0; origin_of(endpoint, origin) && i < PUSH_SERVICES; i++) {
        if (text_equal(services->list[i].origin, origin)) {
            return &services->list[i];
        }
    }
    return NULL;
}

/* Rather one that was not quick: who invents services shall not drive out those that people use. */
static bool goes_before(const struct service *one, const struct service *other)
{
    return one->was_quick != other->was_quick ? !one->was_quick : one->used_ms < other->used_ms;
}

/* One that is not known takes the place of another that nobody waits for; NULL: there is none. */
static struct service *find_or_add(struct push_services *services, const char *endpoint)
{
    struct service *found = find(services, endpoint), *victim = NULL;

    for (size_t i = 0; !found && i < PUSH_SERVICES; i++) {
        struct service *one = &services->list[i];

        if (!one->calls && (!victim || goes_before(one, victim))) {
            victim = one;
        }
    }
    if (victim) {
        *victim = (struct service){0};
        origin_of(endpoint, victim->origin);
    }
    return found ? found : victim;
}

/* Also one that was quick, and is now waited for. */
static bool is_slow(const struct service *service, int64_t now_ms)
{
    return !service->was_quick || (service->calls && now_ms - service->quick_ms > QUICK_MS);
}

/* ---- who we are ---- */

/* Judged by the clock that the token's time is of: it stays right when that one is set, or when the
 * machine slept. */
static bool is_younger(int64_t signed_ms, int64_t ms)
{
    int64_t age_ms = clock_wall_ms() - signed_ms;

    return signed_ms && age_ms >= 0 && age_ms < ms;
}

static bool sign_token(struct arena *arena, const struct push_services *services,
                       struct service *service)
{
    static const char head[] = "{\"typ\":\"JWT\",\"alg\":\"ES256\"}";
    struct text claims = text_new(arena, 256);
    uint8_t signature[P256_SIGNATURE_SIZE];
    int64_t now_ms = clock_wall_ms();

    text_add(&claims, "{\"aud\":");
    text_add_json(&claims, service->origin);
    text_printf(&claims, ",\"exp\":%lld,\"sub\":", (long long)((now_ms + TOKEN_LIFE_MS) / 1000));
    text_add_json(&claims, services->subject);
    text_add_char(&claims, '}');
    const char *input = arena_printf(arena, "%s.%s", base64url_encode(arena, head, strlen(head)),
                                     base64url_encode(arena, claims.data, claims.length));
    if (!p256_sign(services->key, input, strlen(input), signature)) {
        return false;
    }
    service->signed_ms = now_ms;
    return text_copy(
        service->token, sizeof(service->token),
        arena_printf(arena, "%s.%s", input, base64url_encode(arena, signature, sizeof(signature))));
}

static const char *authorization(struct arena *arena, const struct push_services *services,
                                 struct service *service)
{
    uint8_t point[P256_POINT_SIZE];

    if (!is_younger(service->signed_ms, TOKEN_KEPT_MS) && !sign_token(arena, services, service)) {
        return NULL;
    }
    p256_public(services->key, point);
    return arena_printf(arena, "authorization: vapid t=%s, k=%s", service->token,
                        base64url_encode(arena, point, sizeof(point)));
}

/* One that was made just now would be refused again: then it is the key that they do not take. */
static bool refuses_token(struct service *service, int64_t shown_ms, int code)
{
    if ((code != 401 && code != 403) || is_younger(shown_ms, TOKEN_YOUNG_MS)) {
        return false;
    }
    if (service->signed_ms == shown_ms) {
        service->signed_ms = 0;
    }
    return true;
}

/* ---- in and out ---- */

/* NULL: come in. With the lock held. */
static const char *why_not(const struct push_services *services, const struct push_visit *visit,
                           const struct service *service, int64_t now_ms)
{
    bool is_there = service && visit->at[service - services->list];

    if (!service) {
        return "other push services are waited for";
    }
    if (now_ms < service->not_before_ms) {
        return "the push service asked to wait";
    }
    if (!is_slow(service, now_ms)) {
        return NULL;
    }
    return (!is_there && service->calls >= SLOW_CALLS_EACH) || visit->slow_pushes >= SLOW_PUSHES ||
                   (!visit->slow_pushes && services->slow_calls >= SLOW_CALLS)
               ? "the push service is slow, and others wait for it"
               : NULL;
}

static void enter(struct push_services *services, struct push_visit *visit, struct service *service,
                  int64_t now_ms)
{
    if (!service->calls) {
        service->quick_ms = now_ms;
    }
    if (is_slow(service, now_ms)) {
        services->slow_calls += !visit->slow_pushes;
        visit->slow_pushes++;
    }
    if (!visit->at[service - services->list]) {
        visit->at[service - services->list] = true;
        visit->signed_ms[service - services->list] = service->signed_ms;
        service->calls++;
    }
    service->used_ms = now_ms;
}

const char *push_services_enter(struct arena *arena, struct push_services *services,
                                struct push_visit *visit, struct push *push)
{
    int64_t now_ms = clock_monotonic_ms();
    const char *line = NULL;
    char origin[ORIGIN_SIZE];

    push->verdict = PUSH_REFUSED;
    push->reason = "no such endpoint";
    if (!origin_of(push->address, origin)) {
        return NULL;
    }
    pthread_mutex_lock(&services->lock);
    struct service *service = find_or_add(services, push->address);
    const char *reason = why_not(services, visit, service, now_ms);
    if (reason) {
        push->verdict = PUSH_LATER;
        push->reason = reason;
    } else if ((line = authorization(arena, services, service))) {
        enter(services, visit, service, now_ms);
    }
    pthread_mutex_unlock(&services->lock);
    return line;
}

/* 429 is about one of its many subscriptions, which waits by itself. */
bool push_services_heard(struct push_services *services, const struct push_visit *visit,
                         const struct push *push, const struct http_multi_answer *answer)
{
    int64_t now_ms = clock_monotonic_ms();
    bool again = false;

    pthread_mutex_lock(&services->lock);
    struct service *service = find(services, push->address);
    if (service) {
        again = refuses_token(service, visit->signed_ms[service - services->list], answer->code);
        service->was_quick = answer->code && now_ms - visit->from_ms <= QUICK_MS;
        service->quick_ms = service->was_quick ? now_ms : service->quick_ms;
    }
    if (service && (answer->code == 503 || answer->timed_out)) {
        service->not_before_ms = now_ms + push_wait_ms(answer->retry_after_s);
    }
    pthread_mutex_unlock(&services->lock);
    return again;
}

void push_services_leave(struct push_services *services, const struct push_visit *visit)
{
    pthread_mutex_lock(&services->lock);
    for (size_t i = 0; i < PUSH_SERVICES; i++) {
        services->list[i].calls -= visit->at[i];
    }
    services->slow_calls -= visit->slow_pushes > 0;
    pthread_mutex_unlock(&services->lock);
}
