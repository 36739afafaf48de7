/* The menu: drinks, what may be done to them, what is sold out.
 *
 * A menu is a snapshot that never changes; whoever reads it holds it (menu_hold), and a new version
 * is a new snapshot. menu.c has the use cases, menu_cache.c keeps the newest snapshot at hand,
 * menu_store.c is the tables, menu_rpc.c the gRPC face. */
#ifndef ORDER_SERVICE_MENU_MENU_H
#define ORDER_SERVICE_MENU_MENU_H

#include "common/base/auto.h"
#include "common/base/ctx.h"

#include <stdatomic.h>

struct db_pool;
struct db_conn;
struct service;

enum { MENU_ID_SIZE = 65, MENU_MAX_CUSTOMIZATIONS = 50 };

struct menu_customization {
    const char *id, *name;
    int kind; /* as in the proto */
    int64_t extra_cents;
    bool available;
    const char *allergens; /* separated by MENU_SEPARATOR */
};

struct menu_item {
    const char *id, *name, *description;
    int kind;
    int64_t price_cents;
    bool available;
    const char *allergens;
    int64_t valid_from_ms, valid_to_ms; /* 0: unbounded */
    const struct menu_customization *customizations;
    size_t customization_count;
    const char *photo_id; /* "": none */
};

#define MENU_SEPARATOR "\x1f"

struct menu {
    atomic_int holders;
    struct arena *arena; /* its own: everything below lives in it */
    int64_t version;
    const struct menu_item *items;
    size_t count;
};

/* The newest menu, held for the caller until the arena goes. ST_UNAVAILABLE only when there has
 * never been one. */
enum status menu_current(struct ctx *ctx, struct service *service,
                         const struct menu **menu) MUST_CHECK;
/* The same, past every cache: after the database said that our version is old. */
enum status menu_reload(struct ctx *ctx, struct service *service,
                        const struct menu **menu) MUST_CHECK;

/* NULL when the menu has no such drink, or the drink no such customization. */
const struct menu_item *menu_find(const struct menu *menu, const char *id);
const struct menu_customization *menu_item_allows(const struct menu_item *item, const char *id);
/* Within its season; whether it is sold out is 'available'. */
bool menu_item_in_season(const struct menu_item *item, int64_t now_ms);
/* What the menu is by then: another text for each version, for each season that began or ended
 * since, and for each currency; the same in every replica. */
const char *menu_edition(struct arena *arena, const struct menu *menu, const char *currency,
                         int64_t now_ms);

/* What an admin changes; NULL and unset members stay as they are. Where ctx has the edition that
 * the admin saw (if_match) and somebody changed the menu since: PROBLEM_PRECONDITION_FAILED, and
 * nothing is changed; so for menu_remove(). */
struct menu_change {
    const char *id;
    const char *name, *description;
    const int *kind;
    const int64_t *price_cents;
    const bool *available;
    const char *const *allergens; /* NULL: unchanged */
    size_t allergen_count;
    const char *const *customizations; /* NULL: unchanged */
    size_t customization_count;
    const int64_t *valid_from_ms, *valid_to_ms; /* NULL: unchanged; 0: unbounded */
};

/* The id is made from the name. PROBLEM_ALREADY_EXISTS, PROBLEM_INVALID_FIELDS. */
enum status menu_create(struct ctx *ctx, struct service *service, const struct menu_change *drink,
                        const char **id) MUST_CHECK;
enum status menu_update(struct ctx *ctx, struct service *service,
                        const struct menu_change *change) MUST_CHECK;
enum status menu_remove(struct ctx *ctx, struct service *service, const char *id) MUST_CHECK;
enum status menu_set_customization(struct ctx *ctx, struct service *service, const char *id,
                                   bool available) MUST_CHECK;
/* Ends the transaction of a change to a drink: the event goes with it, then all are told. */
enum status menu_commit(struct ctx *ctx, struct service *service, struct db_conn **tx,
                        const char *id) MUST_CHECK;

/* menu_cache.c */
struct menu_cache;
struct menu_cache *menu_cache_new(void);
void menu_cache_free(struct menu_cache *cache);
/* Whatever is at hand may be old: look at the version before it is used again. */
void menu_cache_doubt(struct menu_cache *cache);
/* Tells the other replicas, through Valkey, that the menu has come to this version; an older one
 * than it knows is not believed. */
void menu_cache_tell(struct ctx *ctx, struct service *service, int64_t version);
/* For readiness, once the schema is there: takes the menu from the database before the first
 * customer asks. False: not yet. A database that is slow keeps nobody out for longer than two
 * seconds: then it is true and the first read loads. */
bool menu_warm(struct service *service);

#endif
