/* links: test_db
 * Every statement of the customer service fits its migrated schema, as the role that runs it; and
 * that role cannot alter a thing. */
#include "auth_sql.h"
#include "common/db/idempotency.h"
#include "customer_sql.h"
#include "device_sql.h"
#include "favourite_sql.h"
#include "loyalty_sql.h"
#include "notice_sql.h"
#include "tests/integration/customer-service/shop.h"

static void make(void)
{
    test_db_make_for("customer_service", migrations, ARRAY_LEN(migrations));
}

/* DATA-02 */
START_TEST(every_statement_can_be_prepared)
{
    struct db_pool *pool = db_pool_new(test_db_runtime());
    const struct sql *const *shared;
    size_t count;

    test_db_prepare_all(pool, customer_statements, ARRAY_LEN(customer_statements));
    test_db_prepare_all(pool, auth_statements, ARRAY_LEN(auth_statements));
    test_db_prepare_all(pool, favourite_statements, ARRAY_LEN(favourite_statements));
    test_db_prepare_all(pool, loyalty_statements, ARRAY_LEN(loyalty_statements));
    test_db_prepare_all(pool, device_statements, ARRAY_LEN(device_statements));
    test_db_prepare_all(pool, notice_statements, ARRAY_LEN(notice_statements));
    shared = idempotency_sql(&count);
    test_db_prepare_all(pool, shared, count);
    db_pool_free(pool);
}
END_TEST

/* DATA-02 */
START_TEST(the_runtime_role_cannot_alter_or_rewrite_the_ledger)
{
    static const char *const forbidden[] = {
        "ALTER TABLE customer.customers ADD COLUMN x int",
        "DROP TABLE auth.passwords",
        "CREATE TABLE loyalty.x (y int)",
        "DELETE FROM customer.customers",
        "DELETE FROM auth.passwords",
        "UPDATE loyalty.ledger SET delta = 1000",
        "DELETE FROM loyalty.ledger",
        "DELETE FROM loyalty.stats",
    };
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

/* CUST-01 */
START_TEST(the_tables_of_the_documents_are_there)
{
    ck_assert_str_eq(test_db_ask("SELECT count(*) FROM information_schema.tables WHERE table_name"
                                 " IN ('customers', 'favorites', 'stats')"),
                     "3");
}
END_TEST

TEST_MAIN_AROUND("customer_service_statements",
                 (&(struct test_around){.start = make, .stop = test_db_drop}),
                 every_statement_can_be_prepared,
                 the_runtime_role_cannot_alter_or_rewrite_the_ledger,
                 the_tables_of_the_documents_are_there)
