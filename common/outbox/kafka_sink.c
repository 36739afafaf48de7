/* Rows to Kafka. A row may name several topics: it is sent when all of them have it. */
#include "common/events/producer.h"
#include "common/outbox/outbox.h"

#include <string.h>

/* Nobody looks at the screen for these, and a broker that runs beside us works for each request. */
enum { KAFKA_PACE_MS = 50 };

static size_t count_topics(const char *topics)
{
    size_t count = 1;

    for (; *topics; topics++) {
        count += *topics == ' ';
    }
    return count;
}

/* One message a topic; the row each is of goes into 'row_of'. */
static size_t messages_of(struct ctx *ctx, const struct outbox_row *rows, size_t count,
                          struct produced *messages, size_t *row_of)
{
    size_t made = 0;

    for (size_t i = 0; i < count; i++) {
        char *rest = arena_strdup(ctx->arena, rows[i].topic);
        size_t size = strlen(rows[i].payload);

        for (char *topic; (topic = strsep(&rest, " ")); made++) {
            row_of[made] = i;
            messages[made] = (struct produced){
                .topic = topic,
                .key = rows[i].key,
                .payload = rows[i].payload,
                .size = size,
                .traceparent = rows[i].traceparent,
                .correlation_id = rows[i].correlation_id,
            };
        }
    }
    return made;
}

/* Sent when all were taken; dead when one never will be, and no other is still to come. */
static enum status worse(enum status a, enum status b)
{
    if (a == ST_UNAVAILABLE || b == ST_UNAVAILABLE) {
        return ST_UNAVAILABLE;
    }
    return a == ST_OK ? b : a;
}

static void send_rows(struct ctx *ctx, void *user, struct outbox_row *rows, size_t count,
                      int deadline_ms)
{
    size_t total = 0;

    for (size_t i = 0; i < count; i++) {
        total += count_topics(rows[i].topic);
        rows[i].outcome = ST_OK;
    }
    struct produced *messages = arena_new_array(ctx->arena, struct produced, total);
    size_t *row_of = arena_new_array(ctx->arena, size_t, total);
    size_t made = messages_of(ctx, rows, count, messages, row_of);
    producer_send(user, messages, made, deadline_ms);
    for (size_t i = 0; i < made; i++) {
        struct outbox_row *row = &rows[row_of[i]];

        row->outcome = worse(row->outcome, messages[i].outcome);
    }
}

struct outbox_sink outbox_kafka_sink(struct producer *producer)
{
    return (struct outbox_sink){
        .name = "kafka", .send = send_rows, .user = producer, .pace_ms = KAFKA_PACE_MS};
}
