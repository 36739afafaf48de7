/* Counts messages and keeps the end. */
#include "tests/helpers/rpc/listener.h"

#include "common/base/text.h"

static bool heard(struct rpc_watch *watch, const ProtobufCMessage *message, void *user)
{
    const echo_answer *answer = (const echo_answer *)message;
    struct listener *listener = user;
    int count = atomic_load(&listener->messages);

    (void)watch;
    listener->in_order = count == 0 || (listener->in_order && answer->count == listener->last + 1);
    listener->last = answer->count;
    atomic_store(&listener->messages, count + 1);
    return count + 1 != listener->pause_after;
}

static void ended(struct rpc_watch *watch, enum status st, const struct ctx *ctx, void *user)
{
    struct listener *listener = user;

    (void)watch;
    listener->st = st;
    listener->problem = ctx->failure.problem;
    text_copy(listener->message, sizeof(listener->message),
              ctx->failure.message ? ctx->failure.message : "");
    atomic_fetch_add(&listener->ended, 1);
}

const struct rpc_watch_events listener_events = {.message = heard, .ended = ended};

struct rpc_watch *listener_open(struct listener *listener, struct rpc_client *client,
                                struct ctx *ctx, const char *path, const echo_request *request)
{
    struct rpc_watch *watch =
        rpc_watch_open(ctx, client, path, ECHO_ANSWER_TYPE, &listener_events, listener);

    rpc_watch_send(watch, &request->base);
    return watch;
}

enum status listener_end(struct listener *listener)
{
    return echo_wait(&listener->ended, 1) ? listener->st : ST_INTERNAL;
}
