/* Reads with an assigned consumer, without a group; runs a broker as everything runs it,
 * smaller. */
#include "tests/helpers/test_kafka.h"

#include "tests/helpers/free_port.h"
#include "tests/helpers/freeze.h"

#include <fcntl.h>
#include <librdkafka/rdkafka.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MS = 60000, QUIET_MS = 200 };

static void die(const char *what, const char *why)
{
    fprintf(stderr, "tests need a Kafka: %s: %s\n", what, why);
    exit(EXIT_FAILURE);
}

const char *test_kafka_brokers(void)
{
    const char *brokers = getenv("KAFKA_BROKERS");

    if (!brokers || !*brokers) {
        die("KAFKA_BROKERS is not set", "see tools/test-env.sh");
    }
    return brokers;
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *brokers)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "bootstrap.servers", brokers, reason, sizeof(reason));
    rd_kafka_conf_set(conf, "group.id", "test-reader", reason, sizeof(reason));
    rd_kafka_conf_set(conf, "enable.auto.commit", "false", reason, sizeof(reason));
    rd_kafka_conf_set(conf, "enable.partition.eof", "true", reason, sizeof(reason));
    rd_kafka_conf_set(conf, "log_level", "0", reason, sizeof(reason));
    rd_kafka_t *kafka = rd_kafka_new(type, conf, reason, sizeof(reason));
    if (!kafka) {
        die("client", reason);
    }
    return kafka;
}

static int partitions_of(rd_kafka_t *kafka, const char *topic)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(kafka, topic, NULL);
    const struct rd_kafka_metadata *metadata;

    if (rd_kafka_metadata(kafka, 0, handle, &metadata, ANSWER_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        die(topic, "no metadata");
    }
    int count = metadata->topics[0].err ? 0 : metadata->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return count;
}

static char *copy(const void *bytes, size_t size)
{
    char *text = calloc(1, size + 1);

    if (!text) {
        abort();
    }
    return size ? memcpy(text, bytes, size) : text;
}

static char *headers_text(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    char text[4096] = "";
    const char *name;
    const void *value;
    size_t size, used = 0;

    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return copy("", 0);
    }
    for (size_t i = 0;
         rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s=%.*s\n", name, (int)size,
                                 (const char *)value);
    }
    return copy(text, strlen(text));
}

static void add_record(struct kafka_records *records, const rd_kafka_message_t *message)
{
    if (records->count % 1024 == 0) {
        records->v = realloc(records->v, (records->count + 1024) * sizeof(*records->v));
        if (!records->v) {
            abort();
        }
    }
    records->v[records->count++] = (struct kafka_record){
        .topic = copy(rd_kafka_topic_name(message->rkt), strlen(rd_kafka_topic_name(message->rkt))),
        .key = copy(message->key, message->key_len),
        .payload = copy(message->payload, message->len),
        .headers = headers_text(message),
        .partition = message->partition,
        .offset = message->offset,
    };
}

struct kafka_records test_kafka_read(const char *brokers, const char *topic)
{
    rd_kafka_t *kafka = client(RD_KAFKA_CONSUMER, brokers);
    struct kafka_records records = {0};
    int open = partitions_of(kafka, topic);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(open + 1);
    time_t until = time(NULL) + 20;

    for (int i = 0; i < open; i++) {
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    }
    rd_kafka_poll_set_consumer(kafka);
    rd_kafka_assign(kafka, list);
    while (open > 0 && time(NULL) < until) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka, QUIET_MS);

        if (message && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            open--;
        } else if (message && !message->err) {
            add_record(&records, message);
        }
        if (message) {
            rd_kafka_message_destroy(message);
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_close(kafka);
    rd_kafka_destroy(kafka);
    if (open > 0) {
        die(topic, "was not read to its end");
    }
    return records;
}

void test_kafka_records_free(struct kafka_records *records)
{
    for (size_t i = 0; i < records->count; i++) {
        free(records->v[i].topic);
        free(records->v[i].key);
        free(records->v[i].payload);
        free(records->v[i].headers);
    }
    free(records->v);
    *records = (struct kafka_records){0};
}

static void make_topic(rd_kafka_t *kafka, const char *topic)
{
    char reason[256];
    rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(topic, 2, 1, reason, sizeof(reason));
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka);

    rd_kafka_CreateTopics(kafka, &made, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ANSWER_MS);
    if (!event || rd_kafka_event_error(event)) {
        die(topic, "cannot be made");
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(made);
}

void test_kafka_write(const char *brokers, const char *topic, const char *key, const char *payload,
                      const char *const *headers)
{
    rd_kafka_t *kafka = client(RD_KAFKA_PRODUCER, brokers);
    rd_kafka_headers_t *list = rd_kafka_headers_new(4);

    if (partitions_of(kafka, topic) == 0) {
        make_topic(kafka, topic);
    }
    for (; headers && *headers; headers += 2) {
        rd_kafka_header_add(list, headers[0], -1, headers[1], -1);
    }
    rd_kafka_producev(kafka, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(key, strlen(key)),
                      RD_KAFKA_V_VALUE((void *)payload, strlen(payload)),
                      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(list),
                      RD_KAFKA_V_END);
    if (rd_kafka_flush(kafka, ANSWER_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        die(topic, "not written");
    }
    rd_kafka_destroy(kafka);
}

static void take_setting(rd_kafka_event_t *event, const char *name, char *value, size_t size)
{
    size_t topics, settings;
    const rd_kafka_ConfigResource_t **topic = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event), &topics);
    const rd_kafka_ConfigEntry_t **setting = rd_kafka_ConfigResource_configs(topic[0], &settings);

    for (size_t i = 0; i < settings; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(setting[i]), name) == 0) {
            snprintf(value, size, "%s", rd_kafka_ConfigEntry_value(setting[i]));
        }
    }
}

const char *test_kafka_topic_setting(const char *brokers, const char *topic, const char *name)
{
    static char value[64];
    rd_kafka_t *kafka = client(RD_KAFKA_PRODUCER, brokers);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka);
    rd_kafka_ConfigResource_t *asked = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);

    value[0] = '\0';
    rd_kafka_DescribeConfigs(kafka, &asked, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, ANSWER_MS);
    if (!event || rd_kafka_event_error(event)) {
        die(topic, "its settings were not told");
    }
    take_setting(event, name, value, sizeof(value));
    rd_kafka_event_destroy(event);
    rd_kafka_ConfigResource_destroy(asked);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(kafka);
    return value;
}

int test_kafka_members(const char *brokers, const char *group)
{
    rd_kafka_t *kafka = client(RD_KAFKA_PRODUCER, brokers);
    const struct rd_kafka_group_list *list;
    int members = -1;

    if (rd_kafka_list_groups(kafka, group, &list, ANSWER_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (list->group_cnt == 1 && strcmp(list->groups[0].state, "Stable") == 0) {
            members = list->groups[0].member_cnt;
        }
        rd_kafka_group_list_destroy(list);
    }
    rd_kafka_destroy(kafka);
    return members;
}

/* ---- a broker of our own ---- */

static struct {
    pid_t pid;
    char folder[64], address[32];
    int port, controller;
} own;

static void shell(const char *command)
{
    if (system(command) != 0) {
        die(command, "failed");
    }
}

static const char *kafka_home(void)
{
    static char home[256];
    const char *told = getenv("KAFKA_HOME");
    const char *cache = getenv("XDG_CACHE_HOME");

    if (told) {
        return told;
    }
    if (cache) {
        snprintf(home, sizeof(home), "%s/everything/kafka-4.3.1", cache);
    } else {
        snprintf(home, sizeof(home), "%s/.cache/everything/kafka-4.3.1", getenv("HOME"));
    }
    if (access(home, R_OK) != 0) {
        die(home, "is not there: ./everything up brings it");
    }
    return home;
}

static void launch(void)
{
    char properties[96], jars[320], log[96], archive[320];

    snprintf(properties, sizeof(properties), "%s/server.properties", own.folder);
    snprintf(log, sizeof(log), "%s/log", own.folder);
    snprintf(jars, sizeof(jars), "%s/libs/*", kafka_home());
    snprintf(archive, sizeof(archive), "-XX:SharedArchiveFile=%s/classes.jsa", kafka_home());
    own.pid = fork();
    if (own.pid == 0) {
        int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);

        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it must not outlive the test */
        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        execlp("java", "java", "-Xmx96m", "-Xss256k", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
               "-XX:-UsePerfData", archive, "-cp", jars, "kafka.Kafka", properties, (char *)NULL);
        _exit(127);
    }
}

static void wait_until_ready(void)
{
    rd_kafka_t *kafka = client(RD_KAFKA_PRODUCER, own.address);
    const struct rd_kafka_metadata *metadata;
    time_t until = time(NULL) + 180;
    rd_kafka_resp_err_t error;

    while ((error = rd_kafka_metadata(kafka, 1, NULL, &metadata, 1000)) && time(NULL) < until) {
    }
    if (error) {
        die(own.address, "the broker did not start");
    }
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_destroy(kafka);
}

void test_kafka_start(void)
{
    char command[1024];

    snprintf(own.folder, sizeof(own.folder), "/tmp/test-kafka-%d", (int)getpid());
    own.port = free_port();
    own.controller = free_port();
    snprintf(own.address, sizeof(own.address), "127.0.0.1:%d", own.port);
    snprintf(command, sizeof(command),
             "mkdir -p %1$s && cp -a '%2$s/format' %1$s/data &&"
             " sed -e 's#@DATA@#%1$s/data#' -e s/@PORT@/%3$d/ -e s/@CTRL@/%4$d/"
             " '%5$s/tools/stack/conf/kafka.properties' > %1$s/server.properties",
             own.folder, kafka_home(), own.port, own.controller, SOURCE_DIR);
    shell(command);
    launch();
    wait_until_ready();
}

const char *test_kafka_own(void)
{
    return own.address;
}

void test_kafka_kill(void)
{
    kill(own.pid, SIGKILL);
    waitpid(own.pid, NULL, 0);
}

void test_kafka_restart(void)
{
    launch();
    wait_until_ready();
}

void test_kafka_pause(void)
{
    freeze(own.pid);
}

void test_kafka_resume(void)
{
    thaw(own.pid);
}

void test_kafka_stop(void)
{
    char command[128];

    test_kafka_kill();
    snprintf(command, sizeof(command), "rm -rf %s", own.folder);
    shell(command);
}
