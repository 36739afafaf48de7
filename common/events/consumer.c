/* One thread polls, hands over, and stores the offset afterwards. A partition whose event met a
 * passing fault is paused and read again from that event; the others go on. Polling never stops, or
 * the group would take us for dead. Assignment is the default strategy: with cooperative-sticky,
 * librdkafka 2.0.2 leaves its group without a word and the next member gets nothing. */
#include "common/events/consumer.h"

#include "common/base/clock.h"
#include "common/events/dead_letter.h"
#include "common/events/envelope.h"
#include "common/events/kafka_client.h"
#include "common/events/partitions.h"
#include "common/obs/log.h"
#include "common/obs/metrics.h"
#include "common/obs/span.h"
#include "common/obs/trace.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    POLL_MS = 100,
    SEEK_MS = 5000,
    TICK_MS = 2000,
    ANSWER_MS = 1000,
    HANDLER_MS = 30000, /* an event's handler has this long */
};

struct consumer {
    char *brokers, *group, *daemon;
    const struct event_route *routes; /* a table of the daemon's: it stays */
    void *service;
    rd_kafka_t *kafka;
    pthread_t thread;
    atomic_bool stopping, up;
    struct metric *lag, *handled;
    /* what follows belongs to the thread */
    struct partition *partitions;
    struct dead_letters *dead_letters;
    int64_t tick_at_ms;
};

static const struct metric_def lag_metric = {
    METRIC_GAUGE,
    "kafka_consumer_lag",
    "Events not handled yet.",
    {"topic", "partition", "group"},
};
static const struct metric_def handled_metric = {
    METRIC_COUNTER,
    "kafka_consumed_total",
    "Events by topic, group and outcome.",
    {"topic", "group", "outcome"},
};

DEFINE_AUTO(message, rd_kafka_message_t *, rd_kafka_message_destroy)
DEFINE_AUTO(partition_list, rd_kafka_topic_partition_list_t *,
            rd_kafka_topic_partition_list_destroy)
DEFINE_AUTO(unit, struct ctx *, ctx_free)

static void set_up(struct consumer *consumer, bool up, const char *reason)
{
    if (atomic_exchange(&consumer->up, up) == up) {
        return;
    }
    if (up) {
        log_info(NULL, "kafka is there", log_text("brokers", consumer->brokers),
                 log_text("group", consumer->group));
    } else {
        log_warn(NULL, "kafka is away", log_text("brokers", consumer->brokers),
                 log_text("group", consumer->group), log_text("reason", reason));
    }
}

static void failed(rd_kafka_t *kafka, int error, const char *reason, void *user)
{
    (void)kafka;
    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        set_up(user, false, reason);
    }
}

static rd_kafka_topic_partition_list_t *only(const struct partition *partition)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    rd_kafka_topic_partition_list_add(list, partition->topic, partition->number);
    return list;
}

/* Positions are the group's to tell again. But a pause outlives a rebalance in librdkafka, and once
 * forgotten here nobody would end it. Those that do not wait stay alone: a needless resume repeats
 * what was fetched. */
static void forget_partitions(struct consumer *consumer)
{
    for (struct partition *p = consumer->partitions; p; p = p->next) {
        if (p->resume_at_ms) {
            AUTO(partition_list) rd_kafka_topic_partition_list_t *list = only(p);

            rd_kafka_resume_partitions(consumer->kafka, list);
        }
    }
    partitions_clear(&consumer->partitions);
}

static void set_lag(const struct consumer *consumer, const char *topic, int partition, int64_t lag)
{
    char number[12];

    snprintf(number, sizeof(number), "%d", partition);
    metric_set(METRIC_SERIES(consumer->lag, topic, number, consumer->group), lag);
}

static void rebalanced(rd_kafka_t *kafka, rd_kafka_resp_err_t what,
                       rd_kafka_topic_partition_list_t *list, void *user)
{
    struct consumer *consumer = user;
    bool given = what == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS;

    forget_partitions(consumer);
    rd_kafka_assign(kafka, given ? list : NULL);
    if (given) {
        set_up(consumer, true, NULL);
    }
    for (int i = 0; !given && i < list->cnt; i++) { /* whoever has it then tells of it */
        set_lag(consumer, list->elems[i].topic, list->elems[i].partition, 0);
    }
    log_info(NULL, "partitions changed", log_text("change", given ? "assigned" : "revoked"),
             log_text("group", consumer->group), log_num("count", list->cnt));
}

static rd_kafka_t *new_client(struct consumer *consumer)
{
    const struct kafka_setting settings[] = {
        {"group.id",                   consumer->group},
        {"enable.auto.commit",                            "true"},
        {"auto.commit.interval.ms","1000"},
        {"enable.auto.offset.store",    "false"}, /* stored once the handler succeeded */
        {"auto.offset.reset",                            "earliest"},
 /* a killed replica's partitions move on within this */
        {"session.timeout.ms",                  "6000"},
        {"heartbeat.interval.ms",          "1500"},
        {"max.poll.interval.ms",                            "300000"},
        {"queued.max.messages.kbytes",     "2048"}, /* the pod has 128 MiB for everything */
        {"queued.min.messages",      "200"},
        {"fetch.error.backoff.ms",                            "100"},
        {"topic.metadata.refresh.interval.ms","5000"}, /* its producer may make a topic later */
        {"allow.auto.create.topics", "false"},
        {0                           },
    };
    rd_kafka_conf_t *conf = kafka_conf(consumer->brokers, consumer->daemon, settings);

    rd_kafka_conf_set_error_cb(conf, failed);
    rd_kafka_conf_set_rebalance_cb(conf, rebalanced);
    rd_kafka_conf_set_opaque(conf, consumer);
    rd_kafka_t *kafka = kafka_client(RD_KAFKA_CONSUMER, conf);
    rd_kafka_poll_set_consumer(kafka);
    return kafka;
}

static void subscribe(struct consumer *consumer)
{
    AUTO(partition_list)
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(8);

    for (const struct event_route *route = consumer->routes; route->topic; route++) {
        rd_kafka_topic_partition_list_add(topics, route->topic, RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_subscribe(consumer->kafka, topics);
}

static event_handler *handler_of(const struct consumer *consumer, const char *topic)
{
    for (const struct event_route *route = consumer->routes; route->topic; route++) {
        if (strcmp(route->topic, topic) == 0) {
            return route->handle;
        }
    }
    return NULL;
}

static const char *header_of(struct ctx *ctx, const rd_kafka_message_t *message, const char *name)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t size;

    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        !value) {
        return NULL;
    }
    return arena_printf(ctx->arena, "%.*s", (int)size, (const char *)value);
}

static const char *text_of(struct ctx *ctx, const void *bytes, size_t size)
{
    char *text = arena_alloc(ctx->arena, size + 1);

    if (size) {
        memcpy(text, bytes, size);
    }
    return text;
}

/* What the event's own request began goes on here: trace, correlation id. */
static struct ctx *begin_unit(struct consumer *consumer, const rd_kafka_message_t *message)
{
    struct ctx *ctx = ctx_new_system(consumer->daemon);

    trace_begin(ctx, header_of(ctx, message, "traceparent"));
    trace_correlation(ctx, header_of(ctx, message, "correlation-id"));
    ctx->deadline_ms = clock_monotonic_ms() + HANDLER_MS;
    return ctx;
}

static void trace(const struct ctx *ctx, const struct consumer *consumer,
                  const rd_kafka_message_t *message, enum status st, int64_t began_us)
{
    struct span span = span_of(ctx, began_us);

    if (!span.is_on) {
        return;
    }
    const char *topic = rd_kafka_topic_name(message->rkt);

    span_failed(&span, ctx, st);
    span_end(&span, SPAN_CONSUMER, arena_printf(ctx->arena, "process %s", topic),
             log_text("messaging.system", "kafka"), log_text("messaging.destination.name", topic),
             log_text("messaging.consumer.group.name", consumer->group),
             log_num("messaging.kafka.offset", message->offset));
}

/* ST_OK when the partition may move on: handled, of no interest, or safe among the dead letters. */
static enum status handle(struct consumer *consumer, const rd_kafka_message_t *message,
                          struct partition *partition)
{
    AUTO(unit) struct ctx *ctx = begin_unit(consumer, message);
    struct event event = {
        .topic = rd_kafka_topic_name(message->rkt),
        .key = text_of(ctx, message->key, message->key_len),
        .payload = text_of(ctx, message->payload, message->len),
        .size = message->len,
        .attempt = partition->attempts,
    };
    event_handler *handler = handler_of(consumer, event.topic);
    int64_t began_us = clock_monotonic_us();

    if (!handler) {
        return ST_OK;
    }
    enum status st = envelope_read(ctx, &event);
    if (st == ST_OK) {
        st = handler(ctx, consumer->service, &event);
    }
    trace(ctx, consumer, message, st, began_us);
    metric_add(METRIC_SERIES(consumer->handled, event.topic, consumer->group, status_name(st)), 1);
    if (st == ST_OK) {
        return ST_OK;
    }
    log_failure(ctx, event.topic);
    if (partition_tries_again(partition, st)) {
        return st;
    }
    const struct dead_letter letter = {
        .event = &event,
        .group = consumer->group,
        .partition = message->partition,
        .offset = message->offset,
        .status = st,
    };
    return dead_letter_send(ctx, consumer->dead_letters, &letter);
}

static void wait_with(struct consumer *consumer, struct partition *partition)
{
    AUTO(partition_list) rd_kafka_topic_partition_list_t *list = only(partition);

    rd_kafka_pause_partitions(consumer->kafka, list);
    partition->resume_at_ms = clock_monotonic_ms() + partition_pause_ms(partition->attempts);
}

/* Resumed first and moved back then: a pause after a seek would forget where the seek went. */
static void read_again(struct consumer *consumer, struct partition *partition)
{
    AUTO(partition_list) rd_kafka_topic_partition_list_t *list = only(partition);

    rd_kafka_resume_partitions(consumer->kafka, list);
    list->elems[0].offset = partition->position;
    rd_kafka_error_t *error = rd_kafka_seek_partitions(consumer->kafka, list, SEEK_MS);
    bool moved = !error && list->elems[0].err == RD_KAFKA_RESP_ERR_NO_ERROR;
    if (error) {
        rd_kafka_error_destroy(error);
    }
    partition->resume_at_ms = 0;
    if (!moved) { /* the broker is away, or the partition: later */
        wait_with(consumer, partition);
    }
}

static void receive(struct consumer *consumer, const rd_kafka_message_t *message)
{
    struct partition *partition =
        partition_of(&consumer->partitions, rd_kafka_topic_name(message->rkt), message->partition);

    if (partition->resume_at_ms) {
        return; /* fetched before the pause: it comes again */
    }
    /* Never step over what was not handled. */
    if (partition->attempts && message->offset > partition->position) {
        partition->attempts = 0; /* once: what stood there may have been deleted since */
        read_again(consumer, partition);
        return;
    }
    if (message->offset != partition->position) {
        partition->attempts = 0;
    }
    partition->position = message->offset;
    partition->internal = partition->attempts ? partition->internal : 0;
    partition->attempts++;
    if (handle(consumer, message, partition) != ST_OK) {
        wait_with(consumer, partition);
        return;
    }
    rd_kafka_offset_store(message->rkt, message->partition, message->offset);
    partition->position = message->offset + 1;
    partition->attempts = 0;
}

/* Of a partition from which nothing came yet, the group knows how far it is. */
static int64_t position_of(struct consumer *consumer, const struct partition *partition,
                           int64_t low)
{
    if (partition->position >= 0) {
        return partition->position;
    }
    AUTO(partition_list) rd_kafka_topic_partition_list_t *list = only(partition);
    bool known =
        rd_kafka_committed(consumer->kafka, list, ANSWER_MS) == RD_KAFKA_RESP_ERR_NO_ERROR &&
        list->elems[0].offset >= 0;
    return known ? list->elems[0].offset : low;
}

static void tell_lag(struct consumer *consumer, struct partition *partition)
{
    int64_t low = -1, high = -1;

    /* What the last fetch said: asking the broker would hold up a stop while it is away. */
    if (rd_kafka_get_watermark_offsets(consumer->kafka, partition->topic, partition->number, &low,
                                       &high) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        high < 0) {
        return;
    }
    int64_t lag = high - position_of(consumer, partition, low);
    set_lag(consumer, partition->topic, partition->number, lag > 0 ? lag : 0);
}

static void look_around(struct consumer *consumer)
{
    const struct rd_kafka_metadata *metadata;
    rd_kafka_topic_partition_list_t *assigned = NULL;

    if (!atomic_load(&consumer->up) && rd_kafka_metadata(consumer->kafka, 0, NULL, &metadata,
                                                         ANSWER_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_metadata_destroy(metadata);
        set_up(consumer, true, NULL);
    }
    if (!atomic_load(&consumer->up) ||
        rd_kafka_assignment(consumer->kafka, &assigned) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return;
    }
    for (int i = 0; i < assigned->cnt && !atomic_load(&consumer->stopping); i++) {
        tell_lag(consumer, partition_of(&consumer->partitions, assigned->elems[i].topic,
                                        assigned->elems[i].partition));
    }
    rd_kafka_topic_partition_list_destroy(assigned);
}

static void do_what_is_due(struct consumer *consumer)
{
    int64_t now = clock_monotonic_ms();

    for (struct partition *p = consumer->partitions; p; p = p->next) {
        if (p->resume_at_ms && now >= p->resume_at_ms) {
            read_again(consumer, p);
        }
    }
    if (now >= consumer->tick_at_ms) {
        look_around(consumer);
        consumer->tick_at_ms = clock_monotonic_ms() + TICK_MS;
    }
}

static void *run(void *user)
{
    struct consumer *consumer = user;

    while (!atomic_load(&consumer->stopping)) {
        AUTO(message)
        rd_kafka_message_t *message = rd_kafka_consumer_poll(consumer->kafka, POLL_MS);

        if (message && message->err) {
            log_debug(NULL, "kafka", log_text("reason", rd_kafka_message_errstr(message)));
        } else if (message) {
            receive(consumer, message);
        }
        do_what_is_due(consumer);
    }
    rd_kafka_consumer_close(consumer->kafka); /* commits what was stored */
    return NULL;
}

static char *copy_text(const char *text)
{
    char *copy = strdup(text);

    if (!copy) {
        abort();
    }
    return copy;
}

struct consumer *consumer_start(const struct consumer_options *options)
{
    struct consumer *consumer = calloc(1, sizeof(*consumer));

    if (!consumer) {
        abort();
    }
    consumer->brokers = copy_text(options->brokers);
    consumer->group = copy_text(options->group);
    consumer->daemon = copy_text(options->daemon);
    consumer->routes = options->routes;
    consumer->service = options->service;
    consumer->lag = metric_register(&lag_metric);
    consumer->handled = metric_register(&handled_metric);
    consumer->dead_letters = dead_letters_new(consumer->brokers, consumer->daemon);
    consumer->kafka = new_client(consumer);
    subscribe(consumer);
    if (pthread_create(&consumer->thread, NULL, run, consumer) != 0) {
        abort();
    }
    return consumer;
}

void consumer_stop(struct consumer *consumer)
{
    if (!consumer) {
        return;
    }
    atomic_store(&consumer->stopping, true);
    pthread_join(consumer->thread, NULL);
    rd_kafka_destroy(consumer->kafka);
    dead_letters_free(consumer->dead_letters);
    partitions_clear(&consumer->partitions);
    free(consumer->brokers);
    free(consumer->group);
    free(consumer->daemon);
    free(consumer);
}

bool consumer_is_up(struct consumer *consumer)
{
    return atomic_load(&consumer->up);
}
