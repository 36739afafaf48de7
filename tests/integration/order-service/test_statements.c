/* links: test_db
 * Every statement of the order service fits its migrated schema, as the role that runs it; and that
 * role cannot alter a thing. DATA-02 */
#include "common/base/auto.h"
#include "common/db/db.h"
#include "common/db/idempotency.h"
#include "menu_sql.h"
#include "migrations.h"
#include "order_sql.h"
#include "payment_sql.h"
#include "shop_sql.h"
#include "tests/helpers/house_test.h"
#include "tests/helpers/test_db.h"

static void make(void)
{
    test_db_make_for("order_service", migrations, ARRAY_LEN(migrations));
}

START_TEST(every_statement_can_be_prepared)
{
    struct db_pool *pool = db_pool_new(test_db_runtime());
    const struct sql *const *shared;
    size_t count;

    test_db_prepare_all(pool, order_statements, ARRAY_LEN(order_statements));
    test_db_prepare_all(pool, menu_statements, ARRAY_LEN(menu_statements));
    test_db_prepare_all(pool, shop_statements, ARRAY_LEN(shop_statements));
    test_db_prepare_all(pool, payment_statements, ARRAY_LEN(payment_statements));
    shared = idempotency_sql(&count);
    test_db_prepare_all(pool, shared, count);
    db_pool_free(pool);
}
END_TEST

static const char *const forbidden[] = {
    "ALTER TABLE orders.orders ADD COLUMN x int",
    "DROP TABLE orders.order_items",
    "CREATE TABLE orders.x (y int)",
    "UPDATE orders.order_events SET type = 'x'",
    "DELETE FROM orders.order_events",
    "DELETE FROM orders.orders",
    "DELETE FROM payment.payments",
    "UPDATE payment.payment_events SET code = ''",
};

START_TEST(the_runtime_role_cannot_alter_or_rewrite_history)
{
    struct db_pool *pool = db_pool_new(test_db_runtime());

    for (size_t i = 0; i < ARRAY_LEN(forbidden); i++) {
        struct ctx *ctx = ctx_new_system("test");
        struct sql statement = {"forbidden", SQL_EXEC, forbidden[i]};
        struct db_conn *db;

        db = test_db_take(ctx, pool);
        ck_assert_msg(db_exec(ctx, db, &statement, DB_NO_ARGS, NULL) != ST_OK, "%s", forbidden[i]);
        ctx_free(ctx);
    }
    db_pool_free(pool);
}
END_TEST

TEST_MAIN_AROUND("order_service_statements",
                 (&(struct test_around){.start = make, .stop = test_db_drop}),
                 every_statement_can_be_prepared, the_runtime_role_cannot_alter_or_rewrite_history)
