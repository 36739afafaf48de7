/* What a test heard on one streaming call. */
#ifndef TESTS_HELPERS_RPC_LISTENER_H
#define TESTS_HELPERS_RPC_LISTENER_H

#include "tests/helpers/rpc/echo_server.h"

struct listener {
    atomic_int messages, ended;
    int pause_after; /* 0: never */
    bool in_order;   /* each answer's count was one more than the last one's */
    int last;
    enum status st; /* valid once 'ended' */
    enum problem problem;
    char message[128];
};

extern const struct rpc_watch_events listener_events;

/* Opens the call and sends one request with that act and count; our side stays open. */
struct rpc_watch *listener_open(struct listener *listener, struct rpc_client *client,
                                struct ctx *ctx, const char *path, const echo_request *request);
/* Waits for the end and gives the status; ST_INTERNAL after PATIENCE_MS without one. */
enum status listener_end(struct listener *listener);

#endif
