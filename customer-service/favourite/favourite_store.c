/* Favourites in PostgreSQL: one function per statement, no rules. */
#include "customer-service/favourite/favourite_store.h"

#include "common/base/text.h"
#include "favourite_sql.h"

#include <string.h>

#define SEPARATOR "\x1f" /* as favourite.sql joins customizations */

static const struct db_constraint constraints[] = {
    {"favorites_customer_id_fkey",              PROBLEM_CONFLICT, "This account is gone."},
    {"favorites_one_usual",                  PROBLEM_BUSY, "Another device set the usual just now."},
    {"favorites_once",                     PROBLEM_ALREADY_EXISTS, "This is a favourite already."},
    {0},
};

static const char *const *split(struct ctx *ctx, const char *joined, size_t *count)
{
    size_t most = 1;

    *count = 0;
    for (const char *c = joined; *c; c++) {
        most += *c == *SEPARATOR;
    }
    const char **parts = arena_new_array(ctx->arena, const char *, most);
    char *rest = *joined ? arena_strdup(ctx->arena, joined) : NULL;
    while (rest) {
        parts[(*count)++] = strsep(&rest, SEPARATOR);
    }
    return parts;
}

static void read_favourite(struct ctx *ctx, const struct db_rows *rows, int row,
                           struct favourite *out)
{
    text_copy(out->id, sizeof(out->id), db_get_text(rows, row, "id"));
    out->menu_item_id = arena_strdup(ctx->arena, db_get_text(rows, row, "menu_item_id"));
    out->customization_ids =
        split(ctx, db_get_text(rows, row, "customizations"), &out->customization_count);
    out->is_usual = db_get_bool(rows, row, "is_usual");
}

enum status favourite_store_list(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                 const struct favourite **list, size_t *count)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_FAVOURITE_LIST, DB_ARGS(db_text(id.text)), &rows));
    struct favourite *found = arena_new_array(ctx->arena, struct favourite, (size_t)rows.count);
    for (int i = 0; i < rows.count; i++) {
        read_favourite(ctx, &rows, i, &found[i]);
    }
    *list = found;
    *count = (size_t)rows.count;
    return ST_OK;
}

enum status favourite_store_usual(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                  struct favourite *usual)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_FAVOURITE_USUAL, DB_ARGS(db_text(id.text)), NULL, &row));
    read_favourite(ctx, &row, 0, usual);
    return ST_OK;
}

enum status favourite_store_count(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                  int64_t *count)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_FAVOURITE_COUNT, DB_ARGS(db_text(id.text)), NULL, &row));
    *count = db_get_int(&row, 0, "favourites");
    return ST_OK;
}

enum status favourite_store_lock(struct ctx *ctx, struct db_conn *tx, struct customer_id id)
{
    return db_exec(ctx, tx, &SQL_FAVOURITE_LOCK, DB_ARGS(db_text(id.text)), NULL);
}

enum status favourite_store_no_usual(struct ctx *ctx, struct db_conn *tx, struct customer_id id)
{
    return db_exec(ctx, tx, &SQL_FAVOURITE_NO_USUAL, DB_ARGS(db_text(id.text)), NULL);
}

static struct db_arg customizations(struct ctx *ctx, const struct favourite *favourite)
{
    return db_text_array(ctx->arena, favourite->customization_ids, favourite->customization_count);
}

enum status favourite_store_insert(struct ctx *ctx, struct db_conn *tx, struct customer_id id,
                                   const struct favourite *favourite, struct favourite *kept)
{
    struct db_rows row;
    enum status st =
        db_one(ctx, tx, &SQL_FAVOURITE_INSERT,
               DB_ARGS(db_text(favourite->id), db_text(id.text), db_text(favourite->menu_item_id),
                       customizations(ctx, favourite), db_bool(favourite->is_usual)),
               constraints, &row);

    if (st == ST_NOT_FOUND) { /* no row: nothing was inserted and nothing changed */
        return fail_problem(ctx, PROBLEM_ALREADY_EXISTS, "This is a favourite already.");
    }
    TRY(st);
    read_favourite(ctx, &row, 0, kept);
    return ST_OK;
}

enum status favourite_store_delete(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                   const char *favourite)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_FAVOURITE_DELETE, DB_ARGS(db_text(favourite), db_text(id.text)),
                &rows));
    return rows.count
               ? ST_OK
               : fail_with(ctx, ST_NOT_FOUND, "", "favourite %s is not the caller's", favourite);
}

enum status favourite_store_seed(struct ctx *ctx, struct db_conn *db, struct customer_id id,
                                 const struct favourite *favourite)
{
    return db_exec(ctx, db, &SQL_FAVOURITE_SEED,
                   DB_ARGS(db_text(favourite->id), db_text(id.text),
                           db_text(favourite->menu_item_id), customizations(ctx, favourite)),
                   constraints);
}

const struct sql *const *favourite_store_sql(size_t *count)
{
    *count = ARRAY_LEN(favourite_statements);
    return favourite_statements;
}
