/* A port that is held for a moment is no reason to give up. The ports of gRPC lie where Linux takes
 * the local ends of outgoing connections from: one of them may have ours when we start, and lets go
 * when its connection ends. Listening stays with the libraries. */
#include "common/base/clock.h"
#include "common/base/socket_address.h"
#include "common/obs/log.h"
#include "common/process/daemon.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, LOOK_EVERY_MS = 100, ANSWER_MS = 1000 };

static int probe_for(const union socket_address *address)
{
    return socket(address->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

static bool is_in_use(const union socket_address *address)
{
    int probe = probe_for(address);

    if (probe < 0) {
        return false;
    }
    setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int)); /* as the servers do */
    bool in_use = bind(probe, &address->any, sizeof(*address)) != 0 && errno == EADDRINUSE;
    close(probe);
    return in_use;
}

/* Who has not refused us by then has a full queue, or is stopped: it is a server as well. */
static bool is_accepted_or_left_waiting(int probe)
{
    struct pollfd connected = {.fd = probe, .events = POLLOUT};
    int error = 0;
    int ready = poll(&connected, 1, ANSWER_MS);

    if (ready > 0) {
        getsockopt(probe, SOL_SOCKET, SO_ERROR, &error, &(socklen_t){sizeof(error)});
    }
    return ready >= 0 && error == 0;
}

static bool has_server(const union socket_address *address)
{
    int probe = probe_for(address);

    if (probe < 0) {
        return false;
    }
    bool found = connect(probe, &address->any, sizeof(*address)) == 0 ||
                 (errno == EINPROGRESS && is_accepted_or_left_waiting(probe));
    close(probe);
    return found;
}

/* Held, and nobody answers there. What a server holds it keeps. */
static bool is_held_for_a_moment(const union socket_address *address)
{
    return is_in_use(address) && !has_server(address);
}

bool daemon_await_port(const char *listen_address, int port)
{
    int64_t began = clock_monotonic_ms();
    bool has_waited = false;
    union socket_address address;

    if (!port || !socket_address_parse(listen_address, port, &address)) {
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
