/* A consumer cannot produce, so this has a producer of its own, made when there is a letter. */
#include "common/events/dead_letter.h"

#include "common/base/text.h"
#include "common/events/producer.h"
#include "common/obs/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEND_MS = 10000, DAYS_KEPT = 30 };

struct dead_letters {
    const char *brokers, *daemon; /* the consumer's */
    struct producer *producer;    /* NULL: none was needed yet */
};

static const struct topic topics[] = {
    {"dead.letters",                         1, (int64_t)DAYS_KEPT * 24 * 3600 * 1000, -1},
    {0},
};

struct dead_letters *dead_letters_new(const char *brokers, const char *daemon)
{
    struct dead_letters *letters = calloc(1, sizeof(*letters));

    if (!letters) {
        abort();
    }
    letters->brokers = brokers;
    letters->daemon = daemon;
    return letters;
}

void dead_letters_free(struct dead_letters *letters)
{
    if (letters) {
        producer_free(letters->producer);
        free(letters);
    }
}

/* The detail is ours, never an input: it may be read by whoever repairs. Headers are one line. */
static const char *cause_of(struct ctx *ctx)
{
    const char *detail = ctx->failure.detail ? ctx->failure.detail : ctx->failure.message;
    char *cause = arena_strdup(ctx->arena, detail ? detail : "");

    cause[strcspn(cause, "\n")] = '\0';
    return cause;
}

enum status dead_letter_send(struct ctx *ctx, struct dead_letters *letters,
                             const struct dead_letter *letter)
{
    char traceparent[TRACEPARENT_SIZE], offset[24];

    snprintf(offset, sizeof(offset), "%lld", (long long)letter->offset);
    if (!letters->producer) {
        letters->producer = producer_new(&(struct producer_options){
            .brokers = letters->brokers, .daemon = letters->daemon, .topics = topics});
    }
    trace_traceparent(ctx, traceparent);
    const struct produced_header headers[] = {
        {"cause",                      cause_of(ctx)},
        {"status",                            status_name(letter->status)},
        {"topic",letter->event->topic},
        {"partition",                      arena_printf(ctx->arena, "%d", letter->partition)},
        {"offset",                            offset},
        {"group",letter->group},
        {0         },
    };
    struct produced message = {
        .topic = topics[0].name,
        .key = letter->event->key,
        .payload = letter->event->payload,
        .size = letter->event->size,
        .traceparent = traceparent,
        .correlation_id = ctx->correlation_id,
        .headers = headers,
    };
    producer_send(letters->producer, &message, 1, SEND_MS);
    if (message.outcome == ST_OK) {
        return ST_OK;
    }
    return fail_with(ctx, ST_UNAVAILABLE, "", "dead letter not taken: %s",
                     status_name(message.outcome));
}
