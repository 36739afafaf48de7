/* Settings that every client has, and topics through the admin API: the broker makes none by
 * itself. */
#include "common/events/kafka_client.h"

#include "common/obs/log.h"

#include <stdio.h>
#include <stdlib.h>

DEFINE_AUTO(kafka_queue, rd_kafka_queue_t *, rd_kafka_queue_destroy)
DEFINE_AUTO(kafka_event, rd_kafka_event_t *, rd_kafka_event_destroy)

/* librdkafka repeats itself while a broker is away; what matters is told by is_up() and our own
 * lines. */
static void log_quietly(const rd_kafka_t *kafka, int level, const char *facility, const char *text)
{
    (void)kafka;
    log_debug(NULL, "kafka", log_num("syslog_level", level), log_text("facility", facility),
              log_text("text", text));
}

static void set(rd_kafka_conf_t *conf, const char *name, const char *value)
{
    char reason[256];

    if (rd_kafka_conf_set(conf, name, value, reason, sizeof(reason)) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "kafka setting %s: %s\n", name, reason);
        abort();
    }
}

rd_kafka_conf_t *kafka_conf(const char *brokers, const char *daemon,
                            const struct kafka_setting *settings)
{
    const struct kafka_setting everywhere[] = {
        {"bootstrap.servers",        brokers},
        {"client.id",                daemon },
        {"reconnect.backoff.ms",     "100"  },
        {"reconnect.backoff.max.ms", "2000" },
        {"socket.keepalive.enable",  "true" },
        {"log.connection.close",     "false"},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    for (size_t i = 0; i < ARRAY_LEN(everywhere); i++) {
        set(conf, everywhere[i].name, everywhere[i].value);
    }
    for (; settings->name; settings++) {
        set(conf, settings->name, settings->value);
    }
    rd_kafka_conf_set_log_cb(conf, log_quietly);
    return conf;
}

rd_kafka_t *kafka_client(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char reason[256];
    rd_kafka_t *kafka = rd_kafka_new(type, conf, reason, sizeof(reason));

    if (!kafka) {
        fprintf(stderr, "kafka client: %s\n", reason);
        abort();
    }
    return kafka;
}

static rd_kafka_NewTopic_t *new_topic(const struct topic *topic)
{
    char reason[256], number[24];
    rd_kafka_NewTopic_t *made =
        rd_kafka_NewTopic_new(topic->name, topic->partitions, 1, reason, sizeof(reason));

    if (!made) {
        fprintf(stderr, "topic %s: %s\n", topic->name, reason);
        abort();
    }
    snprintf(number, sizeof(number), "%lld", (long long)topic->retention_ms);
    rd_kafka_NewTopic_set_config(made, "retention.ms", number);
    snprintf(number, sizeof(number), "%lld", (long long)topic->retention_bytes);
    rd_kafka_NewTopic_set_config(made, "retention.bytes", number);
    /* There is one broker, and whoever sent an event forgets it once it is acknowledged. */
    rd_kafka_NewTopic_set_config(made, "flush.messages", "1");
    return made;
}

static bool all_exist(const rd_kafka_CreateTopics_result_t *result)
{
    size_t count;
    const rd_kafka_topic_result_t **topics = rd_kafka_CreateTopics_result_topics(result, &count);

    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t error = rd_kafka_topic_result_error(topics[i]);

        if (error != RD_KAFKA_RESP_ERR_NO_ERROR &&
            error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
            log_warn(NULL, "topic not made",
                     log_text("topic", rd_kafka_topic_result_name(topics[i])),
                     log_text("reason", rd_kafka_err2str(error)));
            return false;
        }
    }
    return true;
}

/* NULL when the broker did not answer. */
static rd_kafka_event_t *create(rd_kafka_t *kafka, rd_kafka_NewTopic_t **made, size_t count,
                                int timeout_ms)
{
    AUTO(kafka_queue) rd_kafka_queue_t *answers = rd_kafka_queue_new(kafka);
    rd_kafka_AdminOptions_t *options =
        rd_kafka_AdminOptions_new(kafka, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    char reason[256];

    rd_kafka_AdminOptions_set_request_timeout(options, timeout_ms, reason, sizeof(reason));
    rd_kafka_CreateTopics(kafka, made, count, options, answers);
    rd_kafka_AdminOptions_destroy(options);
    return rd_kafka_queue_poll(answers, timeout_ms + 500);
}

bool kafka_ensure_topics(rd_kafka_t *kafka, const struct topic *topics, int timeout_ms)
{
    size_t count = 0;

    while (topics && topics[count].name) {
        count++;
    }
    if (count == 0) {
        return true;
    }
    AUTO(arena) struct arena *arena = arena_new(1024);
    rd_kafka_NewTopic_t **made = arena_new_array(arena, rd_kafka_NewTopic_t *, count);
    for (size_t i = 0; i < count; i++) {
        made[i] = new_topic(&topics[i]);
    }
    AUTO(kafka_event) rd_kafka_event_t *answer = create(kafka, made, count, timeout_ms);
    rd_kafka_NewTopic_destroy_array(made, count);
    return answer && rd_kafka_event_error(answer) == RD_KAFKA_RESP_ERR_NO_ERROR &&
           all_exist(rd_kafka_event_CreateTopics_result(answer));
}
