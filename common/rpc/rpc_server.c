/* The server's life: methods from the tables, one completion queue and thread a core, drain. */
#include "common/rpc/rpc_method.h"

#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/base/tsan.h"
#include "common/obs/log.h"

#include "grpc/health/v1/health.pb-c.h"
#include "grpc/reflection/v1/reflection.pb-c.h"

#include <grpc/grpc_security.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 4, WORKER_QUEUE = 64, SLOW_WORKERS = 1, MAX_INTERNAL = 4 };
enum { QUIET_PAUSES = 25, PAUSE_MS = 10 };

static const struct metric_def duration_def = {
    .kind = METRIC_HISTOGRAM,
    .name = "rpc_server_duration_seconds",
    .help = "Time from a call's arrival to its answer",
    .labels = {"rpc_method", "code"},
};

void rpc_server_joined(struct rpc_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->live++;
    server->expected++;
    pthread_mutex_unlock(&server->lock);
}

void rpc_server_left(struct rpc_server *server)
{
    pthread_mutex_lock(&server->lock);
    server->live--;
    if (server->live == 0) {
        pthread_cond_broadcast(&server->changed);
    }
    pthread_mutex_unlock(&server->lock);
}

static bool refuse_start(const char *why, const char *what)
{
    log_error(NULL, "rpc server cannot start", log_text("why", why), log_text("what", what));
    return false;
}

/* ---- methods from the tables ------------------------------------------------------------- */

/* A raw body comes with a few fields around it. */
static size_t max_request(const struct contract_method *method)
{
    return method->raw_body && method->call.max_body + CONTRACT_MAX_BODY > RPC_MAX_REQUEST
               ? method->call.max_body + CONTRACT_MAX_BODY
               : RPC_MAX_REQUEST;
}

static bool is_slow(const struct rpc_server *server, const struct rpc_handler *handler)
{
    rpc_unary *const *slow = server->options.slow;

    while (slow && *slow && *slow != handler->unary) {
        slow++;
    }
    return slow && *slow;
}

static bool add_method(struct rpc_server *server, const struct rpc_service *service,
                       const struct rpc_handler *handler)
{
    struct rpc_method *method = &server->methods[server->method_count];
    char path[256];

    snprintf(path, sizeof(path), "/%s/%s", service->descriptor->name, handler->method);
    const struct contract_method *known = contract_find(server->options.contract, path);
    if (!known) {
        return refuse_start("a handler has no method in the contract", path);
    }
    bool streams = known->client_streams || known->server_streams;
    bool is_whole = streams ? handler->stream && handler->stream->open &&
                                  (handler->stream->message || !known->client_streams)
                            : handler->unary != NULL;
    if (!is_whole) {
        return refuse_start("a handler is of the wrong kind, or not whole", path);
    }
    *method = (struct rpc_method){
        .server = server,
        .path = known->path,
        .in = known->in,
        .out = known->out,
        .client_streams = known->client_streams,
        .server_streams = known->server_streams,
        .unary = streams ? NULL : handler->unary,
        .stream = streams ? handler->stream : NULL,
        .service = server->options.service,
        .is_probe = known->call.probe,
        .is_slow = is_slow(server, handler),
        .roles = known->call.roles,
        .deadline_ms = known->call.deadline_ms,
        .max_request = max_request(known),
    };
    server->method_count++;
    return true;
}

static bool is_handled(const struct rpc_service *service, const char *name)
{
    for (const struct rpc_handler *h = service->handlers; h->method; h++) {
        if (strcmp(h->method, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool add_service(struct rpc_server *server, const struct rpc_service *service)
{
    for (unsigned i = 0; i < service->descriptor->n_methods; i++) {
        const char *name = service->descriptor->methods[i].name;

        if (!is_handled(service, name)) {
            return refuse_start("a method has no handler", name);
        }
    }
    for (const struct rpc_handler *h = service->handlers; h->method; h++) {
        if (!add_method(server, service, h)) {
            return false;
        }
    }
    return true;
}

static void add_internal(struct rpc_server *server, struct rpc_method method)
{
    method.server = server;
    method.internal = true;
    method.roles = ROLE_ANYONE;
    server->methods[server->method_count++] = method;
}

static void add_health_and_reflection(struct rpc_server *server)
{
    const struct rpc_method health = {
        .in = &grpc__health__v1__health_check_request__descriptor,
        .out = &grpc__health__v1__health_check_response__descriptor,
        .service = server->health,
    };
    struct rpc_method check = health, watch = health;
    struct rpc_method reflection = {
        .in = &grpc__reflection__v1__server_reflection_request__descriptor,
        .out = &grpc__reflection__v1__server_reflection_response__descriptor,
        .client_streams = true,
        .server_streams = true,
        .stream = &rpc_reflection,
        .service = server,
    };

    check.path = "/grpc.health.v1.Health/Check";
    check.unary = rpc_health_check;
    watch.path = "/grpc.health.v1.Health/Watch";
    watch.server_streams = true;
    watch.stream = &rpc_health_watch;
    add_internal(server, check);
    add_internal(server, watch);
    reflection.path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    add_internal(server, reflection);
    reflection.path = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
    add_internal(server, reflection); /* the same messages on the wire */
}

static bool add_methods(struct rpc_server *server)
{
    size_t count = MAX_INTERNAL;

    for (const struct rpc_service *s = server->options.services; s->descriptor; s++) {
        for (const struct rpc_handler *h = s->handlers; h->method; h++) {
            count++;
        }
    }
    server->methods = rpc_alloc(count * sizeof(server->methods[0]));
    for (const struct rpc_service *s = server->options.services; s->descriptor; s++) {
        if (!add_service(server, s)) {
            return false;
        }
    }
    add_health_and_reflection(server);
    return true;
}

/* ---- start ------------------------------------------------------------------------------- */

static grpc_arg number_arg(const char *key, int value)
{
    return (grpc_arg){
        .type = GRPC_ARG_INTEGER, .key = (char *)(uintptr_t)key, .value.integer = value};
}

static int longest_request(const struct rpc_server *server)
{
    size_t longest = RPC_MAX_REQUEST;

    for (size_t i = 0; i < server->method_count; i++) {
        size_t most = server->methods[i].max_request;

        longest = most > longest ? most : longest;
    }
    return (int)longest;
}

static grpc_server *create_core(const struct rpc_server *server)
{
    grpc_arg list[] = {
        number_arg(GRPC_ARG_ALLOW_REUSEPORT, 0), /* a taken port is an error */
        number_arg(GRPC_ARG_MAX_RECEIVE_MESSAGE_LENGTH, longest_request(server)),
        number_arg(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, 5000),
        number_arg(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1),
        number_arg(GRPC_ARG_ENABLE_PER_MESSAGE_COMPRESSION, 0), /* a filter less a call */
        number_arg(GRPC_ARG_HTTP2_BDP_PROBE, 0), /* its pings wake us, and the way is short */
        number_arg(GRPC_ARG_KEEPALIVE_TIME_MS, 60000),
        number_arg(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10000),
    };
    const grpc_channel_args args = {sizeof(list) / sizeof(list[0]), list};

    return grpc_server_create(&args, NULL);
}

static bool listen_at(struct rpc_server *server)
{
    const struct rpc_server_options *o = &server->options;
    grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
    int port = grpc_server_add_http2_port(server->core, o->address, credentials);

    grpc_server_credentials_release(credentials);
    return port || refuse_start("cannot listen there", o->address);
}

static void register_methods(struct rpc_server *server)
{
    for (size_t i = 0; i < server->method_count; i++) {
        struct rpc_method *method = &server->methods[i];

        method->registered = grpc_server_register_method(
            server->core, method->path, NULL,
            method->client_streams ? GRPC_SRM_PAYLOAD_NONE
                                   : GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER,
            0);
    }
}

void rpc_expect(struct rpc_queue *queue, struct rpc_method *method)
{
    if (method->stream) {
        rpc_stream_expect(queue, method);
    } else {
        rpc_unary_expect(queue, method);
    }
}

static void nothing_to_do(grpc_completion_queue_functor *functor, int ok)
{
    (void)functor;
    (void)ok;
}

/* One thread a queue makes all events of one call sequential; one queue a core is what measured
 * best. */
static void create_queues(struct rpc_server *server)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);

    server->ended_is_shut =
        (grpc_completion_queue_functor){.functor_run = nothing_to_do, .inlineable = 1};
    server->ended = grpc_completion_queue_create_for_callback(&server->ended_is_shut, NULL);
    server->queue_count = cores < 1 ? 1 : cores > RPC_QUEUES ? RPC_QUEUES : (int)cores;
    for (int i = 0; i < server->queue_count; i++) {
        server->queues[i].server = server;
        server->queues[i].queue = grpc_completion_queue_create_for_next(NULL);
        grpc_server_register_completion_queue(server->core, server->queues[i].queue, NULL);
    }
}

static bool run(struct rpc_server *server)
{
    const struct rpc_server_options *o = &server->options;

    server->workers = rpc_workers_new(o->workers > 0 ? o->workers : WORKERS,
                                      o->queue > 0 ? o->queue : WORKER_QUEUE);
    server->slow = o->slow ? rpc_workers_new(SLOW_WORKERS, WORKER_QUEUE) : NULL;
    if (!server->workers || (o->slow && !server->slow)) {
        return refuse_start("no thread for a worker", o->daemon);
    }
    grpc_server_start(server->core);
    for (int i = 0; i < server->queue_count; i++) {
        struct rpc_queue *queue = &server->queues[i];

        if (pthread_create(&queue->thread, NULL, rpc_queue_run, queue->queue) != 0) {
            return refuse_start("no thread for a queue", o->daemon);
        }
        server->running++;
        for (size_t j = 0; j < server->method_count; j++) {
            rpc_expect(queue, &server->methods[j]);
        }
        rpc_expect(queue, &server->unknown); /* without it unknown methods would hang */
    }
    return true;
}

/* The drain has a time limit, which a wall clock that is set must not move. */
static void init_lock(struct rpc_server *server)
{
    pthread_mutex_init(&server->lock, NULL);
    cond_init(&server->changed);
}

struct rpc_server *rpc_server_start(const struct rpc_server_options *options)
{
    rpc_init();
    struct rpc_server *server = rpc_alloc(sizeof(*server));

    server->options = *options;
    server->unknown = (struct rpc_method){.server = server, .path = "unknown", .internal = true};
    init_lock(server);
    server->health = rpc_health_new(options->services, !options->unready);
    server->duration = metric_register(&duration_def);
    if (!add_methods(server)) {
        rpc_server_free(server);
        return NULL;
    }
    server->core = create_core(server);
    create_queues(server);
    register_methods(server);
    if (!listen_at(server) || !run(server)) {
        rpc_server_free(server);
        return NULL;
    }
    return server;
}

void rpc_server_set_serving(struct rpc_server *server, bool serving)
{
    rpc_health_set(server->health, serving);
}

/* ---- drain ------------------------------------------------------------------------------- */

static void core_stopped(struct rpc_tag *tag, bool ok)
{
    struct rpc_server *server = tag->owner;

    (void)ok;
    pthread_mutex_lock(&server->lock);
    server->stopped = true;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
}

/* The calls that wait at the core count as live too: it hands them back once it is stopped. */
static bool wait_until_idle(struct rpc_server *server, int64_t limit_ms)
{
    struct timespec at = cond_limit(limit_ms);
    int timed_out = 0;

    pthread_mutex_lock(&server->lock);
    while (!(server->stopped && server->live == 0) && !timed_out) {
        timed_out = limit_ms < 0 ? pthread_cond_wait(&server->changed, &server->lock)
                                 : pthread_cond_timedwait(&server->changed, &server->lock, &at);
    }
    pthread_mutex_unlock(&server->lock);
    return !timed_out;
}

static void stop_core(struct rpc_server *server, int64_t grace_ms)
{
    server->stopped_tag = (struct rpc_tag){core_stopped, server};
    HB_RELEASE(&server->stopped_tag);
    grpc_server_shutdown_and_notify(server->core, server->queues[0].queue, &server->stopped_tag);
    rpc_streams_send_away(server);
    if (!wait_until_idle(server, grace_ms)) {
        grpc_server_cancel_all_calls(server->core);
        wait_until_idle(server, -1); /* a batch after the queue's shutdown would abort us */
    }
}

static long expected_so_far(struct rpc_server *server)
{
    pthread_mutex_lock(&server->lock);
    long expected = server->expected;
    pthread_mutex_unlock(&server->lock);
    return expected;
}

/* Clients that watch our health turn to another replica; what still comes once the core is stopped
 * it cancels, and they have to send it again. So we serve on until no call comes for a while,
 * counted in pauses: a machine that stands still takes one of them, however long it stands. */
static void wait_until_quiet(struct rpc_server *server, int64_t until_ms)
{
    long seen = expected_so_far(server);
    int quiet = 0;

    while (quiet < QUIET_PAUSES && clock_monotonic_ms() < until_ms) {
        clock_pause_ms(PAUSE_MS);
        long now = expected_so_far(server);
        quiet = now == seen ? quiet + 1 : 0;
        seen = now;
    }
}

void rpc_server_drain(struct rpc_server *server, int grace_ms)
{
    int64_t began_ms = clock_monotonic_ms();

    if (!server->core) {
        return;
    }
    rpc_health_set(server->health, false);
    wait_until_quiet(server, began_ms + grace_ms / 2);
    if (server->running) {
        int64_t left_ms = began_ms + grace_ms - clock_monotonic_ms();

        stop_core(server, left_ms > 0 ? left_ms : 0);
    }
    for (int i = 0; i < server->queue_count; i++) {
        grpc_completion_queue_shutdown(server->queues[i].queue);
    }
    grpc_completion_queue_shutdown(server->ended);
    for (int i = 0; i < server->running; i++) {
        pthread_join(server->queues[i].thread, NULL);
    }
    rpc_workers_free(server->workers); /* after those who offer jobs */
    rpc_workers_free(server->slow);
    server->workers = server->slow = NULL;
    grpc_server_destroy(server->core);
    server->core = NULL;
    for (int i = 0; i < server->queue_count; i++) {
        grpc_completion_queue_destroy(server->queues[i].queue);
    }
    grpc_completion_queue_destroy(server->ended);
}

void rpc_server_free(struct rpc_server *server)
{
    if (!server) {
        return;
    }
    rpc_server_drain(server, 0);
    rpc_health_free(server->health);
    free(server->methods);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->changed);
    free(server);
    grpc_shutdown();
}
