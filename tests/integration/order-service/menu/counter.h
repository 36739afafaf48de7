/* What the tests of the menu share: a database and a Valkey of their own, and of a service what the
 * menu asks it for. Included by those tests only; these definitions stand in for service.c. */
#ifndef TESTS_INTEGRATION_ORDER_SERVICE_MENU_COUNTER_H
#define TESTS_INTEGRATION_ORDER_SERVICE_MENU_COUNTER_H

#include "common/base/auto.h"
#include "common/cache/cache.h"
#include "common/db/db.h"
#include "migrations.h"
#include "order-service/menu/menu.h"
#include "order-service/service.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/test_db.h"
#include "tests/helpers/valkey_server.h"
#include "tests/integration/order-service/no_relay.h"
#include "tests/integration/order-service/warm_pool.h"

#include <stdatomic.h>

enum { SIDE = 8 }; /* connections to either */

/* ---- what the menu asks of the daemon ---- */

struct service {
    struct db_pool *pool;
    struct cache *cache;
    struct menu_cache *menu;
    atomic_bool armed, asked_database; /* for late_to_valkey() */
    void (*before_valkey)(struct service *service);
    void (*_Atomic before_database)(struct service *service); /* once */
};

static struct service shop;
static struct valkey_server valkey;

enum status service_db(struct ctx *ctx, struct service *service, struct db_conn **db)
{
    void (*first)(struct service *) = atomic_exchange(&service->before_database, NULL);

    service->asked_database = service->armed;
    if (first) {
        first(service);
    }
    return db_take(ctx, service->pool, db);
}

/* Armed, it lets somebody else go first where a read has its version from the database, and is
 * about to tell Valkey of it. */
struct cache *service_cache(struct service *service)
{
    if (service->armed && service->asked_database) {
        service->armed = false;
        service->before_valkey(service);
    }
    return service->cache;
}

struct menu_cache *service_menu_cache(struct service *service)
{
    return service->menu;
}

/* ---- around the tests ---- */

static void make(void)
{
    test_db_make_for("order_service", migrations, ARRAY_LEN(migrations));
    valkey = valkey_server_start(0, NULL);
}

static void drop(void)
{
    valkey_server_stop(&valkey);
    test_db_drop();
}

static void open_shop(void)
{
    struct db_options db = *test_db_runtime();
    struct cache_options cache = {.host = "127.0.0.1", .port = valkey.port, .max = SIDE};

    db.max = SIDE;
    shop = (struct service){
        .pool = db_pool_new(&db), .cache = cache_new(&cache), .menu = menu_cache_new()};
    warm_pool(shop.pool, SIDE);
}

static void close_shop(void)
{
    menu_cache_free(shop.menu);
    cache_free(shop.cache);
    db_pool_free(shop.pool);
}

#endif
