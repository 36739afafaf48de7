/* What people like to drink, and the one that is their usual. */
#ifndef CUSTOMER_SERVICE_FAVOURITE_FAVOURITE_H
#define CUSTOMER_SERVICE_FAVOURITE_FAVOURITE_H

#include "customer-service/customer/customer.h"

enum { FAVOURITES_MAX = 100 };

struct favourite {
    char id[ID_TEXT_SIZE];
    const char *menu_item_id;
    const char *const *customization_ids; /* sorted, each once */
    size_t customization_count;
    bool is_usual;
};

struct favourite_wish {
    const char *menu_item_id;
    const char *const *customization_ids;
    size_t customization_count;
    bool is_usual;
};

/* How the answer to a favourite looks, for whoever asks again with the same key. */
struct favourite_answer {
    const void *bytes;
    size_t size;
};
typedef struct favourite_answer favourite_encode(struct ctx *ctx, const struct favourite *favourite,
                                                 const void *user);

/* Keeps one. With is_usual the former usual is one no longer, and a favourite that is there
 * already becomes the usual; without, it is PROBLEM_ALREADY_EXISTS. 'answer' is that of the first
 * time when ctx has a key that was used before. */
enum status favourite_add(struct ctx *ctx, struct service *service,
                          const struct favourite_wish *wish, favourite_encode *encode,
                          const void *user, struct favourite_answer *answer) MUST_CHECK;

/* ST_NOT_FOUND unless it is the caller's. */
enum status favourite_remove(struct ctx *ctx, struct service *service, const char *id) MUST_CHECK;

/* The usual first, then oldest first. */
enum status favourite_list(struct ctx *ctx, struct service *service, struct customer_id id,
                           const struct favourite **list, size_t *count) MUST_CHECK;

/* PROBLEM_NO_USUAL. */
enum status favourite_usual(struct ctx *ctx, struct service *service, struct customer_id id,
                            struct favourite *usual) MUST_CHECK;

/* customer-service's demonstration: `customer` likes a flat white with oat milk. */
enum status favourite_seed_demo(struct ctx *ctx, struct service *service,
                                struct customer_id id) MUST_CHECK;

/* "customer:fav:{id}", in the arena. */
const char *favourite_cache_key(struct ctx *ctx, struct customer_id id);

#endif
