/* One HTTP request on its way through the gateway, and the ways it can end. Every request becomes
 * one of these; each must be ended by exactly one of the functions below, from any thread: they
 * count, log and trace it. The exchange, its ctx and the request are gone once they return. */
#ifndef GATEWAY_EXCHANGE_H
#define GATEWAY_EXCHANGE_H

#include "common/base/ctx.h"
#include "common/http/http_server.h"
#include "common/token/token.h"

#include <protobuf-c/protobuf-c.h>

struct gateway;
struct route;

enum { ROUTE_MAX_SEGMENTS = 10 };

/* What the limiter said of this request. */
struct limit_answer {
    bool allowed;
    const char *limit_class; /* NULL: not asked */
    int quota, window_s;
    int remaining;
    int reset_s; /* until there is one more */
};

struct exchange {
    struct gateway *gateway;
    struct ctx *ctx; /* ctx->caller is who is asking, once the handler runs */
    struct http_request *request;
    const struct route *route;              /* NULL: no such route */
    const char *values[ROUTE_MAX_SEGMENTS]; /* of the template's variables, in order, decoded */
    const char *address; /* of the client, behind trusted proxies; IPv6: its /64 */
    int64_t begun_us;
    struct token_claims claims; /* expires_at is 0 without a token */
    bool has_bad_token;
    struct limit_answer limit;
    ProtobufCMessage *in;
};

/* A reply with the headers that all have; more come by http_reply_header() before it. 'body' lives
 * in the exchange's arena or is constant: it is not copied. An exchange that has failed ends with
 * exchange_problem(). */
void exchange_reply(struct exchange *exchange, int code, const char *type, const char *body,
                    size_t size);

/* application/problem+json of ctx->failure, which is also logged. */
void exchange_problem(struct exchange *exchange);

/* Server-sent events: headers, one line in the log, and the stream is the caller's. Keep copies of
 * what is needed of the exchange. */
struct http_stream *exchange_stream(struct exchange *exchange, size_t max_queued,
                                    void (*closed)(void *user), void *user);

/* A WebSocket. NULL when it is no valid handshake: the exchange is then still to be ended. */
struct http_socket *exchange_socket(struct exchange *exchange, const char *protocol,
                                    const struct http_socket_events *events, void *user);

#endif
