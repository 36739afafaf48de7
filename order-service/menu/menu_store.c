/* The menu in PostgreSQL: one function a statement of menu.sql, and rows to a snapshot. */
#include "order-service/menu/menu_store.h"

#include "common/base/text.h"
#include "common/db/db.h"
#include "menu_sql.h"

#include <string.h>

static const struct db_constraint constraints[] = {
    {"menu_items_price",                      PROBLEM_INVALID_FIELDS, "priceCents must be from 1 to 1000000"},
    {"menu_items_window", PROBLEM_INVALID_FIELDS, "validFrom must be before validTo"},
    {"menu_customization_known",                     PROBLEM_INVALID_FIELDS, "a customization is not known"},
    {0    },
};

enum status menu_store_version(struct ctx *ctx, struct db_conn *db, int64_t *version)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_MENU_VERSION, DB_NO_ARGS, NULL, &row));
    *version = db_get_int(&row, 0, "version");
    return ST_OK;
}

enum status menu_store_hold(struct ctx *ctx, struct db_conn *db, const char *id, int64_t *version)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_MENU_HOLD_ITEM, DB_ARGS(db_text(id)), NULL, &row));
    TRY(db_one(ctx, db, &SQL_MENU_HOLD_VERSION, DB_NO_ARGS, NULL, &row));
    *version = db_get_int(&row, 0, "version");
    return ST_OK;
}

static const char *copy(struct menu *menu, const struct db_rows *rows, int row, const char *column)
{
    const char *text = db_get_text(rows, row, column);

    return arena_strdup(menu->arena, text ? text : "");
}

static struct menu_item read_item(struct menu *menu, const struct db_rows *rows, int row)
{
    return (struct menu_item){
        .id = copy(menu, rows, row, "id"),
        .name = copy(menu, rows, row, "name"),
        .description = copy(menu, rows, row, "description"),
        .kind = (int)db_get_int(rows, row, "kind"),
        .price_cents = db_get_int(rows, row, "price_cents"),
        .available = db_get_bool(rows, row, "available"),
        .allergens = copy(menu, rows, row, "allergens"),
        .valid_from_ms = db_get_time(rows, row, "valid_from"),
        .valid_to_ms = db_get_time(rows, row, "valid_to"),
        .photo_id = copy(menu, rows, row, "photo_id"),
    };
}

static struct menu_customization read_customization(struct menu *menu, const struct db_rows *rows,
                                                    int row)
{
    return (struct menu_customization){
        .id = copy(menu, rows, row, "c_id"),
        .name = copy(menu, rows, row, "c_name"),
        .kind = (int)db_get_int(rows, row, "c_kind"),
        .extra_cents = db_get_int(rows, row, "c_extra_cents"),
        .available = db_get_bool(rows, row, "c_available"),
        .allergens = copy(menu, rows, row, "c_allergens"),
    };
}

/* One row a pair of drink and customization, sorted by drink: a new id begins a new drink. */
static void read_items(struct menu *menu, const struct db_rows *rows)
{
    struct menu_item *items = arena_new_array(menu->arena, struct menu_item, (size_t)rows->count);
    struct menu_customization *pairs =
        arena_new_array(menu->arena, struct menu_customization, (size_t)rows->count);

    for (int row = 0; row < rows->count; row++) {
        const char *id = db_get_text(rows, row, "id");

        if (!id) {
            continue; /* an empty menu is one row with a version and nothing else */
        }
        if (menu->count == 0 || strcmp(items[menu->count - 1].id, id) != 0) {
            items[menu->count] = read_item(menu, rows, row);
            items[menu->count].customizations = &pairs[row];
            menu->count++;
        }
        if (db_get_text(rows, row, "c_id")) {
            pairs[row] = read_customization(menu, rows, row);
            items[menu->count - 1].customization_count++;
        }
    }
    menu->items = items;
}

enum status menu_store_load(struct ctx *ctx, struct db_conn *db, struct menu **menu)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_MENU_ITEMS, DB_NO_ARGS, &rows));
    if (rows.count == 0) {
        return fail_with(ctx, ST_INTERNAL, "", "menu.version has no row");
    }
    struct arena *arena = arena_new(16384);
    *menu = arena_new_struct(arena, struct menu);
    (*menu)->arena = arena;
    (*menu)->version = db_get_int(&rows, 0, "version");
    atomic_store(&(*menu)->holders, 1);
    read_items(*menu, &rows);
    return ST_OK;
}

static struct db_arg optional_text_array(struct arena *arena, const char *const *texts,
                                         size_t count)
{
    return texts ? db_text_array(arena, texts, count) : db_text(NULL);
}

enum status menu_store_insert(struct ctx *ctx, struct db_conn *db, const struct menu_change *drink)
{
    struct db_rows row;
    enum status st =
        db_one(ctx, db, &SQL_MENU_INSERT,
               DB_ARGS(db_text(drink->id), db_text(drink->name), db_text(drink->description),
                       db_int(*drink->kind), db_int(*drink->price_cents),
                       db_text_array(ctx->arena, drink->allergens, drink->allergen_count),
                       db_time(ctx->arena, drink->valid_from_ms ? *drink->valid_from_ms : 0),
                       db_time(ctx->arena, drink->valid_to_ms ? *drink->valid_to_ms : 0)),
               constraints, &row);

    return st == ST_NOT_FOUND
               ? fail_problem(ctx, PROBLEM_ALREADY_EXISTS, "a drink of that name is on the menu")
               : st;
}

enum status menu_store_update(struct ctx *ctx, struct db_conn *db, const struct menu_change *change)
{
    struct db_rows row;

    return db_one(
        ctx, db, &SQL_MENU_UPDATE,
        DB_ARGS(db_text(change->id), db_text(change->name), db_text(change->description),
                change->kind ? db_int(*change->kind) : db_text(NULL),
                change->price_cents ? db_int(*change->price_cents) : db_text(NULL),
                change->available ? db_bool(*change->available) : db_text(NULL),
                optional_text_array(ctx->arena, change->allergens, change->allergen_count),
                db_time(ctx->arena, change->valid_from_ms ? *change->valid_from_ms : 0),
                db_bool(change->valid_from_ms),
                db_time(ctx->arena, change->valid_to_ms ? *change->valid_to_ms : 0),
                db_bool(change->valid_to_ms)),
        constraints, &row);
}

enum status menu_store_remove(struct ctx *ctx, struct db_conn *db, const char *id)
{
    struct db_rows row;

    return db_one(ctx, db, &SQL_MENU_REMOVE, DB_ARGS(db_text(id)), NULL, &row);
}

enum status menu_store_set_pairs(struct ctx *ctx, struct db_conn *db, const char *id,
                                 const char *const *customizations, size_t count)
{
    TRY(db_exec(ctx, db, &SQL_MENU_FORGET_PAIRS, DB_ARGS(db_text(id)), NULL));
    return db_exec(ctx, db, &SQL_MENU_ADD_PAIRS,
                   DB_ARGS(db_text(id), db_text_array(ctx->arena, customizations, count)),
                   constraints);
}

enum status menu_store_customization(struct ctx *ctx, struct db_conn *db, const char *id,
                                     bool available)
{
    struct db_rows row;

    return db_one(ctx, db, &SQL_CUSTOMIZATION_SET_AVAILABLE,
                  DB_ARGS(db_text(id), db_bool(available)), NULL, &row);
}
