/* See stage.h. */
#include "tests/helpers/gateway/stage.h"

#include "common/base/clock.h"
#include "common/base/text.h"
#include "gateway/contracts.h"
#include "tests/helpers/free_port.h"
#include "tests/helpers/gateway/stubs.h"

#include <check.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { READY_MS = 60000, DRAIN_MS = 200 };

static void write_signing_key(const char *directory)
{
    char path[96];
    EVP_PKEY *key = EVP_EC_gen("P-256");

    snprintf(path, sizeof(path), "%s/current.pem", directory);
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    EVP_PKEY_free(key);
}

static void write_identity_keys(const char *path)
{
    FILE *file = fopen(path, "we");

    ck_assert_ptr_nonnull(file);
    fputs("k1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", file);
    fclose(file);
}

void stage_make(struct stage *stage, int valkey_port)
{
    memset(stage, 0, sizeof(*stage));
    snprintf(stage->directory, sizeof(stage->directory), "/tmp/test_gateway.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(stage->directory));
    snprintf(stage->keys_file, sizeof(stage->keys_file), "%s/identity.keys", stage->directory);
    write_signing_key(stage->directory);
    write_identity_keys(stage->keys_file);
    stage->signer = token_signer_load(stage->directory, stderr);
    stage->keys = identity_keys_load(stage->keys_file, stderr);
    stage->contract = contract_new(contract_services, stderr);
    ck_assert(stage->signer && stage->keys && stage->contract);
    stage->order_port = free_port();
    stage->customer_port = free_port();
    snprintf(stage->order_address, sizeof(stage->order_address), "127.0.0.1:%d", stage->order_port);
    snprintf(stage->customer_address, sizeof(stage->customer_address), "127.0.0.1:%d",
             stage->customer_port);
    stage->config = (struct config){
        .listen_address = "127.0.0.1",
        .log_level = "info",
        .public_url = "http://localhost:8000",
        .http_threads = 2,
        .rpc_threads = 1,
        .max_connections = 200,
        .max_streams_per_person = 200,
        .idle_timeout_s = 10,
        .metrics_user = "",
        .order_service = stage->order_address,
        .customer_service = stage->customer_address,
        .identity_keys_file = stage->keys_file,
        .valkey = {.host = "127.0.0.1", .user = "", .port = valkey_port},
        .rate_read = "10000/60s",
        .rate_write = "10000/60s",
        .rate_auth = "10000/60s",
        .rate_image = "10000/60s",
        .trusted_proxies = "",
        .cors_origins = "",
    };
}

static struct rpc_server *serve(const struct stage *stage, const char *address, const char *daemon,
                                const struct rpc_service *services)
{
    struct rpc_server *server = rpc_server_start(&(struct rpc_server_options){
        .address = address,
        .daemon = daemon,
        .contract = stage->contract,
        .services = services,
        .keys = stage->keys,
        .service = (void *)(uintptr_t)stage,
        .workers = 4,
    });

    ck_assert_ptr_nonnull(server);
    rpc_server_set_serving(server, true);
    return server;
}

static void stop(struct rpc_server **server)
{
    if (*server) {
        rpc_server_drain(*server, DRAIN_MS);
        rpc_server_free(*server);
        *server = NULL;
    }
}

void stage_start_order(struct stage *stage)
{
    stage_start_order_with(stage, stub_order_services(stage->contract));
}

void stage_start_order_with(struct stage *stage, const struct rpc_service *services)
{
    stage->order = serve(stage, stage->order_address, "order-service", services);
}

void stage_stop_order(struct stage *stage)
{
    stop(&stage->order);
}

void stage_start_customer(struct stage *stage)
{
    stage->customer = serve(stage, stage->customer_address, "customer-service",
                            stub_customer_services(stage->contract));
}

void stage_stop_customer(struct stage *stage)
{
    stop(&stage->customer);
}

struct gateway *stage_open(struct stage *stage, struct contract *contract)
{
    int64_t until = clock_monotonic_ms() + READY_MS;
    AUTO(arena) struct arena *arena = arena_new(1024);
    const char *json;

    ck_assert_int_lt(stage->count, STAGE_GATEWAYS);
    struct gateway *gateway = gateway_start(&stage->config, contract);
    ck_assert_ptr_nonnull(gateway);
    stage->gateways[stage->count++] = gateway;
    while (stage->customer && !token_verifier_has_keys(gateway->verifier)) {
        ck_assert_int_lt(clock_monotonic_ms(), until);
        clock_pause_ms(5);
    }
    (void)health_report(gateway->health, arena, &json);
    return gateway;
}

void stage_close(struct stage *stage)
{
    char path[96];

    for (int i = 0; i < stage->count; i++) {
        gateway_stop(stage->gateways[i]);
    }
    stop(&stage->order);
    stop(&stage->customer);
    stubs_free();
    contract_free(stage->contract);
    identity_keys_free(stage->keys);
    token_signer_free(stage->signer);
    snprintf(path, sizeof(path), "%s/current.pem", stage->directory);
    unlink(path);
    unlink(stage->keys_file);
    rmdir(stage->directory);
}

static const char *issue(const struct stage *stage, const struct caller *caller)
{
    static char kept[2048];
    struct ctx *ctx = ctx_new_system("test");
    const char *token;

    ck_assert_int_eq(token_issue(ctx, stage->signer, TOKEN_ISSUER, caller, &token), ST_OK);
    ck_assert(text_copy(kept, sizeof(kept), token));
    ctx_free(ctx);
    return kept;
}

const char *stage_token(const struct stage *stage, enum role role, const char *subject,
                        const char *session)
{
    struct caller caller = {
        .role = role, .device = "phone", .methods = "pwd", .signed_in_at = clock_wall_ms() / 1000};

    text_copy(caller.subject, sizeof(caller.subject), subject);
    text_copy(caller.session, sizeof(caller.session), session);
    return issue(stage, &caller);
}

const char *stage_token_aged(const struct stage *stage, enum role role, int64_t signed_in_ago_s)
{
    struct caller caller = {.role = role,
                            .subject = STAGE_CUSTOMER,
                            .session = STAGE_SESSION,
                            .device = "phone",
                            .methods = "pwd",
                            .signed_in_at = clock_wall_ms() / 1000 - signed_in_ago_s};

    return issue(stage, &caller);
}

int stage_ask(const struct gateway *gateway, const struct ask *ask, struct raw_reply *reply)
{
    AUTO(arena) struct arena *arena = arena_new(4096);
    struct text text = text_new(arena, 1024);
    int fd = raw_connect(http_server_port(gateway->http));

    ck_assert_int_ge(fd, 0);
    text_printf(&text, "%s %s HTTP/1.1\r\nHost: test\r\nConnection: close\r\n", ask->method,
                ask->path);
    if (ask->token) {
        text_printf(&text, "Authorization: Bearer %s\r\n", ask->token);
    }
    text_add(&text, ask->headers ? ask->headers : "");
    if (ask->body) {
        bool typed = ask->headers && strstr(ask->headers, "Content-Type");

        text_printf(&text, "%sContent-Length: %zu\r\n",
                    typed ? "" : "Content-Type: application/json\r\n", strlen(ask->body));
    }
    text_printf(&text, "\r\n%s", ask->body ? ask->body : "");
    ck_assert(raw_send(fd, text.data));
    bool head = strcmp(ask->method, "HEAD") == 0;
    bool got = head ? raw_reply_no_body(fd, reply) : raw_reply(fd, reply);
    close(fd);
    return got ? reply->code : -1;
}
