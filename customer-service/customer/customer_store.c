/* People in PostgreSQL: one function per statement of customer.sql, no rules. */
#include "customer-service/customer/customer_store.h"

#include "common/base/text.h"
#include "customer_sql.h"

static const struct db_constraint constraints[] = {
    {"customers_handle",               PROBLEM_HANDLE_TAKEN, "This handle is taken."},
    {"customers_pkey",         PROBLEM_ALREADY_EXISTS, "This person is known already."},
    {"customers_email",                 PROBLEM_ALREADY_EXISTS, "This e-mail address is already in use."},
    {0},
};

static enum status read_customer(struct ctx *ctx, const struct db_rows *row, struct customer *out)
{
    struct customer found = {
        .handle = arena_strdup(ctx->arena, db_get_text(row, 0, "handle")),
        .name = arena_strdup(ctx->arena, db_get_text(row, 0, "name")),
        .email = arena_strdup(ctx->arena, db_get_text(row, 0, "email")),
        .role = role_parse(db_get_text(row, 0, "role")),
    };

    text_copy(found.id.text, sizeof(found.id.text), db_get_text(row, 0, "id"));
    *out = found;
    return ST_OK;
}

enum status customer_store_insert(struct ctx *ctx, struct db_conn *tx,
                                  const struct customer *customer, bool once)
{
    return db_exec(ctx, tx, once ? &SQL_CUSTOMER_INSERT_ONCE : &SQL_CUSTOMER_INSERT,
                   DB_ARGS(db_text(customer->id.text), db_text(customer->handle),
                           db_text(customer->email), db_text(customer->name),
                           db_text(role_name(customer->role))),
                   constraints);
}

enum status customer_store_by_id(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                 struct customer *found)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_CUSTOMER_BY_ID, DB_ARGS(db_text(id.text)), NULL, &row));
    return read_customer(ctx, &row, found);
}

enum status customer_store_by_login(struct ctx *ctx, struct db_conn *db, const char *login,
                                    struct customer *found)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_CUSTOMER_BY_LOGIN, DB_ARGS(db_text(login)), NULL, &row));
    return read_customer(ctx, &row, found);
}

enum status customer_store_hold(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                                struct customer *found)
{
    struct db_rows row;

    TRY(db_one(ctx, tx, &SQL_CUSTOMER_HOLD, DB_ARGS(db_text(id.text)), NULL, &row));
    return read_customer(ctx, &row, found);
}

enum status customer_store_set_role(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                                    enum role role, struct customer *changed)
{
    struct db_rows row;

    TRY(db_one(ctx, tx, &SQL_CUSTOMER_SET_ROLE, DB_ARGS(db_text(id.text), db_text(role_name(role))),
               NULL, &row));
    return read_customer(ctx, &row, changed);
}

enum status customer_store_update(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                  const struct customer_change *change, struct customer *changed)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_CUSTOMER_UPDATE,
               DB_ARGS(db_text(id.text), db_text(change->name), db_text(change->email)),
               constraints, &row));
    return read_customer(ctx, &row, changed);
}

const struct sql *const *customer_store_sql(size_t *count)
{
    *count = ARRAY_LEN(customer_statements);
    return customer_statements;
}
