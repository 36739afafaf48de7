/* Photos in PostgreSQL: private to this folder. */
#ifndef ORDER_SERVICE_MENU_MENU_PHOTO_STORE_H
#define ORDER_SERVICE_MENU_MENU_PHOTO_STORE_H

#include "common/db/db.h"
#include "order-service/menu/menu_photo.h"

#define PHOTO_ORIGINAL "original"

enum status photo_store_lock_item(struct ctx *ctx, struct db_conn *db, const char *item) MUST_CHECK;
/* '*found' is false when the drink has none, or there is no such drink. */
enum status photo_store_newest(struct ctx *ctx, struct db_conn *db, const char *item,
                               struct photo *photo, bool *found) MUST_CHECK;
enum status photo_store_insert(struct ctx *ctx, struct db_conn *db, struct photo *photo) MUST_CHECK;
enum status photo_store_bytes(struct ctx *ctx, struct db_conn *db, const char *id, const char *size,
                              const struct photo_image *image) MUST_CHECK;
/* All there is from this part on, of so many parts at most; empty after the last. */
enum status photo_store_read(struct ctx *ctx, struct db_conn *db, const char *id, const char *size,
                             int part, int parts, struct photo_image *image) MUST_CHECK;
enum status photo_store_waits(struct ctx *ctx, struct db_conn *db, const char *id,
                              bool *waits) MUST_CHECK;
/* '*item' is NULL when somebody else has ended it. */
enum status photo_store_end(struct ctx *ctx, struct db_conn *db, const char *id,
                            enum photo_state state, const char *reason,
                            const char **item) MUST_CHECK;
enum status photo_store_show(struct ctx *ctx, struct db_conn *db, const char *id, const char *item,
                             bool *shown) MUST_CHECK;
enum status photo_store_prune(struct ctx *ctx, struct db_conn *db) MUST_CHECK;
enum status photo_store_remove(struct ctx *ctx, struct db_conn *db, const char *item,
                               bool *any) MUST_CHECK;

#endif
