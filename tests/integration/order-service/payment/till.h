/* What the tests of payments share: a database and a provider of their own, and of a service what
 * payments ask it for. Included by those tests only; these definitions stand in for service.c. */
#ifndef TESTS_INTEGRATION_ORDER_SERVICE_PAYMENT_TILL_H
#define TESTS_INTEGRATION_ORDER_SERVICE_PAYMENT_TILL_H

#include "common/base/auto.h"
#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/db/db.h"
#include "migrations.h"
#include "order-service/payment/payment.h"
#include "order-service/payment/payment_provider.h"
#include "order-service/service.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/payment/fake_payment.h"
#include "tests/helpers/test_db.h"
#include "tests/integration/order-service/no_relay.h"
#include "tests/integration/order-service/warm_pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct service {
    struct config config;
    struct db_pool *pool;
    struct payment_provider *payments;
    uint8_t page_key[32];
};

static struct {
    struct fake_payment provider;
    struct service service;     /* of the test that runs */
    struct payment_sweep sweep; /* how far it has come */
} till;

enum {
    TILL_TIMEOUT_MS = 15000,  /* for what is answered */
    TILL_SILENCE_MS = 3000,   /* for what is done, and never answered */
    TILL_IMPATIENT_MS = 1000, /* for one that does nothing */
    TILL_POOL = 8,
    TILL_AT_ONCE = 16
};

enum status service_db(struct ctx *ctx, struct service *service, struct db_conn **db)
{
    return db_take(ctx, service->pool, db);
}

const struct config *service_config(const struct service *service)
{
    return &service->config;
}

struct payment_provider *service_payment_provider(struct service *service)
{
    return service->payments;
}

const uint8_t *service_page_key(const struct service *service)
{
    return service->page_key;
}

/* Once, before the tests are forked. */
static void till_make(void)
{
    test_db_make_for("order_service", migrations, ARRAY_LEN(migrations));
}

static __attribute__((unused)) long long books(const char *member)
{
    return fake_payment_sum(&till.provider, member);
}

/* Waits so long for the provider from now on, and thinks well of it. */
static void till_wait_for_it(int timeout_ms)
{
    payment_provider_free(till.service.payments);
    till.service.payments = payment_provider_new(till.provider.url, timeout_ms, TILL_AT_ONCE);
}

/* Around each test. */
static void till_open(void)
{
    struct db_options options = *test_db_runtime();

    test_db_run("TRUNCATE payment.payments, payment.payment_events, outbox.events");
    options.max = TILL_POOL;
    fake_payment_start(&till.provider);
    till.service.config.payment_sweep_after_s = 0;
    till.service.pool = db_pool_new(&options);
    test_db_prepare_all(till.service.pool, NULL, 0); /* its first connection, whenever it comes */
    till_wait_for_it(TILL_TIMEOUT_MS);
}

static void till_close(void)
{
    payment_provider_free(till.service.payments);
    db_pool_free(till.service.pool);
    fake_payment_stop(&till.provider);
}

/* Someone who orders; NULL: without an Idempotency-Key. Free it with ctx_free(). */
static struct ctx *till_ctx(const char *key)
{
    struct ctx *ctx = ctx_new_system("test");

    text_copy(ctx->caller.subject, sizeof(ctx->caller.subject),
              "019aa1f0-5c3e-7000-8000-00000000cafe");
    ctx->caller.role = ROLE_CUSTOMER;
    ctx->idempotency_key = key;
    return ctx;
}

static enum status till_hold(const char *key, int64_t cents, struct payment_hold *hold)
{
    struct ctx *ctx = till_ctx(key);
    struct payment_request request = {
        .method = "PlaceOrder", .currency = "EUR", .amount_cents = cents};

    text_copy(request.customer.text, sizeof(request.customer.text), ctx->caller.subject);
    enum status st = payment_authorize(ctx, &till.service, &request, hold);
    ctx_free(ctx);
    return st;
}

/* As the statement that places an order writes it; false: the hold was given up. */
static bool till_place(const struct payment_hold *hold, struct order_id *order)
{
    static const struct sql place = {
        "place", SQL_MANY,
        "INSERT INTO payment.payments (hold_id, order_id, customer_id, amount_cents, currency) "
        "SELECT $1, $2::uuid, $3::uuid, $4::bigint, 'EUR' ON CONFLICT (hold_id) DO NOTHING "
        "RETURNING 1 AS done"};
    struct ctx *ctx = till_ctx(NULL);
    struct db_conn *db = NULL;
    struct db_rows rows = {0};

    uuid_v7(order->text);
    ck_assert_int_eq(service_db(ctx, &till.service, &db), ST_OK);
    ck_assert_int_eq(db_many(ctx, db, &place,
                             DB_ARGS(db_text(hold->id), db_text(order->text),
                                     db_text(ctx->caller.subject), db_int(hold->amount_cents)),
                             &rows),
                     ST_OK);
    bool placed = rows.count == 1;
    ctx_free(ctx);
    return placed;
}

/* An order of that much, paid for as far as placing goes. */
static __attribute__((unused)) struct order_id till_order(int64_t cents)
{
    struct payment_hold hold;
    struct order_id order;

    ck_assert_int_eq(till_hold(NULL, cents, &hold), ST_OK);
    ck_assert(till_place(&hold, &order));
    return order;
}

static __attribute__((unused)) enum status till_capture(struct order_id order)
{
    struct ctx *ctx = ctx_new_system("order-service");
    enum status st = payment_capture(ctx, &till.service, order);

    ctx_free(ctx);
    return st;
}

/* It lands, and nobody says so. */
static __attribute__((unused)) void till_capture_unheard(struct order_id order)
{
    fake_payment_faults(&till.provider, "silent:capture:100:1:0");
    till_wait_for_it(TILL_SILENCE_MS);
    ck_assert_int_eq(till_capture(order), ST_UNAVAILABLE);
    till_wait_for_it(TILL_TIMEOUT_MS);
}

static __attribute__((unused)) enum status till_return(struct order_id order,
                                                       enum payment_returned *what)
{
    struct ctx *ctx = ctx_new_system("order-service");
    int64_t cents = 0;
    enum status st = payment_return(ctx, &till.service, order, what, &cents);

    ctx_free(ctx);
    return st;
}

static __attribute__((unused)) enum status till_sweep(void)
{
    struct ctx *ctx = ctx_new_system("order-service");

    clock_pause_ms(2); /* what was held in this very millisecond is not older than now */
    enum status st = payment_sweep(ctx, &till.service, &till.sweep);
    ctx_free(ctx);
    return st;
}

static __attribute__((unused)) const char *till_state(struct order_id order)
{
    static char query[160];

    snprintf(query, sizeof(query), "SELECT state FROM payment.payments WHERE order_id = '%s'",
             order.text);
    return test_db_ask(query);
}

#endif
