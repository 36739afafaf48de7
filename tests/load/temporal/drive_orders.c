/* drive_orders TARGET TASK_QUEUE COUNT CLIENTS: takes COUNT orders through the workflow that
 * tests/load/temporal has in C, Go and Python: starts each, signals it when its history shows that
 * it waits for that, awaits its end. On a machine that is too busy a task runs into its time limit
 * and the history gets longer; when most of them do, it is another workflow: an error. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/temporal/temporal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_CLIENTS = 64, LIMIT_MS = 60000, LOOK_MS = 50, ALL_EVENTS = 39 };

/* Each signal, and how many events there are when the workflow waits for it. */
static const struct step {
    const char *signal;
    int64_t events;
} steps[] = {
    {"accepted",  11},
    {"ready",     22},
    {"picked_up", 33},
};

struct bench {
    struct temporal *temporal;
    const char *queue;
    int64_t count;
    int64_t *took_us; /* of each */
    atomic_llong next, bad, longer;
};

/* '*seen': how many there then were. */
static enum status wait_for(struct ctx *ctx, struct temporal *temporal, const char *id,
                            int64_t events, int64_t *seen)
{
    int64_t until = clock_monotonic_ms() + LIMIT_MS;
    struct temporal_info info;

    for (;;) {
        TRY(temporal_describe(ctx, temporal, id, &info));
        if (info.events >= events) {
            *seen = info.events;
            return ST_OK;
        }
        if (clock_monotonic_ms() > until) {
            return fail_with(ctx, ST_INTERNAL, "", "%s has %lld events, not %lld", id,
                             (long long)info.events, (long long)events);
        }
        clock_pause_ms(LOOK_MS);
    }
}

static enum status drive(struct ctx *ctx, struct bench *bench)
{
    char id[ID_TEXT_SIZE];
    struct temporal_outcome outcome;
    int64_t seen = 0;

    uuid_v7(id);
    const struct temporal_start start = {.type = "Order",
                                         .id = id,
                                         .task_queue = bench->queue,
                                         .input = "{\"n\":1,\"text\":\"flat white\"}"};
    TRY(temporal_start(ctx, bench->temporal, &start, NULL));
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        const struct temporal_signal signal = {.name = steps[i].signal,
                                               .json = "{\"by\":\"barista\"}"};

        TRY(wait_for(ctx, bench->temporal, id, steps[i].events, &seen));
        TRY(temporal_signal(ctx, bench->temporal, id, &signal));
    }
    TRY(temporal_await(ctx, bench->temporal, id, LIMIT_MS, &outcome));
    if (outcome.state != TEMPORAL_COMPLETED) {
        return fail_with(ctx, ST_INTERNAL, "", "%s did not complete", id);
    }
    TRY(wait_for(ctx, bench->temporal, id, ALL_EVENTS, &seen));
    atomic_fetch_add(&bench->longer, seen > ALL_EVENTS);
    return ST_OK;
}

static void *run_client(void *user)
{
    struct bench *bench = user;

    for (int64_t i; (i = atomic_fetch_add(&bench->next, 1)) < bench->count;) {
        struct ctx *ctx = ctx_new_system("bench");
        int64_t began = clock_monotonic_us();

        if (drive(ctx, bench) != ST_OK) {
            fprintf(stderr, "%s\n", ctx->failure.detail ? ctx->failure.detail : "not completed");
            atomic_fetch_add(&bench->bad, 1);
        }
        bench->took_us[i] = clock_monotonic_us() - began;
        ctx_free(ctx);
    }
    return NULL;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void tell(const struct bench *bench, int64_t began_us)
{
    double seconds = (double)(clock_monotonic_us() - began_us) / 1e6;

    qsort(bench->took_us, (size_t)bench->count, sizeof(bench->took_us[0]), by_time);
    printf("%lld workflows, %lld bad, %lld longer, %.1f a second, p50 %.0f ms, p99 %.0f ms\n",
           (long long)bench->count, (long long)bench->bad, (long long)bench->longer,
           (double)bench->count / seconds, (double)bench->took_us[bench->count / 2] / 1e3,
           (double)bench->took_us[bench->count * 99 / 100] / 1e3);
}

int main(int argc, char **argv)
{
    int64_t clients = 0;
    pthread_t threads[MAX_CLIENTS];
    struct bench bench = {.queue = argc == 5 ? argv[2] : NULL};

    if (argc != 5 || !text_parse_int(argv[3], 1, 1000000, &bench.count) ||
        !text_parse_int(argv[4], 1, MAX_CLIENTS, &clients)) {
        fputs("usage: drive_orders TARGET TASK_QUEUE COUNT CLIENTS\n", stderr);
        return EXIT_FAILURE;
    }
    bench.temporal = temporal_new(&(struct temporal_options){.target = argv[1]});
    bench.took_us = calloc((size_t)bench.count, sizeof(bench.took_us[0]));
    int64_t began = clock_monotonic_us();
    for (int64_t i = 0; i < clients; i++) {
        pthread_create(&threads[i], NULL, run_client, &bench);
    }
    for (int64_t i = 0; i < clients; i++) {
        pthread_join(threads[i], NULL);
    }
    tell(&bench, began);
    free(bench.took_us);
    temporal_free(bench.temporal);
    return bench.bad || bench.longer > bench.count / 2 ? EXIT_FAILURE : EXIT_SUCCESS;
}
