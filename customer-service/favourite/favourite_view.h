/* Favourites as the API shows them, and as Valkey keeps a person's list for an hour: without
 * names, which the menu may change. */
#ifndef CUSTOMER_SERVICE_FAVOURITE_FAVOURITE_VIEW_H
#define CUSTOMER_SERVICE_FAVOURITE_FAVOURITE_VIEW_H

#include "coffee/customer/v1/customer.pb-c.h"
#include "customer-service/favourite/favourite.h"
#include "customer-service/favourite/menu_client.h"

/* 'out' is an initialised message; names and availability are as 'names' has them. */
void favourite_view(struct ctx *ctx, const struct favourite *favourite,
                    const struct menu_names *names, Coffee__Customer__V1__Favorite *out);

/* Puts names and availability into one that has none. */
void favourite_view_name(const struct menu_names *names, Coffee__Customer__V1__Favorite *out);

/* Through customer:fav:{id}; without names. */
enum status favourite_view_cached(struct ctx *ctx, struct service *service, struct customer_id id,
                                  Coffee__Customer__V1__ListFavoritesResponse *out) MUST_CHECK;

struct favourite_answer favourite_view_pack(struct ctx *ctx,
                                            const Coffee__Customer__V1__Favorite *message);
enum status favourite_view_unpack(struct ctx *ctx, struct favourite_answer answer,
                                  Coffee__Customer__V1__Favorite *out) MUST_CHECK;

#endif
