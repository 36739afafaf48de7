/* A stage for tests of the gateway: a real Valkey, gRPC servers of ours with stub handlers
 * behind the real contracts, and as many gateways as a test wants, all in this process and on
 * loopback. */
#ifndef TESTS_HELPERS_GATEWAY_STAGE_H
#define TESTS_HELPERS_GATEWAY_STAGE_H

#include "common/rpc/rpc_server.h"
#include "common/token/token.h"
#include "gateway/gateway.h"
#include "tests/helpers/raw_client.h"
#include "tests/helpers/valkey_server.h"

enum { STAGE_GATEWAYS = 2 };

#define STAGE_CUSTOMER "019aa1f0-5c3e-7000-8000-00000000beef"
#define STAGE_SESSION  "019aa1f0-5c3e-7000-8000-00000000aaaa"
#define STAGE_ORDER    "019aa1f0-5c3e-7000-8000-00000000cafe"

struct stage {
    char directory[64]; /* keys */
    char valkey_host[16], order_address[32], customer_address[32], keys_file[80];
    struct config config; /* change it before stage_open() */
    struct token_signer *signer;
    struct identity_keys *keys;
    struct contract *contract;
    struct rpc_server *order, *customer;
    int order_port, customer_port;
    struct gateway *gateways[STAGE_GATEWAYS];
    int count;
};

/* Keys and settings; nothing listens yet. */
void stage_make(struct stage *stage, int valkey_port);
void stage_start_order(struct stage *stage); /* on order_port */
void stage_start_order_with(struct stage *stage, const struct rpc_service *services);
void stage_stop_order(struct stage *stage);
void stage_start_customer(struct stage *stage);
void stage_stop_customer(struct stage *stage);
/* One more gateway, ready; 'contract' may be NULL. */
struct gateway *stage_open(struct stage *stage, struct contract *contract);
void stage_close(struct stage *stage);

/* An access token, valid from now; lives until the next call. */
const char *stage_token(const struct stage *stage, enum role role, const char *subject,
                        const char *session);
const char *stage_token_aged(const struct stage *stage, enum role role, int64_t signed_in_ago_s);

struct ask {
    const char *method, *path, *token; /* token NULL: none */
    const char *headers;               /* "Name: value\r\n", or NULL */
    const char *body;                  /* NULL: none; sent as JSON unless headers say otherwise */
};
/* One request on a connection of its own; the code. '*reply' as raw_reply(). */
int stage_ask(const struct gateway *gateway, const struct ask *ask, struct raw_reply *reply);

#endif
