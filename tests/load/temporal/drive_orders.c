/* bench_flows TARGET TASK_QUEUE COUNT CLIENTS: starts COUNT workflows "Bench" (two activities) in a
 * closed loop and awaits each; a worker of tests/helpers/temporal must poll the queue. */
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/temporal/temporal.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_CLIENTS = 64, LIMIT_MS = 60000 };

struct bench {
    struct temporal *temporal;
    const char *queue;
    int64_t count;
    int64_t *took_us; /* of each */
    atomic_llong next, bad;
};

static enum status run_one(struct ctx *ctx, struct bench *bench)
{
    char id[ID_TEXT_SIZE];
    struct temporal_outcome outcome;

    uuid_v7(id);
    const struct temporal_start start = {.type = "Bench",
                                         .id = id,
                                         .task_queue = bench->queue,
                                         .input = "{\"n\":1,\"text\":\"flat white\"}"};
    TRY(temporal_start(ctx, bench->temporal, &start, NULL));
    TRY(temporal_await(ctx, bench->temporal, id, LIMIT_MS, &outcome));
    return outcome.state == TEMPORAL_COMPLETED ? ST_OK : ST_INTERNAL;
}

static void *run_client(void *user)
{
    struct bench *bench = user;

    for (int64_t i; (i = atomic_fetch_add(&bench->next, 1)) < bench->count;) {
        struct ctx *ctx = ctx_new_system("bench");
        int64_t began = clock_monotonic_us();

        if (run_one(ctx, bench) != ST_OK) {
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

int main(int argc, char **argv)
{
    int64_t clients = 0;
    pthread_t threads[MAX_CLIENTS];
    struct bench bench = {.queue = argc == 5 ? argv[2] : NULL};

    if (argc != 5 || !text_parse_int(argv[3], 1, 1000000, &bench.count) ||
        !text_parse_int(argv[4], 1, MAX_CLIENTS, &clients)) {
        fputs("usage: bench_flows TARGET TASK_QUEUE COUNT CLIENTS\n", stderr);
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
    double seconds = (double)(clock_monotonic_us() - began) / 1e6;
    qsort(bench.took_us, (size_t)bench.count, sizeof(bench.took_us[0]), by_time);
    printf("%lld workflows, %lld bad, %.1f a second, p50 %.1f ms, p99 %.1f ms\n",
           (long long)bench.count, (long long)bench.bad, (double)bench.count / seconds,
           (double)bench.took_us[bench.count / 2] / 1e3,
           (double)bench.took_us[bench.count * 99 / 100] / 1e3);
    free(bench.took_us);
    temporal_free(bench.temporal);
    return bench.bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
