/* See grpc_host.h. The first call of a connection is a client's watch of the health: a host that
 * does not know of that is taken for healthy. */
#include "tests/helpers/grpc_host.h"

#include <check.h>
#include <poll.h>

enum { PREFACE = 24, HEALTH_STREAM = 1, LOOK_MS = 5 };

static bool has_news(int fd)
{
    return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, LOOK_MS) == 1;
}

static void tell_unimplemented(struct http2_peer *peer, uint32_t stream)
{
    static const char block[] = "\x88" /* :status: 200 */
                                "\0\14content-type\20application/grpc"
                                "\0\13grpc-status\2"
                                "12";

    http2_peer_send(peer, H2_HEADERS, H2_END_HEADERS | H2_END_STREAM, stream, block,
                    sizeof(block) - 1);
}

static void take_request(struct grpc_host *host, struct http2_peer *peer, uint32_t stream)
{
    if (stream == HEALTH_STREAM) {
        tell_unimplemented(peer, stream);
        return;
    }
    atomic_fetch_add(&host->calls, 1);
    if (host->resets) {
        http2_peer_send_number(peer, H2_RST_STREAM, stream, H2_CANCEL);
    }
}

static void take(struct grpc_host *host, struct http2_peer *peer, const struct http2_frame *frame)
{
    bool is_request = frame->type == H2_HEADERS || frame->type == H2_DATA;

    if (is_request && frame->flags & H2_END_STREAM) {
        take_request(host, peer, frame->stream);
    } else if (frame->type == H2_SETTINGS && !(frame->flags & H2_ACK)) {
        http2_peer_send(peer, H2_SETTINGS, H2_ACK, 0, "", 0);
    } else if (frame->type == H2_PING && !(frame->flags & H2_ACK)) {
        http2_peer_send(peer, H2_PING, H2_ACK, 0, frame->payload, frame->size);
    }
}

static void serve_one(struct grpc_host *host)
{
    struct http2_peer peer = {.fd = http2_host_accept_tcp(&host->base)};
    struct http2_frame frame;
    bool is_open = http2_peer_read_bytes(&peer, frame.payload, PREFACE);

    http2_peer_send(&peer, H2_SETTINGS, 0, 0, "", 0);
    while (is_open && !atomic_load(&host->over)) {
        if (has_news(peer.fd)) {
            is_open = http2_peer_read(&peer, &frame);
            if (is_open) {
                take(host, &peer, &frame);
            }
        }
    }
    http2_peer_close(&peer);
}

static void *serve(void *user)
{
    struct grpc_host *host = user;

    while (!atomic_load(&host->over)) {
        if (has_news(host->base.listener)) {
            serve_one(host);
        }
    }
    return NULL;
}

void grpc_host_start(struct grpc_host *host, bool resets)
{
    *host = (struct grpc_host){.resets = resets};
    http2_host_start(&host->base);
    ck_assert_int_eq(pthread_create(&host->thread, NULL, serve, host), 0);
}

void grpc_host_stop(struct grpc_host *host)
{
    atomic_store(&host->over, true);
    pthread_join(host->thread, NULL);
    http2_host_stop(&host->base);
}
