/* The menu in PostgreSQL. Included from its own folder only. */
#ifndef ORDER_SERVICE_MENU_MENU_STORE_H
#define ORDER_SERVICE_MENU_MENU_STORE_H

#include "order-service/menu/menu.h"

enum status menu_store_version(struct ctx *ctx, struct db_conn *db, int64_t *version) MUST_CHECK;
/* Nobody changes the drink, nor anything of the menu, until the transaction ends. */
enum status menu_store_hold(struct ctx *ctx, struct db_conn *db, const char *id,
                            int64_t *version) MUST_CHECK;
/* A whole snapshot, held once by the caller. */
enum status menu_store_load(struct ctx *ctx, struct db_conn *db, struct menu **menu) MUST_CHECK;
enum status menu_store_insert(struct ctx *ctx, struct db_conn *db,
                              const struct menu_change *drink) MUST_CHECK;
enum status menu_store_update(struct ctx *ctx, struct db_conn *db,
                              const struct menu_change *change) MUST_CHECK;
enum status menu_store_remove(struct ctx *ctx, struct db_conn *db, const char *id) MUST_CHECK;
enum status menu_store_set_pairs(struct ctx *ctx, struct db_conn *db, const char *id,
                                 const char *const *customizations, size_t count) MUST_CHECK;
enum status menu_store_customization(struct ctx *ctx, struct db_conn *db, const char *id,
                                     bool available) MUST_CHECK;

#endif
