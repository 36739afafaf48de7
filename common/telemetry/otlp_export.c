/* One thread between the ring and the collector. Only it waits. */
#include "common/telemetry/otlp_export.h"

#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/obs/metrics.h"
#include "common/obs/trace.h"
#include "common/rpc/rpc_client.h"
#include "common/telemetry/otlp_message.h"

#include <opentelemetry/trace.pb-c.h>

#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    BATCH = SPAN_RING / 8,
    FLUSH_MS = 1000,
    CALL_MS = 2000,
    FIRST_PAUSE_MS = 250,
    LONGEST_PAUSE_MS = 4000,
    GIVE_UP_MS = 30000, /* what the ring still holds is news by then, this is not */
    LAST_MS = CALL_MS,  /* at the end; a call under way takes no longer either */
};

struct otlp_export {
    struct otlp_resource resource;
    char target[256];
    struct rpc_client *client;
    pthread_t thread;
    sem_t wake;
    atomic_bool stopping;
    _Atomic int64_t last_ms; /* while stopping: until then (monotonic) */
    bool is_failing;         /* the thread's, as all that follows */
    struct metric_series *exported, *refused, *undelivered;
    size_t count;
    struct span_record batch[BATCH];
};

static const char export_path[] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
static const char scheme[] = "http://";

static const struct metric_def exported_def = {
    METRIC_COUNTER, "spans_exported_total", "Spans that the collector took.", {NULL}};

/* ---- settings ----------------------------------------------------------------------------- */

static bool read_ratio(const char *text, double *ratio)
{
    char *end;

    *ratio = strtod(text, &end);
    return *text && !*end && isfinite(*ratio) && *ratio >= 0 && *ratio <= 1;
}

/* "http://host:4317", or without the scheme: there is no TLS of our own (ADR 0017). */
static const char *host_of(const char *endpoint)
{
    const char *host = text_starts(endpoint, scheme) ? endpoint + sizeof(scheme) - 1 : endpoint;
    const char *colon = strrchr(host, ':');
    int64_t port;
    bool is_good = colon && colon > host && strlen(host) < 200 && !strchr(host, '/') &&
                   text_parse_int(colon + 1, 1, 65535, &port);

    return is_good ? host : NULL;
}

bool otlp_settings_are_good(const struct otlp_settings *settings, FILE *complaints)
{
    double ratio;
    bool ok = !*settings->endpoint || host_of(settings->endpoint);

    if (!ok) {
        fprintf(complaints, "OTEL_EXPORTER_OTLP_ENDPOINT: '%s' is not like http://host:4317\n",
                settings->endpoint);
    }
    if (!read_ratio(settings->ratio, &ratio)) {
        fprintf(complaints, "OTEL_TRACES_SAMPLER_ARG: '%s' is not from 0 to 1\n", settings->ratio);
        ok = false;
    }
    return ok;
}

/* ---- waiting ------------------------------------------------------------------------------ */

static void wake(void *user)
{
    sem_post(&((struct otlp_export *)user)->wake);
}

/* Until the time is over or somebody wakes us. */
static bool sleep_until(struct otlp_export *otlp, const struct timespec *until)
{
    return sem_clockwait(&otlp->wake, CLOCK_MONOTONIC, until) == 0;
}

static void wait_for_spans(struct otlp_export *otlp)
{
    struct timespec until = cond_limit(FLUSH_MS);

    sleep_until(otlp, &until);
    while (sem_trywait(&otlp->wake) == 0) { /* one look is for all of them */
    }
}

/* A full ring ends no pause; the daemon's end does. */
static void pause_between_tries(struct otlp_export *otlp, int64_t ms)
{
    struct timespec until = cond_limit(ms);
    int64_t end_ms = clock_monotonic_ms() + ms;

    while (!atomic_load(&otlp->stopping) && clock_monotonic_ms() < end_ms) {
        sleep_until(otlp, &until);
    }
}

/* ---- sending ------------------------------------------------------------------------------ */

static void set_failing(struct otlp_export *otlp, const struct ctx *ctx, bool is_failing)
{
    if (otlp->is_failing == is_failing) {
        return;
    }
    otlp->is_failing = is_failing;
    if (is_failing) {
        log_warn(NULL, "collector takes no spans", log_text("target", otlp->target),
                 log_text("why", ctx->failure.detail));
    } else {
        log_info(NULL, "collector takes spans", log_text("target", otlp->target));
    }
}

/* What OTLP says may pass. */
static bool may_pass(enum status st)
{
    return st == ST_UNAVAILABLE || st == ST_TIMEOUT || st == ST_TOO_MANY || st == ST_CANCELLED ||
           st == ST_RETRY;
}

static enum status call(struct ctx *ctx, struct otlp_export *otlp, const ProtobufCMessage *request)
{
    ProtobufCMessage *answer = NULL;
    int64_t rejected;

    ctx->deadline_ms = atomic_load(&otlp->last_ms);
    TRY(rpc_call(ctx, otlp->client, export_path, request,
                 &opentelemetry__export_trace_service_response__descriptor, CALL_MS, &answer));
    rejected = otlp_rejected(answer);
    rejected = rejected < 0 ? 0 : rejected > (int64_t)otlp->count ? (int64_t)otlp->count : rejected;
    metric_add(otlp->exported, (int64_t)otlp->count - rejected);
    metric_add(otlp->refused, rejected);
    return ST_OK;
}

static enum status insist(struct ctx *ctx, struct otlp_export *otlp,
                          const ProtobufCMessage *request)
{
    int64_t end_ms = clock_monotonic_ms() + GIVE_UP_MS;
    int64_t pause_ms = FIRST_PAUSE_MS;

    for (;;) {
        enum status st = call(ctx, otlp, request);

        set_failing(otlp, ctx, st != ST_OK);
        if (!may_pass(st) || atomic_load(&otlp->stopping) ||
            clock_monotonic_ms() + pause_ms > end_ms) {
            return st;
        }
        ctx_forgive(ctx);
        pause_between_tries(otlp, pause_ms);
        pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
    }
}

static void send_batch(struct otlp_export *otlp)
{
    struct ctx *ctx = ctx_new_system(otlp->resource.daemon);
    enum status st =
        insist(ctx, otlp, otlp_message(ctx->arena, &otlp->resource, otlp->batch, otlp->count));

    if (st != ST_OK) {
        metric_add(may_pass(st) ? otlp->undelivered : otlp->refused, (int64_t)otlp->count);
    }
    ctx_free(ctx);
}

static bool take_batch(struct otlp_export *otlp)
{
    otlp->count = 0;
    while (otlp->count < BATCH && spans_take(&otlp->batch[otlp->count])) {
        otlp->count++;
    }
    return otlp->count;
}

static bool is_too_late(struct otlp_export *otlp)
{
    return atomic_load(&otlp->stopping) && clock_monotonic_ms() >= atomic_load(&otlp->last_ms);
}

static void *run(void *user)
{
    struct otlp_export *otlp = user;
    bool is_last;

    pthread_setname_np(pthread_self(), "otlp");
    do {
        wait_for_spans(otlp);
        is_last = atomic_load(&otlp->stopping); /* what is in the ring now is all there will be */
        while (!is_too_late(otlp) && take_batch(otlp)) {
            send_batch(otlp);
        }
    } while (!is_last);
    return NULL;
}

/* ---- start and stop ----------------------------------------------------------------------- */

static void describe(struct otlp_export *otlp, const char *daemon, const char *version)
{
    char host[65] = "";

    gethostname(host, sizeof(host) - 1);
    otlp->resource.daemon = daemon;
    otlp->resource.version = version;
    snprintf(otlp->resource.instance, sizeof(otlp->resource.instance), "%s-%d", host,
             (int)getpid());
}

struct otlp_export *otlp_export_start(const struct otlp_settings *settings, const char *daemon,
                                      const char *version)
{
    double ratio = 1;

    if (!*settings->endpoint) {
        return NULL;
    }
    struct otlp_export *otlp = calloc(1, sizeof(*otlp));
    if (!otlp) {
        fputs("out of memory\n", stderr);
        abort();
    }
    describe(otlp, daemon, version);
    snprintf(otlp->target, sizeof(otlp->target), "dns:///%s", host_of(settings->endpoint));
    sem_init(&otlp->wake, 0, 0);
    otlp->exported = metric_series(metric_register(&exported_def), (const char *const[]){NULL});
    otlp->refused = spans_dropped("refused");
    otlp->undelivered = spans_dropped("undelivered");
    otlp->client =
        rpc_client_new(&(struct rpc_client_options){.target = otlp->target, .no_retry = true});
    if (read_ratio(settings->ratio, &ratio)) {
        trace_sample(ratio);
    }
    spans_open(wake, otlp);
    if (pthread_create(&otlp->thread, NULL, run, otlp) != 0) {
        abort();
    }
    return otlp;
}

void otlp_export_stop(struct otlp_export *otlp)
{
    if (!otlp) {
        return;
    }
    atomic_store(&otlp->last_ms, clock_monotonic_ms() + LAST_MS);
    atomic_store(&otlp->stopping, true);
    wake(otlp);
    pthread_join(otlp->thread, NULL);
    spans_close();
    rpc_client_free(otlp->client);
    sem_destroy(&otlp->wake);
    free(otlp);
}
