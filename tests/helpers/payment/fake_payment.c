/* Starting, asking and ending the provider. */
#include "tests/helpers/payment/fake_payment.h"

#include "common/base/clock.h"
#include "tests/helpers/free_port.h"
#include "tests/helpers/freeze.h"
#include "tests/helpers/raw_client.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_LIMIT_MS = 15000 };

static void die(const char *why)
{
    perror(why);
    abort();
}

static void become(const struct fake_payment *fake)
{
    char port[16];

    snprintf(port, sizeof(port), "%d", fake->port);
    setenv("PAYMENT_PORT", port, 1);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (chdir(fake->directory) != 0) {
        _exit(127);
    }
    int log = open("log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0 || dup2(log, STDOUT_FILENO) < 0) {
        _exit(127);
    }
    execl(PAYMENT_PROVIDER, PAYMENT_PROVIDER, (char *)NULL);
    perror(PAYMENT_PROVIDER);
    _exit(127);
}

void fake_payment_revive(struct fake_payment *fake)
{
    int64_t until = clock_monotonic_ms() + START_LIMIT_MS;
    int fd;

    fake->pid = fork();
    if (fake->pid == 0) {
        become(fake);
    }
    while ((fd = raw_connect(fake->port)) < 0) {
        if (clock_monotonic_ms() > until) {
            die("the payment provider did not start");
        }
        clock_pause_ms(5);
    }
    close(fd);
}

void fake_payment_start(struct fake_payment *fake)
{
    snprintf(fake->directory, sizeof(fake->directory), "/tmp/fake_payment.XXXXXX");
    if (!mkdtemp(fake->directory)) {
        die("mkdtemp");
    }
    fake->port = free_port();
    snprintf(fake->url, sizeof(fake->url), "http://127.0.0.1:%d", fake->port);
    fake_payment_revive(fake);
}

void fake_payment_kill(struct fake_payment *fake)
{
    kill(fake->pid, SIGKILL);
    waitpid(fake->pid, NULL, 0);
}

void fake_payment_stop(struct fake_payment *fake)
{
    static const char *const names[] = {"ledger.jsonl", "log"};
    char path[96];

    fake_payment_kill(fake);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", fake->directory, names[i]);
        unlink(path);
    }
    rmdir(fake->directory);
}

void fake_payment_freeze(const struct fake_payment *fake, bool frozen)
{
    (frozen ? freeze : thaw)(fake->pid);
}

static bool try_ask(const struct fake_payment *fake, const char *request, struct raw_reply *reply,
                    bool has_body)
{
    int fd = raw_connect(fake->port);
    bool good = fd >= 0 && raw_send(fd, request) &&
                (has_body ? raw_reply(fd, reply) : raw_reply_no_body(fd, reply));

    if (fd >= 0) {
        close(fd);
    }
    return good && reply->code < 300;
}

void fake_payment_faults(const struct fake_payment *fake, const char *rules)
{
    char body[256], request[512];
    struct raw_reply *reply = calloc(1, sizeof(*reply));

    snprintf(body, sizeof(body), "%s%s\"}", *rules ? "{\"rules\":\"" : "{\"clear\":1,\"rules\":\"",
             rules);
    snprintf(request, sizeof(request),
             "POST /faults HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n%s", strlen(body),
             body);
    if (!reply || !try_ask(fake, request, reply, false)) {
        die("POST /faults");
    }
    free(reply);
}

const char *fake_payment_get(const struct fake_payment *fake, const char *path)
{
    static struct raw_reply reply;
    char request[512];

    snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    if (!try_ask(fake, request, &reply, true)) {
        die(path);
    }
    return reply.body;
}

long long fake_payment_sum(const struct fake_payment *fake, const char *member)
{
    char name[64];

    snprintf(name, sizeof(name), "\"%s\":", member);
    const char *at = strstr(fake_payment_get(fake, "/ledger"), name);
    if (!at) {
        die(member);
    }
    return strtoll(at + strlen(name), NULL, 10);
}
