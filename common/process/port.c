/* A port that is held for a moment is no reason to give up. The ports of gRPC lie where Linux takes
 * the local ends of outgoing connections from: one of them may have ours when we start, and lets go
 * when its connection ends. Listening stays with the libraries. */
#include "common/base/clock.h"
#include "common/obs/log.h"
#include "common/process/daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, LOOK_EVERY_MS = 100 };

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static bool parse_address(const char *text, int port, union address *address)
{
    *address = (union address){
        .v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)}
    };
    if (inet_pton(AF_INET, text, &address->v4.sin_addr) == 1) {
        return true;
    }
    *address = (union address){
        .v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)}
    };
    return inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1;
}

/* 'act' is bind() or connect(): can it be done there? */
static bool can(int (*act)(int, const struct sockaddr *, socklen_t), const union address *address)
{
    int probe = socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (probe < 0) {
        return false;
    }
    setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)); /* as the servers do */
    bool done = act(probe, &address->any, sizeof(*address)) == 0;
    int error = errno;
    close(probe);
    errno = error;
    return done;
}

/* Held, and nobody answers there. What a server holds it keeps. */
static bool is_held_for_a_moment(const union address *address)
{
    return !can(bind, address) && errno == EADDRINUSE && !can(connect, address);
}

bool daemon_await_port(const char *listen_address, int port)
{
    int64_t began = clock_monotonic_ms();
    bool has_waited = false;
    union address address;

    if (!port || !parse_address(listen_address, port, &address)) {
        return true; /* any port will do, or the server says what is wrong with the address */
    }
    while (is_held_for_a_moment(&address)) {
        if (clock_monotonic_ms() - began >= PATIENCE_MS) {
            log_error(NULL, "an outgoing connection keeps our port", log_num("port", port));
            return false;
        }
        if (!has_waited) {
            log_warn(NULL, "an outgoing connection has our port: waiting for it to end",
                     log_text("address", listen_address), log_num("port", port),
                     log_num("patience_ms", PATIENCE_MS));
        }
        has_waited = true;
        clock_pause_ms(LOOK_EVERY_MS);
    }
    if (has_waited) {
        log_info(NULL, "the port is free", log_num("port", port),
                 log_num("waited_ms", clock_monotonic_ms() - began));
    }
    return true;
}
