/* A real server of tests/proto's EchoService, with real identities, for the tests of common/rpc. */
#ifndef TESTS_HELPERS_RPC_ECHO_SERVER_H
#define TESTS_HELPERS_RPC_ECHO_SERVER_H

#include "common/rpc/rpc_client.h"
#include "common/rpc/rpc_server.h"

#include "everything/test/v1/echo.pb-c.h"

#include <stdatomic.h>

#define ECHO(method) "/everything.test.v1.EchoService/" method

typedef Everything__Test__V1__EchoRequest echo_request;
typedef Everything__Test__V1__EchoAnswer echo_answer;
#define ECHO_REQUEST     EVERYTHING__TEST__V1__ECHO_REQUEST__INIT
#define ECHO_ANSWER_TYPE (&everything__test__v1__echo_answer__descriptor)
#define ECHO_ACT(what)   EVERYTHING__TEST__V1__ACT__ACT_##what

struct echo {
    struct contract *contract;
    struct identity_keys *keys;
    struct rpc_server *server;
    char address[32];
    atomic_int *reached;
    atomic_int said, opened, closed;      /* unary handlers begun; streams */
    _Atomic(struct rpc_stream *) staying; /* the last one that stays; a reference */
};

struct echo_options {
    int port, workers, queue;
    struct identity_keys *keys; /* NULL: new ones */
    bool unready;               /* until rpc_server_set_serving() */
    atomic_int *reached;        /* counts the unary calls, for another process; NULL: nobody asks */
};

struct echo *echo_start(const struct echo_options *options);
void echo_stop(struct echo *echo);
struct identity_keys *echo_new_keys(void);
struct contract *echo_contract(void);

/* To the echo server at the port, as a daemon that holds the keys; NULL keys: no identity. Its
 * target is gone on return: no client with another may be beside it. */
struct rpc_client *echo_client(int port, const struct identity_keys *keys);

/* One unary call; say: a request that holds this text only. */
enum status echo_ask(struct ctx *ctx, struct rpc_client *client, const char *path,
                     const echo_request *request, const echo_answer **answer) MUST_CHECK;
enum status echo_say(struct ctx *ctx, struct rpc_client *client, const char *path, const char *text,
                     const echo_answer **answer) MUST_CHECK;

/* A ctx of a caller with that role, its deadline PATIENCE_MS away. */
struct ctx *echo_ctx(enum role role);

/* Waits until the counter is at least 'at_least', PATIENCE_MS at most; false: it was not. */
bool echo_wait(atomic_int *counter, int at_least);

#endif
