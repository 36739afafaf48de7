/* One truth for the whole server; whoever watches is told of each change. */
#include "common/rpc/rpc_health.h"

#include "common/rpc/rpc_wire.h"

#include "grpc/health/v1/health.pb-c.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

typedef Grpc__Health__V1__HealthCheckRequest health_request;
typedef Grpc__Health__V1__HealthCheckResponse health_response;

#define SERVING     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
#define NOT_SERVING GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING
#define UNKNOWN     GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN

struct watcher {
    struct watcher *next;
    struct rpc_stream *stream; /* its own reference ends with closed() */
};

struct rpc_health {
    const struct rpc_service *services;
    pthread_mutex_t lock; /* guards what follows */
    bool serving;
    struct watcher *watchers;
};

struct rpc_health *rpc_health_new(const struct rpc_service *services, bool serving)
{
    struct rpc_health *health = rpc_alloc(sizeof(*health));

    health->services = services;
    health->serving = serving;
    pthread_mutex_init(&health->lock, NULL);
    return health;
}

void rpc_health_free(struct rpc_health *health)
{
    if (health) {
        pthread_mutex_destroy(&health->lock);
        free(health);
    }
}

static bool is_ours(const struct rpc_health *health, const char *name)
{
    bool found = *name == '\0';

    for (const struct rpc_service *s = health->services; s->descriptor && !found; s++) {
        found = strcmp(s->descriptor->name, name) == 0;
    }
    return found;
}

static void tell(struct rpc_stream *stream, Grpc__Health__V1__HealthCheckResponse__ServingStatus is)
{
    health_response answer = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;

    answer.status = is;
    rpc_stream_send(stream, &answer.base); /* a watcher that does not read misses it */
}

void rpc_health_set(struct rpc_health *health, bool serving)
{
    pthread_mutex_lock(&health->lock);
    bool changed = health->serving != serving;
    health->serving = serving;
    for (struct watcher *w = health->watchers; w && changed; w = w->next) {
        tell(w->stream, serving ? SERVING : NOT_SERVING);
    }
    pthread_mutex_unlock(&health->lock);
}

static bool is_serving(struct rpc_health *health)
{
    pthread_mutex_lock(&health->lock);
    bool serving = health->serving;
    pthread_mutex_unlock(&health->lock);
    return serving;
}

enum status rpc_health_check(struct ctx *ctx, void *service, const void *in, void *out)
{
    const health_request *request = in;
    health_response *answer = out;

    if (!is_ours(service, request->service)) {
        return fail_with(ctx, ST_NOT_FOUND, "No such service", "%s", request->service);
    }
    answer->status = is_serving(service) ? SERVING : NOT_SERVING;
    return ST_OK;
}

static enum status watch_open(struct ctx *ctx, struct rpc_stream *stream, void *service,
                              const void *in)
{
    struct rpc_health *health = service;
    const health_request *request = in;

    (void)ctx;
    if (!is_ours(health, request->service)) {
        tell(stream, UNKNOWN); /* the protocol wants the stream to stay open */
        return ST_OK;
    }
    struct watcher *watcher = rpc_alloc(sizeof(*watcher));
    watcher->stream = stream;
    rpc_stream_set_user(stream, watcher);
    pthread_mutex_lock(&health->lock);
    watcher->next = health->watchers;
    health->watchers = watcher;
    tell(stream, health->serving ? SERVING : NOT_SERVING);
    pthread_mutex_unlock(&health->lock);
    return ST_OK;
}

static void watch_closed(struct rpc_stream *stream, void *service)
{
    struct rpc_health *health = service;
    struct watcher *watcher = rpc_stream_user(stream);

    pthread_mutex_lock(&health->lock);
    for (struct watcher **w = &health->watchers; watcher && *w; w = &(*w)->next) {
        if (*w == watcher) {
            *w = watcher->next;
            break;
        }
    }
    pthread_mutex_unlock(&health->lock);
    free(watcher);
}

const struct rpc_stream_handler rpc_health_watch = {.open = watch_open, .closed = watch_closed};
