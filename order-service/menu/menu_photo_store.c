/* Photos in PostgreSQL: one function a statement or two of menu_photo.sql. */
#include "order-service/menu/menu_photo_store.h"

#include "common/base/text.h"
#include "menu_photo_sql.h"

#include <string.h>

enum { PART_BYTES = 64 * 1024 };

static const char *const states[] = {
    [PHOTO_STORED] = "stored", [PHOTO_READY] = "ready", [PHOTO_FAILED] = "failed"};

static enum photo_state parse_state(const char *text)
{
    for (enum photo_state state = PHOTO_STORED; state <= PHOTO_FAILED; state++) {
        if (text_equal(text, states[state])) {
            return state;
        }
    }
    return PHOTO_UNKNOWN;
}

enum status photo_store_lock_item(struct ctx *ctx, struct db_conn *db, const char *item)
{
    struct db_rows row;
    enum status st = db_one(ctx, db, &SQL_PHOTO_ITEM, DB_ARGS(db_text(item)), NULL, &row);

    return st == ST_NOT_FOUND ? fail_with(ctx, ST_NOT_FOUND, "There is no such drink on the menu.",
                                          "item=%s", item)
                              : st;
}

enum status photo_store_newest(struct ctx *ctx, struct db_conn *db, const char *item,
                               struct photo *photo, bool *found)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_PHOTO_NEWEST, DB_ARGS(db_text(item)), &rows));
    *found = rows.count > 0;
    if (*found) {
        *photo = (struct photo){
            .id = db_get_text(&rows, 0, "id"),
            .item = db_get_text(&rows, 0, "menu_item_id"),
            .state = parse_state(db_get_text(&rows, 0, "state")),
            .reason = db_get_text(&rows, 0, "reason"),
            .sha256 = db_get_text(&rows, 0, "sha256"),
            .bytes = db_get_int(&rows, 0, "bytes"),
            .width = (int)db_get_int(&rows, 0, "width"),
            .height = (int)db_get_int(&rows, 0, "height"),
            .created_ms = db_get_time(&rows, 0, "created_at"),
        };
    }
    return ST_OK;
}

enum status photo_store_insert(struct ctx *ctx, struct db_conn *db, struct photo *photo)
{
    struct db_rows row;

    TRY(db_one(ctx, db, &SQL_PHOTO_INSERT,
               DB_ARGS(db_text(photo->id), db_text(photo->item), db_text(photo->sha256),
                       db_int(photo->bytes), db_int(photo->width), db_int(photo->height)),
               NULL, &row));
    photo->created_ms = db_get_time(&row, 0, "created_at");
    return ST_OK;
}

enum status photo_store_bytes(struct ctx *ctx, struct db_conn *db, const char *id, const char *size,
                              const struct photo_image *image)
{
    for (size_t at = 0; at < image->size; at += PART_BYTES) {
        size_t left = image->size - at;

        TRY(db_exec(ctx, db, &SQL_PHOTO_ADD_PART,
                    DB_ARGS(db_text(id), db_text(size), db_int((int64_t)(at / PART_BYTES)),
                            db_bytes(image->bytes + at, left < PART_BYTES ? left : PART_BYTES)),
                    NULL));
    }
    return ST_OK;
}

enum status photo_store_read(struct ctx *ctx, struct db_conn *db, const char *id, const char *size,
                             int part, int parts, struct photo_image *image)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_PHOTO_PARTS,
                DB_ARGS(db_text(id), db_text(size), db_int(part), db_int(parts)), &rows));
    uint8_t *bytes = arena_alloc(ctx->arena, (size_t)rows.count * PART_BYTES + 1);

    image->bytes = bytes;
    image->size = 0;
    for (int row = 0; row < rows.count; row++) {
        size_t some;
        const uint8_t *from = db_get_bytes(ctx, &rows, row, "bytes", &some);

        if (some > PART_BYTES) {
            return fail_with(ctx, ST_INTERNAL, "", "photo %s: a part has %zu bytes", id, some);
        }
        memcpy(bytes + image->size, from, some);
        image->size += some;
    }
    return ST_OK;
}

enum status photo_store_waits(struct ctx *ctx, struct db_conn *db, const char *id, bool *waits)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_PHOTO_WAITS, DB_ARGS(db_text(id)), &rows));
    *waits = rows.count > 0;
    return ST_OK;
}

enum status photo_store_end(struct ctx *ctx, struct db_conn *db, const char *id,
                            enum photo_state state, const char *reason, const char **item)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_PHOTO_LOCK_ITEM, DB_ARGS(db_text(id)), &rows));
    TRY(db_many(ctx, db, &SQL_PHOTO_END,
                DB_ARGS(db_text(id), db_text(states[state]), db_text(reason)), &rows));
    *item = rows.count ? db_get_text(&rows, 0, "menu_item_id") : NULL;
    return rows.count ? db_exec(ctx, db, &SQL_PHOTO_FORGET_ORIGINAL, DB_ARGS(db_text(id)), NULL)
                      : ST_OK;
}

enum status photo_store_show(struct ctx *ctx, struct db_conn *db, const char *id, const char *item,
                             bool *shown)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_PHOTO_SHOW, DB_ARGS(db_text(id), db_text(item)), &rows));
    *shown = rows.count > 0;
    return db_exec(ctx, db, &SQL_PHOTO_MARK_REPLACED, DB_ARGS(db_text(item)), NULL);
}

enum status photo_store_prune(struct ctx *ctx, struct db_conn *db)
{
    return db_exec(ctx, db, &SQL_PHOTO_PRUNE, DB_NO_ARGS, NULL);
}

enum status photo_store_remove(struct ctx *ctx, struct db_conn *db, const char *item, bool *any)
{
    struct db_rows rows;

    TRY(db_many(ctx, db, &SQL_PHOTO_REMOVE, DB_ARGS(db_text(item)), &rows));
    *any = rows.count > 0;
    return db_exec(ctx, db, &SQL_PHOTO_HIDE, DB_ARGS(db_text(item)), NULL);
}
