/* Building, starting, asking and ending the fake. */
#include "tests/helpers/apns/fake_apns.h"

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "tests/helpers/raw_client.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_LIMIT_MS = 60000, RECORD_SIZE = 16 << 20 };

static void die(const char *why)
{
    perror(why);
    abort();
}

static void path_in(const struct fake_apns *fake, const char *name, char path[96])
{
    snprintf(path, 96, "%s/%s", fake->directory, name);
}

static void write_keys(struct fake_apns *fake)
{
    char public_file[96];
    EVP_PKEY *key = EVP_EC_gen("P-256");

    path_in(fake, "provider.p8", fake->key_file);
    path_in(fake, "provider.pub", public_file);
    FILE *file = fopen(fake->key_file, "w");
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    file = fopen(public_file, "w");
    PEM_write_PUBKEY(file, key);
    fclose(file);
    EVP_PKEY_free(key);
}

static void find_program(char *program, size_t size)
{
    FILE *build = popen("'" SOURCE_DIR "/tests/fakes/apns/build.sh'", "r");

    if (!build || !fgets(program, (int)size, build) || pclose(build) != 0) {
        die("tests/fakes/apns/build.sh");
    }
    program[strcspn(program, "\n")] = '\0';
}

static void become(const struct fake_apns *fake, const char *program)
{
    char public_file[96];

    path_in(fake, "provider.pub", public_file);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execl(program, program, "-dir", fake->directory, "-key", public_file, "-kid", FAKE_APNS_KID,
          "-team", FAKE_APNS_TEAM, "-topic", FAKE_APNS_TOPIC, NULL);
    perror(program);
    _exit(127);
}

static int read_ready(struct fake_apns *fake)
{
    char path[96];

    path_in(fake, "ready", path);
    FILE *file = fopen(path, "r");
    int read = file ? fscanf(file, "%d %d", &fake->port, &fake->control) : 0;
    if (file) {
        fclose(file);
    }
    return read == 2;
}

void fake_apns_start(struct fake_apns *fake)
{
    int64_t until = clock_monotonic_ms() + START_LIMIT_MS;
    char program[512];

    snprintf(fake->directory, sizeof(fake->directory), "/tmp/fake_apns.XXXXXX");
    if (!mkdtemp(fake->directory)) {
        die("mkdtemp");
    }
    write_keys(fake);
    find_program(program, sizeof(program));
    fake->pid = fork();
    if (fake->pid == 0) {
        become(fake, program);
    }
    while (!read_ready(fake)) {
        if (clock_monotonic_ms() > until) {
            die("the fake did not start");
        }
        clock_pause_ms(10);
    }
    path_in(fake, "ca.pem", fake->ca_file);
    snprintf(fake->url, sizeof(fake->url), "https://127.0.0.1:%d", fake->port);
}

void fake_apns_stop(struct fake_apns *fake)
{
    static const char *const names[] = {"provider.p8", "provider.pub", "ca.pem",
                                        "ca.key",      "ready",        "pushes.jsonl"};
    char path[96];

    kill(fake->pid, SIGKILL);
    waitpid(fake->pid, NULL, 0);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        path_in(fake, names[i], path);
        unlink(path);
    }
    rmdir(fake->directory);
}

static void ask(const struct fake_apns *fake, const char *path, const char *body,
                struct raw_reply *reply)
{
    char head[256];
    int fd = raw_connect(fake->control);

    snprintf(head, sizeof(head), "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", path,
             strlen(body));
    if (fd < 0 || !raw_send(fd, head) || !raw_send(fd, body) || !raw_reply(fd, reply) ||
        reply->code != 200) {
        die(path);
    }
    close(fd);
}

void fake_apns_program(const struct fake_apns *fake, const char *program)
{
    struct raw_reply reply;

    ask(fake, "/program", program, &reply);
}

void fake_apns_reset(const struct fake_apns *fake)
{
    struct raw_reply reply;

    ask(fake, "/reset", "", &reply);
}

const char *fake_apns_record(const struct fake_apns *fake)
{
    static char record[RECORD_SIZE];
    char path[96];

    path_in(fake, "pushes.jsonl", path);
    FILE *file = fopen(path, "r");
    size_t size = file ? fread(record, 1, sizeof(record) - 1, file) : 0;
    if (file) {
        fclose(file);
    }
    record[size] = '\0';
    return record;
}

static int holds_all(const char *line, const char *const *texts)
{
    for (; *texts; texts++) {
        if (!strstr(line, *texts)) {
            return 0;
        }
    }
    return 1;
}

int fake_apns_count(const struct fake_apns *fake, const char *const *texts)
{
    char *line = (char *)fake_apns_record(fake), *end;
    int count = 0;

    for (; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        count += holds_all(line, texts);
    }
    return count;
}

int fake_apns_wait(const struct fake_apns *fake, int count, int64_t within_ms,
                   const char *const *texts)
{
    int64_t until = clock_monotonic_ms() + within_ms;

    while (fake_apns_count(fake, texts) < count) {
        if (clock_monotonic_ms() > until) {
            return 0;
        }
        clock_pause_ms(10);
    }
    return 1;
}

int fake_apns_connections(const struct fake_apns *fake)
{
    struct raw_reply reply;
    int count = -1;

    ask(fake, "/count", "", &reply);
    const char *at = strstr(reply.body, "\"connections\":");
    if (at) {
        sscanf(at, "\"connections\":%d", &count);
    }
    return count;
}
