/* What the tests of orders share: of a service what placing, moving and sweeping ask it for.
 * Included by those tests only; these definitions stand in for service.c. */
#ifndef TESTS_INTEGRATION_ORDER_SERVICE_ORDER_BAR_H
#define TESTS_INTEGRATION_ORDER_SERVICE_ORDER_BAR_H

#include "common/db/db.h"
#include "migrations.h"
#include "order-service/order/order.h"
#include "order-service/service.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/test_db.h"
#include "tests/integration/order-service/no_relay.h"

struct service {
    struct config config;
    struct db_pool *pool;
    struct order_days *days; /* the next three: where a test places */
    struct order_batches *batches;
    bool takes_money;
};

enum status service_db(struct ctx *ctx, struct service *service, struct db_conn **db)
{
    return db_take(ctx, service->pool, db);
}

const struct config *service_config(const struct service *service)
{
    return &service->config;
}

int64_t service_business_ms(const struct service *service, int seconds)
{
    (void)service;
    return (int64_t)seconds * 1000;
}

bool service_has_workflows(struct service *service)
{
    (void)service;
    return false;
}

/* Once, before the tests are forked. */
static void make(void)
{
    test_db_make_for("order_service", migrations, ARRAY_LEN(migrations));
}

#endif
