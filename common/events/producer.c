/* The only place that writes to Kafka. Within a partition, acknowledged messages are a prefix of
 * those sent: librdkafka's idempotence sees to that as long as no message is given up by time, so
 * none ever is, and as long as one request is under way at a time: a broker takes any first request
 * of a client it does not know, thus the second when it refused the first, which librdkafka then
 * holds for taken too. What is not acknowledged by the deadline is purged together with the client,
 * and sent again by a new one. What the old one still had under way can only arrive as repeats. */
#include "common/events/producer.h"

#include "common/base/clock.h"
#include "common/base/cond.h"
#include "common/base/text.h"
#include "common/events/kafka_client.h"
#include "common/obs/log.h"
#include "common/obs/metrics.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 2000, ANSWER_MS = 2000, POLL_MS = 20, PURGE_MS = 2000 };

struct producer {
    char *brokers, *daemon;
    const struct topic *topics; /* a table of the daemon's: it stays */
    struct metric *produced;
    pthread_mutex_t lock; /* guards the four below; held while sending */
    rd_kafka_t *kafka;    /* NULL: to be made */
    bool topics_are_there;
    size_t pending;
    bool spoilt; /* an outcome after which the client must not be used again */
    atomic_bool up;
    pthread_mutex_t stop_lock; /* guards stopping, for the thread that looks */
    pthread_cond_t stop_now;
    bool stopping;
    pthread_t looker;
};

static const struct metric_def produced_metric = {
    METRIC_COUNTER,
    "kafka_produced_total",
    "Messages by topic and outcome.",
    {"topic", "outcome"},
};

static void set_up(struct producer *producer, bool up)
{
    if (atomic_exchange(&producer->up, up) == up) {
        return;
    }
    if (up) {
        log_info(NULL, "kafka is there", log_text("brokers", producer->brokers));
    } else {
        log_warn(NULL, "kafka is away", log_text("brokers", producer->brokers));
    }
}

static bool is_ours(const struct producer *producer, const char *topic)
{
    for (const struct topic *t = producer->topics; t && t->name; t++) {
        if (strcmp(t->name, topic) == 0) {
            return true;
        }
    }
    return false;
}

/* A topic of ours that is not there will be made again; one that nobody makes will never be. */
static enum status outcome_of(struct producer *producer, rd_kafka_resp_err_t error,
                              const char *topic)
{
    switch ((int)error) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        return ST_OK;
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
    case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
    case RD_KAFKA_RESP_ERR_INVALID_RECORD:
    case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        return ST_INVALID;
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        producer->topics_are_there = false;
        return is_ours(producer, topic) ? ST_UNAVAILABLE : ST_INVALID;
    default:
        return ST_UNAVAILABLE;
    }
}

static void note_outcome(struct producer *producer, struct produced *message,
                         rd_kafka_resp_err_t error)
{
    message->outcome = outcome_of(producer, error, message->topic);
    producer->spoilt = producer->spoilt || message->outcome == ST_UNAVAILABLE;
    metric_add(METRIC_SERIES(producer->produced, message->topic, status_name(message->outcome)), 1);
}

static void delivered(rd_kafka_t *kafka, const rd_kafka_message_t *message, void *user)
{
    struct producer *producer = user;

    (void)kafka;
    producer->pending--;
    note_outcome(producer, message->_private, message->err);
}

static rd_kafka_t *new_client(struct producer *producer)
{
    static const struct kafka_setting settings[] = {
        {"enable.idempotence",   "true"},
        {"acks",                      "all"},
        {"max.in.flight","1"}, /* a new topic's first request is often refused */
        {"message.timeout.ms",        "0"}, /* a gap would let a later message overtake */
        {"linger.ms",                      "0.5"},
        {"partitioner",            "murmur2_random"},
        {"socket.nagle.disable",            "true"},
 /* the pod has 128 MiB for everything */
        {"queue.buffering.max.kbytes",                      "4096"},
        {"message.max.bytes","1000000"},
        {"topic.metadata.propagation.max.ms", "5000"},
        {0                     },
    };
    rd_kafka_conf_t *conf = kafka_conf(producer->brokers, producer->daemon, settings);

    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, producer);
    return kafka_client(RD_KAFKA_PRODUCER, conf);
}

/* What is under way is given up, and told as such. Lock held. */
static void drop_client(struct producer *producer)
{
    int64_t until = clock_monotonic_ms() + PURGE_MS;

    if (!producer->kafka) {
        return;
    }
    rd_kafka_purge(producer->kafka, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    while (producer->pending > 0 && clock_monotonic_ms() < until) {
        rd_kafka_poll(producer->kafka, POLL_MS);
    }
    rd_kafka_destroy(producer->kafka); /* joins its threads: no report comes after this */
    producer->kafka = NULL;
    producer->pending = 0;
    producer->spoilt = false;
}

/* Lock held. The first message would otherwise wait 300 ms for a connection, with the relay's locks
 * held; and only an answer shows that the broker is there. */
static bool make_ready(struct producer *producer)
{
    const struct rd_kafka_metadata *metadata;

    if (!producer->kafka) {
        producer->kafka = new_client(producer);
    }
    if (!producer->topics_are_there) {
        producer->topics_are_there =
            kafka_ensure_topics(producer->kafka, producer->topics, ANSWER_MS);
    }
    bool answered = producer->topics_are_there &&
                    rd_kafka_metadata(producer->kafka, 0, NULL, &metadata, ANSWER_MS) ==
                        RD_KAFKA_RESP_ERR_NO_ERROR;
    if (answered) {
        rd_kafka_metadata_destroy(metadata);
    }
    set_up(producer, answered);
    return answered;
}

static bool wait_until_stopping(struct producer *producer)
{
    struct timespec end = cond_limit(LOOK_MS);

    pthread_mutex_lock(&producer->stop_lock);
    while (!producer->stopping && pthread_cond_clockwait(&producer->stop_now, &producer->stop_lock,
                                                         CLOCK_MONOTONIC, &end) == 0) {
    }
    bool stopping = producer->stopping;
    pthread_mutex_unlock(&producer->stop_lock);
    return stopping;
}

/* So that the topics are there before the first event, and readiness knows when nothing is sent. */
static void *look(void *user)
{
    struct producer *producer = user;

    do {
        if (pthread_mutex_trylock(&producer->lock) == 0) {
            make_ready(producer);
            rd_kafka_poll(producer->kafka, 0);
            pthread_mutex_unlock(&producer->lock);
        }
    } while (!wait_until_stopping(producer));
    return NULL;
}

struct producer *producer_new(const struct producer_options *options)
{
    struct producer *producer = calloc(1, sizeof(*producer));

    if (!producer || !(producer->brokers = strdup(options->brokers)) ||
        !(producer->daemon = strdup(options->daemon))) {
        abort();
    }
    producer->topics = options->topics;
    producer->produced = metric_register(&produced_metric);
    pthread_mutex_init(&producer->lock, NULL);
    pthread_mutex_init(&producer->stop_lock, NULL);
    pthread_cond_init(&producer->stop_now, NULL);
    if (pthread_create(&producer->looker, NULL, look, producer) != 0) {
        abort();
    }
    return producer;
}

void producer_free(struct producer *producer)
{
    if (!producer) {
        return;
    }
    pthread_mutex_lock(&producer->stop_lock);
    producer->stopping = true;
    pthread_cond_signal(&producer->stop_now);
    pthread_mutex_unlock(&producer->stop_lock);
    pthread_join(producer->looker, NULL);
    drop_client(producer);
    pthread_mutex_destroy(&producer->lock);
    pthread_mutex_destroy(&producer->stop_lock);
    pthread_cond_destroy(&producer->stop_now);
    free(producer->brokers);
    free(producer->daemon);
    free(producer);
}

bool producer_is_up(struct producer *producer)
{
    return atomic_load(&producer->up);
}

static void add_header(rd_kafka_headers_t *headers, const char *name, const char *value)
{
    if (value && *value) {
        rd_kafka_header_add(headers, name, -1, value, -1);
    }
}

static rd_kafka_headers_t *headers_of(const struct produced *message)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(4);

    add_header(headers, "traceparent", message->traceparent);
    add_header(headers, "correlation-id", message->correlation_id);
    add_header(headers, "content-type", "application/json");
    for (const struct produced_header *h = message->headers; h && h->name; h++) {
        add_header(headers, h->name, h->value);
    }
    return headers;
}

static rd_kafka_resp_err_t produce(struct producer *producer, struct produced *message)
{
    rd_kafka_headers_t *headers = headers_of(message);
    rd_kafka_resp_err_t error =
        rd_kafka_producev(producer->kafka, RD_KAFKA_V_TOPIC(message->topic),
                          RD_KAFKA_V_KEY(message->key, message->key ? strlen(message->key) : 0),
                          RD_KAFKA_V_VALUE((void *)message->payload, message->size),
                          RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers),
                          RD_KAFKA_V_OPAQUE(message), RD_KAFKA_V_END);

    if (error) { /* else they are librdkafka's */
        rd_kafka_headers_destroy(headers);
    }
    return error;
}

/* false when there is no use in going on with the rest. */
static bool queue_one(struct producer *producer, struct produced *message, int64_t until_ms)
{
    rd_kafka_resp_err_t error;

    while ((error = produce(producer, message)) == RD_KAFKA_RESP_ERR__QUEUE_FULL &&
           !producer->spoilt && clock_monotonic_ms() < until_ms) {
        rd_kafka_poll(producer->kafka, POLL_MS);
    }
    if (error) {
        note_outcome(producer, message, error);
    } else {
        producer->pending++;
    }
    return !producer->spoilt;
}

void producer_send(struct producer *producer, struct produced *messages, size_t count,
                   int deadline_ms)
{
    int64_t until = clock_monotonic_ms() + deadline_ms;

    for (size_t i = 0; i < count; i++) {
        messages[i].outcome = ST_UNAVAILABLE;
    }
    pthread_mutex_lock(&producer->lock);
    if ((producer->kafka && atomic_load(&producer->up)) || make_ready(producer)) {
        for (size_t i = 0; i < count && queue_one(producer, &messages[i], until); i++) {
        }
        while (producer->pending > 0 && !producer->spoilt && clock_monotonic_ms() < until) {
            rd_kafka_poll(producer->kafka, POLL_MS);
        }
        if (producer->pending > 0 || producer->spoilt) {
            set_up(producer, false);
            drop_client(producer);
        }
    }
    pthread_mutex_unlock(&producer->lock);
}
