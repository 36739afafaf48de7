/* What the tests of customer-service share: a database, a Valkey and keys of their own, and a
 * service over them. Included by those tests only. */
#ifndef TESTS_INTEGRATION_CUSTOMER_SERVICE_SHOP_H
#define TESTS_INTEGRATION_CUSTOMER_SERVICE_SHOP_H

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/cache/cache.h"
#include "common/crypto/crypto.h"
#include "customer-service/service.h"
#include "migrations.h"
#include "tests/helpers/free_port.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/patience.h"
#include "tests/helpers/test_db.h"
#include "tests/helpers/valkey_server.h"

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct {
    char directory[64];
    struct valkey_server valkey;
    const struct config *config;
    struct service *service; /* of the test that runs */
} shop;

static void shop_write_key(const char *name)
{
    char path[128];
    EVP_PKEY *key = EVP_EC_gen("P-256");

    snprintf(path, sizeof(path), "%s/%s", shop.directory, name);
    FILE *file = fopen(path, "w");
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    EVP_PKEY_free(key);
}

static void shop_write_identity_keys(void)
{
    char path[128], hex[2 * SHA256_SIZE + 1];
    uint8_t bytes[SHA256_SIZE];

    random_bytes(bytes, sizeof(bytes));
    hex_encode(bytes, sizeof(bytes), hex);
    snprintf(path, sizeof(path), "%s/identity.keys", shop.directory);
    FILE *file = fopen(path, "w");
    fprintf(file, "k1 %s\n", hex);
    fclose(file);
    setenv("IDENTITY_KEYS_FILE", path, 1);
}

static void shop_setenv_number(const char *name, int number)
{
    char text[16];

    snprintf(text, sizeof(text), "%d", number);
    setenv(name, text, 1);
}

static void shop_environment(void)
{
    const struct db_options *db = test_db_runtime();

    setenv("DB_HOST", db->host, 1);
    shop_setenv_number("DB_PORT", db->port);
    setenv("DB_NAME", db->name, 1);
    setenv("DB_USER", db->user, 1);
    setenv("DB_PASSWORD", db->password, 1);
    setenv("VALKEY_HOST", "127.0.0.1", 1);
    shop_setenv_number("VALKEY_PORT", shop.valkey.port);
    unsetenv("VALKEY_USER");
    unsetenv("VALKEY_PASSWORD");
    setenv("JWT_KEYS_DIR", shop.directory, 1);
    setenv("DEMO", "1", 1);
    shop_setenv_number("GRPC_PORT", free_port());
    shop_setenv_number("METRICS_PORT", free_port());
}

/* Once, before the tests are forked. */
static __attribute__((unused)) void shop_make(void)
{
    test_db_make_for("customer_service", migrations, ARRAY_LEN(migrations));
    snprintf(shop.directory, sizeof(shop.directory), "/tmp/customer_test.XXXXXX");
    if (!mkdtemp(shop.directory)) {
        abort();
    }
    shop_write_key("current.pem");
    shop_write_key("next.pem");
    shop.valkey = valkey_server_start(0, NULL);
    shop_write_identity_keys();
    shop_environment();
}

static __attribute__((unused)) void shop_drop(void)
{
    static const char *const files[] = {"current.pem", "next.pem", "identity.keys"};
    char path[128];

    valkey_server_stop(&shop.valkey);
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        snprintf(path, sizeof(path), "%s/%s", shop.directory, files[i]);
        unlink(path);
    }
    rmdir(shop.directory);
    test_db_drop();
}

/* Its first connection, however long a busy machine takes over it. */
static __attribute__((unused)) void shop_await_db(struct service *service)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;
    struct ctx *ctx = ctx_new_system("test");
    struct db_conn *db = NULL;

    while (service_db(ctx, service, &db) != ST_OK) {
        ck_assert_msg(clock_monotonic_ms() < until, "%s", ctx->failure.detail);
    }
    ctx_free(ctx);
}

/* Around each test. */
static __attribute__((unused)) void shop_open(void)
{
    shop.config = config_load();
    ck_assert_ptr_nonnull(shop.config);
    shop.service = service_open(shop.config);
    ck_assert_ptr_nonnull(shop.service);
    shop_await_db(shop.service);
}

static __attribute__((unused)) void shop_close(void)
{
    service_stop(shop.service);
}

/* A ctx in which this person asks; free it with ctx_free(). */
static __attribute__((unused)) struct ctx *shop_ctx(const char *subject, enum role role)
{
    struct ctx *ctx = ctx_new_system("test");

    text_copy(ctx->caller.subject, sizeof(ctx->caller.subject), subject);
    ctx->caller.role = role;
    text_copy(ctx->client_address, sizeof(ctx->client_address), "192.0.2.1");
    return ctx;
}

/* Asks until it is ST_OK, as a good client and the consumer do while the database is too busy. */
#define shop_insist(ctx, call)                                   \
    do {                                                         \
        int64_t until_ms_ = clock_monotonic_ms() + PATIENCE_MS;  \
        enum status st_;                                         \
        do {                                                     \
            ctx_forgive(ctx);                                    \
            st_ = (call);                                        \
        } while ((st_ == ST_UNAVAILABLE || st_ == ST_TIMEOUT) && \
                 clock_monotonic_ms() < until_ms_);              \
        ck_assert_int_eq(st_, ST_OK);                            \
    } while (0)

/* What the test itself asks Valkey: again, when a busy machine kept it from answering in time. */
static __attribute__((unused)) void shop_valkey(struct ctx *ctx, struct cache *cache,
                                                const char *const *words, size_t count,
                                                struct cache_reply *reply)
{
    int64_t until = clock_monotonic_ms() + PATIENCE_MS;

    while (cache_command(ctx, cache, words, count, reply) != ST_OK) {
        ck_assert_msg(clock_monotonic_ms() < until, "%s", ctx->failure.detail);
        clock_pause_ms(50);
    }
}
#define SHOP_VALKEY(ctx, cache, reply, ...)                         \
    shop_valkey((ctx), (cache), (const char *const[]){__VA_ARGS__}, \
                sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *), (reply))

#endif
